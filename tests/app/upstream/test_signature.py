"""Signing, against a real capture and the worked example of the protocol notes 2.2."""

from __future__ import annotations

import pytest

from app.config import Settings
from app.upstream.signature import sign, stamp

SECRET = Settings().sign_secret


def test_the_captured_request() -> None:
    headers = sign(now_seconds=1790732179.905, nonce="75988225830f4d93b6702dcd0a2e9baf", secret=SECRET)
    assert headers == {
        "X-Timestamp": "1790732179905",
        "X-Nonce": "75988225830f4d93b6702dcd0a2e9baf",
        "X-Sign": "a32ee7a2876ad44e6658475f0a7c69eb",
    }


def test_the_worked_example() -> None:
    headers = sign(now_seconds=1714380000.123, nonce="0123456789abcdef0123456789abcdef", secret=SECRET)
    assert headers["X-Timestamp"] == "1714380000183"
    assert headers["X-Sign"] == "689acecb69784789a07f36a435adc22c"


@pytest.mark.parametrize("milliseconds", [1714380000123, 1790732179905, 1000000000000, 1999999999999])
def test_the_check_digit_covers_all_others(milliseconds: int) -> None:
    digits = stamp(milliseconds)
    assert digits[:-2] + digits[-1] == str(milliseconds)[:-2] + str(milliseconds)[-1]
    assert (sum(map(int, digits)) - int(digits[-2])) % 10 == int(digits[-2])
