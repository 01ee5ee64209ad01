"""The servers of the matrix: one file for each framework, one `Server` for each way to run it.

To add one, write its file with a tuple `SERVERS`, and put that into `ALL`.
"""

from . import wsgi
from .server import Answer, Server

__all__ = ["ALL", "Answer", "Server"]

ALL: tuple[Server, ...] = (*wsgi.SERVERS,)
"""All of them, in the order of the table."""
