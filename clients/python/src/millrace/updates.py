"""Updates of parameters that have no answer yet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._generated import Parameters, Updated
    from .errors import MillraceError


class Updates:
    """Unanswered updates by request number, and the parameters that were set on the stream."""

    def __init__(self, start: Parameters) -> None:
        #: All parameters that were set on the stream; a new stream needs the same.
        self.chosen: dict[str, object] = dict(start)
        self._waiting: dict[int, tuple[Parameters, asyncio.Future[Updated]]] = {}
        self._next = 0

    def open(self, parameters: Parameters) -> tuple[int, asyncio.Future[Updated]]:
        """Register an update, and return its request number and its answer."""
        request = self._next
        self._next += 1
        answer: asyncio.Future[Updated] = asyncio.get_running_loop().create_future()
        self._waiting[request] = (parameters, answer)
        return request, answer

    def resolve(self, updated: Updated) -> None:
        """Complete an update with its answer."""
        parameters, answer = self._waiting.pop(updated.request, ({}, None))
        image = parameters.get("style_image")
        if isinstance(image, str) and image.startswith("sha256:"):
            # A new stream does not know the name that this one has for the picture that was set before.
            parameters = {name: value for name, value in parameters.items() if name != "style_image"}
        self.chosen.update(parameters)
        if answer is not None and not answer.done():
            answer.set_result(updated)

    def reject(self, request: int, error: MillraceError) -> bool:
        """Complete an update with its refusal; False if no update with that number is unanswered."""
        _, answer = self._waiting.pop(request, ({}, None))
        if answer is not None and not answer.done():
            answer.set_exception(error)
        return answer is not None

    def reject_all(self, error: MillraceError) -> None:
        """Complete all updates with this error."""
        for request in list(self._waiting):
            self.reject(request, error)

    def waiting(self) -> list[tuple[int, Parameters]]:
        """Return the unanswered updates, in the order of the calls."""
        return [(request, parameters) for request, (parameters, _) in self._waiting.items()]
