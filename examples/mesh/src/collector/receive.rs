//! How spans come in over HTTP: a route for each wire format, all of them into the same store.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{post, put},
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tonic::{
    Status, Streaming,
    server::{ClientStreamingService, Grpc, UnaryService},
};
use tonic_prost::ProstCodec;

use super::{
    datadog, otlp,
    server::MAX_BODY_BYTES,
    skywalking::{self, Commands, SegmentObject},
    span::Span,
    store::Store,
    zipkin::{self, WireError},
};

// No web page of another origin can send one of these without asking first.
const JSON: &str = "application/json";
const PROTOBUF: &str = "application/x-protobuf";
const MESSAGE_PACK: &str = "application/msgpack";
const GRPC: &str = "application/grpc";

/// The routes for reporters, but Zipkin's, which has an answer to GET too.
pub(super) fn router() -> Router<Arc<Store>> {
    Router::new()
        .route("/v1/traces", post(from_otlp))
        .route("/v0.4/traces", put(from_datadog).post(from_datadog))
        .route("/opentelemetry.proto.collector.trace.v1.TraceService/Export", post(from_otlp_over_grpc))
        .route("/skywalking.v3.TraceSegmentReportService/collect", post(from_skywalking))
}

type Received = Result<Bytes, BytesRejection>;

pub(super) async fn from_zipkin(
    State(store): State<Arc<Store>>,
    headers: HeaderMap,
    body: Received,
) -> Response {
    let take = |_: &str, body: &[u8]| zipkin::parse(body);
    let hint =
        "spans must come as content-type application/json (in Envoy: collector_endpoint_version HTTP_JSON)\n";
    receive(&store, &headers, body, &[JSON], hint, take, |_| StatusCode::ACCEPTED.into_response())
}

async fn from_otlp(State(store): State<Arc<Store>>, headers: HeaderMap, body: Received) -> Response {
    let take = |kind: &str, body: &[u8]| {
        if kind == JSON { otlp::parse_json(body) } else { otlp::parse_protobuf(body) }
    };
    // An empty message: everything was taken.
    let answer = |kind: &'static str| {
        let body = if kind == JSON { "{}" } else { "" };
        ([(header::CONTENT_TYPE, kind)], body).into_response()
    };
    let hint = "spans must come as content-type application/x-protobuf or application/json\n";
    receive(&store, &headers, body, &[PROTOBUF, JSON], hint, take, answer)
}

async fn from_datadog(State(store): State<Arc<Store>>, headers: HeaderMap, body: Received) -> Response {
    let take = |_: &str, body: &[u8]| datadog::parse(body);
    // Without rates for services the library keeps its own.
    let answer = |_| ([(header::CONTENT_TYPE, JSON)], r#"{"rate_by_service":{}}"#).into_response();
    let hint = "traces must come as content-type application/msgpack\n";
    receive(&store, &headers, body, &[MESSAGE_PACK], hint, take, answer)
}

/// Puts the spans of a body into the store, or says why not.
fn receive(
    store: &Store,
    headers: &HeaderMap,
    body: Received,
    kinds: &[&'static str],
    hint: &'static str,
    take: impl FnOnce(&str, &[u8]) -> Result<Vec<Span>, WireError>,
    answer: impl FnOnce(&'static str) -> Response,
) -> Response {
    let Some(kind) = kinds.iter().find(|kind| is_of_type(headers, kind)) else {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, hint).into_response();
    };
    if headers.get(header::CONTENT_ENCODING).is_some_and(|value| value != "identity") {
        let sentence = "spans must come without content-encoding\n";
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence).into_response();
    }
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let sentence =
                format!("the body is larger than {MAX_BODY_BYTES} bytes; send fewer spans at once\n");
            return (StatusCode::PAYLOAD_TOO_LARGE, sentence).into_response();
        }
        Err(rejection) => return rejection.into_response(),
    };
    match take(kind, &body) {
        Ok(spans) => {
            store.add(spans);
            answer(kind)
        }
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    }
}

fn is_of_type(headers: &HeaderMap, kind: &str) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    content_type.to_ascii_lowercase().starts_with(kind.as_bytes())
}

async fn from_otlp_over_grpc(State(store): State<Arc<Store>>, request: Request) -> Response {
    if !is_of_type(request.headers(), GRPC) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let mut grpc = Grpc::new(ProstCodec::<ExportTraceServiceResponse, ExportTraceServiceRequest>::default());
    grpc.unary(Otlp(store), request).await.map(Body::new)
}

async fn from_skywalking(State(store): State<Arc<Store>>, request: Request) -> Response {
    if !is_of_type(request.headers(), GRPC) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let mut grpc = Grpc::new(ProstCodec::<Commands, SegmentObject>::default());
    grpc.client_streaming(SkyWalking(store), request).await.map(Body::new)
}

struct Otlp(Arc<Store>);

impl UnaryService<ExportTraceServiceRequest> for Otlp {
    type Response = ExportTraceServiceResponse;
    type Future = std::future::Ready<Result<tonic::Response<Self::Response>, Status>>;

    fn call(&mut self, request: tonic::Request<ExportTraceServiceRequest>) -> Self::Future {
        let taken = otlp::spans(request.into_inner()).map(|spans| self.0.add(spans));
        let answer = |()| tonic::Response::new(ExportTraceServiceResponse::default());
        std::future::ready(taken.map(answer).map_err(|error| Status::invalid_argument(error.to_string())))
    }
}

struct SkyWalking(Arc<Store>);

impl ClientStreamingService<SegmentObject> for SkyWalking {
    type Response = Commands;
    type Future = tonic::codegen::BoxFuture<tonic::Response<Commands>, Status>;

    fn call(&mut self, request: tonic::Request<Streaming<SegmentObject>>) -> Self::Future {
        let store = Arc::clone(&self.0);
        // An Envoy keeps the stream open and sends each segment as soon as it is done.
        Box::pin(async move {
            let mut segments = request.into_inner();
            while let Some(segment) = segments.message().await? {
                store.add(skywalking::spans(segment));
            }
            Ok(tonic::Response::new(Commands {}))
        })
    }
}
