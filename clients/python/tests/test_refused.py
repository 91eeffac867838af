from __future__ import annotations

import asyncio
import threading
from typing import Any

import msgpack
import pytest
from server import Peer, fixture, scripted_server
from test_reconnect import opened as opened_lasting
from test_stream import eventually, opened

from millrace import Dropped, Event, MillraceError, Problem, connect_sync, lost_picture


async def refuse(peer: Peer, frame: int) -> None:
    await peer.send("error", code="invalid_frame", message="not a picture", id=frame)
    await peer.send("dropped", id=frame, reason="invalid")


def limits(**changed: int) -> dict[str, Any]:
    return {**fixture("ready")["limits"], **changed}


async def test_a_refused_picture_ends_the_wait_for_its_result_and_the_stream_continues() -> None:
    async with opened() as (stream, peer):
        frame = stream.send(b"x")
        waiting = asyncio.ensure_future(anext(stream))
        await refuse(peer, frame)
        with pytest.raises(MillraceError, match="not a picture") as caught:
            await waiting
        assert (caught.value.code, caught.value.frame) == ("invalid_frame", frame)
        assert not stream.closed
        await peer.result(1, 1)
        assert (await anext(stream)).id == 1


async def test_an_earlier_refusal_is_raised_at_the_next_request_for_a_result() -> None:
    events: list[Event] = []
    async with opened(events) as (stream, peer):
        await refuse(peer, stream.send(b"x"))
        await eventually(lambda: Dropped(0, "invalid") in events)
        with pytest.raises(MillraceError, match="not a picture"):
            async for _ in stream:
                pass
        await peer.result(1, 1)
        assert (await anext(stream)).id == 1


async def test_refused_pictures_can_be_skipped() -> None:
    events: list[Event] = []
    async with opened(events) as (stream, peer):
        await refuse(peer, stream.send(b"x"))
        await peer.result(1, 1)
        async for frame in stream.frames(skip_refused=True):
            assert frame.id == 1
            break
        assert [event.error.frame for event in events if isinstance(event, Problem)] == [0]


async def test_skipping_refused_pictures_still_raises_what_ended_the_stream() -> None:
    async with opened() as (stream, peer):
        await peer.send("error", code="taken_over", message="moved")
        await peer.socket.close(4409)
        with pytest.raises(MillraceError, match="moved"):
            async for _ in stream.frames(skip_refused=True):
                pass


async def test_an_error_without_a_picture_is_not_raised() -> None:
    async with opened() as (stream, peer):
        await peer.send("error", code="engine_restarting", message="a moment")
        await peer.result(1, 0)
        assert (await anext(stream)).id == 0


async def test_the_sync_client_raises_for_a_refused_picture_and_continues() -> None:
    async with scripted_server() as server:
        outcome: list[object] = []

        def work() -> None:
            with connect_sync(server.url) as stream:
                stream.send(b"x")
                try:
                    next(stream)
                except MillraceError as error:
                    outcome.append((error.code, error.frame))
                stream.send(b"y")
                outcome.append(next(stream).id)
                for frame in stream.frames(skip_refused=True):
                    outcome.append(frame.id)
                    break

        thread = threading.Thread(target=work)
        thread.start()
        peer = await server.accept()
        await peer.greet()
        await refuse(peer, (await peer.receive("frame"))["id"])
        await peer.receive("frame")
        await peer.result(1, 1)
        await peer.receive("ack")
        await refuse(peer, 2)
        await peer.result(2, 3)
        await asyncio.to_thread(thread.join)
        assert outcome == [("invalid_frame", 0), 1, 3]


async def test_the_client_refuses_pictures_from_one_byte_above_message_bytes() -> None:
    overhead = 42  # A map of five fields, with float 64 and bin 16.
    async with opened(limits=limits(message_bytes=5000)) as (stream, peer):
        for size in (5000, 5001 - overhead, 100_000):
            with pytest.raises(MillraceError, match="at most 5000 bytes") as caught:
                stream.send(bytes(size), captured=0.5)
            assert (caught.value.code, caught.value.frame) == ("message_too_large", 0)
        assert stream.send(bytes(5000 - overhead), captured=0.5) == 0
        assert len((await peer.receive("frame"))["data"]) == 5000 - overhead


async def test_pictures_of_controls_travel_with_their_frame_and_count_towards_message_bytes() -> None:
    controls = {"depth": bytes(3000), "canny": bytes(5)}
    message = {"type": "frame", "id": 0, "captured": 0.5, "data": b"x", "controls": controls}
    async with opened(limits=limits(message_bytes=len(msgpack.packb(message)))) as (stream, peer):
        with pytest.raises(MillraceError) as caught:
            stream.send(b"x", captured=0.5, controls={**controls, "canny": bytes(6)})
        assert (caught.value.code, caught.value.frame) == ("message_too_large", 0)
        assert stream.send(b"x", captured=0.5, controls={**controls, "canny": bytearray(5)}) == 0
        assert await peer.receive("frame") == message
        stream.send(b"y", captured=0.5)
        assert "controls" not in await peer.receive("frame")


async def test_a_mask_travels_with_its_frame_and_counts_towards_message_bytes() -> None:
    message = {"type": "frame", "id": 0, "captured": 0.5, "data": b"x", "mask": bytes(3000)}
    async with opened(limits=limits(message_bytes=len(msgpack.packb(message)))) as (stream, peer):
        with pytest.raises(MillraceError) as caught:
            stream.send(b"x", captured=0.5, mask=bytes(3001))
        assert (caught.value.code, caught.value.frame) == ("message_too_large", 0)
        assert stream.send(b"x", captured=0.5, mask=memoryview(bytes(3000))) == 0
        assert await peer.receive("frame") == message
        stream.send(b"y", captured=0.5)
        assert "mask" not in await peer.receive("frame")


async def test_the_client_refuses_updates_that_are_too_large_or_cannot_be_encoded() -> None:
    async with opened(limits=limits(message_bytes=5000)) as (stream, peer):
        with pytest.raises(MillraceError, match="update is too large"):
            await stream.update(prompt="x" * 5000)
        with pytest.raises(TypeError):
            await stream.update(prompt=object())
        update = asyncio.ensure_future(stream.update(prompt="x"))
        request = (await peer.receive("update"))["request"]
        await peer.send("updated", request=request, **{"from": 0}, parameters={})
        await update


async def test_a_waiting_picture_is_refused_if_the_next_server_has_a_lower_limit() -> None:
    async with opened_lasting() as rig:
        for _ in range(2):
            rig.stream.send(bytes(3000))
            await rig.peer.receive("frame")
        assert (rig.stream.send(bytes(3000)), rig.stream.credits) == (2, 0)
        waiting = asyncio.ensure_future(anext(rig.stream))
        rig.peer.break_off()
        peer = await rig.server.accept()
        await peer.greet(resumed=True, credits=5, limits=limits(message_bytes=2000))
        with pytest.raises(MillraceError) as caught:
            await waiting
        assert (caught.value.code, caught.value.frame) == ("message_too_large", 2)
        assert Dropped(2, "invalid") in rig.events
        assert rig.stream.credits == 5


@pytest.mark.parametrize("resumed", [True, False])
async def test_a_picture_that_was_lost_with_its_connection_ends_the_wait_for_its_result(
    resumed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_picture, "WAIT_SECONDS", 0.05)
    async with opened_lasting() as rig:
        rig.stream.send(b"x")
        await rig.peer.receive("frame")
        waiting = asyncio.ensure_future(anext(rig.stream))
        rig.peer.break_off()
        await (await rig.server.accept()).greet(resumed=resumed)
        with pytest.raises(MillraceError, match="lost with the connection") as caught:
            await waiting
        assert (caught.value.code, caught.value.frame) == ("connection_lost", 0)
        assert [event for event in rig.events if isinstance(event, Dropped)] == [Dropped(0, "failed")]
        assert not rig.stream.closed


async def test_a_late_result_ends_the_wait_for_a_lost_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_picture, "WAIT_SECONDS", 0.2)
    async with opened_lasting() as rig:
        rig.stream.send(b"x")
        await rig.peer.receive("frame")
        rig.peer.break_off()
        peer = await rig.server.accept()
        await peer.greet(resumed=True)
        await peer.result(1, 0)
        assert (await anext(rig.stream)).id == 0
        waiting = asyncio.ensure_future(anext(rig.stream))
        await asyncio.sleep(0.4)
        await peer.result(2, 1)
        assert (await waiting).id == 1
