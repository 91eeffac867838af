"""What goes wrong in ways that a person can do something about."""

from __future__ import annotations


class ExportError(Exception):
    """Nothing was written. The message is one line: what is wrong, and what to do."""


def first_line(error: BaseException) -> str:
    """The first line of what a library says, which often goes on for pages."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
