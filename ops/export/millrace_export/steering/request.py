"""What the command line asks for, before anything is loaded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ExportError

_NAME = re.compile(r"[a-z0-9_-]{1,40}")
# Words in the name or the place of a control network, and how the server makes its picture from a frame.
_PREPROCESSORS = {
    "canny": "canny",
    "soft_edge": "soft_edge",
    "softedge": "soft_edge",
    "hed": "soft_edge",
    "tile": "passthrough",
    "color": "passthrough",
}


@dataclass(frozen=True)
class ControlRequest:
    """A ControlNet or T2I-Adapter: its name in the model folder, and a diffusers folder or hub id."""

    name: str
    place: str

    @classmethod
    def parse(cls, text: str) -> ControlRequest:
        """Parse NAME=PLACE, or PLACE, whose last part becomes the name. Raises ExportError if the name is invalid."""
        name, equals, place = text.partition("=")
        # An equals sign may also be part of a path.
        if not equals or "/" in name or "\\" in name:
            place = text
            name = re.sub(r"[^a-z0-9_-]", "_", Path(text).name.lower())[:40]
        if not _NAME.fullmatch(name):
            raise ExportError(
                f"{text}: the name {name!r} is invalid; use 1 to 40 of a-z, 0-9, _ and -, such as canny={place or 'FOLDER'}"
            )
        if not place:
            raise ExportError(f"{text}: names no folder or hub id; use {name}=FOLDER or {name}=OWNER/NAME")
        return cls(name, place)

    @property
    def preprocessor(self) -> str | None:
        """What makes the control picture from a frame, if a word in the names tells."""
        words = "_".join(re.split(r"[^a-z0-9]+", f"{self.name} {Path(self.place).name}".lower()))
        return next((found for word, found in _PREPROCESSORS.items() if f"_{word}_" in f"_{words}_"), None)


@dataclass(frozen=True)
class SteeringRequest:
    controlnets: tuple[ControlRequest, ...] = ()
    t2i_adapters: tuple[ControlRequest, ...] = ()
    # A .safetensors file, a folder that has one, or OWNER/NAME/FILE on the hub.
    ip_adapter: str | None = None
    # A folder or hub id; by default the folder image_encoder beside the IP-Adapter's file.
    image_encoder: str | None = None
    # Blocks whose self-attention has banks; "all" for every one.
    attention_bank: tuple[str, ...] = ()

    @classmethod
    def parse(
        cls,
        controlnets: Sequence[str],
        t2i_adapters: Sequence[str],
        ip_adapter: str | None,
        image_encoder: str | None,
        attention_bank: str | None,
    ) -> SteeringRequest:
        """Parse the options. Raises ExportError if names are invalid or not unique."""
        request = cls(
            tuple(map(ControlRequest.parse, controlnets)),
            tuple(map(ControlRequest.parse, t2i_adapters)),
            ip_adapter,
            image_encoder,
            tuple(block.strip() for block in (attention_bank or "").split(",") if block.strip()),
        )
        names = Counter(control.name for control in (*request.controlnets, *request.t2i_adapters))
        twice = next((name for name, count in names.items() if count > 1), None)
        if twice is not None:
            raise ExportError(f"two control networks have the name {twice}; give each its own: NAME=FOLDER|ID")
        if image_encoder is not None and ip_adapter is None:
            raise ExportError("--image-encoder is for an IP-Adapter; add --ip-adapter")
        if attention_bank is not None and not request.attention_bank:
            raise ExportError("--attention-bank names no block; use all, or blocks such as mid_block,up_blocks")
        return request

    @property
    def is_empty(self) -> bool:
        return not (self.controlnets or self.t2i_adapters or self.ip_adapter or self.attention_bank)
