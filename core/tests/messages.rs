//! Message headers: what goes into them, and what stays out.
#![allow(clippy::expect_used, reason = "helpers of tests, outside of any #[test] function")]

use std::collections::{BTreeMap, HashMap};

use onward::{Destination, Extract, ForwardHeaders, Inject, Line, Name, Outcome, Value};

const INBOUND: &[(&str, &[u8])] = &[
    ("x-request-id", b"7f6c"),
    ("tracestate", b"a=1"),
    ("tracestate", b"b=2"),
    ("end-user", b"jos\xe9"),
    ("cookie", b"a=b"),
    ("authorization", b"Bearer secret"),
    ("jwt", b"eyJ0"),
];

fn captured() -> ForwardHeaders {
    onward::get_forward_headers(INBOUND)
}

/// Looks like rdkafka's `OwnedHeaders`: a list of names and bytes, of which some have no value.
#[derive(Default)]
struct KafkaHeaders {
    list: Vec<(String, Option<Vec<u8>>)>,
}

impl Extract for KafkaHeaders {
    fn lines<'a>(&'a self, mut line: impl FnMut(Line<'a>)) {
        for (name, value) in &self.list {
            if let Some(value) = value {
                line(Line::new(name.as_bytes(), value));
            }
        }
    }
}

impl Inject for KafkaHeaders {
    const REPEATS: bool = true;
    const MESSAGE: bool = true;

    fn insert(&mut self, name: Name<'_>, value: Value<'_>) {
        self.list.retain(|(present, _)| !present.eq_ignore_ascii_case(name.as_str()));
        self.append(name, value);
    }

    fn append(&mut self, name: Name<'_>, value: Value<'_>) {
        self.list.push((name.as_str().to_owned(), Some(value.as_bytes().to_vec())));
    }
}

impl KafkaHeaders {
    fn names(&self) -> Vec<&str> {
        self.list.iter().map(|(name, _)| &**name).collect()
    }
}

#[test]
fn a_list_of_names_and_bytes_carries_a_request_to_its_reader_without_credentials() {
    let mut message = KafkaHeaders::default();
    message.list.push(("content-type".into(), None));
    captured().inject(&mut message);
    assert_eq!(message.names(), ["content-type", "x-request-id", "tracestate", "tracestate", "end-user"]);

    let read = onward::get_forward_headers(&message);
    let lines: Vec<_> = read.iter().collect();
    let expected: [(&str, &[u8]); 4] =
        [("x-request-id", b"7f6c"), ("tracestate", b"a=1"), ("tracestate", b"b=2"), ("end-user", b"jos\xe9")];
    assert_eq!(lines, expected);
}

#[test]
fn credentials_enter_a_message_only_when_asked() {
    let credentials = ["cookie", "authorization", "jwt"];
    for destination in [Destination::message(), Destination::parse("kafka:9092")] {
        let mut message = KafkaHeaders::default();
        captured().inject_to(&destination, &mut message);
        assert!(credentials.iter().all(|name| !message.names().contains(name)), "{destination}");
        assert_eq!(message.list.len(), 4, "{destination}");
    }
    let mut asked = KafkaHeaders::default();
    captured().inject_to(&Destination::message_with_credentials(), &mut asked);
    assert!(credentials.iter().all(|name| asked.names().contains(name)));
    assert_eq!(asked.list.len(), 7);
}

#[test]
fn a_broker_outside_the_mesh_gets_trace_headers_only() {
    let mut message = KafkaHeaders::default();
    captured().inject_to(&Destination::parse("broker.example.com:9092"), &mut message);
    assert_eq!(message.names(), ["x-request-id", "tracestate", "tracestate"]);
}

#[test]
fn plain_maps_are_messages_where_the_destination_says_so() {
    let mut hash: HashMap<String, Vec<u8>> = HashMap::new();
    captured().inject_to(&Destination::message(), &mut hash);
    let mut tree: BTreeMap<String, String> = BTreeMap::new();
    captured().inject_to(&Destination::message(), &mut tree);
    let mut map = http::HeaderMap::new();
    captured().inject_to(&Destination::message(), &mut map);

    let expected = [("end-user", "jos\u{e9}"), ("tracestate", "a=1,b=2"), ("x-request-id", "7f6c")];
    assert_eq!(tree.iter().map(|(name, value)| (&**name, &**value)).collect::<Vec<_>>(), expected);
    assert_eq!(hash["end-user"], b"jos\xe9");
    assert_eq!(hash.len(), 3);
    assert_eq!(map.len(), 4);
    assert!(!map.contains_key("cookie"));
}

#[test]
fn the_scope_writes_messages_too_and_nothing_outside_of_one() {
    let mut message = KafkaHeaders::default();
    onward::inject_to(&Destination::message(), &mut message);
    assert!(message.list.is_empty());
    let _scope = onward::enter(captured());
    onward::inject_to(&Destination::message(), &mut message);
    assert_eq!(message.list.len(), 4);
}

#[test]
fn what_the_producer_has_set_wins() {
    let mut message = KafkaHeaders::default();
    message.list.push(("TraceParent".into(), Some(b"mine".to_vec())));
    captured().inject(&mut message);
    assert_eq!(message.names(), ["TraceParent", "x-request-id", "end-user"]);
}

#[test]
fn explain_says_what_a_message_holds_back() {
    let explanation = captured().explain(Some(&Destination::message()), &KafkaHeaders::default());
    let rows: Vec<_> = explanation.rows().iter().map(|row| (&*row.name, row.outcome, row.rule)).collect();
    assert_eq!(
        rows,
        [
            ("x-request-id", Outcome::Forwarded, "R1"),
            ("tracestate", Outcome::Forwarded, "R1"),
            ("end-user", Outcome::Forwarded, "R1"),
            ("cookie", Outcome::HeldBack, "R8"),
            ("authorization", Outcome::HeldBack, "R8"),
            ("jwt", Outcome::HeldBack, "R8"),
        ]
    );
    let text = explanation.to_string();
    assert!(text.starts_with("the destination is no host: it is a message, which is stored"), "{text}");
    let asked = captured().explain(Some(&Destination::message_with_credentials()), &KafkaHeaders::default());
    assert!(asked.rows().iter().all(|row| row.outcome == Outcome::Forwarded));
}

#[cfg(feature = "lapin")]
mod lapin {
    use amq_protocol_types::{AMQPValue, FieldTable, ShortString};

    use super::*;

    #[test]
    fn a_field_table_carries_a_request_to_its_reader_without_credentials() {
        let mut table = FieldTable::default();
        table.insert("priority".into(), AMQPValue::LongInt(3));
        captured().inject(&mut table);
        let names: Vec<_> = table.inner().keys().map(ShortString::as_str).collect();
        assert_eq!(names, ["end-user", "priority", "tracestate", "x-request-id"]);
        let request_id = AMQPValue::LongString(b"7f6c".to_vec().into());
        assert_eq!(table.inner().get("x-request-id"), Some(&request_id));
        let no_text = AMQPValue::ByteArray(b"jos\xe9".to_vec().into());
        assert_eq!(table.inner().get("end-user"), Some(&no_text));

        let read = onward::get_forward_headers(&table);
        let lines: Vec<_> = read.iter().collect();
        let expected: [(&str, &[u8]); 3] =
            [("x-request-id", b"7f6c"), ("tracestate", b"a=1,b=2"), ("end-user", b"jos\xe9")];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_table_holds_text_and_bytes_as_in_the_other_languages() {
        let mut table = FieldTable::default();
        onward::get_forward_headers(&[("end-user", b"jos\xc3\xa9".as_slice()), ("baggage", b"caf\xe9")])
            .inject(&mut table);
        let text = AMQPValue::LongString("jos\u{e9}".into());
        let no_text = AMQPValue::ByteArray(b"caf\xe9".to_vec().into());
        assert_eq!(table.inner().get("end-user"), Some(&text));
        assert_eq!(table.inner().get("baggage"), Some(&no_text));
    }

    #[test]
    fn credentials_enter_a_field_table_only_when_asked() {
        let mut table = FieldTable::default();
        captured().inject_to(&Destination::parse("rabbitmq:5672"), &mut table);
        assert_eq!(table.inner().len(), 3);
        let mut asked = FieldTable::default();
        captured().inject_to(&Destination::message_with_credentials(), &mut asked);
        assert_eq!(asked.inner().len(), 6);
    }

    #[test]
    fn every_kind_of_text_is_read_and_nothing_else() {
        let mut table = FieldTable::default();
        table.insert("x-request-id".into(), AMQPValue::ShortString("7f6c".into()));
        table.insert("tracestate".into(), AMQPValue::ByteArray(b"a=1".to_vec().into()));
        table.insert("end-user".into(), AMQPValue::Boolean(true));
        let read = onward::get_forward_headers(&table);
        assert_eq!(read.get("x-request-id"), Some(&b"7f6c"[..]));
        assert_eq!(read.get("tracestate"), Some(&b"a=1"[..]));
        assert_eq!(read.len(), 2);
    }

    #[test]
    fn a_name_longer_than_amqp_takes_stays_out_without_a_panic() {
        let propagator = onward::Propagator::builder().add("x-canary-*").build().expect("a policy");
        let name = format!("x-canary-{}", "a".repeat(300));
        let mut table = FieldTable::default();
        propagator.extract(&[(&*name, "1"), ("x-canary-b", "2")]).inject(&mut table);
        let names: Vec<_> = table.inner().keys().map(ShortString::as_str).collect();
        assert_eq!(names, ["x-canary-b"]);
    }
}
