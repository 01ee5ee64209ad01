"""Runs a server that lives on an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def running(serve: Callable[[socket.socket], contextlib.AbstractAsyncContextManager[None]]) -> Iterator[int]:
    """Serve what comes in at a listener on loopback, in a thread of its own."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    # From here on connections wait until the server takes them.
    listener.listen(128)
    listener.setblocking(False)
    stop, loops = asyncio.Event(), []

    async def main() -> None:
        loops.append(asyncio.get_running_loop())
        async with serve(listener):
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join()
        listener.close()
