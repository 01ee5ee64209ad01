//! The files of the page, embedded, and the headers that keep it to itself.

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// Spans are hostile input. The page writes text only; should it ever slip, no script but its own files runs,
/// and nothing leaves for another origin.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! files {
    ($($path:literal => $kind:ident $file:literal,)*) => {
        const FILES: &[(&str, &str, &str)] = &[$(($path, $kind, include_str!(concat!("page/", $file)))),*];
    };
}

files! {
    "/" => HTML "index.html",
    "/assets/icon.svg" => SVG "icon.svg",
    "/assets/theme.css" => CSS "theme.css",
    "/assets/layout.css" => CSS "layout.css",
    "/assets/list.css" => CSS "list.css",
    "/assets/waterfall.css" => CSS "waterfall.css",
    "/assets/details.css" => CSS "details.css",
    "/assets/graph.css" => CSS "graph.css",
    "/assets/main.js" => SCRIPT "main.js",
    "/assets/api.js" => SCRIPT "api.js",
    "/assets/dom.js" => SCRIPT "dom.js",
    "/assets/format.js" => SCRIPT "format.js",
    "/assets/colours.js" => SCRIPT "colours.js",
    "/assets/list.js" => SCRIPT "list.js",
    "/assets/scatter.js" => SCRIPT "scatter.js",
    "/assets/trace.js" => SCRIPT "trace.js",
    "/assets/waterfall.js" => SCRIPT "waterfall.js",
    "/assets/details.js" => SCRIPT "details.js",
    "/assets/graph.js" => SCRIPT "graph.js",
    "/assets/layers.js" => SCRIPT "layers.js",
}

pub(super) fn router() -> Router {
    FILES.iter().fold(Router::new(), |router, &(path, kind, text)| {
        router.route(path, get(move || async move { file(kind, text) }))
    })
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}
