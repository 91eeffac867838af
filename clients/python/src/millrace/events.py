"""The events of a stream."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ._generated import Drain, Dropped, Quality, Queued, Updated

if TYPE_CHECKING:
    from collections.abc import Callable

    from .errors import MillraceError


@dataclass(frozen=True)
class Waiting:
    """The server is starting or restarting (``not_ready``, ...); the client tries again."""

    error: MillraceError


@dataclass(frozen=True)
class Problem:
    """An error that no pending call receives; the stream continues."""

    error: MillraceError


@dataclass(frozen=True)
class Reconnecting:
    """The connection was lost, and the client tries to connect again."""

    error: MillraceError


@dataclass(frozen=True)
class Reconnected:
    """The stream has a new connection."""

    resumed: bool
    """Whether the server resumed the stream; otherwise it started over with the same parameters."""


Event: TypeAlias = Queued | Waiting | Dropped | Updated | Quality | Drain | Problem | Reconnecting | Reconnected
"""``Dropped.reason`` is one of the server's or ``no_credit`` (a newer frame displaced it before there was a credit),
``unread`` (a newer result displaced its result before it was read) or ``stale`` (its result became outdated in buffers
while this side was interrupted)."""


def guarded(listener: Callable[[Event], None]) -> Callable[[Event], None]:
    """Return a listener that never raises: errors of the given one are reported to the event loop."""

    def emit(event: Event) -> None:
        try:
            listener(event)
        except Exception as error:
            context = {"message": "a listener for stream events failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)

    return emit
