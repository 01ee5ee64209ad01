//! The request's ids, for log lines: what an id looks like in each format, and nothing more of the format.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::ForwardHeaders;
use crate::catalogue::{self, Header};

/// Takes the trace id out of a header's value; none where the value is not well-formed up to there.
type Read = for<'a> fn(&'a [u8]) -> Option<Cow<'a, str>>;

/// Where a trace id stands, the one that is looked at first on top.
const TRACE_IDS: &[(&Header, Read)] = &[
    (&catalogue::TRACEPARENT, w3c),
    (&catalogue::X_B3_TRACEID, whole),
    (&catalogue::B3, b3),
    (&catalogue::X_DATADOG_TRACE_ID, datadog),
    (&catalogue::X_AMZN_TRACE_ID, xray),
    (&catalogue::X_CLOUD_TRACE_CONTEXT, cloud_trace),
    (&catalogue::GRPC_TRACE_BIN, grpc_trace_bin),
    (&catalogue::UBER_TRACE_ID, jaeger),
    (&catalogue::OT_TRACER_TRACEID, whole),
    (&catalogue::SW8, skywalking),
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
    /// `ot-tracer-traceid`, `sw8`. An id of zeros is none, and so is one that came in more than once.
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

/// `00-TRACE-SPAN-FLAGS`, in lower case; a later version may have more fields.
fn w3c(value: &[u8]) -> Option<Cow<'_, str>> {
    let mut fields = value.split(|byte| *byte == b'-');
    let (version, trace, span, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let sound = version.len() == 2 && trace.len() == 32 && span.len() == 16 && flags.len() == 2;
    let lower = |field: &[u8]| field.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let known = version != b"ff" && (version != b"00" || fields.next().is_none());
    let sound = sound && known && [version, trace, span, flags].into_iter().all(lower) && !is_zero(span);
    sound.then(|| hexadecimal(trace))?
}

/// The value is the id.
fn whole(value: &[u8]) -> Option<Cow<'_, str>> {
    hexadecimal(of_length(value, &[16, 32])?)
}

/// `TRACE-SPAN`, then perhaps the sampling decision and the parent. A decision alone has no trace.
fn b3(value: &[u8]) -> Option<Cow<'_, str>> {
    let (trace, rest) = split(value, b'-')?;
    let span = rest.split(|byte| *byte == b'-').next()?;
    hexadecimal(of_length(span, &[16])?)?;
    whole(trace)
}

/// A number of 64 bits; the upper half of a longer id stands elsewhere, and Datadog finds the trace by this one.
fn datadog(value: &[u8]) -> Option<Cow<'_, str>> {
    let text = printable(value)?;
    let number =
        text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u64>().is_ok_and(|id| id != 0);
    number.then_some(text.into())
}

/// `Root=1-TIME-RANDOM` among fields that semicolons separate.
fn xray(value: &[u8]) -> Option<Cow<'_, str>> {
    let mut fields = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let root = fields.find_map(|field| field.strip_prefix(b"Root="))?;
    let (time, random) = split(root.strip_prefix(b"1-")?, b'-')?;
    hexadecimal(of_length(time, &[8])?)?;
    hexadecimal(of_length(random, &[24])?)?;
    printable(root).map(Cow::from)
}

/// `TRACE/SPAN;o=OPTIONS`, of which all but the trace may be absent.
fn cloud_trace(value: &[u8]) -> Option<Cow<'_, str>> {
    hexadecimal(of_length(value.split(|byte| matches!(byte, b'/' | b';')).next()?, &[32])?)
}

/// Version 0, then fields, the first of which is the trace id; base64 on HTTP.
fn grpc_trace_bin(value: &[u8]) -> Option<Cow<'_, str>> {
    let context = decode(value)?;
    let id = u128::from_be_bytes(*context.strip_prefix(&[0, 0])?.first_chunk()?);
    (id != 0).then(|| format!("{id:032x}").into())
}

/// `TRACE:SPAN:PARENT:FLAGS`, without leading zeros; some clients encode the colons.
fn jaeger(value: &[u8]) -> Option<Cow<'_, str>> {
    let end = value.iter().position(|byte| !byte.is_ascii_hexdigit())?;
    let (trace, rest) = value.split_at_checked(end)?;
    let separated = [b":".as_slice(), b"%3A", b"%3a"].iter().any(|colon| rest.starts_with(colon));
    (separated && trace.len() <= 32).then(|| hexadecimal(trace))?
}

/// `SAMPLE-TRACE-...`, eight fields, the trace id in base64.
fn skywalking(value: &[u8]) -> Option<Cow<'_, str>> {
    let fields: smallvec::SmallVec<[&[u8]; 8]> = value.split(|byte| *byte == b'-').collect();
    let [b"0" | b"1", trace, _, _, _, _, _, _] = fields[..] else { return None };
    let id = decode(trace)?;
    printable(&id).map(|id| id.to_owned().into())
}

/// Base64 with padding or without it.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&STANDARD, CONFIG).decode(text).ok()
}

fn split(value: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = value.iter().position(|byte| *byte == at)?;
    Some((&value[..place], &value[place + 1..]))
}

fn of_length<'a>(value: &'a [u8], lengths: &[usize]) -> Option<&'a [u8]> {
    lengths.contains(&value.len()).then_some(value)
}

/// Hexadecimal digits, not all zero.
fn hexadecimal(value: &[u8]) -> Option<Cow<'_, str>> {
    let digits = value.iter().all(u8::is_ascii_hexdigit) && !is_zero(value);
    digits.then(|| printable(value))?.map(Cow::from)
}

fn is_zero(digits: &[u8]) -> bool {
    digits.iter().all(|digit| *digit == b'0')
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
        (
            "traceparent",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "0af7651916cd43dd8448eb211c80319c",
        ),
        ("x-b3-traceid", "463AC35C9F6413AD", "463AC35C9F6413AD"),
        (
            "b3",
            "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90",
            "80f198ee56343ba864fe8b2a57d3eff7",
        ),
        ("b3", "463ac35c9f6413ad-e457b5a2e4d86bd1", "463ac35c9f6413ad"),
        ("x-datadog-trace-id", "18446744073709551615", "18446744073709551615"),
        (
            "x-amzn-trace-id",
            "Self=1-1-2; Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
            "1-5759e988-bd862e3fe1be46a994272793",
        ),
        ("x-cloud-trace-context", "105445aa7843bc8bf206b12000100000", "105445aa7843bc8bf206b12000100000"),
        ("x-cloud-trace-context", "105445aa7843bc8bf206b12000100000;o=1", "105445aa7843bc8bf206b12000100000"),
        ("grpc-trace-bin", "AABAQUJDREVGR0hJSktMTU5PAWFiY2RlZmdoAgE=", "404142434445464748494a4b4c4d4e4f"),
        ("uber-trace-id", "1:2:0:1", "1"),
        ("uber-trace-id", "3f%3A2%3A0%3A1", "3f"),
        ("ot-tracer-traceid", "463ac35c9f6413ad", "463ac35c9f6413ad"),
        ("sw8", "1-ZmY5ZjA4MzQtNTU0YS00OGNl-c2Vn-3-c3Zj-aW5z-L2E=-cGVlcg==", "ff9f0834-554a-48ce"),
    ];

    const BAD: &[(&str, &[u8], &str)] = &[
        ("traceparent", b"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "version ff is none"),
        (
            "traceparent",
            b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "version 00 has four fields",
        ),
        ("traceparent", b"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", "upper case"),
        ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", "no span"),
        ("traceparent", b"00-00000000000000000000000000000000-b7ad6b7169203331-01", "no trace"),
        ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c", "half of it"),
        ("x-b3-traceid", b"463ac35c9f6413a", "15 digits"),
        ("x-b3-traceid", b"0000000000000000", "zero"),
        ("x-b3-traceid", b"463ac35c9f6413ad,463ac35c9f6413ad", "two in one"),
        ("b3", b"0", "a decision"),
        ("b3", b"463ac35c9f6413ad", "no span"),
        ("b3", b"463ac35c9f6413ad-xyz", "a span that is none"),
        ("x-datadog-trace-id", b"18446744073709551616", "65 bits"),
        ("x-datadog-trace-id", b"+1", "a sign"),
        ("x-datadog-trace-id", b"0", "zero"),
        ("x-amzn-trace-id", b"Root=1-5759e988-bd86;Sampled=1", "too short"),
        ("x-amzn-trace-id", b"Self=1-5759e988-bd862e3fe1be46a994272793", "no root"),
        ("x-cloud-trace-context", b"105445aa/1;o=1", "too short"),
        ("grpc-trace-bin", b"AAAR3dGdpb0jQlWK", "cut off"),
        ("grpc-trace-bin", b"AQAR3dGdpb0jQlWKw5NuCAwCAA", "a version that is none"),
        ("grpc-trace-bin", b"not base64!", "no base64"),
        ("grpc-trace-bin", b"AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "zero"),
        ("uber-trace-id", b"1", "no span"),
        ("uber-trace-id", b":2:0:1", "no trace"),
        ("uber-trace-id", b"123456789012345678901234567890123:2:0:1", "33 digits"),
        ("sw8", b"1-ZmY5-c2Vn-3", "four fields"),
        ("sw8", b"2-ZmY5-c2Vn-3-c3Zj-aW5z-L2E=-cGVlcg==", "a sample flag that is none"),
        ("sw8", b"1-/w==-c2Vn-3-c3Zj-aW5z-L2E=-cGVlcg==", "no text"),
        ("sw8", b"1-YQpi-c2Vn-3-c3Zj-aW5z-L2E=-cGVlcg==", "a line feed inside"),
        ("x-b3-traceid", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "no text"),
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
