"""The command `onward-run`, which is `python -m onward` too."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from onward._errors import PolicyError
from onward._native import __version__, default

from .start import EXPLAIN, FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# As argparse and shells have it.
MISTAKE, CANNOT_RUN, NOT_FOUND = 2, 126, 127

_DESCRIPTION = """\
Run a program so that it forwards the trace and context headers of each request that it serves to every request that it
sends, without a change to it.

  onward-run gunicorn --workers 4 app:app
  onward-run uvicorn app:app --reload
  onward-run flask run
  onward-run python manage.py runserver
  onward-run app.py
"""

_EPILOG = """\
The command takes this one's place: same process, same signals, its own exit status. Programs of the environment that
onward is installed in are found first, then those on PATH; a file whose name ends in .py runs under this Python. What
is forwarded is set by ONWARD_PRESETS, ONWARD_HEADERS, ONWARD_MESH_HOSTS and ONWARD_TRACE_DESTINATIONS.
"""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Become the command. Exits with 2 for a mistake in the options or the policy, 127 if there is no such command."""
    parser = argparse.ArgumentParser(
        prog=None if Path(sys.argv[0]).name != "__main__.py" else "python -m onward",
        usage="%(prog)s [--explain] COMMAND [ARGUMENT ...]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--explain", action="store_true", help="tell on stderr what is forwarded, and what was hooked")
    parser.add_argument("--version", action="version", version=f"onward {__version__}")
    parser.add_argument("command", metavar="COMMAND", nargs=argparse.REMAINDER, help="what to run, with its arguments")
    options = parser.parse_args(arguments)
    command: list[str] = options.command[options.command[:1] == ["--"] :]
    if not command:
        parser.error("COMMAND is missing: what is to be run?")
    try:
        default()
    except PolicyError as error:
        parser.exit(MISTAKE, f"{parser.prog}: {error}\n")
    if command[0].endswith(".py") and Path(command[0]).is_file():
        command.insert(0, sys.executable)
    program = _find(command[0])
    if program is None:
        there = os.sep in command[0] and Path(command[0]).exists()
        status, why = (CANNOT_RUN, "it cannot be run") if there else (NOT_FOUND, "no such command")
        parser.exit(status, f"{parser.prog}: {command[0]}: {why}\n")
    try:
        # By its path: Python finds the environment that it belongs to by the name that it is called by.
        os.execve(program, [program, *command[1:]], environment(os.environ, explain=options.explain))  # noqa: S606
    except OSError as error:
        parser.exit(CANNOT_RUN, f"{parser.prog}: {program}: {error.strerror}\n")


def environment(environ: Mapping[str, str], *, explain: bool) -> dict[str, str]:
    """Give the environment in which every Python, this program's children too, starts with Onward."""
    path = environ.get("PYTHONPATH")
    # An empty entry is the current folder, an empty path is none.
    others = [entry for entry in path.split(os.pathsep) if entry != FOLDER] if path else []
    added = {"PYTHONPATH": os.pathsep.join([FOLDER, *others])}
    if explain:
        added[EXPLAIN] = "1"
    return {**environ, **added}


def _find(command: str) -> str | None:
    # `.venv/bin/onward-run gunicorn` means the gunicorn beside it, also where that environment is not activated.
    beside = str(Path(sys.executable).parent)
    return shutil.which(command, path=os.pathsep.join([beside, os.environ.get("PATH", os.defpath)]))
