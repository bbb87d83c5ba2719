"""Everything the emulator remembers, and the one picture of it that tests look at."""

from __future__ import annotations

import time
from typing import Any

from upstream_emulator.account import Account, AccountBook
from upstream_emulator.connection import Connection
from upstream_emulator.conversation import Conversation, ConversationBook
from upstream_emulator.file import FileBook, StoredFile
from upstream_emulator.record import Record
from upstream_emulator.setting import Setting
from upstream_emulator.signing import SignatureGuard
from upstream_emulator.video_book import VideoBook


class World:
    """Touched from the event loop's thread only."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self.accounts = AccountBook()
        self.reset()

    def reset(self) -> None:
        """Back to the beginning: open answers are ended, settings are the default ones. Tokens stay alive."""
        for account in self.accounts:
            if account.stop_answer is not None:
                account.stop_answer()
        self.accounts.clear()
        self.setting = Setting()
        self.conversations = ConversationBook()
        self.files = FileBook()
        self.videos = VideoBook()
        self.record = Record()
        self.guard = SignatureGuard()

    def clock(self) -> float:
        """Unix time, as far as this upstream knows."""
        return time.time() + self.setting.clock_offset_seconds

    def snapshot(self) -> dict[str, Any]:
        """What `GET /_emulator/state` answers."""
        conversations, record = list(self.conversations), self.record
        return {
            "accounts": {account.name: _account_state(account) for account in self.accounts},
            "conversations": [_conversation_state(conversation) for conversation in conversations],
            "uploads": [_file_state(file) for file in self.files],
            "videos": [{"id": one.id, "account": one.account, "deleted": one.deleted} for one in self.videos],
            "undeleted_videos": sum(not one.deleted for one in self.videos),
            "open_streams": sum(account.open_streams for account in self.accounts),
            "violations": sum(account.violations for account in self.accounts),
            "undeleted": sum(one.announced and not one.deleted for one in conversations),
            "refused_deletions": record.refused_deletions,
            "wiped": record.wiped,
            "deleted_while_in_use": sum(one.deleted_while_in_use for one in conversations),
            "stopped_early": record.stopped_early,
            "tcp_connections": record.tcp_connections,
            "open_connections": len(self.connections),
            "foreign_cookies": record.foreign_cookies,
            "internal_errors": record.internal_errors,
            "requests": dict(record.requests),
            "refusals": dict(record.refusals),
        }


def _account_state(account: Account) -> dict[str, int]:
    return {
        "refreshes": account.refreshes,
        "parallel_refreshes": account.parallel_refreshes,
        "answers": account.answers,
        "violations": account.violations,
        "open_streams": account.open_streams,
    }


def _conversation_state(conversation: Conversation) -> dict[str, Any]:
    names = ("id", "account", "assistant_id", "turns", "deleted", "deleted_while_in_use")
    return {name: getattr(conversation, name) for name in names}


def _file_state(file: StoredFile) -> dict[str, Any]:
    names = ("account", "id", "name", "type", "size", "sha256", "is_picture")
    return {name: getattr(file, name) for name in names}
