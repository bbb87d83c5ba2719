"""Files that come in a form, as OpenAI's clients send them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, cast

from flask import request

from app.core.errors import InvalidRequest, UnsupportedValue
from app.core.request import Attachment
from app.routes.body import read_form


def read_picture(name: str, *, refused: Sequence[str] = ()) -> Attachment:
    """The one picture of a multipart form, still in the file that it was parsed into.

    Raises InvalidRequest or UnsupportedValue, naming the field, and what `read_form` raises.

    A form may say `name[]` as well, as clients do that can send several.
    """
    if request.mimetype != "multipart/form-data":
        raise InvalidRequest("Send a multipart form with the picture as a file.", param=name)
    read_form()
    for other in refused:
        if other in request.files:
            raise UnsupportedValue(f"`{other}` cannot be honoured: the upstream takes no mask.", param=other)
    sent = [*request.files.getlist(name), *request.files.getlist(f"{name}[]")]
    if not sent:
        raise InvalidRequest(f"The form holds no file `{name}`.", param=name)
    if len(sent) > 1:
        raise UnsupportedValue(f"One `{name}` at a time: several cannot be edited together.", param=name)
    kind = sent[0].mimetype if sent[0].mimetype.startswith("image/") else "image/png"
    return Attachment("", sent[0].filename or "", name, cast(BinaryIO, sent[0].stream), kind)
