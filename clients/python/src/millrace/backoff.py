"""How long to wait before the next try."""

from __future__ import annotations

import random

FIRST = 0.25
LONGEST = 8.0


def pause_before(attempt: int) -> float:
    """Return seconds: exponential backoff with full jitter, so that many clients do not return at once."""
    return random.uniform(0, min(LONGEST, FIRST * 2**attempt))
