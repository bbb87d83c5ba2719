"""Every code that an error can have, in the order of the table in docs/errors.md."""

from __future__ import annotations

from app.catalogue import account, credential, file, load, path, request, upstream
from app.catalogue.message import Code, Message

CODES: dict[str, Code] = {
    **request.CODES,
    **file.CODES,
    **credential.CODES,
    **account.CODES,
    **path.CODES,
    **load.CODES,
    **upstream.CODES,
}


def complete(message: Message, code: str) -> Message:
    """With the Chinese of its code where a message has none of its own."""
    known = CODES.get(code)
    if message.zh or known is None:
        return message
    return Message(message.en, known.summary.zh)
