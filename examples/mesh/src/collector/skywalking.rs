//! Apache `SkyWalking`'s trace segments, version 3 (<https://github.com/apache/skywalking-data-collect-protocol>): the part of
//! `language-agent/Tracing.proto` that Envoy fills.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::span::{Kind, Span};

/// The spans that one proxy has of one trace.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SegmentObject {
    /// The trace, in text of the reporter's choice.
    #[prost(string, tag = "1")]
    pub trace_id: String,
    /// This segment.
    #[prost(string, tag = "2")]
    pub trace_segment_id: String,
    /// Its spans.
    #[prost(message, repeated, tag = "3")]
    pub spans: Vec<SpanObject>,
    /// Who reports it.
    #[prost(string, tag = "4")]
    pub service: String,
}

/// A span of a segment.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SpanObject {
    /// Counts from 0 within the segment.
    #[prost(int32, tag = "1")]
    pub span_id: i32,
    /// The parent within the segment; -1 for the first one.
    #[prost(int32, tag = "2")]
    pub parent_span_id: i32,
    /// Milliseconds since 1970.
    #[prost(int64, tag = "3")]
    pub start_time: i64,
    /// Milliseconds since 1970.
    #[prost(int64, tag = "4")]
    pub end_time: i64,
    /// The parents in other segments, from `sw8`.
    #[prost(message, repeated, tag = "5")]
    pub refs: Vec<SegmentReference>,
    /// What was done.
    #[prost(string, tag = "6")]
    pub operation_name: String,
    /// The other side of a call.
    #[prost(string, tag = "7")]
    pub peer: String,
    /// Entry, exit or local.
    #[prost(enumeration = "SpanType", tag = "8")]
    pub span_type: i32,
    /// Whether it failed.
    #[prost(bool, tag = "11")]
    pub is_error: bool,
    /// Facts about the request.
    #[prost(message, repeated, tag = "12")]
    pub tags: Vec<KeyStringValuePair>,
}

/// A parent in another segment.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SegmentReference {
    /// The segment.
    #[prost(string, tag = "3")]
    pub parent_trace_segment_id: String,
    /// The span in it.
    #[prost(int32, tag = "4")]
    pub parent_span_id: i32,
}

/// A tag.
#[derive(Clone, PartialEq, prost::Message)]
pub struct KeyStringValuePair {
    /// Its name.
    #[prost(string, tag = "1")]
    pub key: String,
    /// Its value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// Which side of a call a span describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum SpanType {
    /// An inbound call.
    Entry = 0,
    /// An outbound call.
    Exit = 1,
    /// Work inside.
    Local = 2,
}

/// The answer to a stream of segments: orders for the reporter, of which there are none.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Commands {}

/// The spans of a segment.
///
/// Ids are text in `SkyWalking`, and a span's is unique only within its segment: here each is a hash of both.
pub fn spans(segment: SegmentObject) -> Vec<Span> {
    let trace_id = trace_id(&segment.trace_id);
    let service = segment.service.to_lowercase();
    let own = segment.trace_segment_id;
    let span_of = |wire: SpanObject| {
        let inside = (wire.parent_span_id >= 0).then(|| span_id(&own, wire.parent_span_id));
        let outside = wire.refs.first().map(|at| span_id(&at.parent_trace_segment_id, at.parent_span_id));
        let (start, end) = (micros(wire.start_time), micros(wire.end_time));
        let kind = match wire.span_type() {
            SpanType::Entry => Some(Kind::Server),
            SpanType::Exit => Some(Kind::Client),
            SpanType::Local => None,
        };
        let mut tags: BTreeMap<_, _> =
            wire.tags.into_iter().map(|tag| (name_of(tag.key), tag.value)).collect();
        if wire.is_error {
            tags.entry("error".into()).or_insert_with(|| "true".into());
        }
        Span {
            trace_id: trace_id.clone(),
            id: span_id(&own, wire.span_id),
            parent_id: outside.or(inside),
            kind,
            name: wire.operation_name,
            timestamp_us: start,
            duration_us: end.saturating_sub(start),
            service: service.clone(),
            tags,
            ..Span::default()
        }
    };
    segment.spans.into_iter().map(span_of).collect()
}

/// The name that other tracers have for a tag.
fn name_of(tag: String) -> String {
    match tag.as_str() {
        "url" => "http.url".into(),
        "status_code" => "http.status_code".into(),
        _ => tag,
    }
}

/// A UUID, which is what Envoy writes, keeps its digits.
fn trace_id(text: &str) -> String {
    let digits: String = text.chars().filter(|char| *char != '-').collect();
    if digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return digits.to_ascii_lowercase();
    }
    format!("{:016x}{:016x}", hash(&(text, 0)), hash(&(text, 1)))
}

fn span_id(segment: &str, span: i32) -> String {
    format!("{:016x}", hash(&(segment, span)))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn micros(milliseconds: i64) -> u64 {
    u64::try_from(milliseconds).unwrap_or(0).saturating_mul(1_000)
}
