"""Who asks: refresh tokens and gateway keys in their places, and how often one may try."""

from __future__ import annotations

from app.catalogue.advice import GET_TOKEN
from app.catalogue.message import Code, Message

COOKIE = "chatglm_refresh_token"

CODES = {
    "invalid_api_key": Code(
        Message("unknown key", "密钥无效"),
        Message(
            "no, blank or unreadable credentials, what is seen to be no refresh token (an access token, a "
            "visitor's, "
            "a key of another service), an unknown gateway key",
            "没有凭证、凭证为空或无法识别；看得出不是 refresh token（access token、游客 token、"
            "其他服务的密钥）；"
            "未知的网关密钥",
        ),
        Message(
            "Check that all of it was copied: a gateway key, or a refresh token.",
            "请确认复制完整：网关密钥，或 refresh token。",
        ).then(GET_TOKEN),
    ),
    "forbidden": Code(
        Message("not allowed", "没有权限"),
        Message(
            "a gateway key asks for the operator's view; a page under a name that any site could have asks "
            "for a "
            "picture",
            "网关密钥请求管理员视图；以任何网站都可能使用的域名打开的页面请求图片",
        ),
        Message(
            "Only a key with the mark `admin` in GATEWAY_API_KEYS may see the accounts.",
            "只有在 GATEWAY_API_KEYS 中标记为 `admin` 的密钥可以查看账号。",
        ),
    ),
    "rate_limit_exceeded": Code(
        Message("used too often", "使用过频"),
        Message(
            "a gateway key is used too often, or too many wrong keys or refused tokens came from this "
            "address",
            "网关密钥使用过于频繁，或此地址发来过多错误的密钥或被拒的 token",
        ),
        Message("Wait a moment.", "请稍候。"),
    ),
}

NONE_SENT = Message(
    "No credentials: send your refresh token as `Authorization: Bearer <refresh token>` or in `x-api-key`, "
    "several joined with commas, or the gateway key you were given. In most clients that is the field for "
    "the "
    "API key.",
    "未提供凭证：请以 `Authorization: Bearer <refresh token>` 或 `x-api-key` 发送 refresh token"
    "（多个用英文逗号分隔），或发送你得到的网关密钥。多数客户端中就是“API Key”一栏。",
).then(GET_TOKEN)
KEY_UNKNOWN = Message(
    "This gateway key is not known. Ask the operator for one.", "网关不认识此密钥，请向管理员索取。"
)
TOKEN_FOR_KEY = Message(
    "This gateway key is not known. Ask the operator for one. What was sent looks like a refresh token, but "
    "this "
    "gateway takes its own keys alone (GLM_PASS_THROUGH=1 would let tokens in).",
    "网关不认识此密钥，请向管理员索取。你发送的似乎是 refresh token，而此网关只接受自己的密钥"
    "（设置 GLM_PASS_THROUGH=1 才接受 token）。",
)
METRICS_KEY_SENT = Message(
    "METRICS_KEY opens /metrics alone. Send a refresh token or a gateway key.",
    "METRICS_KEY 只能用于 /metrics，请发送 refresh token 或网关密钥。",
)
METRICS_KEY_WANTED = Message(
    "Send METRICS_KEY as `Authorization: Bearer <key>`.",
    "请以 `Authorization: Bearer <key>` 发送 METRICS_KEY。",
)
OWN_SECRET = Message(
    "A secret of the gateway's own stands there, such as METRICS_KEY, which opens /metrics alone. Send a "
    "refresh "
    "token or a gateway key.",
    "其中含有网关自身的密钥，例如只能用于 /metrics 的 METRICS_KEY。请发送 refresh token 或网关密钥。",
)
KEY_FOR_TOKEN = Message(
    "A gateway key is no refresh token: send it alone, as it was given.",
    "网关密钥不是 refresh token：请原样单独发送。",
)
KEY_WITHOUT_KEYS = Message(
    "A gateway key is no refresh token: this gateway has none.",
    "网关密钥不是 refresh token：此网关没有设置密钥。",
).then(GET_TOKEN)
LIST_TOO_LONG = Message(
    "That is too long for a list of refresh tokens.", "内容过长，不可能是 refresh token 列表。"
)
TOO_MANY_TOKENS = Message(
    "Too many refresh tokens: at most {max_tokens} are allowed.", "refresh token 过多：最多 {max_tokens} 个。"
)
KEY_PARALLEL = Message(
    "This key may have {parallel} requests at a time.", "此密钥同时最多 {parallel} 个请求。"
)
KEY_PER_MINUTE = Message(
    "This key may ask {per_minute} times a minute.", "此密钥每分钟最多 {per_minute} 次请求。"
)
TWO_KEYS = Message("More than one gateway key was given.", "给出了不止一个网关密钥。")
ODD_KEY = Message(
    "The gateway key holds characters that no key has. Copy it again.",
    "网关密钥含有密钥不会有的字符，请重新复制。",
)
NOTHING_GIVEN = Message("Nothing was given.", "没有给出任何内容。")
WRONG_KEYS = Message("Too many wrong keys from this address.", "此地址发来的错误密钥过多。")
REFUSED_TOKENS = Message(
    "The upstream has refused {max_refused} tokens from this address within a minute.",
    "一分钟内，上游已拒绝此地址发来的 {max_refused} 个 token。",
)
NOT_ADMIN = Message(
    "This key may not see the accounts. Mark it `admin` in GATEWAY_API_KEYS.",
    "此密钥无权查看账号。请在 GATEWAY_API_KEYS 中将它标记为 `admin`。",
)
RECORDING_NOT_ADMIN = Message(
    "Recordings are for gateway keys marked `admin` in GATEWAY_API_KEYS.",
    "记录仅供在 GATEWAY_API_KEYS 中标记为 `admin` 的密钥使用。",
)
STRANGE_PAGE = Message(
    "Pictures are not shown to a page under a name that any site could have: open this gateway by https, by "
    "its "
    "IP address, or as localhost.",
    "以任何网站都可能使用的域名打开的页面不显示图片：请通过 https、IP 地址或 localhost 打开此网关。",
)

# What was pasted instead of a token, as the end of a sentence.
NO_TOKEN = Message("What was given as refresh token {what}.", "所填的 refresh token {what}。")
ODD = Message("holds characters that no token has", "含有 token 不会有的字符")
TOO_LONG = Message(
    "is longer than a token can be ({max_chars} characters)", "过长，token 不会超过 {max_chars} 个字符"
)
NO_COOKIE = Message(
    f"is a cookie, or a line of them, without {COOKIE}", f"是一个或一行 Cookie，其中没有 {COOKIE}"
)
ACCESS = Message("is the access token (chatglm_token)", "是 access token（chatglm_token）")
VISITOR = Message("is a visitor's", "是游客（未登录）的 token")
OTHER_SITE = Message("is of another site, chat.z.ai as it seems", "属于其他网站，似乎是 chat.z.ai")
GATEWAY_KEY = Message("is a gateway's key", "是网关密钥")
OTHER_KEY = Message("is an API key of another service", "是其他服务的 API Key")
PLACEHOLDER = Message("is the example's word for one", "是示例中的占位文字")

COPY_AGAIN = Message("Copy it again.", "请重新复制。")
COPY_OR_JOIN = Message(
    "Copy it again, and join several with commas.", "请重新复制；多个 token 用英文逗号分隔。"
)
COPY_COOKIE = Message(f"Copy the value of {COOKIE} at chatglm.cn.", f"请在 chatglm.cn 复制 {COOKIE} 的值。")
TAKE_COOKIE = Message(f"Take the value of the cookie {COOKIE} instead.", f"请改用 Cookie {COOKIE} 的值。")
LOG_IN_FIRST = Message(
    f"Log in at chatglm.cn first, then copy {COOKIE} again.",
    f"请先登录 chatglm.cn，再重新复制 {COOKIE}。",
)
COPY_HERE = Message(f"Copy {COOKIE} at chatglm.cn.", f"请在 chatglm.cn 复制 {COOKIE}。")
KEYS_OPEN = Message(
    "Keys open the gateway that made them, and no account.", "密钥只能打开生成它的网关，不能代替账号。"
)
REPLACE_IT = Message(f"Put the value of {COOKIE} in its place.", f"请换成 {COOKIE} 的值。")
