"""What one object says of another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from manifests import Object


def problems(objects: list[Object], providers: set[str]) -> list[str]:
    """Names and labels that lead nowhere. `providers`: the tracers that Istio was installed with."""
    found = _Objects(objects)
    problems = [
        *_deployments(found),
        *_services(found),
        *_subsets(found),
        *_routes(found),
    ]
    for telemetry in found.of("Telemetry"):
        for tracing in telemetry["spec"]["tracing"]:
            named = {provider["name"] for provider in tracing["providers"]}
            problems += [f"Telemetry: no extensionProviders define {name}" for name in named - providers]
    return problems


class _Objects:
    def __init__(self, objects: list[Object]) -> None:
        self._objects = objects

    def of(self, kind: str) -> list[Object]:
        return [document for document in self._objects if document["kind"] == kind]

    def named(self, kind: str, name: str) -> Object | None:
        return next((document for document in self.of(kind) if document["metadata"]["name"] == name), None)

    def selected(self, labels: dict[str, str]) -> list[dict[str, Any]]:
        """The pod templates that have all of these labels."""
        templates = [deployment["spec"]["template"] for deployment in self.of("Deployment")]
        return [template for template in templates if labels.items() <= template["metadata"]["labels"].items()]


def _deployments(found: _Objects) -> Iterator[str]:
    for deployment in found.of("Deployment"):
        name, spec = deployment["metadata"]["name"], deployment["spec"]
        if spec["template"] not in found.selected(spec["selector"]["matchLabels"]):
            yield f"Deployment {name}: selects other pods than its own"
        account = spec["template"]["spec"]["serviceAccountName"]
        if not found.named("ServiceAccount", account):
            yield f"Deployment {name}: there is no ServiceAccount {account}"
        for container in spec["template"]["spec"]["containers"]:
            ports = {port["name"] for port in container["ports"]}
            for probe in ("readinessProbe", "livenessProbe"):
                if container[probe]["httpGet"]["port"] not in ports:
                    yield f"Deployment {name}: {probe} asks a port that there is not"


def _services(found: _Objects) -> Iterator[str]:
    for service in found.of("Service"):
        name = service["metadata"]["name"]
        templates = found.selected(service["spec"]["selector"])
        if not templates:
            yield f"Service {name}: selects nothing"
        for port in service["spec"]["ports"]:
            if port["name"] != "http":
                yield f"Service {name}: Istio takes {port['name']} for no HTTP"
            for template in templates:
                named = {p["name"] for container in template["spec"]["containers"] for p in container["ports"]}
                if port["targetPort"] not in named:
                    yield f"Service {name}: no container has a port {port['targetPort']}"


def _subsets(found: _Objects) -> Iterator[str]:
    for rule in found.of("DestinationRule"):
        host = rule["spec"]["host"]
        service = found.named("Service", host)
        if service is None:
            yield f"DestinationRule {host}: there is no Service of this name"
            continue
        for subset in rule["spec"]["subsets"]:
            if not found.selected(service["spec"]["selector"] | subset["labels"]):
                yield f"DestinationRule {host}: the subset {subset['name']} is empty"


def _routes(found: _Objects) -> Iterator[str]:
    subsets = {
        (rule["spec"]["host"], subset["name"])
        for rule in found.of("DestinationRule")
        for subset in rule["spec"]["subsets"]
    }
    for virtual in found.of("VirtualService"):
        name = virtual["metadata"]["name"]
        for gateway in virtual["spec"].get("gateways", []):
            if not found.named("Gateway", gateway):
                yield f"VirtualService {name}: there is no Gateway {gateway}"
        for route in (route for http in virtual["spec"]["http"] for route in http["route"]):
            destination = route["destination"]
            host, subset = destination["host"], destination.get("subset")
            service = found.named("Service", host)
            if service is None:
                yield f"VirtualService {name}: there is no Service {host}"
            elif "port" in destination and destination["port"]["number"] not in {
                port["port"] for port in service["spec"]["ports"]
            }:
                yield f"VirtualService {name}: {host} has no such port"
            if subset is not None and (host, subset) not in subsets:
                yield f"VirtualService {name}: {host} has no subset {subset}"
