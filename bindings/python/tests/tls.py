"""A real server behind TLS."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING

import hypercorn.asyncio
import hypercorn.config
import trustme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def serve_tls(app: Callable) -> Iterator[tuple[int, ssl.SSLContext, str]]:
    """Serve an ASGI application over HTTP/2 and HTTP/1.1, as 127.0.0.1 and as api.example.com.

    Gives the port, and what trusts the server: a context, and the path of a file.
    """
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "api.example.com")
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    # From here on connections wait until the server takes them, and it closes the socket.
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config = hypercorn.config.Config()
    config.loglevel = "ERROR"
    config.bind = [f"fd://{listener.detach()}"]
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        await hypercorn.asyncio.serve(app, config, shutdown_trigger=stop.wait)

    with certificate.private_key_and_cert_chain_pem.tempfile() as key, authority.cert_pem.tempfile() as root:
        config.certfile = config.keyfile = key
        thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
        thread.start()
        try:
            yield port, trust, root
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()
