from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from server import fixture, scripted_server
from test_reconnect import opened
from test_stream import eventually

from millrace import MillraceError, Reconnected, Reconnecting, Waiting, connect, connect_sync, connection
from millrace.errors import MillraceError as Error

if TYPE_CHECKING:
    from server import ScriptedServer

    from millrace import Event


@pytest.mark.parametrize(
    ("code", "reason", "error"),
    [
        (1000, "", "connection_closed"),
        (1002, "", "connection_closed"),
        (1003, "", "connection_closed"),
        (1007, "", "connection_closed"),
        (1008, "", "connection_closed"),
        (1009, "", "message_too_large"),
        (1010, "", "connection_closed"),
        (4400, "", "invalid_message"),
        (4400, "hello_required", "hello_required"),
        (4401, "", "unauthorized"),
        (4403, "", "invalid_resume_token"),
        (4409, "", "taken_over"),
        (4499, "taken_over", "taken_over"),
    ],
)
async def test_does_not_reconnect_after_final_closes(code: int, reason: str, error: str) -> None:
    async with opened() as rig:
        await rig.peer.socket.close(code, reason)
        with pytest.raises(MillraceError) as caught:
            await anext(rig.stream)
        assert (caught.value.code, caught.value.retryable) == (error, False)
        assert rig.stream.stats().reconnects == 0


@pytest.mark.parametrize(
    ("code", "reason"),
    [(1001, ""), (1011, ""), (1012, ""), (1013, "slow_reader"), (1014, ""), (3999, ""), (4408, ""), (4499, "gremlins")],
)
async def test_reconnects_after_other_closes(code: int, reason: str) -> None:
    async with opened() as rig:
        await rig.peer.socket.close(code, reason)
        await (await rig.server.accept()).greet(resumed=True)
        await eventually(lambda: Reconnected(resumed=True) in rig.events)
        assert any(isinstance(event, Reconnecting) and event.error.retryable for event in rig.events)


async def test_stops_trying_if_a_server_ends_every_connection_at_once() -> None:
    async with scripted_server() as server:
        opening = asyncio.ensure_future(connect(server.url, reconnect_seconds=0.5))
        peer = await server.accept()
        await peer.greet()
        stream = await opening

        async def end_all() -> None:
            last = peer
            while True:
                await last.socket.close(4499, "gremlins")
                last = await server.accept()
                await last.greet(resumed=True)

        ending = asyncio.create_task(end_all())
        with pytest.raises(MillraceError) as caught:
            await anext(stream)
        ending.cancel()
        assert caught.value.code == "connection_lost"


@pytest.mark.parametrize("late", ["ready", "queued"])
async def test_a_late_ready_or_queued_ends_the_stream(late: str) -> None:
    async with opened() as rig:
        await rig.peer.send(**{"kind": late, **{k: v for k, v in fixture(late).items() if k != "type"}})
        with pytest.raises(MillraceError, match=f"{late} late") as caught:
            await anext(rig.stream)
        assert caught.value.code == "protocol_error"
        await rig.peer.socket.wait_closed()
        assert rig.peer.socket.close_code == 4400


async def test_an_unknown_error_code_is_retryable_and_shown() -> None:
    assert Error("gremlins", "").retryable
    async with scripted_server() as server:
        opening = asyncio.ensure_future(connect(server.url))
        peer = await server.accept()
        await peer.receive("hello")
        await peer.send("error", code="gremlins", message="something new")
        with pytest.raises(MillraceError, match=r"something new \(gremlins\)") as caught:
            await opening
        assert (caught.value.code, caught.value.retryable) == ("unknown_error", True)


async def test_an_unexpected_text_message_is_shown() -> None:
    async with opened() as rig:
        await rig.peer.socket.send("Bad Gateway")
        with pytest.raises(MillraceError, match='"Bad Gateway"'):
            await anext(rig.stream)


async def refuse(server: ScriptedServer, code: str) -> None:
    peer = await server.accept()
    await peer.receive("hello")
    await peer.send("error", code=code, message=f"it is {code}")
    await peer.socket.close(1013, code)


@pytest.mark.parametrize("code", ["not_ready", "shutting_down"])
async def test_connect_waits_for_a_starting_server_and_reports_it(code: str) -> None:
    events: list[Event] = []
    async with scripted_server() as server:
        opening = asyncio.ensure_future(connect(server.url, on_event=events.append))
        await refuse(server, code)
        await refuse(server, code)
        await (await server.accept()).greet()
        await (await opening).close()
    assert [event.error.code for event in events if isinstance(event, Waiting)] == [code, code]


async def test_connect_waits_no_longer_than_wait_seconds() -> None:
    async with scripted_server() as server:
        for seconds in (0, 0.3):
            opening = asyncio.ensure_future(connect(server.url, wait_seconds=seconds))
            refusing = asyncio.create_task(always(server))
            with pytest.raises(MillraceError, match="it is not_ready") as caught:
                await opening
            refusing.cancel()
            assert caught.value.code == "not_ready"


async def always(server: ScriptedServer) -> None:
    while True:
        await refuse(server, "not_ready")


def test_the_sync_client_reports_an_invalid_address() -> None:
    with pytest.raises(MillraceError, match="ftp:// is not one of"):
        connect_sync("ftp://localhost")


async def test_abandons_connections_that_do_not_open_or_get_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (connection._OPEN_TIMEOUT, connection._ANSWER_TIMEOUT) == (10, 60)
    monkeypatch.setattr(connection, "_OPEN_TIMEOUT", 0.2)
    monkeypatch.setattr(connection, "_ANSWER_TIMEOUT", 0.2)
    arrived = asyncio.Event()
    silent = await asyncio.start_server(lambda _reader, _writer: arrived.set(), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    with pytest.raises(MillraceError, match=r"within 0\.2 seconds") as caught:
        await connect(f"127.0.0.1:{port}")
    assert caught.value.code == "connection_failed"
    silent.close()
    monkeypatch.setattr(connection, "_OPEN_TIMEOUT", 10)
    async with scripted_server() as server:
        with pytest.raises(MillraceError, match=r"did not answer within 0\.2 seconds"):
            await connect(server.url)
        # Messages that do not answer hello do not count; a position in the queue does.
        opening = asyncio.ensure_future(connect(server.url))
        await server.accept()
        peer = await server.accept()
        await peer.receive("hello")
        await peer.send("credit", total=5)
        with pytest.raises(MillraceError, match=r"did not answer within 0\.2 seconds"):
            await opening
        opening = asyncio.ensure_future(connect(server.url))
        peer = await server.accept()
        await peer.receive("hello")
        await peer.send("queued", position=1, wait_seconds=1)
        await asyncio.sleep(0.4)
        await peer.send(**{"kind": "ready", **{k: v for k, v in fixture("ready").items() if k != "type"}})
        await (await opening).close()


async def answer(body: str, header: str = "") -> tuple[asyncio.Server, str]:
    """Starts a server that answers every request with this."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            f"HTTP/1.1 503 No\r\ncontent-length: {len(body)}\r\n{header}connection: close\r\n\r\n{body}".encode()
        )
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    return server, f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("body", "code", "retry_after"),
    [
        ('{"error": {"code": "too_many_sessions", "message": "full"}}', "too_many_sessions", 7),
        ('{"error": {"code": "forbidden_origin", "message": "no"}}', "forbidden_origin", 7),
        ('{"error": {"code": "gremlins", "message": "no"}}', "unknown_error", 7),
        ("<html>", "connection_failed", 7),
        ("[]", "connection_failed", 7),
        ('{"error": {"code": 3, "message": "no"}}', "connection_failed", 7),
    ],
)
async def test_a_refused_upgrade_reports_the_reason(body: str, code: str, retry_after: float) -> None:
    server, url = await answer(body, "Retry-After: 7\r\n")
    async with server:
        with pytest.raises(MillraceError) as caught:
            await connect(url)
        assert (caught.value.code, caught.value.retry_after) == (code, retry_after)
