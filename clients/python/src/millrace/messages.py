"""The messages of protocol millrace.v1: bytes to typed values and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import msgpack

from .errors import MillraceError
from .images import decode_image

if TYPE_CHECKING:
    from .images import Image

SUBPROTOCOL = "millrace.v1"
PROTOCOL_ERROR = "The server sent something that is not millrace.v1"
_MAX_SAFE = 2**53 - 1
_Value = TypeVar("_Value")

Parameters: TypeAlias = Mapping[str, Any]
"""Parameters of a stream by name: ``GET /v1/capabilities`` has their schema."""


@dataclass(frozen=True)
class Limits:
    """Limits that the server holds this connection to."""

    message_bytes: int
    """Largest message in bytes."""
    frame_pixels: int
    """Largest input image in pixels."""
    unacknowledged_results: int
    """Results that may be sent and not yet acknowledged."""


@dataclass(frozen=True)
class Ready:
    """The stream is open; frames may be sent."""

    session: str
    server: str
    model: str
    parameters: Parameters
    credits: int
    limits: Limits


@dataclass(frozen=True)
class Credit:
    """Allows further frames: as many as ``total`` since the connection was ready."""

    total: int


@dataclass(frozen=True)
class Frame:
    """One generated image."""

    id: int
    """The input frame that it was made from; with ``mode: txt2img`` a number that the server counts."""
    sequence: int
    """1, 2, 3, ... over the results of a connection."""
    captured: float
    """When that input frame was captured, in milliseconds of the stream's clock; 0 with ``mode: txt2img``."""
    width: int
    height: int
    timings: Mapping[str, float]
    """Milliseconds that each stage of the server took."""
    data: bytes
    """A JPEG file."""

    @cached_property
    def image(self) -> Image:
        """The picture as an RGB array of uint8 with the shape (height, width, 3); needs ``millrace[numpy]``."""
        return decode_image(self.data)


@dataclass(frozen=True)
class Dropped:
    """An input frame that gets no result of its own."""

    id: int
    reason: str


@dataclass(frozen=True)
class Updated:
    """An update is in force, from the result of input frame ``from_frame`` on."""

    request: int
    from_frame: int
    parameters: Parameters


@dataclass(frozen=True)
class Failure:
    """Something went wrong."""

    code: str
    message: str
    request: int | None
    id: int | None
    field: str | None


ServerMessage: TypeAlias = Ready | Credit | Frame | Dropped | Updated | Failure


def encode_message(kind: str, **fields: object) -> bytes:
    """Encode one message; fields that are None are left out."""
    present = {name: value for name, value in fields.items() if value is not None}
    encoded: bytes = msgpack.packb({"type": kind, **present})
    return encoded


def decode_message(data: bytes | str) -> ServerMessage | None:
    """Read one message of the server; None for a type that this version does not know, which is to be ignored.

    Raises MillraceError: protocol_error
    """
    if isinstance(data, str):
        raise _violation("a text message")
    try:
        value = msgpack.unpackb(data)
    except (ValueError, msgpack.UnpackException) as error:
        raise _violation("no MessagePack") from error
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise _violation("no map with a type")
    return _read(_Fields(value))


def _read(fields: _Fields) -> ServerMessage | None:
    match fields.text("type"):
        case "ready":
            return _read_ready(fields)
        case "credit":
            return Credit(fields.count("total"))
        case "result":
            return _read_frame(fields)
        case "dropped":
            return Dropped(fields.count("id"), fields.text("reason"))
        case "updated":
            return Updated(fields.count("request"), fields.count("from"), fields.map("parameters").values)
        case "error":
            return Failure(
                code=fields.text("code"),
                message=fields.text("message"),
                request=fields.count("request") if "request" in fields.values else None,
                id=fields.count("id") if "id" in fields.values else None,
                field=fields.text("field") if "field" in fields.values else None,
            )
    return None


def _read_ready(fields: _Fields) -> Ready:
    limits = fields.map("limits")
    return Ready(
        session=fields.text("session"),
        server=fields.text("server"),
        model=fields.text("model"),
        parameters=fields.map("parameters").values,
        credits=fields.count("credits"),
        limits=Limits(
            message_bytes=limits.count("message_bytes"),
            frame_pixels=limits.count("frame_pixels"),
            unacknowledged_results=limits.count("unacknowledged_results"),
        ),
    )


def _read_frame(fields: _Fields) -> Frame:
    return Frame(
        id=fields.count("id"),
        sequence=fields.count("sequence"),
        captured=fields.number("captured"),
        width=fields.count("width"),
        height=fields.count("height"),
        timings=fields.map("timings").values,
        data=fields.binary("data"),
    )


def _violation(what: str) -> MillraceError:
    return MillraceError("protocol_error", f"{PROTOCOL_ERROR}: {what}.")


class _Fields:
    """A decoded map whose fields are read with their types checked."""

    def __init__(self, values: dict[str, Any], path: str = "") -> None:
        self.values = values
        self._path = path

    def text(self, name: str) -> str:
        return self._typed(name, str)

    def binary(self, name: str) -> bytes:
        return self._typed(name, bytes)

    def map(self, name: str) -> _Fields:
        return _Fields(self._typed(name, dict), f"{self._path}{name}.")

    def number(self, name: str) -> float:
        value = self.values.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return value
        raise self._wrong(name)

    def count(self, name: str) -> int:
        """Return a whole number from 0 to 2^53-1; it may come in any number format of MessagePack."""
        value = self.number(name)
        if value == int(value) and 0 <= value <= _MAX_SAFE:
            return int(value)
        raise self._wrong(name)

    def _typed(self, name: str, kind: type[_Value]) -> _Value:
        value = self.values.get(name)
        if isinstance(value, kind):
            return value
        raise self._wrong(name)

    def _wrong(self, name: str) -> MillraceError:
        return _violation(f"the field {self._path}{name} is wrong")
