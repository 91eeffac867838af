from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from server import Peer, fixture
from test_reconnect import Rig, opened
from test_stream import eventually

from millrace import Dropped, Reconnected, Reconnecting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Drained:
    """A stream with two frames under way whose server drains, and which sends no more frames to it.

    The connection to the next server is open; its hello may not have come.
    """

    def __init__(self, rig: Rig, following: Peer) -> None:
        self.rig, self.stream, self.peer, self.next = rig, rig.stream, rig.peer, following
        self.shown: list[int] = []

    async def show(self) -> None:
        async for frame in self.stream:
            self.shown.append(frame.id)

    async def answer(self, sequence: int, frame: int) -> None:
        """Sends a result, and waits until it is acknowledged; nothing else may come before that."""
        await self.peer.result(sequence, frame)
        assert (await self.peer.receive("ack"))["sequence"] == sequence


@asynccontextmanager
async def drained(deadline_seconds: float = 20) -> AsyncIterator[Drained]:
    async with opened() as rig:
        for frame in range(2):
            rig.stream.send(b"a")
            assert (await rig.peer.receive("frame"))["id"] == frame
        await rig.peer.send("credit", total=4)
        await rig.peer.send("drain", deadline_seconds=deadline_seconds, token="early")
        stream = Drained(rig, await rig.server.accept())
        await eventually(lambda: rig.stream.credits == 0)
        showing = asyncio.create_task(stream.show())
        yield stream
        showing.cancel()


async def test_moves_when_all_frames_are_answered_with_the_token_after_their_results() -> None:
    async with drained() as drain:
        drain.stream.send(b"b")
        drain.stream.send(b"c")
        await drain.answer(1, 0)
        await drain.next.idle()  # A frame has no answer.
        await drain.answer(2, 1)
        await drain.next.idle()  # The token is older than the result.
        await drain.peer.send("checkpoint", token="late")
        assert (await drain.next.greet(resumed=True))["resume"] == "late"
        await drain.peer.socket.wait_closed()
        assert drain.peer.socket.close_code == 1000
        # Of the frames meanwhile, the newest wins.
        assert (await drain.next.receive("frame"))["id"] == 3
        assert drain.shown == [0, 1]
        assert drain.rig.dropped() == [Dropped(2, "no_credit")]
        assert not any(isinstance(event, Reconnecting) for event in drain.rig.events)


async def test_counts_a_drop_as_an_answer() -> None:
    async with drained() as drain:
        await drain.answer(1, 0)
        await drain.peer.send("checkpoint", token="late")
        await drain.peer.send("dropped", id=1, reason="similar")
        assert (await drain.next.greet(resumed=True))["resume"] == "late"
        assert drain.rig.dropped() == [Dropped(1, "similar")]


async def test_shows_no_result_twice_that_the_next_server_repeats_but_acknowledges_it() -> None:
    async with drained() as drain:
        await drain.answer(1, 0)
        await drain.answer(2, 1)
        # An older server sends no token after the results.
        assert (await drain.next.greet(resumed=True))["resume"] == "early"
        await eventually(lambda: drain.rig.events[-1:] == [Reconnected(resumed=True)])
        for sequence, frame in ((1, 0), (2, 1)):
            await drain.next.result(sequence, frame)
            assert (await drain.next.receive("ack"))["sequence"] == sequence
        assert drain.stream.send(b"b") == 2
        await drain.next.receive("frame")
        await drain.next.result(3, 2)
        await drain.next.receive("ack")
        assert drain.shown == [0, 1, 2]


async def test_shows_all_results_of_a_server_that_counts_its_own_frames_from_0_again() -> None:
    async with drained() as drain:
        await drain.answer(1, 0)
        await drain.answer(2, 1)
        await drain.peer.send("checkpoint", token="late")
        parameters = {**fixture("ready")["parameters"], "mode": "txt2img"}
        await drain.next.greet(resumed=True, parameters=parameters)
        await eventually(lambda: drain.rig.events[-1:] == [Reconnected(resumed=True)])
        await drain.next.result(1, 0)
        await drain.next.receive("ack")
        assert drain.shown == [0, 1, 0]


async def test_waits_for_answers_until_half_of_the_deadline_at_most() -> None:
    async with drained(deadline_seconds=0.5) as drain:
        assert (await drain.next.greet(resumed=True))["resume"] == "early"
        await drain.peer.socket.wait_closed()
        assert drain.peer.socket.close_code == 1000
        assert drain.rig.dropped() == []


async def test_waits_no_longer_when_its_connection_is_lost() -> None:
    async with drained() as drain:
        drain.peer.break_off()
        assert (await drain.next.greet(resumed=True))["resume"] == "early"
        await eventually(lambda: drain.rig.events[-1:] == [Reconnected(resumed=True)])


async def test_is_served_by_the_former_server_while_it_waits_for_a_slot_of_the_next() -> None:
    async with drained() as drain:
        await drain.answer(1, 0)
        await drain.answer(2, 1)
        await drain.peer.send("checkpoint", token="late")
        assert (await drain.next.receive("hello"))["resume"] == "late"
        await drain.next.send("queued", position=1, wait_seconds=1)
        drain.stream.send(b"b")
        assert (await drain.peer.receive("frame"))["id"] == 2
        ready = {name: value for name, value in fixture("ready").items() if name != "type"}
        await drain.next.send("ready", **{**ready, "resumed": True})
        await eventually(lambda: drain.stream.credits == 0)
        drain.stream.send(b"c")
        await drain.peer.result(3, 2)
        await drain.peer.socket.wait_closed()
        assert drain.peer.socket.close_code == 1000
        assert (await drain.next.receive("frame"))["id"] == 3
        assert drain.shown == [0, 1, 2]
        assert drain.rig.dropped() == []


async def test_is_served_by_the_former_server_while_the_next_refuses_it() -> None:
    async with drained() as drain:
        await drain.answer(1, 0)
        await drain.answer(2, 1)
        await drain.peer.send("checkpoint", token="late")
        await drain.next.receive("hello")
        await drain.next.send("error", code="too_many_sessions", message="full")
        drain.stream.send(b"b")
        assert (await drain.peer.receive("frame"))["id"] == 2
        await drain.answer(3, 2)
        await drain.peer.send("checkpoint", token="later")
        following = await drain.rig.server.accept()
        assert (await following.greet(resumed=True))["resume"] == "later"
        await drain.peer.socket.wait_closed()


async def test_goes_on_over_its_connection_if_no_other_can_be_had() -> None:
    async with drained(deadline_seconds=0.5) as drain:
        await drain.next.receive("hello")
        await drain.next.send("error", code="limit_exceeded", message="too large")
        drain.stream.send(b"b")
        assert (await drain.peer.receive("frame"))["id"] == 2
