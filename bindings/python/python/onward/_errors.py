"""Every exception that Onward raises derives from `OnwardError`."""

from __future__ import annotations


class OnwardError(Exception):
    """The root of Onward's exceptions.

    `code` says which mistake it is, in snake_case and the same in every language; `token` is the offending text,
    empty where there is none.
    """

    code: str
    token: str

    def __init__(self, message: str, code: str = "error", token: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.token = token

    def __reduce__(self) -> tuple[type[OnwardError], tuple[str, str, str]]:
        return type(self), (str(self), self.code, self.token)


class PolicyError(OnwardError, ValueError):
    """A mistake in a policy, from code or from the environment; the message says what to write instead."""


class CarrierError(OnwardError, TypeError):
    """Headers cannot be read from an object, or written to it."""


class ArgumentError(OnwardError, TypeError):
    """An argument that cannot be used; the message says what to use instead."""
