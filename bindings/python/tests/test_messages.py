"""Messages: what goes into them and comes out, through the codecs and brokers that the libraries bring along."""

from __future__ import annotations

import threading

import aiokafka
import kombu
import onward
import pika
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from headers import BOOKINFO
from onward import messages

CREDENTIALS = {"cookie", "authorization", "jwt"}
ALL = dict(BOOKINFO)
ALLOWED = {name: value for name, value in ALL.items() if name not in CREDENTIALS}


def test_a_dict_carries_a_request_to_its_reader_without_credentials() -> None:
    with onward.scope(ALL):
        message = messages.inject({"priority": 3})
    assert message == {"priority": 3} | ALLOWED
    assert messages.extract(message) == ALLOWED


def test_credentials_enter_a_message_only_when_asked() -> None:
    with onward.scope(ALL):
        assert messages.inject({}, credentials=True) == ALL
        assert messages.inject({}, credentials=False) == ALLOWED


def test_a_list_gets_bytes_and_repeated_lines() -> None:
    with onward.scope([("tracestate", "a=1"), ("tracestate", "b=2"), ("cookie", "a=b"), ("end-user", b"jos\xe9")]):
        message = messages.inject([("priority", b"3")])
        table = messages.inject({})
    assert message == [("priority", b"3"), ("tracestate", b"a=1"), ("tracestate", b"b=2"), ("end-user", b"jos\xe9")]
    assert table == {"tracestate": "a=1,b=2", "end-user": b"jos\xe9"}


def test_text_in_a_message_is_utf_8_and_in_a_request_one_character_a_byte() -> None:
    with onward.scope({"end-user": "jos\xe9".encode()}) as captured:
        assert messages.inject({}) == {"end-user": "jos\xe9"}
        assert messages.inject([]) == [("end-user", b"jos\xc3\xa9")]
    for message in ({"end-user": "jos\xe9"}, {"end-user": b"jos\xc3\xa9"}, [("end-user", b"jos\xc3\xa9")]):
        assert messages.extract(message) == captured
    assert captured["end-user"] == "jos\xc3\xa9"


@pytest.mark.parametrize(
    "message", [{"TraceParent": "mine"}, {"tracestate": ""}, {"traceparent": None}, {"traceparent": 7}]
)
def test_what_the_producer_has_set_wins_with_its_family_whatever_it_is(message: dict) -> None:
    before = dict(message)
    with onward.scope({"traceparent": "00-1", "tracestate": "a=1", "end-user": "jason"}):
        messages.inject(message)
    assert message == before | {"end-user": "jason"}


def test_outside_a_request_a_message_stays_as_it_is() -> None:
    properties = pika.BasicProperties()
    unwritable = object()
    for message in ({}, [], properties, unwritable, None):
        assert messages.inject(message, credentials=True) is message
    assert properties.headers is None
    assert messages.explain({}).rows == []


def test_a_message_without_headers_is_a_request_without_headers() -> None:
    for message in (None, {}, [], (), pika.BasicProperties()):
        assert dict(messages.extract(message)) == {}


def test_what_holds_no_headers_is_an_error_that_says_so() -> None:
    class Hostile:
        @property
        def headers(self) -> None:
            raise RuntimeError

    for message in ("x-request-id: 7", 7, object(), Hostile()):
        with pytest.raises(onward.CarrierError):
            messages.extract(message)
        with onward.scope({"x-request-id": "7f6c"}), pytest.raises(onward.CarrierError):
            messages.inject(message)


def test_values_that_are_no_text_are_dropped_and_said_so() -> None:
    captured = messages.extract(
        {"x-request-id": "7f6c", "end-user": 7, "jwt": "\ud800", "cookie": None, "other": object()}
    )
    assert dict(captured) == {"x-request-id": "7f6c"}
    assert sorted(captured.dropped) == [("cookie", "not_text"), ("end-user", "not_text"), ("jwt", "not_latin1")]


def test_explain_says_what_a_message_holds_back_and_why() -> None:
    with onward.scope({"x-request-id": "7f6c", "end-user": "jason", "cookie": "a=b"}):
        explanation = messages.explain({"end-user": "me"})
        asked = messages.explain(credentials=True)
    assert [(row["name"], row["outcome"], row["rule"]) for row in explanation] == [
        ("x-request-id", "forwarded", "R1"),
        ("end-user", "held_back", "R6"),
        ("cookie", "held_back", "R8"),
    ]
    assert "a message, which is stored" in str(explanation)
    assert [row["outcome"] for row in asked] == ["forwarded"] * 3


def test_a_policy_of_ones_own_reads_messages() -> None:
    propagator = onward.Propagator(add="x-tenant-id")
    message = {"x-tenant-id": "blue", "end-user": "jason"}
    assert messages.extract(message, propagator=propagator) == message
    assert messages.extract(message) == {"end-user": "jason"}


def through_amqp(properties: pika.BasicProperties) -> pika.BasicProperties:
    received = pika.BasicProperties()
    received.decode(b"".join(properties.encode()))
    return received


def test_pika_properties_carry_a_request_to_its_reader() -> None:
    with onward.scope(ALL):
        first = messages.inject(pika.BasicProperties(content_type="text/plain"))
        second = messages.inject(pika.BasicProperties(headers={"priority": 3, "x-request-id": "mine"}))
    received = through_amqp(first)
    assert (received.content_type, received.headers) == ("text/plain", ALLOWED)
    assert messages.extract(received) == ALLOWED
    assert messages.extract(received.headers) == ALLOWED
    assert through_amqp(second).headers == ALLOWED | {"priority": 3, "x-request-id": "mine"}


@pytest.mark.parametrize("value", [b"jos\xc3\xa9", b"jos\xe9", b"\xff\xfe"])
def test_pika_carries_every_value_byte_for_byte(value: bytes) -> None:
    with onward.scope({"end-user": value}) as captured:
        properties = messages.inject(pika.BasicProperties())
    assert value in b"".join(properties.encode())
    assert messages.extract(through_amqp(properties)) == captured


def test_the_wire_holds_text_and_bytes_as_in_the_other_languages() -> None:
    """The same table stands in the tests of Node and, as values of lapin, in those of Rust."""
    table = b"\x08end-userS\x00\x00\x00\x05jos\xc3\xa9\x07baggagex\x00\x00\x00\x04caf\xe9"
    with onward.scope({"end-user": b"jos\xc3\xa9", "baggage": b"caf\xe9"}):
        assert table in b"".join(messages.inject(pika.BasicProperties()).encode())


def test_a_name_longer_than_amqp_takes_stays_out_of_a_table() -> None:
    name = "x-canary-" + "a" * 300
    with onward.scope(onward.Propagator(add="x-canary-*").extract({name: "1", "x-canary-b": "2"})):
        assert through_amqp(messages.inject(pika.BasicProperties())).headers == {"x-canary-b": "2"}
        assert messages.inject([]) == [(name, b"1"), ("x-canary-b", b"2")]


class Broker:
    """librdkafka's own broker: a real one as far as clients can tell."""

    def __init__(self) -> None:
        self.producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
        brokers = self.producer.list_topics(timeout=20).brokers.values()
        self.servers = [f"{broker.host}:{broker.port}" for broker in brokers]


@pytest.fixture
def broker() -> Broker:
    return Broker()


def test_kafka_carries_a_request_to_its_reader_without_credentials(broker) -> None:
    producer = broker.producer
    with onward.scope(ALL):
        producer.produce("ratings", b"with", headers=messages.inject([("priority", b"3")]), partition=0)
    producer.produce("ratings", b"without", headers=messages.inject([]), partition=0)
    assert producer.flush(20) == 0
    consumer = Consumer({"bootstrap.servers": ",".join(broker.servers), "group.id": "ratings", "log_level": 0})
    consumer.assign([TopicPartition("ratings", 0, 0)])
    first, second = consumer.consume(2, timeout=20)
    consumer.close()
    assert first.headers() == [("priority", b"3"), *((name, value.encode()) for name, value in ALLOWED.items())]
    seen = []
    for message in (first, second):
        with onward.scope(messages.extract(message.headers())):
            # A consumer hands work to a thread as a handler does.
            worker = threading.Thread(target=onward.carry(lambda: seen.append(dict(onward.current()))))
            worker.start()
            worker.join()
    assert seen == [ALLOWED, {}]
    assert not onward.current()


async def test_aiokafka_keeps_repeated_lines_and_bytes(broker) -> None:
    servers = broker.servers
    inbound = [("tracestate", "a=1"), ("tracestate", "b=2"), ("cookie", "a=b"), ("end-user", b"jos\xe9")]
    async with aiokafka.AIOKafkaProducer(bootstrap_servers=servers) as producer:
        with onward.scope(inbound):
            await producer.send_and_wait("reviews", b"with", headers=messages.inject([]), partition=0)
        await producer.send_and_wait("reviews", b"without", headers=messages.inject([]), partition=0)
    async with aiokafka.AIOKafkaConsumer(
        "reviews", bootstrap_servers=servers, auto_offset_reset="earliest"
    ) as consumer:
        first, second = [await consumer.getone(), await consumer.getone()]
    assert first.headers == (("tracestate", b"a=1"), ("tracestate", b"b=2"), ("end-user", b"jos\xe9"))
    for record in (first, first.headers):
        assert messages.extract(record).lines() == [
            ("tracestate", "a=1"),
            ("tracestate", "b=2"),
            ("end-user", "jos\xe9"),
        ]
    assert messages.extract(second).lines() == []


@pytest.mark.filterwarnings("ignore:(read|open)_text is deprecated:DeprecationWarning")
def test_records_of_kafka_python_keep_repeated_lines_and_bytes() -> None:
    from kafka.record import MemoryRecords, MemoryRecordsBuilder

    with onward.scope([("tracestate", "a=1"), ("tracestate", "b=2"), ("end-user", b"jos\xe9")]) as captured:
        builder = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=10_000)
        builder.append(timestamp=0, key=None, value=b"", headers=messages.inject([]))
    builder.close()
    (record,) = next(iter(MemoryRecords(builder.buffer())))
    assert messages.extract(record.headers).lines() == captured.lines()


def test_kombu_carries_a_request_to_its_reader() -> None:
    with kombu.Connection("memory://", transport_options={"polling_interval": 0.01}) as connection:
        queue = connection.SimpleQueue("ratings")
        with onward.scope(ALL):
            queue.put("with", headers=messages.inject({"priority": 3}))
        queue.put("without", headers=messages.inject({}))
        first, second = [queue.get(timeout=20), queue.get(timeout=20)]
        queue.close()
    assert messages.extract(first.headers) == ALLOWED
    assert messages.extract(first) == ALLOWED
    assert dict(messages.extract(second.headers)) == {}
