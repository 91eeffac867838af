"""Drives the Python package for the conformance suite; README.md describes the commands and events."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import millrace

if TYPE_CHECKING:
    from collections.abc import Coroutine


def tell(event: str, **fields: object) -> None:
    present = {name: value for name, value in fields.items() if value is not None}
    print(json.dumps({"event": event, **present}), flush=True)


def describe(error: millrace.MillraceError) -> dict[str, object]:
    return {"code": error.code, "field": error.field, "id": error.frame}


def on_event(event: millrace.Event) -> None:
    match event:
        case millrace.Queued():
            tell("queued", position=event.position)
        case millrace.Dropped():
            tell("dropped", id=event.id, reason=event.reason)
        case millrace.Problem():
            tell("error", **describe(event.error))
        case millrace.Reconnecting():
            tell("reconnecting")
        case millrace.Reconnected():
            tell("reconnected", resumed=event.resumed)
        case millrace.Drain():
            tell("drain")


class Adapter:
    def __init__(self) -> None:
        self.stream: millrace.Stream | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self.gate = asyncio.Event()
        self.gate.set()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def open(self, url: str, parameters: dict[str, object], tokens: list[str]) -> None:
        left = iter(tokens)
        try:
            self.stream = stream = await millrace.connect(
                url,
                parameters,
                token=(lambda: next(left)) if tokens else None,
                client="conformance/1",
                on_event=on_event,
            )
        except millrace.MillraceError as error:
            tell("failed", **describe(error))
            return
        limits = {name: value for name, value in asdict(stream.limits).items() if value is not None}
        tell(
            "ready",
            session=stream.session,
            server=stream.server,
            model=stream.model,
            limits=limits,
            parameters=stream.parameters,
        )
        self.begin(self.show(stream))

    async def show(self, stream: millrace.Stream) -> None:
        try:
            async for frame in stream.frames(skip_refused=True):
                tell(
                    "frame",
                    id=frame.id,
                    sequence=frame.sequence,
                    captured=frame.captured,
                    width=frame.width,
                    height=frame.height,
                    sha256=hashlib.sha256(frame.data).hexdigest(),
                    sent=frame.times["sent"],
                    shown=time.perf_counter() * 1000,
                )
                await self.gate.wait()
            tell("closed")
        except millrace.MillraceError as error:
            tell("closed", code=error.code)

    async def update(self, stream: millrace.Stream, tag: str, parameters: dict[str, object]) -> None:
        try:
            updated = await stream.update(parameters)
            tell("updated", tag=tag, **{"from": updated.from_frame}, parameters=updated.parameters)
        except millrace.MillraceError as error:
            tell("refused", tag=tag, **describe(error))

    async def run(self) -> None:
        lines = asyncio.StreamReader(limit=2**24)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        async for line in lines:
            command = json.loads(line)
            match command["command"]:
                case "connect":
                    self.begin(self.open(command["url"], command["parameters"], command.get("tokens", [])))
                case "hold":
                    self.gate.clear()
                case "release":
                    self.gate.set()
                case "close":
                    if self.stream is not None:
                        await self.stream.close()
                    break
                case "send" if self.stream is not None:
                    controls = {name: base64.b64decode(data) for name, data in command.get("controls", {}).items()}
                    mask = base64.b64decode(command["mask"]) if "mask" in command else None
                    data = base64.b64decode(command["data"])
                    tell("sent", id=self.stream.send(data, mask=mask, controls=controls or None))
                case "update" if self.stream is not None:
                    parameters = command["parameters"]
                    if "style_image" in command:
                        parameters["style_image"] = base64.b64decode(command["style_image"])
                    self.begin(self.update(self.stream, command["tag"], parameters))
        await asyncio.gather(*self.tasks)


asyncio.run(Adapter().run())
