//! reviews: an axum router that asks ratings.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use onward::tonic::{Forward, Forwarding};
use tonic::transport::{Channel, Endpoint};
use tower::Layer;
use tower::util::{Either, option_layer};

use crate::proto::GetRequest;
use crate::proto::ratings_client::RatingsClient;

type Ratings = RatingsClient<Either<Forwarding<Channel>, Channel>>;

/// The routes; `ratings` is where ratings is, such as `http://ratings:9080`. Without `forwarding` it is the demo's control.
pub fn router(ratings: &Endpoint, forwarding: bool) -> Router {
    // Wrapped once: every call carries the headers of the request that it is made for.
    let forward = option_layer(forwarding.then(|| Forward::to(ratings.uri().clone())));
    let client = RatingsClient::new(forward.layer(ratings.connect_lazy()));
    Router::new()
        .route("/reviews/{id}", get(reviews))
        .with_state(client)
        .route("/health", get("reviews is healthy"))
}

#[onward::propagate]
async fn reviews(
    Path(id): Path<u32>,
    State(mut ratings): State<Ratings>,
) -> Result<Json<Vec<u32>>, StatusCode> {
    let stars = ratings.get(GetRequest { id }).await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    Ok(Json(stars.into_inner().stars))
}
