//! The clients: one file and one line each.
#![allow(clippy::unnecessary_wraps, reason = "one signature for all of them")]

mod awc;
mod header_map;
mod hyper_util;
mod reqwest;
mod reqwest_tower;
mod tonic;
mod ureq;

use crate::call::Client;

/// All of them, in the order of the table.
pub const ALL: &[Client] = &[
    Client::new("reqwest, wrapped", reqwest::wrapped),
    Client::new("reqwest, one request", reqwest::extension).stops_at_redirects(),
    Client::new("reqwest, tower layer", reqwest_tower::layered),
    Client::new("hyper-util", hyper_util::wrapped),
    Client::new("ureq", ureq::agent),
    Client::new("any, by `HeaderMap`", header_map::by_hand).stops_at_redirects(),
    Client::new("awc", awc::wrapped),
    Client::new("tonic, interceptor", tonic::interceptor)
        .stops_at_redirects()
        .appends_to_user_agent(" tonic/0.14.9"),
    Client::new("tonic, layer", tonic::layer).stops_at_redirects(),
];
