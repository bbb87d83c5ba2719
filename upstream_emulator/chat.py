"""The stream endpoint: what is refused before an answer, and the answer's life (protocol notes 3 - 5)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from upstream_emulator.account import Account, CutAnswer
from upstream_emulator.call import Call
from upstream_emulator.capture import captured_conversation_id
from upstream_emulator.conversation import Conversation, following_id
from upstream_emulator.drawing import find_drawing_problems, origin_of_pictures
from upstream_emulator.fault import WAIT_FOR_OTHERS, is_fault
from upstream_emulator.frame import Envelope, Json, Manner, encode_event
from upstream_emulator.player import Ending, Player, Step, Steps
from upstream_emulator.record import Record
from upstream_emulator.scenario import play
from upstream_emulator.scene import Scene, manner_of
from upstream_emulator.script import Script, find_script, parse_script
from upstream_emulator.trouble import build_generator_exit
from upstream_emulator.validation import build_validation_error, find_problems, question_of

BUSY = 10061
BAD_REQUEST = 400
NOT_FOUND = 10003
# Protocol notes 3.2, and the one of the published example requests.
KNOWN_ASSISTANTS = (
    "65940acff94777010aa6b796",
    "65a232c082ff90a2ad2f15e2",
    "676411c38945bbc58a905d31",
    "668d03b2e99d661ed3c32516",
    "658a7988b8a9a98d38725745",
    "68f0b8c110eea3e78b0e0e5e",
    "659e54b1b8006379b4b2abd6",
    "65c046a531d3fcb034918abe",
)


def stream(call: Call) -> None:
    """`POST backend-api/assistant/stream`: one answer at a time, in a new or a known conversation."""
    body, account = call.body, call.caller
    if not isinstance(body, dict):
        call.refuse(400, BAD_REQUEST, "bad request")
    elif problems := _problems(call, body):
        call.refuse_bare("validation_error", build_validation_error(problems))
    elif not _has_assistant(call, body["assistant_id"]):
        call.fail("no-assistant")
    elif account.refuses_another():
        call.refuse(429, BUSY, WAIT_FOR_OTHERS)
    else:
        _answer(call, body, account)


def stop_stream(call: Call) -> None:
    """`POST mainchat-api/stream/stop_stream`: ends the caller's answer with the id `history_id`."""
    account = call.caller
    if account.stop_answer is not None and call.fields.get("history_id") == account.answering:
        account.stop_answer()
    call.succeed(None)


def continue_stream(call: Call) -> None:
    """`POST mainchat-api/stream/continue_stream`: goes on with the caller's answer `history_id`, once."""
    account = call.caller
    cut = account.cut_answers.pop(str(call.fields.get("history_id")), None)
    conversation = call.world.conversations.find(cut.conversation_id, account.name) if cut else None
    if cut is None or conversation is None or not call.fields.get("logic_id"):
        call.refuse(200, NOT_FOUND, "no such answer")
    elif account.refuses_another():
        call.refuse(429, BUSY, WAIT_FOR_OTHERS)
    else:
        envelope = Envelope(str(call.fields["history_id"]), conversation.id, cut.assistant_id, Manner())
        events: list[Step] = [*cut.events[: cut.again]]
        ending: list[Step] = [] if cut.again is None else [Ending.CUT]
        Answer(call, account, conversation, envelope).start(iter([*events, *ending]), 0, deaf=False)


def _leave(account: Account, scene: Scene, events: list[bytes]) -> None:
    envelope, values = scene.envelope, scene.script.values
    again = scene.script.count("again", 0) if "again" in values else None
    account.cut_answers[envelope.message_id] = CutAnswer(
        envelope.conversation_id, envelope.assistant_id, events, again
    )


def _problems(call: Call, body: dict[str, Any]) -> list[Json]:
    """A drawing of 2024 was asked for like everything else."""
    is_old = call.world.setting.era == "2024"
    return find_problems(body) or ([] if is_old else find_drawing_problems(body))


def _has_assistant(call: Call, assistant_id: str) -> bool:
    is_any = call.world.setting.assistants == "any"
    return is_any or assistant_id in (*KNOWN_ASSISTANTS, call.caller.assistant_id)


def _answer(call: Call, body: dict[str, Any], account: Account) -> None:
    question = question_of(body)
    script = parse_script(account.next_answers.popleft()) if account.next_answers else find_script(question)
    if is_fault(script.name):
        call.fail(script.name)
        return
    conversation = _conversation(call, body, account, script)
    if conversation is None:
        call.world.record.refusals["unknown_conversation"] += 1
        call.fail("empty")
        return
    conversation.turns += 1
    scene = _scene(call, body, conversation, script, question)
    keep = partial(account.stored_messages.__setitem__, conversation.id)
    scene = replace(scene, leave=partial(_leave, account, scene), store=keep)
    head_seconds = script.number("head", 0) / 1000
    answer = Answer(call, account, conversation, scene.envelope)
    answer.start(play(scene), head_seconds, deaf=bool(script.count("deaf", 0)))


def _conversation(call: Call, body: dict[str, Any], account: Account, script: Script) -> Conversation | None:
    """The conversation that the caller names, or a new one; None when it names one that is not its own."""
    book = call.world.conversations
    if wanted := body.get("conversation_id"):
        return book.find(wanted, account.name)
    captured = captured_conversation_id(script.argument) if script.name == "replay" else ""
    return book.create(account.name, body["assistant_id"], captured)


def _scene(
    call: Call, body: dict[str, Any], conversation: Conversation, script: Script, question: str
) -> Scene:
    setting = call.world.setting
    first = conversation.turns == 1 and len(conversation.id) == 24
    message_id = following_id(conversation.id) if first else call.world.conversations.new_id()
    manner = manner_of(script, setting.default_style)
    return Scene(
        script=script,
        question=question,
        turns=conversation.turns,
        meta_data=body.get("meta_data") or {},
        seen=tuple(call.world.files.look_at(conversation.account, body["messages"][0]["content"])),
        envelope=Envelope(message_id, conversation.id, body["assistant_id"], manner, _choose_model(body)),
        pace_seconds=script.number("pace", 0 if script.name else setting.pace) / 1000,
        origin=origin_of_pictures(body["assistant_id"], call.request.headers.get("host", "")),
    )


def _choose_model(body: dict[str, Any]) -> str:
    """Protocol notes 0.2 row 16."""
    selected = (body.get("meta_data") or {}).get("selected_model")
    return {"glm-5.3": "moe_53", "glm-5": "moe_52", "glm-4.7": "moe_52"}.get(str(selected), "moe_53f")


class Answer:
    """An answer while it is made: it holds its account and its conversation until the player ends."""

    def __init__(self, call: Call, account: Account, conversation: Conversation, envelope: Envelope) -> None:
        self._exchange = call.exchange
        self._record: Record = call.world.record
        self._account = account
        self._conversation = conversation
        self._envelope = envelope

    def start(self, steps: Steps, head_seconds: float, *, deaf: bool) -> None:
        player = Player(self._exchange, self._announcing(steps), self._ended, deaf=deaf)
        last_words = encode_event(build_generator_exit(self._envelope))
        self._account.answers += 1
        self._account.answering = self._envelope.message_id
        self._account.stop_answer = lambda: player.stop(last_words)
        self._account.look_for_end = self._exchange.look_for_end
        self._conversation.in_use = True
        player.start(head_seconds)

    def _announcing(self, steps: Steps) -> Steps:
        """The same steps; notes that with the first event the client learns the conversation's id."""
        for step in steps:
            if isinstance(step, bytes):
                self._conversation.announced = True
                yield step
                break
            yield step
        yield from steps

    def _ended(self, early: bool) -> None:
        self._account.stop_answer = self._account.look_for_end = None
        self._account.answering = None
        self._conversation.in_use = False
        self._record.stopped_early += early
