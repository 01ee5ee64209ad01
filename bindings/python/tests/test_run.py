"""`onward-run`: real servers, and applications without a line of Onward."""

from __future__ import annotations

import concurrent.futures
import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import grpc
import pytest
from loopback import Recorder, get, get_on
from onward._run.command import environment

PROGRAMS = Path(__file__).parent / "programs"
RUN = (sys.executable, "-m", "onward")
SENT = {
    "x-request-id": "7b0ac7e5-9f9e-9a1a-8f4e-7a3b5b0f2d11",
    "x-b3-traceid": "80f198ee56343ba864fe8b2a57d3eff7",
    "end-user": "jason",
    "cookie": "session=1",
}

GUNICORN = ("gunicorn", "--bind", "127.0.0.1:{port}", "--no-control-socket")
UVICORN = ("uvicorn", "--port", "{port}", "--lifespan", "off")
SERVERS = {
    "gunicorn, sync": (*GUNICORN, "flask_app:app"),
    "gunicorn, gthread": (*GUNICORN, "-k", "gthread", "--threads", "8", "flask_app:app"),
    "gunicorn, gevent": (*GUNICORN, "-k", "gevent", "flask_app:app"),
    "gunicorn, uvicorn worker": (*GUNICORN, "-k", "uvicorn_worker.UvicornWorker", "starlette_app:app"),
    "gunicorn, two workers, preloaded": (*GUNICORN, "-w", "2", "--preload", "manage:application"),
    "uvicorn": (*UVICORN, "starlette_app:app"),
    "uvicorn, two workers": (*UVICORN, "--workers", "2", "starlette_app:app"),
    "uvicorn, reloading": (*UVICORN, "--reload", "starlette_app:app"),
    "uvicorn, Django": (*UVICORN, "manage:asgi_application"),
    "hypercorn": ("hypercorn", "--bind", "127.0.0.1:{port}", "starlette_app:app"),
    "flask run": ("flask", "--app", "flask_app", "run", "--port", "{port}"),
    "manage.py runserver": ("python", "manage.py", "runserver", "127.0.0.1:{port}"),
    "python script.py": ("python", "script.py", "{port}"),
    "script.py": ("script.py", "{port}"),
}
FRAMEWORKS = ("aiohttp", "bottle", "falcon", "falcon_asgi", "litestar", "pyramid", "quart", "sanic", "tornado")
SERVERS |= {name: ("own_server.py", name, "{port}") for name in FRAMEWORKS}
GRPC = {f"grpc, {kind}": ("grpc_server.py", kind, "{port}") for kind in ("blocking", "aio")}
# The same without `onward-run`: each kind of application once.
CONTROLS = ("gunicorn, sync", "uvicorn", "manage.py runserver", "python script.py")


@pytest.fixture(scope="module")
def recorder():
    recorder = Recorder()
    yield recorder
    recorder.close()


@contextlib.contextmanager
def running(server: str | list[str], recorder: Recorder, *run: str, cwd: Path = PROGRAMS, **environ: str):
    """Start a server, give its port and the file that it logs to, and stop it with everything that it has started."""
    parts = (SERVERS | GRPC)[server] if isinstance(server, str) else server
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*run, *(part.format(port=port) for part in parts)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ONWARD_")}
    with tempfile.NamedTemporaryFile() as log:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=clean | {"RECORDER": recorder.url, "PYTHONDONTWRITEBYTECODE": "1", "NO_PROXY": "*"} | environ,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            wait_for(port, process, Path(log.name))
            yield port, Path(log.name)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def wait_for(port: int, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    pytest.fail(f"{process.args} does not listen:\n{log.read_text()}")


def forwarded(recorder: Recorder, path: str) -> list[dict[str, str]]:
    return [{name: value for name, value in headers.items() if name in SENT} for headers in recorder.headers(path)]


@pytest.mark.parametrize("server", SERVERS)
def test_an_application_without_a_change_forwards_under(server: str, recorder: Recorder) -> None:
    path = "/" + re.sub(r"\W+", "-", server)
    next_path = f"{path}-next"
    with running(server, recorder, *RUN) as (port, log):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        assert get_on(connection, path, list(SENT.items())) == (200, b"done"), log.read_text()
        assert get_on(connection, next_path, []) == (200, b"done"), log.read_text()
        connection.close()
    assert forwarded(recorder, path) == [SENT]
    assert forwarded(recorder, next_path) == [{}], "the next request, mostly of the same connection, has its own scope"


@pytest.mark.parametrize("server", GRPC)
def test_a_grpc_server_without_a_change_forwards(server: str, recorder: Recorder) -> None:
    name = re.sub(r"\W+", "-", server)
    with running(server, recorder, *RUN) as (port, _), grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary("/Relay/call")
        assert call(name.encode(), metadata=list(SENT.items()), timeout=60) == b"done"
        assert call(f"{name}-next".encode(), timeout=60) == b"done"
    assert forwarded(recorder, f"/{name}") == [SENT]
    assert forwarded(recorder, f"/{name}-next") == [{}]


@pytest.mark.parametrize("server", CONTROLS)
def test_without_onward_run_nothing_is_forwarded_under(server: str, recorder: Recorder) -> None:
    path = "/alone-" + re.sub(r"\W+", "-", server)
    bin_folder = str(Path(sys.executable).parent)
    with running(server, recorder, PATH=f"{bin_folder}{os.pathsep}{os.environ['PATH']}") as (port, log):
        assert get(port, path, list(SENT.items())) == (200, b"done"), log.read_text()
    assert forwarded(recorder, path) == [{}]


@pytest.mark.parametrize("server", ["gunicorn, gthread", "gunicorn, gevent"])
def test_requests_that_are_handled_together_keep_their_own_headers_under(server: str, recorder: Recorder) -> None:
    together = 8
    everybody = threading.Barrier(together, timeout=60)
    # Nobody is answered before all are being handled, twice.
    recorder.before_answering = lambda _path: everybody.wait()
    try:
        with running(server, recorder, *RUN) as (port, log), concurrent.futures.ThreadPoolExecutor(together) as pool:
            for round_ in range(2):
                names = [f"{server[-4:]}-{round_}-{number}" for number in range(together)]
                answers = [pool.submit(get, port, f"/{name}", [("x-request-id", name)]) for name in names]
                assert [answer.result() for answer in answers] == [(200, b"done")] * together
                assert "MonkeyPatchWarning" not in log.read_text(), "gevent comes before what it has to patch"
                assert [forwarded(recorder, f"/{name}") for name in names] == [
                    [{"x-request-id": name}] for name in names
                ]
    finally:
        recorder.before_answering = None


def test_explain_tells_for_each_process_what_is_forwarded_and_what_was_hooked(recorder: Recorder) -> None:
    settings = {"ONWARD_PRESETS": "w3c", "ONWARD_HEADERS": "+x-tenant-id"}
    with running("gunicorn, sync", recorder, *RUN, "--explain", **settings) as (port, log):
        get(port, "/explained", [])
        lines = log.read_text().splitlines()
    told = [line.partition("]: ")[2] for line in lines if line.startswith("onward-run[")]
    assert "policy: ONWARD_HEADERS=+x-tenant-id ONWARD_PRESETS=w3c" in told
    assert "forwards x-request-id, traceparent, tracestate, baggage, x-tenant-id" in told
    assert {"server hooked: flask.app", "client hooked: requests"} <= set(told)
    assert not [line for line in told if "NOT" in line], told
    pids = {line.partition("]")[0] for line in lines if "flask.app" in line or "policy" in line}
    assert len(pids) == 2, "gunicorn, and its worker, which has imported the application"


def test_the_pages_program_forwards_and_explain_tells_what_the_page_says(recorder: Recorder, tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/python/onward-run.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (told,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    (tmp_path / "app.py").write_text(code.replace("http://reviews:9080", recorder.url))
    command, _, *lines = told.splitlines()
    assert command.split() == ["$", "onward-run", "--explain", "flask", "run"]
    settings = {"ONWARD_PRESETS": "w3c", "ONWARD_HEADERS": "+x-tenant-id"}
    server = [*command.split()[2:], "--port", "{port}"]
    with running(server, recorder, *RUN, cwd=tmp_path, **settings) as (port, log):
        assert get(port, "/productpage", list(SENT.items()))[0] == 200
        logged = log.read_text().splitlines()
    assert forwarded(recorder, "/reviews/0") == [{"x-request-id": SENT["x-request-id"]}]
    settings_and_names, hooked = slice(1, 3), slice(3, None)
    process = [line.partition(": ")[2] for line in logged if line.startswith("onward-run[")]
    page_says = ["", *(line.partition(": ")[2] for line in lines)]
    assert process[settings_and_names] == page_says[settings_and_names]
    assert set(process[hooked]) == set(page_says[hooked])


def run(*arguments: str, program: tuple[str, ...] = RUN, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ONWARD_")}
    return subprocess.run(
        [*program, *arguments],
        cwd=PROGRAMS,
        env=clean | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_takes_the_place_of_onward_run() -> None:
    command = [*RUN, "sh", "-c", "echo $$; exit 3"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    output, _ = process.communicate(timeout=60)
    assert (int(output), process.returncode) == (process.pid, 3)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "python -m onward: error: COMMAND is missing: what is to be run?"),
        (["--explain"], 2, "python -m onward: error: COMMAND is missing: what is to be run?"),
        (["--explian", "true"], 2, "python -m onward: error: unrecognized arguments: --explian"),
        (["no-such-program"], 127, "python -m onward: no-such-program: no such command"),
        (["./script.txt"], 127, "python -m onward: ./script.txt: no such command"),
        (["./flask_app"], 127, "python -m onward: ./flask_app: no such command"),
        (["/etc"], 126, "python -m onward: /etc: it cannot be run"),
    ],
)
def test_a_mistake_in_the_command_is_one_clear_error(arguments: list[str], status: int, message: str) -> None:
    result = run(*arguments)
    assert (result.returncode, result.stderr.splitlines()[-1]) == (status, message)


def test_a_mistake_in_the_policy_stops_the_program_before_it_starts() -> None:
    result = run("sh", "-c", "echo started", ONWARD_PRESETS="istoi")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("python -m onward: ONWARD_PRESETS: `istoi` is not a preset; ")
    assert result.stderr.count("\n") == 1


def test_options_behind_the_command_are_its_own() -> None:
    assert run("sh", "-c", "echo $1", "sh", "--explain").stdout == "--explain\n"
    assert run("--", "sh", "-c", "echo $1", "sh", "--").stdout == "--\n"


OPENTELEMETRY = str(Path(sys.executable).with_name("opentelemetry-instrument"))
WHO = """if True:
    import requests
    for method in (requests.adapters.HTTPAdapter.send, requests.Session.send):
        print(method.__globals__["__name__"].partition(".")[0])
"""
LOADED = "import sys; print(sorted(name for name in ('ssl', 'socket', 'asyncio', 'logging', 'http.server') if name in sys.modules))"


def test_a_program_starts_as_it_would_without() -> None:
    alone = run("-c", "import sys; print(sys.path, sys.argv)", "x", program=(sys.executable,))
    below = run(sys.executable, "-c", "import sys; print(sys.path, sys.argv)", "x")
    assert (below.stdout, below.stderr) == (alone.stdout, "")
    assert run(sys.executable, "-c", LOADED).stdout == "[]\n", "gevent has to patch these before they are imported"


def test_the_programs_own_sitecustomize_is_imported_too(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.own = __file__")
    code = "import sys, sitecustomize; print(sys.own == sitecustomize.__file__, 'onward' in sys.modules)"
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    assert run(sys.executable, "-c", code, PYTHONPATH=path).stdout == "True True\n"


def test_an_error_in_the_programs_own_sitecustomize_is_reported_as_ever(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise LookupError('mine')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    code = "import sys; print('onward' in sys.modules)"
    alone = run("-c", code, program=(sys.executable,), PYTHONPATH=path)
    below = run(sys.executable, "-c", code, PYTHONPATH=path)
    assert (alone.stdout, below.stdout) == ("False\n", "True\n")
    assert "LookupError: mine" in alone.stderr
    assert below.stderr == alone.stderr * 2, "by `onward-run` itself, and by what it runs"


def test_a_python_without_onward_runs_on_and_explain_says_so() -> None:
    # Without the folders that `site` adds; then what it would run at the end.
    code = "import site, sys; sys.modules['onward'] = None; site.execsitecustomize(); print('runs')"
    quiet, told = (run(*options, sys.executable, "-S", "-c", code) for options in ([], ["--explain"]))
    assert (quiet.stdout, quiet.stderr) == ("runs\n", "")
    assert told.stdout == "runs\n"
    assert f"not active in {sys.executable}: ModuleNotFoundError" in told.stderr


@pytest.mark.parametrize("before", ["", "/a", os.pathsep, f"/a{os.pathsep}", f"/a{os.pathsep}/b"])
def test_the_path_of_the_program_stays_as_it_was_behind_the_folder_of_onward_run(before: str) -> None:
    once = environment({"PYTHONPATH": before}, explain=False)
    ours, _, rest = once["PYTHONPATH"].partition(os.pathsep)
    assert (Path(ours, "sitecustomize.py").is_file(), rest) == (True, before)
    assert environment(once, explain=False) == once


def test_onward_run_below_onward_run_changes_nothing_more() -> None:
    code = "import os; print(os.environ['PYTHONPATH'])"
    once, twice = run(sys.executable, "-c", code), run(*RUN, sys.executable, "-c", code)
    assert once.stdout == twice.stdout


@pytest.mark.parametrize(("below", "who"), [(True, "onward opentelemetry"), (False, "requests opentelemetry")])
def test_behind_opentelemetry_instrument_onward_is_active_below_onward_run_only(below: bool, who: str) -> None:
    instrumented = run(
        *("-c", WHO),
        program=(*(RUN if below else ()), OPENTELEMETRY, sys.executable),
        OTEL_TRACES_EXPORTER="none",
        OTEL_METRICS_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
    )
    assert instrumented.stdout.split() == who.split(), instrumented.stderr


def test_opentelemetry_is_active_too_where_onward_cannot_be() -> None:
    environ = environment({"PYTHONPATH": os.environ.get("PYTHONPATH", "")}, explain=True)
    environ |= {"ONWARD_PRESETS": "istoi", "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}
    instrumented = run("-c", WHO, program=(OPENTELEMETRY, sys.executable), **environ, OTEL_LOGS_EXPORTER="none")
    assert instrumented.stdout.split() == ["requests", "opentelemetry"]
    assert f"not active in {sys.executable}: PolicyError" in instrumented.stderr


def test_instrumenting_servers_can_be_undone() -> None:
    code = """if True:
        import flask, onward
        onward.instrument(servers=True)
        onward.instrument(servers=True)
        app = flask.Flask("app")
        app.get("/")(lambda: dict(onward.current()))
        ask = lambda: app.test_client().get("/", headers={"X-Request-Id": "7", "User-Agent": ""}).json
        print(ask(), flask.Flask.wsgi_app.__module__)
        onward.uninstrument()
        print(ask(), "/onward/" in flask.Flask.wsgi_app.__code__.co_filename)
    """
    result = run("-c", code, program=(sys.executable,))
    assert result.stdout == "{'x-request-id': '7'} flask.app\n{} False\n", result.stderr


def test_a_library_that_is_other_than_expected_is_left_as_it_is_and_said_so(tmp_path: Path) -> None:
    (tmp_path / "bottle.py").write_text("VERSION = 'other'")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    code = "import bottle; print(bottle.VERSION)"
    quiet = run(sys.executable, "-c", code, PYTHONPATH=path)
    assert quiet.stdout == "other\n"
    assert quiet.stderr.startswith("`bottle` is other than expected and stays as it is: AttributeError")
    told = run("--explain", sys.executable, "-c", code, PYTHONPATH=path)
    assert "server NOT hooked: bottle: AttributeError" in told.stderr
