//! Beside OpenTelemetry (rule R13): its SDK, axum-tracing-opentelemetry in front and reqwest-tracing behind, real
//! servers on loopback.
#![cfg(all(feature = "opentelemetry", feature = "axum", feature = "reqwest", feature = "tower"))]
#![allow(clippy::expect_used, reason = "helpers of tests, outside of any #[test] function")]

mod loopback;

use std::sync::LazyLock;

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{Extensions, HeaderMap};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use axum_tracing_opentelemetry::middleware::OtelAxumLayer;
use loopback::{lines, serve};
use onward::opentelemetry::OnwardPropagator;
use onward::tower::ForwardLayer;
use opentelemetry::global;
use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
use opentelemetry::trace::{FutureExt, SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware};
use reqwest_tracing::TracingMiddleware;
use tracing_subscriber::layer::SubscriberExt;

/// What all tests of the process share, as services do: one SDK, bridged from `tracing`, and the W3C propagator.
/// Each test has a trace of its own.
struct Sdk {
    provider: SdkTracerProvider,
    spans: InMemorySpanExporter,
}

static SDK: LazyLock<Sdk> = LazyLock::new(|| {
    let spans = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    let bridge = tracing_opentelemetry::layer().with_tracer(provider.tracer("bridge"));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(bridge))
        .expect("the first one");
    global::set_text_map_propagator(TraceContextPropagator::new());
    Sdk { provider, spans }
});

/// The id of the trace's span of this kind, once it is there; its parent's id.
fn span(trace: &str, kind: &SpanKind) -> Option<(String, String)> {
    let of_trace = |span: &SpanData| span.span_context.trace_id().to_string() == trace;
    let spans = SDK.spans.get_finished_spans().expect("the spans");
    let mut found = spans.iter().filter(|span| of_trace(span) && span.span_kind == *kind);
    let span = found.next()?;
    assert!(found.next().is_none(), "two spans of {kind:?}");
    Some((span.span_context.span_id().to_string(), span.parent_span_id.to_string()))
}

/// Answers with the headers that it was asked with, one a line, without those every request has.
async fn echo(headers: HeaderMap) -> String {
    lines(&headers).join("\n")
}

async fn relay(
    State(client): State<ClientWithMiddleware>,
    Query(to): Query<Vec<(String, String)>>,
) -> String {
    client.get(&to[0].1).send().await.expect("an answer").text().await.expect("a body")
}

/// What a client that is instrumented does with its span: has the process's propagator write its headers.
struct Propagate;

#[async_trait::async_trait]
impl Middleware for Propagate {
    async fn handle(
        &self,
        mut request: reqwest::Request,
        extensions: &mut Extensions,
        next: reqwest_middleware::Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        global::get_text_map_propagator(|propagator| {
            propagator.inject(&mut HeaderInjector(request.headers_mut()));
        });
        next.run(request, extensions).await
    }
}

fn client() -> ClientBuilder {
    let policy = reqwest::redirect::Policy::none();
    ClientBuilder::new(reqwest::Client::builder().redirect(policy).build().expect("a client"))
}

fn forward() -> onward::reqwest::Forward {
    onward::reqwest::Forward::new()
}

fn app(client: ClientBuilder) -> Router {
    LazyLock::force(&SDK);
    Router::new().route("/relay", get(relay)).with_state(client.build())
}

/// A request of the trace, with all that an Envoy and a user may send, through `front` to a leaf: what arrives there.
async fn ask(front: Router, trace: &str, sampled: &str) -> String {
    let (front, leaf) = (serve(front).await, serve(Router::new().route("/", get(echo))).await);
    let url = reqwest::Url::parse_with_params(
        &format!("http://{front}/relay"),
        [("to", format!("http://{leaf}/"))],
    )
    .expect("a URL");
    let request = reqwest::Client::new()
        .get(url)
        .header("x-request-id", "7f6c")
        .header("traceparent", format!("00-{trace}-e457b5a2e4d86bd1-0{sampled}"))
        .header("tracestate", "vendor=1")
        .header("b3", format!("{trace}-e457b5a2e4d86bd1-{sampled}"))
        .header("x-b3-traceid", trace)
        .header("x-b3-spanid", "e457b5a2e4d86bd1")
        .header("x-b3-parentspanid", "05e3ac9a4f6e3b90")
        .header("x-b3-sampled", sampled)
        .header("sw8", "1-a-b-c")
        .header("end-user", "jason")
        .header("cookie", "a=b");
    request.send().await.expect("an answer").text().await.expect("a body")
}

/// Everything that came in, with this span as the parent.
fn with_parent(trace: &str, span: &str) -> String {
    format!(
        "\
b3: {trace}-{span}-1
cookie: a=b
end-user: jason
sw8: 1-a-b-c
traceparent: 00-{trace}-{span}-01
tracestate: vendor=1
x-b3-sampled: 1
x-b3-spanid: {span}
x-b3-traceid: {trace}
x-request-id: 7f6c"
    )
}

/// Everything as it came in.
fn verbatim(trace: &str, sampled: &str) -> String {
    format!(
        "\
b3: {trace}-e457b5a2e4d86bd1-{sampled}
cookie: a=b
end-user: jason
sw8: 1-a-b-c
traceparent: 00-{trace}-e457b5a2e4d86bd1-0{sampled}
tracestate: vendor=1
x-b3-parentspanid: 05e3ac9a4f6e3b90
x-b3-sampled: {sampled}
x-b3-spanid: e457b5a2e4d86bd1
x-b3-traceid: {trace}
x-request-id: 7f6c"
    )
}

/// The ids of the service's two spans, which continue the trace.
fn spans(trace: &str) -> (String, String) {
    let (server, came_in) = span(trace, &SpanKind::Server).expect("a span of the server");
    let (client, parent) = span(trace, &SpanKind::Client).expect("a span of the client");
    assert_eq!((came_in.as_str(), &parent), ("e457b5a2e4d86bd1", &server));
    (server, client)
}

#[tokio::test]
async fn inside_the_clients_span_every_format_has_it_as_the_parent() {
    let trace = "0a000000000000000000000000000001";
    let client = client().with(TracingMiddleware::default()).with(forward());
    let app = app(client).layer(ForwardLayer::new()).layer(OtelAxumLayer::default());
    let arrived = ask(app, trace, "1").await;
    assert_eq!(arrived, with_parent(trace, &spans(trace).1));
}

#[tokio::test]
async fn what_the_tracer_has_written_stays_and_the_other_formats_agree_with_it() {
    let trace = "0a000000000000000000000000000002";
    let client = client().with(TracingMiddleware::default()).with(Propagate).with(forward());
    // The other way round on the server.
    let app = app(client).layer(OtelAxumLayer::default()).layer(ForwardLayer::new());
    let arrived = ask(app, trace, "1").await;
    assert_eq!(arrived, with_parent(trace, &spans(trace).1));
}

#[tokio::test]
async fn around_the_clients_span_the_servers_is_the_parent() {
    let trace = "0a000000000000000000000000000003";
    let client = client().with(forward()).with(TracingMiddleware::default());
    let app = app(client).layer(ForwardLayer::new()).layer(OtelAxumLayer::default());
    let arrived = ask(app, trace, "1").await;
    assert_eq!(arrived, with_parent(trace, &spans(trace).0));
}

#[tokio::test]
async fn around_a_client_that_writes_its_own_headers_there_is_one_line_of_each_and_one_trace() {
    let trace = "0a000000000000000000000000000004";
    let client = client().with(forward()).with(TracingMiddleware::default()).with(Propagate);
    let app = app(client).layer(OtelAxumLayer::default()).layer(ForwardLayer::new());
    let arrived = ask(app, trace, "1").await;
    let (server, client) = spans(trace);
    let expected = with_parent(trace, &server)
        .replace(&format!("traceparent: 00-{trace}-{server}"), &format!("traceparent: 00-{trace}-{client}"));
    assert_eq!(arrived, expected);
}

#[tokio::test]
async fn without_onward_the_tracer_forwards_its_own_format_alone() {
    let trace = "0a000000000000000000000000000005";
    let app =
        app(client().with(TracingMiddleware::default()).with(Propagate)).layer(OtelAxumLayer::default());
    let arrived = ask(app, trace, "1").await;
    let span = spans(trace).1;
    assert_eq!(arrived, format!("traceparent: 00-{trace}-{span}-01\ntracestate: vendor=1"));
}

#[tokio::test]
async fn without_a_span_everything_goes_on_as_it_came_in() {
    let trace = "0a000000000000000000000000000006";
    let arrived = ask(app(client().with(forward())).layer(ForwardLayer::new()), trace, "1").await;
    assert_eq!(arrived, verbatim(trace, "1"));
    assert_eq!(span(trace, &SpanKind::Server), None);
}

#[tokio::test]
async fn the_id_of_a_span_that_is_not_sampled_is_never_written() {
    let trace = "0a000000000000000000000000000007";
    let client = client().with(TracingMiddleware::default()).with(forward());
    let app = app(client).layer(ForwardLayer::new()).layer(OtelAxumLayer::default());
    assert_eq!(ask(app, trace, "0").await, verbatim(trace, "0"));
    assert_eq!(span(trace, &SpanKind::Server), None);
}

/// What a call from here would carry.
fn b3() -> Option<String> {
    let mut outbound = HeaderMap::new();
    onward::inject_to(&onward::Destination::parse("http://ratings/"), &mut outbound);
    Some(outbound.get("b3")?.to_str().expect("text").to_owned())
}

#[tokio::test]
async fn a_span_that_has_ended_and_one_of_another_process_are_no_parents() {
    let _scope = onward::enter(onward::get_forward_headers(&[("b3", "0")]));
    let context = opentelemetry::Context::new().with_span(SDK.provider.tracer("test").start("call"));
    let span = context.span().span_context().clone();
    let _attached = context.clone().attach();
    assert_eq!(b3(), Some(format!("{}-{}-1", span.trace_id(), span.span_id())));
    context.span().end();
    assert_eq!(b3().as_deref(), Some("0"));
    let _remote = opentelemetry::Context::new().with_remote_span_context(span).attach();
    assert_eq!(b3().as_deref(), Some("0"));
}

#[tokio::test]
async fn headers_by_hand_have_it_as_the_parent_too_but_one_that_they_were_given_wins() {
    let headers = onward::get_forward_headers(&[("b3", "0")]);
    let given = headers.with_parent(&onward::SpanContext::new([0x0a; 16], [0x0b; 8], 1));
    let context = opentelemetry::Context::new().with_span(SDK.provider.tracer("test").start("call"));
    let span = context.span().span_context().clone();
    let _attached = context.attach();
    let b3 = |headers: &onward::ForwardHeaders| {
        let mut outbound = HeaderMap::new();
        headers.inject(&mut outbound);
        outbound["b3"].to_str().expect("text").to_owned()
    };
    assert_eq!(b3(&headers), format!("{}-{}-1", span.trace_id(), span.span_id()));
    assert_eq!(b3(&given), format!("{}-{}-1", "0a".repeat(16), "0b".repeat(8)));
    assert_eq!(headers.explain(None, &HeaderMap::new()).rows()[0].rule, "R13");
    assert_eq!(headers.get("b3"), Some(&b"0"[..]));
}

#[tokio::test]
async fn a_task_that_takes_both_along_has_the_span_as_the_parent_and_one_that_takes_neither_has_nothing() {
    let context = opentelemetry::Context::new().with_span(SDK.provider.tracer("test").start("call"));
    let span = context.span().span_context().clone();
    let headers = onward::get_forward_headers(&[("b3", "0")]);
    let answers = onward::in_scope(headers, async {
        let both = tokio::spawn(onward::carry(async { b3() }.with_current_context()));
        let (scope, neither) = (tokio::spawn(onward::carry(async { b3() })), tokio::spawn(async { b3() }));
        (both.await.expect("no panic"), scope.await.expect("no panic"), neither.await.expect("no panic"))
    });
    let expected = format!("{}-{}-1", span.trace_id(), span.span_id());
    assert_eq!(answers.with_context(context).await, (Some(expected), Some("0".into()), None));
}

/// Writes headers when its thread ends.
struct AtTheEnd(std::sync::mpsc::Sender<HeaderMap>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        let mut outbound = HeaderMap::new();
        onward::get_forward_headers(&[("b3", "0")]).inject(&mut outbound);
        self.0.send(outbound).expect("the test waits");
    }
}

#[test]
fn a_thread_that_ends_without_its_context_writes_what_came_in() {
    use std::cell::OnceCell;
    use std::sync::mpsc::channel;

    thread_local! {
        static BEFORE: OnceCell<AtTheEnd> = const { OnceCell::new() };
        static AFTER: OnceCell<AtTheEnd> = const { OnceCell::new() };
    }
    let (sender, receiver) = channel();
    let thread = std::thread::spawn(move || {
        // Around the context, whichever order they are taken down in.
        BEFORE.with(|end| end.set(AtTheEnd(sender.clone())).is_ok());
        assert_eq!(onward::opentelemetry::current_span(), None);
        AFTER.with(|end| end.set(AtTheEnd(sender)).is_ok());
    });
    thread.join().expect("no panic");
    let written: Vec<_> = receiver.iter().map(|headers| headers["b3"].clone()).collect();
    assert_eq!(written, ["0", "0"]);
}

#[tokio::test]
async fn where_nothing_came_in_the_tracers_headers_stand_alone() {
    let client = client().with(TracingMiddleware::default()).with(Propagate).with(forward());
    let front = serve(app(client).layer(ForwardLayer::new()).layer(OtelAxumLayer::default())).await;
    let leaf = serve(Router::new().route("/", get(echo))).await;
    let url = format!("http://{front}/relay?to=http://{leaf}/");
    let arrived = reqwest::get(url).await.expect("an answer").text().await.expect("a body");
    let names: Vec<_> = arrived.lines().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(names, ["traceparent", "tracestate"]);
}

#[tokio::test]
async fn a_broken_traceparent_is_ignored_with_its_tracestate_and_the_trace_starts_anew() {
    let client = client().with(TracingMiddleware::default()).with(forward());
    let front = serve(app(client).layer(ForwardLayer::new()).layer(OtelAxumLayer::default())).await;
    let leaf = serve(Router::new().route("/", get(echo))).await;
    let trace = "0a00000000000000000000000000000b";
    let request = reqwest::Client::new()
        .get(format!("http://{front}/relay?to=http://{leaf}/"))
        .header("x-request-id", "7f6c")
        .header("traceparent", format!("ff-{trace}-e457b5a2e4d86bd1-01"))
        .header("tracestate", "vendor=1");
    let arrived = request.send().await.expect("an answer").text().await.expect("a body");
    let [traceparent, request_id] = arrived.lines().collect::<Vec<_>>()[..] else { panic!("{arrived}") };
    assert!(traceparent.starts_with("traceparent: 00-") && !traceparent.contains(trace), "{traceparent}");
    assert_eq!(request_id, "x-request-id: 7f6c");
}

/// A server and a client that are instrumented by hand, with this propagator and without another line of Onward.
async fn by_propagator(
    propagator: impl TextMapPropagator + Send + Sync + 'static,
    trace: &str,
) -> (String, String) {
    let propagator: &'static dyn Both = Box::leak(Box::new(propagator));
    let server = move |request: Request, next: Next| async move {
        let tracer = SDK.provider.tracer("server");
        let parent = propagator.extract(&HeaderExtractor(request.headers()));
        let span =
            tracer.span_builder("server").with_kind(SpanKind::Server).start_with_context(&tracer, &parent);
        next.run(request).with_context(parent.with_span(span)).await
    };
    let relay = move |Query(to): Query<Vec<(String, String)>>| async move {
        let mut headers = HeaderMap::new();
        propagator.inject(&mut HeaderInjector(&mut headers));
        let request = reqwest::Client::new().get(&to[0].1).headers(headers);
        request.send().await.expect("an answer").text().await.expect("a body")
    };
    let layer = from_fn(move |request, next| -> std::pin::Pin<Box<dyn Future<Output = Response> + Send>> {
        Box::pin(server(request, next))
    });
    let arrived = ask(Router::new().route("/relay", get(relay)).layer(layer), trace, "1").await;
    (arrived, span(trace, &SpanKind::Server).expect("a span of the server").0)
}

trait Both: TextMapPropagator + Send + Sync {}

impl<T: TextMapPropagator + Send + Sync> Both for T {}

fn w3c() -> TextMapCompositePropagator {
    TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()),
        Box::new(BaggagePropagator::new()),
    ])
}

#[tokio::test]
async fn as_a_propagator_it_carries_what_the_others_leave_but_no_context_and_no_credentials() {
    let trace = "0a000000000000000000000000000008";
    let (arrived, span) = by_propagator(OnwardPropagator::beside(w3c()), trace).await;
    let expected = with_parent(trace, &span).replace("cookie: a=b\nend-user: jason\n", "");
    assert_eq!(arrived, expected);
}

#[tokio::test]
async fn as_a_propagator_it_carries_everything_where_it_is_told() {
    let trace = "0a000000000000000000000000000009";
    let (arrived, span) = by_propagator(OnwardPropagator::beside(w3c()).full_set(), trace).await;
    assert_eq!(arrived, with_parent(trace, &span));
}

#[tokio::test]
async fn without_it_the_other_propagators_carry_their_own_format_alone() {
    let trace = "0a00000000000000000000000000000a";
    let (arrived, span) = by_propagator(w3c(), trace).await;
    assert_eq!(arrived, format!("traceparent: 00-{trace}-{span}-01\ntracestate: vendor=1"));
}

#[tokio::test]
async fn a_propagator_leaves_alone_what_another_one_has_written() {
    use opentelemetry::KeyValue;
    use opentelemetry::baggage::BaggageExt;
    use std::collections::HashMap;

    let propagator = OnwardPropagator::beside(w3c()).full_set();
    let inbound =
        HashMap::from([("baggage".to_owned(), "a=1".to_owned()), ("jwt".to_owned(), "eyJ0".to_owned())]);
    let context = propagator.extract(&inbound).with_baggage([KeyValue::new("b", "2")]);
    let mut outbound = HashMap::new();
    propagator.inject_context(&context, &mut outbound);
    assert_eq!(outbound, HashMap::from([("baggage".into(), "b=2".into()), ("jwt".into(), "eyJ0".into())]));
    let fields: Vec<_> = propagator.fields().collect();
    for name in ["traceparent", "baggage", "x-request-id", "sw8"] {
        assert_eq!(fields.iter().filter(|field| **field == name).count(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_context_without_headers_of_its_own_has_those_of_the_scope() {
    use std::collections::HashMap;

    let _scope = onward::enter(onward::get_forward_headers(&[("x-request-id", "7f6c")]));
    let mut outbound = HashMap::new();
    OnwardPropagator::beside(w3c()).inject(&mut outbound);
    assert_eq!(outbound, HashMap::from([("x-request-id".into(), "7f6c".into())]));
}
