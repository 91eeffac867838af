from __future__ import annotations

import asyncio

from millrace._generated import Frame
from millrace.backoff import Backoff, longest_pause
from millrace.clock import ClockFilter
from millrace.freshness import Freshness
from millrace.in_flight import InFlight
from millrace.outbox import Outbox
from millrace.statistics import Path, Recorder


def result(sent: float, captured: float | None = None) -> Frame:
    return Frame(
        0, 1, sent - 50 if captured is None else captured, 8, 8, {}, {"received": sent - 20, "sent": sent}, b""
    )


def flowing() -> Freshness:
    """Returns one that has seen ten results, at 20 per second, each 10 ms in transit."""
    freshness = Freshness()
    for index in range(10):
        freshness.hear(index * 50 + 10)
        assert freshness.admit(result(index * 50), index * 50 + 10)
    return freshness


def test_results_of_a_permanently_slower_server_are_not_stale_forever() -> None:
    freshness = flowing()
    freshness.hear(5000)
    assert not freshness.admit(result(4990, captured=500), 5000)
    # Each message arrives after what used to be a pause, and is older than usual.
    freshness.hear(5400)
    assert not freshness.admit(result(5390, captured=4900), 5400)
    freshness.hear(5800)
    assert freshness.admit(result(5790, captured=5010), 5800)


def test_buffered_results_are_stale_after_a_pause() -> None:
    freshness = flowing()
    freshness.hear(5000)
    assert not freshness.admit(result(500), 5000)
    assert not freshness.admit(result(550), 5000)
    # Sent just now, of a frame that was captured before the pause.
    assert not freshness.admit(result(4995, captured=520), 5005)
    assert freshness.admit(result(4980, captured=4930), 5000)
    # Results arrive again: a longer transit than usual is no reason to show nothing.
    freshness.hear(5100)
    assert freshness.admit(result(4990, captured=4900), 5100)


def test_a_result_after_a_pause_of_the_server_is_fresh() -> None:
    freshness = flowing()
    freshness.hear(5010)
    assert freshness.admit(result(5000, captured=4950), 5010)


def test_nothing_is_stale_before_the_frame_interval_is_known() -> None:
    freshness = Freshness()
    freshness.hear(0)
    freshness.hear(9000)
    assert freshness.admit(result(10), 9000)
    assert not freshness.outlived(0, 9000)


def test_the_clock_uses_the_shortest_recent_round_trip() -> None:
    clock = ClockFilter()
    assert (clock.offset, clock.round_trip) == (None, None)
    clock.add(sent=100, received=1000, returned=140)
    clock.add(sent=200, received=1105, returned=210)
    clock.add(sent=300, received=1290, returned=400)
    assert (clock.round_trip, clock.offset) == (10, 205 - 1105)
    for _ in range(8):
        clock.add(sent=500, received=1400, returned=520)
    assert clock.round_trip == 20


def test_the_outbox_keeps_the_newest_and_counts_credits_of_a_connection() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.restart(1)
    assert (outbox.put("a"), outbox.take(), outbox.put("b"), outbox.take()) == (None, "a", None, None)
    assert outbox.put("c") == "b"
    outbox.allow(2)
    outbox.allow(1)
    assert (outbox.credits, outbox.take(), outbox.credits) == (1, "c", 0)
    outbox.restart(2)
    assert outbox.credits == 2


def test_frames_of_a_former_connection_are_lost_when_a_later_one_has_its_result() -> None:
    frames = InFlight()
    for frame in (1, 2, 3):
        frames.add(frame)
    assert frames.newer_than(2)
    assert not frames.newer_than(3)
    frames.orphan()
    assert not frames.newer_than(0)
    frames.add(4)
    assert frames.finished(2) == [1]
    frames.answered(4)
    frames.add(5)
    assert frames.finished(5) == [3]
    frames.add(6)
    assert (frames.clear(), frames.clear()) == ([6], [])


def test_statistics_count_latency_only_of_captured_frames() -> None:
    time = [0.0]
    recorder = Recorder(lambda: time[0])
    for index in range(4):
        time[0] = 1000.0 + 100 * index
        recorder.count_sent()
        frame = result(sent=time[0] - 2, captured=time[0] - 10 * index)
        recorder.count_consumed(frame, time[0] - 1, captured=index > 0)
    recorder.count_dropped("similar")
    stats = recorder.read(5.0, 1)
    assert (stats.sent, stats.consumed, stats.latency_p50, stats.latency_p95) == (4, 4, 20.0, 30.0)
    assert (stats.dropped, stats.round_trip, stats.reconnects) == ({"similar": 1}, 5.0, 1)
    assert stats.path == Path(upload=8, server=20, download=1, display=1)
    time[0] = 9000.0
    assert recorder.read(None, 1).fps_out == 0


def test_pauses_grow_up_to_two_seconds_and_later_to_eight() -> None:
    assert [longest_pause(attempt, 0) for attempt in (0, 1, 3, 64)] == [0.25, 0.5, 2, 2]
    assert [longest_pause(attempt, 31) for attempt in (3, 4, 5, 64)] == [2, 4, 8, 8]


async def test_a_pause_can_be_ended() -> None:
    backoff = Backoff()
    for _ in range(8):
        pause = asyncio.ensure_future(backoff.pause())
        await asyncio.sleep(0)
        backoff.hurry()
        await pause
