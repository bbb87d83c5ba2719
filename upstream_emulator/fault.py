"""Answers that are not a stream (protocol notes 5), by name. Bodies marked real are captured ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from upstream_emulator.connection import Exchange
from upstream_emulator.frame import Json, encode_json

JSON = "application/json; charset=utf-8"
HTML = "text/html"

WAF_PAGE = '<!doctypehtml><html><head><meta charset="utf-8"><script>var arg1="DEMO";</script></head></html>'
WAIT_FOR_OTHERS = "请等待其他对话生成完毕"
TOO_FREQUENT = "请求过于频繁，请稍后再试"
# Real, 2024: a call without assistant_id.
VALIDATION_ERROR: Json = {
    "validation_error": {
        "body_params": [{"loc": ["assistant_id"], "msg": "field required", "type": "value_error.missing"}]
    }
}
# Real: a guest who asked too often.
GUEST_EXHAUSTED: Json = {"status": 500, "message": "您已多次体验过对话, 请登录后继续使用", "result": None}
# Real, 2024.
TOO_LONG: Json = {"message": "内容已超过对话长度62.25%，请删减部分文件", "result": [], "status": 2}


@dataclass(frozen=True, slots=True)
class Fault:
    """`body` is sent as it is; with `echoes` the answer's JSON also carries the request's id as `rid`."""

    status: int
    body: Json | str
    echoes: bool = False


def page(title: str) -> str:
    """What a web server in front of the upstream answers."""
    return f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"


FAULTS: Mapping[str, Fault] = {
    "json200": Fault(200, GUEST_EXHAUSTED),
    "toolong": Fault(200, TOO_LONG),
    "validation": Fault(200, VALIDATION_ERROR),
    # Protocol notes 0.2 row 4.
    "no-assistant": Fault(200, {"status": 0, "result": None}),
    # Nobody captured this one: a business error in the words of the page, its number made up.
    "no-assistant-words": Fault(
        200, {"status": 10404, "message": "智能体不存在", "result": None}, echoes=True
    ),
    # Protocol notes 0.2 rows 12 and 13: a call that has died, and an upload too many.
    "call400": Fault(400, {"status": 40001, "message": "bad request"}),
    "quota429": Fault(429, {"status": 429, "message": "quota exceeded"}),
    "busy429": Fault(429, {"status": 10061, "message": WAIT_FOR_OTHERS}, echoes=True),
    "throttled429": Fault(429, {"status": 10061, "message": TOO_FREQUENT}, echoes=True),
    "busy200": Fault(200, {"status": 10061, "message": WAIT_FOR_OTHERS, "result": None}, echoes=True),
    "waf400": Fault(400, {"status": 40012, "message": "bad request", "result": None}, echoes=True),
    "login401": Fault(401, {"status": 40103, "message": "user needs login"}, echoes=True),
    "http500": Fault(500, {"status": 500, "message": "internal server error", "result": None}, echoes=True),
    "large413": Fault(413, page("413 Request Entity Too Large")),
    # The words were seen, the number was not: this one is made up.
    "forbidden": Fault(200, {"status": 10001, "message": "权限不足", "result": None}, echoes=True),
    "html401": Fault(401, page("401 Authorization Required")),
    "html429": Fault(429, page("429 Too Many Requests")),
    "html502": Fault(502, page("502 Bad Gateway")),
    "html503": Fault(503, page("503 Service Temporarily Unavailable")),
    "waf200": Fault(200, WAF_PAGE),
    "waf405": Fault(405, WAF_PAGE),
}
SILENT_FAULTS = ("empty", "hangup", "silence")


def is_fault(name: str) -> bool:
    return name in FAULTS or name in SILENT_FAULTS


def send_fault(exchange: Exchange, name: str) -> None:
    """Answers with a fault. `empty`: HTTP 200, an event stream of zero bytes; `hangup`: a reset instead of an
    answer; `silence`: no answer at all, until the client leaves."""
    if name == "empty":
        exchange.open_stream()
        exchange.finish()
    elif name == "hangup":
        exchange.reset()
    elif name in FAULTS:
        _send(exchange, FAULTS[name])


def send_json(exchange: Exchange, status: int, body: Json, headers: Iterable[tuple[str, str]] = ()) -> None:
    """Answers with JSON, echoing the request's id as `rid` as every envelope does (protocol notes 1.3)."""
    rid = exchange.request.headers.get("x-request-id", "")
    send_bare_json(exchange, status, body | {"rid": rid}, headers)


def send_bare_json(
    exchange: Exchange, status: int, body: Json, headers: Iterable[tuple[str, str]] = ()
) -> None:
    exchange.reply(status, JSON, encode_json(body), headers)


def _send(exchange: Exchange, fault: Fault) -> None:
    if isinstance(fault.body, str):
        exchange.reply(fault.status, HTML, fault.body.encode())
    elif fault.echoes:
        send_json(exchange, fault.status, fault.body)
    else:
        send_bare_json(exchange, fault.status, fault.body)
