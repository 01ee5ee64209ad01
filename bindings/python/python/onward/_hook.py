"""Patches a module now if it is imported, and otherwise when it will be: `instrument()` imports nothing by itself."""

from __future__ import annotations

import functools
import importlib
import sys
import threading
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    Unpatch = Callable[[], None]

# Told of every library that was patched, or, with the error, could not be.
observers: list[Callable[[Hook, Exception | None], None]] = []


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> Unpatch:
    """Put what `make` makes of an attribute in its place, and give what undoes that.

    Somebody else may have wrapped the attribute in between; then this one stays below theirs.
    """
    original = getattr(owner, name)
    inherited = name not in vars(owner)
    wrapped = functools.wraps(original)(make(original))
    setattr(owner, name, wrapped)

    def undo() -> None:
        if vars(owner).get(name) is not wrapped:
            return
        if inherited:
            delattr(owner, name)
        else:
            setattr(owner, name, original)

    return undo


class Hook:
    """One library, by the module that is patched: how it is patched, and whether it is. A finder of `sys.meta_path`."""

    def __init__(self, name: str, patch: Callable[[Any], Unpatch]) -> None:
        self.name = name
        self._patch = patch
        self._unpatch: Unpatch | None = None
        self._lock = threading.Lock()

    def install(self) -> None:
        """Patch the module, or wait for it."""
        if self.name in sys.modules:
            # Where another thread is just importing it, this waits until it has.
            self.apply(importlib.import_module(self.name))
        elif self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Undo the patch, or wait no longer."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        with self._lock:
            if self._unpatch is not None:
                self._unpatch()
                self._unpatch = None

    def apply(self, module: ModuleType) -> None:
        """Patch the module, once. One that is other than expected is left as it is: it is not ours to stop."""
        failure = None
        with self._lock:
            if self._unpatch is not None:
                return
            try:
                self._unpatch = self._patch(module)
            except Exception as error:  # noqa: BLE001 - whatever it is, the program's import goes on
                failure = error
        if failure is not None:
            import logging  # noqa: PLC0415 - what is needed so seldom is not imported with onward

            message = "`%s` is other than expected and stays as it is: %r"
            logging.getLogger("onward").warning(message, self.name, failure)
        for observer in observers:
            observer(self, failure)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the module as without us, and have it patched after it has run."""
        if name != self.name:
            return None
        for finder in sys.meta_path:
            if not isinstance(finder, Hook) and (spec := finder.find_spec(name, path, target)) is not None:
                break
        else:
            spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = cast("Any", _PatchingLoader(spec.loader))
        return spec


class _PatchingLoader:
    # Without the base class: `importlib.abc` takes longer to import than all of onward.
    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        # From here on the module is as if it had been loaded without us.
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        # As a client and as a server a library has a hook each.
        for hook in [found for found in sys.meta_path if isinstance(found, Hook) and found.name == module.__name__]:
            sys.meta_path.remove(hook)
            hook.apply(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)
