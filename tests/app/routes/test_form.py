"""Forms that no browser sends: refused as requests, never taken for a mistake of ours."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from upstream_emulator.drawing import build_png

EDITS = "/v1/images/edits"
HEADERS = {"Authorization": "Bearer demo-ann", "Content-Type": "multipart/form-data; boundary=edge"}
PROMPT = b'form-data; name="prompt"', b"a cat"
IMAGE = b'form-data; name="image"; filename="a.png"\r\nContent-Type: image/png', build_png(3)


def build_form(*parts: tuple[bytes, bytes]) -> bytes:
    """Each part by what stands behind `Content-Disposition:`, and its body."""
    pieces = [b"--edge\r\nContent-Disposition: %b\r\n\r\n%b\r\n" % part for part in parts]
    return b"".join(pieces) + b"--edge--\r\n"


@pytest.mark.parametrize(
    "disposition",
    [
        b"form-data",
        b'form-data; name="\\"',
        b"form-data; name",
        b'form-data; filename="x.png"',
        b"",
    ],
)
def test_a_part_without_a_name(client: FlaskClient, disposition: bytes) -> None:
    answer = client.post(EDITS, data=build_form(IMAGE, PROMPT, (disposition, b"x")), headers=HEADERS)
    assert answer.status_code == 400
    assert answer.get_json()["error"]["code"] == "invalid_value"
    assert "without a name" in answer.get_json()["error"]["message"]


@pytest.mark.parametrize(
    ("part", "place"),
    [
        ((b'form-data; name="prompt"; filename="p.txt"', b"a cat"), "prompt"),
        ((b'form-data; name="n"', b"\xff"), "n"),
        ((b'form-data; name="n"', b"[1]"), "n"),
        ((b'form-data; name="n"', b"9" * 5000), "n"),
        ((b'form-data; name="n"', b"1e999"), "n"),
        ((b'form-data; name="stream"', b"{}"), "stream"),
        ((b'form-data; name="output_compression"', b"NaN"), "output_compression"),
        ((b'form-data; name="size"', b"\x00"), "size"),
    ],
)
def test_fields_of_another_kind_are_named(client: FlaskClient, part: tuple[bytes, bytes], place: str) -> None:
    parts = (IMAGE, part) if place == "prompt" else (IMAGE, PROMPT, part)
    answer = client.post(EDITS, data=build_form(*parts), headers=HEADERS)
    assert (answer.status_code, answer.get_json()["error"]["param"]) == (400, place)
