"""What is sent: its form, its size, its coding, and HTTP itself."""

from __future__ import annotations

from app.catalogue.message import Code, Message

CODES = {
    "invalid_value": Code(
        Message("wrong request", "请求有误"),
        Message(
            "bad JSON, a wrong type, no text to answer; `param` names the place",
            "JSON 有误、类型不对、没有可回答的文字；`param` 指出位置",
        ),
        Message("Mend the request.", "请按上文修正请求。"),
    ),
    "unsupported_value": Code(
        Message("not possible here", "不支持"),
        Message(
            "something this gateway cannot do (`n` above 1, sound, file ids)",
            "网关做不到的事（`n` 大于 1、声音、文件 ID）",
        ),
        Message("Leave it out, or switch it off in your client.", "请去掉它，或在客户端中关闭。"),
    ),
    "context_length_exceeded": Code(
        Message("too much text", "文本过长"),
        Message("too much text, here or upstream", "文本过长（网关或上游的限制）"),
        Message("Begin a new chat, or shorten the messages.", "请开始新对话，或缩短消息。"),
    ),
    "malformed_request": Code(
        Message("no HTTP request", "不是有效的 HTTP 请求"),
        Message(
            "what came is no HTTP request, or its body is not framed as its head says",
            "收到的不是 HTTP 请求，或请求体与请求头不符",
        ),
        Message("Mend the client, or what stands between.", "请检查客户端或中间的代理。"),
    ),
    "request_timeout": Code(
        Message("sent too slowly", "发送过慢"),
        Message(
            "the head or the body did not arrive within `GLM_REQUEST_SECONDS`",
            "请求头或请求体未在 `GLM_REQUEST_SECONDS` 内到达",
        ),
        Message("Send it faster, or raise the limit.", "请加快发送，或调高限制。"),
    ),
    "request_too_large": Code(
        Message("too much at once", "内容过大"),
        Message("request body over `GLM_MAX_BODY_BYTES`", "请求体超过 `GLM_MAX_BODY_BYTES`"),
        Message("Send less: fewer or smaller attachments.", "请减少内容：附件更少或更小。"),
    ),
    "unsupported_encoding": Code(
        Message("unknown compression", "压缩方式不支持"),
        Message(
            "the body is compressed otherwise than with gzip or deflate (`Content-Encoding`)",
            "请求体的压缩方式不是 gzip 或 deflate（`Content-Encoding`）",
        ),
        Message("Send it as gzip, or uncompressed.", "请用 gzip 压缩，或不压缩。"),
    ),
    "uri_too_long": Code(
        Message("address too long", "地址过长"),
        Message("a request line over 4094 bytes", "请求行超过 4094 字节"),
        Message("Shorten the address.", "请缩短地址。"),
    ),
    "expectation_failed": Code(
        Message("unknown expectation", "Expect 不支持"),
        Message("`Expect` wants something else than `100-continue`", "`Expect` 不是 `100-continue`"),
        Message("Leave it out.", "请去掉它。"),
    ),
    "headers_too_large": Code(
        Message("headers too large", "请求头过大"),
        Message(
            "more than 64 header fields, one over 64 KiB, or 128 KiB of them beside the credentials",
            "超过 64 个请求头、单个超过 64 KiB，或除凭证外合计超过 128 KiB",
        ),
        Message("Send less.", "请减少请求头。"),
    ),
    "unsupported_transfer_coding": Code(
        Message("unknown transfer coding", "传输编码不支持"),
        Message("a transfer coding other than `chunked`", "传输编码不是 `chunked`"),
        Message("Send the body uncoded.", "请不使用传输编码。"),
    ),
    "unsupported_http_version": Code(
        Message("unknown HTTP version", "HTTP 版本不支持"),
        Message("another HTTP than 1.0 and 1.1", "HTTP 版本不是 1.0 或 1.1"),
        Message("Speak HTTP/1.1.", "请使用 HTTP/1.1。"),
    ),
}

NOT_JSON = Message("The request body is not valid JSON: {problem}.", "请求体不是有效的 JSON：{problem}。")
NOT_UTF8 = Message(
    "The request body is not valid JSON: it is not UTF-8 (it holds the byte 0x{byte:02x}). Send UTF-8. The "
    "console "
    "of Windows sends GBK: say `chcp 65001` first, or send the body from a file in UTF-8.",
    "请求体不是有效的 JSON：不是 UTF-8 编码（含有字节 0x{byte:02x}）。请使用 UTF-8。Windows 控制台默认为 "
    "GBK："
    "请先执行 `chcp 65001`，或把请求体存为 UTF-8 文件再发送。",
)
BODY_TOO_LARGE = Message(
    "The request body is larger than this path takes (GLM_MAX_BODY_BYTES). {size} are allowed.",
    "请求体超过此路径的限制（GLM_MAX_BODY_BYTES），上限为 {size}。",
)
BODY_TOO_LARGE_BY = Message(
    "The request body is larger than this path takes (GLM_MAX_BODY_BYTES). {size} are allowed, {sent} were "
    "sent.",
    "请求体超过此路径的限制（GLM_MAX_BODY_BYTES）：上限 {size}，实际 {sent}。",
)
WRONG_CODING = Message(
    "Content-Encoding says {coding}: send the body as gzip or deflate, or uncompressed.",
    "Content-Encoding 为 {coding}：请用 gzip 或 deflate 压缩，或不压缩。",
)
OTHER_CODING = Message("something else", "其他方式")
NOT_AS_CODED = Message(
    "The body is not the gzip or deflate that Content-Encoding says.",
    "请求体并非 Content-Encoding 所说的 gzip 或 deflate。",
)
CODED_BREAKS_OFF = Message(
    "The compressed body breaks off (Content-Encoding).", "压缩的请求体不完整（Content-Encoding）。"
)
UNREADABLE = Message("The request could not be read: {name}.", "无法读取请求：{name}。")
PROMPT_TOO_LONG = Message(
    "The messages make a prompt of {chars} characters; at most {max_chars} are allowed "
    "(GLM_MAX_PROMPT_CHARS). Begin a new chat, or shorten the messages.",
    "消息合计 {chars} 个字符，上限为 {max_chars}（GLM_MAX_PROMPT_CHARS）。请开始新对话，或缩短消息。",
)
TEXT_TOO_LONG = Message(
    "The request holds more than {max_chars} characters of text, files not counted. "
    "Begin a new chat, or shorten the messages.",
    "请求含有超过 {max_chars} 个字符的文字（不计文件）。请开始新对话，或缩短消息。",
)
TOO_LONG_UPSTREAM = Message(
    "The upstream finds the text too long. Shorten the conversation or the documents.",
    "上游认为文本过长，请缩短对话或文档。",
)
BODY_CUT = Message(
    "The body ended before its end.",
    "请求体没有发完就结束了。",
)
CHUNKS_TOO_SMALL = Message(
    "The body comes in chunks that are too small; send larger ones.",
    "请求体的分块过小，请用更大的分块。",
)
BODY_MISFRAMED = Message(
    "The body is not framed as the head of the request says (Transfer-Encoding: chunked).",
    "请求体与请求头所说的不符（Transfer-Encoding: chunked）。",
)
NOT_READ = Message(
    "The request could not be read.",
    "无法读取请求。",
)
LINE_TOO_LONG = Message(
    "The first line of the request is too long. Shorten the address.",
    "请求的第一行过长，请缩短地址。",
)
HEADERS_TOO_LARGE = Message(
    "The header fields are too many or too long. Send less.",
    "请求头过多或过长，请减少。",
)
ODD_EXPECT = Message(
    "Only `Expect: 100-continue` is understood.",
    "只支持 `Expect: 100-continue`。",
)
ODD_TRANSFER_CODING = Message(
    "The only transfer coding is chunked.",
    "传输编码只支持 chunked。",
)
ODD_VERSION = Message(
    "The versions of HTTP are 1.0 and 1.1.",
    "HTTP 版本只支持 1.0 和 1.1。",
)
NO_REQUEST_LINE = Message(
    "The first line is not one of an HTTP request. Where the address begins with https://, use http://, or "
    "put a proxy with TLS before the gateway.",
    "第一行不是 HTTP 请求。若地址以 https:// 开头，请改为 http://，或在网关前设置 TLS 代理。",
)
NO_METHOD = Message(
    "The method of the request is none.",
    "请求方法无效。",
)
ODD_HEADER_NAME = Message(
    "A header field has a name that none can have.",
    "请求头的名称无效。",
)
ODD_HEADER = Message(
    "A header field is malformed, there twice, or missing (Host), or two contradict each other.",
    "有请求头格式错误、重复、缺失（Host）或互相矛盾。",
)
TOO_MANY_HEADERS = Message(
    "The request has more than {max_fields} header fields.",
    "请求头超过 {max_fields} 个。",
)
HEAD_TOO_LONG = Message(
    "The head of the request is longer than {max_bytes} bytes.",
    "请求头合计超过 {max_bytes} 字节。",
)
HEAD_LATE = Message(
    "The head of the request did not arrive in time (GLM_REQUEST_SECONDS).",
    "请求头未在规定时间内到达（GLM_REQUEST_SECONDS）。",
)
BODY_LATE = Message(
    "The body of the request did not arrive in time (GLM_REQUEST_SECONDS).",
    "请求体未在规定时间内到达（GLM_REQUEST_SECONDS）。",
)
