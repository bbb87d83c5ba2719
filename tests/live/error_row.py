"""What people are told who can mend it: a row for each sentence that says where to go."""

from __future__ import annotations

import base64
import json
from typing import NamedTuple


def make_jwt(**claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{payload}.c2lnbmF0dXJl"


class Row(NamedTuple):
    """`sent` is a directive of the upstream emulator, or the credentials, the address, the path, the body."""

    sent: str
    status: int
    code: str
    english: str
    chinese: str
    where: str = ""
    """Stands in both languages: where to go, or the number."""
    retries: bool = False


WAY_TO_TOKEN = "https://chatglm.cn"

ACCOUNTS = [
    Row(
        "error-frame at=0 kind=code",
        401,
        "account_expired",
        "The upstream refuses account ",
        "上游拒绝账号",
        WAY_TO_TOKEN,
    ),
    Row(
        "json200",
        503,
        "account_blocked",
        "The upstream gives this guest no more answers.",
        "游客次数已用尽",
        WAY_TO_TOKEN,
    ),
    Row(
        "waf400",
        503,
        "account_blocked",
        "The upstream's risk control refused.",
        "被上游风控拦截",
        WAY_TO_TOKEN,
    ),
    Row(
        "throttled429",
        429,
        "upstream_throttled",
        "The upstream asks this account to slow down.",
        "放慢",
        " 30 ",
        True,
    ),
    Row(
        "busy429",
        429,
        "account_answering",
        "This account is already answering another question.",
        "另一个问题",
        " 5 ",
        True,
    ),
    Row("busy", 503, "upstream_busy", "The upstream is overloaded.", "上游过载", " 5 ", True),
    Row("toolong", 400, "context_length_exceeded", "The upstream finds the text too long.", "文本过长"),
    Row("empty", 502, "empty_answer", "The upstream answered without a word.", "没有返回任何文字", "", True),
    Row(
        "http500",
        502,
        "upstream_unreachable",
        "The upstream has an internal failure.",
        "上游内部出错",
        "",
        True,
    ),
    Row(
        "waf405",
        502,
        "upstream_invalid",
        "The upstream answered with a page instead of an answer (HTTP 405).",
        "返回的是网页",
        WAY_TO_TOKEN,
        True,
    ),
    Row(
        "call400",
        502,
        "upstream_invalid",
        "The upstream refuses this gateway's signature",
        "拒绝网关的签名",
        "date -u",
    ),
]

CREDENTIALS = [
    Row(
        "dead-table",
        401,
        "account_expired",
        "The upstream refuses the refresh token of account ",
        "上游拒绝账号",
        WAY_TO_TOKEN,
    ),
    Row(
        make_jwt(type="access", exp=2_000_000_000),
        401,
        "invalid_api_key",
        "What was given as refresh token is the access token (chatglm_token).",
        "是 access token",
        "chatglm_refresh_token",
    ),
    Row(
        make_jwt(type="refresh", is_guest=True),
        401,
        "invalid_api_key",
        "What was given as refresh token is a visitor's.",
        "游客",
        "chatglm.cn",
    ),
    Row(
        "sk-0123456789abcdef",
        401,
        "invalid_api_key",
        "What was given as refresh token is an API key of another service.",
        "其他服务的 API Key",
        "chatglm.cn",
    ),
    Row(
        "acw_tc=1; other=2",
        401,
        "invalid_api_key",
        "What was given as refresh token is a cookie",
        "Cookie",
        "chatglm_refresh_token",
    ),
    Row(
        "YOUR_TOKEN",
        401,
        "invalid_api_key",
        "What was given as refresh token is the example's word",
        "占位文字",
        "chatglm_refresh_token",
    ),
    Row(
        "glm-" + "o" * 43,
        401,
        "invalid_api_key",
        "A gateway key is no refresh token: this gateway has none.",
        "此网关没有设置密钥",
        WAY_TO_TOKEN,
    ),
]

FILES = [
    Row(
        "http://127.0.0.1/cat.png",
        400,
        "invalid_file_url",
        "The host of this address has no public address.",
        "没有公网地址",
        "GLM_FILES_ALLOW_PRIVATE=1",
    ),
    Row(
        "https://example.org:8443/cat.png",
        400,
        "invalid_file_url",
        "Files are not fetched from port 8443.",
        "不从端口 8443",
        "GLM_FILES_PORTS",
    ),
    Row(
        "C:\\Users\\me\\cat.png",
        400,
        "invalid_file_url",
        "The address must begin with http://, https:// or data:.",
        "无法读取你本机的路径",
        "data:image/png;base64",
    ),
    Row(
        "data:image/png;base64,%",
        400,
        "invalid_file",
        "The base64 of this data: URL is damaged.",
        "base64 已损坏",
    ),
    Row(
        "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>",
        400,
        "invalid_file",
        "SVG drawings cannot be read.",
        "无法读取 SVG",
        "PNG",
    ),
]

PATHS = [
    Row(
        "/v1/embeddings",
        404,
        "not_found",
        "There is nothing at this path. Embeddings are not offered",
        "不提供 embeddings",
    ),
    Row(
        "/v1/audio/speech",
        404,
        "not_found",
        "There is nothing at this path. Speech and transcription",
        "不提供语音",
    ),
    Row(
        "/v1/moderations",
        404,
        "not_found",
        "There is nothing at this path. Moderations are not offered",
        "不提供 moderations",
    ),
    Row(
        "/v1/completions",
        404,
        "not_found",
        "There is nothing at this path. Plain completions",
        "不提供旧式 completions",
        "/v1/chat/completions",
    ),
    Row(
        "/v1beta/models/x:generateContent",
        404,
        "not_found",
        "There is nothing at this path. Gemini's API",
        "不提供 Gemini",
        "/v1",
    ),
    Row("/api/chat", 404, "not_found", "There is nothing at this path. Ollama's API", "不提供 Ollama", "/v1"),
    Row("/v1/files", 404, "not_found", "There is nothing at this path. Stored files", "不保存任何内容"),
    Row(
        "/v1/chat/completions/chat/completions",
        404,
        "not_found",
        "There is nothing at this path. The API is under /v1",
        "只填网关地址加 /v1",
        "/v1",
    ),
    Row(
        "/v2/anything",
        404,
        "not_found",
        "There is nothing at this path. The API is under /v1",
        "提供的接口",
        "/v1/chat/completions",
    ),
    Row(
        "/v1/models/gpt-9",
        404,
        "not_found",
        "There is no model 'gpt-9' in the list of GET /v1/models.",
        "没有模型",
        "glm-think",
    ),
]
