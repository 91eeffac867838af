"""The addresses of servers."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

from .errors import MillraceError

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_SCHEME = re.compile(r"[a-z][a-z\d+.-]*://", re.IGNORECASE)
_OWN_MACHINE = re.compile(r"(localhost|(.+\.)?localhost|127(\.\d+){1,3}|0\.0\.0\.0|::1?)")
"""Names and addresses of this machine, where servers rarely have a certificate."""


def stream_url(url: str) -> str:
    """Return the address of the stream: with a WebSocket scheme, and by default the path /v1/stream.

    Without a scheme, this machine (localhost, 127.0.0.1, [::1]) uses ws, and all others wss.

    Raises MillraceError: invalid_url
    """
    given = str(url).strip()
    parts = _parse(given)
    path = "/v1/stream" if re.fullmatch(r"/*|/v1/stream/", parts.path) else parts.path
    return urlunsplit(parts._replace(path=path, fragment=""))


def _parse(given: str) -> SplitResult:
    if not given:
        raise _invalid(given, "it is empty")
    if re.search(r"[\s\x00-\x1f\x7f]", given):
        raise _invalid(given, "it contains spaces")
    written = bool(_SCHEME.match(given))
    try:
        parts = urlsplit(given if written else f"wss://{given.removeprefix('//')}")
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise _invalid(given, _wrong_host(given)) from None
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None:
        raise _invalid(given, f"{parts.scheme}:// is not one of http, https, ws and wss")
    if not host or re.search(r"[^\w.:~%-]", host) or (":" in host and "[" not in parts.netloc):
        raise _invalid(given, _wrong_host(given))
    if not written and _OWN_MACHINE.fullmatch(host):
        scheme = "ws"
    return parts._replace(scheme=scheme)


def _wrong_host(given: str) -> str:
    host = _SCHEME.sub("", given, count=1).split("/")[0]
    if host.count(":") > 1 and "[" not in host and not re.search("[g-z]", host, re.IGNORECASE):
        return "an IPv6 address needs brackets: [::1]:8420"
    return "the host or port is invalid"


def _invalid(given: str, why: str) -> MillraceError:
    message = f'"{given}" is not the address of a server ({why}); write it as http://localhost:8420'
    return MillraceError("invalid_url", message)
