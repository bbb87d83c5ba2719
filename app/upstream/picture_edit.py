"""Editing a picture by the call that the site itself makes for it (protocol notes 0.2 row 18).

One source works with this call, another one was refused by it. What becomes of an answer, so that no picture
is drawn twice and none is paid for twice:

    the answer                                                      verdict      what is done then
    a picture                                                       DRAWN        it is the answer
    404 or 405; success with `result: null`; a refusal in JSON      UNAVAILABLE  drawn by the assistant
    a refusal in JSON about the account, its pace, the load or the  REFUSED      another account is asked
    prompt; a page from 201 to 499                                               where that may help
    a timeout, a broken connection, 200 without JSON, a page from   UNCERTAIN    an error: it may be drawn,
    500 up, success without a picture, any with a conversation                   and nobody else is asked
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec

from app.auth_token import AccessToken
from app.catalogue.upstream import NO_PICTURE_CAME
from app.core.errors import (
    AccessRejected,
    GatewayError,
    NoPicture,
    PromptTooLong,
    UpstreamBusy,
    UpstreamThrottled,
)
from app.identifier import fold_id
from app.upstream.client import UpstreamClient
from app.upstream.envelope import classify_answer, first_string, is_success
from app.upstream.request import DRAWING_ASSISTANT_ID
from app.upstream.upload import UploadedFile

_PATH = "/chatglm/drawing-api/v1/image/reference"
# The other way to draw would meet the same.
_NOT_ABOUT_THE_CALL = (PromptTooLong, UpstreamBusy, UpstreamThrottled)


class PictureEdit(msgspec.Struct, frozen=True):
    """What to make of which picture."""

    file: UploadedFile
    prompt: str
    aspect_ratio: str


class Verdict(Enum):
    """What an answer says of the picture."""

    DRAWN = "drawn"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"


class EditAnswer(msgspec.Struct, frozen=True):
    """`error` is None where a picture was drawn, at `url`. A conversation is to be deleted, whatever came."""

    verdict: Verdict
    url: str = ""
    conversation_id: str | None = None
    error: GatewayError | None = None


def ask_edit(
    client: UpstreamClient, token: AccessToken, edit: PictureEdit, *, timeout_seconds: float
) -> EditAnswer:
    """Ask once, and wait for the picture. Raises AccessRejected where the token was refused, and no more."""
    try:
        status, document = client.exchange("POST", _PATH, token, build_edit(edit), timeout_seconds)
    except GatewayError as error:
        return EditAnswer(Verdict.UNCERTAIN, error=error)
    return read_edit(status, document)


def build_edit(edit: PictureEdit) -> bytes:
    return msgspec.json.encode(
        {
            "aspect_ratio": edit.aspect_ratio,
            "assistant_id": DRAWING_ASSISTANT_ID,
            "category": 1,
            "conversation_id": "",
            "file_id": edit.file.id,
            "history_id": "",
            "if_plus_model": False,
            "image_url": edit.file.url,
            "prompt": edit.prompt,
            "rm_label_watermark": False,
            "title": f"【智能编辑】 {edit.prompt}",
            "type": "Intelligent Editing",
        }
    )


def read_edit(status: int, document: Any) -> EditAnswer:
    """What the answer with this HTTP status means; `document` is None without JSON. Raises AccessRejected."""
    result = document.get("result") if isinstance(document, dict) else None
    named = first_string(result, "conversation_id")
    conversation_id = None if named is None else fold_id(named) or named
    if status == 200 and is_success(document):
        url = first_string(result, "image_url") or ""
        if url.startswith(("http://", "https://")):
            return EditAnswer(Verdict.DRAWN, url, conversation_id)
        verdict, error = Verdict.UNCERTAIN if result else Verdict.UNAVAILABLE, NoPicture(NO_PICTURE_CAME)
        return EditAnswer(verdict, conversation_id=conversation_id, error=error)
    refusal = classify_answer(status, document)
    if isinstance(document, dict) and isinstance(refusal, AccessRejected):
        raise refusal
    verdict = Verdict.UNCERTAIN if conversation_id else _judge(status, document, refusal)
    return EditAnswer(verdict, conversation_id=conversation_id, error=refusal)


def _judge(status: int, document: Any, refusal: GatewayError) -> Verdict:
    """Who refuses in the upstream's own words has drawn nothing; a page from between knows nothing of it."""
    if status in (404, 405):
        return Verdict.UNAVAILABLE
    if not isinstance(document, dict):
        return Verdict.UNCERTAIN if status == 200 or status >= 500 else Verdict.REFUSED
    return Verdict.REFUSED if isinstance(refusal, _NOT_ABOUT_THE_CALL) else Verdict.UNAVAILABLE
