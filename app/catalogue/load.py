"""The gateway itself: full, on its way out, or mistaken."""

from __future__ import annotations

from app.catalogue.message import Code, Message

CODES = {
    "internal_error": Code(
        Message("mistake of the gateway", "网关出错"),
        Message("our mistake", "网关自身的错误"),
        Message("Look into the gateway's log, and report it.", "请查看网关日志，并反馈。"),
    ),
    "shutting_down": Code(
        Message("gateway restarting", "网关重启"),
        Message(
            "the gateway is shutting down; also the last event of an answer that did not end in time",
            "网关正在关闭；也是未能及时结束的回答的最后一个事件",
        ),
        Message("Ask again shortly.", "请稍后再问。"),
    ),
    "too_many_streams": Code(
        Message("gateway full", "网关已满"),
        Message(
            "`GLM_MAX_STREAMS` answers, or a hundred watches, are open",
            "打开的回答达到 `GLM_MAX_STREAMS`，或监控达到一百个",
        ),
        Message("Wait a moment.", "请稍候。"),
    ),
    "out_of_room": Code(
        Message("gateway out of room", "网关空间不足"),
        Message(
            "requests hold `GLM_BODIES_MAX_BYTES`, files on their way take `GLM_SPOOL_MAX_BYTES`, a tenth of "
            "the disk is all that is free, or the upstream sends what does not end",
            "请求占用达到 `GLM_BODIES_MAX_BYTES`、传输中的文件达到 `GLM_SPOOL_MAX_BYTES`、磁盘只剩十分之一，"
            "或上游发来没有结尾的内容",
        ),
        Message("Wait, or send less.", "请等待，或减少内容。"),
    ),
}

MISTAKE = Message("The gateway made a mistake; its log says more.", "网关出错，详情见其日志。")
NO_ROOM_FOR_FILES = Message(
    "The gateway has no room for files; its log says more.", "网关无法存放文件，详情见其日志。"
)
SHUTTING_DOWN = Message("The gateway is shutting down. Ask again.", "网关正在关闭，请重新提问。")
STREAMS_FULL = Message(
    "{count} answers are open already (GLM_MAX_STREAMS).", "已有 {count} 个回答正在进行（GLM_MAX_STREAMS）。"
)
WATCHES_FULL = Message("{count} watches are open already.", "已打开 {count} 个监控。")
RECORDING_ALREADY = Message("Another recording is being made.", "另一份记录正在生成。")
BODIES_FULL = Message(
    "Requests hold the {max_bytes} bytes that they may together (GLM_BODIES_MAX_BYTES). Send less, or later.",
    "所有请求合计已占用上限 {max_bytes} 字节（GLM_BODIES_MAX_BYTES）。请减少内容，或稍后再试。",
)
EVENTS_FULL = Message(
    "The upstream's answers hold the {max_bytes} bytes of unfinished events and long texts that they may "
    "together.",
    "上游各回答中未完成的事件和超长文本合计已占用上限 {max_bytes} 字节。",
)
SPOOL_FULL = Message(
    "Files on their way take {max_bytes} bytes already (GLM_SPOOL_MAX_BYTES).",
    "传输中的文件已占用 {max_bytes} 字节（GLM_SPOOL_MAX_BYTES）。",
)
DISK_FULL = Message("The disk of the gateway has no room for more files.", "网关的磁盘没有空间存放更多文件。")
TRY_AGAIN_IN = Message("Try again in {seconds} s.", "请在 {seconds} 秒后重试。")
