"""`import onward` brings itself, and changes nothing in the process."""

from __future__ import annotations

import json
import os
import subprocess
import sys

PROGRAM = """
import atexit, gc, json, os, signal, sys, threading, warnings


class Unread(dict):
    def _read(self, *_):
        raise AssertionError("the environment is read")

    __getitem__ = __contains__ = __iter__ = get = keys = items = values = copy = _read


def state():
    with open("/proc/self/status") as file:
        status = file.read()
    return {
        "finders": [repr(finder) for finder in (*sys.meta_path, *sys.path_hooks)],
        "path": list(sys.path),
        "hooks": [repr(hook) for hook in (sys.excepthook, sys.unraisablehook, threading.excepthook, sys.gettrace())],
        "handlers": [repr(signal.getsignal(number)) for number in signal.valid_signals()],
        "native": [line for line in status.splitlines() if line.startswith(("SigBlk", "SigIgn", "SigCgt", "Threads"))],
        "threads": threading.active_count(),
        "exit": atexit._ncallbacks(),
        "collector": [gc.get_threshold(), repr(gc.callbacks), gc.isenabled()],
        "warnings": repr(warnings.filters),
        "switch": sys.getswitchinterval(),
        "recursion": sys.getrecursionlimit(),
    }


before, modules, environ = state(), set(sys.modules), os.environ
os.environ = Unread()
{code}
os.environ = environ
print(json.dumps([before, state(), sorted(set(sys.modules) - modules)]))
"""


def imported(code: str) -> tuple[dict[str, object], dict[str, object], set[str]]:
    """The state of a process before and after some code has run in it, and what it has imported."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM.replace("{code}", code)],
        env=os.environ | {"ONWARD_PRESETS": "a mistake that only the first use may find"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    before, after, modules = json.loads(run.stdout)
    return before, after, set(modules)


def test_importing_changes_nothing_in_the_process() -> None:
    before, after, _ = imported("import onward")
    assert after == before


def test_importing_brings_only_onward_and_little_of_the_standard_library() -> None:
    _, _, modules = imported("import onward")
    assert "onward._native" in modules
    roots = {name.split(".")[0] for name in modules}
    assert roots - sys.stdlib_module_names == {"onward"}
    # Each of these would cost more than all of Onward.
    assert not modules & {
        "asyncio",
        "http",
        "importlib.metadata",
        "inspect",
        "logging",
        "socket",
        "ssl",
        "unittest",
        "urllib",
    }


def test_a_client_or_framework_is_imported_by_nobody_but_the_user() -> None:
    _, _, modules = imported("import onward")
    ours = {name for name in modules if name.startswith(("onward.clients.", "onward.servers.", "onward.messages."))}
    assert ours <= {"onward.servers.asgi", "onward.servers.wsgi", "onward.servers._seams"}


def test_a_change_is_seen() -> None:
    """Negative control."""
    before, after, modules = imported("import onward, inspect; sys.meta_path.append(object()); atexit.register(print)")
    assert {name for name in before if before[name] != after[name]} == {"finders", "exit"}
    assert "inspect" in modules


def test_a_panic_is_reported_as_rust_itself_does() -> None:
    """The process's panic hook is what it was: another library's may stand there."""
    code = "import onward._native as native\ntry: native._panic_for_test()\nexcept Exception as error: print(str(error)[-16:])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert run.stdout == "forced by a test\n"
    assert "panicked at" in run.stderr
