//! dockebi-storage, the end of the chain: it calls nobody, so it has nothing to forward.

use axum::{Json, Router, routing::get};
use serde::Serialize;

#[derive(Clone, Copy, Serialize)]
struct Goblin {
    name: &'static str,
    likes: &'static str,
}

/// Three goblins of Korean folk tales.
const GOBLINS: [Goblin; 3] = [
    Goblin { name: "Kim Seobang", likes: "buckwheat jelly" },
    Goblin { name: "Oenun", likes: "wrestling at night" },
    Goblin { name: "Oedari", likes: "hopping on one leg" },
];

#[derive(Serialize)]
struct Summary {
    service: &'static str,
    stored: usize,
}

#[derive(Serialize)]
struct Stored {
    service: &'static str,
    goblins: [Goblin; 3],
}

/// The routes `/`, `/goblins` and `/health`.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/", get(async || Json(Summary { service: "dockebi-storage", stored: GOBLINS.len() })))
        .route("/goblins", get(async || Json(Stored { service: "dockebi-storage", goblins: GOBLINS })))
        .route("/health", get("dockebi-storage is healthy"))
}
