"""The manifests, as they stand in the files and as Kustomize puts them together."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]

DEPLOY = Path(__file__).parent.parent
BASE = DEPLOY / "base"


def documents(file: Path) -> list[Object]:
    return list(yaml.safe_load_all(file.read_text()))


def resources(folder: Path) -> list[Path]:
    """The files of objects that a kustomization lists, those of its bases included."""
    files: list[Path] = []
    for entry in documents(folder / "kustomization.yaml")[0]["resources"]:
        path = (folder / entry).resolve()
        files += resources(path) if path.is_dir() else [path]
    return files


@dataclass(frozen=True)
class Overlay:
    """One tracing provider."""

    folder: Path

    @property
    def objects(self) -> list[Object]:
        """What the files have, without what Kustomize adds to it."""
        return [document for file in resources(self.folder) for document in documents(file)]

    @property
    def istio(self) -> Object:
        """What Istio is installed with."""
        return documents(self.folder / "istio.yaml")[0]

    @property
    def providers(self) -> set[str]:
        return {provider["name"] for provider in self.istio["spec"]["meshConfig"]["extensionProviders"]}


OVERLAYS = [Overlay(folder) for folder in sorted((DEPLOY / "overlays").iterdir())]


def kustomize() -> tuple[str, str] | None:
    """The command that renders a kustomization, if the machine has one."""
    for command in (("kustomize", "build"), ("kubectl", "kustomize")):
        if shutil.which(command[0]):
            return command
    return None


@cache
def render(command: tuple[str, str], folder: Path) -> list[Object]:
    run = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return list(yaml.safe_load_all(run.stdout))
