//! reviews: an axum router that asks ratings.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use onward::tonic::Forward;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};

use crate::proto::GetRequest;
use crate::proto::ratings_client::RatingsClient;

type Ratings = RatingsClient<InterceptedService<Channel, Forward>>;

/// The routes; `ratings` is where ratings is, such as `http://ratings:50051`.
pub fn router(ratings: &Endpoint) -> Router {
    // Wrapped once: every call carries the headers of the request that it is made for.
    let forward = Forward::to(ratings.uri().clone());
    let client = RatingsClient::with_interceptor(ratings.connect_lazy(), forward);
    Router::new().route("/reviews/{id}", get(reviews)).with_state(client)
}

#[onward::propagate]
async fn reviews(
    Path(id): Path<u32>,
    State(mut ratings): State<Ratings>,
) -> Result<Json<Vec<u32>>, StatusCode> {
    let stars = ratings.get(GetRequest { id }).await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    Ok(Json(stars.into_inner().stars))
}
