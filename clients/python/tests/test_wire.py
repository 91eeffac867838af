from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path
from typing import Any

import msgpack
import pytest
from server import FIXTURES, fixture

from millrace._generated import DROP_REASONS, SERVER_ERRORS, Dropped, Failure, Frame, Quality, Queued, Ready
from millrace.errors import MillraceError
from millrace.wire import decode_message, encode_message

CLIENT_MESSAGES = {"hello", "frame", "update", "ack", "ping", "authenticate"}
NAMES = sorted(path.stem for path in FIXTURES.glob("*.bin"))
DOCUMENT = (Path(FIXTURES).parent / "PROTOCOL.md").read_text()


def read(name: str) -> bytes:
    return (FIXTURES / f"{name}.bin").read_bytes()


@pytest.mark.parametrize("name", sorted(set(NAMES) - CLIENT_MESSAGES))
def test_decodes_every_message_of_a_server(name: str) -> None:
    message = decode_message(read(name))
    assert message is not None
    wanted = fixture(name)
    for field, value in vars(message).items():
        if field == "limits":
            assert vars(value) == wanted["limits"]
        else:
            assert value == wanted.get("from" if field == "from_frame" else field), field


@pytest.mark.parametrize("name", sorted(CLIENT_MESSAGES))
def test_encodes_every_message_of_a_client(name: str) -> None:
    message = fixture(name)
    encoded = encode_message(message.pop("type"), **message)
    assert msgpack.unpackb(encoded) == msgpack.unpackb(read(name))


def test_an_integer_may_come_as_a_float() -> None:
    message = decode_message(msgpack.packb({"type": "dropped", "id": 7.0, "reason": "similar"}))
    assert message == Dropped(7, "similar")
    assert isinstance(message.id, int)


def test_additions_of_a_newer_server_are_ignored() -> None:
    assert decode_message(msgpack.packb({"type": "hologram"})) is None
    assert decode_message(msgpack.packb({"type": "dropped", "id": 1, "reason": "bored", "more": []})) == Dropped(
        1, "failed"
    )
    assert isinstance(decode_message(msgpack.packb({**fixture("error"), "code": "new_code"})), Failure)
    result = fixture("result")
    newer = {name: {**result[name], "magic": 1.5} for name in ("timings", "times")}
    frame = decode_message(msgpack.packb({**result, **newer}))
    assert isinstance(frame, Frame)
    assert (frame.timings, frame.times) == (result["timings"], result["times"])


def test_optional_fields_may_be_absent() -> None:
    ready = fixture("ready")
    del ready["token_expires"], ready["limits"]["fps"]
    message = decode_message(msgpack.packb(ready))
    assert isinstance(message, Ready)
    assert (message.token_expires, message.limits.fps) == (None, None)
    assert decode_message(msgpack.packb({"type": "quality", "fps": None})) == Quality(None)


@pytest.mark.parametrize(
    "data",
    [
        "text",
        b"",
        b"\xc1",
        b"\x07",
        b"\x80",
        b"\x80\x80",
        msgpack.packb({"type": "dropped", "id": -1, "reason": "similar"}),
        msgpack.packb({"type": "dropped", "id": 1}),
        msgpack.packb({"type": "dropped", "id": 1.5, "reason": "similar"}),
        msgpack.packb({"type": "dropped", "id": True, "reason": "similar"}),
        msgpack.packb({"type": "dropped", "id": 2**53, "reason": "similar"}),
        msgpack.packb({"type": "queued", "position": 1, "wait_seconds": float("nan")}),
        msgpack.packb({"type": "checkpoint", "token": "x" * 1_500_001}),
        msgpack.packb({"type": "quality"}),
        msgpack.packb({"type": "quality", "fps": "fast"}),
        msgpack.packb({**fixture("result"), "controls": {"depth": "text"}}),
        msgpack.packb({**fixture("result"), "controls": [b""]}),
        msgpack.packb({**fixture("result"), "times": {"sent": 1}}),
        msgpack.packb({**fixture("ready"), "limits": {**fixture("ready")["limits"], "size": 0.5}}),
    ],
)
def test_refuses_invalid_messages(data: Any) -> None:
    with pytest.raises(MillraceError) as caught:
        decode_message(data)
    assert caught.value.code == "protocol_error"


def test_the_errors_are_those_of_the_document() -> None:
    rows = re.findall(r"^\| `(\w+)` +\| (\S+) +\| \d+ +\| (yes|no) ", DOCUMENT, re.MULTILINE)
    table = {code: (None if close == "-" else int(close), retry == "yes") for code, close, retry in rows}
    assert table == {code: tuple(definition) for code, definition in SERVER_ERRORS.items()}


def test_the_reasons_for_drops_are_those_of_the_document() -> None:
    table = DOCUMENT.split("<!-- table: drops -->")[1].split("\n\n")[1]
    assert tuple(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == DROP_REASONS


def test_a_queue_has_a_position() -> None:
    message = decode_message(read("queued"))
    assert message == Queued(3, 12.5)


def test_a_frame_decodes_to_an_array() -> None:
    numpy = pytest.importorskip("numpy")
    from millrace.images import encode_image

    picture = numpy.full((16, 24, 3), (200, 100, 50), numpy.uint8)
    frame = Frame(0, 1, 0.0, 24, 16, {}, {}, encode_image(picture))
    assert frame.image.shape == (16, 24, 3)
    assert numpy.abs(frame.image.astype(int) - picture).max() < 8
    with pytest.raises(TypeError):
        encode_image(numpy.zeros((16, 24), numpy.uint8))
    with pytest.raises(TypeError):
        encode_image(numpy.zeros((16, 24, 3), numpy.float32))


def test_masks_become_grey_png_files_without_loss() -> None:
    numpy = pytest.importorskip("numpy")
    from millrace.images import encode_mask

    levels = numpy.arange(6, dtype=numpy.uint8).reshape(2, 3) * 51
    file = encode_mask(levels)
    assert file[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">4sIIB", file[12:25]) == (b"IHDR", 3, 2, 8)
    (length,) = struct.unpack(">I", file[33:37])
    assert zlib.decompress(file[41 : 41 + length]) == bytes([0, 0, 51, 102, 0, 153, 204, 255])
    assert file[-12:] == b"\0\0\0\0IEND\xaeB`\x82"
    assert encode_mask(levels > 100) == encode_mask(numpy.where(levels > 100, 255, 0).astype(numpy.uint8))
    assert encode_mask(levels[:, ::-1]) == encode_mask(levels[:, ::-1].copy())
    for wrong in (levels.astype(float), levels[0]):
        with pytest.raises(TypeError, match="a mask must be"):
            encode_mask(wrong)
