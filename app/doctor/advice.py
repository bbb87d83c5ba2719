"""What to do next: one step for each verdict, and better ones where more is known."""

from __future__ import annotations

from app.catalogue.code import CODES
from app.catalogue.message import Message
from app.doctor.finding import Verdict
from app.invocation import ARCHIVE, CALLED, CHECKOUT, IMAGE, PACKAGE

NOTHING = Message("Nothing to do.", "无需处理。")

SET_CLOCK = Message(
    "Set this machine's clock: `sudo timedatectl set-ntp true` (a container takes its host's clock).",
    "请校准本机时钟：`sudo timedatectl set-ntp true`（容器使用宿主机的时钟）。",
)
CLOCK_OR_CERTIFICATE = Message(
    "Look whether `date -u` is right. If it is not: `sudo timedatectl set-ntp true`. If it is, somebody "
    "stands between, or the upstream let its certificate run out: wait.",
    "请核对 `date -u`。若时间有误：`sudo timedatectl set-ntp true`。若时间正确，则是中间有人拦截，"
    "或上游证书过期：请等待。",
)
RESOLVE = Message(
    "Try `getent hosts {host}`. Mend this machine's DNS (/etc/resolv.conf; in Docker `--dns`) or "
    "GLM_UPSTREAM_URL.",
    "请试 `getent hosts {host}`，并修复本机 DNS（/etc/resolv.conf；Docker 用 `--dns`）或 GLM_UPSTREAM_URL。",
)
TRUST_NOBODY = Message(
    "Somebody stands between: a company's proxy, a portal to log in to, or another host than you think "
    "(GLM_UPSTREAM_URL). Nothing was sent. Use a network that leaves TLS alone.",
    "连接被中间设备截获：公司代理、需登录的门户，或地址有误（GLM_UPSTREAM_URL）。未发送任何内容。"
    "请换用不拦截 TLS 的网络。",
)
MEND_PROXY = Message(
    "Check GLM_PROXY, its login included, and whether the proxy runs; unset it to go directly.",
    "请检查 GLM_PROXY（包括其账号）以及代理是否在运行；取消设置即为直连。",
)
UNSET_SECRET = Message(
    "GLM_SIGN_SECRET is set to something else than the published secret: unset it.",
    "GLM_SIGN_SECRET 与公开的密钥不同：请取消设置。",
)
OPEN_BROWSER = Message(
    "Open {site} in a browser on this network. Does it ask for a check or a login there? Then this network's "
    "address is kept out: wait, or use another network. Does it work? Then look for a newer version of "
    "glm-api.",
    "请在同一网络的浏览器中打开 {site}。若出现验证或登录页，说明此网络地址被拦截：请等待或更换网络。"
    "若可正常使用，请查找 glm-api 的新版本。",
)
INSTALL = {
    CHECKOUT: Message(
        "Run `make doctor`: like `make run` it uses .venv-run, with the versions of requirements.txt.",
        "请运行 `make doctor`：它与 `make run` 一样使用 .venv-run，其中装有 requirements.txt 的版本。",
    ),
    PACKAGE: Message(
        "Install it again, in an environment of its own: `pipx reinstall glm-api`, or `pipx install .`.",
        "请在独立的环境中重新安装：`pipx reinstall glm-api` 或 `pipx install .`。",
    ),
    IMAGE: Message("Build the image again.", "请重新构建镜像。"),
    ARCHIVE: Message(
        "Run `python -m pip install --require-hashes -r requirements.txt` in an environment of its own.",
        "请在独立的环境中运行 `python -m pip install --require-hashes -r requirements.txt`。",
    ),
}[CALLED]
MEND_PLACE = Message(
    "Let the gateway's user write there, or set GLM_STATE_PATH: until then every restart forgets newer "
    "refresh tokens.",
    "请让网关用户可写该处，或设置 GLM_STATE_PATH：否则每次重启都会丢失轮换后的 refresh token。",
)
KEEP_VERSION = Message(
    "Start the version that wrote it, or name another file in GLM_STATE_PATH.",
    "请启动写入它的版本，或在 GLM_STATE_PATH 中换一个文件。",
)
RESTORE = Message(
    "Put back a copy if you have one. Else the gateway sets the file aside at its next start and begins a "
    "new one: get new refresh tokens if the old ones are refused then.",
    "若有备份请恢复。否则网关下次启动会将其移开并新建；若此后旧令牌被拒，请重新获取。",
)
MAKE_ROOM = Message("Make room on that disk.", "请清理磁盘空间。")
TAKE_PORT = Message(
    f"Take another port, `{CALLED.at_port}`, or end the program that has this one (`ss -ltnp`).",
    f"请换一个端口：`{CALLED.at_port}`，或结束占用它的程序（`ss -ltnp`）。",
)
START_GATEWAY = Message(
    f"Start it (`{CALLED.run}`), look into its log, or give the right --url.",
    f"请启动网关（`{CALLED.run}`），查看其日志，或改正 --url。",
)
WAIT_ELSEWHERE = Message(
    "The account answers somewhere else, in a browser or another gateway: wait for it, or use another "
    "account.",
    "该账号正在别处（浏览器或另一网关）回答：请等待，或换用其他账号。",
)
WAIT_UNTIL = Message(
    "Wait; ask nothing before {until}, and less often then (GLM_ACCOUNT_MIN_INTERVAL_SECONDS, or more "
    "accounts).",
    "请等待，{until} 之前不要再试；之后降低频率（GLM_ACCOUNT_MIN_INTERVAL_SECONDS，或增加账号）。",
)

USUAL = {
    Verdict.SETTINGS: Message(
        "Mend this setting: until then the gateway does not start.", "请改正此设置，否则网关无法启动。"
    ),
    Verdict.MACHINE: Message("Mend this on the machine.", "请在本机修复。"),
    Verdict.GATEWAY: START_GATEWAY,
    Verdict.CLOCK: SET_CLOCK,
    Verdict.NETWORK: Message(
        "Try `curl -I {site}` on this machine: cable, firewall, route. Of proxies only GLM_PROXY is used, "
        "never HTTPS_PROXY.",
        "请在本机试 `curl -I {site}`，检查网线、防火墙、路由。代理只认 GLM_PROXY，不用 HTTPS_PROXY。",
    ),
    Verdict.CHANGED: Message(
        "Look for a newer version of glm-api, and report this line if there is none.",
        "请查找 glm-api 的新版本；若没有，请反馈此行信息。",
    ),
    Verdict.BLOCKED: CODES["account_blocked"].advice,
    Verdict.EXPIRED: CODES["account_expired"].advice.then(
        Message(
            "A gateway elsewhere that uses this token may hold a newer one: ask it with --url.",
            "若别处的网关正在使用此 token，它可能持有更新的：请用 --url 询问。",
        )
    ),
    Verdict.THROTTLED: CODES["upstream_throttled"].advice,
    Verdict.BUSY: Message("Nothing to mend here: wait and try again.", "无需在本机处理：请稍后再试。"),
}
