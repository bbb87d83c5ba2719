"""What the settings say of files: where they may come from, how many bytes of them, and where they lie."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from msgspec.structs import replace

from app.config import Settings
from app.files.fetch import FetchPolicy, Home
from app.files.spool import SpoolRoom
from app.state import MEMORY

_MAX_PICTURE_BYTES = 32 * 1024 * 1024
# Pictures lie on sfile.chatglm.cn even where GLM_UPSTREAM_URL names a mirror.
_PICTURE_HOST = "chatglm.cn"
_DEFAULT_PORTS = {"http": 80, "https": 443}


def build_spool_room(settings: Settings) -> SpoolRoom:
    """Files pass through beside the state file: the system's own place for them may be memory."""
    beside = Path(settings.state_path).parent
    usable = settings.state_path != MEMORY and os.access(beside, os.W_OK | os.X_OK)
    max_bytes = settings.spool_max_bytes or settings.files_max_bytes * settings.files_max_count
    return SpoolRoom(str(beside) if usable else None, max_bytes)


def build_fetch_policy(settings: Settings, room: SpoolRoom) -> FetchPolicy:
    """For what users attach."""
    return FetchPolicy(
        max_bytes=settings.files_max_bytes,
        timeout_seconds=settings.files_timeout_seconds,
        ports=frozenset(settings.files_ports),
        allow_private=settings.files_allow_private,
        room=room,
    )


def build_picture_policy(settings: Settings, room: SpoolRoom) -> FetchPolicy:
    """For pictures that the upstream drew: from its hosts alone, by its proxy, and were it inside.

    Of an upstream inside only the port that was named is opened: its host may serve others by other ports.
    """
    upstream = urlsplit(settings.upstream_url)
    own = upstream.hostname or _PICTURE_HOST
    named = upstream.port or _DEFAULT_PORTS[upstream.scheme]
    is_inside = _is_inside(own)
    ports = {named} if is_inside else {named, *_DEFAULT_PORTS.values()}
    return replace(
        build_fetch_policy(settings, room),
        max_bytes=_MAX_PICTURE_BYTES,
        ports=frozenset(),
        homes=(
            Home(own, frozenset(ports), allow_private=is_inside),
            Home(_PICTURE_HOST, frozenset(_DEFAULT_PORTS.values())),
        ),
        proxy=settings.proxy,
    )


def _is_inside(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost"
