"""Looks: parameters under names, in one file that the page saves."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from .errors import MillraceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ._generated import Parameters

_VERSION = 1
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Look:
    """Parameters under a name."""

    name: str
    #: For ``connect`` and ``update``; the others have the defaults of the model.
    parameters: Parameters
    #: The model that it was made with; it may not suit others.
    model: str | None = None


def parse_looks(text: str | bytes) -> list[Look]:
    """Read the text of a file of looks. Parameters are checked by the server.

    Raises MillraceError: invalid_look, whose message says which part of it is wrong
    """
    try:
        file = json.loads(text)
    except ValueError as error:
        raise _invalid("a file of looks must be JSON") from error
    if not isinstance(file, dict) or not isinstance(file.get("looks"), list):
        raise _invalid('a file of looks must have a "version" and a list "looks"')
    if file.get("version") != _VERSION:
        raise _invalid(f"the version of a file of looks must be {_VERSION}, not {file.get('version')!r}")
    return [_read(look, f"looks[{i}]") for i, look in enumerate(file["looks"])]


def format_looks(looks: Iterable[Look]) -> str:
    """Return the text of a file of looks."""
    entries = [
        {
            "name": look.name,
            **({} if look.model is None else {"model": look.model}),
            "parameters": _to_json(cast("Mapping[str, Any]", look.parameters)),
        }
        for look in looks
    ]
    return json.dumps({"version": _VERSION, "looks": entries}, indent=2, ensure_ascii=False) + "\n"


def _read(look: object, at: str) -> Look:
    if not isinstance(look, dict):
        raise _invalid(f'{at} must be a map with "name" and "parameters"')
    name, parameters, model = look.get("name"), look.get("parameters"), look.get("model")
    if not isinstance(name, str) or not 1 <= len(name) <= _LONGEST_NAME:
        raise _invalid(f"{at}.name must be a text of 1 to {_LONGEST_NAME} characters, not {name!r}")
    if not isinstance(parameters, dict):
        raise _invalid(f"{at}.parameters must be a map of parameters")
    if isinstance(parameters.get("style_image"), str):
        try:
            image = base64.b64decode(parameters["style_image"], validate=True)
        except ValueError as error:
            raise _invalid(f"{at}.parameters.style_image must be an image file in base64") from error
        parameters = {**parameters, "style_image": image}
    return Look(name, cast("Parameters", parameters), model if isinstance(model, str) else None)


def _to_json(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters for JSON; a style image is left out if only the server has it."""
    others = {name: value for name, value in parameters.items() if name != "style_image"}
    image = parameters.get("style_image")
    if isinstance(image, bytes):
        others["style_image"] = base64.b64encode(image).decode()
    return others


def _invalid(message: str) -> MillraceError:
    return MillraceError("invalid_look", message)
