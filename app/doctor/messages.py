"""Everything the doctor says, in English and in Chinese."""

from __future__ import annotations

from app.catalogue.message import Message
from app.doctor.finding import Mark, Verdict
from app.invocation import CALLED

# --- the checks --------------------------------------------------------------------------------------------

PACKAGES = Message("packages", "程序包")
SETTINGS = Message("settings", "设置")
SERVER = Message("server", "服务器")
NETWORK = Message("network", "网络")
CLOCK = Message("clock", "时钟")
SIGNING = Message("signing", "签名")
STATE = Message("state", "状态文件")
GATEWAY = Message("gateway", "网关")
TOKEN = Message("token", "令牌")
STANDING = Message("standing", "账号")
CHAT = Message("chat", "对话")
TOOLS = Message("tools", "工具")
RECORD = Message("record", "记录")

MARKS = {
    Mark.OK: Message("ok", "正常"),
    Mark.NOTE: Message("note", "注意"),
    Mark.SKIP: Message("skip", "跳过"),
    Mark.FAIL: Message("FAIL", "错误"),
}

# --- this machine ------------------------------------------------------------------------------------------

PACKAGES_RIGHT = Message(
    "Python {version}, packages as in requirements.txt", "Python {version}，程序包与 requirements.txt 一致"
)
PACKAGES_DIFFER = Message(
    "Python {version}; not the versions of requirements.txt: {names}",
    "Python {version}；与 requirements.txt 版本不同：{names}",
)
PACKAGES_MISSING = Message("missing: {names}", "缺少：{names}")
PACKAGES_UNKNOWN = Message(
    "Python {version}; there is no requirements.txt here", "Python {version}；这里没有 requirements.txt"
)
SETTINGS_PASS_THROUGH = Message(
    "callers bring their own refresh tokens; none are configured", "由调用者自带 refresh token，未配置令牌"
)
SETTINGS_KEYS = Message(
    "gateway keys: {keys}, refresh tokens: {tokens}", "网关密钥 {keys} 个，refresh token {tokens} 个"
)
SETTINGS_NO_SHARE = Message(
    "GLM_POOL_SHARD {shard} owns none of the configured refresh tokens: this instance has nothing to answer "
    "with",
    "GLM_POOL_SHARD {shard} 没有分到任何令牌：此实例无法回答",
)
REASON = Message("{reason}", "{reason}")
SERVER_READY = Message(
    "would listen on {bind}, {streams} answers at a time", "监听 {bind}，同时最多 {streams} 个回答"
)
SERVER_FEW_FILES = Message(
    "only {files} files may be open, so about {possible} answers at a time and not "
    "GLM_MAX_STREAMS={streams}: raise `ulimit -Hn`",
    "最多只能打开 {files} 个文件，同时约 {possible} 个回答，达不到 GLM_MAX_STREAMS={streams}：请提高 `ulimit "
    "-Hn`",
)
PORT_TAKEN = Message(
    "{bind} is taken by another program, which is no glm-api gateway",
    "{bind} 已被其他程序占用，且不是 glm-api 网关",
)
PORT_OURS = Message("a gateway listens on {bind} already", "已有网关在监听 {bind}")
STATE_FREE = Message("{path}: sound, held by nobody", "{path}：完好，未被占用")
STATE_NEW = Message(
    "{path}: not there yet, the gateway makes it at its start", "{path}：尚不存在，网关启动时会创建"
)
STATE_HELD = Message(
    "{path}: held by a running gateway, as it should be", "{path}：正被运行中的网关使用，属正常情况"
)
STATE_MEMORY = Message(
    "GLM_STATE_PATH is :memory:, a restart forgets newer refresh tokens",
    "GLM_STATE_PATH 为 :memory:，重启会丢失轮换后的 refresh token",
)
STATE_FOREIGN = Message(
    "{path} is not opened, since files made by another user than {owner} could lock the gateway out: "
    + CALLED.doctor_as_owner,
    "未打开 {path}：若由 {owner} 以外的用户创建文件，网关可能无法写入。请用 " + CALLED.doctor_as_owner,
)
STATE_UNUSABLE = Message("{path} cannot be written: {reason}", "{path} 无法写入：{reason}")
STATE_TOO_NEW = Message("{path} cannot be used: {reason}", "{path} 无法使用：{reason}")
STATE_DAMAGED = Message("{path} is damaged: {reason}", "{path} 已损坏：{reason}")
STATE_FULL = Message("{path}: the disk is full ({free} bytes free)", "{path}：磁盘已满（剩余 {free} 字节）")

# --- the line to the upstream ------------------------------------------------------------------------------

NETWORK_DIRECT = Message(
    "{host} answers in {seconds:.2f} s, directly (no GLM_PROXY)",
    "{host} 在 {seconds:.2f} 秒内应答，直连（未设 GLM_PROXY）",
)
NETWORK_PROXIED = Message(
    "{host} answers in {seconds:.2f} s, through GLM_PROXY {proxy}",
    "{host} 在 {seconds:.2f} 秒内应答，经由 GLM_PROXY {proxy}",
)
NAME_UNKNOWN = Message("the name {host} cannot be resolved", "无法解析域名 {host}")
NOT_CONNECTED = Message("no connection to {host}: {reason}", "无法连接 {host}：{reason}")
TOO_SLOW = Message("{host} does not answer in time", "{host} 未在规定时间内应答")
NOT_TRUSTED = Message("the certificate of {host} is not trusted: {reason}", "{host} 的证书不受信任：{reason}")
PROXY_FAILED = Message(
    "the proxy in GLM_PROXY, {proxy}, fails: {reason}", "GLM_PROXY 代理 {proxy} 不可用：{reason}"
)
CLOCK_RIGHT = Message("right to {seconds:.0f} s", "误差不超过 {seconds:.0f} 秒")
CLOCK_SLIGHTLY_OFF = Message(
    "{seconds:.0f} s {direction} the upstream's: set up NTP", "比上游{direction} {seconds:.0f} 秒：请启用 NTP"
)
CLOCK_WRONG = Message("{seconds:.0f} s {direction} the upstream's", "比上游{direction} {seconds:.0f} 秒")
CLOCK_OR_CERTIFICATE = Message(
    "the certificate of {host} is not valid at this machine's time: {reason}",
    "按本机时间，{host} 的证书不在有效期内：{reason}",
)
CLOCK_UNKNOWN = Message("the upstream does not tell its time", "上游未告知时间")
AHEAD = Message("ahead of", "快")
BEHIND = Message("behind", "慢")
SIGNING_ACCEPTED = Message("accepted", "已被接受")
SIGNING_REFUSED = Message("refused (HTTP {status})", "被拒绝（HTTP {status}）")
PATH_GONE = Message(
    "the upstream has no such call any more (HTTP {status})", "上游已无此接口（HTTP {status}）"
)
PAGE = Message(
    "a web page came instead of an answer (HTTP {status})", "返回的是网页而非应答（HTTP {status}）"
)
REFUSED = Message("{reason} [{code}]", "{reason} [{code}]")

# --- accounts ----------------------------------------------------------------------------------------------

TOKEN_ALIVE = Message("alive", "有效")
TOKEN_ALIVE_UNTIL = Message("alive, until {until}", "有效，至 {until}")
TOKEN_TWICE = Message(
    "alive, but the same login as {other}: list each login once",
    "有效，但与 {other} 是同一账号：每个账号只列一次",
)
TOKEN_REFUSED = Message("the upstream refuses it", "上游拒绝此令牌")
TOKEN_ENDED = Message("ended on {until}", "已于 {until} 过期")
STANDING_POINTS = Message("{points:g} points left", "剩余积分 {points:g}")
STANDING_NO_POINTS = Message(
    "no points left; a new account may have none until it was logged in once in the phone app",
    "没有剩余积分；新账号可能要先在手机 App 里登录一次才有",
)
STANDING_BLOCKED = Message("the web chat says that it is blocked", "网页端显示该账号已被风控")
TOKENS_LEFT = Message(
    "{count} more were not asked, so as not to make it worse", "其余 {count} 个未再尝试，以免加重"
)
TOKENS_UNREACHED = Message("not asked, since no call gets through", "未检查，因为请求无法到达上游")
TOKENS_KEPT = Message(
    "not asked: without the state file at hand a newer refresh token could be lost",
    "未检查：没有状态文件，轮换后的 refresh token 可能丢失",
)
TOKENS_RUNNING = Message(
    "not asked beside the running gateway; let it ask: the same again with --url {url}",
    "网关运行中，未直接检查；请由网关检查：加上 --url {url} 再运行一次",
)
TOKENS_NONE = Message(
    f"none to ask; give yours on standard input: {CALLED.doctor_asking}",
    f"没有可检查的令牌；可从标准输入提供：{CALLED.doctor_asking}",
)
RECORD_WRITTEN = Message(
    "{path}, {lines} lines: shapes, no words. Read it before you give it away",
    "{path}，{lines} 行：只有形状，没有文字。交给别人之前请先阅读",
)
RECORD_OF_FAILURE = Message(
    "{path}, {lines} lines, of a question that was not answered. Read it before you give it away",
    "{path}，{lines} 行，该问题未得到回答。交给别人之前请先阅读",
)
RECORD_NOTHING = Message("nothing was asked, so there is nothing to record", "没有提问，因此没有可记录的内容")
RECORD_SECRET = Message(
    "{path} was not written: a known secret would have been in it", "未写入 {path}：其中会出现已知的密钥"
)
RECORD_UNWRITABLE = Message("{path} cannot be written: {reason}", "无法写入 {path}：{reason}")
CHAT_UNASKED = Message("not tried (--chat asks one small question)", "未尝试（--chat 会提一个小问题）")
CHAT_NOBODY = Message("no live account to ask", "没有可用账号")
CHAT_GOOD = Message(
    "answered in {seconds:.1f} s, and the conversation is deleted", "{seconds:.1f} 秒内完成回答，对话已删除"
)
CHAT_LEFT = Message(
    "answered in {seconds:.1f} s; the gateway will delete the conversation ({code})",
    "{seconds:.1f} 秒内完成回答；对话将由网关删除（{code}）",
)

# --- tools -------------------------------------------------------------------------------------------------

TOOLS_UNASKED = Message(
    "not tried (--tools asks one question with a tool)", "未尝试（--tools 会带一个工具提一个问题）"
)
TOOLS_GOOD = Message("called in {seconds:.1f} s, {how}", "{seconds:.1f} 秒内发出调用，{how}")
TOOLS_CORRECTED = Message(
    "called in {seconds:.1f} s, {how}; but only when it was asked once more",
    "{seconds:.1f} 秒内发出调用，{how}；但再问一次才行",
)
TOOLS_WRONG = Message(
    "called in {seconds:.1f} s, {how}; but with other arguments than the question's",
    "{seconds:.1f} 秒内发出调用，{how}；但参数与问题不符",
)
TOOLS_WORDS = Message(
    "answered in words in {seconds:.1f} s, without a call: agents want `tool_choice` required, or another "
    "model",
    "{seconds:.1f} 秒内用文字回答，没有调用：agent 需要把 `tool_choice` 设为 required，或换模型",
)
TOOLS_UNREADABLE = Message(
    "called in a way that cannot be read, also when it was asked once more ({code})",
    "发出的调用无法看懂，再问一次也一样（{code}）",
)
TOOLS_BY_TEXT = Message("route: in the text", "途径：正文")
TOOLS_BY_PART = Message("route: a part of its own", "途径：单独的部分")
TOOLS_BY_THINKING = Message("route: in the thinking", "途径：思考")
TOOLS_DIALECT = Message("form: as it was taught", "形式：与教的一致")
TOOLS_NATIVE = Message("form: the model's own", "形式：模型自己的")
TOOLS_FUNCTION_CALL = Message("form: `function_call`", "形式：`function_call`")
TOOLS_SEE_METRICS = Message(
    "route and form: glm_tool_calls_total in /metrics", "途径和形式见 /metrics 的 glm_tool_calls_total"
)

# --- a running gateway -------------------------------------------------------------------------------------

GATEWAY_READY = Message("{url} is ready", "{url} 就绪")
GATEWAY_DRAINING = Message("{url} is up, but draining: nothing new is sent there", "{url} 在运行，但正在排空")
GATEWAY_DIFFERS = Message(
    "it was started with other settings than this command: {names}", "它启动时的设置与本命令的不同：{names}"
)
GATEWAY_REACHES = Message(
    "this command does not get through to the upstream, the gateway does: is GLM_UPSTREAM_URL or GLM_PROXY "
    "set for it alone?",
    "本命令连不上上游，网关却可以：GLM_UPSTREAM_URL 或 GLM_PROXY 是否只给网关设了？",
)
GATEWAY_SILENT = Message("nothing answers at {url}: {reason}", "{url} 无应答：{reason}")
GATEWAY_STRANGE = Message(
    "what answers at {url} is no glm-api gateway",
    "{url} 上的不是 glm-api 网关",
)
GATEWAY_CLOSED = Message(
    "the gateway does not let us in (HTTP {status} {code}); give a gateway key: --tokens FILE, or - for "
    "standard input",
    "网关拒绝访问（HTTP {status} {code}）；请用 --tokens 文件（或 - 从标准输入）提供网关密钥",
)
GATEWAY_CHAT = Message("answered in {seconds:.1f} s", "{seconds:.1f} 秒内完成回答")
ACCOUNT_STATES = {
    "ready": Message("ready", "可用"),
    "answering": Message("answering", "正在回答"),
    "unknown": Message("not asked yet", "尚未使用"),
    "cooling": Message("cooling", "冷却中"),
    "expired": Message("expired", "失效"),
    "blocked": Message("blocked", "被拦截"),
}
ACCOUNT_STATE = Message("{state}", "{state}")
ACCOUNT_ENDED = Message("{state}, last error {error}", "{state}，最近错误 {error}")
ACCOUNT_RESTS = Message("{state} until {until}, last error {error}", "{state}，至 {until}，最近错误 {error}")

# --- verdicts ----------------------------------------------------------------------------------------------

WELL = Message("well", "一切正常")
ALSO = Message("also: {names}", "另有：{names}")
VERDICT = Message("verdict: {name}", "结论：{name}")

TITLES = {
    Verdict.SETTINGS: Message("settings wrong", "设置有误"),
    Verdict.MACHINE: Message("this machine", "本机问题"),
    Verdict.GATEWAY: Message("no gateway", "网关未运行"),
    Verdict.CLOCK: Message("clock wrong", "时钟不准"),
    Verdict.NETWORK: Message("network", "网络不通"),
    Verdict.CHANGED: Message("upstream changed", "上游已变更"),
    Verdict.BLOCKED: Message("blocked", "被风控拦截"),
    Verdict.EXPIRED: Message("expired", "令牌失效"),
    Verdict.THROTTLED: Message("throttled", "被限流"),
    Verdict.BUSY: Message("upstream in trouble", "上游故障或繁忙"),
}
