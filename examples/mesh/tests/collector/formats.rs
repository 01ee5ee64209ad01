//! The wire formats beside Zipkin's, each over its own route, into the same model.

use onward_mesh::collector::{
    datadog, otlp, skywalking,
    span::{Annotation, Direction, Kind, Span},
    xray,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    common::v1::{AnyValue, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{self as wire, ResourceSpans, ScopeSpans, Status, span::Event},
};
use prost::Message;
use tonic::{client::Grpc, codegen::http::uri::PathAndQuery, transport::Endpoint};
use tonic_prost::ProstCodec;

use crate::support::Collector;

/// What the three OTLP forms below all say.
fn failed_call() -> Span {
    Span {
        trace_id: "5b8efff798038103d269b633813fc60c".into(),
        id: "eee19b7ec3c1b174".into(),
        parent_id: Some("eee19b7ec3c1b173".into()),
        kind: Some(Kind::Client),
        name: "ratings:9080".into(),
        timestamp_us: 1_544_712_660_000_000,
        duration_us: 1_500,
        service: "reviews".into(),
        tags: [("http.status_code", "503"), ("retry", "true"), ("error", "unavailable")]
            .map(|(key, value)| (key.into(), value.into()))
            .into(),
        annotations: vec![Annotation { timestamp: 1_544_712_660_000_700, value: "sent".into() }],
        ..Span::default()
    }
}

const JSON: &str = r#"{"resourceSpans":[{
  "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"Reviews"}}]},
  "scopeSpans":[{"scope":{"name":"my.library"},"spans":[{
    "traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","parentSpanId":"EEE19B7EC3C1B173",
    "name":"ratings:9080","kind":3,"startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712660001500000",
    "attributes":[{"key":"http.status_code","value":{"intValue":"503"}},{"key":"retry","value":{"boolValue":true}},
      {"key":"list","value":{"arrayValue":{"values":[]}}}],
    "events":[{"timeUnixNano":"1544712660000700000","name":"sent"}],
    "status":{"code":2,"message":"unavailable"}}]}]}]}"#;

fn message() -> ExportTraceServiceRequest {
    let attribute = |key: &str, value| KeyValue {
        key: key.into(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    };
    let span = wire::Span {
        trace_id: 0x5b8e_fff7_9803_8103_d269_b633_813f_c60c_u128.to_be_bytes().to_vec(),
        span_id: 0xeee1_9b7e_c3c1_b174_u64.to_be_bytes().to_vec(),
        parent_span_id: 0xeee1_9b7e_c3c1_b173_u64.to_be_bytes().to_vec(),
        name: "ratings:9080".into(),
        kind: 3,
        start_time_unix_nano: 1_544_712_660_000_000_000,
        end_time_unix_nano: 1_544_712_660_001_500_000,
        attributes: vec![
            attribute("http.status_code", Value::IntValue(503)),
            attribute("retry", Value::BoolValue(true)),
        ],
        events: vec![Event {
            time_unix_nano: 1_544_712_660_000_700_000,
            name: "sent".into(),
            ..Event::default()
        }],
        status: Some(Status { code: 2, message: "unavailable".into() }),
        ..wire::Span::default()
    };
    let name = attribute("service.name", Value::StringValue("Reviews".into()));
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes: vec![name], ..Resource::default() }),
            scope_spans: vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    }
}

fn held(collector: &Collector) -> Vec<Span> {
    collector.store.spans().iter().map(|span| span.as_ref().clone()).collect()
}

#[tokio::test]
async fn otlp_in_json_and_in_protobuf_over_http_and_over_grpc_says_the_same() {
    let collector = Collector::start(100).await;
    let json = collector.send_to("POST /v1/traces", "application/json", JSON.as_bytes()).await;
    assert_eq!((json.status, json.body.as_str()), (200, "{}"));
    assert_eq!(held(&collector), [failed_call()]);

    let collector = Collector::start(100).await;
    let body = message().encode_to_vec();
    let protobuf = collector.send_to("POST /v1/traces", "application/x-protobuf", &body).await;
    assert_eq!((protobuf.status, protobuf.body.as_str()), (200, ""), "an empty message");
    assert!(protobuf.head.contains("content-type: application/x-protobuf"), "{}", protobuf.head);
    assert_eq!(held(&collector), [failed_call()]);

    let collector = Collector::start(100).await;
    let codec = ProstCodec::<ExportTraceServiceRequest, ExportTraceServiceResponse>::default();
    let path = PathAndQuery::from_static("/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    let mut grpc = client(&collector).await;
    grpc.unary(tonic::Request::new(message()), path, codec).await.unwrap();
    assert_eq!(held(&collector), [failed_call()]);
}

async fn client(collector: &Collector) -> Grpc<tonic::transport::Channel> {
    let channel =
        Endpoint::from_shared(format!("http://{}", collector.address)).unwrap().connect().await.unwrap();
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.unwrap();
    grpc
}

#[test]
fn an_otlp_span_without_a_valid_id_is_refused_with_a_sentence() {
    for (from, to, sentence) in [
        (
            "5B8EFFF798038103D269B633813FC60C",
            "00000000000000000000000000000000",
            "traceId is not 16 bytes of which one is not zero",
        ),
        ("5B8EFFF798038103D269B633813FC60C", "5B8EFFF7", "traceId is not 16 bytes of which one is not zero"),
        ("EEE19B7EC3C1B174", "", "spanId is not 8 bytes of which one is not zero"),
        ("EEE19B7EC3C1B173", "EE", "parentSpanId is not 8 bytes of which one is not zero"),
    ] {
        let error = otlp::parse_json(JSON.replace(from, to).as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), sentence);
    }
    // A parent of zeros is none.
    let root = otlp::parse_json(JSON.replace("EEE19B7EC3C1B173", "0000000000000000").as_bytes()).unwrap();
    assert_eq!(root[0].parent_id, None);
}

/// Two spans of one proxy as `MessagePack`, written by hand: the second one has neither parent nor meta.
fn message_pack() -> Vec<u8> {
    let mut body = Vec::new();
    let text = |body: &mut Vec<u8>, text: &str| {
        body.extend([0xd9, u8::try_from(text.len()).unwrap()]);
        body.extend(text.as_bytes());
    };
    let number = |body: &mut Vec<u8>, number: u64| {
        body.push(0xcf);
        body.extend(number.to_be_bytes());
    };
    body.extend([0x91, 0x92, 0x89]); // one trace, two spans, the first with nine entries
    for (key, value) in [("service", "Reviews"), ("name", "envoy.proxy"), ("resource", "ratings:9080")] {
        text(&mut body, key);
        text(&mut body, value);
    }
    for (key, value) in [
        ("trace_id", 0xd269_b633_813f_c60c),
        ("span_id", 0xeee1_9b7e_c3c1_b174),
        ("parent_id", 0xee),
        ("start", 1_544_712_660_000_000_000),
        ("duration", 1_500_000),
    ] {
        text(&mut body, key);
        number(&mut body, value);
    }
    text(&mut body, "meta");
    body.push(0x82);
    for (key, value) in [("direction", "egress"), ("_dd.p.tid", "5b8efff798038103")] {
        text(&mut body, key);
        text(&mut body, value);
    }
    body.push(0x83);
    for (key, value) in [("trace_id", 0xd269_b633_813f_c60c), ("span_id", 1), ("error", 1)] {
        text(&mut body, key);
        number(&mut body, value);
    }
    body
}

#[tokio::test]
async fn datadogs_traces_have_ids_of_128_bits_and_the_direction_as_their_kind() {
    let collector = Collector::start(100).await;
    for method in ["PUT", "POST"] {
        let target = format!("{method} /v0.4/traces");
        let answer = collector.send_to(&target, "application/msgpack", &message_pack()).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"rate_by_service":{}}"#));
    }
    let [first, second] = &held(&collector)[..] else { panic!("{:?}", held(&collector)) };
    let expected = Span {
        trace_id: "5b8efff798038103d269b633813fc60c".into(),
        id: "eee19b7ec3c1b174".into(),
        parent_id: Some("00000000000000ee".into()),
        kind: Some(Kind::Client),
        name: "ratings:9080".into(),
        timestamp_us: 1_544_712_660_000_000,
        duration_us: 1_500,
        service: "reviews".into(),
        tags: [("direction", "egress"), ("_dd.p.tid", "5b8efff798038103")]
            .map(|(key, value)| (key.into(), value.into()))
            .into(),
        ..Span::default()
    };
    assert_eq!(*first, expected);
    // The upper half stands on one span of the list.
    assert_eq!((second.trace_id.as_str(), second.parent_id.as_deref()), (expected.trace_id.as_str(), None));
    assert!(second.is_error());
}

#[test]
fn datadogs_test_agent_tells_the_same_in_json() {
    let json = r#"[[{"trace_id": 10, "span_id": 11, "parent_id": 0, "service": "gateway", "name": "envoy.proxy",
        "resource": "productpage:9080", "start": 2000, "duration": 3000, "error": 0, "meta": {}, "metrics": {"a": 1.5}}]]"#;
    let [span] = &datadog::parse_json(json.as_bytes()).unwrap()[..] else { panic!("one span") };
    assert_eq!(
        (span.trace_id.as_str(), span.id.as_str()),
        ("0000000000000000000000000000000a", "000000000000000b")
    );
    assert_eq!((span.timestamp_us, span.duration_us, span.parent_id.as_deref()), (2, 3, None));
}

#[tokio::test]
async fn skywalkings_segments_are_joined_by_their_references() {
    use skywalking::{Commands, KeyStringValuePair, SegmentObject, SegmentReference, SpanObject};
    let tag = |key: &str, value: &str| KeyStringValuePair { key: key.into(), value: value.into() };
    let span = |span_id, span_type, refs| SpanObject {
        span_id,
        parent_span_id: span_id - 1,
        start_time: 1_544_712_660_000,
        end_time: 1_544_712_660_002,
        refs,
        operation_name: "reviews:9080".into(),
        span_type,
        tags: vec![
            tag("direction", "egress"),
            tag("url", "http://reviews:9080/reviews/0"),
            tag("status_code", "503"),
        ],
        ..SpanObject::default()
    };
    let segment = |own: &str, service: &str, refs| SegmentObject {
        trace_id: "5B8EFFF7-9803-8103-D269-B633813FC60C".into(),
        trace_segment_id: own.into(),
        spans: vec![span(0, 0, refs), span(1, 1, vec![])],
        service: service.into(),
    };
    let caller = SegmentReference { parent_trace_segment_id: "first".into(), parent_span_id: 1 };
    let segments = [segment("first", "Gateway", vec![]), segment("second", "reviews", vec![caller])];

    let collector = Collector::start(100).await;
    let codec = ProstCodec::<SegmentObject, Commands>::default();
    let path = PathAndQuery::from_static("/skywalking.v3.TraceSegmentReportService/collect");
    let mut grpc = client(&collector).await;
    grpc.client_streaming(tonic::Request::new(tonic::codegen::tokio_stream::iter(segments)), path, codec)
        .await
        .unwrap();

    let trace = collector.store.trace("5b8efff798038103d269b633813fc60c").unwrap();
    let rows: Vec<_> = trace.rows().iter().map(|row| (row.depth, &*trace.spans[row.span].service)).collect();
    assert_eq!(rows, [(0, "gateway"), (1, "gateway"), (2, "reviews"), (3, "reviews")]);
    // A proxy that reports both sides of its own is on the side that it says.
    assert!(trace.spans.iter().all(|span| span.direction() == Some(Direction::Egress)));
    assert_eq!((trace.spans[0].kind, trace.spans[1].kind), (Some(Kind::Server), Some(Kind::Client)));
    assert_eq!((trace.spans[0].timestamp_us, trace.spans[0].duration_us), (1_544_712_660_000_000, 2_000));
    // Its own names of two tags are those of everybody else.
    assert_eq!(trace.spans[0].tags["http.url"], "http://reviews:9080/reviews/0");
    assert!(trace.spans[0].is_error());
}

/// As Envoy sends it, shortened.
const SEGMENT: &str = r#"{"format":"json","version":1}
{"name":"reviews","id":"70de5b6f19ff9a0a","start_time":1478293361.25,"end_time":1478293361.5,"origin":"AWS::Service::Proxy",
 "trace_id":"1-581cf771-a006649127e371903a2de979","parent_id":"53995c3f42cd8ad8","fault":true,
 "http":{"request":{"method":"GET","url":"http://reviews:9080/reviews/0"},"response":{"status":503}},
 "annotations":{"direction":"ingress","guid:x-request-id":"8a7f0c11"}}"#;

#[test]
fn an_xray_segment_keeps_its_ids_and_its_request() {
    let span = xray::parse(SEGMENT.as_bytes()).unwrap();
    let expected = Span {
        trace_id: "581cf771a006649127e371903a2de979".into(),
        id: "70de5b6f19ff9a0a".into(),
        parent_id: Some("53995c3f42cd8ad8".into()),
        kind: Some(Kind::Server),
        name: "reviews".into(),
        timestamp_us: 1_478_293_361_250_000,
        duration_us: 250_000,
        service: "reviews".into(),
        tags: [
            ("direction", "ingress"),
            ("guid:x-request-id", "8a7f0c11"),
            ("http.method", "GET"),
            ("http.url", "http://reviews:9080/reviews/0"),
            ("http.status_code", "503"),
            ("error", "true"),
        ]
        .map(|(key, value)| (key.into(), value.into()))
        .into(),
        ..Span::default()
    };
    assert_eq!(span, expected);
}

#[test]
fn a_datagram_without_its_first_line_or_with_a_bad_id_is_refused_with_a_sentence() {
    let refused = |datagram: &str| xray::parse(datagram.as_bytes()).unwrap_err().to_string();
    let second_line = SEGMENT.split_once('\n').unwrap().1;
    assert_eq!(refused(second_line), r#"the datagram does not start with a line {"format":"json"}"#);
    assert_eq!(
        refused(&SEGMENT.replace("1-581cf771-", "2-")),
        r#"traceId "2-a006649127e371903a2de979" is not 1 to 32 hex characters"#
    );
}

#[tokio::test]
async fn what_is_of_another_type_or_damaged_is_refused() {
    let collector = Collector::start(100).await;
    let target = "POST /v1/traces";
    for (target, kind, status) in [
        (target, "text/plain", 415),
        (target, "application/json", 400),
        (target, "application/x-protobuf", 400),
        ("PUT /v0.4/traces", "application/json", 415),
        ("PUT /v0.4/traces", "application/msgpack", 400),
        ("POST /opentelemetry.proto.collector.trace.v1.TraceService/Export", "text/plain", 415),
        ("POST /skywalking.v3.TraceSegmentReportService/collect", "text/plain", 415),
    ] {
        let answer = collector.send_to(target, kind, b"\xffnonsense").await;
        assert_eq!(answer.status, status, "{target} {kind}: {}", answer.body);
    }
    let grpc = collector
        .send_to("POST /skywalking.v3.TraceSegmentReportService/collect", "application/grpc", b"\xffnonsense")
        .await;
    assert!(grpc.head.contains("grpc-status: "), "{}", grpc.head);
    assert!(collector.store.is_empty());
}
