"""What the routes work with, put together once by the factory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import current_app

from app.accounts.pool import AccountPool
from app.accounts.refresh import Refresher
from app.chat.service import ChatService

EXTENSION = "glm-api"


@dataclass(frozen=True, slots=True)
class Services:
    chat: ChatService
    pool: AccountPool
    refresher: Refresher


def services() -> Services:
    """The services of the current application."""
    return cast(Services, current_app.extensions[EXTENSION])
