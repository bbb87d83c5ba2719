"""GET /docs: the API reference, Swagger UI on /openapi.json, from files of a pinned package (decision 10)."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from flask import Blueprint, Response

from app.catalogue.path import NO_REFERENCE_FILE
from app.core.errors import NotFound
from app.routes.page import render_file, send_page

bp = Blueprint("reference", __name__)

_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
}


@bp.get("/docs")
def send_reference() -> Response:
    """The page around the reference; no credentials are needed."""
    return send_page("docs.html")


@bp.get("/docs/<name>")
def send_asset(name: str) -> Response:
    """One of the package's files. The package is found when asked for and never imported: no start pays."""
    spec = find_spec("flask_swagger_ui")
    if name not in _ASSETS or spec is None or spec.origin is None:
        raise NotFound(NO_REFERENCE_FILE)
    path = Path(spec.origin).parent / "dist" / name
    return render_file(path.read_bytes(), _ASSETS[name], version("flask-swagger-ui"))
