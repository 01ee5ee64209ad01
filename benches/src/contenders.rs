//! What is measured against each other. Each takes the inbound map and fills a fresh outbound one.

use std::hint::black_box;

use http::{HeaderMap, HeaderName};
use onward::{Destination, ForwardHeaders, Propagator};
use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

/// Everything that a contender needs and that does not count.
pub(crate) struct Setup {
    propagator: Propagator,
    names: Vec<&'static str>,
    header_names: Vec<HeaderName>,
    opentelemetry: TextMapCompositePropagator,
}

impl Setup {
    /// With the preset `istio` and one more name: 27 names, and 2 prefix rules.
    pub(crate) fn new() -> Result<Self, onward::PolicyError> {
        let propagator =
            Propagator::builder().add("x-tenant-id").add("x-canary-*").add("x-experiment-*").build()?;
        // Leaked: the loop that everybody writes runs over literals.
        let names: Vec<&'static str> = propagator
            .plan()
            .headers
            .into_iter()
            .map(|header| &*Box::leak(header.name.into_boxed_str()))
            .collect();
        #[expect(deprecated, reason = "Istio speaks B3, and there is no other propagator for it")]
        let b3 = opentelemetry_zipkin::Propagator::new();
        Ok(Self {
            propagator,
            header_names: names.iter().copied().map(HeaderName::from_static).collect(),
            names,
            opentelemetry: TextMapCompositePropagator::new(vec![
                Box::new(TraceContextPropagator::new()),
                Box::new(BaggagePropagator::new()),
                Box::new(b3),
            ]),
        })
    }

    pub(crate) fn extract(&self, inbound: &HeaderMap) -> ForwardHeaders {
        self.propagator.extract(inbound)
    }
}

/// One way to do what a path does, for one inbound map.
pub(crate) type Contender = fn(&Setup, &HeaderMap);

/// A path with its contenders, by the names that the results have.
pub(crate) struct Path {
    pub(crate) name: &'static str,
    pub(crate) contenders: &'static [(&'static str, Contender)],
}

pub(crate) const PATHS: &[Path] = &[
    Path {
        name: "extract + scope + inject",
        contenders: &[
            ("hand_written", by_text),
            ("static_names", by_name),
            ("opentelemetry", opentelemetry),
            ("onward", onward),
            ("onward_guarded", onward_guarded),
        ],
    },
    Path {
        name: "extract",
        contenders: &[("clone", clone), ("opentelemetry", opentelemetry_extract), ("onward", onward_extract)],
    },
];

/// The loop that everybody writes.
fn by_text(setup: &Setup, inbound: &HeaderMap) {
    let mut outbound = HeaderMap::new();
    for &name in &setup.names {
        if let Some(value) = inbound.get(name) {
            outbound.insert(name, value.clone());
        }
    }
    black_box(outbound);
}

/// The same, by somebody who knows that a name can be parsed once.
fn by_name(setup: &Setup, inbound: &HeaderMap) {
    let mut outbound = HeaderMap::new();
    for name in &setup.header_names {
        if let Some(value) = inbound.get(name) {
            outbound.insert(name.clone(), value.clone());
        }
    }
    black_box(outbound);
}

fn opentelemetry(setup: &Setup, inbound: &HeaderMap) {
    let mut outbound = HeaderMap::new();
    let context = setup.opentelemetry.extract(&HeaderExtractor(inbound));
    setup.opentelemetry.inject_context(&context, &mut HeaderInjector(&mut outbound));
    black_box(outbound);
}

fn onward(setup: &Setup, inbound: &HeaderMap) {
    let _scope = onward::enter(setup.extract(inbound));
    let mut outbound = HeaderMap::new();
    onward::current().inject(&mut outbound);
    black_box(outbound);
}

/// What the reqwest integration does: only what may go to the destination.
fn onward_guarded(setup: &Setup, inbound: &HeaderMap) {
    let _scope = onward::enter(setup.extract(inbound));
    let mut outbound = HeaderMap::new();
    onward::inject_to(&Destination::parse("http://reviews:9080/reviews/0"), &mut outbound);
    black_box(outbound);
}

/// What an axum handler that asks for a `HeaderMap` gets.
fn clone(_: &Setup, inbound: &HeaderMap) {
    black_box(inbound.clone());
}

fn opentelemetry_extract(setup: &Setup, inbound: &HeaderMap) {
    black_box(setup.opentelemetry.extract(&HeaderExtractor(inbound)));
}

fn onward_extract(setup: &Setup, inbound: &HeaderMap) {
    black_box(setup.extract(inbound));
}
