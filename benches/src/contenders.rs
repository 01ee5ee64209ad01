//! What is measured against each other. Each takes the inbound map and fills a fresh outbound one.

use std::hint::black_box;

use http::{HeaderMap, HeaderName};
use onward::{Destination, Propagator};
use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

/// The preset `istio` and one more name: 27 names, and 2 prefix rules.
pub(crate) fn propagator() -> Result<Propagator, onward::PolicyError> {
    Propagator::builder().add("x-tenant-id").add("x-canary-*").add("x-experiment-*").build()
}

/// Everything that a contender needs and that does not count.
pub(crate) struct Setup {
    pub(crate) inbound: HeaderMap,
    propagator: Propagator,
    names: Vec<&'static str>,
    header_names: Vec<HeaderName>,
    opentelemetry: TextMapCompositePropagator,
}

impl Setup {
    pub(crate) fn new(inbound: HeaderMap) -> Result<Self, onward::PolicyError> {
        let propagator = propagator()?;
        // Leaked: the loop that everybody writes runs over literals.
        let names: Vec<&'static str> = propagator
            .plan()
            .headers
            .into_iter()
            .map(|header| &*Box::leak(header.name.into_boxed_str()))
            .collect();
        Ok(Self {
            inbound,
            propagator,
            header_names: names.iter().copied().map(HeaderName::from_static).collect(),
            names,
            opentelemetry: TextMapCompositePropagator::new(vec![
                Box::new(TraceContextPropagator::new()),
                Box::new(BaggagePropagator::new()),
                Box::new(opentelemetry_zipkin::Propagator::new()),
            ]),
        })
    }
}

pub(crate) type Contender = fn(&Setup);

/// `extract + inject`: in -> fresh outbound map.
pub(crate) const FORWARD: &[(&str, Contender)] = &[
    ("hand-written, get(&str)", |setup| {
        let mut outbound = HeaderMap::new();
        for &name in &setup.names {
            if let Some(value) = setup.inbound.get(name) {
                outbound.insert(name, value.clone());
            }
        }
        black_box(outbound);
    }),
    ("hand-written, get(&HeaderName)", |setup| {
        let mut outbound = HeaderMap::new();
        for name in &setup.header_names {
            if let Some(value) = setup.inbound.get(name) {
                outbound.insert(name.clone(), value.clone());
            }
        }
        black_box(outbound);
    }),
    ("OpenTelemetry extract + inject", |setup| {
        let mut outbound = HeaderMap::new();
        let context = setup.opentelemetry.extract(&HeaderExtractor(&setup.inbound));
        setup.opentelemetry.inject_context(&context, &mut HeaderInjector(&mut outbound));
        black_box(outbound);
    }),
    ("Onward extract + scope + inject", |setup| {
        let _scope = onward::enter(setup.propagator.extract(&setup.inbound));
        let mut outbound = HeaderMap::new();
        onward::current().inject(&mut outbound);
        black_box(outbound);
    }),
    ("Onward extract + scope + guarded inject", |setup| {
        let _scope = onward::enter(setup.propagator.extract(&setup.inbound));
        let mut outbound = HeaderMap::new();
        onward::inject_to(&Destination::parse("http://reviews:9080/reviews/0"), &mut outbound);
        black_box(outbound);
    }),
];

/// `extract` alone.
pub(crate) const EXTRACT: &[(&str, Contender)] = &[
    ("clone the inbound map", |setup| {
        black_box(setup.inbound.clone());
    }),
    ("OpenTelemetry extract", |setup| {
        black_box(setup.opentelemetry.extract(&HeaderExtractor(&setup.inbound)));
    }),
    ("Onward extract", |setup| {
        black_box(setup.propagator.extract(&setup.inbound));
    }),
];
