"""The manifests follow the schemas of Kubernetes and Istio, and what they name is there."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import links
import pytest
import schema
from manifests import BASE, DEPLOY, OVERLAYS, Object, Overlay, documents, kustomize, render, resources

each_overlay = pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda overlay: overlay.folder.name)

SERVICES = {"productpage", "details", "reviews", "ratings"}


def test_there_is_an_overlay_for_each_tracer() -> None:
    names = [overlay.folder.name for overlay in OVERLAYS]
    assert names == ["datadog", "jaeger", "opentelemetry", "skywalking", "zipkin", "zipkin-w3c"]


def test_every_file_is_used() -> None:
    used = {file for overlay in OVERLAYS for file in resources(overlay.folder)}
    used |= {BASE / "kustomization.yaml"}
    used |= {overlay.folder / name for overlay in OVERLAYS for name in ("kustomization.yaml", "istio.yaml")}
    assert set(DEPLOY.rglob("*.yaml")) == used


@pytest.mark.parametrize(
    "file",
    sorted(file for file in DEPLOY.rglob("*.yaml") if file.name != "kustomization.yaml"),
    ids=lambda file: str(file.relative_to(DEPLOY)),
)
def test_a_file_follows_the_schemas(file: Path) -> None:
    assert [problem for document in documents(file) for problem in schema.problems(document)] == []


@each_overlay
def test_what_an_object_names_is_there(overlay: Overlay) -> None:
    assert links.problems(overlay.objects, overlay.providers) == []


@each_overlay
def test_the_tracer_has_the_name_of_the_overlay(overlay: Overlay) -> None:
    (telemetry,) = [document for document in overlay.objects if document["kind"] == "Telemetry"]
    name = overlay.folder.name
    assert telemetry["spec"]["tracing"] == [{"providers": [{"name": name}], "randomSamplingPercentage": 100}]
    assert overlay.providers == {name}


def test_jason_is_sent_to_reviews_v2_and_everybody_else_to_v3() -> None:
    _, virtual = documents(BASE / "reviews-by-user.yaml")
    jason, everybody = virtual["spec"]["http"]
    assert jason["match"] == [{"headers": {"end-user": {"exact": "jason"}}}]
    assert jason["route"] == [{"destination": {"host": "reviews", "subset": "v2"}}]
    assert everybody == {"route": [{"destination": {"host": "reviews", "subset": "v3"}}]}


def test_every_container_is_confined() -> None:
    templates = [
        document["spec"]["template"]["spec"] for document in OVERLAYS[0].objects if document["kind"] == "Deployment"
    ]
    assert len(templates) == 5
    for template in templates:
        assert template["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        (container,) = template["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"].keys() == {"requests", "limits"}


# -- Kustomize, where there is one


@pytest.fixture(scope="module")
def command() -> tuple[str, str]:
    found = kustomize()
    if found is None:
        pytest.skip("neither kustomize nor kubectl is on PATH: the overlays were checked file by file only")
    return found


@each_overlay
def test_what_kustomize_makes_follows_the_schemas(command: tuple[str, str], overlay: Overlay) -> None:
    objects = render(command, overlay.folder)
    assert [problem for document in objects for problem in schema.problems(document)] == []
    assert links.problems(objects, overlay.providers) == []


@each_overlay
def test_every_service_reads_what_the_overlay_says_to_onward(command: tuple[str, str], overlay: Overlay) -> None:
    objects = render(command, overlay.folder)
    (config,) = [document for document in objects if document["kind"] == "ConfigMap"]
    (generator,) = documents(overlay.folder / "kustomization.yaml")[0]["configMapGenerator"]
    assert [f"{name}={value}" for name, value in config["data"].items()] == generator["literals"]
    deployments = [document for document in objects if document["kind"] == "Deployment"]
    assert {deployment["metadata"]["labels"]["app"] for deployment in deployments} == SERVICES
    for deployment in deployments:
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert container["envFrom"] == [{"configMapRef": {"name": config["metadata"]["name"]}}]
        assert container["image"] == f"onward/{container['name']}:0.1.0"


@each_overlay
def test_all_but_the_telemetry_is_in_one_namespace(command: tuple[str, str], overlay: Overlay) -> None:
    places = {
        document["kind"]: document["metadata"].get("namespace")
        for document in render(command, overlay.folder)
        if document["metadata"].get("namespace") != "bookinfo"
    }
    assert places == {"Namespace": None, "Telemetry": "istio-system"}


def test_kustomize_refuses_a_field_that_it_does_not_know(command: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resourcs: []\n")
    with pytest.raises(AssertionError, match="resourcs"):
        render(command, tmp_path)


# -- The controls: each of these mistakes is found


def of(objects: list[Object], kind: str) -> Object:
    return next(document for document in objects if document["kind"] == kind)


def misspelt(objects: list[Object]) -> None:
    container = of(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    container["readynessProbe"] = container.pop("livenessProbe")


def misspelt_in_istio(objects: list[Object]) -> None:
    of(objects, "Telemetry")["spec"]["tracing"][0]["randomSampling"] = 100


def of_a_wrong_type(objects: list[Object]) -> None:
    of(objects, "Service")["spec"]["ports"][0]["port"] = "9080"


def of_a_wrong_type_in_istio(objects: list[Object]) -> None:
    of(objects, "Gateway")["spec"]["servers"][0]["hosts"] = "*"


def of_an_unknown_kind(objects: list[Object]) -> None:
    of(objects, "VirtualService")["apiVersion"] = "networking.istio.io/v9"


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (misspelt, "Deployment: spec.template.spec.containers.0.readynessProbe: Extra inputs are not permitted"),
        (misspelt_in_istio, "Telemetry: spec.tracing.0.randomSampling: Extra inputs are not permitted"),
        (of_a_wrong_type, "Service: spec.ports.0.port: Input should be a valid integer"),
        (of_a_wrong_type_in_istio, "Gateway: spec.servers.0.hosts: Input should be a valid array"),
        (of_an_unknown_kind, "there is no VirtualService in networking.istio.io/v9"),
    ],
)
def test_the_schemas_find(mistake: Callable[[list[Object]], None], message: str) -> None:
    objects = copy.deepcopy(OVERLAYS[0].objects)
    mistake(objects)
    assert [problem for document in objects for problem in schema.problems(document)] == [message]


def selecting_nothing(objects: list[Object]) -> None:
    of(objects, "Service")["spec"]["selector"]["app"] = "frontpage"


def to_no_subset(objects: list[Object]) -> None:
    of(objects, "DestinationRule")["spec"]["subsets"].pop()


def to_an_empty_subset(objects: list[Object]) -> None:
    of(objects, "DestinationRule")["spec"]["subsets"][0]["labels"]["version"] = "v9"


def to_no_account(objects: list[Object]) -> None:
    objects.remove(of(objects, "ServiceAccount"))


def to_no_gateway(objects: list[Object]) -> None:
    objects.remove(of(objects, "Gateway"))


def to_no_provider(objects: list[Object]) -> None:
    of(objects, "Telemetry")["spec"]["tracing"][0]["providers"][0]["name"] = "lightstep"


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (selecting_nothing, "Service productpage: selects nothing"),
        (to_no_subset, "VirtualService reviews: reviews has no subset v3"),
        (to_an_empty_subset, "DestinationRule reviews: the subset v2 is empty"),
        (to_no_account, "Deployment productpage-v1: there is no ServiceAccount productpage"),
        (to_no_gateway, "VirtualService bookinfo: there is no Gateway bookinfo"),
        (to_no_provider, "Telemetry: no extensionProviders define lightstep"),
    ],
)
def test_a_name_that_leads_nowhere_is_found(mistake: Callable[[list[Object]], None], message: str) -> None:
    overlay = OVERLAYS[0]
    objects = copy.deepcopy(overlay.objects)
    mistake(objects)
    assert links.problems(objects, overlay.providers) == [message]


# -- What the README says


@each_overlay
def test_the_readme_names_the_presets_of_each_overlay(overlay: Overlay) -> None:
    rows = [line.split("|") for line in (DEPLOY / "README.md").read_text().splitlines() if line.startswith("| `")]
    presets = {row[1].strip(" `"): row[3].strip(" `") for row in rows}
    (generator,) = documents(overlay.folder / "kustomization.yaml")[0]["configMapGenerator"]
    assert generator["literals"] == [f"ONWARD_PRESETS={presets[overlay.folder.name]}"]
