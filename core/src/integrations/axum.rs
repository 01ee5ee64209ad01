//! axum: the extractor that `#[propagate]` adds to a handler without a header argument.

use std::convert::Infallible;

use axum_core::extract::FromRequestParts;
use http::request::Parts;

use crate::private::{Captured, HandlerPolicy};

impl<S: Sync, P: HandlerPolicy> FromRequestParts<S> for Captured<P> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        // Straight from the request's own map: extracting a `HeaderMap` would clone it.
        Ok(Self::from_carrier(&parts.headers))
    }
}
