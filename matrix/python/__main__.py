"""Runs the matrix and writes its table: what `cargo xtask matrix python` calls.

    python matrix/python [--json] [--write FILE] [FRAMEWORK]

With a framework only its row runs.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import sys
from pathlib import Path

import cell
import clients
import echo
import servers
import table


def main() -> int:
    """Give 0 if every cell passed."""
    parser = argparse.ArgumentParser(prog="matrix", description="Every Python framework with every client.")
    parser.add_argument("--json", action="store_true", help="print one line of JSON at the end")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table there")
    parser.add_argument("framework", nargs="?", help="only this one, by its name in the table")
    arguments = parser.parse_args()
    chosen = [server for server in servers.ALL if arguments.framework in {None, server.name}]
    if not chosen:
        parser.error(f"there is no framework {arguments.framework}")
    # Some frameworks log every request.
    logging.disable(logging.INFO)
    clients.resolve_outside()
    cells = []
    with echo.running() as running:
        for server in chosen:
            for client in clients.ALL:
                done = cell.run(server, client, running)
                print("✓" if done.passed() else "✗", f"{server.name}, {client.name}", flush=True)
                print("".join(f"    {failure}\n" for failure in done.failures), end="")
                cells.append(done)
    if arguments.write is not None:
        arguments.write.write_text(table.page(chosen, clients.ALL, cells), encoding="utf-8")
    summary = table.summary(chosen, clients.ALL, cells)
    if arguments.json:
        print(json.dumps(dataclasses.asdict(summary), separators=(",", ":")))
    else:
        print(f"{summary.cells} cells: {summary.passed} passed, {summary.failed} failed, {summary.empty} empty")
    return 0 if summary.passed == summary.cells else 1


if __name__ == "__main__":
    sys.exit(main())
