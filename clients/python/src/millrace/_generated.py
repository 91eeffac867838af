"""The messages and errors of the protocol. Generated from protocol/src by ``npm run docs``: change them there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from .images import Picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from .wire import Fields

SUBPROTOCOL = "millrace.v1"

DROP_REASONS = (
    "superseded",
    "similar",
    "overload",
    "stale",
    "invalid",
    "failed",
)


class ErrorDefinition(NamedTuple):
    """The effect of an error on the connection, and whether to try again."""

    close: int | None
    """WebSocket close code if the error ends the connection."""
    retryable: bool
    """Whether the same request may succeed later, unchanged."""


SERVER_ERRORS: dict[str, ErrorDefinition] = {
    "invalid_message": ErrorDefinition(4400, retryable=False),
    "unknown_message": ErrorDefinition(None, retryable=False),
    "hello_required": ErrorDefinition(4400, retryable=False),
    "hello_timeout": ErrorDefinition(4408, retryable=True),
    "unsupported_protocol": ErrorDefinition(None, retryable=False),
    "message_too_large": ErrorDefinition(1009, retryable=False),
    "invalid_parameter": ErrorDefinition(None, retryable=False),
    "invalid_frame": ErrorDefinition(None, retryable=False),
    "credit_exceeded": ErrorDefinition(None, retryable=True),
    "rate_limited": ErrorDefinition(None, retryable=True),
    "too_many_sessions": ErrorDefinition(1013, retryable=True),
    "queue_timeout": ErrorDefinition(1013, retryable=True),
    "slow_reader": ErrorDefinition(1013, retryable=True),
    "idle_timeout": ErrorDefinition(4408, retryable=True),
    "not_ready": ErrorDefinition(1013, retryable=True),
    "generation_failed": ErrorDefinition(None, retryable=False),
    "engine_restarting": ErrorDefinition(None, retryable=True),
    "engine_failed": ErrorDefinition(1011, retryable=True),
    "unauthorized": ErrorDefinition(4401, retryable=False),
    "limit_exceeded": ErrorDefinition(None, retryable=False),
    "invalid_resume_token": ErrorDefinition(4403, retryable=False),
    "invalid_link": ErrorDefinition(None, retryable=False),
    "too_many_viewers": ErrorDefinition(None, retryable=True),
    "taken_over": ErrorDefinition(4409, retryable=False),
    "session_ended": ErrorDefinition(4410, retryable=False),
    "forbidden_origin": ErrorDefinition(None, retryable=False),
    "unsupported_mode": ErrorDefinition(None, retryable=False),
    "not_acceptable": ErrorDefinition(None, retryable=False),
    "not_found": ErrorDefinition(None, retryable=False),
    "shutting_down": ErrorDefinition(1001, retryable=True),
    "internal": ErrorDefinition(1011, retryable=True),
}
"""The catalogue of the protocol."""

Parameters: TypeAlias = Mapping[str, Any]
"""Parameters of a stream by name: ``GET /v1/capabilities`` has their schema."""


@dataclass(frozen=True)
class Limits:
    """Limits of the session."""

    message_bytes: int
    """Largest message of the client in bytes."""
    frame_pixels: int
    """Largest input image in pixels (width times height); all images of a frame together."""
    unacknowledged_results: int
    """Maximum number of results sent but not yet acknowledged."""
    updates_per_second: int
    """Maximum number of updates per second."""
    fps: float | None = None
    """Maximum number of frames processed per second, if the access token sets it."""
    size: int | None = None
    """Largest ``width`` and ``height``, if the access token sets it."""
    steps: int | None = None
    """Maximum number of denoising steps, if the access token sets it."""


@dataclass(frozen=True)
class Understood:
    """What the model made of each text of ``prompt``, in their order."""

    text: str
    """The prompt."""
    tokens: int
    """Tokens of the prompt that the model reads, without start and end."""
    truncated: int | None = None
    """Tokens at its end that the model does not read; None if it reads all."""
    weights: Mapping[str, float] | None = None
    """The first 16 parts with another weight than 1, by their texts; None if there are none."""
    styles: Mapping[str, float] | None = None
    """How surely it names these styles, from 0.1 to 1 (less only with ``nearest``), the surest first; None if the model
    cannot tell."""
    moods: Mapping[str, float] | None = None
    """The same for moods."""
    nearest: bool | None = None
    """Whether it names none in words that the model knows, so that these are the nearest in meaning; None if not."""
    ignored: str | None = None
    """Those of its first 16 words that change nothing, separated by spaces; None if there are none."""


@dataclass(frozen=True)
class Queued:
    """The session waits for a slot; ``ready`` or ``error`` follows. Sent again when the position changes."""

    position: int
    """Position in the queue, 1 is next."""
    wait_seconds: float
    """Estimated wait in seconds."""


@dataclass(frozen=True)
class Ready:
    """The stream is open; frames may be sent."""

    protocol: str
    """Version of this protocol, ``1.0``."""
    session: str
    """Opaque name of this session, for logs; a resumed session keeps it."""
    resumed: bool
    """Whether the stream of ``hello.resume`` continues."""
    server: str
    """Name and version of the server software."""
    model: str
    """Name of the model."""
    parameters: Parameters
    """All parameters in force."""
    credits: int
    """Frames that may be sent before the first ``credit``."""
    limits: Limits
    """Limits of the session."""
    token_expires: float | None = None
    """Seconds until the access token expires; None if it does not."""
    understood: tuple[Understood, ...] | None = None
    """What the model made of each text of ``prompt``, in their order."""
    key: str | None = None
    """Secret with which the owner of the session lets others watch."""


@dataclass(frozen=True)
class Credit:
    """Grants credits for more frames."""

    total: int
    """Total number of frames that the client may send, counted from ``ready``; never decreases."""


@dataclass(frozen=True)
class Frame(Picture):
    """One generated image."""

    id: int
    """The frame that it was generated from; with ``mode: txt2img`` a number that the server counts up."""
    sequence: int
    """1, 2, 3, ... for the results of this connection."""
    captured: float
    """``captured`` of that frame, its time of capture in milliseconds; with ``mode: txt2img`` 0."""
    width: int
    """Width of the image in pixels."""
    height: int
    """Height of the image in pixels."""
    timings: Mapping[str, float]
    """How long each stage took, in milliseconds: ``decode``, ``queue``, ``encode``, ``denoise``, ``vae_decode``,
    ``image_encode``, ``total``."""
    times: Mapping[str, float]
    """When each stage was passed, in milliseconds of the client's clock: ``received``, ``decoded``, ``queued``,
    ``encoded``, ``denoised``, ``vae_decoded``, ``sent``."""
    data: bytes
    """A JPEG file."""
    flagged: bool | None = None
    """Whether the image is blurred: the safety checker flagged it or the one before; None if not."""
    controls: Mapping[str, bytes] | None = None
    """Small JPEG files of the pictures by which controls have steered it, by the names of the controls; with
    ``control_previews``, in some results."""


@dataclass(frozen=True)
class Dropped:
    """An input frame that gets no result."""

    id: int
    """The frame that gets no result."""
    reason: str
    """One of the reasons in PROTOCOL.md section 5."""


@dataclass(frozen=True)
class Updated:
    """The answer to ``update``: the new parameters are in force."""

    request: int
    """``request`` of the ``update``, which is now in force; 2^53-1 if another program made the change (OSC)."""
    from_frame: int
    """The update affects the results of frames with this ``id`` or a higher one."""
    parameters: Parameters
    """All parameters in force."""
    understood: tuple[Understood, ...] | None = None
    """What the model made of each text of ``prompt``, in their order."""


@dataclass(frozen=True)
class Quality:
    """The server is overloaded, or has recovered, and changes the frame rate of this session."""

    fps: float | None
    """Maximum number of frames processed per second, because the server is overloaded; None lifts the limit."""


@dataclass(frozen=True)
class Pong:
    """The answer to ``ping``."""

    sent: float
    """``sent`` of the ``ping``."""
    received: float
    """The server's clock in milliseconds when the ``ping`` arrived; its zero point is arbitrary, and it never goes
    back."""


@dataclass(frozen=True)
class Authenticated:
    """The answer to ``authenticate``: the new token is in force."""

    expires_seconds: float | None = None
    """Seconds until the new token expires; None if it does not."""
    session_limits: Limits | None = None
    """As in ``ready``: the limits of the session from now on."""


@dataclass(frozen=True)
class Checkpoint:
    """A new resume token."""

    token: str
    """For ``hello.resume``; opaque, replaces all earlier ones."""


@dataclass(frozen=True)
class Drain:
    """The server is going to stop: the client should connect again, to another server if possible."""

    deadline_seconds: float
    """Seconds until the server closes the connection."""
    token: str | None = None
    """As in ``checkpoint``; None if the server does not allow sessions to resume."""


@dataclass(frozen=True)
class Failure:
    """Something went wrong; if the catalogue lists a close code for it, the connection closes."""

    code: str
    """One of the codes in PROTOCOL.md section 13."""
    message: str
    """For people."""
    request: int | None = None
    """``request`` of the refused ``update``."""
    id: int | None = None
    """The frame concerned."""
    field: str | None = None
    """The parameter or message field at fault."""


ServerMessage: TypeAlias = (
    Queued | Ready | Credit | Frame | Dropped | Updated | Quality | Pong | Authenticated | Checkpoint | Drain | Failure
)


def _read_limits(fields: Fields) -> Limits:
    return Limits(
        message_bytes=fields.count("message_bytes"),
        frame_pixels=fields.count("frame_pixels"),
        unacknowledged_results=fields.count("unacknowledged_results"),
        updates_per_second=fields.count("updates_per_second"),
        fps=fields.optional("fps", fields.number),
        size=fields.optional("size", fields.count),
        steps=fields.optional("steps", fields.count),
    )


def _read_understood(fields: Fields) -> Understood:
    return Understood(
        text=fields.text("text"),
        tokens=fields.count("tokens"),
        truncated=fields.optional("truncated", fields.count),
        weights=fields.optional("weights", fields.numbers_by_name),
        styles=fields.optional("styles", fields.numbers_by_name),
        moods=fields.optional("moods", fields.numbers_by_name),
        nearest=fields.optional("nearest", fields.boolean),
        ignored=fields.optional("ignored", fields.text),
    )


def _read_queued(fields: Fields) -> Queued:
    return Queued(
        position=fields.count("position"),
        wait_seconds=fields.number("wait_seconds"),
    )


def _read_ready(fields: Fields) -> Ready:
    return Ready(
        protocol=fields.text("protocol"),
        session=fields.text("session"),
        resumed=fields.boolean("resumed"),
        server=fields.text("server"),
        model=fields.text("model"),
        parameters=fields.map("parameters").values,
        credits=fields.count("credits"),
        limits=_read_limits(fields.map("limits")),
        token_expires=fields.optional("token_expires", fields.number),
        understood=fields.optional("understood", lambda name: fields.maps(name, _read_understood)),
        key=fields.optional("key", fields.text),
    )


def _read_credit(fields: Fields) -> Credit:
    return Credit(
        total=fields.count("total"),
    )


def _read_result(fields: Fields) -> Frame:
    return Frame(
        id=fields.count("id"),
        sequence=fields.count("sequence"),
        captured=fields.number("captured"),
        width=fields.count("width"),
        height=fields.count("height"),
        timings=fields.numbers(
            "timings", "decode", "queue", "encode", "denoise", "vae_decode", "image_encode", "total"
        ),
        times=fields.numbers("times", "received", "decoded", "queued", "encoded", "denoised", "vae_decoded", "sent"),
        flagged=fields.optional("flagged", fields.boolean),
        data=fields.binary("data"),
        controls=fields.optional("controls", fields.binaries),
    )


def _read_dropped(fields: Fields) -> Dropped:
    return Dropped(
        id=fields.count("id"),
        reason=fields.reason("reason"),
    )


def _read_updated(fields: Fields) -> Updated:
    return Updated(
        request=fields.count("request"),
        from_frame=fields.count("from"),
        parameters=fields.map("parameters").values,
        understood=fields.optional("understood", lambda name: fields.maps(name, _read_understood)),
    )


def _read_quality(fields: Fields) -> Quality:
    return Quality(
        fps=fields.number_or_nil("fps"),
    )


def _read_pong(fields: Fields) -> Pong:
    return Pong(
        sent=fields.number("sent"),
        received=fields.number("received"),
    )


def _read_authenticated(fields: Fields) -> Authenticated:
    return Authenticated(
        expires_seconds=fields.optional("expires_seconds", fields.number),
        session_limits=fields.optional("limits", lambda name: _read_limits(fields.map(name))),
    )


def _read_checkpoint(fields: Fields) -> Checkpoint:
    return Checkpoint(
        token=fields.text("token", most=1500000),
    )


def _read_drain(fields: Fields) -> Drain:
    return Drain(
        deadline_seconds=fields.number("deadline_seconds"),
        token=fields.optional("token", lambda name: fields.text(name, most=1500000)),
    )


def _read_error(fields: Fields) -> Failure:
    return Failure(
        code=fields.text("code"),
        message=fields.text("message"),
        request=fields.optional("request", fields.count),
        id=fields.optional("id", fields.count),
        field=fields.optional("field", fields.text),
    )


READERS: dict[str, Callable[[Fields], ServerMessage]] = {
    "queued": _read_queued,
    "ready": _read_ready,
    "credit": _read_credit,
    "result": _read_result,
    "dropped": _read_dropped,
    "updated": _read_updated,
    "quality": _read_quality,
    "pong": _read_pong,
    "authenticated": _read_authenticated,
    "checkpoint": _read_checkpoint,
    "drain": _read_drain,
    "error": _read_error,
}
"""Functions that read and check the fields of a message, by its type."""
