"""What a stream tells beside its frames."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from .messages import Drain, Dropped, Quality, Queued, Updated

if TYPE_CHECKING:
    from collections.abc import Callable

    from .errors import MillraceError


@dataclass(frozen=True)
class Waiting:
    """The server is still starting or is being restarted (``not_ready``, ...), and is tried again."""

    error: MillraceError


@dataclass(frozen=True)
class Problem:
    """Something went wrong that no call waits for; the stream goes on."""

    error: MillraceError


@dataclass(frozen=True)
class Reconnecting:
    """The connection was lost, and the client tries to connect again."""

    error: MillraceError


@dataclass(frozen=True)
class Reconnected:
    """The stream has another connection."""

    resumed: bool
    """Whether the server knew how to go on; otherwise the stream began afresh with the same parameters."""


Event: TypeAlias = Queued | Waiting | Dropped | Updated | Quality | Drain | Problem | Reconnecting | Reconnected
"""``Dropped.reason`` is one of the server's or ``no_credit`` (displaced by a newer frame before the server allowed
another), ``unread`` (its result was displaced by a newer one before it was read) or ``stale`` (its result lay in
buffers while this side was held up)."""


def guarded(listener: Callable[[Event], None]) -> Callable[[Event], None]:
    """Return a listener that never raises: what the given one raises is reported to the event loop."""

    def tell(event: Event) -> None:
        try:
            listener(event)
        except Exception as error:
            context = {"message": "a listener for events of a stream failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)

    return tell
