"""Files that come in a form, as OpenAI's clients send them."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from flask import request

from app.errors import InvalidRequest, UnsupportedValue
from app.exchange.attaching import Attachment


def read_picture(name: str, *, refused: Sequence[str] = ()) -> Attachment:
    """The one picture of a multipart form. Raises InvalidRequest or UnsupportedValue, naming the field.

    A form may say `name[]` as well, as clients do that can send several.
    """
    if request.mimetype != "multipart/form-data":
        raise InvalidRequest("Send a multipart form with the picture as a file.", param=name)
    for other in refused:
        if other in request.files:
            raise UnsupportedValue(f"`{other}` cannot be honoured: the upstream takes no mask.", param=other)
    sent = [*request.files.getlist(name), *request.files.getlist(f"{name}[]")]
    if not sent:
        raise InvalidRequest(f"The form holds no file `{name}`.", param=name)
    if len(sent) > 1:
        raise UnsupportedValue(f"One `{name}` at a time: several cannot be edited together.", param=name)
    kind = sent[0].mimetype if sent[0].mimetype.startswith("image/") else "image/png"
    data = base64.b64encode(sent[0].read()).decode("ascii")
    return Attachment(f"data:{kind};base64,{data}", sent[0].filename or "", name)
