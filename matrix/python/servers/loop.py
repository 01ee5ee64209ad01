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
def serving(serve: Callable[[socket.socket], contextlib.AbstractAsyncContextManager[None]]) -> Iterator[int]:
    """Serve what comes in at a listener on loopback, on a loop in a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # From here on connections wait until the server takes them.
        listener.setblocking(False)  # noqa: FBT003 - the socket's own method
        loop, stop = asyncio.new_event_loop(), asyncio.Event()

        async def main() -> None:
            async with serve(listener):
                await stop.wait()
            await loop.shutdown_default_executor()

        thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()
