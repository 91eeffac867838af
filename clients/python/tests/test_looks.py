"""Files of looks."""

from __future__ import annotations

import pytest

from millrace import Look, MillraceError, format_looks, parse_looks


def test_a_file_is_read_as_it_was_written() -> None:
    night = Look("Night", {"prompt": "neon lights", "seed": 7, "style_image": b"\xff\xd8"}, model="millrace-styles")
    assert parse_looks(format_looks([night])) == [night]
    named = Look("A", {"style_image": "sha256:abc", "seed": 1})
    assert parse_looks(format_looks([named])) == [Look("A", {"seed": 1})]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "must be JSON"),
        ("[]", 'a "version" and a list "looks"'),
        ('{"version": 2, "looks": []}', "must be 1, not 2"),
        ('{"version": 1, "looks": [1]}', r"looks\[0\] must be a map"),
        ('{"version": 1, "looks": [{"name": "", "parameters": {}}]}', r"looks\[0\].name"),
        ('{"version": 1, "looks": [{"name": "a"}]}', r"looks\[0\].parameters must be a map"),
        ('{"version": 1, "looks": [{"name": "a", "parameters": {"style_image": "*"}}]}', "in base64"),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(MillraceError, match=message) as caught:
        parse_looks(text)
    assert caught.value.code == "invalid_look"
