"""Names: what clients and servers write, good and bad."""

from __future__ import annotations

import pytest

from app.files.attachment import (
    clean_name,
    name_from_path,
    read_content_type,
    read_disposition,
)


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
