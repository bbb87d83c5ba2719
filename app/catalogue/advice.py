"""What is advised in more than one place."""

from __future__ import annotations

from app.catalogue.message import Message
from app.invocation import CALLED

GET_TOKEN = Message(
    "Log in at https://chatglm.cn on a computer, press F12, open Application > Cookies, and copy the value "
    "of "
    "chatglm_refresh_token.",
    "请在电脑上登录 https://chatglm.cn，按 F12，打开“应用（Application）> Cookies”，复制 "
    "chatglm_refresh_token 的值。",
)
RENEW_TOKEN = GET_TOKEN.then(
    Message(
        "Put it where the old one stands: the API key of your client, or GLM_REFRESH_TOKENS of the gateway.",
        "再用它替换旧的：客户端的 API Key，或网关的 GLM_REFRESH_TOKENS。",
    )
)
ADD_ACCOUNTS = Message(
    "Wait, or join the refresh tokens of several accounts with commas.",
    "请等待，或用英文逗号填写多个账号的 refresh token。",
)
ASK_LESS_OFTEN = Message(
    "Wait, then ask less often (GLM_ACCOUNT_MIN_INTERVAL_SECONDS), or add accounts.",
    "请等待，之后降低频率（GLM_ACCOUNT_MIN_INTERVAL_SECONDS），或增加账号。",
)
SOLVE_CHECK = Message(
    "Do not insist: open https://chatglm.cn with this account in a browser, answer what it asks, wait an "
    "hour, "
    "then ask less often.",
    "请勿反复尝试：用该账号在浏览器中打开 https://chatglm.cn，完成其要求的验证，等待一小时，之后降低频率。",
)
TRY_AGAIN = Message("Try again.", "请重试。")
TRY_AGAIN_SOON = Message("Try again in a minute.", "请一分钟后再试。")
ASK_DIFFERENTLY = Message("Try again, or put it differently.", "请重试，或换个说法。")
CHECK_NETWORK = Message(
    "Check the network of the machine that the gateway runs on, and GLM_PROXY; "
    f"`{CALLED.doctor}` looks at both.",
    f"请检查网关所在机器的网络和 GLM_PROXY；`{CALLED.doctor}` 会检查两者。",
)
LOOK_FOR_NEWER = Message(
    "Try again; if it stays so, the web chat has changed: look for a newer version of glm-api.",
    "请重试；若一直如此，说明网页端已改版：请查找 glm-api 的新版本。",
)
SEND_DATA_URL = Message(
    "Send the file itself as a data: URL (data:image/png;base64,...).",
    "请以 data: URL（data:image/png;base64,...）直接发送文件内容。",
)
