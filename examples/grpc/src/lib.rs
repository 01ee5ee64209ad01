//! HTTP in front of gRPC: reviews, with axum, asks ratings, with tonic. One request, one trace.

pub mod ratings;
pub mod reviews;

/// What `proto/ratings.proto` says.
#[allow(clippy::pedantic, missing_docs, unreachable_pub, reason = "generated")]
pub mod proto {
    tonic::include_proto!("bookinfo");
}
