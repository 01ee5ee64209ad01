//! ratings: a gRPC service.

use axum::Router;
use axum::routing::get;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use crate::proto::ratings_server::{Ratings, RatingsServer};
use crate::proto::{GetRequest, Stars};

/// The gRPC service, and `/health`.
pub fn router(service: impl Ratings) -> Router {
    let grpc = Routes::new(RatingsServer::new(service)).into_axum_router();
    grpc.route("/health", get("ratings is healthy"))
}

/// The service.
#[derive(Clone, Copy, Debug)]
pub struct Service;

#[tonic::async_trait]
impl Ratings for Service {
    /// Whatever it called from here would carry the headers on.
    #[onward::propagate]
    async fn get(&self, request: Request<GetRequest>) -> Result<Response<Stars>, Status> {
        match request.into_inner().id {
            0 => Ok(Response::new(Stars { stars: vec![5, 4] })),
            id => Err(Status::not_found(format!("there is no book {id}"))),
        }
    }
}
