"""The work of the pass-through server of this benchmark, written with FastAPI and uvicorn.

It implements the part of millrace.v1 that streaming needs: hello and ready, frames that cost credits, at most two
unacknowledged results, and a queue that holds only the newest frame. Like Millrace, it checks messages (pydantic) and
counts and times frames (prometheus_client). It has no resume, no drain and no limits. It runs on uvloop, httptools and
msgpack's C extension.

Arguments: the codec (files: none; simplejpeg and pillow: in threads); with `bare`, messages are not checked and nothing
is measured. Prints its address.
"""

from __future__ import annotations

import asyncio
import gc
import io
import resource
import socket
import sys
import time
from typing import Annotated, Any, Literal

import msgpack
import numpy
import simplejpeg
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from PIL import Image
from prometheus_client import Counter, Histogram
from pydantic import BaseModel, Field, TypeAdapter

CREDITS = 2
UNACKNOWLEDGED = 2
CODEC = sys.argv[1]
BARE = "bare" in sys.argv[2:]

app = FastAPI()

Count = Annotated[int, Field(ge=0, lt=2**53)]


class Frame(BaseModel):
    type: Literal["frame"]
    id: Count
    captured: float
    data: bytes


class Ack(BaseModel):
    type: Literal["ack"]
    sequence: Count


messages: TypeAdapter[Frame | Ack] = TypeAdapter(
    Annotated[Frame | Ack, Field(discriminator="type")]
)

received_total = Counter("frames_received", "Frames that arrived")
sent_total = Counter("frames_sent", "Results that were sent")
bytes_total = Counter("network_bytes", "Bytes of messages", ["direction"])
bytes_in, bytes_out = bytes_total.labels("in"), bytes_total.labels("out")
latency = Histogram("frame_latency_seconds", "From arrival to sending")
staleness = Histogram("frame_staleness_seconds", "From arrival to acknowledgement")
gap = Histogram("inter_frame_seconds", "From result to result")
stages = Histogram("frame_stage_seconds", "Time in each stage", ["stage"])
STAGES = ("decode", "queue", "encode", "denoise", "vae_decode", "image_encode")
stage = {name: stages.labels(name) for name in STAGES}


class Session:
    """One connection: one task reads, another one works."""

    def __init__(self, websocket: WebSocket) -> None:
        self.websocket = websocket
        self.waiting: tuple[Any, float] | None = None
        self.unacknowledged: dict[int, float] = {}
        self.last_sent: float | None = None
        self.total = CREDITS
        self.sent = 0
        self.acknowledged = 0
        self.changed = asyncio.Event()
        self.size = (0, 0)

    async def run(self) -> None:
        hello = msgpack.unpackb(await self.websocket.receive_bytes())
        parameters = hello.get("parameters", {})
        self.size = (parameters["width"], parameters["height"])
        await self.send(
            type="ready",
            protocol="1.0",
            session="-",
            resumed=False,
            credits=CREDITS,
            parameters=parameters,
        )
        work = asyncio.create_task(self.work())
        try:
            while True:
                data = await self.websocket.receive_bytes()
                message = msgpack.unpackb(data)
                if not BARE:
                    message = messages.validate_python(message).__dict__
                    bytes_in.inc(len(data))
                await self.receive(message)
        except WebSocketDisconnect:
            work.cancel()

    async def receive(self, message: dict[str, Any]) -> None:
        if message["type"] == "frame":
            if not BARE:
                received_total.inc()
            if self.waiting is not None:
                old, _ = self.waiting
                await self.send(type="dropped", id=old["id"], reason="superseded")
                await self.give_credit()
            self.waiting = (message, time.perf_counter())
            self.changed.set()
        elif message["type"] == "ack":
            self.acknowledged = message["sequence"]
            arrived = self.unacknowledged.pop(self.acknowledged, None)
            if arrived is not None:
                staleness.observe(time.perf_counter() - arrived)
            self.changed.set()

    async def work(self) -> None:
        loop = asyncio.get_running_loop()
        width, height = self.size
        while True:
            while self.waiting is None or self.sent - self.acknowledged >= UNACKNOWLEDGED:
                self.changed.clear()
                await self.changed.wait()
            (frame, received), self.waiting = self.waiting, None
            await self.give_credit()
            data = frame["data"]
            decoded = encoded = received
            if CODEC != "files":
                pixels = await loop.run_in_executor(None, decode, data)
                decoded = time.perf_counter()
                data = await loop.run_in_executor(None, encode, pixels)
                encoded = time.perf_counter()
            self.sent += 1
            now = time.perf_counter()
            if not BARE:
                self.measure(
                    now, received, {"decode": decoded - received, "image_encode": encoded - decoded}
                )
            await self.send(
                type="result",
                id=frame["id"],
                sequence=self.sent,
                captured=frame["captured"],
                width=width,
                height=height,
                timings={
                    "decode": (decoded - received) * 1000,
                    "image_encode": (encoded - decoded) * 1000,
                    "total": (now - received) * 1000,
                },
                times={"received": received * 1000, "decoded": decoded * 1000, "sent": now * 1000},
                data=data,
            )

    def measure(self, now: float, received: float, spent: dict[str, float]) -> None:
        sent_total.inc()
        latency.observe(now - received)
        for name in STAGES:
            stage[name].observe(spent.get(name, 0))
        if self.last_sent is not None:
            gap.observe(now - self.last_sent)
        self.last_sent = now
        self.unacknowledged[self.sent] = received

    async def give_credit(self) -> None:
        self.total += 1
        await self.send(type="credit", total=self.total)

    async def send(self, **message: Any) -> None:
        data = msgpack.packb(message)
        if not BARE:
            bytes_out.inc(len(data))
        await self.websocket.send_bytes(data)


def decode(data: bytes) -> Any:
    if CODEC == "simplejpeg":
        return simplejpeg.decode_jpeg(data)
    return numpy.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def encode(pixels: Any) -> bytes:
    if CODEC == "simplejpeg":
        return simplejpeg.encode_jpeg(pixels, quality=85, colorsubsampling="420")
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=85)
    return file.getvalue()


@app.websocket("/v1/stream")
async def stream(websocket: WebSocket) -> None:
    await websocket.accept(subprotocol="millrace.v1")
    await Session(websocket).run()


@app.get("/usage")
async def usage() -> dict[str, float]:
    """Returns the CPU time and memory of this process."""
    gc.collect()
    used = resource.getrusage(resource.RUSAGE_SELF)
    with open("/proc/self/statm", encoding="ascii") as file:
        resident = int(file.read().split()[1]) * resource.getpagesize()
    return {"cpu_seconds": used.ru_utime + used.ru_stime, "resident_bytes": resident}


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(1024)
print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
config = uvicorn.Config(
    app, log_level="warning", access_log=False, ws_per_message_deflate=False, ws_max_size=2**24
)
uvicorn.Server(config).run(sockets=[listener])
