"""Client for Millrace: stream live video in, get generated video back."""

from ._generated import Drain, Dropped, Frame, Limits, Parameters, Quality, Queued, Understood, Updated
from .client import connect
from .errors import MillraceError
from .events import Event, Problem, Reconnected, Reconnecting, Waiting
from .statistics import Path, Stats
from .stream import Stream
from .sync import SyncStream, connect_sync

__all__ = [
    "Drain",
    "Dropped",
    "Event",
    "Frame",
    "Limits",
    "MillraceError",
    "Parameters",
    "Path",
    "Problem",
    "Quality",
    "Queued",
    "Reconnected",
    "Reconnecting",
    "Stats",
    "Stream",
    "SyncStream",
    "Understood",
    "Updated",
    "Waiting",
    "connect",
    "connect_sync",
]
