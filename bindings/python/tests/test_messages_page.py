"""The code in docs/python/messages.md runs, and whoever reads a message calls with its headers."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import onward
import onward.messages.celery
import pika
import pytest
import requests
from celery.contrib.testing.worker import start_worker
from confluent_kafka import Consumer, Producer, TopicPartition
from headers import BOOKINFO

PAGE = (Path(__file__).parents[3] / "docs/python/messages.md").read_text()
CELERY, CREDENTIALS, WRITE, READ, PIKA, EXPLAIN = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

ALL = dict(BOOKINFO)
ALLOWED = {name: value for name, value in ALL.items() if name not in {"cookie", "authorization", "jwt"}}


@pytest.fixture
def ratings(server):
    """Runs code of the page with a real service as `ratings`, and tells what that has received of each request."""

    def run(code: str, names: dict) -> dict:
        assert "http://ratings:9080" in code
        exec(code.replace("http://ratings:9080", server.url).replace("amqp://rabbitmq", "memory://"), names)
        return names

    def received() -> list[dict]:
        return [{name: value for name, value in lines.items() if name in ALL} for lines in server.headers("/ratings/0")]

    onward.instrument("requests")
    yield run, received
    onward.uninstrument()


def test_a_task_calls_with_the_headers_of_the_request_that_has_sent_it(server, ratings) -> None:
    run, received = ratings
    done = threading.Semaphore(0)
    server.before_answering = lambda _path: done.release()
    names = run(CELERY, {"__name__": "worker"})
    names["app"].conf.update(worker_hijack_root_logger=False, broker_transport_options={"polling_interval": 0.01})
    try:
        with start_worker(names["app"], pool="solo", perform_ping_check=False):
            with onward.scope(ALL):
                names["rate"].delay(0)
            assert done.acquire(timeout=20)
            exec(CREDENTIALS, {})
            with onward.scope(ALL):
                names["rate"].delay(0)
            assert done.acquire(timeout=20)
    finally:
        onward.messages.celery.uninstall()
    assert received() == [ALLOWED, ALL]


def test_a_consumer_of_kafka_calls_with_the_headers_of_its_message(ratings) -> None:
    run, received = ratings
    producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    servers = ",".join(f"{broker.host}:{broker.port}" for broker in producer.list_topics(timeout=20).brokers.values())
    with onward.scope(ALL):
        exec(WRITE, {"producer": producer})
    assert producer.flush(20) == 0
    partitions = producer.list_topics("ratings", timeout=20).topics["ratings"].partitions
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "ratings", "log_level": 0})
    consumer.assign([TopicPartition("ratings", partition, 0) for partition in partitions])
    try:
        run(READ, {"consumer": consumer, "onward": onward, "messages": onward.messages, "requests": requests})
    finally:
        consumer.close()
    assert received() == [ALLOWED]


def test_a_consumer_of_rabbitmq_calls_with_the_headers_of_its_message(ratings) -> None:
    run, received = ratings

    class Channel:
        """What a broker does: it gives the properties to the consumer as pika has written them to the wire."""

        def basic_publish(self, exchange: str, routing_key: str, body: bytes, properties: pika.BasicProperties) -> None:
            self.sent = pika.BasicProperties()
            self.sent.decode(b"".join(properties.encode()))

    channel = Channel()
    names = {"channel": channel, "onward": onward, "messages": onward.messages, "pika": pika, "requests": requests}
    with onward.scope(ALL):
        run(PIKA, names)
    assert channel.sent.priority == 3
    names["on_message"](channel, None, channel.sent, b"5")
    assert received() == [ALLOWED]


def test_the_page_explains_what_is_held_back(capsys) -> None:
    exec(EXPLAIN, {"onward": onward, "messages": onward.messages, "request": ALL})
    printed = capsys.readouterr().out
    assert "a message, which is stored" in printed
    assert printed.count("held_back") == 3
