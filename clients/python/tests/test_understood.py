"""What the model made of prompts, as the server tells it."""

from __future__ import annotations

import msgpack
import pytest

from millrace._generated import Understood, Updated
from millrace.errors import MillraceError
from millrace.wire import decode_message


def _updated(understood: object) -> Updated:
    fields = {"type": "updated", "request": 1, "from": 2, "parameters": {}, "understood": understood}
    message = decode_message(msgpack.packb(fields))
    assert isinstance(message, Updated)
    return message


def test_each_prompt_has_an_entry() -> None:
    oil = {"text": "oil", "tokens": 1, "styles": {"oil painting": 0.9}, "moods": {}, "more": 1}
    cut = {"text": "long", "tokens": 75, "truncated": 4}
    assert _updated([oil, cut]).understood == (
        Understood("oil", 1, styles={"oil painting": 0.9}, moods={}),
        Understood("long", 75, truncated=4),
    )
    assert _updated(None).understood is None


@pytest.mark.parametrize(
    ("understood", "field"),
    [
        ({}, "understood"),
        (["oil"], "understood"),
        ([{"text": "oil", "tokens": -1}], r"understood\[0\].tokens"),
        ([{"text": "oil", "tokens": 1, "styles": {"oil": "much"}}], r"understood\[0\].styles.oil"),
    ],
)
def test_a_wrong_entry_is_named(understood: object, field: str) -> None:
    with pytest.raises(MillraceError, match=f"the field {field} is invalid"):
        _updated(understood)
