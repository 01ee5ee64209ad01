use std::time::Duration;

use onward_mesh::collector::span::Kind::{Client, Server};
use serde_json::json;

use crate::support::{Collector, bookinfo, span};

#[tokio::test]
async fn the_page_and_its_files_are_served_with_a_policy_that_keeps_them_to_themselves() {
    let collector = Collector::start(100).await;
    let page = collector.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.head.contains("content-type: text/html; charset=utf-8"));
    let (_, policy) = page.head.split_once("content-security-policy: ").unwrap();
    assert_eq!(
        policy.lines().next().unwrap(),
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    );
    let named = page.body.split('"').filter(|text| text.starts_with("/assets/"));
    let mut files = 0;
    for file in named {
        assert_eq!(collector.get(file).await.status, 200, "{file}");
        files += 1;
    }
    assert!(files >= 8, "{files}");
    assert!(!page.body.contains("http://") && !page.body.contains("https://"), "no other origin is named");
    collector.stop().await;
}

#[tokio::test]
async fn the_list_says_what_each_trace_is_and_answers_204_while_nothing_changes() {
    let collector = Collector::start(100).await;
    collector.store.add(bookinfo("000000000000000000000000000000aa"));
    let list = collector.get_json("/api/view/traces").await;
    assert_eq!(list["services"], json!(["gateway", "productpage", "details", "reviews", "ratings"]));
    assert_eq!(list["broken"], 0);
    assert_eq!(
        list["traces"][0],
        json!({
            "id": "000000000000000000000000000000aa", "service": "gateway", "name": "gateway:9080",
            "start_us": 1_000, "duration_us": 400, "spans": 8, "errors": 0, "state": "whole", "why": [],
            "services": [
                { "name": "gateway", "spans": 1 }, { "name": "productpage", "spans": 3 },
                { "name": "details", "spans": 1 }, { "name": "reviews", "spans": 2 }, { "name": "ratings", "spans": 1 }
            ]
        })
    );
    let revision = &list["revision"];
    assert_eq!(collector.get(&format!("/api/view/traces?after={revision}")).await.status, 204);
    collector.store.add(vec![span("b", "1", "", Server, "a", 1, 1)]);
    assert_eq!(collector.get(&format!("/api/view/traces?after={revision}")).await.status, 200);
    collector.stop().await;
}

#[tokio::test]
async fn a_missing_parent_counts_as_arriving_until_the_trace_has_settled() {
    let orphan = || {
        vec![
            span("000000000000000000000000000000bb", "1", "", Client, "gateway", 1, 9),
            span("000000000000000000000000000000bb", "3", "2", Client, "reviews", 3, 4),
        ]
    };
    for (settle, state) in [(Duration::from_secs(3600), "arriving"), (Duration::ZERO, "broken")] {
        let collector = Collector::start_settling(100, settle).await;
        collector.store.add(orphan());
        let trace = collector.get_json("/api/view/trace/bb").await;
        assert_eq!(trace["state"], state);
        assert_eq!(collector.get_json("/api/view/traces").await["traces"][0]["state"], state);
        collector.stop().await;
    }
}

#[tokio::test]
async fn a_waterfall_lists_spans_in_order_and_flags_where_the_trace_broke() {
    let collector = Collector::start(100).await;
    let id = "000000000000000000000000000000cc";
    let mut no_start = span(id, "2", "1", Server, "reviews", 0, 7);
    no_start.tags.insert("k".into(), "v".into());
    collector.store.add(vec![
        span(id, "1", "", Client, "gateway", 100, 50),
        no_start,
        span(id, "3", "", Client, "reviews", 120, 10),
    ]);
    let trace = collector.get_json("/api/view/trace/cc").await;
    let row = |at: usize, key: &str| trace["rows"][at][key].clone();
    let all = |key: &str| vec![row(0, key), row(1, key), row(2, key)];
    assert_eq!(all("depth"), [0, 1, 0]);
    assert_eq!(all("direction"), ["egress", "ingress", "egress"]);
    assert_eq!(all("offset_us"), [0, 0, 20], "a span without a start stands where its parent starts");
    assert_eq!(all("flag"), [json!(null), json!(null), json!("became a root")]);
    assert_eq!(row(1, "tags"), json!({ "k": "v" }));
    assert_eq!(collector.get("/api/view/trace/dd").await.status, 404);
    assert_eq!(collector.get("/api/view/trace/%3Cscript%3E").await.status, 404);
    collector.stop().await;
}

#[tokio::test]
async fn the_graph_holds_services_and_their_links() {
    let collector = Collector::start(100).await;
    collector
        .store
        .add(vec![span("a", "1", "", Client, "gateway", 1, 9), span("a", "2", "1", Server, "reviews", 2, 7)]);
    let graph = collector.get_json("/api/view/graph").await;
    assert_eq!(
        graph["nodes"],
        json!([{ "name": "gateway", "spans": 1, "errors": 0 }, { "name": "reviews", "spans": 1, "errors": 0 }])
    );
    assert_eq!(
        graph["links"],
        json!([{ "parent": "gateway", "child": "reviews", "callCount": 1, "errorCount": 0 }])
    );
    collector.stop().await;
}
