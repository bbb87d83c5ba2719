"""Forms as they arrive: any cut gives the same, nothing large is held, and what is no form is refused."""

from __future__ import annotations

import hashlib
import itertools
import random

import pytest

from upstream_emulator.form import KEPT_BYTES, BadForm, FormParser, boundary_of

BODY = (
    b'--edge\r\nContent-Disposition: form-data; name="from"\r\n\r\nchat\r\n'
    b'--edge\r\nContent-Disposition: form-data; name="file"; filename="\xe5\x9b\xbe.png"\r\n'
    b"Content-Type: image/png\r\n\r\n%b\r\n--edge--\r\n"
)
# Full of what looks like a boundary and is none.
CONTENT = b"\r\n--edg\r\n\r\n--\r\n--edgar" * 50 + b"\r\n-"


def parse(*pieces: bytes) -> FormParser:
    parser = FormParser("edge")
    for piece in pieces:
        parser.feed(piece)
    return parser


def test_any_cut_gives_the_same() -> None:
    content = CONTENT.replace(b"--edgar", b"--edxar")
    body, rng = BODY % content, random.Random(4)
    cuttings = [[body], [body[index : index + 1] for index in range(len(body))]]
    for _ in range(20):
        cuts = sorted({0, len(body), *(rng.randrange(len(body)) for _ in range(8))})
        cuttings.append([body[start:end] for start, end in itertools.pairwise(cuts)])
    for pieces in cuttings:
        form = parse(*pieces).form
        assert form.is_whole
        assert form.fields == {"from": "chat"}
        file = form.files["file"]
        assert (file.name, file.content_type, file.size) == ("图.png", "image/png", len(content))
        assert file.sha256 == hashlib.sha256(content).hexdigest()


def test_a_large_file_is_not_held() -> None:
    parser = parse((BODY % b"").partition(b"\r\n--edge--")[0])
    for _ in range(100):
        parser.feed(b"x" * 65536)
    assert parser.held_bytes < 100
    assert parser.form.files["file"].size > 99 * 65536
    assert len(parser.form.files["file"].head) == KEPT_BYTES
    assert not parser.form.is_whole


@pytest.mark.parametrize(
    "body",
    [
        b"preamble\r\n--edge\r\n",
        b"--edge\r\nContent-Type: text/plain\r\n\r\nx\r\n--edge--",
        b"--edge and more\r\nContent-Disposition: form-data; name=a\r\n\r\n",
        b"--edge\r\n" + b"X: y\r\n" * 5000,
        b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * 100_000,
        b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 30,
    ],
)
def test_what_is_no_form(body: bytes) -> None:
    with pytest.raises(BadForm):
        parse(body)


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        ("multipart/form-data; boundary=edge", "edge"),
        ('Multipart/Form-Data; charset=utf-8; boundary="an edge"', "an edge"),
        ("multipart/form-data", None),
        ("application/json; boundary=edge", None),
        ("multipart/form-data; boundary=" + "x" * 80, "x" * 70),
    ],
)
def test_boundaries(header: str, boundary: str | None) -> None:
    assert boundary_of(header) == boundary
