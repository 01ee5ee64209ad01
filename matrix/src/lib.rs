//! Every framework with every client, against real servers on loopback.
//!
//! A cell is one framework that calls by one client. Each check of a cell sends a request with Bookinfo's headers to
//! a real server, whose handler makes a call to the echo, which notes what arrived.
//!
//! A server is one file in `servers/` and two lines in its `mod.rs`; a client is the same in `clients/`.

pub mod call;
pub mod cell;
pub mod clients;
pub mod echo;
pub mod inbound;
pub mod running;
pub mod servers;
pub mod table;

/// The frameworks' and clients' pages, their programs compiled and run.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../docs/frameworks/actix.md")]
    struct Actix;
    #[doc = include_str!("../../docs/frameworks/axum.md")]
    struct Axum;
    #[doc = include_str!("../../docs/clients/awc.md")]
    struct Awc;
    #[doc = include_str!("../../docs/frameworks/poem.md")]
    struct Poem;
    #[doc = include_str!("../../docs/frameworks/rocket.md")]
    struct Rocket;
    #[doc = include_str!("../../docs/frameworks/tower.md")]
    struct Tower;
    #[doc = include_str!("../../docs/frameworks/hyper.md")]
    struct Hyper;
    #[doc = include_str!("../../docs/frameworks/tonic.md")]
    struct Tonic;
    #[doc = include_str!("../../docs/frameworks/salvo.md")]
    struct Salvo;
    #[doc = include_str!("../../docs/frameworks/warp.md")]
    struct Warp;
    #[doc = include_str!("../../docs/frameworks/lambda.md")]
    struct Lambda;
}
