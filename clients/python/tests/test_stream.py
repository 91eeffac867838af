from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from server import Peer, scripted_server

from millrace import Dropped, Event, MillraceError, Problem, Queued, Stream, connect, connect_sync

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def opened(events: list[Event] | None = None, **ready: Any) -> AsyncIterator[tuple[Stream, Peer]]:
    """Opens a stream; yields it and the server's side of it."""
    async with scripted_server() as server:
        opening = asyncio.ensure_future(connect(server.url, on_event=(events if events is not None else []).append))
        peer = await server.accept()
        await peer.greet(**ready)
        stream = await opening
        yield stream, peer
        await stream.close()


async def eventually(condition: Any) -> None:
    while not condition():
        await asyncio.sleep(0.005)


async def test_sends_hello_and_has_the_fields_of_ready() -> None:
    async with scripted_server() as server:
        opening = asyncio.ensure_future(connect(server.url, {"prompt": "blueprint"}, token="secret", client="test/1"))
        peer = await server.accept()
        hello = await peer.greet()
        assert peer.socket.request is not None
        assert peer.socket.request.path == "/v1/stream"
        assert peer.socket.request.headers["Authorization"] == "Bearer secret"
        assert (hello["client"], hello["parameters"]) == ("test/1", {"prompt": "blueprint"})
        assert isinstance(hello["sent"], float)
        async with await opening as stream:
            assert (stream.model, stream.credits, stream.limits.frame_pixels) == ("millrace-styles", 2, 16777216)
        assert stream.closed
        await peer.socket.wait_closed()
        assert peer.socket.close_code == 1000


async def test_reports_the_position_in_the_queue() -> None:
    events: list[Event] = []
    async with scripted_server() as server:
        opening = asyncio.ensure_future(connect(server.url, on_event=events.append))
        peer = await server.accept()
        await peer.send("queued", position=2, wait_seconds=3)
        await peer.greet()
        await (await opening).close()
    assert events == [Queued(2, 3)]


async def test_a_refusal_is_an_error_with_code_and_field() -> None:
    async with scripted_server() as server:
        opening = asyncio.ensure_future(connect(server.url, {"steps": 99}))
        peer = await server.accept()
        await peer.send("error", code="invalid_parameter", message="steps must be less", field="steps")
        with pytest.raises(MillraceError, match="steps must be less") as caught:
            await opening
        assert (caught.value.code, caught.value.field, caught.value.retryable) == ("invalid_parameter", "steps", False)


async def test_an_unreachable_server_is_connection_failed() -> None:
    with pytest.raises(MillraceError) as caught:
        await connect("http://127.0.0.1:9")
    assert (caught.value.code, caught.value.retryable) == ("connection_failed", True)


async def test_frames_wait_for_credits_and_the_newest_wins() -> None:
    events: list[Event] = []
    async with opened(events) as (stream, peer):
        for _ in range(5):
            stream.send(b"jpeg")
            await asyncio.sleep(0.01)
        assert [(await peer.receive("frame"))["id"] for _ in range(2)] == [0, 1]
        await peer.idle()
        assert stream.credits == 0
        await peer.send("credit", total=3)
        frame = await peer.receive("frame")
        assert (frame["id"], frame["data"]) == (4, b"jpeg")
        await peer.idle()
        assert [event for event in events if isinstance(event, Dropped)] == [
            Dropped(2, "no_credit"),
            Dropped(3, "no_credit"),
        ]


async def test_acknowledges_when_the_next_result_is_requested() -> None:
    async with opened() as (stream, peer):
        await peer.result(1, 0)
        frame = await anext(stream)
        assert (frame.id, frame.sequence, frame.data) == (0, 1, b"\0")
        await peer.idle()
        following = asyncio.ensure_future(anext(stream))
        assert (await peer.receive("ack"))["sequence"] == 1
        await peer.result(2, 1)
        assert (await following).id == 1


async def test_a_slow_consumer_gets_the_newest_result() -> None:
    events: list[Event] = []
    async with opened(events) as (stream, peer):
        for sequence in (1, 2, 3):
            await peer.result(sequence, sequence)
        await eventually(lambda: len(events) == 2)
        assert (await anext(stream)).id == 3
        assert events == [Dropped(1, "unread"), Dropped(2, "unread")]
        following = asyncio.ensure_future(anext(stream))
        assert (await peer.receive("ack"))["sequence"] == 3
        following.cancel()


async def test_updates_are_answered_or_refused_by_request() -> None:
    async with opened() as (stream, peer):
        update = asyncio.ensure_future(stream.update(prompt="mosaic"))
        refused = asyncio.ensure_future(stream.update({"steps": 99}))
        assert (await peer.receive("update"))["parameters"] == {"prompt": "mosaic"}
        await peer.receive("update")
        await peer.send("error", code="invalid_parameter", message="no", request=1, field="steps")
        await peer.send("updated", request=0, **{"from": 5}, parameters={"prompt": "mosaic"})
        assert (await update).from_frame == 5
        assert stream.parameters == {"prompt": "mosaic"}
        with pytest.raises(MillraceError) as caught:
            await refused
        assert (caught.value.code, caught.value.field) == ("invalid_parameter", "steps")


async def test_an_error_that_no_pending_call_receives_is_an_event() -> None:
    events: list[Event] = []
    async with opened(events) as (stream, peer):
        await peer.send("error", code="invalid_frame", message="no image", id=3)
        await eventually(lambda: events)
        assert isinstance(events[0], Problem)
        assert (events[0].error.code, events[0].error.frame) == ("invalid_frame", 3)
        assert not stream.closed


async def test_pings_send_the_offset_of_the_clocks() -> None:
    async with opened() as (stream, peer):
        ping = await peer.receive("ping")
        assert "offset" not in ping
        await peer.send("pong", sent=ping["sent"], received=0)
        await eventually(lambda: stream.stats().round_trip is not None)
        ping = await peer.receive("ping")
        assert abs(ping["offset"] - ping["sent"]) < 10_000


async def test_a_failing_listener_does_not_affect_the_stream() -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))

    def fail(event: Event) -> None:
        raise ValueError(event)

    async with scripted_server() as server:
        opening = asyncio.ensure_future(connect(server.url, on_event=fail))
        peer = await server.accept()
        await peer.greet()
        async with await opening as stream:
            await peer.send("dropped", id=0, reason="similar")
            await eventually(lambda: reported)
            await peer.result(1, 1)
            assert (await anext(stream)).id == 1


async def test_a_protocol_violation_ends_the_stream() -> None:
    async with opened() as (stream, peer):
        await peer.socket.send("text")
        with pytest.raises(MillraceError) as caught:
            await anext(stream)
        assert caught.value.code == "protocol_error"
        await peer.socket.wait_closed()
        assert peer.socket.close_code == 4400
        with pytest.raises(MillraceError):
            stream.send(b"jpeg")


async def test_closing_ends_the_iteration_and_rejects_updates() -> None:
    async with opened() as (stream, peer):
        update = asyncio.ensure_future(stream.update(prompt="mosaic"))
        await peer.receive("update")
        await asyncio.gather(stream.close(), stream.close())
        assert [frame async for frame in stream] == []
        with pytest.raises(MillraceError) as caught:
            await update
        assert caught.value.code == "closed"


async def test_without_asyncio() -> None:
    async with scripted_server() as server:

        def use() -> list[int]:
            with connect_sync(server.url, {"prompt": "mosaic"}) as stream:
                ids = [stream.send(b"jpeg"), next(stream).id, stream.update(prompt="x").from_frame]
            with pytest.raises(MillraceError):
                stream.send(b"jpeg")
            stream.close()
            return ids

        used = asyncio.ensure_future(asyncio.to_thread(use))
        peer = await server.accept()
        await peer.greet()
        await peer.receive("frame")
        await peer.result(1, 7)
        await peer.receive("update")
        await peer.send("updated", request=0, **{"from": 8}, parameters={})
        assert await used == [0, 7, 8]


async def test_acknowledgements_never_decrease() -> None:
    async with opened() as (stream, peer):
        await peer.result(2, 0)
        assert (await anext(stream)).sequence == 2
        # A server must not do this, but acknowledgements never decrease.
        await peer.result(1, 1)
        assert (await anext(stream)).sequence == 1
        waiting = asyncio.ensure_future(anext(stream))
        assert (await peer.receive("ack"))["sequence"] == 2
        await peer.result(3, 2)
        assert (await waiting).sequence == 3
        waiting = asyncio.ensure_future(anext(stream))
        assert (await peer.receive("ack"))["sequence"] == 3
        waiting.cancel()
