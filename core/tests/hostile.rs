//! Whatever comes in: no panic, no invented header, no forbidden byte out, and the limits hold.
#![allow(clippy::expect_used, reason = "helpers of tests, outside of any #[test] function")]

use http::HeaderMap;
use onward::{Destination, DropReason, Propagator};
use proptest::prelude::*;

/// Names that the policy knows, near misses, and noise.
fn name() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::sample::select(vec![
            "x-request-id",
            "X-B3-TraceId",
            "cookie",
            "baggage",
            "x-canary-",
            "x-canary-blue"
        ])
        .prop_map(|name| name.as_bytes().to_vec()),
        "[xX]-[cC]anary-[a-zA-Z0-9_.~-]{0,80}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..40),
    ]
}

fn inbound() -> impl Strategy<Value = Vec<(Vec<u8>, Vec<u8>)>> {
    prop::collection::vec((name(), prop::collection::vec(any::<u8>(), 0..60)), 0..60)
}

fn policy(max_bytes: usize, max_prefix_headers: usize) -> Propagator {
    Propagator::builder()
        .add("x-canary-*")
        .max_bytes(max_bytes)
        .max_prefix_headers(max_prefix_headers)
        .build()
        .expect("a valid policy")
}

proptest! {
    #[test]
    fn a_capture_holds_only_what_came_in_and_may_go_on(
        inbound in inbound(), max_bytes in 1usize..2000, max_prefix_headers in 0usize..20,
    ) {
        let headers = policy(max_bytes, max_prefix_headers).extract(&inbound);
        let mut size = 0;
        for (name, value) in headers.iter() {
            size += name.len() + value.len();
            prop_assert!(inbound.iter().any(|(n, v)| n.eq_ignore_ascii_case(name.as_bytes()) && v == value));
            prop_assert_eq!(name, name.to_ascii_lowercase());
            prop_assert!(value.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7F)));
        }
        prop_assert!(size <= max_bytes);
        let prefixed = headers.iter().filter(|(name, _)| name.starts_with("x-canary-")).count();
        prop_assert!(prefixed <= max_prefix_headers);
    }

    #[test]
    fn every_line_that_cannot_go_on_is_counted(inbound in inbound()) {
        let headers = policy(32 * 1024, 64).extract(&inbound);
        let forbidden = inbound.iter().filter(|(name, value)| {
            name.eq_ignore_ascii_case(b"cookie")
                && value.iter().any(|&byte| (byte < b' ' && byte != b'\t') || byte == 0x7F)
        });
        let dropped = headers.dropped().filter(|(name, reason)| name == "cookie" && *reason == DropReason::ForbiddenByte);
        prop_assert_eq!(forbidden.count(), dropped.count());
    }

    #[test]
    fn all_carriers_get_the_same_headers(inbound in inbound()) {
        let headers = policy(32 * 1024, 64).extract(&inbound);
        let mut pairs: Vec<(String, Vec<u8>)> = Vec::new();
        let mut map = HeaderMap::new();
        headers.inject(&mut pairs);
        headers.inject(&mut map);
        prop_assert_eq!(pairs.len(), headers.len());
        let from_map: Vec<_> = map.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let from_pairs: Vec<_> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
        prop_assert_eq!(from_map, from_pairs);
    }

    #[test]
    fn any_text_is_a_destination_or_outside(text in ".{0,80}") {
        let propagator = policy(32 * 1024, 64);
        let _ = propagator.place(&Destination::parse(&text));
        let _ = propagator.place(&Destination::from_host(&text));
    }

    #[test]
    fn a_public_name_is_outside_whatever_is_around_it(
        scheme in "(https?://)?", user in "([a-z]{1,8}@)?", name in "[a-z]{1,10}", port in "(:[0-9]{1,4})?", path in "(/[a-z.]{0,10})?",
    ) {
        let text = format!("{scheme}{user}{name}.example.com{port}{path}");
        prop_assert!(!policy(32 * 1024, 64).in_mesh(&Destination::parse(&text)), "{}", text);
    }

    #[test]
    fn any_configuration_is_a_policy_or_an_error(headers in "[+,*a-z -]{0,40}", hosts in "[*.,/:0-9a-z]{0,40}") {
        let variables = |name: &str| match name {
            "ONWARD_HEADERS" => Some(headers.clone()),
            "ONWARD_MESH_HOSTS" => Some(hosts.clone()),
            _ => None,
        };
        if let Err(error) = Propagator::builder().variables(variables).build() {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
