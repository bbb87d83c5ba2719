"""Where the page is that a listening socket serves."""

from __future__ import annotations

from typing import Any

import pytest

from app.server.page_address import build_page_address


@pytest.mark.parametrize(
    ("address", "page"),
    [
        (("127.0.0.1", 8000), "http://127.0.0.1:8000/"),
        (("0.0.0.0", 8000), "http://127.0.0.1:8000/"),
        (("192.168.1.7", 80), "http://192.168.1.7:80/"),
        (("::", 8000, 0, 0), "http://[::1]:8000/"),
        (("fe80::1", 8000, 0, 0), "http://[fe80::1]:8000/"),
        ("/run/glm-api/socket", "/run/glm-api/socket"),
    ],
)
def test_a_browser_on_this_machine_finds_it(address: Any, page: str) -> None:
    assert build_page_address(address) == page
