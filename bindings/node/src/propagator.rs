//! A compiled policy, and the questions about destinations.

use napi::bindgen_prelude::Either;
use napi_derive::napi;
use onward::catalogue::{AUTHORIZATION, X_REQUEST_ID};
use onward::{Destination, Propagator, PropagatorBuilder};

use crate::capture::NativeCapture;
use crate::carriers::bytes;
use crate::failure::{Failure, guarded};
use crate::plan::Plan;

/// What a user says in code.
#[napi(object)]
pub struct Options {
    pub presets: Option<Vec<String>>,
    pub add: Option<Vec<String>>,
    pub remove: Option<Vec<String>>,
    pub mesh_hosts: Option<Vec<String>>,
    pub trace_destinations: Option<String>,
    pub max_bytes: Option<i64>,
    pub max_prefix_headers: Option<i64>,
}

/// A compiled policy.
#[napi]
pub struct NativePropagator {
    inner: Propagator,
}

/// Compiles what was said in code.
#[napi(catch_unwind)]
pub fn compile(options: Options) -> Either<NativePropagator, Failure> {
    guarded(|| build(changed(Propagator::builder(), options, PropagatorBuilder::remove)?))
}

fn changed(
    mut builder: PropagatorBuilder,
    options: Options,
    remove: fn(PropagatorBuilder, String) -> PropagatorBuilder,
) -> Result<PropagatorBuilder, Failure> {
    if let Some(presets) = options.presets {
        builder = builder.presets(presets);
    }
    builder = options.add.unwrap_or_default().into_iter().fold(builder, PropagatorBuilder::add);
    builder = options.remove.unwrap_or_default().into_iter().fold(builder, remove);
    builder = options.mesh_hosts.unwrap_or_default().into_iter().fold(builder, PropagatorBuilder::mesh_host);
    if let Some(text) = options.trace_destinations {
        builder = builder.trace_destinations(text.parse().map_err(Failure::from)?);
    }
    Ok(limits(builder, options.max_bytes, options.max_prefix_headers))
}

/// Compiles what the environment says: a flat list of variables and values.
#[napi(catch_unwind)]
pub fn compile_env(
    variables: Vec<String>,
    max_bytes: Option<i64>,
    max_prefix_headers: Option<i64>,
) -> Either<NativePropagator, Failure> {
    guarded(|| {
        let find = |wanted: &str| {
            let pairs = variables.as_chunks().0;
            pairs.iter().find(|[name, _]| name == wanted).map(|[_, value]| value.clone())
        };
        build(limits(Propagator::builder().variables(find), max_bytes, max_prefix_headers))
    })
}

fn limits(builder: PropagatorBuilder, bytes: Option<i64>, prefixed: Option<i64>) -> PropagatorBuilder {
    // The face lets no negative number through; one that does not fit limits nothing.
    let size = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let builder = match bytes {
        Some(bytes) => builder.max_bytes(size(bytes)),
        None => builder,
    };
    match prefixed {
        Some(lines) => builder.max_prefix_headers(size(lines)),
        None => builder,
    }
}

fn build(builder: PropagatorBuilder) -> Result<NativePropagator, Failure> {
    Ok(NativePropagator { inner: builder.build()? })
}

#[napi]
impl NativePropagator {
    /// The policy as data.
    #[napi(catch_unwind)]
    pub fn plan(&self) -> Either<Plan, Failure> {
        guarded(|| Ok(self.inner.plan().into()))
    }

    /// Compiles a policy that differs from this one. What is removed need not be in it.
    #[napi(catch_unwind)]
    pub fn derive(&self, options: Options) -> Either<NativePropagator, Failure> {
        guarded(|| build(changed(self.inner.to_builder(), options, PropagatorBuilder::except)?))
    }

    /// The place in the plan of the rule that selects a name: its headers first, then its prefixes. -1 if none does.
    #[napi(catch_unwind)]
    pub fn rank(&self, name: String) -> Either<i32, Failure> {
        guarded(|| {
            let rank = bytes(&name).and_then(|name| self.inner.rank(&name));
            Ok(rank.and_then(|rank| i32::try_from(rank).ok()).unwrap_or(-1))
        })
    }

    /// Captures from a flat list of names and values.
    #[napi(catch_unwind)]
    pub fn extract(&self, inbound: Vec<String>) -> Either<NativeCapture, Failure> {
        guarded(|| Ok(NativeCapture::new(&self.inner, &inbound)))
    }

    /// Whether a URL or an authority is in the mesh.
    #[napi(catch_unwind)]
    pub fn in_mesh(&self, destination: String) -> Either<bool, Failure> {
        guarded(|| Ok(self.inner.in_mesh(&Destination::parse(&destination))))
    }
}

/// The authorities that a gRPC target stands for.
#[napi(catch_unwind)]
pub fn grpc_authorities(target: String) -> Either<Vec<String>, Failure> {
    guarded(|| Ok(onward::grpc_authorities(&target)))
}

/// Whether the query of a URL carries its signature.
#[napi(catch_unwind)]
pub fn is_presigned(url: String) -> Either<bool, Failure> {
    guarded(|| Ok(stays_alone(&url, Vec::new())))
}

/// Whether this value of the header that [`Plan::signature`] names says that the request is signed.
#[napi(catch_unwind)]
pub fn is_signed(value: String) -> Either<bool, Failure> {
    guarded(|| Ok(stays_alone("localhost", vec![(AUTHORIZATION.name.to_owned(), value)])))
}

/// Whether the core leaves such a request alone: what else could go to any destination, does not go there.
fn stays_alone(url: &str, outbound: Vec<(String, String)>) -> bool {
    let probe = Propagator::default().extract(&[(X_REQUEST_ID.name, "-")]);
    let (mut outbound, before) = (outbound.clone(), outbound.len());
    probe.inject_to(&Destination::parse(url), &mut outbound);
    outbound.len() == before
}
