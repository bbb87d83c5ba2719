"""From a question to a plan: what is asked, of whose accounts, and for how long it is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.accounts.authenticator import Caller
from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.chat.service import ChatService, Directory, ToolSpeech
from app.config import Settings
from app.conversations.ledger import Conversation, Ledger
from app.core.errors import (
    AnswerNotHeld,
    ConversationNotFound,
    InvalidRequest,
    PromptTooLong,
    UpstreamUnreachable,
)
from app.core.request import FilePart, Question, TextPart, Turn
from app.core.tool import Tool
from app.exchange.clock import StartClock
from app.exchange.opener import Plan
from app.exchange.transforms.options import OutputOptions
from app.metrics.counters import Counters
from app.state import MEMORY, open_state
from app.tools.dialect import Dialect
from app.upstream.request import DEFAULT_ASSISTANT_ID, DRAWING_ASSISTANT_ID
from app.upstream.video import VIDEO_ASSISTANT

ID = "d" * 24
OWN_ASSISTANT = "e" * 24


class Files:
    def __init__(self, attachments: list[Any]) -> None:
        self.attachments = attachments
        self.closed = 0

    def __bool__(self) -> bool:
        return bool(self.attachments)

    def close(self) -> None:
        self.closed += 1


class Rig:
    """A service whose plans are noted instead of being opened."""

    def __init__(self) -> None:
        state = open_state(MEMORY)
        self.pool = AccountPool(Logins(state))
        self.ledger = Ledger(state)
        self.files: Files | None = None
        self.on_open: Callable[[], object] = lambda: None
        settings = Settings(conversation_ttl_seconds=600, max_prompt_chars=1000, reasoning="tags")
        rig: Any = self
        self.service = ChatService(
            settings,
            Directory(self.pool, self.ledger, self.find_assistant),
            rig,
            rig,
            ToolSpeech(Dialect("k3x9"), Counters()),
        )

    def find_assistant(self, name: str, caller: Caller) -> str | None:
        return OWN_ASSISTANT if (name, caller.id) == ("写作助手", "ann") else None

    def collect(self, attachments: list[Any]) -> Files:
        self.files = Files(attachments)
        return self.files

    def start_clock(self) -> StartClock:
        return StartClock(50)

    def open(self, plan: Plan, clock: StartClock) -> Plan:
        self.on_open()
        return plan

    def ask(self, *turns: Turn, tokens: str = "ab", caller: str = "ann", **fields: Any) -> Plan:
        question = Question(turns or (say("what is it?"),), fields.pop("model", "glm"), **fields)
        plan: Any = self.service.open(question, Caller(caller, "", tuple(tokens)))
        return plan  # type: ignore[no-any-return]

    def remember(self, token: str, caller: str = "ann", assistant: str = OWN_ASSISTANT) -> None:
        (account,) = self.pool.get_or_add([token])
        self.ledger.begin(Conversation(ID, assistant, account.owner, caller))


@pytest.fixture
def rig() -> Rig:
    return Rig()


def say(text: str, role: Any = "user") -> Turn:
    return Turn(role, (TextPart(text),))


def list_tokens(plan: Plan) -> str:
    return "".join(account.refresh_token for account in plan.accounts)


HISTORY = (say("hello"), say("hi", "assistant"), say("what is it?"))


def test_a_question_goes_to_the_callers_own_accounts(rig: Rig) -> None:
    plan = rig.ask(model="glm-think-search")
    assert list_tokens(plan) == "ab"
    assert (plan.caller.id, plan.is_known) == ("ann", False)
    asked = plan.question
    assert (asked.prompt, asked.assistant_id, asked.conversation_id) == (
        "what is it?",
        DEFAULT_ASSISTANT_ID,
        "",
    )
    assert (asked.chat_mode, asked.reasoning_effort, asked.web_search) == ("thinking", "high", True)
    assert plan.options == OutputOptions(reasoning="tags")


def test_what_the_answer_shall_be_like_goes_along(rig: Rig) -> None:
    plan = rig.ask(model="glm-silent", stop=("x",), max_tokens=9)
    assert plan.options == OutputOptions("hidden", hides_citations=True, stop=("x",), max_tokens=9)


@pytest.mark.parametrize(
    ("turns", "continues", "seconds"),
    [((), False, 600), (HISTORY, False, 0), ((), True, 600), (HISTORY, True, 600)],
)
def test_a_conversation_is_kept_for_who_may_go_on_with_it(
    rig: Rig, turns: tuple[Turn, ...], seconds: float, *, continues: bool
) -> None:
    """Who sends the history itself never comes back by id."""
    assert rig.ask(*turns, continued_id=ID if continues else None).keep_seconds == seconds


def test_only_what_is_new_is_said_in_a_conversation_that_goes_on(rig: Rig) -> None:
    assert "hello" in rig.ask(*HISTORY).question.prompt
    assert rig.ask(*HISTORY, continued_id=ID).question.prompt == "what is it?"


def test_a_drawing_hears_only_what_is_to_be_drawn(rig: Rig) -> None:
    plan = rig.ask(say("be kind", "system"), say("a cat"), model="cogview-3")
    assert (plan.question.assistant_id, plan.question.prompt) == (DRAWING_ASSISTANT_ID, "a cat")
    assert plan.question.drawing is not None


# --- going on ---


def test_a_known_conversation_goes_on_with_its_owner_and_its_assistant(rig: Rig) -> None:
    rig.remember("b")
    plan = rig.ask(continued_id=ID)
    assert (list_tokens(plan), plan.is_known) == ("b", True)
    assert (plan.question.conversation_id, plan.question.assistant_id) == (ID, OWN_ASSISTANT)


def test_an_unknown_one_is_looked_for_with_the_first_accounts(rig: Rig) -> None:
    plan = rig.ask(tokens="abcde", continued_id=ID, model=OWN_ASSISTANT)
    assert (list_tokens(plan), plan.is_known) == ("abc", False)
    assert (plan.question.conversation_id, plan.question.assistant_id) == (ID, OWN_ASSISTANT)


def test_a_conversation_belongs_to_who_began_it(rig: Rig) -> None:
    """Two gateway keys share the operator's accounts, and not what was said."""
    rig.remember("b", caller="bob")
    with pytest.raises(ConversationNotFound):
        rig.ask(continued_id=ID)
    assert rig.ask(continued_id=ID, caller="bob").is_known


def test_a_conversation_of_nobodys_account_here_is_not_found(rig: Rig) -> None:
    rig.remember("z")
    with pytest.raises(ConversationNotFound) as raised:
        rig.ask(continued_id=ID)
    assert raised.value.param == "conversation_id"


def test_a_video_is_no_conversation(rig: Rig) -> None:
    rig.remember("b", assistant=VIDEO_ASSISTANT)
    with pytest.raises(ConversationNotFound):
        rig.ask(continued_id=ID)


# --- files ---

PICTURE = FilePart("image", "https://x/1.png", "messages.0.content.0")


def test_files_go_along_and_are_closed_when_the_reply_has_begun(rig: Rig) -> None:
    seen: list[int] = []
    rig.on_open = lambda: seen.append(rig.files.closed if rig.files else -1)
    rig.ask(Turn("user", (PICTURE,)))
    assert rig.files is not None
    assert [attachment.url for attachment in rig.files.attachments] == ["https://x/1.png"]
    assert (seen, rig.files.closed) == ([0], 1)


def test_files_are_closed_where_nobody_answers(rig: Rig) -> None:
    def fail() -> None:
        raise UpstreamUnreachable("away")

    rig.on_open = fail
    with pytest.raises(UpstreamUnreachable):
        rig.ask(Turn("user", (PICTURE,)))
    assert rig.files is not None
    assert rig.files.closed == 1


def test_a_question_without_words_needs_files(rig: Rig) -> None:
    with pytest.raises(InvalidRequest):
        rig.ask(say(""))


def test_a_prompt_has_a_limit(rig: Rig) -> None:
    rig.ask(say("x" * 1000))
    with pytest.raises(PromptTooLong):
        rig.ask(say("x" * 1001))


# --- going on from one answer ---


def test_everything_is_new_where_a_client_goes_on_from_one_answer(rig: Rig) -> None:
    rig.remember("b")
    turns = (say("be kind", "system"), Turn("user", (TextPart("this"), PICTURE)), say("what is it?"))
    plan = rig.ask(*turns, continued_id=ID, continued_turn=1)
    assert (list_tokens(plan), plan.is_known, plan.continued_turn) == ("b", True, 1)
    assert all(words in plan.question.prompt for words in ("be kind", "this", "what is it?"))
    assert rig.files is not None
    assert len(rig.files.attachments) == 1


def test_a_client_cannot_go_on_from_an_answer_that_nobody_holds(rig: Rig) -> None:
    """Also where the upstream might know it: which answer is the latest stands in the ledger alone."""
    with pytest.raises(AnswerNotHeld):
        rig.ask(continued_id=ID, continued_turn=1)
    rig.remember("b")
    rig.ledger.end(ID, now=0, due=1)  # nobody has come to delete it yet
    assert rig.ask(continued_id=ID).is_known
    with pytest.raises(AnswerNotHeld):
        rig.ask(continued_id=ID, continued_turn=1)


@pytest.mark.parametrize(("keeps", "seconds"), [(True, 600), (False, 0)])
@pytest.mark.parametrize("turns", [(), HISTORY])
def test_a_client_may_say_whether_it_comes_back(
    rig: Rig, turns: tuple[Turn, ...], seconds: float, *, keeps: bool
) -> None:
    assert rig.ask(*turns, keeps_conversation=keeps).keep_seconds == seconds


def test_what_is_wrong_with_the_turns_is_told_in_the_clients_words(rig: Rig) -> None:
    with pytest.raises(InvalidRequest, match="`input` holds no text") as empty:
        rig.ask(say(""), turns_place="input")
    with pytest.raises(PromptTooLong) as long:
        rig.ask(say("x" * 1001), turns_place="input")
    assert (empty.value.param, long.value.param) == ("input", "input")


WEATHER = Tool("get_weather")
ONE_FILE = Turn("user", (FilePart("file", "https://x/a.md", "a"),))


def test_calls_are_told_from_what_the_prompt_quotes(rig: Rig) -> None:
    plan = rig.ask(tools=(WEATHER,))
    assert plan.options.calls is not None
    assert plan.options.calls.read_text == plan.question.prompt


@pytest.mark.parametrize(
    ("turns", "fields"),
    [
        ((ONE_FILE,), {}),
        ((), {"continued_id": ID}),
        ((), {"web_search": True}),
        ((), {"deep_research": True}),
        ((), {"model": OWN_ASSISTANT}),
    ],
)
def test_what_the_model_reads_beside_the_prompt_is_known_to_nobody(
    rig: Rig, turns: tuple[Turn, ...], fields: dict[str, Any]
) -> None:
    """Then what looks like a call of another form may always be quoted."""
    rig.remember("a")
    plan = rig.ask(*turns, tools=(WEATHER,), **fields)
    assert plan.options.calls is not None
    assert plan.options.calls.read_text is None
