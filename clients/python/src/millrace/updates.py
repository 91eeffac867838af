"""Changes of parameters that wait for their answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import MillraceError
    from .messages import Parameters, Updated


class Updates:
    """Waiting updates by request number, and the parameters that were set on this stream."""

    def __init__(self, start: Parameters) -> None:
        #: What a new stream must be given to be as this one.
        self.chosen: dict[str, object] = dict(start)
        self._waiting: dict[int, tuple[Parameters, asyncio.Future[Updated]]] = {}
        self._next = 0

    def open(self, parameters: Parameters) -> tuple[int, asyncio.Future[Updated]]:
        """Take a new request number."""
        request = self._next
        self._next += 1
        answer: asyncio.Future[Updated] = asyncio.get_running_loop().create_future()
        self._waiting[request] = (parameters, answer)
        return request, answer

    def resolve(self, updated: Updated) -> None:
        """Give an update its answer."""
        parameters, answer = self._waiting.pop(updated.request, ({}, None))
        self.chosen.update(parameters)
        if answer is not None and not answer.done():
            answer.set_result(updated)

    def reject(self, request: int, error: MillraceError) -> bool:
        """Give an update its refusal; False if none waits with that number."""
        _, answer = self._waiting.pop(request, ({}, None))
        if answer is not None and not answer.done():
            answer.set_exception(error)
        return answer is not None

    def reject_all(self, error: MillraceError) -> None:
        """Give all their refusal."""
        for request in list(self._waiting):
            self.reject(request, error)

    def waiting(self) -> list[tuple[int, Parameters]]:
        """Return what has no answer, in the order in which it was asked for."""
        return [(request, parameters) for request, (parameters, _) in self._waiting.items()]
