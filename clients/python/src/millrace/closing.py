"""Why connections end."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from ._generated import SERVER_ERRORS
from .errors import MillraceError, known_error

if TYPE_CHECKING:
    from websockets.http11 import Response

ABNORMAL = 1006
"""Close code of a broken connection (RFC 6455 section 7.4)."""

_FINAL_CLOSES = {
    1000: "connection_closed",
    1002: "connection_closed",
    1003: "connection_closed",
    1007: "connection_closed",
    1008: "connection_closed",
    1009: "message_too_large",
    1010: "connection_closed",
    4400: "invalid_message",
    4401: "unauthorized",
    4403: "invalid_resume_token",
    4409: "taken_over",
    4410: "session_ended",
}
"""Close codes after which another connection would end in the same way (PROTOCOL.md section 14), unless the close
reason is an error code."""


def close_error(lost: str, what: str, code: int | None, reason: str | None) -> MillraceError:
    """Return why a connection ended, from its close frame alone; ``lost`` is the code if a new one may succeed."""
    if code in (None, ABNORMAL):
        return MillraceError(lost, f"{what}.")
    # The server sends the error code as the close reason.
    error = reason if reason in SERVER_ERRORS else _FINAL_CLOSES.get(code or ABNORMAL, lost)
    return MillraceError(error, f"{what} ({code}{f': {reason}' if reason else ''}).")


def refusal(response: Response) -> MillraceError:
    """Read the response to a refused upgrade, whose body is ``{"error": {"code": ..., "message": ...}}``."""
    seconds = _seconds(response.headers.get("Retry-After", ""))
    try:
        error = json.loads(response.body or b"")["error"]
        if not isinstance(error["code"], str):
            raise TypeError("no code")
        return MillraceError(*known_error(error["code"], str(error["message"])), retry_after=seconds)
    except (ValueError, KeyError, TypeError):
        message = (
            f"The server could not be reached: the response, with status {response.status_code}, "
            "is not from a Millrace server; check the address."
        )
        return MillraceError("connection_failed", message, retry_after=seconds)


def _seconds(header: str) -> float | None:
    try:
        seconds = float(header)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
