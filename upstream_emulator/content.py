"""What the answers say: sample texts and the finished parts of the transcripts of protocol notes 4.9."""

from __future__ import annotations

from upstream_emulator.frame import Fixed, Growing, Json

GREETING = ("你好", "，我是", "智谱清言", "。很高兴", "见到你", "，有什么", "可以帮", "你的吗？")
THOUGHT = ("用户", "在问好。", "我应该", "友好地", "回答，", "不必太长。")
FILTERED = "抱歉，我还没有学习到如何回答您这个问题，我会继续努力学习。"
BUSY = "当前访问人数过多，请稍后重试"
# Every character has three bytes; 121 of them, so that pieces of most sizes do not soon come again.
CORPUS = (
    "人工智能正在改变我们的生活与工作方式，从翻译到编程，从医疗到教育，它的身影无处不在。"
    "春天的早晨，阳光洒在湖面上，微风吹过柳树，孩子们在草地上奔跑，远处传来钟声。"
    "科学家们认为，理解语言需要常识，也需要推理，更需要在真实世界里不断地去尝试与修正。"
)
SEARCH_ARGUMENTS = '{"search_query":[{"q":"北京 今天 天气","recency":1}]}'
SEARCH_CALL: Json = {"id": "tool-abc", "name": "search", "arguments": SEARCH_ARGUMENTS}
SEARCH_RESULT: Json = {
    "match_key": "turn0search0",
    "title": "北京天气",
    "url": "https://www.weather.com.cn/weather/101010100.shtml",
    "host_name": "weather.com.cn",
    "index": 1,
    "snippet": "晴",
}
# The item of protocol notes 4.4 that was captured in 2024, cut where the notes cut it.
QUOTED_PAGE: Json = {
    "type": "webpage",
    "title": "南京天气预报,…",
    "url": "http://www.weather.com.cn/weather/101190101.shtml",
    "text": "Web 结果1 天前 · …",
    "pub_date": "1970-01-01T00:00:00.0000000",
}
OLD_PAGE: Json = {"title": "北京天气", "url": "https://www.weather.com.cn/weather/101010100.shtml"}
FILE_HOST = "https://sfile.chatglm.cn"
PICTURE = "/testpath/5e56234b-34ae-593c-ba4e-3f7ba77b5768_0.png"
DRAWN = "这是我为您创作的可爱猫咪图画，希望您喜欢。"


def text(*pieces: str) -> Growing:
    return Growing("text", pieces)


def thoughts_closed() -> Fixed:
    """The pseudo tool call that ends thinking in 2026."""
    call: Json = {"type": "tool_calls", "tool_calls": {"name": "finish", "arguments": "{}"}}
    return Fixed([(call, "finish", {"meta_data": {"show_type": "mc_tool_call2"}})])


def search_call() -> Fixed:
    item: Json = {"type": "tool_calls", "tool_calls": SEARCH_CALL}
    return Fixed([(item, "init", {"meta_data": {"show_type": "mc_tool_call2"}})])


def search_result() -> Fixed:
    item: Json = {"type": "tool_result", "tool_calls": SEARCH_CALL}
    extra: Json = {"search_duration": 1.2, "search_results": [SEARCH_RESULT]}
    meta: Json = {"show_type": "mc_tool_result2", "tool_result_extra": extra}
    return Fixed([(item, "finish", {"meta_data": meta})])


def quoted_pages() -> Fixed:
    """The search result of 2024: announced once, finished once with its list."""
    begun: Json = {"type": "quote_result", "status": "init"}
    done: Json = {"type": "quote_result", "status": "finish"}
    meta: Json = {"metadata_list": [OLD_PAGE, QUOTED_PAGE]}
    return Fixed([(begun, "init", {}), (done, "finish", {"meta_data": meta})], role="tool")


def execution_output() -> Fixed:
    item: Json = {"type": "execution_output", "content": "\n2", "status": "done"}
    return Fixed([(item, "finish", {})] * 2, role="tool")


def old_picture(origin: str) -> Fixed:
    begun: Json = {"type": "image", "image": [{"image_url": ""}], "status": "init"}
    done: Json = {"type": "image", "image": [{"image_url": origin + PICTURE}], "status": "finish"}
    return Fixed([(begun, "init", {}), (done, "finish", {})])


def pictures(origin: str, message_id: str, prompt: str, count: int) -> Fixed:
    """Up to four pictures of one drawing in the order they came in 2026; none is ever marked finished."""
    items: list[Json] = [
        {"type": "image", "image": [{"image_url": origin + picture_path(message_id, number)}], "code": prompt}
        for number in (3, 0, 1, 2)
        if number < count
    ]
    return Fixed([(item, "init", {}) for item in items])


def picture_path(message_id: str, number: int) -> str:
    return f"/testpath/{message_id}_{number}_0.jpg"


def cut_up(whole: str, size: int = 3) -> tuple[str, ...]:
    """A text in pieces of `size` characters."""
    return tuple(whole[start : start + size] for start in range(0, len(whole), size))
