"""Names of bases by the width of their text embeddings, for errors."""

from __future__ import annotations

_BASES = {768: "Stable Diffusion 1.x", 1024: "Stable Diffusion 2.x", 2048: "Stable Diffusion XL"}


def width_name(width: int) -> str:
    """Return the width of a token, with the base that has this width if one is known."""
    known = f" ({_BASES[width]})" if width in _BASES else ""
    return f"{width} values{known}"
