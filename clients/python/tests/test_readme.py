from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import msgpack
import pytest
from server import Peer, ScriptedServer, fixture, scripted_server

README = (Path(__file__).parents[1] / "README.md").read_text()
CAMERA = re.findall(r"^```python no-run\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


async def paint(peer: Peer) -> None:
    """Answers like a server that returns its input."""
    hello = await peer.receive("hello")
    if hello["parameters"].get("steps") == 1000:
        await peer.send("error", code="invalid_parameter", message="steps is at most 50", field="steps")
        return
    await peer.socket.send(msgpack.packb(fixture("ready")))
    sequence = 0
    while True:
        message = await peer.receive_any()
        if message["type"] == "frame":
            sequence += 1
            await peer.result(sequence, message["id"], data=message["data"])
            await peer.send("credit", total=2 + sequence)
        elif message["type"] == "update":
            await peer.send("updated", request=message["request"], **{"from": 1}, parameters={})


async def run_example(server: ScriptedServer, code: str) -> str:
    """Runs the code in a separate process while the server paints. Returns its output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        env={"PYTHONPATH": str(Path(__file__).parents[1] / "src")},
        stdout=asyncio.subprocess.PIPE,
    )
    peer = await server.accept()
    painting = asyncio.create_task(paint(peer))
    output, _ = await process.communicate()
    painting.cancel()
    assert process.returncode == 0
    return output.decode()


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
async def test_the_examples_run(example: str) -> None:
    pytest.importorskip("simplejpeg")
    async with scripted_server() as server:
        output = await run_example(server, example.replace("http://127.0.0.1:8420", server.url))
        assert re.search(r"\(256, 256, 3\)|^2 37|invalid_parameter steps False", output, re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES[:2], ids=["asyncio", "sync"])
async def test_the_first_programs_end_with_the_reason_when_a_picture_is_refused(example: str) -> None:
    pytest.importorskip("simplejpeg")
    async with scripted_server() as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            example.replace("http://127.0.0.1:8420", server.url),
            env={"PYTHONPATH": str(Path(__file__).parents[1] / "src")},
            stderr=asyncio.subprocess.PIPE,
        )
        refusing = asyncio.create_task(refuse_all(await server.accept()))
        _, errors = await process.communicate()
        refusing.cancel()
        assert process.returncode == 1
        assert "MillraceError: not a picture" in errors.decode()


async def refuse_all(peer: Peer) -> None:
    await peer.greet()
    while True:
        message = await peer.receive_any()
        if message["type"] == "frame":
            await peer.send("error", code="invalid_frame", message="not a picture", id=message["id"])
            await peer.send("dropped", id=message["id"], reason="invalid")
        elif message["type"] == "update":
            await peer.send("updated", request=message["request"], **{"from": 1}, parameters={})


SCREEN = """
import cv2
shown = []
cv2.imshow = lambda name, picture: shown.append(picture.shape)
cv2.waitKey = lambda _: 27 if len(shown) == 3 else -1
"""
"""Replaces the window, which needs a display; the camera is a file."""


async def test_the_example_with_a_camera_runs() -> None:
    pytest.importorskip("cv2")
    pytest.importorskip("simplejpeg")
    video = Path(__file__).parents[3] / "test/fixtures/videos/walkers.mjpeg"
    async with scripted_server() as server:
        code = (
            CAMERA[0]
            .replace("http://127.0.0.1:8420", server.url)
            .replace("VideoCapture(0)", f"VideoCapture({str(video)!r})")
        )
        output = await run_example(server, f"{SCREEN}\n{code}\nprint(shown)")
        assert output.count(", 3)") == 3
