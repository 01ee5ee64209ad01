//! The client of the ratings service.

use std::{collections::HashMap, error::Error};

use axum::http::{StatusCode, header::ACCEPT};
use onward::reqwest::RequestBuilderExt;
use reqwest::{Client, redirect::Policy};
use serde::Deserialize;
use serde_json::Value;

use crate::config::Config;

/// Asks the ratings service. Cheap to clone: all clones share their connections.
#[derive(Clone)]
pub(crate) struct Ratings {
    http: Client,
    address: String,
    forwarding: bool,
}

/// The stars by reviewer. Whatever is no whole number counts as not rated.
#[derive(Deserialize)]
pub(crate) struct Stars {
    ratings: HashMap<String, Value>,
}

impl Stars {
    /// The stars that `reviewer` gave.
    pub(crate) fn of(&self, reviewer: &str) -> Option<i64> {
        self.ratings.get(reviewer)?.as_i64()
    }
}

impl Ratings {
    /// # Errors
    ///
    /// When the HTTP client cannot be made.
    pub(crate) fn new(config: &Config) -> Result<Self, reqwest::Error> {
        let timeout = config.ratings_timeout();
        let http = Client::builder()
            .connect_timeout(timeout)
            .read_timeout(timeout)
            // A redirect could lead credentials out of the mesh, and a proxy of the machine is not part of it.
            .redirect(Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { http, address: config.ratings_address.clone(), forwarding: config.forwarding })
    }

    /// The ratings of a product; none when the service fails in whatever way, which is told on standard error.
    pub(crate) async fn get(&self, id: i32) -> Option<Stars> {
        let url = format!("{}/ratings/{id}", self.address);
        match self.fetch(&url).await {
            Ok(stars) => Some(stars),
            Err(error) => {
                eprintln!("reviews: {url}: {error}");
                None
            }
        }
    }

    async fn fetch(&self, url: &str) -> Result<Stars, Box<dyn Error + Send + Sync>> {
        let mut request = self.http.get(url).header(ACCEPT, "application/json");
        if self.forwarding {
            request = request.forward_headers();
        }
        let response = request.send().await?;
        match response.status() {
            StatusCode::OK => Ok(response.json().await?),
            status => Err(status.to_string().into()),
        }
    }
}
