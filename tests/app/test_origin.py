"""Which web pages may ask: origins as text, with stars that stand for one label or for the port."""

from __future__ import annotations

import pytest

from app.config import InvalidSetting, Settings
from app.origin import compile_origins


def lets_in(setting: str, origin: str) -> bool:
    """As Flask-CORS asks: `match`, which does not look at the end by itself."""
    return any(
        pattern.match(origin)
        for pattern in compile_origins(Settings.from_env({"CORS_ORIGINS": setting}).cors_origins)
    )


@pytest.mark.parametrize(
    ("setting", "origin"),
    [
        ("https://chat.example.org", "https://chat.example.org"),
        ("https://Chat.Example.ORG", "https://chat.example.org"),
        ("http://localhost:3000, https://a.example", "https://a.example"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://*.example.org", "https://a.example.org"),
        ("https://*.example.org:8443", "https://a.example.org:8443"),
        ("https://pr-1.*.example.org", "https://pr-1.x-y.example.org"),
        ("http://localhost:*", "http://localhost:5173"),
        ("http://*.localhost:*", "http://a.localhost:1"),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
        ("moz-extension://*", "moz-extension://0b7a-11"),
        ("app://obsidian.md", "app://obsidian.md"),
        ("app://-", "app://-"),
        ("tauri://localhost", "tauri://localhost"),
        ("vscode-webview://*", "vscode-webview://1f0a"),
        ("file://", "file://"),
        ("http://under_score.example", "http://under_score.example"),
    ],
)  # fmt: skip
def test_these_come_in(setting: str, origin: str) -> None:
    assert lets_in(setting, origin)


@pytest.mark.parametrize(
    ("setting", "origin"),
    [
        ("https://chat.example.org", "http://chat.example.org"),
        ("https://chat.example.org", "https://chat.example.org:444"),
        ("https://chat.example.org", "https://chat.example.org.evil.example"),
        ("https://chat.example.org", "https://chat.example.org\n"),
        ("https://chat.example.org", "https://evil-chat.example.org"),
        ("https://chat.example.org", "https://chatXexample.org"),
        ("https://chat.example.org", "null"),
        ("https://*.example.org", "https://example.org"),
        ("https://*.example.org", "https://a.b.example.org"),
        ("https://*.example.org", "https://.example.org"),
        ("https://*.example.org", "https://evil.example/.example.org"),
        ("https://*.example.org", "https://u@evil.example.org"),
        ("https://*.example.org", "https://a.example.org.evil.example"),
        ("https://*.example.org", "https://a.example.org:8443"),
        ("http://localhost:*", "http://localhost"),
        ("http://localhost:*", "http://localhost:1.evil.example"),
        ("http://localhost:*", "http://localhost:"),
        ("http://localhost:*", "http://localhost:123456"),
        ("http://[::1]:3000", "http://:"),
        ("app://obsidian.md", "app://obsidianXmd"),
    ],
)
def test_these_do_not(setting: str, origin: str) -> None:
    assert not lets_in(setting, origin)


def test_a_star_alone_is_everybody() -> None:
    assert Settings.from_env({"CORS_ORIGINS": " * "}).cors_origins == ("*",)


@pytest.mark.parametrize(
    "setting",
    [
        "https://a.example, *",
        "https://(.*)",
        r"https://.*\.example\.org",
        "https://.*.example.org",
        "https://[a-z]+.example.org",
        "https://a*.example.org",
        "https://**.example.org",
        "https://*",
        "http://*:*",
        "http://*.*:3000",
        "*://a.example",
        "a.example",
        "null",
        "https://",
        "https://a.example/",
        "https://a.example/path",
        "https://a.example?x",
        "https://user@a.example",
        "https://a..example",
        "https://a.example.",
        "https://a.example:",
        "https://a.example:0",
        "https://a.example:65536",
        "https://a.example:4*",
        "https://a.example:443",
        "http://a.example:80",
        "https://例子.example",
        "http://[::1",
        "http://[zz]:1",
        "https://a .example",
        ",",
    ],
)
def test_what_would_match_nothing_or_too_much_ends_the_start(setting: str) -> None:
    with pytest.raises(InvalidSetting, match="CORS_ORIGINS"):
        Settings.from_env({"CORS_ORIGINS": setting})
