"""Items of an answer that come whole: calls of the client's tools, and searches."""

from __future__ import annotations

from typing import Any

from app.core.event import PagesFound, ToolCalled
from app.formats.openai_responses.client_tool import ClientTool
from app.formats.openai_responses.text_item import StreamEvent, make_sendable


def build_call(event: ToolCalled, item_id: str) -> dict[str, Any]:
    """A call in the kind of its tool: clients refuse any other."""
    head: dict[str, Any] = {"id": item_id, "call_id": event.id, "name": event.name}
    if event.namespace:
        head["namespace"] = event.namespace
    if event.kind == "custom":
        return {"type": "custom_tool_call", **head, "input": event.arguments, "status": "completed"}
    return {"type": "function_call", **head, "arguments": event.arguments, "status": "completed"}


def build_client_call(event: ToolCalled, tool: ClientTool, item_id: str) -> dict[str, Any]:
    """A call of a tool that the client declared by its type alone."""
    head = {"type": tool.call_type, "id": item_id, "call_id": event.id, "status": "completed"}
    return {**head, tool.field: tool.build_field(event.arguments)}


def tell_call(item: dict[str, Any], index: int) -> list[StreamEvent]:
    """The whole call in one delta: no client has to put arguments together. Others than these come whole."""
    if item["type"] not in ("function_call", "custom_tool_call"):
        return [
            (
                "response.output_item.added",
                {"output_index": index, "item": {**item, "status": "in_progress"}},
            ),
            ("response.output_item.done", {"output_index": index, "item": item}),
        ]
    place = {"item_id": item["id"], "output_index": index}
    field, kind = "arguments", "function_call_arguments"
    if item["type"] == "custom_tool_call":
        field, kind = "input", "custom_tool_call_input"
    done = {field: item[field]} if field == "input" else {field: item[field], "name": item["name"]}
    return [
        (
            "response.output_item.added",
            {"output_index": index, "item": {**item, field: "", "status": "in_progress"}},
        ),
        (f"response.{kind}.delta", {**place, "delta": item[field]}),
        (f"response.{kind}.done", {**place, **done}),
        ("response.output_item.done", {"output_index": index, "item": item}),
    ]


def build_search(event: PagesFound, item_id: str) -> dict[str, Any]:
    """A search of the upstream's own; where it does not say what it looked for, that stays empty."""
    queries = [make_sendable(query) for query in event.queries]
    action = {
        "type": "search",
        "query": "; ".join(queries),
        "queries": queries,
        "sources": [{"type": "url", "url": make_sendable(page.url)} for page in event.pages],
    }
    return {"type": "web_search_call", "id": item_id, "status": "completed", "action": action}


def tell_search(item: dict[str, Any], index: int) -> list[StreamEvent]:
    place = {"item_id": item["id"], "output_index": index}
    begun = {**item, "status": "in_progress", "action": {"type": "search", "query": ""}}
    return [
        ("response.output_item.added", {"output_index": index, "item": begun}),
        ("response.web_search_call.in_progress", place),
        ("response.web_search_call.searching", place),
        ("response.web_search_call.completed", place),
        ("response.output_item.done", {"output_index": index, "item": item}),
    ]
