"""Where the routes find the gateway behind the current application."""

from __future__ import annotations

from flask import current_app

from app.gateway import Gateway

EXTENSION = "glm-api"


def services() -> Gateway:
    """The gateway of the current application."""
    gateway: Gateway = current_app.extensions[EXTENSION]
    return gateway
