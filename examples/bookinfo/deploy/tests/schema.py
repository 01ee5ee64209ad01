"""The schemas of Kubernetes, of Istio and of the part of MeshConfig that is used here, all of them strict."""

from __future__ import annotations

import json
from typing import Any, Literal

import cloudcoil.pydantic
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

# Before the models are made: a field that they do not know is an error, and so is "9080" for a number.
cloudcoil.pydantic.BaseModel.model_config.update(extra="forbid", strict=True)

from cloudcoil.models.istio.networking import v1 as networking  # noqa: E402
from cloudcoil.models.istio.telemetry import v1 as telemetry  # noqa: E402
from cloudcoil.models.kubernetes.apps import v1 as apps  # noqa: E402
from cloudcoil.models.kubernetes.core import v1 as core  # noqa: E402


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Collector(Strict):
    service: str = Field(pattern=r"^([a-z0-9-]+/)?[a-z0-9.-]+$")
    port: int = Field(ge=1, le=65535)


class Zipkin(Collector):
    traceContextOption: Literal["USE_B3", "USE_B3_WITH_W3C_PROPAGATION"] = "USE_B3"


class ExtensionProvider(Strict):
    name: str
    zipkin: Zipkin | None = None
    opentelemetry: Collector | None = None
    datadog: Collector | None = None
    skywalking: Collector | None = None

    @model_validator(mode="after")
    def has_one_tracer(self) -> ExtensionProvider:
        if len(self.model_fields_set) != 2:
            raise ValueError("a provider has a name and one tracer")
        return self


class DefaultConfig(Strict):
    tracing: dict[str, Any] = Field(max_length=0)


class MeshConfig(Strict):
    enableTracing: Literal[True]
    defaultConfig: DefaultConfig
    extensionProviders: list[ExtensionProvider] = Field(min_length=1)


class OperatorSpec(Strict):
    meshConfig: MeshConfig


class IstioOperator(Strict):
    apiVersion: Literal["install.istio.io/v1alpha1"]
    kind: Literal["IstioOperator"]
    spec: OperatorSpec


MODELS: dict[tuple[str, str], type[BaseModel]] = {
    ("v1", "ConfigMap"): core.ConfigMap,
    ("v1", "Namespace"): core.Namespace,
    ("v1", "Service"): core.Service,
    ("v1", "ServiceAccount"): core.ServiceAccount,
    ("apps/v1", "Deployment"): apps.Deployment,
    ("networking.istio.io/v1", "DestinationRule"): networking.DestinationRule,
    ("networking.istio.io/v1", "Gateway"): networking.Gateway,
    ("networking.istio.io/v1", "VirtualService"): networking.VirtualService,
    ("telemetry.istio.io/v1", "Telemetry"): telemetry.Telemetry,
    ("install.istio.io/v1alpha1", "IstioOperator"): IstioOperator,
}


def problems(document: dict[str, Any]) -> list[str]:
    """What the schema of its kind has against a document."""
    version, kind = document.get("apiVersion", ""), document.get("kind", "")
    model = MODELS.get((version, kind))
    if model is None:
        return [f"there is no {kind} in {version}"]
    try:
        model.model_validate_json(json.dumps(document))
    except ValidationError as error:
        return [f"{kind}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    return []
