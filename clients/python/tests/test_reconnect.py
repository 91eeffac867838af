from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from server import Peer, ScriptedServer, scripted_server
from test_stream import eventually

from millrace import Drain, Dropped, Event, MillraceError, Reconnected, Reconnecting, Stream, connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Rig:
    def __init__(self, server: ScriptedServer, stream: Stream, peer: Peer, events: list[Event]) -> None:
        self.server, self.stream, self.peer, self.events = server, stream, peer, events

    def dropped(self) -> list[Dropped]:
        return [event for event in self.events if isinstance(event, Dropped)]


@asynccontextmanager
async def opened(reconnect_seconds: float = 30) -> AsyncIterator[Rig]:
    events: list[Event] = []
    async with scripted_server() as server:
        opening = asyncio.ensure_future(
            connect(server.url, {"seed": 4}, on_event=events.append, reconnect_seconds=reconnect_seconds)
        )
        peer = await server.accept()
        await peer.greet()
        stream = await opening
        yield Rig(server, stream, peer, events)
        await stream.close()


async def test_a_lost_connection_is_resumed_with_the_newest_token() -> None:
    async with opened() as rig:
        await rig.peer.send("checkpoint", token="first")
        await rig.peer.send("checkpoint", token="second")
        rig.stream.send(b"a")
        await rig.peer.receive("frame")
        await rig.peer.result(1, 0)
        await anext(rig.stream)
        rig.stream.send(b"b")
        await rig.peer.receive("frame")
        rig.peer.break_off()

        peer = await rig.server.accept()
        hello = await peer.greet(resumed=True, credits=1)
        assert hello["resume"] == "second"
        assert "parameters" not in hello
        await eventually(lambda: rig.events[-1] == Reconnected(resumed=True))
        assert isinstance(rig.events[0], Reconnecting)
        # Ids continue to increase, credits count from 0 again, and earlier results are not acknowledged here.
        assert rig.stream.send(b"c") == 2
        assert (await peer.receive("frame"))["id"] == 2
        await peer.result(1, 2)
        assert (await anext(rig.stream)).id == 2
        # Results arrive in order: that of 1 will not arrive any more.
        assert rig.dropped() == [Dropped(1, "failed")]
        await peer.idle()
        assert rig.stream.stats().reconnects == 1


async def test_after_a_refused_token_the_stream_starts_over_with_the_same_parameters() -> None:
    async with opened() as rig:
        update = asyncio.ensure_future(rig.stream.update(prompt="mosaic"))
        await rig.peer.receive("update")
        await rig.peer.send("updated", request=0, **{"from": 0}, parameters={})
        await update
        await rig.peer.send("checkpoint", token="old")
        rig.stream.send(b"a")
        await rig.peer.receive("frame")
        rig.peer.break_off()
        peer = await rig.server.accept()
        await peer.receive("hello")
        await peer.send("error", code="invalid_resume_token", message="expired")
        await peer.socket.close(4403)
        hello = await (await rig.server.accept()).greet(resumed=False)
        assert hello["parameters"] == {"seed": 4, "prompt": "mosaic"}
        assert "resume" not in hello
        await eventually(lambda: rig.events[-1] == Reconnected(resumed=False))
        assert rig.dropped() == [Dropped(0, "failed")]


async def test_a_fresh_start_has_the_file_of_the_style_image_even_if_an_update_repeated_its_name() -> None:
    async with opened() as rig:
        for changes in ({"style_image": b"a file"}, {"style_image": "sha256:00", "steps": 2}):
            update = asyncio.ensure_future(rig.stream.update(changes))
            sent = await rig.peer.receive("update")
            assert sent["parameters"] == changes
            await rig.peer.send("updated", request=sent["request"], **{"from": 0}, parameters={})
            await update
        rig.peer.break_off()
        hello = await (await rig.server.accept()).greet(resumed=False)
        assert hello["parameters"] == {"seed": 4, "style_image": b"a file", "steps": 2}


async def test_an_update_without_an_answer_is_sent_again() -> None:
    async with opened() as rig:
        update = asyncio.ensure_future(rig.stream.update(prompt="mosaic"))
        await rig.peer.receive("update")
        rig.peer.break_off()
        peer = await rig.server.accept()
        await peer.greet(resumed=True)
        assert await peer.receive("update") == {
            "type": "update",
            "request": 0,
            "parameters": {"prompt": "mosaic"},
        }
        await peer.send("updated", request=0, **{"from": 1}, parameters={})
        assert (await update).from_frame == 1


async def test_moves_to_another_server_on_drain() -> None:
    async with opened() as rig:
        await rig.peer.send("drain", deadline_seconds=5, token="last")
        peer = await rig.server.accept()
        # This connection serves the stream until the other one is ready.
        await rig.peer.result(1, 0)
        assert (await anext(rig.stream)).id == 0
        assert (await peer.greet(resumed=True))["resume"] == "last"
        await rig.peer.socket.wait_closed()
        assert rig.peer.socket.close_code == 1000
        await eventually(lambda: rig.events[-1:] == [Reconnected(resumed=True)])
        assert rig.events[0] == Drain(5, "last")
        assert not any(isinstance(event, Reconnecting) for event in rig.events)


async def test_the_former_connection_may_be_taken_over_first() -> None:
    async with opened() as rig:
        await rig.peer.send("drain", deadline_seconds=5, token="last")
        peer = await rig.server.accept()
        await peer.receive("hello")
        await rig.peer.send("error", code="taken_over", message="moved")
        await rig.peer.socket.close(4409)
        await peer.socket.send(await ready_bytes())
        await eventually(lambda: rig.events[-1:] == [Reconnected(resumed=True)])
        assert not rig.stream.closed


async def ready_bytes() -> bytes:
    import msgpack
    from server import fixture

    data: bytes = msgpack.packb({**fixture("ready"), "resumed": True})
    return data


@pytest.mark.parametrize("code", ["taken_over", "unauthorized", "invalid_message"])
async def test_does_not_reconnect_after_final_errors(code: str) -> None:
    async with opened() as rig:
        await rig.peer.send("error", code=code, message="no")
        await rig.peer.socket.close(4400)
        with pytest.raises(MillraceError) as caught:
            await anext(rig.stream)
        assert caught.value.code == code
        assert rig.stream.closed


async def test_stops_trying_after_the_grace_period() -> None:
    async with opened(reconnect_seconds=0.2) as rig:
        rig.peer.break_off()
        with pytest.raises(MillraceError):
            while True:
                peer = asyncio.ensure_future(rig.server.accept())
                following = asyncio.ensure_future(anext(rig.stream))
                await asyncio.wait([peer, following], return_when=asyncio.FIRST_COMPLETED)
                if following.done():
                    peer.cancel()
                    following.result()
                following.cancel()
                await (await peer).socket.close(1013)


async def test_reconnecting_can_be_turned_off_and_cancelled() -> None:
    async with opened(reconnect_seconds=0) as rig:
        rig.peer.break_off()
        with pytest.raises(MillraceError) as caught:
            await anext(rig.stream)
        assert caught.value.code == "connection_lost"
    async with opened() as rig:
        rig.peer.break_off()
        await eventually(lambda: rig.events)
        await rig.stream.close()
        assert [frame async for frame in rig.stream] == []


async def test_a_token_is_renewed_before_it_expires() -> None:
    tokens = iter(["one", "two", "three"])

    async def next_token() -> str:
        return next(tokens)

    async with scripted_server() as server:
        opening = asyncio.ensure_future(connect(server.url, token=next_token))
        peer = await server.accept()
        await peer.greet(token_expires=0.05)
        async with await opening:
            assert (await peer.receive("authenticate"))["token"] == "two"
            await peer.send("authenticated", expires_seconds=0.05)
            assert (await peer.receive("authenticate"))["token"] == "three"
