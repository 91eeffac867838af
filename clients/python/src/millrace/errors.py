"""The errors of a Millrace server and of this client, by their stable codes."""

from __future__ import annotations

from ._generated import SERVER_ERRORS, ErrorDefinition

_CLIENT_ERRORS: dict[str, ErrorDefinition] = {
    "invalid_look": ErrorDefinition(None, retryable=False),
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
    ``invalid_look`` (not a file of looks),
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
