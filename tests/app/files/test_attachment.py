"""data: URLs and names: what clients and servers write, good and bad."""

from __future__ import annotations

import base64

import pytest

from app.errors import InvalidFile, InvalidFileUrl
from app.files.attachment import (
    clean_name,
    name_from_path,
    parse_data_url,
    read_content_type,
    read_disposition,
)

DATA = bytes(range(256)) * 7
CODED = base64.b64encode(DATA).decode()


@pytest.mark.parametrize(
    ("url", "media_type", "data"),
    [
        (f"data:image/png;base64,{CODED}", "image/png", DATA),
        (f"DATA:Image/PNG;BASE64,{CODED}", "image/png", DATA),
        (f"data:image/png;charset=utf-8;name=x.png;base64,{CODED}", "image/png", DATA),
        (f"data:;base64,{CODED}", "", DATA),
        (f"data:image/png;base64,{CODED.rstrip('=')}", "image/png", DATA),
        (f"data:image/png;base64,{CODED[:100]}\r\n {CODED[100:]}\n", "image/png", DATA),
        (f"data:image/png;base64,{CODED.replace('+', '%2B').replace('=', '%3D')}", "image/png", DATA),
        (f"data:image/png;base64,{CODED.replace('+', '-').replace('/', '_')}", "image/png", DATA),
        ("data:,hello%20you", "", b"hello you"),
        ("data:text/plain;charset=utf-8,%E4%BD%A0,好", "text/plain", "你,好".encode()),
        ("data:image/png;base64,", "image/png", b""),
    ],
)
def test_a_data_url(url: str, media_type: str, data: bytes) -> None:
    parsed = parse_data_url(url)
    assert (parsed.media_type, b"".join(parsed.decode())) == (media_type, data)


def test_a_large_one_comes_in_pieces() -> None:
    data = DATA * 600
    pieces = list(parse_data_url(f"data:;base64,{base64.b64encode(data).decode()}").decode())
    assert len(pieces) > 4
    assert max(map(len, pieces)) < 256 * 1024
    assert b"".join(pieces) == data


@pytest.mark.parametrize(
    "url", ["data:image/png;base64", "data:", "data:not a type,x", "data:image,x", "data:" + "x" * 999 + ","]
)
def test_what_is_no_data_url(url: str) -> None:
    with pytest.raises(InvalidFileUrl):
        parse_data_url(url)


@pytest.mark.parametrize(
    "payload", ["!!!!", "AAAA=AAA", "A", "AA=A", "你好", "====", CODED[:64] + "*" + CODED]
)
def test_garbage_is_no_base64(payload: str) -> None:
    with pytest.raises(InvalidFile, match="base64"):
        list(parse_data_url(f"data:image/png;base64,{payload}").decode())


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="a b.pdf"', "a b.pdf"),
        ("inline; filename=a.pdf; size=3", "a.pdf"),
        ("attachment; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf", "报告.pdf"),
        ("attachment; filename=\"x.pdf\"; filename*=UTF-8''%E6%8A%A5.pdf", "报.pdf"),
        ('attachment; filename="报告.pdf"'.encode().decode("latin-1"), "报告.pdf"),
        ('attachment; filename="../../etc/passwd"', "../../etc/passwd"),
        ("attachment", ""),
        ("", ""),
        ("; ; =", ""),
        ("attachment; filename*=nonsense", "nonsense"),
    ],
)
def test_names_in_headers(header: str, name: str) -> None:
    assert read_disposition(header) == name


@pytest.mark.parametrize(
    "header", ["attachment; filename*=UTF-8'", "x\r\nSet-Cookie: y", 'a; filename="' + "x" * 9999]
)
def test_no_header_confuses_it(header: str) -> None:
    clean_name(read_disposition(header))


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("cat.png", "cat.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\cat.png", "cat.png"),
        ('a"b\r\nX: y.pdf', "a b X y.pdf"),
        ("  .. .hidden. ", "hidden"),
        ("evil\u202egpj.exe", "evil gpj.exe"),
        ("\ud800.png", "png"),
        ("报告 终稿.docx", "报告 终稿.docx"),
        ("/", ""),
        ("x" * 300 + ".docx", "x" * 115 + ".docx"),
    ],
)
def test_clean_names(name: str, clean: str) -> None:
    assert clean_name(name) == clean


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/b%20c.pdf", "b c.pdf"),
        ("/a/b/", "b"),
        ("/", ""),
        ("/%E6%8A%A5.pdf", "报.pdf"),
        ("/%FF.pdf", "\ufffd.pdf"),
    ],
)
def test_names_in_addresses(path: str, name: str) -> None:
    assert name_from_path(path) == name


@pytest.mark.parametrize(
    ("header", "media_type"),
    [("image/PNG", "image/png"), ("text/html; charset=utf-8", "text/html"), ("", ""), ("nonsense", "")],
)
def test_content_types(header: str, media_type: str) -> None:
    assert read_content_type(header) == media_type
