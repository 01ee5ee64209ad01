"""What the package says about itself."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import onward

ROOT = Path(__file__).parents[1]
PACKAGE = Path(onward.__file__).parent
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
EXTRAS = dict(
    re.findall(
        r'^([a-z0-9]+) = \["(.+)"\]$', PROJECT.split("[project.optional-dependencies]")[1].split("\n[")[0], re.MULTILINE
    )
)


def test_there_is_an_extra_for_every_library_that_has_a_file() -> None:
    files = {
        path.stem for folder in ("clients", "servers", "messages") for path in (PACKAGE / folder).glob("[a-z]*.py")
    }
    standard_library = {"http_client", "urllib_request", "asgi", "wsgi"}
    assert {"requests", "aiohttp", "grpc", "flask"} <= files
    assert files - standard_library <= set(EXTRAS)


def test_an_extra_installs_what_it_is_named_after() -> None:
    assert {name for name, needs in EXTRAS.items() if not needs.startswith(f"{name}>=")} == {"grpc", "opentelemetry"}
    assert EXTRAS["grpc"].startswith("grpcio>=")
    assert EXTRAS["opentelemetry"].startswith("opentelemetry-api>=")


def test_the_types_and_licences_come_along() -> None:
    assert (PACKAGE / "py.typed").exists()
    assert (PACKAGE / "_native.pyi").exists()
    for name in ("LICENSE-APACHE", "LICENSE-MIT"):
        assert (ROOT / name).read_text(encoding="utf-8") == (ROOT.parents[1] / name).read_text(encoding="utf-8")


def test_it_is_installed_where_it_says_that_it_runs() -> None:
    oldest = re.search(r'requires-python = ">=3\.(\d+)"', PROJECT)
    assert oldest is not None
    assert sys.version_info >= (3, int(oldest[1]))
    assert f"abi3-py3{oldest[1]}" in (ROOT / "Cargo.toml").read_text(encoding="utf-8")
