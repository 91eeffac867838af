"""Errors that the user can fix."""

from __future__ import annotations


class ExportError(Exception):
    """Nothing was written. The message is one line: what is wrong, and what to do."""


def first_line(error: BaseException) -> str:
    """Return the first line of a library's message, which may be very long."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
