"""The public face: names, errors, the default, and what importing does not do."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import onward
import pytest
from onward import _native

SNAPSHOT = Path(__file__).parent / "api.json"


def python(code: str, **environ: str) -> str:
    """Run code in a fresh interpreter."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ONWARD_")}
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=clean | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def face() -> dict[str, object]:
    public: dict[str, object] = {}
    for name in onward.__all__:
        item = getattr(onward, name)
        if inspect.isclass(item):
            members = sorted(member for member in vars(item) if not member.startswith("_"))
            public[name] = {member: signature(getattr(item, member)) for member in members} | {"()": signature(item)}
        elif inspect.ismodule(item):
            public[name] = {member: signature(getattr(item, member)) for member in item.__all__}
        else:
            public[name] = signature(item)
    public.pop("__version__")
    return public


def signature(item: object) -> str:
    return str(inspect.signature(item)) if callable(item) else "property"  # type: ignore[arg-type]


def test_the_public_face_is_what_it_was() -> None:
    """After a change that is meant, write the new face with `python tests/test_api.py`."""
    assert face() == json.loads(SNAPSHOT.read_text())


def test_the_two_names_are_one_object() -> None:
    assert onward.getForwardHeaders is onward.get_forward_headers


def test_the_stubs_say_what_the_module_has() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "onward._native", "--ignore-disjoint-bases"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_mistake_in_the_environment_is_one_clear_error_at_the_start() -> None:
    code = """
import onward
for start in (onward.instrument, onward.default, lambda: onward.get_forward_headers({}), lambda: onward.propagate(len)):
    try:
        start()
    except onward.PolicyError as error:
        print(error.code, error.token, error)
print(onward.current(), onward.explain().rows)
"""
    expected = ("unknown_preset zipkn ONWARD_PRESETS", "unknown_preset zipkn `zipkn`")
    lines = python(code, ONWARD_PRESETS="zipkn").splitlines()
    assert len(lines) == 5
    assert all(line.startswith(expected) for line in lines[:4])
    assert lines[4] == "<ForwardHeaders> []"


def test_the_default_comes_from_the_environment_at_its_first_use() -> None:
    code = """
import os, onward
os.environ["ONWARD_HEADERS"] = "+x-tenant-id,-cookie"
print(onward.get_forward_headers({"x-tenant-id": "blue", "cookie": "a=b"}))
"""
    assert python(code) == "{'x-tenant-id': 'blue'}"


def test_the_default_is_set_once() -> None:
    code = """
import onward
onward.set_default(onward.Propagator(presets="w3c"))
print(onward.default().names)
try:
    onward.set_default(onward.Propagator())
except onward.PolicyError as error:
    print(error.code)
"""
    assert python(code).splitlines() == [
        "['x-request-id', 'traceparent', 'tracestate', 'baggage']",
        "default_already_set",
    ]


def test_instrumenting_before_requests_is_imported_works_and_imports_nothing() -> None:
    code = """
import sys, onward
onward.instrument()
print("requests" in sys.modules)
import requests
def waiting():
    return [f.name for f in sys.meta_path if "onward" in type(f).__module__]
print(requests.Session.send.__module__, requests.__spec__.loader.__class__.__name__, "requests" in waiting(), "grpc" in waiting())
onward.uninstrument()
print(requests.Session.send.__code__.co_filename.endswith("sessions.py"), waiting())
"""
    assert python(code).splitlines() == ["False", "requests.sessions SourceFileLoader False True", "True []"]


def test_instrumenting_without_requests_installed_does_nothing() -> None:
    code = """
import sys, onward
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == "requests":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
onward.instrument()
try:
    import requests
except ModuleNotFoundError:
    print("as without us")
onward.uninstrument()
"""
    assert python(code) == "as without us"


def test_a_panic_in_native_code_is_an_exception_like_any_other() -> None:
    with pytest.raises(onward.OnwardError, match="forced by a test") as caught:
        _native._panic_for_test()
    assert isinstance(caught.value, Exception)
    assert (caught.value.code, caught.value.token) == ("panic", "")


# One way to each kind of mistake in a policy. A kind without one fails the test below.
MISTAKES = {
    "unknown_preset": lambda: onward.Propagator(presets="zipkn"),
    "invalid_header_name": lambda: onward.Propagator(add="x tenant"),
    "refused_header": lambda: onward.Propagator(add="Content-Length"),
    "invalid_prefix": lambda: onward.Propagator(add="*"),
    "nothing_to_remove": lambda: onward.Propagator(remove="x-tenant-id"),
    "missing_sign": lambda: onward.Propagator.from_env({"ONWARD_HEADERS": "x-tenant-id"}),
    "empty_token": lambda: onward.Propagator.from_env({"ONWARD_HEADERS": "+a,,+b"}),
    "invalid_mesh_host": lambda: onward.Propagator(mesh_hosts="http://x"),
    "invalid_trace_destinations": lambda: onward.Propagator(trace_destinations="some"),
    "invalid_limit": lambda: onward.Propagator(max_bytes=-1),
    "default_already_set": lambda: (onward.default(), onward.set_default(onward.Propagator())),
}


def test_there_is_a_way_to_every_kind_of_mistake() -> None:
    assert sorted(MISTAKES) == sorted(_native._policy_error_codes())


@pytest.mark.parametrize("code", MISTAKES)
def test_every_mistake_is_an_onward_error_with_its_code_and_token(code: str) -> None:
    with pytest.raises(onward.PolicyError) as caught:
        MISTAKES[code]()
    assert caught.value.code == code
    assert isinstance(caught.value, onward.OnwardError)
    assert isinstance(caught.value, ValueError)
    assert caught.value.token in str(caught.value)


def test_arguments_of_a_wrong_type_are_onward_errors() -> None:
    for mistake in (
        lambda: onward.Propagator(presets=3),
        lambda: onward.Propagator(add=[3]),
        lambda: onward.Propagator.from_env({"ONWARD_PRESETS": 3}),
        lambda: onward.instrument("nothing"),
    ):
        with pytest.raises(onward.ArgumentError) as caught:
            mistake()
        assert caught.value.code == "invalid_argument"
        assert isinstance(caught.value, TypeError)


def test_a_destination_guards_what_is_given_back() -> None:
    inbound = {"x-request-id": "7", "cookie": "a=b"}
    assert onward.get_forward_headers(inbound) == inbound
    assert onward.get_forward_headers(inbound, "http://ratings:9080/") == inbound
    assert onward.get_forward_headers(inbound, destination="https://api.example.com/") == {"x-request-id": "7"}


def test_an_explanation_prints_and_is_data() -> None:
    explanation = onward.explain({"x-request-id": "7", "cookie": "a=b"}, "https://api.example.com/")
    assert explanation.in_mesh is False
    assert len(explanation) == 2
    assert explanation[0]["name"] == "x-request-id"
    assert [row["outcome"] for row in explanation] == ["forwarded", "held_back"]
    assert json.loads(json.dumps(explanation.rows))[1]["rule"] == "R8"
    assert "held_back" in str(explanation)
    assert "a=b" not in str(explanation)
    with pytest.raises(IndexError):
        explanation[2]


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(face(), indent=2) + "\n")
