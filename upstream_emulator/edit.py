"""Editing a picture by the site's own call (protocol notes 0.2 row 18, 7).

Two answers are known: the setting `edits` is `drawn`, or `refused` as one source captured it. What an account
queues in `edit_next` goes first: a fault, `edit delay=300` (milliseconds), `edit picture=0` (nothing but a
conversation) or `edit result=0` (success, and nothing else).
"""

from __future__ import annotations

import asyncio

from upstream_emulator.call import Call
from upstream_emulator.drawing import ASPECT_RATIOS, ASSISTANT, PICTURES
from upstream_emulator.fault import WAIT_FOR_OTHERS, is_fault
from upstream_emulator.script import Script, parse_script

BAD_REQUEST = 400
BUSY = 10061
INTERNAL = 500
FIXED = {
    "assistant_id": ASSISTANT,
    "category": 1,
    "conversation_id": "",
    "history_id": "",
    "if_plus_model": False,
    "rm_label_watermark": False,
    "type": "Intelligent Editing",
}


def edit(call: Call) -> None:
    """`POST drawing-api/v1/image/reference`: every field as browsers send it; one at a time per account."""
    account = call.caller
    script = parse_script(account.next_edits.popleft()) if account.next_edits else Script()
    if is_fault(script.name):
        call.fail(script.name)
    elif not _is_good(call):
        call.refuse(400, BAD_REQUEST, "bad request")
    elif account.refuses_another():
        call.refuse(429, BUSY, WAIT_FOR_OTHERS)
    elif call.world.setting.edits == "refused":
        call.refuse(200, INTERNAL, "internal server error")
    else:
        _begin(call, script)


def _is_good(call: Call) -> bool:
    fields = call.fields
    prompt = fields.get("prompt")
    names = FIXED.keys() | {"aspect_ratio", "file_id", "image_url", "prompt", "title"}
    file = call.world.files.find_picture(call.caller.name, fields.get("file_id"), fields.get("image_url"))
    return (
        fields.keys() == names
        and all(fields[name] == value for name, value in FIXED.items())
        and fields["aspect_ratio"] in ASPECT_RATIOS
        and isinstance(prompt, str)
        and bool(prompt)
        and fields["title"] == f"【智能编辑】 {prompt}"
        and file is not None
    )


def _begin(call: Call, script: Script) -> None:
    """The account is taken until the picture is there, whether or not somebody waits for it."""
    account = call.caller
    timer = asyncio.get_running_loop().call_later(script.number("delay", 0) / 1000, _end, call, script)

    def stop() -> None:
        timer.cancel()
        account.stop_answer = None
        call.exchange.reset()

    account.answers += 1
    account.stop_answer = stop


def _end(call: Call, script: Script) -> None:
    call.caller.stop_answer = None
    if not script.count("result", 1):
        call.succeed(None)
        return
    conversation = call.world.conversations.create(call.caller.name, ASSISTANT)
    conversation.turns, conversation.announced = 1, not call.exchange.closed
    result = {"conversation_id": conversation.id}
    if script.count("picture", 1):
        host = call.request.headers.get("host", "")
        result["image_url"] = f"http://{host}{PICTURES}{conversation.id}_0.png"
    call.succeed(result)
