//! The clients: one file and one line each.

mod reqwest;

use crate::call::Client;

/// All of them, in the order of the table.
pub const ALL: &[Client] = &[
    Client::new("reqwest, wrapped", reqwest::wrapped),
    Client::new("reqwest, one request", reqwest::extension).stops_at_redirects(),
];
