"""`--tools`: how the model calls a tool, seen on an account; nothing that it may do is a failure."""

from __future__ import annotations

import json

import pytest

from tests.app.doctor.conftest import CallDoctor, Start
from upstream_emulator.emulator import UpstreamEmulator

ARGS = "args=%7B%22number%22:4711%7D"
BROKEN = f"agent form=broken {ARGS}"
# What the model does -> the line.
ROUTES = {
    f"agent {ARGS}": "route: in the text, form: as it was taught",
    f"agent {ARGS} form=wrong-closer": "route: in the text, form: as it was taught",
    f"agent {ARGS} form=tool-call": "route: in the text, form: the model's own",
    f"agent {ARGS} form=native": "route: a part of its own, form: the model's own",
    f"agent {ARGS} form=think": "route: in the thinking, form: as it was taught",
    "agent args=%7B%22number%22:%224711%22%7D": "route: in the text, form: as it was taught",
}


@pytest.mark.parametrize("does", ROUTES)
def test_route_and_form_are_told(call: CallDoctor, upstream: UpstreamEmulator, does: str) -> None:
    upstream.account("ann", next=[does])
    visit = call("--tools", given="demo-ann")
    assert (visit.code, visit.verdict) == (0, "well")
    assert visit.line("tools").startswith("ok")
    assert visit.line("tools").endswith(f" s, {ROUTES[does]}")
    assert visit.line("chat").startswith("skip")
    upstream.wait_until(lambda state: state["undeleted"] == 0)


def test_it_is_asked_for(call: CallDoctor, upstream: UpstreamEmulator) -> None:
    assert "--tools" in call("--chat", given="demo-ann").line("tools")
    assert upstream.state()["accounts"]["ann"]["answers"] == 1


def test_both_questions(call: CallDoctor, upstream: UpstreamEmulator) -> None:
    upstream.account("ann", next=["text", f"agent {ARGS} form=native"])
    visit = call("--chat", "--tools", given="demo-ann")
    assert visit.line("chat").startswith("ok")
    assert visit.line("tools").endswith(ROUTES[f"agent {ARGS} form=native"])


@pytest.mark.parametrize(
    ("does", "words"),
    [
        (["agent form=prose"], "without a call"),
        (["agent args=%7B%22number%22:1%7D"], "other arguments"),
        (["agent args=%7B%22number%22:%22x%22%7D form=native"], "other arguments"),
        ([BROKEN, f"agent name=get_order_status {ARGS}"], "only when it was asked once more"),
        ([BROKEN, BROKEN], "cannot be read, also when it was asked once more (tool_call_malformed)"),
    ],
)
def test_what_a_model_may_do_is_a_note(
    call: CallDoctor, upstream: UpstreamEmulator, does: list[str], words: str
) -> None:
    upstream.account("ann", next=does)
    visit = call("--tools", given="demo-ann")
    assert (visit.code, visit.verdict) == (0, "well")
    assert visit.line("tools").startswith("note")
    assert words in visit.line("tools")
    upstream.wait_until(lambda state: state["undeleted"] == 0)


def test_what_fails_is_the_accounts_verdict(call: CallDoctor, upstream: UpstreamEmulator) -> None:
    upstream.account("ann", next=["throttled429"])
    visit = call("--tools", given="demo-ann")
    assert visit.verdict.startswith("throttled")
    assert visit.line("tools").startswith("FAIL")


def test_nobody_is_there_to_ask(call: CallDoctor) -> None:
    assert "no live account" in call("--tools", given="dead-ann").line("tools")


def test_chinese_and_json(call: CallDoctor, upstream: UpstreamEmulator) -> None:
    upstream.account("ann", next=[f"agent {ARGS} form=native"])
    report = json.loads(call("--tools", "--json", given="demo-ann", LANG="zh_CN.UTF-8").text)
    (line,) = [one for one in report["checks"] if one["check"] == "tools"]
    assert line["text"].endswith("途径：单独的部分，形式：模型自己的")


@pytest.mark.parametrize(
    ("does", "mark", "words"),
    [
        ([f"agent {ARGS}"], "ok", "route and form: glm_tool_calls_total"),
        (["agent form=prose"], "note", "without a call"),
        ([BROKEN, BROKEN], "note", "cannot be read"),
        (["throttled429"], "FAIL", "upstream_throttled"),
    ],
)
def test_a_running_gateway_is_asked(
    call: CallDoctor, start: Start, upstream: UpstreamEmulator, does: list[str], mark: str, words: str
) -> None:
    upstream.account("ann", next=does)
    line = call("--tools", "--url", start(), given="demo-ann").line("tools")
    assert line.startswith(mark)
    assert words in line
    upstream.wait_until(lambda state: state["undeleted"] == 0)
