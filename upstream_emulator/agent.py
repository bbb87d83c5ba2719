"""The model as agents meet it: it reads in the prompt which functions there are, and calls them.

`[[agent]]` calls the first function of the prompt, and answers in text once a result - of the function that
it was told to call - stands behind the directive. It learns the form of a call from the example in the
prompt, as a model does, and breaks it where it is told to. Parameters:

    name, args    which function and its arguments (URL-encoded JSON; `{}` unless told)
    form          dialect, unclosed, wrong-closer, broken, fenced, native, native-cut, tool-call, think, prose
    say, after    text before the call and behind it
    count         how many calls in a row
    again         1: calls although there is a result, as a model does that has more to do
    fill          so many characters of text in an argument `content` besides
    step          how many characters a frame adds (3)
    written       the whole text instead, word for word; `call-word` stands for the word of the example
"""

from __future__ import annotations

import json
import re

from upstream_emulator import content
from upstream_emulator.content import cut_up, text
from upstream_emulator.frame import Block, Fixed, Growing, Json
from upstream_emulator.player import Steps
from upstream_emulator.scene import Scene

_EXAMPLE = re.compile(r'<(call-[a-z0-9]+) name="')
_FUNCTION = re.compile(r'^\{"name":"([^"]+)"', re.MULTILINE)
_FILLING = 'if a < b: say("{x}")  # 你好\n'
_RESULT = re.compile(r"^\[Result of ([^\]]+)\]\n(.*)", re.MULTILINE)


def act(scene: Scene) -> Steps:
    """Calls, or answers with the last result."""
    results = _RESULT.findall(scene.question.rpartition("[[")[2])
    wanted = scene.script.text("name")
    if scene.script.is_set("again") or scene.script.text("written"):
        return scene.answer(_call(scene))
    if results and (not wanted or any(name.startswith(f"{wanted} #") for name, _ in results)):
        name, result = results[-1]
        return scene.answer([text(*cut_up(f"{name} gave: {result}"))])
    return scene.answer(_call(scene))


def _call(scene: Scene) -> list[Block]:
    script = scene.script
    step = script.count("step", 3)
    if script.text("written"):
        return [text(*cut_up(script.text("written").replace("call-word", find_word(scene.question)), step))]
    functions = _FUNCTION.findall(scene.question)
    name = script.text("name") or (functions[0] if functions else "nothing")
    arguments = _fill(script.text("args", "{}"), script.count("fill", 0))
    form = script.text("form", "dialect")
    before = [text(*cut_up(script.text("say")))] if script.text("say") else []
    if form == "native-cut":
        arguments = arguments.removesuffix("}")
    if form.startswith("native"):
        return [*before, *_call_natively(name, arguments)]
    if form == "prose":
        return [text(*cut_up(script.text("say", "I would rather talk about it.")))]
    written = "\n".join([_write(scene, form, name, arguments)] * max(1, script.count("count", 1)))
    if form == "think":
        return [Growing("think", cut_up(f"I should call it. {written}")), content.thoughts_closed()]
    # One part: what stands around a call is in the same text.
    return [text(*cut_up(script.text("say") + written + script.text("after"), step))]


def _fill(arguments: str, chars: int) -> str:
    if chars <= 0:
        return arguments
    content = (_FILLING * (chars // len(_FILLING) + 1))[:chars]
    return json.dumps(json.loads(arguments) | {"content": content}, ensure_ascii=False)


def find_word(prompt: str) -> str:
    """What a call begins with in the example of a prompt."""
    found = _EXAMPLE.findall(prompt)
    return found[-1] if found else "call"


def _write(scene: Scene, form: str, name: str, arguments: str) -> str:
    """A call as the prompt shows it, or damaged."""
    word = find_word(scene.question)
    opener = f'<{word} name="{name}">'
    match form:
        case "unclosed":
            return opener + arguments
        case "wrong-closer":
            return f"{opener}{arguments}</call>"
        case "broken":
            return f"{opener}{arguments[:-1]}, oops: }}</{word}>"
        case "fenced":
            return f"```json\n{opener}{arguments}</{word}>\n```"
        case "tool-call":
            return f"<tool_call>{json.dumps({'name': name, 'arguments': json.loads(arguments)})}</tool_call>"
    return f"{opener}{arguments}</{word}>"


def _call_natively(name: str, arguments: str) -> list[Block]:
    """Protocol notes 0.2 rows 8 and 9: the site's executor takes the call, fails, and the model goes on."""
    call: Json = {"id": "tool-agent", "name": name, "arguments": arguments}
    called: Json = {"type": "tool_calls", "tool_calls": call}
    failed: Json = {"type": "tool_result", "tool_calls": call}
    stage: Json = {"meta_data": {"show_type": "mc_tool_call2"}}
    executor: Json = {"model": "all-tools", "meta_data": {"show_type": "mc_tool_result2"}}
    return [
        Fixed([(called, "init", stage), (called, "finish", stage)]),
        Fixed([(failed, "error", executor)], role="tool"),
        text("The function ", "is not there. ", "Let me try again."),
    ]
