use onward_mesh::collector::server::MAX_BODY_BYTES;
use onward_mesh::collector::span::Span;

use crate::support::Collector;

#[tokio::test]
async fn what_is_no_list_of_spans_is_refused_with_a_sentence_and_nothing_of_it_is_kept() {
    let collector = Collector::start(100).await;
    for (body, says) in [
        ("", "EOF while parsing"),
        ("nonsense", "expected ident"),
        ("{}", "invalid type: map"),
        ("[{}]", "missing field `traceId`"),
        (r#"[{"traceId":"1"}]"#, "missing field `id`"),
        (r#"[{"traceId":"","id":"1"}]"#, r#"traceId "" is not 1 to 32 hex characters"#),
        (r#"[{"traceId":"xyz","id":"1"}]"#, r#"traceId "xyz" is not 1 to 32 hex characters"#),
        (
            r#"[{"traceId":"1","id":"11112222333344445"}]"#,
            r#"id "11112222333344445" is not 1 to 16 hex characters"#,
        ),
        (r#"[{"traceId":"1","id":"1","parentId":"-"}]"#, r#"parentId "-" is not 1 to 16 hex characters"#),
        (r#"[{"traceId":"1","id":"1","timestamp":-5}]"#, "-5 microseconds is negative"),
        (r#"[{"traceId":"1","id":"1","kind":"FRIEND"}]"#, "unknown variant `FRIEND`"),
        (r#"[{"traceId":"1","id":"1","tags":{"a":1}}]"#, "expected a string"),
        (r#"[{"traceId":"1","id":"1"},{"traceId":"1","id":"é"}]"#, "is not 1 to 16 hex characters"),
        ("[\u{0}]", "expected value"),
    ] {
        let answer = collector.post(body.as_bytes()).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.body.starts_with("the body is not a list of Zipkin v2 spans: "), "{}", answer.body);
        assert!(answer.body.contains(says), "{body} gave {}", answer.body);
    }
    assert_eq!(collector.post(b"[{\"traceId\":\"1\",\"id\":\"1\",\"name\":\"\xff\"}]").await.status, 400);
    assert_eq!(collector.store.len(), 0);
    collector.stop().await;
}

#[tokio::test]
async fn json_that_is_nested_without_end_does_no_harm() {
    let collector = Collector::start(100).await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let unknown_field = format!(r#"[{{"traceId":"1","id":"1","unknown":{deep}}}]"#);
    assert_eq!(collector.post(unknown_field.as_bytes()).await.status, 202, "what is unknown is skipped");
    let known_field = format!(r#"[{{"traceId":"1","id":"1","annotations":{deep}}}]"#);
    assert_eq!(collector.post(known_field.as_bytes()).await.status, 400);
    assert_eq!(collector.post(deep.as_bytes()).await.status, 400);
    collector.stop().await;
}

#[tokio::test]
async fn a_body_over_the_bound_is_refused_with_a_sentence() {
    let collector = Collector::start(100).await;
    let answer = collector.post(&vec![b' '; MAX_BODY_BYTES + 1]).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.body, "the body is larger than 5242880 bytes; send fewer spans at once\n");
    collector.stop().await;
}

#[tokio::test]
async fn only_plain_json_is_taken_so_that_no_other_web_page_can_post() {
    let collector = Collector::start(100).await;
    let body = br#"[{"traceId":"1","id":"1"}]"#;
    for (headers, status) in [
        ("content-type: application/json\r\n", 202),
        ("content-type: Application/JSON; charset=utf-8\r\n", 202),
        ("", 415),
        ("content-type: text/plain\r\n", 415),
        ("content-type: application/x-protobuf\r\n", 415),
        ("content-type: application/json\r\ncontent-encoding: gzip\r\n", 415),
    ] {
        assert_eq!(collector.post_as(headers, body).await.status, status, "{headers}");
    }
    collector.stop().await;
}

#[test]
fn odd_but_valid_spans_are_read_as_meant() {
    let read = |json: &str| serde_json::from_str::<Span>(json).unwrap();
    let bare = read(r#"{"traceId":"1","id":"2"}"#);
    assert_eq!(bare.trace_id, "00000000000000000000000000000001");
    assert_eq!(bare.id, "0000000000000002");
    assert_eq!((bare.service.as_str(), bare.kind, bare.timestamp_us), ("unknown", None, 0));
    assert_eq!(
        read(r#"{"traceId":"1","id":"2","parentId":"2"}"#).parent_id,
        None,
        "its own parent is a root"
    );
    assert_eq!(read(r#"{"traceId":"1","id":"2","timestamp":1.5e15}"#).timestamp_us, 1_500_000_000_000_000);
    assert_eq!(read(r#"{"traceId":"1","id":"2","duration":1e300}"#).duration_us, u64::MAX);
    assert_eq!(read(r#"{"traceId":"1","id":"2","tags":null,"timestamp":null}"#), bare);
    assert_eq!(read(r#"{"traceId":"1","id":"2","localEndpoint":{"serviceName":""}}"#).service, "unknown");
}

#[test]
fn a_span_survives_the_way_out_and_in_again() {
    let json = r#"{"traceId":"00000000000000000000000000000001","id":"0000000000000002","parentId":"0000000000000003","kind":"SERVER","name":"n","timestamp":5,"duration":6,"localEndpoint":{"serviceName":"a","ipv6":"::1","port":80},"remoteEndpoint":{"serviceName":"b","ipv4":"10.0.0.1"},"annotations":[{"timestamp":7,"value":"w"}],"tags":{"k":"v"},"shared":true}"#;
    let span: Span = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&span).unwrap(), json);
}
