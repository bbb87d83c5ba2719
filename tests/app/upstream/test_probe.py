"""How an answer to nobody's call is read."""

from __future__ import annotations

import pytest

from app.auth_token import read_expiry, read_owner_claims
from app.core.errors import AccessRejected, UpstreamInvalid
from app.upstream.probe import PLACEHOLDER_TOKEN, read_probe


@pytest.mark.parametrize("field", ["status", "code"])
@pytest.mark.parametrize("code", [40001, 40002, 40011, 40014, "40014"])
def test_a_signature_is_refused(field: str, code: object) -> None:
    assert read_probe(400, {}, {field: code, "message": "bad request"}).refuses_signature


def test_a_token_is_refused() -> None:
    probe = read_probe(401, {"Date": "Wed, 25 Nov 2026 20:00:00 GMT"}, {"status": 40103})
    assert isinstance(probe.refusal, AccessRejected)
    assert not probe.refuses_signature
    assert probe.now == 1795636800.0


@pytest.mark.parametrize("date", ["yesterday", "", "Wed, 99 Nov 2026 20:00:00 GMT"])
def test_a_date_that_is_none(date: str) -> None:
    assert read_probe(401, {"Date": date}, None).now is None


@pytest.mark.parametrize("document", [None, [], "words"])
def test_a_page(document: object) -> None:
    probe = read_probe(200, {}, document)
    assert isinstance(probe.refusal, UpstreamInvalid)
    assert not probe.refuses_signature


def test_nobodys_token_has_the_form_of_a_token_that_is_over() -> None:
    assert read_expiry(PLACEHOLDER_TOKEN) == 1
    assert not read_owner_claims(PLACEHOLDER_TOKEN).is_access
