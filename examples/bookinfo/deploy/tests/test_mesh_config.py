"""What Istio is installed with: by the schema written here, and by Istio's own types where Go can build them."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import schema
from manifests import OVERLAYS, Object

PROGRAM = Path(__file__).parent / "mesh_config"
GO = (1, 24)

MISTAKES = [
    ("a misspelt field", {"name": "zipkin", "zipkin": {"service": "zipkin", "prot": 9411}}),
    ("a wrong type", {"name": "zipkin", "zipkin": {"service": "zipkin", "port": "many"}}),
    ("an unknown tracer", {"name": "zipkin", "zipkn": {"service": "zipkin", "port": 9411}}),
    (
        "an unknown option",
        {"name": "zipkin", "zipkin": {"service": "zipkin", "port": 9411, "traceContextOption": "USE_W3C"}},
    ),
    (
        "two tracers in one provider",
        {
            "name": "zipkin",
            "zipkin": {"service": "zipkin", "port": 9411},
            "datadog": {"service": "datadog", "port": 8126},
        },
    ),
]
each_mistake = pytest.mark.parametrize("provider", [p for _, p in MISTAKES], ids=[what for what, _ in MISTAKES])
each_overlay = pytest.mark.parametrize("istio", [o.istio for o in OVERLAYS], ids=[o.folder.name for o in OVERLAYS])


def with_provider(provider: Object) -> Object:
    istio = copy.deepcopy(OVERLAYS[0].istio)
    istio["spec"]["meshConfig"]["extensionProviders"] = [provider]
    return istio


@each_mistake
def test_the_schema_finds(provider: Object) -> None:
    assert schema.problems(with_provider(provider)) != []


# -- Istio's own types


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    version = go_version()
    if version < GO:
        pytest.skip("there is no Go 1.24 or newer: MeshConfig was checked by the schema of these tests only")
    built = tmp_path_factory.mktemp("go") / "mesh_config"
    environment = os.environ | {"GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    run = subprocess.run(
        ["go", "build", "-o", str(built), "."],
        cwd=PROGRAM,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return built


def go_version() -> tuple[int, ...]:
    if not shutil.which("go"):
        return (0,)
    run = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=False)
    numbers = run.stdout.strip().removeprefix("go").split(".")[:2]
    return tuple(int(number) for number in numbers if number.isdecimal())


def ask(program: Path, istio: Object) -> subprocess.CompletedProcess[str]:
    text = json.dumps(istio["spec"]["meshConfig"])
    return subprocess.run([program], input=text, capture_output=True, text=True, check=False)


@each_overlay
def test_istio_takes_the_mesh_config(program: Path, istio: Object) -> None:
    run = ask(program, istio)
    assert (run.returncode, run.stderr) == (0, "")


@each_mistake
def test_istio_refuses(program: Path, provider: Object) -> None:
    run = ask(program, with_provider(provider))
    assert run.returncode == 1
    assert run.stderr.startswith("proto:")
