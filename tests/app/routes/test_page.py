"""GET /: the page, and what a demonstration changes in it."""

from __future__ import annotations

import re

import pytest

from tests.app.routes.conftest import Connect


def test_the_page_offers_a_key_in_a_demonstration_alone(connect: Connect) -> None:
    plain, demo = connect().get("/"), connect(GLM_DEMO_KEY="demo-anna").get("/")
    assert "demo-" not in plain.text
    assert re.findall(r'<form id="door"[^>]*data-demo-key="([^"]*)"', demo.text) == ["demo-anna"]
    assert demo.text.replace(' data-demo-key="demo-anna"', "") == plain.text
    assert demo.headers["Content-Security-Policy"] == plain.headers["Content-Security-Policy"]
    assert demo.headers["ETag"] != plain.headers["ETag"]


@pytest.mark.parametrize("environ", [{}, {"GLM_DEMO_KEY": "demo-anna"}])
def test_whoever_has_the_page_is_told_so(connect: Connect, environ: dict[str, str]) -> None:
    client = connect(**environ)
    etag = client.get("/").headers["ETag"]
    assert client.get("/", headers={"If-None-Match": etag}).status_code == 304
