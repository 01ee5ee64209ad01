//! The real program, as the chain and with a stub of storage.

#[path = "../../bookinfo/reviews/tests/support/mod.rs"]
mod support;

use std::process::Command;

use support::{Answer, BOOKINFO, Service, Upstream, bookinfo_names, bookinfo_received, closed_port};

const PROGRAM: &str = env!("CARGO_BIN_EXE_dockebi");

fn start_dockebi(storage_port: &str, more: &[(&str, &str)]) -> Service {
    let mut vars = vec![("STORAGE_HOSTNAME", "127.0.0.1"), ("STORAGE_SERVICE_PORT", storage_port)];
    vars.extend(more);
    Service::start(PROGRAM, &["dockebi"], &vars)
}

#[test]
fn the_chain_answers_with_what_storage_has() {
    let storage = Service::start(PROGRAM, &["storage"], &[]);
    let port = storage.ready.rsplit(':').next().unwrap();
    let dockebi = start_dockebi(port, &[]);

    let home = dockebi.get("/", &[]);
    let expected = r#"{"service":"dockebi","storage":{"service":"dockebi-storage","stored":3}}"#;
    assert_eq!((home.status(), home.body.as_str()), ("200", expected));

    let goblins = dockebi.get("/goblins", &[]);
    let expected = concat!(
        r#"{"service":"dockebi","storage":{"service":"dockebi-storage","goblins":["#,
        r#"{"name":"Kim Seobang","likes":"buckwheat jelly"},"#,
        r#"{"name":"Oenun","likes":"wrestling at night"},"#,
        r#"{"name":"Oedari","likes":"hopping on one leg"}]}}"#
    );
    assert_eq!((goblins.status(), goblins.body.as_str()), ("200", expected));
}

#[test]
fn both_services_are_healthy_on_their_own() {
    let dockebi = start_dockebi(&closed_port(), &[]);
    let storage = Service::start(PROGRAM, &["storage"], &[]);
    assert_eq!(dockebi.get("/health", &[]).body, "dockebi is healthy");
    assert_eq!(storage.get("/health", &[]).body, "dockebi-storage is healthy");
}

#[test]
fn storage_that_fails_is_a_502() {
    let expected = r#"{"service":"dockebi","error":"dockebi-storage is currently unavailable"}"#;
    for answer in
        [Answer::Body(500, "{}"), Answer::Body(302, "{}"), Answer::Body(200, "no JSON"), Answer::Silence]
    {
        let storage = Upstream::start(answer);
        let answer = start_dockebi(&storage.port, &[]).get("/", &[]);
        assert_eq!((answer.status(), answer.body.as_str()), ("502", expected));
        assert_eq!(storage.calls().len(), 1);
    }
    let answer = start_dockebi(&closed_port(), &[]).get("/", &[]);
    assert_eq!((answer.status(), answer.body.as_str()), ("502", expected));
}

#[test]
fn every_bookinfo_header_reaches_storage_byte_for_byte() {
    let storage = Upstream::start(Answer::Body(200, "{}"));
    let dockebi = start_dockebi(&storage.port, &[]);
    dockebi.get("/", &BOOKINFO);
    dockebi.get("/goblins", &BOOKINFO);
    let calls = storage.calls();
    assert_eq!(calls.iter().map(support::Message::path).collect::<Vec<_>>(), ["/", "/goblins"]);
    for call in calls {
        assert_eq!(call.only(&bookinfo_names()), bookinfo_received());
    }
}

#[test]
fn with_the_demos_forwarding_off_nothing_reaches_storage() {
    let storage = Upstream::start(Answer::Body(200, "{}"));
    start_dockebi(&storage.port, &[("ONWARD_DEMO_FORWARDING", "off")]).get("/", &BOOKINFO);
    assert_eq!(storage.calls()[0].only(&bookinfo_names()), []);
}

#[test]
fn both_say_where_they_are_ready_and_sigterm_ends_them_with_status_0() {
    for (subcommand, start) in [
        ("dockebi", "dockebi ready on http://127.0.0.1:"),
        ("storage", "dockebi-storage ready on http://127.0.0.1:"),
    ] {
        let service = Service::start(PROGRAM, &[subcommand], &[]);
        assert!(service.ready.starts_with(start), "{}", service.ready);
        assert_eq!(service.terminate().code(), Some(0));
    }
}

#[test]
fn another_subcommand_is_a_usage_error() {
    for arguments in [&[][..], &["gateway"][..], &["dockebi", "x"][..]] {
        let output = Command::new(PROGRAM).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "usage: dockebi dockebi|storage\n");
    }
}
