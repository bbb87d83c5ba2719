"""A failure in words: English first and always the same, Chinese behind it, and the seconds to wait."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.catalogue.account import ALL_ANSWERING
from app.catalogue.message import Message, say_size, tell_in
from app.core.errors import (
    AccountBlocked,
    AccountsBusy,
    FileUnavailable,
    GatewayError,
    InvalidRequest,
    UpstreamInvalid,
    UpstreamThrottled,
)
from app.core.gateway_error import MAX_CLIENT_WAIT_SECONDS


@pytest.fixture
def english_alone() -> Iterator[None]:
    tell_in("en")
    yield
    tell_in("zh")


def test_both_languages_are_told_with_their_numbers() -> None:
    error = AccountsBusy(ALL_ANSWERING.fill(count=3), retry_after_seconds=4.2)
    assert error.message == str(error) == ALL_ANSWERING.en.replace("{count}", "3")
    assert error.text == (
        f"{error.message} Try again in 5 s. {ALL_ANSWERING.zh.replace('{count}', '3')}请在 5 秒后重试。"
    )


@pytest.mark.usefixtures("english_alone")
def test_english_alone_where_that_is_wanted() -> None:
    error = AccountsBusy(ALL_ANSWERING.fill(count=3), retry_after_seconds=4.2)
    assert error.text == f"{error.message} Try again in 5 s."
    assert InvalidRequest("`n` must be 1.").text == "`n` must be 1."


def test_what_is_in_no_catalogue_has_the_chinese_of_its_code() -> None:
    assert InvalidRequest("`n` must be 1.").text == "`n` must be 1. 请求有误：请按上文修正请求。"


def test_a_code_that_is_in_no_catalogue_is_told_in_english() -> None:
    class Odd(GatewayError):
        code = "odd"

    assert Odd("Odd.").text == "Odd."


@pytest.mark.parametrize("value", ["{count}", "{", "}", "{0}", "{{x}}", "%s"])
def test_values_may_hold_anything(value: str) -> None:
    message = Message("It was {words}.", "它是 {words}。").fill(words=value).then(Message("{", "}"))
    assert message == Message(f"It was {value}. {{", f"它是 {value}。}}")


def test_a_value_may_be_a_message_itself() -> None:
    whole = Message("It {what}.", "它{what}。").fill(what=Message("is odd", "很怪"))
    assert whole == Message("It is odd.", "它很怪。")
    assert str(whole) == "It is odd."


@pytest.mark.parametrize(
    ("error", "forbids"),
    [
        (InvalidRequest(""), True),
        (FileUnavailable(""), False),
        (AccountBlocked("", retry_after_seconds=30), True),
        (UpstreamInvalid(""), False),
        (UpstreamThrottled("", retry_after_seconds=MAX_CLIENT_WAIT_SECONDS), False),
        (UpstreamThrottled("", retry_after_seconds=MAX_CLIENT_WAIT_SECONDS + 1), True),
    ],
)
def test_what_clients_shall_not_ask_again(error: GatewayError, *, forbids: bool) -> None:
    assert error.forbids_retry is forbids


@pytest.mark.parametrize(
    ("size", "said"),
    [(1023, "1023 bytes"), (1 << 20, "1 MiB"), (50331648, "48 MiB"), (25 * (1 << 20) + 1, "25 MiB")],
)
def test_sizes_are_said_for_people(size: int, said: str) -> None:
    assert say_size(size) == said
