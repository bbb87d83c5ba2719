"""Good answers: the transcripts of protocol notes 4.9, and the friendly one that is played when nobody asks
for more.

Scenarios state their own parameters; those that every scenario understands are in
`upstream_emulator.scenario`.
"""

from __future__ import annotations

import re
from dataclasses import replace

from upstream_emulator import content, drawing
from upstream_emulator.capture import capture_names, read_capture
from upstream_emulator.content import cut_up, text
from upstream_emulator.forced import write_forced
from upstream_emulator.frame import (
    Block,
    Fixed,
    Growing,
    Json,
    Manner,
    build_frames,
    encode_event,
    encode_json,
)
from upstream_emulator.player import Steps
from upstream_emulator.scene import Scene

THINKING_MODES = ("zero", "thinking", "deep_thinking", "deep_research")
MAX_QUOTED_CHARACTERS = 200
FORCED_STEP_CHARS = 12
# What an example's texts say, and a JSON object of no schema.
WORDS = {"zh": ("示例", "你好！"), "en": ("example", "Hello!")}

_HAN = re.compile(r"[\u3400-\u9fff]")


def friendly(scene: Scene) -> Steps:
    """What is played without a directive: quotes the question; thinks, searches and draws when asked to.

    Where the prompt insists on a call or on JSON it is an example of what the schema allows.
    """
    if scene.envelope.assistant_id == drawing.ASSISTANT:
        return drawing.draw_2024(scene) if scene.envelope.manner.is_old else drawing.draw(scene)
    question = last_words(scene.question)
    words = WORDS["zh" if _HAN.search(question) else "en"]
    if (forced := write_forced(scene.question, *words)) is not None:
        return scene.answer([text(*cut_up(forced, FORCED_STEP_CHARS))])
    blocks: list[Block] = []
    found = ""
    if scene.meta_data.get("chat_mode") in THINKING_MODES:
        thought = f"用户发来了第 {scene.turns} 轮的问题。我先想一想，再友好地回答。"
        blocks += [Growing("think", cut_up(thought)), content.thoughts_closed()]
    if scene.meta_data.get("is_networking"):
        blocks += [content.search_call(), content.search_result()]
        found = "搜索结果示例：北京今天晴【turn0search0】。"
    quoted = question[-MAX_QUOTED_CHARACTERS:]
    opening = f"你好！你说的是：“{quoted}”。这是我们对话的第 {scene.turns} 轮。"
    if scene.seen:
        opening += f"随消息发来的有：{'；'.join(scene.seen)}。"
    return scene.answer([*blocks, text(*cut_up(opening + found + "我是演示用的智谱清言，很高兴为你服务。"))])


def last_words(prompt: str) -> str:
    """What the user said last where a prompt retells turns behind marks; else all of it."""
    said = prompt.rpartition("[User]\n")[2]
    for mark in ("\n\n[Assistant]", "\n\nTo call a function, ", "\n\nThe whole answer is one JSON "):
        said = said.partition(mark)[0]
    return said.strip()


def plain(scene: Scene) -> Steps:
    """4.9 a, b. `say`: the whole answer (URL-encoded)."""
    return scene.answer([greeting(scene)])


def think(scene: Scene) -> Steps:
    """4.9 c. `thought`, `say`: the texts; `kind=text_thinking`: as the Zero assistant of 2024-12 did;
    `only=1`: nothing after the thinking."""
    text_after = [] if scene.script.is_set("only") else [greeting(scene)]
    return scene.answer([*thinking(scene), *text_after])


def search(scene: Scene) -> Steps:
    """4.9 d2."""
    found = [content.search_call(), content.search_result()]
    mark = scene.script.text("mark") or "【turn0search0】"  # more forms: protocol notes 0.2 row 15
    return scene.answer([*found, text("今天北京晴", mark, "，18~28℃。")])


def search_2024(scene: Scene) -> Steps:
    """4.9 d."""
    old = scene.in_style("snapshot")
    return old.answer(
        [text("我来查一下。"), content.quoted_pages(), text("今天北京晴【1†source】", "，18~28℃。")]
    )


def code(scene: Scene) -> Steps:
    """4.9 e. The output is repeated once, as the upstream does."""
    program = Growing("code", ("print(1", "+1)"))
    return scene.in_style("snapshot").answer([program, content.execution_output(), text("结果是 2。")])


def repeat(scene: Scene) -> Steps:
    """Text that repeats itself: deltas that equal, or begin with, all the text so far."""
    return scene.answer([text("哈", "哈", "哈哈", "哈", "！", "哈哈哈哈哈！", "哈")])


def alternate(scene: Scene) -> Steps:
    """Thinking and text several times over. `interleave=1`: two text parts whose frames take turns."""
    if scene.script.is_set("interleave"):
        return _interleaved(scene)
    first = [Growing("think", ("先想", "第一步。")), text("第一步：", "打开门。")]
    second = [Growing("think", ("再想", "第二步。")), text("第二步：", "走进去。")]
    return scene.answer([*first, *second])


def session(scene: Scene) -> Steps:
    """Protocol notes 0.2 rows 7, 8 and 11: a session of 2026-07 in its order and its manner.

    Snapshots whose flag is false, several thoughts and texts, a call of the site's own that fails without a
    word; two spaces after `data:`, no name before it, and `processing` for a status.
    """
    told = scene.in_style("snapshot")
    if "style" not in scene.script.values:
        told = replace(told, envelope=replace(told.envelope, manner=Manner("snapshot", flag=1)))
    call: Json = {"name": "open_url", "arguments": '{"url":"https://example.com/"'}
    failed: Json = {"type": "tool_result", "tool_calls": call, "tool_result": {"id": "1", "content": ""}}
    blocks: list[Block] = [
        Growing("think", ("先想", "第一步。")),
        content.thoughts_closed(),
        text("第一步：", "打开门。"),
        Fixed([({"type": "tool_calls", "tool_calls": call}, "init", {})]),
        Fixed([(failed, "error", {"error": None})], role="tool"),
        Growing("think", ("没有结果，", "接着想。")),
        text("第二步：", "走进去。"),
    ]
    frames = build_frames(told.envelope, blocks)
    busy = (
        frame | {"status": "processing", "tool_calls": []}
        if frame["parts"] and frame["status"] == "init"
        else frame
        for frame in frames
    )
    return scene.paced(b"data:  " + encode_json(frame) + b"\n\n" for frame in busy)


def replay(scene: Scene) -> Steps:
    """`[[replay NAME]]`: the events of upstream_emulator/captures/NAME.sse, byte for byte."""
    events = read_capture(scene.script.argument)
    if events is None:
        return scene.answer([text("没有这个录制。可用：" + "，".join(capture_names()))])
    return scene.paced(events)


def greeting(scene: Scene) -> Growing:
    """The ordinary text part: `say`, or a greeting in uneven pieces."""
    say = scene.script.text("say")
    return text(*(cut_up(say) if say else content.GREETING))


def thinking(scene: Scene) -> list[Block]:
    """A thinking part and, in the dialect of 2026, the call that closes it."""
    thought = scene.script.text("thought")
    kind = "text_thinking" if scene.script.text("kind") == "text_thinking" else "think"
    part = Growing(kind, cut_up(thought) if thought else content.THOUGHT)
    return [part] if scene.envelope.manner.is_old else [part, content.thoughts_closed()]


def _interleaved(scene: Scene) -> Steps:
    left = list(text("左一，", "左二，", "左三。").frames(scene.envelope))
    right = list(text("右一，", "右二，", "右三。").frames(scene.envelope))
    frames = [frame for pair in zip(left, right, strict=True) for frame in pair]
    events = map(encode_event, [scene.envelope.frame([]), *frames, frames[-1] | {"status": "finish"}])
    return scene.paced(events)
