"""GET / and /page/NAME: the page to try, check and watch the gateway, from files beside the code."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Blueprint, Response, request

from app.catalogue.path import NO_PAGE_FILE, PAGES
from app.core.errors import NotFound
from app.routes.page_words import build_error_words
from app.routes.services import services

bp = Blueprint("page", __name__)

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    # Nothing but what this gateway serves itself: model output is hostile, and the page holds a token.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_FILES = {
    path.name: (path.read_bytes(), _TYPES[path.suffix])
    for path in (Path(__file__).parents[1] / "page").iterdir()
    if path.suffix in _TYPES
}
_FILES["errors.js"] = (build_error_words(), _TYPES[".js"])
_DOOR = b'<form id="door"'


def _tag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


_TAGS = {name: _tag(content) for name, (content, _) in _FILES.items()}


@bp.get("/")
def send_index() -> Response:
    """The page itself; in a demonstration with the key that opens it."""
    key = services().settings.demo_key
    if key is None:
        return send_page("index.html")
    content, content_type = _FILES["index.html"]
    content = content.replace(_DOOR, _DOOR + f' data-demo-key="{key}"'.encode())
    return render_file(content, content_type, _tag(content))


@bp.get("/page/<name>")
def send_file(name: str) -> Response:
    """What the pages load. They themselves name it by addresses that are right where they stand alone."""
    if name.endswith(".html"):
        raise NotFound(PAGES)
    return send_page(name)


def send_page(name: str) -> Response:
    """One of the files; no credentials are needed, and none are in it."""
    if name not in _FILES:
        raise NotFound(NO_PAGE_FILE)
    content, content_type = _FILES[name]
    return render_file(content, content_type, _TAGS[name])


def render_file(content: bytes, content_type: str, tag: str) -> Response:
    """A file under the policy above, or 304 for a browser that has it by its `tag`."""
    response = Response(content, content_type=content_type, headers=_HEADERS)
    response.set_etag(tag)
    response.make_conditional(request)
    return response
