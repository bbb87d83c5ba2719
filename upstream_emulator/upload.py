"""The upload endpoints of both eras, and the one that is for something else (protocol notes 6.1, 6.2)."""

from __future__ import annotations

from upstream_emulator.call import Call
from upstream_emulator.fault import is_fault
from upstream_emulator.file import StoredFile
from upstream_emulator.form import FormFile

BAD_REQUEST = 400
ONE_FILE_BYTES = 100 * 1024 * 1024


def upload_2024(call: Call) -> None:
    """`POST backend-api/assistant/file_upload`: one form field, `file`; pictures and documents differ."""
    file = _receive(call, {})
    if file is not None:
        call.succeed(_build_picture(file) if file.is_picture else _build_document(file))


def upload_2026(call: Call) -> None:
    """`POST productivity-api/file/chat_upload`: `file`, alone or with `from=chat` and an assistant.

    The result is an object (protocol notes 0.2 row 13); `upload_next` may ask for the `list` or for the older
    `object` with a `source_id`.
    """
    account = call.caller
    shape = account.next_uploads[0] if account.next_uploads else ""
    if shape in ("object", "list"):
        account.next_uploads.popleft()
    file = _receive(call, {"from": "chat"})
    if file is None:
        return
    if shape == "list":
        call.succeed([{"file_id": file.id, "file_url": file.url}])
    elif shape == "object":
        call.succeed({"source_id": file.id, "file_type": file.type} | _build_common(file))
    else:
        call.succeed(_build_common(file))


def upload_knowledge(call: Call) -> None:
    """`POST backend-api/assistant/file/upload` is for knowledge bases: nobody here may use it."""
    call.fail("forbidden")


def _receive(call: Call, wanted: dict[str, str]) -> StoredFile | None:
    """Keeps the file of a good upload; None when it has been refused."""
    account, form = call.caller, call.request.form
    fault = account.next_uploads.popleft() if account.next_uploads else ""
    if is_fault(fault):
        call.fail(fault)
        return None
    file = form.files.get("file") if form is not None and form.is_whole else None
    fields = form.fields if form is not None else {}
    has_fields = not fields or all(fields.get(name) == value for name, value in wanted.items())
    if file is None or not has_fields or (wanted and fields and not fields.get("assistant_id")):
        call.refuse(400, BAD_REQUEST, "bad request")
        return None
    return _keep(call, file)


def _keep(call: Call, file: FormFile) -> StoredFile | None:
    if file.size > ONE_FILE_BYTES:
        call.fail("large413")
        return None
    if not file.size or not file.name or not file.content_type:
        call.refuse(400, BAD_REQUEST, "bad request")
        return None
    return call.world.files.add(call.caller.name, file)


def _build_common(file: StoredFile) -> dict[str, object]:
    # The size is 0 in the captured answers, whatever the file's.
    return {"file_id": file.id, "file_name": file.name, "file_size": 0, "file_url": file.url}


def _build_picture(file: StoredFile) -> dict[str, object]:
    return _build_common(file) | {"height": file.height, "width": file.width}


def _build_document(file: StoredFile) -> dict[str, object]:
    length: dict[str, object] = {"content_length": file.size, "content_raw_length": file.size}
    empty: dict[str, object] = {"questions": [], "questions_usage": {}, "summary": "", "summary_usage": {}}
    return length | _build_common(file) | empty
