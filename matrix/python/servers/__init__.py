"""The servers of the matrix: one file for each framework, one `Server` for each way to run it.

To add one, write its file with a tuple `SERVERS`, and put that into `ALL`.
"""

from .server import Server

__all__ = ["ALL", "Server"]

ALL: tuple[Server, ...] = ()
"""All of them, in the order of the table."""
