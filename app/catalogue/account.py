"""The caller's accounts: dead, at work, resting, kept out."""

from __future__ import annotations

from app.catalogue.advice import ADD_ACCOUNTS, ASK_LESS_OFTEN, RENEW_TOKEN, SOLVE_CHECK, TRY_AGAIN
from app.catalogue.credential import LOG_IN_FIRST
from app.catalogue.message import Code, Message

CODES = {
    "account_expired": Code(
        Message("token expired", "token 已失效"),
        Message("the upstream refuses the refresh token", "上游拒绝 refresh token（已过期或已被撤销）"),
        RENEW_TOKEN,
    ),
    "accounts_busy": Code(
        Message("all accounts busy", "账号都在忙"),
        Message(
            "every account is answering until the queue time is over, the queue is full, or the pace that "
            "you set "
            "is used up",
            "排队时间内所有账号都在回答、队列已满，或已达到你设置的频率上限",
        ),
        ADD_ACCOUNTS,
    ),
    "upstream_throttled": Code(
        Message("asked to slow down", "被限流"),
        Message(
            "the upstream tells the account to slow down, or all accounts cool down",
            "上游要求账号放慢，或所有账号都在冷却",
        ),
        ASK_LESS_OFTEN,
    ),
    "account_answering": Code(
        Message("answering elsewhere", "正在别处回答"),
        Message(
            "the account answers elsewhere already, in a browser say",
            "账号正在别处回答，例如在浏览器中",
        ),
        Message("Wait for that answer, or add another account.", "请等待那边回答完毕，或增加账号。"),
    ),
    "access_rejected": Code(
        Message("token refused once", "token 被拒一次"),
        Message(
            "an access token is refused (cured by one refresh, so rarely seen)",
            "access token 被拒（刷新一次即可恢复，因此少见）",
        ),
        TRY_AGAIN,
    ),
    "account_blocked": Code(
        Message("kept out by risk control", "被风控"),
        Message("the upstream's risk control keeps the account out", "上游风控拦截此账号"),
        SOLVE_CHECK,
    ),
}

TOKEN_REFUSED = Message(
    "The upstream refuses the refresh token of account {account}.",
    "上游拒绝账号 {account} 的 refresh token（已过期或已被撤销）。",
).then(RENEW_TOKEN)
VISITORS_ACCOUNT = Message("Account {account} is a visitor's.", "账号 {account} 是游客（未登录）。").then(
    LOG_IN_FIRST
)
ACCOUNT_REFUSED = Message("The upstream refuses account {account}.", "上游拒绝账号 {account}。").then(
    RENEW_TOKEN
)
NEW_TOKEN_REFUSED = Message(
    "The upstream refuses account {account} although its token is new.",
    "上游拒绝账号 {account}，尽管其 token 是新的。",
).then(RENEW_TOKEN)
ALL_EXPIRED = Message(
    "The upstream refuses every refresh token of this request. Get new ones. The accounts are {accounts}.",
    "上游拒绝本次请求的所有 refresh token，请重新获取。涉及账号：{accounts}。",
).then(RENEW_TOKEN)
ALL_ANSWERING = Message(
    "All {count} accounts of this request are answering. Wait, or add accounts. Each answers one question at "
    "a "
    "time; several refresh tokens are joined with commas.",
    "本次请求的账号（共 {count} 个）都在回答其他问题。请等待或增加账号：每个账号同时只能回答一个问题，"
    "多个 refresh token 用英文逗号分隔。",
)
QUEUE_FULL = Message(
    "More than {length} requests of this caller are waiting. Ask less at a time (GLM_QUEUE_LENGTH).",
    "你已有超过 {length} 个请求在排队，请减少并发（GLM_QUEUE_LENGTH）。",
)
PACE_USED = Message(
    "Every account of this request has used up its pace. GLM_ACCOUNT_MIN_INTERVAL_SECONDS and "
    "GLM_ACCOUNT_REPLIES_PER_HOUR of the gateway set it.",
    "本次请求的所有账号都已达到频率上限，上限由网关的 GLM_ACCOUNT_MIN_INTERVAL_SECONDS 和 "
    "GLM_ACCOUNT_REPLIES_PER_HOUR 设定。",
)
ALL_COOLING = Message(
    "Every account of this request is cooling down after the upstream's refusal.",
    "上游拒绝后，本次请求的所有账号都在冷却。",
).then(ASK_LESS_OFTEN)
NO_ACCOUNT_LEFT = Message(
    "No account is left here: the operator must add one.", "这里没有可用账号：需要管理员添加。"
)
LOGIN_ANSWERING = Message(
    "This login is already answering, through another of its tokens.",
    "同一账号正在通过另一个 token 回答。",
)
OWNER_DEAD = Message("The owner of this conversation is not alive.", "此对话所属的账号已失效。").then(
    RENEW_TOKEN
)
COULD_NOT_ASK = Message("The upstream could not be asked.", "无法向上游查询。")

# What the upstream says of an account; its own words are quoted behind.
ELSEWHERE = Message(
    "This account is already answering another question. Wait for it, or add accounts.",
    "该账号正在回答另一个问题（可能在浏览器或其他程序中）。请等待，或增加账号。",
)
TOO_FREQUENT = Message(
    "The upstream asks this account to slow down. Wait before asking again.",
    "上游要求该账号放慢，请等待后再问。",
)
PEAK_HOUR = Message(
    "The upstream lets this account wait in its peak-hour queue.", "上游正值高峰，该账号需要排队。"
)
NO_MORE_ANSWERS = Message(
    "The upstream offers this account no more answers for now.",
    "上游暂时不再为该账号提供回答（次数用尽或需要会员）。",
)
GUEST_USED_UP = Message(
    "The upstream gives this guest no more answers. Log in for real.",
    "游客次数已用尽，请登录真实账号。",
).then(RENEW_TOKEN)
WANTS_LOGIN = Message(
    "The upstream wants this account to log in again. Get a new refresh token.",
    "上游要求该账号重新登录，请获取新的 refresh token。",
).then(RENEW_TOKEN)
ACCESS_REFUSED = Message(
    "The upstream refuses this account's token. Get a new refresh token.",
    "上游拒绝该账号的 token，请获取新的 refresh token。",
).then(RENEW_TOKEN)
RISK_CONTROL = Message(
    "The upstream's risk control refused. Wait a while, and ask less often.",
    "被上游风控拦截，请等待一段时间，并降低频率。",
).then(SOLVE_CHECK)
