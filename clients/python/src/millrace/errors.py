"""The errors of a Millrace server and of this client, by their stable codes."""

from __future__ import annotations

from typing import NamedTuple


class ErrorDefinition(NamedTuple):
    """The effect of an error on the connection, and whether to try again."""

    close: int | None
    """WebSocket close code if the error ends the connection."""
    retryable: bool
    """Whether the same request may succeed later, unchanged."""


SERVER_ERRORS: dict[str, ErrorDefinition] = {
    "invalid_message": ErrorDefinition(4400, retryable=False),
    "unknown_message": ErrorDefinition(None, retryable=False),
    "hello_required": ErrorDefinition(4400, retryable=False),
    "hello_timeout": ErrorDefinition(4408, retryable=True),
    "unsupported_protocol": ErrorDefinition(None, retryable=False),
    "message_too_large": ErrorDefinition(1009, retryable=False),
    "invalid_parameter": ErrorDefinition(None, retryable=False),
    "invalid_frame": ErrorDefinition(None, retryable=False),
    "credit_exceeded": ErrorDefinition(None, retryable=True),
    "rate_limited": ErrorDefinition(None, retryable=True),
    "too_many_sessions": ErrorDefinition(1013, retryable=True),
    "queue_timeout": ErrorDefinition(1013, retryable=True),
    "slow_reader": ErrorDefinition(1013, retryable=True),
    "idle_timeout": ErrorDefinition(4408, retryable=True),
    "not_ready": ErrorDefinition(1013, retryable=True),
    "generation_failed": ErrorDefinition(None, retryable=False),
    "engine_restarting": ErrorDefinition(None, retryable=True),
    "engine_failed": ErrorDefinition(1011, retryable=True),
    "unauthorized": ErrorDefinition(4401, retryable=False),
    "limit_exceeded": ErrorDefinition(None, retryable=False),
    "invalid_resume_token": ErrorDefinition(4403, retryable=False),
    "taken_over": ErrorDefinition(4409, retryable=False),
    "forbidden_origin": ErrorDefinition(None, retryable=False),
    "not_found": ErrorDefinition(None, retryable=False),
    "shutting_down": ErrorDefinition(1001, retryable=True),
    "internal": ErrorDefinition(1011, retryable=True),
}
"""The catalogue of the protocol; a test compares it with the table in PROTOCOL.md."""

_CLIENT_ERRORS: dict[str, ErrorDefinition] = {
    "invalid_url": ErrorDefinition(None, retryable=False),
    "connection_failed": ErrorDefinition(1006, retryable=True),
    "connection_lost": ErrorDefinition(1006, retryable=True),
    "connection_closed": ErrorDefinition(1000, retryable=False),
    "unknown_error": ErrorDefinition(None, retryable=True),
    "closed": ErrorDefinition(1000, retryable=False),
    "protocol_error": ErrorDefinition(4400, retryable=False),
}


def known_error(code: str, message: str) -> tuple[str, str]:
    """Return the code and text of an error from a server.

    If only a newer version has the code, it is replaced by ``unknown_error``, and the text shows it.
    """
    return (code, message) if code in SERVER_ERRORS else ("unknown_error", f"{message} ({code})")


class MillraceError(Exception):
    """The error that this package raises or reports.

    ``code`` is stable: one of the codes in PROTOCOL.md, or ``invalid_url`` (not the address of a server),
    ``connection_failed`` (the server cannot be reached), ``connection_lost``, ``connection_closed`` (the server closed
    the connection and would close a new one for the same reason), ``closed`` (this side closed the stream),
    ``protocol_error`` (the server violated the protocol), ``unknown_error`` (an error of a newer server; its code is in
    the message). The message is for people and may change.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: str | None = None,
        frame: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        #: The parameter or message field at fault.
        self.field = field
        #: Id of the input frame concerned.
        self.frame = frame
        #: Seconds after which to try again, if the server gave a time.
        self.retry_after = retry_after

    @property
    def fatal(self) -> bool:
        """Whether the error ends the connection."""
        return self._definition.close is not None

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later, unchanged."""
        return self._definition.retryable

    @property
    def _definition(self) -> ErrorDefinition:
        # An unknown code counts as a temporary failure of the server.
        return _CLIENT_ERRORS.get(self.code) or SERVER_ERRORS.get(self.code) or ErrorDefinition(None, retryable=True)
