//! The service's routes and their JSON.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;

use crate::{
    config::Config,
    ratings::{Ratings, Stars},
};

/// Reviewer and text, in the order of the answer.
const REVIEWS: [(&str, &str); 2] = [
    ("Reviewer1", "An extremely entertaining play by Shakespeare. The slapstick humour is refreshing!"),
    (
        "Reviewer2",
        "Absolutely fun and entertaining. The play lacks thematic depth when compared to other plays by Shakespeare.",
    ),
];

const UNAVAILABLE: &str = "Ratings service is currently unavailable";

#[derive(Clone)]
struct App {
    podname: String,
    clustername: String,
    star_color: String,
    ratings: Option<Ratings>,
}

/// The JSON of one product.
#[derive(Serialize)]
struct Answer {
    // A string, as in Bookinfo.
    id: String,
    podname: String,
    clustername: String,
    reviews: Vec<Review>,
}

#[derive(Serialize)]
struct Review {
    reviewer: &'static str,
    text: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rating: Option<Rating>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Rating {
    Stars { stars: i64, color: String },
    Failed { error: &'static str },
}

/// The routes `/health` and `/reviews/<int>`.
///
/// # Errors
///
/// When the HTTP client cannot be made.
pub(crate) fn router(config: &Config) -> Result<Router, reqwest::Error> {
    let app = App {
        podname: config.podname.clone(),
        clustername: config.clustername.clone(),
        star_color: config.star_color.clone(),
        ratings: config.ratings_enabled.then(|| Ratings::new(config)).transpose()?,
    };
    Ok(Router::new().route("/health", get(health)).route("/reviews/{id}", get(reviews)).with_state(app))
}

async fn health() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], r#"{"status": "Reviews is healthy"}"#)
}

// The attribute is all there is to do: the call that `ratings.get` makes carries this request's headers.
#[onward::propagate]
async fn reviews(Path(id): Path<String>, State(app): State<App>) -> Response {
    let Ok(id) = id.parse::<i32>() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let reviews = match &app.ratings {
        None => REVIEWS.map(|(reviewer, text)| Review { reviewer, text, rating: None }),
        Some(ratings) => {
            let stars = ratings.get(id).await;
            REVIEWS.map(|(reviewer, text)| Review {
                reviewer,
                text,
                rating: Some(app.rating(stars.as_ref(), reviewer)),
            })
        }
    };
    Json(Answer {
        id: id.to_string(),
        podname: app.podname,
        clustername: app.clustername,
        reviews: reviews.into(),
    })
    .into_response()
}

impl App {
    fn rating(&self, stars: Option<&Stars>, reviewer: &str) -> Rating {
        match stars.and_then(|stars| stars.of(reviewer)) {
            Some(stars) => Rating::Stars { stars, color: self.star_color.clone() },
            None => Rating::Failed { error: UNAVAILABLE },
        }
    }
}
