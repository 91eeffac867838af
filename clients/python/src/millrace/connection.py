"""One WebSocket as typed messages."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from ._generated import SUBPROTOCOL, Failure, Queued, Ready, ServerMessage
from .address import stream_url
from .closing import close_error, refusal
from .errors import MillraceError, known_error
from .wire import decode_message, encode_message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from websockets.asyncio.client import ClientConnection

_MAX_MESSAGE = 64 * 1024 * 1024
_OPEN_TIMEOUT = 10.0
"""Time limit for opening a WebSocket, in seconds."""
_ANSWER_TIMEOUT = 60.0
"""Time limit for the server's ``ready``, ``queued`` or ``error`` after ``hello``, in seconds."""
_CLOSE_TIMEOUT = 2.0


def error_of(failure: Failure) -> MillraceError:
    """Return the exception for an ``error`` message."""
    return MillraceError(*known_error(failure.code, failure.message), field=failure.field, frame=failure.id)


_Answer: TypeAlias = "Ready | Queued | Failure"


async def _answers(messages: AsyncIterator[ServerMessage]) -> AsyncIterator[_Answer]:
    """Yield only the messages that answer ``hello``."""
    async for message in messages:
        if isinstance(message, (Ready, Queued, Failure)):
            yield message


async def _chain(first: _Answer | None, others: AsyncIterator[_Answer]) -> AsyncIterator[_Answer]:
    if first is not None:
        yield first
        async for message in others:
            yield message


class Connection:
    """Sends in a separate task: small messages first, then the frame that ``next_frame`` returns, if any."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._waiting: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, url: str, token: str | None) -> Connection:
        """Connect.

        Raises MillraceError: invalid_url, connection_failed, or the server's refusal of the upgrade
        """
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        try:
            socket = await connect(
                stream_url(url),
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                additional_headers=headers,
                compression=None,
                ping_interval=None,  # The link sends its own pings.
                max_size=_MAX_MESSAGE,
                open_timeout=_OPEN_TIMEOUT,
                close_timeout=_CLOSE_TIMEOUT,
            )
        except InvalidStatus as error:
            raise refusal(error.response) from error
        except (InvalidURI, UnicodeError) as error:
            raise MillraceError("invalid_url", f"{url} is not the address of a server ({error}).") from error
        # In Python 3.10 asyncio.TimeoutError is not the built-in one.
        except (asyncio.TimeoutError, TimeoutError) as error:
            message = f"The server could not be reached: no connection was opened within {_OPEN_TIMEOUT:g} seconds."
            raise MillraceError("connection_failed", message) from error
        except (OSError, InvalidHandshake, EOFError) as error:
            message = f"The server could not be reached: {error}"
            raise MillraceError("connection_failed", message) from error
        return cls(socket)

    async def greet(self, hello: Callable[[], Awaitable[dict[str, object]]], queued: Callable[[Queued], None]) -> Ready:
        """Send what ``hello`` returns, and wait for ``ready``.

        Raises MillraceError: connection_failed, or the server's refusal
        """
        try:
            await self._socket.send(encode_message("hello", **await hello()))
            messages = _answers(self.messages())
            first = await asyncio.wait_for(anext(messages, None), _ANSWER_TIMEOUT)
            async for message in _chain(first, messages):
                if isinstance(message, Ready):
                    return message
                if isinstance(message, Failure):
                    raise error_of(message)
                queued(message)
        except ConnectionClosed:
            pass
        except (asyncio.TimeoutError, TimeoutError) as error:
            await self.close()
            text = f"The server did not answer within {_ANSWER_TIMEOUT:g} seconds."
            raise MillraceError("connection_failed", text) from error
        except BaseException:
            await self.close()
            raise
        raise self.end("connection_failed", "The server could not be reached")

    def start(self, next_frame: Callable[[], bytes | None]) -> None:
        """Start sending."""
        self._writer = asyncio.create_task(self._write(next_frame))

    def send(self, kind: str, **fields: object) -> None:
        """Queue a small message; does nothing once the connection is closed."""
        self._waiting.append(encode_message(kind, **fields))
        self._wake.set()

    def wake(self) -> None:
        """Call ``next_frame`` soon."""
        self._wake.set()

    async def messages(self) -> AsyncIterator[ServerMessage]:
        """Yield the server's messages until the connection ends, except those of unknown types.

        Raises MillraceError: protocol_error, and closes the connection
        """
        with suppress(ConnectionClosed):
            while True:
                data = await self._socket.recv()
                try:
                    message = decode_message(data)
                except MillraceError:
                    await self.close(4400, "protocol_error")
                    raise
                if message is not None:
                    yield message

    def end(self, code: str, what: str) -> MillraceError:
        """Return why a connection has ended, as an exception."""
        return close_error(code, what, self._socket.close_code, self._socket.close_reason)

    def abandon(self) -> None:
        """Treat the connection as broken, because the server no longer answers."""
        self._socket.transport.abort()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Stop sending, and close. May be called more than once."""
        if self._writer is not None:
            self._writer.cancel()
        await self._socket.close(code, reason)

    async def _write(self, next_frame: Callable[[], bytes | None]) -> None:
        with suppress(ConnectionClosed):
            while True:
                await self._wake.wait()
                self._wake.clear()
                while (data := self._waiting.popleft() if self._waiting else next_frame()) is not None:
                    await self._socket.send(data)
