"""What an account may choose from: the models of its menu, the assistants it used lately (protocol notes 10).

The fields of the models are real. Those of the assistants are a guess: nobody published an entry. The setting
`lists` says what is answered: a fault, `moved` (the newer place of the assistants is gone), `nested` (another
shape), `empty-lists`, `no-lists` (text and number instead) or `hostile` (names made up to do harm,
and too much of everything).
"""

from __future__ import annotations

import asyncio

from upstream_emulator.account import Account
from upstream_emulator.call import Call
from upstream_emulator.fault import is_fault
from upstream_emulator.frame import Json

BAD_REQUEST = 400
NOT_FOUND = 404
MODELS_QUERY = "tag=available_models"
FEED = "/feed-api/assistant_top/v4/recent_list"
MODELS = (("GLM-5.3", "glm-5.3"), ("GLM-5.3-Flash", "glm-5.3-flash"), ("GLM-5.2", "glm-5.2"))
EFFORTS = [{"display_name": name, "effort": name, "am_effort": name} for name in ("low", "high", "max")]
# The ones everybody has (protocol notes 3.2).
FIXED = (("65940acff94777010aa6b796", "ChatGLM"), ("65a232c082ff90a2ad2f15e2", "AI画图"))
MAX_HOSTILE = 5000


def models(call: Call) -> None:
    """`GET agent-api/operation/detail?tag=available_models`."""
    if call.request.query != MODELS_QUERY:
        call.refuse(200, BAD_REQUEST, "bad request")
    else:
        _answer(call, _build_models(call.world.setting.lists))


def assistants(call: Call) -> None:
    """`GET assistant_top/v4/recent_list`, at either of its two places."""
    shape = call.world.setting.lists
    if shape == "moved" and call.request.path.endswith(FEED):
        call.refuse(404, NOT_FOUND, "not found")
    else:
        _answer(call, _build_assistants(shape, call.caller))


def _answer(call: Call, result: object) -> None:
    """When its time has come, which may be long after the client has left."""
    setting = call.world.setting

    def answer() -> None:
        if is_fault(setting.lists):
            call.fail(setting.lists)
        else:
            call.succeed(result)

    if setting.list_delay_seconds:
        asyncio.get_running_loop().call_later(setting.list_delay_seconds, answer)
    else:
        answer()


def _build_models(shape: str) -> object:
    entries = [
        {
            "display_name": display_name,
            "selected_model": name,
            "display_tag": "",
            "am_switch": True,
            "chat_switch": True,
            "reasoning_efforts": EFFORTS,
        }
        for display_name, name in MODELS
    ]
    levels = ("agent", "am", "guest", "non_vip", "svip", "vip")
    result: Json = {"default": dict.fromkeys(levels, "glm-5.3-flash"), "models": entries}
    if shape == "no-lists":
        return result | {"models": "all of them"}
    if shape == "empty-lists":
        return result | {"models": []}
    if shape == "hostile":
        names = [*_HOSTILE_MODELS, *(f"glm-9.{number}" for number in range(MAX_HOSTILE))]
        return result | {"models": [{"selected_model": name, "display_name": name} for name in names]}
    return result


def _build_assistants(shape: str, account: Account) -> object:
    if shape == "no-lists":
        return 42
    entries = [_entry(*one) for one in (*FIXED, (account.assistant_id, account.assistant_name))]
    if shape == "empty-lists":
        return {"list": []}
    if shape == "nested":
        return [{"top": 1, "assistant": {"id": one["assistant_id"], "name": one["name"]}} for one in entries]
    if shape == "hostile":
        many = [_entry(f"{number:024x}", f"号{number}") for number in range(MAX_HOSTILE)]
        return {"list": [None, 7, "x", [[]], *_HOSTILE_ASSISTANTS, *entries, *many]}
    return {"has_more": False, "list": entries}


def _entry(assistant_id: str, name: str) -> Json:
    return {"assistant_id": assistant_id, "name": name, "avatar": "", "description": "", "top": False}


_HOSTILE_MODELS = (
    None,
    7,
    "",
    "moe_53",
    "glm-5.3-think",
    "glm-4\n",
    "glm-4" + "4" * 500,
    "GLM-4.7",
    "glm-4.7",
)
_HOSTILE_ASSISTANTS: tuple[Json, ...] = (
    {"assistant_id": 12, "name": "number"},
    {"assistant_id": None, "name": "nothing"},
    {"assistant_id": "../../etc", "name": "path"},
    {"assistant_id": "a" * 24},
    {"assistant_id": "b" * 24, "name": ["list"]},
    _entry("c" * 24, "glm-think"),
    _entry("d" * 24, "gpt-4o"),
    _entry("e" * 24, "两\r\nX-Injected: 1\x00\x1b[31m行\u202e"),
    _entry("f" * 24, "同名"),
    _entry("1" * 24, "同名"),
    _entry("2" * 24, "长" * 10_000),
    _entry("3" * 24, "a/b?c#d,e"),
    _entry("4" * 24, "\u202e\x00"),
    _entry("5" * 24, "x-silent"),
    _entry("6" * 24, "<script>alert(1)</script>"),
    _entry("7" * 24, "写作助手"),
    _entry("7" * 24, "写作助手二"),
)
