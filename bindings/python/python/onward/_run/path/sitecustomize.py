# ruff: noqa: INP001 - a folder for the path, and no package
"""Python imports a module of this name whenever it starts; `onward-run` puts this one on the path.

What would have been imported without it runs first: it may be what makes onward importable.
"""

import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - `os` is there already, `pathlib` is not
sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != _here]  # noqa: PTH100
_ours = sys.modules.pop("sitecustomize")
try:
    __import__("sitecustomize")
except ModuleNotFoundError as _error:
    if _error.name != "sitecustomize":
        raise
    sys.modules["sitecustomize"] = _ours
finally:
    try:
        from onward._run.start import start

        start()
    except Exception as _error:  # noqa: BLE001 - the program runs on without
        if os.environ.get("ONWARD_RUN_EXPLAIN"):
            sys.stderr.write(f"onward-run[{os.getpid()}]: not active in {sys.executable}: {_error!r}\n")
