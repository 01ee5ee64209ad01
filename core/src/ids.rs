//! The request's ids, for log lines.

use std::borrow::Cow;

use crate::ForwardHeaders;
use crate::catalogue::{self, Header};
use crate::formats::{
    b3, cloud_trace, datadog, grpc_trace, jaeger, lightstep, ot_tracer, skywalking, traceparent, xray,
};

/// Takes the trace id out of a header's value; none where the value is not well-formed.
type Read = for<'a> fn(&'a [u8]) -> Option<Cow<'a, str>>;

/// Where a trace id stands, the one that is looked at first on top.
const TRACE_IDS: &[(&Header, Read)] = &[
    (&catalogue::TRACEPARENT, |value| Some(traceparent::parse(value)?.trace.text.into())),
    (&catalogue::X_B3_TRACEID, |value| Some(b3::trace(value)?.text.into())),
    (&catalogue::B3, |value| Some(b3::single(value)?.ids?.trace.text.into())),
    // The upper half of a longer id stands elsewhere, and Datadog finds the trace by this one.
    (&catalogue::X_DATADOG_TRACE_ID, |value| Some(datadog::id(value)?.0.into())),
    (&catalogue::X_AMZN_TRACE_ID, |value| Some(xray::parse(value)?.root?.into())),
    (&catalogue::X_CLOUD_TRACE_CONTEXT, |value| Some(cloud_trace::parse(value)?.trace.text.into())),
    (&catalogue::GRPC_TRACE_BIN, |value| Some(format!("{:032x}", grpc_trace::parse(value)?.trace).into())),
    (&catalogue::UBER_TRACE_ID, |value| Some(jaeger::parse(value)?.trace.text.into())),
    (&catalogue::OT_TRACER_TRACEID, |value| Some(ot_tracer::trace(value)?.text.into())),
    (&catalogue::SW8, |value| {
        skywalking::trace(value).filter(|id| printable(id.as_bytes()).is_some()).map(Cow::from)
    }),
    (&catalogue::X_OT_SPAN_CONTEXT, |value| lightstep::trace(value).map(Cow::from)),
];

impl ForwardHeaders {
    /// The request's id, as it came in; none without one, or where it is no printable ASCII.
    ///
    /// # Examples
    ///
    /// ```
    /// let headers = onward::get_forward_headers(&[("x-request-id", "7f6c")]);
    /// assert_eq!(headers.request_id(), Some("7f6c"));
    /// ```
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        printable(self.get(catalogue::X_REQUEST_ID.name)?)
    }

    /// The trace's id, in the spelling in which it came in: what the tracing backend finds the trace by.
    ///
    /// It is read from the first of these headers that was captured and holds one: `traceparent`, `x-b3-traceid`, `b3`,
    /// `x-datadog-trace-id`, `x-amzn-trace-id`, `x-cloud-trace-context`, `grpc-trace-bin`, `uber-trace-id`,
    /// `ot-tracer-traceid`, `sw8`, `x-ot-span-context`. An id of zeros is none, and so is one that came in more than once.
    ///
    /// # Examples
    ///
    /// ```
    /// let inbound = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    /// let headers = onward::get_forward_headers(&inbound);
    /// assert_eq!(headers.trace_id().as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
    /// ```
    #[must_use]
    pub fn trace_id(&self) -> Option<Cow<'_, str>> {
        TRACE_IDS.iter().find_map(|(header, read)| read(self.only(header)?))
    }
}

/// Text that a log line can hold as one word.
fn printable(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?;
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())).then_some(text)
}

#[cfg(test)]
mod tests {
    #[track_caller]
    fn trace_id(name: &str, value: &[u8]) -> Option<String> {
        let presets = ["istio", "jaeger", "lightstep", "stackdriver", "xray"];
        let propagator = crate::Propagator::builder().presets(presets).build();
        let headers = propagator.expect("a policy").extract(&[(name, value)]);
        headers.trace_id().map(std::borrow::Cow::into_owned)
    }

    const GOOD: &[(&str, &str, &str)] = &[
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "0af7651916cd43dd8448eb211c80319c",
        ),
        ("x-b3-traceid", "463AC35C9F6413AD", "463AC35C9F6413AD"),
        ("b3", "463ac35c9f6413ad-e457b5a2e4d86bd1", "463ac35c9f6413ad"),
        ("x-datadog-trace-id", "18446744073709551615", "18446744073709551615"),
        (
            "x-amzn-trace-id",
            "Self=1-1-2; Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
            "1-5759e988-bd862e3fe1be46a994272793",
        ),
        ("x-cloud-trace-context", "105445aa7843bc8bf206b12000100000;o=1", "105445aa7843bc8bf206b12000100000"),
        ("grpc-trace-bin", "AABAQUJDREVGR0hJSktMTU5PAWFiY2RlZmdoAgE=", "404142434445464748494a4b4c4d4e4f"),
        ("uber-trace-id", "3f%3A2%3A0%3A1", "3f"),
        ("ot-tracer-traceid", "463ac35c9f6413ad", "463ac35c9f6413ad"),
        ("sw8", "1-ZmY5ZjA4MzQtNTU0YS00OGNl-c2Vn-3-c3Zj-aW5z-L2E=-cGVlcg==", "ff9f0834-554a-48ce"),
        ("x-ot-span-context", "EgkJ782riWdFIwE=", "0123456789abcdef"),
    ];

    const BAD: &[(&str, &[u8], &str)] = &[
        ("traceparent", b"00-00000000000000000000000000000000-b7ad6b7169203331-01", "no trace"),
        ("x-b3-traceid", b"463ac35c9f6413ad,463ac35c9f6413ad", "two in one"),
        ("b3", b"0", "a decision"),
        ("b3", b"463ac35c9f6413ad-xyz", "a span that is none"),
        ("x-datadog-trace-id", b"0", "zero"),
        ("x-amzn-trace-id", b"Self=1-5759e988-bd862e3fe1be46a994272793", "no root"),
        ("x-cloud-trace-context", b"105445aa/1;o=1", "too short"),
        ("grpc-trace-bin", b"AAAR3dGdpb0jQlWK", "cut off"),
        ("uber-trace-id", b"1", "no span"),
        ("ot-tracer-traceid", b"xyz", "no number"),
        ("sw8", b"1-YQpi-c2Vn-3-c3Zj-aW5z-L2E=-cGVlcg==", "a line feed inside"),
        ("x-ot-span-context", b"EgkJAAAAAAAAAAA=", "zero"),
    ];

    #[test]
    fn every_format_gives_its_trace_id_as_it_came() {
        for (name, value, id) in GOOD {
            assert_eq!(trace_id(name, value.as_bytes()).as_deref(), Some(*id), "{name}: {value}");
        }
    }

    #[test]
    fn what_is_not_well_formed_has_no_trace_id() {
        for (name, value, why) in BAD {
            assert_eq!(trace_id(name, value), None, "{name}: {why}");
        }
    }

    #[test]
    fn every_header_that_is_looked_at_is_known_to_the_catalogue_as_one_of_traces() {
        for (header, _) in super::TRACE_IDS {
            assert_eq!(header.class, crate::catalogue::Class::Trace, "{}", header.name);
        }
    }
}
