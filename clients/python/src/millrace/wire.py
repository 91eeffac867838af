"""Encoding and decoding of the messages of protocol millrace.v1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar

import msgpack

from .errors import MillraceError
from .messages import (
    Authenticated,
    Checkpoint,
    Credit,
    Drain,
    Dropped,
    Failure,
    Frame,
    Limits,
    Pong,
    Quality,
    Queued,
    Ready,
    ServerMessage,
    Updated,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SUBPROTOCOL = "millrace.v1"
PROTOCOL_ERROR = "The server sent an invalid millrace.v1 message"
DROP_REASONS = ("superseded", "similar", "overload", "stale", "invalid", "failed")
_MAX_SHOWN_LENGTH = 200
"""Maximum number of characters of an unexpected text that an error shows."""
_MAX_SAFE = 2**53 - 1
_Value = TypeVar("_Value")


def encode_message(kind: str, **fields: object) -> bytes:
    """Encode one message, without the fields that are None."""
    present = {name: value for name, value in fields.items() if value is not None}
    encoded: bytes = msgpack.packb({"type": kind, **present})
    return encoded


def decode_message(data: bytes | str) -> ServerMessage | None:
    """Decode and check one message of the server; None for an unknown type, which is to be ignored.

    Raises MillraceError: protocol_error
    """
    if isinstance(data, str):
        raise _violation(f'the text "{data[:_MAX_SHOWN_LENGTH]}"')
    try:
        value = msgpack.unpackb(data)
    except (ValueError, msgpack.UnpackException) as error:
        raise _violation(f"not MessagePack ({error})") from error
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise _violation("not a map with a type")
    return _read(_Fields(value))


def _read(fields: _Fields) -> ServerMessage | None:
    read = _READERS.get(fields.text("type"))
    return None if read is None else read(fields)


def _read_ready(fields: _Fields) -> Ready:
    return Ready(
        protocol=fields.text("protocol"),
        session=fields.text("session"),
        resumed=fields.flag("resumed"),
        server=fields.text("server"),
        model=fields.text("model"),
        parameters=fields.map("parameters").values,
        credits=fields.count("credits"),
        limits=_read_limits(fields, "limits"),
        token_expires=fields.optional("token_expires", fields.number),
    )


def _read_limits(fields: _Fields, name: str) -> Limits:
    limits = fields.map(name)
    return Limits(
        message_bytes=limits.count("message_bytes"),
        frame_pixels=limits.count("frame_pixels"),
        unacknowledged_results=limits.count("unacknowledged_results"),
        updates_per_second=limits.number("updates_per_second"),
        fps=limits.optional("fps", limits.number),
        size=limits.optional("size", limits.count),
        steps=limits.optional("steps", limits.count),
    )


def _read_frame(fields: _Fields) -> Frame:
    times = fields.map("times")
    times.number("sent")
    return Frame(
        id=fields.count("id"),
        sequence=fields.count("sequence"),
        captured=fields.number("captured"),
        width=fields.count("width"),
        height=fields.count("height"),
        timings=fields.map("timings").values,
        times=times.values,
        data=fields.binary("data"),
    )


def _read_failure(fields: _Fields) -> Failure:
    return Failure(
        code=fields.text("code"),
        message=fields.text("message"),
        request=fields.optional("request", fields.count),
        id=fields.optional("id", fields.count),
        field=fields.optional("field", fields.text),
    )


def _known_reason(reason: str) -> str:
    """Replace a reason that only a newer version has by ``failed``: the frame has no result either way."""
    return reason if reason in DROP_REASONS else "failed"


_READERS: dict[str, Callable[[_Fields], ServerMessage]] = {
    "queued": lambda fields: Queued(fields.count("position"), fields.number("wait_seconds")),
    "ready": _read_ready,
    "credit": lambda fields: Credit(fields.count("total")),
    "result": _read_frame,
    "dropped": lambda fields: Dropped(fields.count("id"), _known_reason(fields.text("reason"))),
    "updated": lambda fields: Updated(fields.count("request"), fields.count("from"), fields.map("parameters").values),
    "quality": lambda fields: Quality(fields.optional("fps", fields.number)),
    "pong": lambda fields: Pong(fields.number("sent"), fields.number("received")),
    "authenticated": lambda fields: Authenticated(
        fields.optional("expires_seconds", fields.number),
        fields.optional("limits", lambda name: _read_limits(fields, name)),
    ),
    "checkpoint": lambda fields: Checkpoint(fields.text("token")),
    "drain": lambda fields: Drain(fields.number("deadline_seconds"), fields.optional("token", fields.text)),
    "error": _read_failure,
}


def _violation(what: str) -> MillraceError:
    return MillraceError("protocol_error", f"{PROTOCOL_ERROR}: {what}.")


class _Fields:
    """A decoded map; reading a field checks its type."""

    def __init__(self, values: dict[str, Any], path: str = "") -> None:
        self.values: dict[str, Any] = values
        self._path = path

    def text(self, name: str) -> str:
        return self._typed(name, str)

    def binary(self, name: str) -> bytes:
        return self._typed(name, bytes)

    def flag(self, name: str) -> bool:
        return self._typed(name, bool)

    def map(self, name: str) -> _Fields:
        return _Fields(self._typed(name, dict), f"{self._path}{name}.")

    def number(self, name: str) -> float:
        value = self.values.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return value
        raise self._wrong(name)

    def count(self, name: str) -> int:
        """Return an integer from 0 to 2^53-1, in any number format of MessagePack."""
        value = self.number(name)
        if value == int(value) and 0 <= value <= _MAX_SAFE:
            return int(value)
        raise self._wrong(name)

    def optional(self, name: str, read: Callable[[str], _Value]) -> _Value | None:
        return None if self.values.get(name) is None else read(name)

    def _typed(self, name: str, kind: type[_Value]) -> _Value:
        value = self.values.get(name)
        if isinstance(value, kind):
            return value
        raise self._wrong(name)

    def _wrong(self, name: str) -> MillraceError:
        return _violation(f"the field {self._path}{name} is invalid")
