//! What Envoys with a tracer report, and what a cell asks of it.

use std::{error::Error, time::Duration};

use onward_mesh::{
    analysis::{Report, analyse},
    collector::{
        span::{Direction, Span},
        trace::Trace,
        verdict::Break,
    },
    load,
    progress::Progress,
    runner::{Mesh, Options},
    settle::wait_for_spans,
    tracer::Tracer,
};

use crate::{
    cell::Checked,
    chain::{Language, Programs, Sdk, Seen},
};

/// For each app: enough for requests at the same time to get mixed up, if they can be.
const REQUESTS: usize = 8;
/// For spans to arrive on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a chain of all languages has reported to the collector.
pub(crate) struct Run {
    tracer: Tracer,
    sdk: Option<Sdk>,
    report: Report,
}

impl Run {
    pub(crate) async fn new(
        programs: &Programs,
        options: &Options,
        tracer: Tracer,
        sdk: Option<Sdk>,
        forwarding: bool,
    ) -> Result<Self, Box<dyn Error>> {
        let mut options = Options { tracer: Some(tracer), forwarding, ..options.clone() };
        let app = programs.app(&Language::ALL, sdk, &mut options, &Seen::default())?;
        let mut mesh = Mesh::start(&app, &options, Progress::silent()).await?;
        let outcomes = load::drive(mesh.gateway(), &app, REQUESTS, 4, |_| {}).await?;
        mesh.check()?;
        let hops: usize = app.shape()?.iter().map(|hops| hops.count).sum();
        let own = if sdk.is_some() { Language::ALL.len() } else { 0 };
        let expected = REQUESTS * (hops * tracer.spans_per_hop() + own);
        wait_for_spans(mesh.store(), expected, tracer.flush_interval(), PATIENCE).await;
        let report = analyse(&app, tracer.spans_per_hop(), mesh.store(), outcomes)?;
        Ok(Self { tracer, sdk, report })
    }

    fn traces(&self) -> impl Iterator<Item = &Trace> {
        self.report.traces.iter().map(|judged| &judged.trace)
    }

    /// The calls out of a service, as its sidecar saw them, each with its trace.
    fn calls(&self, language: Language) -> Result<Vec<(&Trace, &Span)>, String> {
        let service = language.service();
        let out = move |span: &Span| span.service == service && span.direction() == Some(Direction::Egress);
        let spans = self.traces().flat_map(|trace| trace.spans.iter().map(move |span| (trace, &**span)));
        // Of an Envoy that reports two spans of a call the upper one.
        let calls: Vec<_> =
            spans.filter(|(trace, span)| out(span) && !parent(trace, span).is_some_and(out)).collect();
        if calls.len() == REQUESTS {
            Ok(calls)
        } else {
            Err(format!("{} calls of {REQUESTS} requests", calls.len()))
        }
    }

    /// Every request is one whole trace, and the service's call has the parent that it should.
    pub(crate) fn joined_by(&self, language: Language) -> Checked {
        let (service, own) = (language.service(), language.own_service());
        // What only its tracer can write goes on as it came, and so does what the SDK cannot read.
        let between = self.sdk == Some(Sdk::Reading) && self.tracer != Tracer::SkyWalking;
        for (trace, call) in self.calls(language)? {
            let mut above = parent(trace, call);
            if between {
                let span = above.filter(|span| span.service == own);
                above = parent(trace, span.ok_or("the parent of the call is not the service's own span")?);
            }
            if !above
                .is_some_and(|span| span.service == service && span.direction() == Some(Direction::Ingress))
            {
                return Err("the call does not hang under the request that came in".into());
            }
        }
        let reported =
            self.traces().flat_map(|trace| &trace.spans).filter(|span| span.service == own).count();
        let expected = if self.sdk.is_some() { REQUESTS } else { 0 };
        if reported != expected {
            return Err(format!("{reported} spans of the service instead of {expected}"));
        }
        if let Some(request) = self.report.broken().next() {
            let breaks = request.traces.iter().flat_map(|index| &self.report.traces[*index].breaks);
            let sentences: Vec<_> = breaks.map(Break::sentence).collect();
            return Err(format!("{:?}: {}", request.problem, sentences.join(" ")));
        }
        Ok(())
    }

    /// The control: every call of the service has begun a trace.
    pub(crate) fn broken_by(&self, language: Language) -> Checked {
        let joined = self.calls(language)?.iter().filter(|(_, call)| call.parent_id.is_some()).count();
        if joined > 0 {
            return Err(format!(
                "without Onward {joined} of {REQUESTS} calls are in the trace of their request"
            ));
        }
        match self.report.broken().count() {
            REQUESTS => Ok(()),
            broken => Err(format!("without Onward {broken} of {REQUESTS} requests are broken")),
        }
    }
}

fn parent<'a>(trace: &'a Trace, span: &Span) -> Option<&'a Span> {
    let id = span.parent_id.as_ref()?;
    trace.spans.iter().find(|other| other.id == *id).map(|span| &**span)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use onward_mesh::{
        analysis::{Judged, Request},
        collector::span::Kind,
        load::Outcome,
    };

    use super::*;

    /// A service, a side of its sidecar or none, an id, the parent's.
    type Row = (&'static str, Option<Direction>, &'static str, Option<&'static str>);

    const IN: Row = ("node", Some(Direction::Ingress), "a", Some("9"));
    const OWN: Row = ("node-app", None, "b", Some("a"));
    const OUT: Row = ("node", Some(Direction::Egress), "c", Some("b"));

    fn span((service, direction, id, parent): Row) -> Arc<Span> {
        Arc::new(Span {
            service: service.into(),
            kind: direction.map(|direction| match direction {
                Direction::Ingress => Kind::Server,
                Direction::Egress => Kind::Client,
            }),
            id: id.into(),
            parent_id: parent.map(Into::into),
            ..Span::default()
        })
    }

    /// What is said of a service in Node, if each request has these spans.
    fn joined(sdk: Option<Sdk>, tracer: Tracer, rows: &[Row]) -> Checked {
        run(sdk, tracer, rows).joined_by(Language::Node)
    }

    fn run(sdk: Option<Sdk>, tracer: Tracer, rows: &[Row]) -> Run {
        let judged = |_| Judged {
            trace: Trace { id: String::new(), spans: rows.iter().copied().map(span).collect() },
            breaks: Vec::new(),
            belongs_to_a_request: true,
        };
        let outcome = Outcome { number: 1, request_id: None, status: Ok(200) };
        let requests = vec![Request { outcome, traces: vec![0], problem: None }];
        let report = Report { traces: (0..REQUESTS).map(judged).collect(), requests, services: Vec::new() };
        Run { tracer, sdk, report }
    }

    #[test]
    fn a_call_hangs_under_the_request_that_came_in() {
        let out = ("node", Some(Direction::Egress), "c", Some("a"));
        assert_eq!(joined(None, Tracer::Zipkin, &[IN, out]), Ok(()));
        let elsewhere = ("node", Some(Direction::Egress), "c", Some("9"));
        let error = "the call does not hang under the request that came in";
        assert_eq!(joined(None, Tracer::Zipkin, &[IN, elsewhere]), Err(error.into()));
        assert_eq!(joined(None, Tracer::Zipkin, &[IN]), Err("0 calls of 8 requests".into()));
    }

    #[test]
    fn beside_opentelemetry_the_services_own_span_is_between_the_two() {
        assert_eq!(joined(Some(Sdk::Reading), Tracer::Zipkin, &[IN, OWN, OUT]), Ok(()));
        let past = ("node", Some(Direction::Egress), "c", Some("a"));
        let error = "the parent of the call is not the service's own span";
        assert_eq!(joined(Some(Sdk::Reading), Tracer::Zipkin, &[IN, OWN, past]), Err(error.into()));
        let stray = ("node-app", None, "b", Some("9"));
        let error = "the call does not hang under the request that came in";
        assert_eq!(joined(Some(Sdk::Reading), Tracer::Zipkin, &[IN, stray, OUT]), Err(error.into()));
    }

    #[test]
    fn sw8_goes_on_as_it_came_and_the_service_reports_even_so() {
        let past = ("node", Some(Direction::Egress), "c", Some("a"));
        assert_eq!(joined(Some(Sdk::Reading), Tracer::SkyWalking, &[IN, OWN, past]), Ok(()));
        let silent = joined(Some(Sdk::Reading), Tracer::SkyWalking, &[IN, past]);
        assert_eq!(silent, Err("0 spans of the service instead of 8".into()));
    }

    #[test]
    fn what_the_sdk_cannot_read_goes_on_as_it_came() {
        let past = ("node", Some(Direction::Egress), "c", Some("a"));
        assert_eq!(joined(Some(Sdk::TraceparentAlone), Tracer::Zipkin, &[IN, OWN, past]), Ok(()));
        let moved = joined(Some(Sdk::TraceparentAlone), Tracer::Zipkin, &[IN, OWN, OUT]);
        assert_eq!(moved, Err("the call does not hang under the request that came in".into()));
    }

    #[test]
    fn the_control_finds_calls_that_are_joined() {
        let joined = run(None, Tracer::Zipkin, &[IN, ("node", Some(Direction::Egress), "c", Some("a"))]);
        let error = "without Onward 8 of 8 calls are in the trace of their request";
        assert_eq!(joined.broken_by(Language::Node), Err(error.into()));
        let root = run(None, Tracer::Zipkin, &[IN, ("node", Some(Direction::Egress), "c", None)]);
        assert_eq!(root.broken_by(Language::Node), Err("without Onward 0 of 8 requests are broken".into()));
    }
}
