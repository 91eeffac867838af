"""Lists of phrases, written as one text."""

from __future__ import annotations


def phrases_of(text: str) -> list[str]:
    """Return what stands between the bars."""
    return [phrase.strip() for phrase in text.replace("\n", " ").split("|") if phrase.strip()]
