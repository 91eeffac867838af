"""The messages that a server sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from .images import decode_image

if TYPE_CHECKING:
    from .images import Image


Parameters: TypeAlias = Mapping[str, Any]
"""Parameters of a stream by name: ``GET /v1/capabilities`` has their schema."""


@dataclass(frozen=True)
class Limits:
    """Limits of this connection."""

    message_bytes: int
    """Largest message in bytes."""
    frame_pixels: int
    """Largest input image in pixels."""
    unacknowledged_results: int
    """Maximum number of results sent but not yet acknowledged."""
    updates_per_second: float
    """Maximum number of updates per second."""
    fps: float | None = None
    """Maximum number of frames processed per second, if the token limits it."""
    size: int | None = None
    """Largest ``width`` and ``height``, if the token limits them."""
    steps: int | None = None
    """Maximum number of denoising steps, if the token limits it."""


@dataclass(frozen=True)
class Queued:
    """The session waits for a slot of the server."""

    position: int
    """1 is next."""
    wait_seconds: float
    """Estimated."""


@dataclass(frozen=True)
class Ready:
    """The stream is open; frames may be sent."""

    protocol: str
    session: str
    resumed: bool
    server: str
    model: str
    parameters: Parameters
    credits: int
    limits: Limits
    token_expires: float | None
    """Seconds until the token expires; None if it does not."""


@dataclass(frozen=True)
class Credit:
    """Grants credits: ``total`` frames are allowed since the connection was ready."""

    total: int


@dataclass(frozen=True)
class Frame:
    """One generated image."""

    id: int
    """The input frame that it was generated from; with ``mode: txt2img`` a number that the server counts up."""
    sequence: int
    """1, 2, 3, ... for the results of a connection."""
    captured: float
    """Time of capture of that input frame, in milliseconds of the stream's clock; 0 with ``mode: txt2img``."""
    width: int
    height: int
    timings: Mapping[str, float]
    """Milliseconds that each stage of the server took."""
    times: Mapping[str, float]
    """When the frame passed each stage, in milliseconds of the stream's clock; the last is ``sent``."""
    data: bytes
    """A JPEG file."""

    @cached_property
    def image(self) -> Image:
        """The picture as an RGB array of uint8 with the shape (height, width, 3); needs ``millrace[numpy]``."""
        return decode_image(self.data)


@dataclass(frozen=True)
class Dropped:
    """An input frame that gets no result."""

    id: int
    reason: str


@dataclass(frozen=True)
class Updated:
    """An update is in force, from the result of input frame ``from_frame`` on."""

    request: int
    from_frame: int
    parameters: Parameters


@dataclass(frozen=True)
class Quality:
    """The server is overloaded, or has recovered."""

    fps: float | None
    """Maximum number of frames processed per second from now on; None lifts the limit."""


@dataclass(frozen=True)
class Pong:
    """The answer to a ping: its ``sent``, and the server's clock when it arrived."""

    sent: float
    received: float


@dataclass(frozen=True)
class Authenticated:
    """A new token is in force."""

    expires_seconds: float | None
    session_limits: Limits | None = None
    """Limits of the session from now on."""


@dataclass(frozen=True)
class Checkpoint:
    """The stream can be resumed from here with this token."""

    token: str


@dataclass(frozen=True)
class Drain:
    """The server is going to stop; the client connects again automatically."""

    deadline_seconds: float
    token: str | None


@dataclass(frozen=True)
class Failure:
    """Something went wrong."""

    code: str
    message: str
    request: int | None
    id: int | None
    field: str | None


ServerMessage: TypeAlias = (
    Queued | Ready | Credit | Frame | Dropped | Updated | Quality | Pong | Authenticated | Checkpoint | Drain | Failure
)
