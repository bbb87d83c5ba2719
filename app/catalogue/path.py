"""Where something is asked: paths, methods, models, conversations, and what is not offered on purpose."""

from __future__ import annotations

from app.catalogue.message import Code, Message

CODES = {
    "not_found": Code(
        Message("not offered", "不提供"),
        Message(
            "unknown path or model, or an endpoint that is not offered: the message says which, and what is",
            "未知的路径或模型，或不提供的接口；消息会说明是哪个，以及提供什么",
        ),
        Message(
            "Check the address: clients want the base address, which ends in /v1.",
            "请检查地址：客户端需要的是以 /v1 结尾的基础地址。",
        ),
    ),
    "model_not_found": Code(
        Message("unknown assistant", "智能体不存在"),
        Message("no account knows an assistant with the id in `model`", "没有账号认识 `model` 中的智能体 ID"),
        Message(
            "Check the id, the last part of its address at chatglm.cn; a private assistant needs its maker's "
            "account.",
            "请检查 ID：它是智能体在 chatglm.cn 地址的最后一段；私有智能体需要其创建者的账号。",
        ),
    ),
    "conversation_not_found": Code(
        Message("conversation over", "对话已结束"),
        Message("the conversation is not among the caller's accounts", "该对话不在调用者的账号中"),
        Message("Begin a new one.", "请开始新对话。"),
    ),
    "method_not_allowed": Code(
        Message("wrong method", "请求方法有误"),
        Message("wrong method", "请求方法有误"),
        Message("See `Allow`.", "见 `Allow`。"),
    ),
    "conversation_busy": Code(
        Message("conversation busy", "对话正在回答"),
        Message("deleting a conversation that is being answered", "删除正在回答的对话"),
        Message("Wait for the answer.", "请等待回答完毕。"),
    ),
    "previous_response_not_found": Code(
        Message("answer not held", "回答已不在"),
        Message(
            "the answer that `previous_response_id` names is not held here, or not the latest of its "
            "conversation",
            "`previous_response_id` 所指的回答不在此处，或不是其对话中的最新一条",
        ),
        Message("Send the whole input without it.", "请去掉它，发送完整的输入。"),
    ),
    "conversation_uncertain": Code(
        Message("conversation uncertain", "对话归属不明"),
        Message(
            "not every account could say whether the conversation is its own",
            "有账号无法确认该对话是否属于自己",
        ),
        Message("Try again.", "请重试。"),
    ),
}

NOTHING_THERE = Message("There is nothing at this path.", "此路径下没有内容。")
API_BELOW_V1 = Message("The API is under /v1, as OpenAI's.", "接口与 OpenAI 一样位于 /v1 之下。")
PATH_WAS = Message("The path was {path}.", "请求的路径是 {path}。")
OFFERED = Message("What is offered: {paths}.", "提供的接口：{paths}。")
TOO_LONG_BASE = Message(
    "Your client puts that behind its base address, which holds too much: give it the gateway's address with "
    "/v1 "
    "behind it, and nothing more.",
    "客户端会在基础地址后自行补全路径，而现在的基础地址过长：请只填网关地址加 /v1。",
)

# Endpoints of others that will not come (docs/decisions/0015-endpoints-not-offered.md).
EMBEDDINGS = Message(
    "Embeddings are not offered by this gateway: the web chat makes none. Use another provider for them.",
    "此网关不提供 embeddings（向量）：网页端没有此功能，请改用其他服务。",
)
AUDIO = Message(
    "Speech and transcription are not offered by this gateway: the web chat's voice is no part of what it "
    "speaks. "
    "Use another provider for them.",
    "此网关不提供语音合成与转写：它不使用网页端的语音功能，请改用其他服务。",
)
MODERATIONS = Message(
    "Moderations are not offered by this gateway: the web chat judges nothing but its own answers. Switch "
    "the "
    "check off, or use another provider for it.",
    "此网关不提供 moderations（内容审核）：网页端只审核自己的回答。请关闭此检查，或改用其他服务。",
)
COMPLETIONS = Message(
    "Plain completions are not offered by this gateway: the web chat only converses. Use "
    "/v1/chat/completions.",
    "此网关不提供旧式 completions（文本补全）：网页端只能对话，请使用 /v1/chat/completions。",
)
GEMINI = Message(
    "Gemini's API is not offered by this gateway. Choose OpenAI (Chat Completions) in your client, with the "
    "base "
    "address that ends in /v1.",
    "此网关不提供 Gemini 接口。请在客户端中选择 OpenAI（Chat Completions），基础地址以 /v1 结尾。",
)
OLLAMA = Message(
    "Ollama's API is not offered by this gateway. Choose OpenAI (Chat Completions) in your client, with the "
    "base "
    "address that ends in /v1.",
    "此网关不提供 Ollama 接口。请在客户端中选择 OpenAI（Chat Completions），基础地址以 /v1 结尾。",
)
STORED = Message(
    "Stored files, batches, assistants, threads and fine-tuning are not offered by this gateway, which keeps "
    "nothing. Send files in the messages.",
    "此网关不保存任何内容，不提供文件存储、批处理、assistants、threads 与微调。请在消息中直接发送文件。",
)
CONVERSATIONS = Message(
    "OpenAI's Conversations API is not offered by this gateway, which stores no items. Go on with "
    "`previous_response_id` (/v1/responses) or `conversation_id` (/v1/chat/completions). "
    "GET /v1/conversations lists what is held upstream, DELETE /v1/conversations/{id} deletes one.",
    "此网关不保存 item，不提供 OpenAI 的 Conversations 接口。请用 `previous_response_id`（/v1/responses）或 "
    "`conversation_id`（/v1/chat/completions）接续。GET /v1/conversations 列出上游仍保留的对话，"
    "DELETE /v1/conversations/{id} 删除其中一个。",
)
ABOUT_INPUTS = Message(
    "Compacting and counting inputs are not offered by this gateway under /v1/responses. Send the input "
    "itself; /v1/messages/count_tokens estimates how long a prompt is.",
    "此网关在 /v1/responses 下不提供输入的压缩与计数，请直接发送输入；"
    "/v1/messages/count_tokens 可估算提示词的长度。",
)
REALTIME = Message(
    "Realtime sessions are not offered by this gateway. Use /v1/chat/completions with `stream`.",
    "此网关不提供 realtime 会话，请使用 /v1/chat/completions 并开启 `stream`。",
)

WRONG_METHOD = Message(
    "This path does not know this method. {path} takes {methods}, not {method}.",
    "此路径不支持该方法：{path} 支持 {methods}，不支持 {method}。",
)
NO_MODEL = Message(
    "There is no model {name!r} in the list of GET /v1/models. It holds {models}.",
    "GET /v1/models 的列表中没有模型 {name!r}。列表为：{models}。",
)
NO_ASSISTANT = Message(
    "The upstream knows no assistant {assistant_id!r}. Take the last part of its address.",
    "上游没有智能体 {assistant_id!r}。请取它在 chatglm.cn 地址的最后一段；私有智能体需要其创建者的账号。",
)
NEARLY_ASSISTANT = Message(
    "An assistant's id has 24 digits, and this one has {count}. Take the last part of its address at "
    "chatglm.cn.",
    "智能体 ID 有 24 位，而这个有 {count} 位。请取它在 chatglm.cn 地址的最后一段。",
)
NO_CONVERSATION = Message(
    "There is no conversation {conversation_id!r} among the accounts of this request. Leave conversation_id "
    "out to "
    "begin a new one.",
    "本次请求的账号中没有对话 {conversation_id!r}。去掉 conversation_id 即可开始新对话。",
)
NOT_YOUR_CONVERSATION = Message(
    "There is no such conversation among your accounts.", "你的账号中没有此对话。"
)
BEING_DELETED = Message("The conversation is being deleted.", "此对话正在被删除。")
NOT_LATEST = Message(
    "The answer to go on from is not the latest of its conversation. Send the whole input without it.",
    "要接续的回答不是其对话中的最新一条。请去掉它，发送完整的输入。",
)
NOT_HELD = Message(
    "The answer to go on from is not held here, or not the latest of its conversation. Send the whole input "
    "without it.",
    "此处没有要接续的回答，或它不是其对话中的最新一条。请去掉它，发送完整的输入。",
)
BEING_ANSWERED = Message("This conversation is being answered right now.", "此对话正在回答中。")
OWNER_UNCERTAIN = Message(
    "Not every account could say whether the conversation is its own.", "有账号无法确认该对话是否属于自己。"
)
UNKNOWN_CONVERSATION = Message("The upstream knows no such conversation.", "上游没有此对话。")
UNKNOWN_ASSISTANT = Message("The upstream knows no such assistant.", "上游没有此智能体。")
NO_VIDEO = Message(
    "There is no such video among your accounts, or its time is over.", "你的账号中没有此视频，或它已过期。"
)
ASSISTANT_ID_WRONG = Message(
    "The upstream finds the assistant's id wrong.",
    "上游认为智能体 ID 有误。",
)
VIDEO_GONE = Message(
    "The upstream does not have this video any more.",
    "上游已没有此视频。",
)
NO_METRICS = Message(
    "There is nothing at this path: METRICS_KEY is not set.",
    "此路径下没有内容：没有设置 METRICS_KEY。",
)
PAGES = Message(
    "The page is at /, the reference at /docs.",
    "页面在 /，接口文档在 /docs。",
)
NO_PAGE_FILE = Message(
    "The page has no such file.",
    "页面没有此文件。",
)
NO_REFERENCE_FILE = Message(
    "The reference has no such file.",
    "接口文档没有此文件。",
)
NO_RESPONSE = Message(
    "There is no response {response_id!r} here.",
    "此处没有 response {response_id!r}。",
)
NOT_STORED = Message(
    "Responses are not stored here: there is no {response_id!r}.",
    "此处不保存 response：没有 {response_id!r}。",
)
NO_ANSWER_NAMED = Message(
    "There is no answer {named!r} here. Leave it out, and send the whole input.",
    "此处没有回答 {named!r}。请去掉它，发送完整的输入。",
)
