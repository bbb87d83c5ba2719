"""The web chat behind the gateway: overloaded, out of reach, changed, or without an answer."""

from __future__ import annotations

from app.catalogue.advice import (
    ASK_DIFFERENTLY,
    CHECK_NETWORK,
    LOOK_FOR_NEWER,
    TRY_AGAIN,
    TRY_AGAIN_SOON,
)
from app.catalogue.message import Code, Message

CODES = {
    "content_policy_violation": Code(
        Message("content filter", "内容审核"),
        Message(
            "the upstream's content filter refuses what shall be drawn or filmed; its words are quoted",
            "上游的内容审核拒绝绘制或生成视频，附其原话",
        ),
        Message("Ask for something else.", "请换个内容。"),
    ),
    "upstream_error": Code(
        Message("refused by the web chat", "网页端拒绝"),
        Message("the upstream says no in words nobody knows", "上游以未知的理由拒绝"),
        Message("Read its words.", "请看其原话。"),
    ),
    "upstream_unreachable": Code(
        Message("web chat unreachable", "连不上网页端"),
        Message("no connection to the upstream, or HTTP 5xx from it", "无法连接上游，或上游返回 HTTP 5xx"),
        TRY_AGAIN.then(CHECK_NETWORK),
    ),
    "upstream_invalid": Code(
        Message("no answer one can read", "网页端答非所问"),
        Message(
            "a page, unknown JSON or broken framing instead of an answer",
            "返回的是网页、未知的 JSON 或损坏的数据，而非回答",
        ),
        LOOK_FOR_NEWER,
    ),
    "empty_answer": Code(
        Message("empty answer", "回答为空"),
        Message("the upstream answered without a word", "上游没有返回任何文字"),
        Message("Ask again.", "请重新提问。"),
    ),
    "tool_call_malformed": Code(
        Message("unreadable tool call", "工具调用有误"),
        Message(
            "the model called a tool in a way that cannot be read, also when it was asked again",
            "模型的工具调用无法解析，要求重试后仍然如此",
        ),
        Message("Ask differently, with fewer or simpler tools.", "请换个问法，或减少、简化工具。"),
    ),
    "tool_choice_unmet": Code(
        Message("no tool call", "没有调用工具"),
        Message(
            "`tool_choice` wants a call and the model made none, also when it was asked again",
            "`tool_choice` 要求调用工具，但模型没有调用，要求重试后仍然如此",
        ),
        Message("Say in the messages what is to be called.", "请在消息中说明要调用什么。"),
    ),
    "json_not_valid": Code(
        Message("no valid JSON", "JSON 不合要求"),
        Message(
            "the answer is not the JSON that `response_format` wants, also when it was asked again",
            "回答不是 `response_format` 要求的 JSON，要求重试后仍然如此",
        ),
        Message("Simplify the schema, or say more about it.", "请简化 schema，或补充说明。"),
    ),
    "no_picture": Code(
        Message("no picture", "没有图片"),
        Message(
            "a drawing was asked for and no picture came, on any account that was tried",
            "要求绘图，但尝试过的账号都没有返回图片",
        ),
        ASK_DIFFERENTLY,
    ),
    "video_failed": Code(
        Message("no video", "没有视频"),
        Message("the upstream could not make a video; its words are quoted", "上游无法生成视频，附其原话"),
        ASK_DIFFERENTLY,
    ),
    "answer_cut": Code(
        Message("answer cut off", "回答中断"),
        Message("the answer ended before it was finished", "回答在完成前中断"),
        Message("Ask again.", "请重新提问。"),
    ),
    "upstream_busy": Code(
        Message("web chat overloaded", "网页端繁忙"),
        Message(
            "the upstream is overloaded, has been failing for everybody, or could not be asked by "
            "`/token/check` "
            "(where it is the account that is slowed down or kept out, its own code)",
            "上游过载、对所有人都失败，或 `/token/check` 无法查询（若是账号被限流或被风控，则为其自己的 "
            "code）",
        ),
        TRY_AGAIN_SOON,
    ),
    "upstream_timeout": Code(
        Message("web chat too slow", "网页端超时"),
        Message(
            "too slow to begin, silent in the middle, or longer than allowed",
            "开始太慢、中途无声，或超过允许的时长",
        ),
        TRY_AGAIN,
    ),
}

OVERLOADED = Message("The upstream is overloaded.", "上游过载。")
FAILING = Message("The upstream has been failing for everybody.", "上游对所有人都在失败。")
INTERNAL_FAILURE = Message(
    "The upstream has an internal failure. Try again shortly.", "上游内部出错，请稍后再试。"
)
TROUBLE = Message(
    "The upstream is in trouble (HTTP {status}). Try again shortly.",
    "上游出错（HTTP {status}），请稍后再试。",
)
PAGE_INSTEAD = Message(
    "The upstream answered with a page instead of an answer (HTTP {status}).",
    "上游返回的是网页而非回答（HTTP {status}）。",
).then(
    Message(
        "Open https://chatglm.cn in a browser on the gateway's network: if it asks for a check there, this "
        "network "
        "is kept out for now; else it has changed.",
        "请在网关所在网络的浏览器中打开 https://chatglm.cn：若出现验证，说明此网络暂被拦截；否则可能已改版。",
    )
)
SIGNATURE_REFUSED = Message(
    "The upstream refuses this gateway's signature: it has changed, or this machine's clock is off. Compare "
    "`date -u` on the gateway's machine with the true time.",
    "上游拒绝网关的签名：可能已改版，或本机时钟不准。请在网关所在机器上核对 `date -u` 的时间。",
)
BROKEN_WHILE_ANSWERING = Message(
    "The connection to the upstream broke while it answered.", "上游应答时连接中断。"
).then(TRY_AGAIN)
NO_ANSWER_IN_TIME = Message("The upstream did not answer in time.", "上游未在规定时间内应答。").then(
    TRY_AGAIN
)
RECORDING_HOLDS_SECRET = Message(
    "The recording would have held something that is known to be a secret, and is not handed out. Please "
    "report this.",
    "记录中会出现已知的秘密内容，因此不予提供。请反馈此问题。",
)
NOT_BEGUN_IN_TIME = Message(
    "No answer began in time (GLM_START_SECONDS).", "回答未在规定时间内开始（GLM_START_SECONDS）。"
)
NO_TIME_LEFT = Message(
    "There was no time left to ask every account (GLM_START_SECONDS).",
    "时间不足，未能询问所有账号（GLM_START_SECONDS）。",
)
SAID_NOTHING = Message(
    "The upstream accepted the question and then said nothing.", "上游接受了问题，但没有任何回应。"
).then(TRY_AGAIN)
ANSWER_UNFINISHED = Message("The upstream's answer ended before it was finished.", "上游的回答在完成前中断。")
ANSWER_BROKEN = Message(
    "The connection to the upstream broke before the answer was complete.", "回答完成前，与上游的连接中断。"
)
NOT_A_WORD = Message("The upstream answered without a word.", "上游没有返回任何文字。")
NOTHING_SAID = Message(
    "The upstream finished without saying anything. Try again, or ask differently.",
    "上游结束时没有说任何内容，请重试或换个问法。",
)
REFUSED = Message("The upstream refused to answer ({code}).", "上游拒绝回答（{code}）。")
CODE = Message("code {number}", "代码 {number}")
NO_CODE = Message("no code", "无代码")
UPSTREAM_SAYS = Message("The upstream says: {words}", "")
"""Once is enough: the words are Chinese mostly."""
VIDEO_REFUSED = Message(
    "The upstream could not make this video. It says: {words}", "上游无法生成此视频，原话：{words}"
)
VIDEO_LATE = Message(
    "The video was not finished in time (GLM_VIDEO_SECONDS).", "视频未在规定时间内完成（GLM_VIDEO_SECONDS）。"
)
FILE_NOT_TAKEN = Message(
    "The upstream did not take the file in time (GLM_FILES_TIMEOUT_SECONDS).",
    "上游未在规定时间内接收文件（GLM_FILES_TIMEOUT_SECONDS）。",
)
NOT_STOPPED_IN_TIME = Message(
    "The upstream did not stop its answer in time.",
    "上游未在规定时间内停止回答。",
)
ANSWER_TOO_LONG = Message(
    "The answer took longer than GLM_MAX_REPLY_SECONDS allows.",
    "回答超过了 GLM_MAX_REPLY_SECONDS 允许的时长。",
)
STOPPED_TALKING = Message(
    "The upstream stopped talking in the middle of the answer. Ask again.",
    "上游在回答中途停住了，请重新提问。",
)
NO_ANSWER_EITHER = Message(
    "The upstream finished without an answer, also when it was asked to go on. Ask again.",
    "上游没有给出回答就结束了，要求继续后仍然如此。请重新提问。",
)
CALL_UNREADABLE = Message(
    "The model called a tool in a way that cannot be read, and did so again when asked. Ask "
    "differently, with fewer or simpler tools.",
    "模型的工具调用无法解析，要求重试后仍然如此。请换个问法，或减少、简化工具。",
)
CALL_MISSING = Message(
    "The model called no tool, although `tool_choice` wants one, and did not when asked again. Say in the "
    "messages what is to be called.",
    "`tool_choice` 要求调用工具，但模型没有调用，要求重试后仍然如此。请在消息中说明要调用什么。",
)
ONLY_THINKING = Message(
    "The answer is only thinking, and this request hides thinking.",
    "回答只有思考，而此请求隐藏了思考。",
)
NO_PICTURE_CAME = Message(
    "The upstream finished without a picture. Try again, or describe it differently.",
    "上游没有画出图片，请重试或换个说法。",
)
REFUSED_BETWEEN = Message(
    "Something between here and the upstream refused the call (HTTP 401). Check GLM_PROXY and "
    "GLM_UPSTREAM_URL.",
    "网关与上游之间的某个程序拒绝了调用（HTTP 401），请检查 GLM_PROXY 和 GLM_UPSTREAM_URL。",
)
REFRESH_REFUSED_BETWEEN = Message(
    "Something that is not the upstream refused to refresh the token. Check GLM_PROXY and GLM_UPSTREAM_URL.",
    "拒绝刷新 token 的不是上游本身，请检查 GLM_PROXY 和 GLM_UPSTREAM_URL。",
)
ENDED_WITHOUT_REASON = Message(
    "The upstream ended the answer with an error and did not say why.",
    "上游以错误结束了回答，但没有说明原因。",
)
PICTURE_NOT_TAKEN = Message(
    "The upstream did not take the picture in time.",
    "上游未在规定时间内接收图片。",
)
PICTURE_NOT_FETCHED = Message(
    "The picture was drawn but cannot be fetched: {reason}. Ask for response_format url.",
    "图片已画好但无法获取：{reason}。请改用 response_format url。",
)
