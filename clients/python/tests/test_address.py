from __future__ import annotations

import asyncio

import pytest
from server import scripted_server

from millrace import MillraceError, connect
from millrace.address import stream_url


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("localhost:8420", "ws://localhost:8420/v1/stream"),
        ("LOCALHOST:8420/", "ws://LOCALHOST:8420/v1/stream"),
        ("//localhost:8420", "ws://localhost:8420/v1/stream"),
        ("127.0.0.1:8420", "ws://127.0.0.1:8420/v1/stream"),
        ("0.0.0.0:8420", "ws://0.0.0.0:8420/v1/stream"),
        ("[::1]:8420", "ws://[::1]:8420/v1/stream"),
        ("studio.localhost", "ws://studio.localhost/v1/stream"),
        ("example.com", "wss://example.com/v1/stream"),
        ("example.com:8420/mine", "wss://example.com:8420/mine"),
        ("192.168.1.5:8420", "wss://192.168.1.5:8420/v1/stream"),
        ("localhost.example.com", "wss://localhost.example.com/v1/stream"),
        ("[2001:db8::1]", "wss://[2001:db8::1]/v1/stream"),
        ("HTTP://localhost:8420", "ws://localhost:8420/v1/stream"),
        ("https://example.com/", "wss://example.com/v1/stream"),
        ("  ws://localhost:8420//\n", "ws://localhost:8420/v1/stream"),
        ("ws://localhost:8420/v1/stream/", "ws://localhost:8420/v1/stream"),
        ("ws://localhost:8420/v1/stream?a=1#part", "ws://localhost:8420/v1/stream?a=1"),
    ],
)
def test_accepts_common_forms_of_addresses(given: str, expected: str) -> None:
    assert stream_url(given) == expected


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("ftp://localhost:8420", "ftp:// is not one of"),
        ("http://local host:8420", "spaces"),
        ("localhost:8420/a b", "spaces"),
        ("localhost:84200", "host or port"),
        ("localhost:port", "host or port"),
        ("http://", "host or port"),
        ("http:localhost:8420", "host or port"),
        ("::1", "brackets"),
        ("ws://::1:8420", "brackets"),
        ("x" * 300 + ".example", "too long"),
    ],
)
async def test_refuses_invalid_addresses_with_the_reason(given: str, why: str) -> None:
    with pytest.raises(MillraceError, match=why) as caught:
        await connect(given)
    assert (caught.value.code, caught.value.retryable) == ("invalid_url", False)


async def test_connects_to_an_address_without_a_scheme() -> None:
    async with scripted_server() as server:
        opening = asyncio.ensure_future(connect(server.url.removeprefix("http://")))
        await (await server.accept()).greet()
        await (await opening).close()
