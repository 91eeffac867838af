"""Pauses between attempts to connect."""

from __future__ import annotations

import asyncio
import math
import random
from contextlib import suppress

FIRST = 0.25
LONGEST_AT_FIRST = 2.0
"""Limit during the first half minute, when a server that restarts may return at any moment."""
LONGEST = 8.0
FIRST_TIME = 30.0


def longest_pause(attempt: int, elapsed: float) -> float:
    """Return the longest pause before an attempt, ``elapsed`` seconds after the first; in seconds."""
    longest = LONGEST_AT_FIRST if elapsed < FIRST_TIME else LONGEST
    return min(longest, FIRST * 2.0**attempt)


class Backoff:
    """Growing pauses: exponential backoff with full jitter, so that many clients do not all return at once."""

    def __init__(self) -> None:
        self._attempt = 0
        self._hurry = asyncio.Event()
        self._begun = asyncio.get_running_loop().time()

    async def pause(self, *, least: float = 0.0, most: float = math.inf) -> None:
        """Wait before the next attempt: at least the ``least`` seconds that the server asked for, at most ``most``."""
        elapsed = asyncio.get_running_loop().time() - self._begun
        seconds = min(most, max(least, random.uniform(0, longest_pause(self._attempt, elapsed))))
        self._attempt += 1
        self._hurry.clear()
        # In Python 3.10 asyncio.TimeoutError is not the built-in one.
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), seconds)

    def hurry(self) -> None:
        """End the pause now."""
        self._hurry.set()
