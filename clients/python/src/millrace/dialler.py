"""Opening the connections of a stream."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, TypeAlias

from .backoff import Backoff
from .connection import Connection
from .errors import MillraceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ._generated import Parameters, Queued, Ready

    Leave: TypeAlias = Callable[[], Awaitable[None]]
    """Called when a new connection is open: ``hello`` is sent, with the newest resume token, after this."""
    Token: TypeAlias = str | Callable[[], str | Awaitable[str]]


class Dialler:
    """Opens the connections of one stream, the first and those after it, with backoff."""

    def __init__(
        self,
        url: str,
        *,
        token: Token | None,
        client: str,
        now: Callable[[], float],
        queued: Callable[[Queued], None],
    ) -> None:
        self._url = url
        self._token = token
        self._client = client
        self._now = now
        self._queued = queued
        self._backoff: Backoff | None = None
        #: The newest resume token.
        self.resume: str | None = None

    @property
    def renews_tokens(self) -> bool:
        """Whether it can obtain a new token when one expires."""
        return callable(self._token)

    def hurry(self) -> None:
        """End the pause before the next attempt."""
        if self._backoff is not None:
            self._backoff.hurry()

    async def read_token(self) -> str | None:
        """Return the current access token.

        Raises MillraceError: connection_failed, if the function for tokens fails
        """
        if not callable(self._token):
            return self._token
        try:
            token = self._token()
            return await token if inspect.isawaitable(token) else token
        except Exception as error:
            message = f"The access token could not be obtained: {error}"
            raise MillraceError("connection_failed", message) from error

    async def open(
        self,
        parameters: Parameters,
        *,
        leave: Leave | None = None,
        wait: Callable[[], None] = lambda: None,
    ) -> tuple[Connection, Ready]:
        """Connect once; resume if there is a resume token, and otherwise start with ``parameters``.

        A stream that still has another connection leaves it in ``leave``; ``wait`` is called when the server has no
        free slot yet.

        Raises MillraceError: connection_failed, or the server's refusal
        """

        async def hello() -> dict[str, object]:
            if leave is not None:
                await leave()
            start: dict[str, object] = (
                {"parameters": parameters or None} if self.resume is None else {"resume": self.resume}
            )
            return {"client": self._client, "sent": self._now(), **start}

        def queued(place: Queued) -> None:
            wait()
            self._queued(place)

        connection = await Connection.open(self._url, await self.read_token())
        return connection, await connection.greet(hello, queued)

    async def reopen(
        self,
        parameters: Callable[[], Parameters],
        seconds: float,
        *,
        backoff: Backoff | None = None,
        after: MillraceError | None = None,
        failed: Callable[[MillraceError], None] = lambda _: None,
        leave: Leave | None = None,
        wait: Callable[[], None] = lambda: None,
    ) -> tuple[Connection, Ready]:
        """Connect, and try again for ``seconds``; ``after`` is the refusal before the first pause.

        ``failed`` is called with the error before each further attempt; ``leave`` and ``wait`` as in ``open``.

        Raises MillraceError: the last one, if the time has passed or another attempt would not help
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        self._backoff = backoff = backoff or Backoff()
        while True:
            least = (after.retry_after if after else None) or 0.0
            await backoff.pause(least=least, most=max(0.0, deadline - loop.time()))
            try:
                return await self.open(parameters(), leave=leave, wait=wait)
            except MillraceError as error:
                after = error
                if error.code == "invalid_resume_token" and self.resume is not None:
                    self.resume = None
                elif not error.retryable or loop.time() >= deadline:
                    raise
                else:
                    failed(error)
