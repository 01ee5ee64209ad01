"""Runs a server that lives on an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def serving(serve: Callable[[socket.socket], contextlib.AbstractAsyncContextManager[None]]) -> Iterator[int]:
    """Serve what comes in at a listener on loopback, on a loop in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)  # noqa: FBT003 - the method of the socket
        loop, stop = asyncio.new_event_loop(), asyncio.Event()
        started: Future[None] = Future()

        async def main() -> None:
            async with serve(listener):
                started.set_result(None)
                await stop.wait()
            await loop.shutdown_default_executor()

        def run() -> None:
            try:
                loop.run_until_complete(main())
            except BaseException as error:
                if started.done():
                    raise
                started.set_exception(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            started.result()
            yield listener.getsockname()[1]
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()
