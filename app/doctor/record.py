"""One recorded question: what was sent and answered as shapes, in a file to be read and handed on."""

from __future__ import annotations

import os
from pathlib import Path

from app.catalogue.message import Message
from app.command import find_version
from app.doctor import messages
from app.doctor.finding import Finding, Verdict, fail, note, ok
from app.logs import redactor
from app.upstream.client import UpstreamAddress
from app.upstream.recording import Recording, RecordingClient, SecretFound

_OWN_READING = 0o600


class Recorder:
    """Records one account's calls, and writes them once, to a file that is not there yet."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._recording = Recording()
        self.is_done = False
        """`write` was called, whatever came of it."""

    def build_client(self, address: UpstreamAddress) -> RecordingClient:
        return RecordingClient(address, self._recording)

    def write(self, *, is_whole: bool) -> Finding:
        """`is_whole` says that the question was answered; how it failed is worth knowing as well."""
        self.is_done = True
        try:
            text = self._recording.build_text(find_version(), redactor)
        except SecretFound:
            return _fail(messages.RECORD_SECRET, Verdict.CHANGED, path=self._path)
        try:
            _write_new(Path(self._path), text)
        except OSError as exc:
            return _fail(messages.RECORD_UNWRITABLE, Verdict.MACHINE, path=self._path, reason=exc.strerror)
        say, words = (ok, messages.RECORD_WRITTEN) if is_whole else (note, messages.RECORD_OF_FAILURE)
        return say(messages.RECORD, words, path=self._path, lines=text.count("\n"))


def _write_new(path: Path, text: str) -> None:
    """Never over another file, and for its owner's eyes."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWN_READING)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _fail(words: Message, verdict: Verdict, **values: object) -> Finding:
    return fail(messages.RECORD, verdict, words, None, "", **values)
