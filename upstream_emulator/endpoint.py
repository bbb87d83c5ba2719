"""Which endpoints exist in which era, and the gate that every call passes: era, signature, login."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from upstream_emulator import chat, control, deletion, edit, listing, login, signing, stored, upload, video
from upstream_emulator.call import Call
from upstream_emulator.connection import Exchange
from upstream_emulator.drawing import PICTURES, send_picture
from upstream_emulator.world import World

logger = logging.getLogger("upstream_emulator")

API = "/chatglm"
NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`era` is "2024", "2026" or "both". What exists in 2026 is signed then; calls of 2024 never are."""

    method: str
    path: str
    handle: Callable[[Call], None]
    era: str = "both"
    needs_login: bool = True


ENDPOINTS = {
    API + endpoint.path: endpoint
    for endpoint in (
        Endpoint("POST", "/backend-api/v1/user/refresh", login.refresh_2024, "2024", needs_login=False),
        Endpoint("POST", login.REFRESH, login.refresh_2026, "2026", needs_login=False),
        Endpoint("GET", "/backend-api/v3/user/info", login.user_info_2024, "2024"),
        Endpoint("GET", "/user-api/user/info", login.user_info, "2026"),
        Endpoint("GET", "/agent-api/operation/detail", listing.models, "2026"),
        Endpoint("GET", listing.FEED, listing.assistants, "2026"),
        Endpoint("GET", "/operation-api/assistant_top/v4/recent_list", listing.assistants, "2026"),
        Endpoint("POST", "/backend-api/assistant/stream", chat.stream),
        Endpoint("POST", "/mainchat-api/stream/stop_stream", chat.stop_stream, "2026"),
        Endpoint("POST", "/mainchat-api/stream/continue_stream", chat.continue_stream, "2026"),
        Endpoint("GET", "/mainchat-api/conversation/messages", stored.list_messages, "2026"),
        Endpoint("POST", "/backend-api/assistant/file_upload", upload.upload_2024),
        Endpoint("POST", "/productivity-api/file/chat_upload", upload.upload_2026, "2026"),
        Endpoint("POST", "/backend-api/assistant/file/upload", upload.upload_knowledge),
        Endpoint("POST", "/drawing-api/v1/image/reference", edit.edit, "2026"),
        Endpoint("POST", "/video-api/v1/static/upload", video.upload),
        Endpoint("POST", "/video-api/v1/chat", video.order),
        Endpoint("POST", "/video-api/v1/static/composite_video", video.compose),
        Endpoint("POST", "/backend-api/assistant/conversation/delete", deletion.delete_2024),
        Endpoint("POST", "/mainchat-api/conversation/delete", deletion.delete_one, "2026"),
        Endpoint("POST", "/mainchat-api/conversation/bulk_delete", deletion.bulk_delete, "2026"),
    )
}


class Dispatcher:
    """Serves one exchange after the other; a mistake of ours costs one answer, never the server."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self, exchange: Exchange) -> None:
        try:
            self._serve(exchange)
        except Exception:
            logger.exception("serving %s failed", exchange.request.path)
            self._world.record.internal_errors += 1
            exchange.reply(500, "text/plain", b"the upstream emulator made a mistake")

    def _serve(self, exchange: Exchange) -> None:
        world, request = self._world, exchange.request
        if request.path.startswith(control.PREFIX):
            control.serve(exchange, world)
            return
        self._count(exchange)
        if world.setting.down:
            exchange.reset()
            return
        call = Call(exchange, world, world.record.add(request))
        if request.path.startswith(PICTURES):
            send_picture(exchange)
        else:
            self._authenticator(call)

    def _authenticator(self, call: Call) -> None:
        endpoint, setting = _find(call), self._world.setting
        if setting.fault:
            call.fail(setting.fault)
        elif endpoint is None or not _exists(endpoint, setting.era):
            call.refuse(404, NOT_FOUND, "not found")
        elif call.request.method != endpoint.method:
            call.refuse(405, 405, "method not allowed")
        elif _is_signed(endpoint, setting.era) and (code := self._refuse_signature(call)):
            call.refuse(400, code, "bad request")
        elif not endpoint.needs_login or login.log_in(call):
            endpoint.handle(call)

    def _refuse_signature(self, call: Call) -> int | None:
        """An unsigned refresh has a number of its own (protocol notes 0.2 row 1)."""
        code = self._world.guard.refusal(call.request.headers, self._world.clock())
        is_refresh = call.request.path == API + login.REFRESH
        return signing.DEVICE_MISSING if is_refresh and code == signing.SIGNATURE_MISSING else code

    def _count(self, exchange: Exchange) -> None:
        """Counts a connection with its first call, so that looking at the state does not."""
        connection = exchange.connection
        if not connection.counted:
            connection.counted = True
            self._world.record.tcp_connections += 1


def _find(call: Call) -> Endpoint | None:
    """By path; videos have theirs in it, and one path for looking and another for deleting."""
    path = call.request.path
    if path.startswith(video.STATUS):
        return Endpoint("GET", path, video.status)
    if path.startswith(video.CHAT):
        return Endpoint("DELETE", path, video.delete)
    return ENDPOINTS.get(path)


def _exists(endpoint: Endpoint, era: str) -> bool:
    return "both" in (endpoint.era, era) or endpoint.era == era


def _is_signed(endpoint: Endpoint, era: str) -> bool:
    """Old endpoints that outlived 2024 are signed as well, except for those that peers never signed."""
    return era != "2024" and endpoint.handle not in (login.refresh_2024, upload.upload_2024)
