"""How an answer to nobody's call is read."""

from __future__ import annotations

import pytest

from app.errors import AccessRejected, UpstreamInvalid
from app.token import is_access_token, read_expiry
from app.upstream.knock import NOBODY, read_knock


@pytest.mark.parametrize("field", ["status", "code"])
@pytest.mark.parametrize("code", [40001, 40002, 40011, 40014, "40014"])
def test_a_signature_is_refused(field: str, code: object) -> None:
    assert read_knock(400, {}, {field: code, "message": "bad request"}).refuses_signature


def test_a_token_is_refused() -> None:
    knock = read_knock(401, {"Date": "Wed, 25 Nov 2026 20:00:00 GMT"}, {"status": 40103})
    assert isinstance(knock.refusal, AccessRejected)
    assert not knock.refuses_signature
    assert knock.now == 1795636800.0


@pytest.mark.parametrize("date", ["yesterday", "", "Wed, 99 Nov 2026 20:00:00 GMT"])
def test_a_date_that_is_none(date: str) -> None:
    assert read_knock(401, {"Date": date}, None).now is None


@pytest.mark.parametrize("document", [None, [], "words"])
def test_a_page(document: object) -> None:
    knock = read_knock(200, {}, document)
    assert isinstance(knock.refusal, UpstreamInvalid)
    assert not knock.refuses_signature


def test_nobodys_token_has_the_form_of_a_token_that_is_over() -> None:
    assert read_expiry(NOBODY) == 1
    assert not is_access_token(NOBODY)
