"""The Dockerfiles, as far as can be said without building them."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser
from manifests import DEPLOY

ROOT = DEPLOY.parent.parent.parent
# Where pip has put it, or on PATH.
HADOLINT = shutil.which("hadolint", path=os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]))
FILES = sorted((DEPLOY / "images").iterdir())
each_image = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


def instructions(file: Path) -> list[tuple[str, str]]:
    parser = DockerfileParser(str(file), cache_content=True)
    return [(part["instruction"], part["value"]) for part in parser.structure if part["instruction"] != "COMMENT"]


def values(file: Path, name: str) -> list[str]:
    return [value for instruction, value in instructions(file) if instruction == name]


def lint(file: Path) -> list[str]:
    assert HADOLINT, "hadolint is not installed"
    run = subprocess.run([HADOLINT, "--format", "json", file], capture_output=True, text=True, check=False)
    return [finding["code"] for finding in json.loads(run.stdout)]


def missing(file: Path) -> list[str]:
    """The sources of COPY that git does not have in this repository, and the stages that there are not."""
    stages = {words[2] for value in values(file, "FROM") if len(words := value.split()) == 3}
    found = []
    for value in values(file, "COPY"):
        *sources, _ = [word for word in shlex.split(value) if not word.startswith("--")]
        stage = next((word.removeprefix("--from=") for word in value.split() if word.startswith("--from=")), None)
        if stage is not None:
            found += [] if stage in stages else [stage]
            continue
        found += [source for source in sources if not committed(source)]
    return found


def committed(path: str) -> bool:
    run = subprocess.run(["git", "ls-files", "--", path], cwd=ROOT, capture_output=True, text=True, check=True)
    return run.stdout != ""


def test_there_is_an_image_for_each_service() -> None:
    assert [file.name.split(".")[0] for file in FILES] == ["details", "productpage", "ratings", "reviews"]


@each_image
def test_hadolint_finds_nothing(file: Path) -> None:
    assert lint(file) == []


@each_image
def test_what_is_copied_is_in_the_repository(file: Path) -> None:
    assert missing(file) == []


@each_image
def test_the_program_is_no_root_and_listens_where_the_service_looks(file: Path) -> None:
    last = instructions(file)[[name for name, _ in instructions(file)].index("USER") :]
    assert last[:2] == [("USER", "65532:65532"), ("EXPOSE", "9080")]
    assert [name for name, _ in last[2:]] in (["ENTRYPOINT"], ["ENTRYPOINT", "CMD"])


@each_image
def test_what_builds_is_not_in_the_image(file: Path) -> None:
    *_, last = values(file, "FROM")
    assert last == "scratch" or "-slim-" in last or last.endswith("-slim")


def test_hadolint_finds_a_base_without_a_version(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM debian\nUSER 65532\n")
    assert lint(file) == ["DL3006"]


def test_hadolint_finds_an_instruction_that_there_is_not(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM scratch\nCOPPY a b\n")
    assert lint(file) == ["DL1000"]


def test_a_source_that_is_not_there_is_found(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM scratch\nCOPY README.md READMEE.md ./\nCOPY --from=nobody /a /b\n")
    assert missing(file) == ["READMEE.md", "nobody"]
