use serde_json::json;

use crate::support::Collector;

/// What a real Envoy 1.40 reports: a gateway's egress span and the ingress span below it.
const ENVOY: &str = r#"[
  {"traceId":"8f5c3a1e0b7d4692a1b2c3d4e5f60718","id":"a1b2c3d4e5f60718","name":"reviews:9080","kind":"CLIENT","timestamp":1780000000000000,"duration":9000,
   "localEndpoint":{"serviceName":"gateway","ipv4":"127.0.0.1","port":0},"tags":{"http.status_code":"200","component":"proxy"}},
  {"traceId":"8f5c3a1e0b7d4692a1b2c3d4e5f60718","id":"00000000000000b2","parentId":"a1b2c3d4e5f60718","name":"reviews:9080","kind":"SERVER","timestamp":1780000000001000,"duration":7000,
   "localEndpoint":{"serviceName":"Reviews","ipv4":"127.0.0.1","port":15006},"tags":{"http.status_code":"503","guid:x-request-id":"8a7f0c11-0000-9000-8000-000000000001"}}
]"#;

async fn filled() -> Collector {
    let collector = Collector::start(1_000).await;
    assert_eq!(collector.post(ENVOY.as_bytes()).await.status, 202);
    collector
}

#[tokio::test]
async fn spans_that_are_posted_come_back_as_their_trace() {
    let collector = filled().await;
    assert_eq!(
        collector.get_json("/api/v2/trace/8f5c3a1e0b7d4692a1b2c3d4e5f60718").await,
        json!([
            {
                "traceId": "8f5c3a1e0b7d4692a1b2c3d4e5f60718", "id": "a1b2c3d4e5f60718", "name": "reviews:9080",
                "kind": "CLIENT", "timestamp": 1_780_000_000_000_000_u64, "duration": 9_000,
                "localEndpoint": { "serviceName": "gateway", "ipv4": "127.0.0.1" },
                "tags": { "component": "proxy", "http.status_code": "200" }
            },
            {
                "traceId": "8f5c3a1e0b7d4692a1b2c3d4e5f60718", "id": "00000000000000b2", "parentId": "a1b2c3d4e5f60718",
                "name": "reviews:9080", "kind": "SERVER", "timestamp": 1_780_000_000_001_000_u64, "duration": 7_000,
                "localEndpoint": { "serviceName": "reviews", "ipv4": "127.0.0.1", "port": 15006 },
                "tags": { "guid:x-request-id": "8a7f0c11-0000-9000-8000-000000000001", "http.status_code": "503" }
            }
        ])
    );
    collector.stop().await;
}

#[tokio::test]
async fn services_span_names_dependencies_and_health_are_those_of_the_spans() {
    let collector = filled().await;
    assert_eq!(collector.get_json("/api/v2/services").await, json!(["gateway", "reviews"]));
    assert_eq!(collector.get_json("/api/v2/spans?serviceName=Reviews").await, json!(["reviews:9080"]));
    assert_eq!(collector.get_json("/api/v2/spans?serviceName=nobody").await, json!([]));
    assert_eq!(
        collector.get_json("/api/v2/dependencies?endTs=1790000000000").await,
        json!([{ "parent": "gateway", "child": "reviews", "callCount": 1, "errorCount": 1 }])
    );
    let health = collector.get_json("/health").await;
    assert_eq!((health["status"].as_str(), health["collector"]["spans"].as_u64()), (Some("UP"), Some(2)));
    collector.stop().await;
}

#[tokio::test]
async fn traces_are_found_by_service_name_tag_duration_time_and_limit() {
    let collector = filled().await;
    let second = r#"[{"traceId":"02","id":"02","name":"late","timestamp":1780000005000000,"duration":50,"localEndpoint":{"serviceName":"cron"}}]"#;
    assert_eq!(collector.post(second.as_bytes()).await.status, 202);
    for (query, found) in [
        ("", 2),
        ("?limit=1", 1),
        ("?serviceName=reviews", 1),
        ("?serviceName=all", 2),
        ("?serviceName=nobody", 0),
        ("?serviceName=cron&spanName=LATE", 1),
        ("?serviceName=reviews&spanName=late", 0),
        ("?minDuration=9000", 1),
        ("?minDuration=9001", 0),
        ("?maxDuration=50", 1),
        ("?annotationQuery=http.status_code%3D503", 1),
        ("?annotationQuery=http.status_code%3D503%20and%20component", 1),
        ("?serviceName=gateway&annotationQuery=http.status_code%3D503", 0),
        ("?endTs=1780000004000", 1),
        ("?endTs=1780000005000&lookback=5000", 2),
        ("?endTs=1780000005000&lookback=4999", 1),
    ] {
        let traces = collector.get_json(&format!("/api/v2/traces{query}")).await;
        assert_eq!(traces.as_array().unwrap().len(), found, "{query}");
    }
    let newest = collector.get_json("/api/v2/traces?limit=1").await;
    assert_eq!(newest[0][0]["name"], "late");
    collector.stop().await;
}

#[tokio::test]
async fn a_question_with_a_bad_number_is_answered_with_a_sentence() {
    let collector = filled().await;
    for path in ["/api/v2/traces?limit=many", "/api/v2/dependencies?limit=many"] {
        let answer = collector.get(path).await;
        assert_eq!((answer.status, answer.body.as_str()), (400, "limit=\"many\" is not a whole number\n"));
    }
    collector.stop().await;
}

#[tokio::test]
async fn a_trace_is_found_by_any_spelling_of_its_id_and_missing_ones_are_404() {
    let collector = filled().await;
    let short = r#"[{"traceId":"463ac35c9f6413ad","id":"1"},{"traceId":"0000000000000000463AC35C9F6413AD","id":"2","parentId":"1"}]"#;
    assert_eq!(collector.post(short.as_bytes()).await.status, 202);
    for id in ["463ac35c9f6413ad", "463AC35C9F6413AD", "0000000000000000463ac35c9f6413ad"] {
        let spans = collector.get_json(&format!("/api/v2/trace/{id}")).await;
        assert_eq!(spans.as_array().unwrap().len(), 2, "64-bit and 128-bit ids join");
    }
    let many = collector
        .get_json("/api/v2/traceMany?traceIds=463ac35c9f6413ad,8f5c3a1e0b7d4692a1b2c3d4e5f60718,77")
        .await;
    assert_eq!(many.as_array().unwrap().len(), 2);
    assert_eq!(collector.get("/api/v2/trace/77").await.status, 404);
    let answer = collector.get("/api/v2/trace/nothex").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (400, "traceId \"nothex\" is not 1 to 32 hex characters\n")
    );
    collector.stop().await;
}

#[tokio::test]
async fn the_server_stops_when_told_even_while_a_client_holds_a_request_open() {
    let collector = filled().await;
    let mut idle = tokio::net::TcpStream::connect(collector.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(
        &mut idle,
        b"POST /api/v2/spans HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n[",
    )
    .await
    .unwrap();
    collector.stop().await;
}
