"""Encoding and decoding of the messages of protocol millrace.v1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar

import msgpack

from ._generated import DROP_REASONS, READERS
from .errors import MillraceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._generated import ServerMessage

PROTOCOL_ERROR = "The server sent an invalid millrace.v1 message"
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
    read = READERS.get(value["type"])
    return None if read is None else read(Fields(value))


def _violation(what: str) -> MillraceError:
    return MillraceError("protocol_error", f"{PROTOCOL_ERROR}: {what}.")


class Fields:
    """A decoded map; reading a field checks its type."""

    def __init__(self, values: dict[str, Any], path: str = "") -> None:
        self.values: dict[str, Any] = values
        self._path = path

    def text(self, name: str, most: float = math.inf) -> str:
        """Return a text of at most ``most`` characters."""
        text = self._typed(name, str)
        if len(text) > most:
            raise self._wrong(name)
        return text

    def reason(self, name: str) -> str:
        """Return why a frame was dropped; ``failed`` for a reason that only a newer version has."""
        reason = self.text(name)
        return reason if reason in DROP_REASONS else "failed"

    def binary(self, name: str) -> bytes:
        """Return bytes."""
        return self._typed(name, bytes)

    def binaries(self, name: str) -> Mapping[str, bytes]:
        """Return a map of bytes."""
        values = self._typed(name, dict)
        if not all(isinstance(value, bytes) for value in values.values()):
            raise self._wrong(name)
        return values

    def boolean(self, name: str) -> bool:
        """Return whether a field is true."""
        return self._typed(name, bool)

    def map(self, name: str) -> Fields:
        """Return a map, to be read in the same way."""
        return Fields(self._typed(name, dict), f"{self._path}{name}.")

    def numbers(self, name: str, *keys: str) -> Mapping[str, float]:
        """Return the numbers of a map that have these keys; others, of a newer server, are ignored."""
        numbers = self.map(name)
        return {key: numbers.number(key) for key in keys}

    def numbers_by_name(self, name: str) -> Mapping[str, float]:
        """Return a map of finite numbers with any keys."""
        numbers = self.map(name)
        return {key: numbers.number(key) for key in numbers.values}

    def maps(self, name: str, read: Callable[[Fields], _Value]) -> tuple[_Value, ...]:
        """Return what ``read`` makes of each map of a list."""
        entries = self._typed(name, list)
        if not all(isinstance(entry, dict) for entry in entries):
            raise self._wrong(name)
        return tuple(read(Fields(entry, f"{self._path}{name}[{i}].")) for i, entry in enumerate(entries))

    def number(self, name: str) -> float:
        """Return a finite number."""
        value = self.values.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return value
        raise self._wrong(name)

    def number_or_nil(self, name: str) -> float | None:
        """Return a finite number, or None for nil; the field must not be absent."""
        if name in self.values and self.values[name] is None:
            return None
        return self.number(name)

    def count(self, name: str) -> int:
        """Return an integer from 0 to 2^53-1, in any number format of MessagePack."""
        value = self.number(name)
        if value == int(value) and 0 <= value <= _MAX_SAFE:
            return int(value)
        raise self._wrong(name)

    def optional(self, name: str, read: Callable[[str], _Value]) -> _Value | None:
        """Return what ``read`` returns; None if the field is absent or nil."""
        return None if self.values.get(name) is None else read(name)

    def _typed(self, name: str, kind: type[_Value]) -> _Value:
        value = self.values.get(name)
        if isinstance(value, kind):
            return value
        raise self._wrong(name)

    def _wrong(self, name: str) -> MillraceError:
        return _violation(f"the field {self._path}{name} is invalid")
