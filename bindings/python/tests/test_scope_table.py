"""Where the scope goes by itself, and where `carry` takes it: each line of the table in docs/python/scope.md is one test."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import functools
import http.client
import json
import multiprocessing
import re
import subprocess
import sys
import threading
from pathlib import Path

import anyio
import anyio.from_thread
import anyio.to_thread
import asgiref.sync
import flask
import onward
import pytest
import starlette.applications
import starlette.background
import starlette.middleware
import starlette.responses
import starlette.routing
from loopback import get, get_on, serve_asgi, serve_wsgi

PAGE = Path(__file__).parents[3] / "docs/python/scope.md"
SENT = [("x-request-id", "7"), ("cookie", "a=b")]
HERE = dict(SENT)
NOTHING: dict[str, str] = {}


def seen(*_: object) -> dict[str, str]:
    return dict(onward.current())


async def seen_later(*_: object) -> dict[str, str]:
    await asyncio.sleep(0)
    return dict(onward.current())


@pytest.fixture
def pool():
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        yield pool


async def test_what_is_awaited_has_the_scope_by_itself() -> None:
    with onward.scope(SENT):
        assert await seen_later() == HERE
        assert await asyncio.gather(seen_later(), seen_later()) == [HERE, HERE]
        assert await asyncio.wait_for(seen_later(), 20) == HERE


async def test_a_task_has_the_scope_by_itself_also_when_the_request_is_over() -> None:
    over = asyncio.Event()

    async def outlives() -> dict[str, str]:
        await over.wait()
        return await seen_later()

    with onward.scope(SENT):
        task = asyncio.create_task(outlives())
    over.set()
    assert await task == HERE
    assert seen() == NOTHING


async def test_callbacks_of_the_loop_have_the_scope_by_itself() -> None:
    loop, results = asyncio.get_running_loop(), []
    done = loop.create_future()
    with onward.scope(SENT):
        loop.call_soon(lambda: results.append(seen()))
        loop.call_soon_threadsafe(lambda: results.append(seen()))
        loop.call_later(0, lambda: results.append(seen()))
        done.add_done_callback(lambda _: results.append(seen()))
    done.set_result(None)
    while len(results) < 4:
        await asyncio.sleep(0)
    assert results == [HERE] * 4


async def test_to_thread_has_the_scope_by_itself() -> None:
    with onward.scope(SENT):
        assert await asyncio.to_thread(seen) == HERE
    assert await asyncio.to_thread(seen) == NOTHING


async def test_work_given_to_another_threads_loop_has_the_scope_by_itself() -> None:
    loop = asyncio.get_running_loop()

    def from_a_thread() -> dict[str, str]:
        with onward.scope(SENT):
            future = asyncio.run_coroutine_threadsafe(seen_later(), loop)
        return future.result(20)

    assert await asyncio.to_thread(from_a_thread) == HERE


async def test_anyio_has_the_scope_by_itself() -> None:
    results = []

    async def child() -> None:
        results.append(await seen_later())

    with onward.scope(SENT):
        async with anyio.create_task_group() as group:
            group.start_soon(child)
        results.append(await anyio.to_thread.run_sync(seen))
        results.append(await anyio.to_thread.run_sync(lambda: anyio.from_thread.run(seen_later)))
    assert results == [HERE] * 3


async def test_asgiref_has_the_scope_by_itself() -> None:
    with onward.scope(SENT):
        assert await asgiref.sync.sync_to_async(seen)() == HERE
        assert await asyncio.to_thread(asgiref.sync.async_to_sync(seen_later)) == HERE


def test_a_copied_context_has_the_scope_by_itself(pool) -> None:
    with onward.scope(SENT):
        context = contextvars.copy_context()
    assert pool.submit(context.run, seen).result() == HERE


async def test_run_in_executor_needs_carry() -> None:
    loop = asyncio.get_running_loop()
    with onward.scope(SENT):
        assert await loop.run_in_executor(None, seen) == NOTHING
        assert await loop.run_in_executor(None, onward.carry(seen)) == HERE


def test_a_pool_of_threads_needs_carry(pool) -> None:
    with onward.scope(SENT):
        assert pool.submit(seen).result() == NOTHING
        assert pool.submit(onward.carry(seen)).result() == HERE
        assert list(pool.map(onward.carry(seen), [1, 2])) == [HERE, HERE]
    assert pool.submit(seen).result() == NOTHING, "the pool's thread keeps nothing"


def test_a_thread_needs_carry() -> None:
    results = {}

    def note(name: str) -> None:
        results[name] = seen()

    with onward.scope(SENT):
        threads = [
            threading.Thread(target=note, args=("alone",)),
            threading.Thread(target=onward.carry(note), args=("carried",)),
            threading.Timer(0, onward.carry(note), ("timer",)),
        ]
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()
    # Free-threaded builds, and Python with `-X thread_inherit_context`, give a thread its starter's context.
    inherited = HERE if getattr(sys.flags, "thread_inherit_context", False) else NOTHING
    assert results == {"alone": inherited, "carried": HERE, "timer": HERE}


async def test_a_task_that_waits_for_work_needs_carry() -> None:
    queue: asyncio.Queue = asyncio.Queue()

    async def worker() -> list[dict[str, str]]:
        return [await (await queue.get())() for _ in range(2)]

    task = asyncio.create_task(worker())
    with onward.scope(SENT):
        queue.put_nowait(seen_later)
        queue.put_nowait(onward.carry(seen_later))
    assert await task == [NOTHING, HERE]


def test_a_generator_that_is_used_later_needs_carry() -> None:
    def pieces():
        yield seen()
        yield seen()

    with onward.scope(SENT):
        alone, carried = pieces(), onward.carry(pieces)()
    assert list(alone) == [NOTHING, NOTHING]
    assert next(carried) == HERE
    assert seen() == NOTHING, "between its steps"
    assert list(carried) == [HERE]


async def test_an_asynchronous_generator_that_is_used_later_needs_carry() -> None:
    async def pieces():
        yield await seen_later()
        yield seen()

    with onward.scope(SENT):
        alone, carried = pieces(), onward.carry(pieces)()
    assert [piece async for piece in alone] == [NOTHING, NOTHING]
    assert await anext(carried) == HERE
    assert seen() == NOTHING, "between its steps"
    assert [piece async for piece in carried] == [HERE]


def test_gevents_greenlets_need_carry() -> None:
    code = """if True:
        import gevent, gevent.threadpool, onward
        seen = lambda: sorted(onward.current())
        with onward.scope([("x-request-id", "7")]):
            alone, carried = gevent.spawn(seen), gevent.spawn(onward.carry(seen))
            thread = gevent.threadpool.ThreadPool(1).spawn(onward.carry(seen))
        print(alone.get(), carried.get(), thread.get(), seen())
    """
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert run.stdout == "[] ['x-request-id'] ['x-request-id'] []\n", run.stderr


def in_scope_of(lines: list[tuple[str, str]]) -> dict[str, str]:
    with onward.scope(lines):
        return seen()


def test_another_process_takes_the_lines() -> None:
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context) as pool, onward.scope(SENT):
        assert pool.submit(seen).result(60) == NOTHING
        assert pool.submit(in_scope_of, onward.current().lines()).result(60) == HERE


def starlette_app(handler, *, middleware: bool) -> starlette.applications.Starlette:
    below = [starlette.middleware.Middleware(onward.ASGIMiddleware)] if middleware else []
    return starlette.applications.Starlette(routes=[starlette.routing.Route("/", handler)], middleware=below)


def answer(app) -> bytes:
    with serve_asgi(app) as port:
        status, body = get(port, "/", SENT)
    assert status == 200
    return body


def test_a_synchronous_handler_of_starlette_has_the_scope_by_itself() -> None:
    def handler(request):
        return starlette.responses.JSONResponse(seen())

    assert json.loads(answer(starlette_app(handler, middleware=True))) == HERE
    assert json.loads(answer(starlette_app(onward.propagate(handler), middleware=False))) == HERE


def test_a_streamed_response_of_asgi_has_the_scope_below_a_middleware() -> None:
    async def handler(request):
        async def pieces():
            yield repr(await seen_later())

        return starlette.responses.StreamingResponse(pieces())

    async def carrying(request):
        async def pieces():
            yield repr(await seen_later())

        return starlette.responses.StreamingResponse(onward.carry(pieces)())

    assert answer(starlette_app(handler, middleware=True)) == repr(HERE).encode()
    assert answer(starlette_app(onward.propagate(handler), middleware=False)) == b"{}"
    assert answer(starlette_app(onward.propagate(carrying), middleware=False)) == repr(HERE).encode()


def test_a_background_task_of_starlette_has_the_scope_below_a_middleware() -> None:
    results, done = [], threading.Event()

    def background() -> None:
        results.append(seen())
        done.set()

    def handler_with(task):
        async def handler(request):
            return starlette.responses.PlainTextResponse("", background=starlette.background.BackgroundTask(task()))

        return handler

    plain, carried = (lambda: background), (lambda: onward.carry(background))
    for handler, middleware in [
        (handler_with(plain), True),
        (onward.propagate(handler_with(plain)), False),
        (onward.propagate(handler_with(carried)), False),
    ]:
        answer(starlette_app(handler, middleware=middleware))
        assert done.wait(20)
        done.clear()
    assert results == [HERE, NOTHING, HERE]


def test_a_streamed_response_of_wsgi_has_the_scope_below_a_middleware() -> None:
    app = flask.Flask(__name__)

    def pieces():
        yield json.dumps(seen())

    app.get("/plain")(onward.propagate(lambda: flask.Response(pieces())))
    app.get("/carried", endpoint="carried")(onward.propagate(lambda: flask.Response(onward.carry(pieces)())))
    app.get("/context", endpoint="context")(
        onward.propagate(lambda: flask.Response(flask.stream_with_context(onward.carry(pieces)())))
    )
    with serve_wsgi(app) as port:
        answers = [json.loads(get(port, path, SENT)[1]) for path in ("/plain", "/carried", "/context")]
    assert answers == [NOTHING, HERE, HERE]
    with serve_wsgi(onward.WSGIMiddleware(app)) as port:
        assert json.loads(get(port, "/plain", SENT)[1]) == HERE


@pytest.mark.parametrize("kind", ["WSGI", "ASGI"])
def test_the_next_request_of_a_connection_has_a_scope_of_its_own(kind: str) -> None:
    if kind == "WSGI":
        flask_app = flask.Flask(__name__)
        flask_app.get("/")(seen)
        served = serve_wsgi(onward.WSGIMiddleware(flask_app))
    else:
        served = serve_asgi(starlette_app(lambda _: starlette.responses.JSONResponse(seen()), middleware=True))
    with served as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        answers = [json.loads(get_on(connection, "/", lines)[1]) for lines in (SENT, [], SENT[:1], [])]
        connection.close()
    assert answers == [HERE, NOTHING, {"x-request-id": "7"}, NOTHING]


async def test_an_error_and_a_cancellation_leave_nothing_behind() -> None:
    @onward.propagate
    async def fails(_request):
        raise LookupError

    @onward.propagate
    async def hangs(_request):
        await asyncio.Event().wait()

    environ = {"REQUEST_METHOD": "GET", "HTTP_X_REQUEST_ID": "7"}
    with pytest.raises(LookupError):
        await fails(environ)
    assert seen() == NOTHING
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(hangs(environ), 0.01)
    assert seen() == NOTHING


def test_a_partial_and_a_method_are_carried_like_functions(pool) -> None:
    class Work:
        def run(self, extra: int) -> tuple[int, dict[str, str]]:
            return extra, seen()

    with onward.scope(SENT):
        carried = [onward.carry(Work().run), onward.carry(functools.partial(Work().run))]
    assert [pool.submit(work, 1).result() for work in carried] == [(1, HERE), (1, HERE)]


def test_each_test_has_its_line_in_the_table_and_each_line_its_test() -> None:
    code = Path(__file__).read_text()
    tests = set(re.findall(r"^(?:async )?def (test_\w+)", code, re.MULTILINE))
    tests.remove("test_each_test_has_its_line_in_the_table_and_each_line_its_test")
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")][1:]
    named = [re.findall(r"`(test_\w+)`", line) for line in lines]
    assert all(len(names) == 1 for names in named), named
    assert {names[0] for names in named} == tests
