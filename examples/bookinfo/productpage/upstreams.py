"""The services that productpage asks, and what it makes of their failures."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
from prometheus_client import CollectorRegistry, Counter

log = logging.getLogger("productpage")

TIMEOUT_SECONDS = 3.0
REVIEWS_ATTEMPTS = 2
DEFAULT_PORT = "9080"


@dataclass(frozen=True)
class Service:
    """One upstream: its name, which is also its path, and its base address."""

    name: str
    address: str

    @classmethod
    def from_env(cls, name: str, env: Mapping[str, str]) -> Service:
        host = env.get(f"{name.upper()}_HOSTNAME") or name
        port = env.get(f"{name.upper()}_SERVICE_PORT") or DEFAULT_PORT
        domain = env.get("SERVICES_DOMAIN")
        return cls(name, f"http://{host}{'.' + domain if domain else ''}:{port}")


@dataclass(frozen=True)
class Answer:
    """What an upstream said: its status and JSON, or the status to pass on and `{"error": text}`."""

    status: int
    body: Any

    @property
    def ok(self) -> bool:
        return self.status == 200


class Upstreams:
    """Details, reviews and ratings. Every call opens its own connection, as Bookinfo's productpage does."""

    def __init__(self, env: Mapping[str, str], registry: CollectorRegistry) -> None:
        self.services = {name: Service.from_env(name, env) for name in ("details", "reviews", "ratings")}
        self._results = Counter(
            "request_result",
            "Results of the requests to the upstream services",
            ["destination_app", "response_code"],
            registry=registry,
        )

    def details(self, product_id: str, headers: dict[str, Any]) -> Answer:
        return self._ask("details", product_id, headers)

    def ratings(self, product_id: str, headers: dict[str, Any]) -> Answer:
        return self._ask("ratings", product_id, headers)

    def reviews(self, product_id: str, headers: dict[str, Any]) -> Answer:
        """Tries twice, on purpose: with 3 s each, a fault injected as a 7 s delay of ratings shows as a bug to find."""
        return self._ask("reviews", product_id, headers, attempts=REVIEWS_ATTEMPTS)

    def flood_reviews(self, product_id: str, headers: dict[str, Any], times: int) -> None:
        """Asks for the reviews `times` times, at most 32 at once, and drops the answers."""
        if times <= 0:
            return
        with ThreadPoolExecutor(max_workers=min(times, 32)) as pool:
            for _ in range(times):
                # In a copy of the context each: what belongs to the request goes along into the thread.
                pool.submit(copy_context().run, self.reviews, product_id, headers)

    def _ask(self, name: str, product_id: str, headers: dict[str, Any], attempts: int = 1) -> Answer:
        url = f"{self.services[name].address}/{name}/{quote(product_id, safe='')}"
        status = 500
        for _ in range(attempts):
            try:
                response = _get(url, headers)
                status = response.status_code
                if status == 200:
                    answer = Answer(200, response.json())
                    break
            except (requests.RequestException, ValueError) as error:
                status = 500
                log.warning("%s: %s", url, error)
        else:
            text = f"Sorry, product {name} are currently unavailable for this book."
            answer = Answer(status, {"error": text})
        self._results.labels(destination_app=name, response_code=answer.status).inc()
        return answer


def _get(url: str, headers: dict[str, Any]) -> requests.Response:
    with requests.Session() as session:
        # A proxy or a .netrc of the machine must not come between, and replace `authorization`.
        session.trust_env = False
        # A redirect could lead the forwarded credentials out of the mesh; no upstream needs one.
        return session.get(url, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False)
