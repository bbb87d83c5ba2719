"""A host that files may not come from, and what is said of it."""

from __future__ import annotations

import pytest

from app.core.errors import InvalidFileUrl
from app.files.connection import Address
from app.files.fetch import Fetcher, FetchPolicy


@pytest.mark.parametrize("addresses", [[], [("169.254.169.254", 80)]], ids=["unknown", "never used"])
@pytest.mark.parametrize("allow_private", [True, False])
def test_a_host_that_nobody_may_ask_for(addresses: list[Address], allow_private: bool) -> None:
    """Whoever let private addresses in is not told to do so; nobody else learns which names exist inside."""
    policy = FetchPolicy(10**6, 5, frozenset({80}), allow_private=allow_private)
    with pytest.raises(InvalidFileUrl) as refusal:
        Fetcher(policy, resolve=lambda host, port: addresses).fetch("http://inside.example/a.png")
    assert ("GLM_FILES_ALLOW_PRIVATE" in str(refusal.value)) is not allow_private
    assert ("name is unknown" in str(refusal.value)) is allow_private
    assert "data: URL" in str(refusal.value)
