//! The real program, with a stub of ratings behind it.

mod support;

use support::{Answer, BOOKINFO, Service, Upstream, bookinfo_names, bookinfo_received, closed_port};

const RATINGS: &str = r#"{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}"#;

fn start(vars: &[(&str, &str)]) -> Service {
    Service::start(env!("CARGO_BIN_EXE_bookinfo-reviews"), &[], vars)
}

/// Version 3, whose ratings are at `port`, with `more` of environment.
fn start_v3(port: &str, more: &[(&str, &str)]) -> Service {
    let mut vars = vec![
        ("ENABLE_RATINGS", "true"),
        ("STAR_COLOR", "red"),
        ("RATINGS_HOSTNAME", "127.0.0.1"),
        ("RATINGS_SERVICE_PORT", port),
    ];
    vars.extend(more);
    start(&vars)
}

/// The JSON of `/reviews/0` with these ratings, each `,"rating":{…}` or empty.
fn reviews_json(rating1: &str, rating2: &str) -> String {
    [
        r#"{"id":"0","podname":"null","clustername":"null","reviews":[{"reviewer":"Reviewer1","text":"#,
        r#""An extremely entertaining play by Shakespeare. The slapstick humour is refreshing!""#,
        rating1,
        r#"},{"reviewer":"Reviewer2","text":"Absolutely fun and entertaining. The play lacks thematic depth "#,
        r#"when compared to other plays by Shakespeare.""#,
        rating2,
        "}]}",
    ]
    .concat()
}

#[test]
fn v1_has_no_ratings_and_asks_nobody() {
    let ratings = Upstream::start(Answer::Body(200, RATINGS));
    let service = start(&[("RATINGS_HOSTNAME", "127.0.0.1"), ("RATINGS_SERVICE_PORT", &ratings.port)]);
    let answer = service.get("/reviews/0", &[]);
    assert_eq!((answer.status(), answer.body.as_str()), ("200", reviews_json("", "").as_str()));
    assert_eq!(answer.only(&["content-type"]), [("content-type".to_owned(), b"application/json".to_vec())]);
    assert!(ratings.calls().is_empty());
}

#[test]
fn v2_has_black_stars() {
    let ratings = Upstream::start(Answer::Body(200, RATINGS));
    let vars = [
        ("ENABLE_RATINGS", "true"),
        ("RATINGS_HOSTNAME", "127.0.0.1"),
        ("RATINGS_SERVICE_PORT", ratings.port.as_str()),
    ];
    let expected =
        reviews_json(r#","rating":{"stars":5,"color":"black"}"#, r#","rating":{"stars":4,"color":"black"}"#);
    assert_eq!(start(&vars).get("/reviews/0", &[]).body, expected);
}

#[test]
fn v3_has_red_stars_from_one_call_to_ratings() {
    let ratings = Upstream::start(Answer::Body(200, RATINGS));
    let expected =
        reviews_json(r#","rating":{"stars":5,"color":"red"}"#, r#","rating":{"stars":4,"color":"red"}"#);
    assert_eq!(start_v3(&ratings.port, &[]).get("/reviews/0", &[]).body, expected);
    let calls = ratings.calls();
    assert_eq!(calls.iter().map(support::Message::path).collect::<Vec<_>>(), ["/ratings/0"]);
    assert_eq!(calls[0].only(&["accept"]), [("accept".to_owned(), b"application/json".to_vec())]);
}

#[test]
fn pod_and_cluster_are_named() {
    let service = start(&[("HOSTNAME", "reviews-v1-\"1"), ("CLUSTER_NAME", "east")]);
    let body = service.get("/reviews/7", &[]).body;
    assert!(
        body.starts_with(r#"{"id":"7","podname":"reviews-v1-\"1","clustername":"east","reviews":"#),
        "{body}"
    );
}

#[test]
fn ratings_that_fail_are_told_with_status_200() {
    const FAILED: &str = r#","rating":{"error":"Ratings service is currently unavailable"}"#;
    let expected = reviews_json(FAILED, FAILED);
    for answer in [
        Answer::Body(503, RATINGS),
        Answer::Body(302, RATINGS),
        Answer::Body(200, "no JSON"),
        Answer::Body(200, "{}"),
        Answer::Body(200, r#"{"ratings":{"Reviewer1":"five"}}"#),
        Answer::Silence,
    ] {
        let ratings = Upstream::start(answer);
        let answer = start_v3(&ratings.port, &[]).get("/reviews/0", &[]);
        assert_eq!((answer.status(), answer.body.as_str()), ("200", expected.as_str()));
        assert_eq!(ratings.calls().len(), 1);
    }
    let answer = start_v3(&closed_port(), &[]).get("/reviews/0", &[]);
    assert_eq!((answer.status(), answer.body.as_str()), ("200", expected.as_str()));
}

#[test]
fn a_reviewer_without_a_rating_is_told_alone() {
    let ratings = Upstream::start(Answer::Body(200, r#"{"ratings":{"Reviewer2":1}}"#));
    let expected = reviews_json(
        r#","rating":{"error":"Ratings service is currently unavailable"}"#,
        r#","rating":{"stars":1,"color":"red"}"#,
    );
    assert_eq!(start_v3(&ratings.port, &[]).get("/reviews/0", &[]).body, expected);
}

#[test]
fn the_service_is_healthy() {
    let answer = start(&[]).get("/health", &[]);
    assert_eq!((answer.status(), answer.body.as_str()), ("200", r#"{"status": "Reviews is healthy"}"#));
    assert_eq!(answer.only(&["content-type"]), [("content-type".to_owned(), b"application/json".to_vec())]);
}

#[test]
fn an_id_that_is_no_integer_is_not_found() {
    let service = start(&[]);
    for path in ["/reviews/abc", "/reviews/1.5", "/reviews/99999999999", "/reviews/", "/"] {
        assert_eq!(service.get(path, &[]).status(), "404", "{path}");
    }
}

#[test]
fn every_bookinfo_header_reaches_ratings_byte_for_byte() {
    let ratings = Upstream::start(Answer::Body(200, RATINGS));
    let mut sent = BOOKINFO.to_vec();
    sent.push(("x-not-forwarded", b"1"));
    start_v3(&ratings.port, &[]).get("/reviews/0", &sent);
    let mut names = bookinfo_names();
    names.push("x-not-forwarded");
    assert_eq!(ratings.calls()[0].only(&names), bookinfo_received());
}

#[test]
fn with_the_demos_forwarding_off_nothing_reaches_ratings() {
    let ratings = Upstream::start(Answer::Body(200, RATINGS));
    start_v3(&ratings.port, &[("ONWARD_DEMO_FORWARDING", "off")]).get("/reviews/0", &BOOKINFO);
    assert_eq!(ratings.calls()[0].only(&bookinfo_names()), []);
}

#[test]
fn each_of_many_concurrent_requests_forwards_its_own_headers() {
    let ratings = Upstream::start(Answer::Body(200, RATINGS));
    let service = start_v3(&ratings.port, &[]);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let service = &service;
            scope.spawn(move || {
                for number in 0..50 {
                    let id = (thread * 50 + number).to_string();
                    service.get(&format!("/reviews/{id}"), &[("x-request-id", id.as_bytes())]);
                }
            });
        }
    });
    let calls = ratings.calls();
    assert_eq!(calls.len(), 400);
    for call in calls {
        let id = call.path().strip_prefix("/ratings/").unwrap().as_bytes().to_vec();
        assert_eq!(call.only(&["x-request-id"]), [("x-request-id".to_owned(), id)]);
    }
}

#[test]
fn it_says_where_it_is_ready_and_sigterm_ends_it_with_status_0() {
    let service = start(&[("SERVICE_VERSION", "v3")]);
    assert!(service.ready.starts_with("reviews v3 ready on http://127.0.0.1:"), "{}", service.ready);
    assert_eq!(service.terminate().code(), Some(0));
}

#[test]
fn a_mistake_in_the_policy_stops_it_at_start() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_bookinfo-reviews"))
        .env_clear()
        .envs([("HOST", "127.0.0.1"), ("PORT", "0"), ("ONWARD_HEADERS", "+host")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("reviews: ") && message.contains("host"), "{message}");
}
