"""A real WebSocket server on a free port; the tests write its messages."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgpack
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FIXTURES = Path(__file__).parents[3] / "protocol" / "fixtures"


def fixture(name: str) -> Any:
    """Returns a message of the golden fixtures, with bytes where its JSON has ``$hex``."""

    def revive(value: dict[str, Any]) -> Any:
        return bytes.fromhex(value["$hex"]) if "$hex" in value else value

    return json.loads((FIXTURES / f"{name}.json").read_text(), object_hook=revive)


class Peer:
    """The server's side of one connection."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self._received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def read(self) -> None:
        try:
            async for data in self.socket:
                self._received.put_nowait(msgpack.unpackb(data))
        except ConnectionClosed:
            pass

    async def receive(self, kind: str) -> dict[str, Any]:
        """Returns the next message, which must be of this type; skips pings."""
        while (message := await asyncio.wait_for(self._received.get(), 30))["type"] == "ping" != kind:
            pass
        assert message["type"] == kind, message
        return message

    async def receive_any(self) -> dict[str, Any]:
        """Returns the next message, of any type."""
        return await self._received.get()

    async def idle(self) -> None:
        """Checks that no message except pings arrives."""
        await (await self.socket.ping())
        while not self._received.empty():
            assert self._received.get_nowait()["type"] == "ping"

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send(msgpack.packb({"type": kind, **fields}))

    async def greet(self, **fields: Any) -> dict[str, Any]:
        """Answers hello with the ready of the fixtures, changed by these fields; returns the hello."""
        hello = await self.receive("hello")
        await self.socket.send(msgpack.packb({**fixture("ready"), **fields}))
        return hello

    async def result(self, sequence: int, frame: int, **fields: Any) -> None:
        await self.socket.send(
            msgpack.packb({**fixture("result"), "sequence": sequence, "id": frame, "data": bytes([frame]), **fields})
        )

    def break_off(self) -> None:
        """Ends the connection without a closing handshake."""
        self.socket.transport.abort()


class ScriptedServer:
    """A server for clients, and their connections in order."""

    def __init__(self) -> None:
        self._peers: asyncio.Queue[Peer] = asyncio.Queue()
        self.url = ""

    async def handle(self, socket: ServerConnection) -> None:
        peer = Peer(socket)
        self._peers.put_nowait(peer)
        await peer.read()

    async def accept(self) -> Peer:
        return await asyncio.wait_for(self._peers.get(), 30)


def _port(server: Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port


@asynccontextmanager
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    scripted = ScriptedServer()
    async with serve(scripted.handle, "127.0.0.1", 0, subprotocols=[Subprotocol("millrace.v1")]) as server:
        scripted.url = f"http://127.0.0.1:{_port(server)}"
        yield scripted
