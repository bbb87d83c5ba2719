"""What the web chat's page says of itself in every call (protocol notes 2.1)."""

from __future__ import annotations

# Identity, because a compressed stream arrives in lumps.
BROWSER_HEADERS = {
    "Accept-Encoding": "identity",
    "Accept-Language": "zh-CN,zh;q=0.9",
    "App-Name": "chatglm",
    "Cache-Control": "no-cache",
    "Content-Type": "application/json",
    "Origin": "https://chatglm.cn",
    "Referer": "https://chatglm.cn/main/alltoolsdetail",
    "User-Agent": (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/140.0.0.0 Safari/537.36"
    ),
    "X-App-Fr": "default",
    "X-App-Platform": "pc",
    "X-App-Version": "0.0.1",
    "X-Device-Brand": "",
    "X-Device-Model": "",
    "X-Exp-Groups": "",
    "X-Lang": "zh",
}
