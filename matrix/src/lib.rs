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
