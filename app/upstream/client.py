"""The upstream over HTTP: the only module that uses `requests` towards it.

Calls go through one HTTPAdapter without a Session, so that there is no cookie jar in which accounts could mix
(decisions/0003), and redirects are never followed with a token in hand.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import requests

from app.auth_token import AccessToken, RefreshedTokens, is_sendable, parse_access_token, read_device_id
from app.core.errors import ConversationNotFound, GatewayError, UpstreamInvalid
from app.upstream.adapter import (
    UpstreamAdapter,
    give_back,
    is_compressed,
    open_body,
    read_answer,
    translate,
    was_stale,
)
from app.upstream.deadline import CallDeadline
from app.upstream.deletion import Calls, IsGone, build_deletions, is_dead_deletion, is_missing
from app.upstream.envelope import (
    classify_answer,
    classify_missing_stream,
    classify_refresh,
    first_string,
    is_success,
)
from app.upstream.header import BROWSER_HEADERS
from app.upstream.probe import PLACEHOLDER_TOKEN, ProbeResult, read_probe
from app.upstream.request import DEFAULT_ASSISTANT_ID, StreamRequest, build_stream_body
from app.upstream.signature import sign
from app.upstream.sse import build_answer_budget
from app.upstream.stream import AnswerStream
from app.upstream.upload import (
    UPLOAD_PATH,
    UPLOAD_PATH_2024,
    MultipartBody,
    Upload,
    UploadedFile,
    is_wrong_place,
    parse_upload,
)

_STREAM_PATH = "/chatglm/backend-api/assistant/stream"
_REFRESH_PATH = "/chatglm/user-api/user/refresh"
_REFRESH_PATH_2024 = "/chatglm/backend-api/v1/user/refresh"
_CONTINUE_PATH = "/chatglm/mainchat-api/stream/continue_stream"
_STOP_PATH = "/chatglm/mainchat-api/stream/stop_stream"

# What is paid for: a lost connection does not say whether it was begun.
_SENT_ONCE = frozenset({"/chatglm/drawing-api/v1/image/reference", "/chatglm/video-api/v1/chat"})

_CALL_SECONDS = 15.0
_MAX_CONNECTIONS = 2048

Body = bytes | MultipartBody
_REFRESH_CALLS: Calls = ((_REFRESH_PATH, {}), (_REFRESH_PATH_2024, {}))


class UpstreamAddress(msgspec.Struct, frozen=True):
    """Where the upstream is and how to talk to it; times in seconds."""

    url: str
    sign_secret: str
    proxy: str | None
    connect_timeout_seconds: float


class UpstreamClient:
    """Thread-safe. Every method raises the GatewayError that the upstream's behaviour amounts to.

    Every call has one time for its whole, from the connection to the last byte of its document, and ends with
    UpstreamTimeout when that is over, whatever the upstream sends meanwhile.
    """

    def __init__(self, address: UpstreamAddress, clock: Callable[[], float] = time.time) -> None:
        self._address = address
        self._clock = clock
        self._proxies = {"http": address.proxy, "https": address.proxy} if address.proxy else {}
        self._adapter = UpstreamAdapter(_MAX_CONNECTIONS)
        self._room = build_answer_budget()

    def open_stream(
        self, access_token: AccessToken, request: StreamRequest, *, timeout_seconds: float
    ) -> AnswerStream:
        """Ask, and return the answer's stream, which the caller closes. The time ends with its headers."""
        read = partial(AnswerStream, reads_calls=request.reads_calls, reads_searches=request.reads_searches)
        return self._open(_STREAM_PATH, access_token, build_stream_body(request), read, timeout_seconds)

    def continue_stream(
        self, access_token: AccessToken, cut: AnswerStream, *, timeout_seconds: float
    ) -> AnswerStream:
        """Ask for the rest of an answer that was cut (protocol notes 0.2 row 5); as `open_stream`."""
        body = {"history_id": cut.answer_id, "logic_id": str(uuid.uuid4())}
        read = partial(AnswerStream, resumes=cut.interrupt())
        return self._open(_CONTINUE_PATH, access_token, msgspec.json.encode(body), read, timeout_seconds)

    def _open(
        self, path: str, token: AccessToken, body: bytes, read: Callable[..., AnswerStream], seconds: float
    ) -> AnswerStream:
        with CallDeadline(seconds) as deadline:
            response = self._call(path, token.value, token.device_id, body, deadline, "text/event-stream")
            kind = response.headers.get("Content-Type", "")
            if response.status_code == 200 and "text/event-stream" in kind and not is_compressed(response):
                return read(open_body(response), partial(give_back, response), room=self._room)
            raise _read_refusal(response, deadline)

    def stop_answer(self, access_token: AccessToken, answer_id: str) -> None:
        """Have the upstream end an answer whose stream was closed (protocol notes 10)."""
        self._post(((_STOP_PATH, {"history_id": answer_id}),), access_token.value, access_token.device_id)

    def refresh(self, refresh_token: str) -> RefreshedTokens:
        """Exchange a refresh token. Raises AccessRejected where the upstream itself refuses it."""
        response, document = self._try(_REFRESH_CALLS, refresh_token, _device_of(refresh_token))
        if response.status_code != 200 or not is_success(document):
            raise classify_refresh(response.status_code, document)
        result = document.get("result")
        access = first_string(result, "access_token", "accessToken")
        if access is None or not is_sendable(access):
            raise UpstreamInvalid("The upstream refreshed a token without giving a new one.")
        return RefreshedTokens(
            access_token=parse_access_token(access, now=self._clock()),
            refresh_token=first_string(result, "refresh_token", "refreshToken"),
            user_id=first_string(result, "user_id"),
            is_guest=result.get("is_guest") is True,
        )

    def probe(self) -> ProbeResult:
        """Ask for nobody's tokens, which no account notices. Raises what keeps calls from getting there."""
        response, document = self._try(_REFRESH_CALLS, PLACEHOLDER_TOKEN, _device_of(PLACEHOLDER_TOKEN))
        return read_probe(response.status_code, response.headers, document)

    def delete_conversation(self, access_token: AccessToken, conversation_id: str, assistant_id: str) -> None:
        """Remove a conversation from the account's history; one that is not there any more is removed.

        Raises UpstreamInvalid where an id is missing: without one, such a call may delete everything.
        """
        calls = build_deletions(conversation_id, assistant_id)
        try:
            self._post(calls, access_token.value, access_token.device_id, is_gone=is_dead_deletion)
        except ConversationNotFound:
            return

    def upload(
        self,
        access_token: AccessToken,
        file: Upload,
        *,
        timeout_seconds: float,
        assistant_id: str = DEFAULT_ASSISTANT_ID,
    ) -> UploadedFile:
        """Give the account a file, straight from its spool, at every place that may take it.

        Raises FileTooLarge or PromptTooLong where the upstream will not read it, whoever asks.
        """
        fields = {"from": "chat", "assistant_id": assistant_id}
        calls: tuple[tuple[str, dict[str, str]], ...] = ((UPLOAD_PATH, fields), (UPLOAD_PATH_2024, {}))
        with CallDeadline(timeout_seconds) as deadline:
            for path, fields in calls:
                body = MultipartBody(file, fields)
                response = self._call(
                    path, access_token.value, access_token.device_id, body, deadline, "application/json"
                )
                document = read_answer(response, deadline.left_seconds)
                if not is_wrong_place(response.status_code, document):
                    break
        return parse_upload(response.status_code, document, file)

    def ask(
        self,
        method: str,
        path: str,
        token: AccessToken,
        body: Body,
        timeout_seconds: float,
        *,
        missing: GatewayError | None = None,
    ) -> Any:
        """The result of one short call that has no earlier era.

        Raises `missing` where the upstream, and not just its web server, says that it has no such thing.
        """
        status, document = self.exchange(method, path, token, body, timeout_seconds)
        if missing is not None and status == 404 and isinstance(document, dict):
            raise missing
        if status != 200 or not is_success(document):
            raise classify_answer(status, document)
        return document.get("result")

    def exchange(
        self,
        method: str,
        path: str,
        token: AccessToken,
        body: Body,
        timeout_seconds: float,
    ) -> tuple[int, Any]:
        """The HTTP status and the document, None without JSON, that one call is answered with."""
        with CallDeadline(timeout_seconds) as deadline:
            bearer, device_id, accept = token.value, token.device_id, "application/json"
            response = self._call(path, bearer, device_id, body, deadline, accept, method)
            return response.status_code, read_answer(response, deadline.left_seconds)

    def close(self) -> None:
        self._adapter.close()

    def _post(self, calls: Calls, bearer: str, device_id: str, is_gone: IsGone = is_missing) -> None:
        response, document = self._try(calls, bearer, device_id, is_gone)
        if response.status_code != 200 or not is_success(document):
            raise classify_answer(response.status_code, document)

    def _try(
        self, calls: Calls, bearer: str, device_id: str, is_gone: IsGone = is_missing
    ) -> tuple[requests.Response, Any]:
        """Make the first of `calls` that exists; the later ones are those of earlier eras."""
        with CallDeadline(_CALL_SECONDS) as deadline:
            for path, body in calls:
                payload = msgspec.json.encode(body)
                response = self._call(path, bearer, device_id, payload, deadline, "application/json")
                document = read_answer(response, deadline.left_seconds)
                if not is_gone(response.status_code, document):
                    break
        return response, document

    def _call(
        self,
        path: str,
        bearer: str,
        device_id: str,
        body: Body,
        deadline: CallDeadline,
        accept: str,
        method: str = "POST",
    ) -> requests.Response:
        """The answer's head, its body still to be read."""
        for is_last in (True,) if path in _SENT_ONCE else (False, True):
            if not isinstance(body, bytes):
                body.rewind(deadline.left_seconds)
            prepared = self._prepare(path, bearer, device_id, body, accept)
            prepared.method = method
            left = deadline.left_seconds()
            timeout = (min(self._address.connect_timeout_seconds, left), left)
            try:
                response = self._adapter.send(prepared, stream=True, timeout=timeout, proxies=self._proxies)
                prepared.body = None  # the answer keeps its request, and would keep the prompt with it
                return response
            except requests.RequestException as exc:
                if is_last or not was_stale(exc):
                    raise translate(exc) from exc
        raise AssertionError("unreachable")

    def _prepare(
        self, path: str, bearer: str, device_id: str, body: Body, accept: str
    ) -> requests.PreparedRequest:
        """Built by hand: `Request.prepare` costs as much as all the rest of a short call."""
        prepared = requests.PreparedRequest()
        prepared.method = "POST"
        prepared.url = self._address.url + path
        prepared.body = body  # type: ignore[assignment]  # anything that has `read` and a length
        headers = BROWSER_HEADERS | {
            "Accept": accept,
            "Authorization": f"Bearer {bearer}",
            "X-Device-Id": device_id,
            "X-Request-Id": uuid.uuid4().hex,
        }
        if isinstance(body, bytes):
            headers["Content-Length"] = str(len(body))
        else:
            headers |= {"Content-Length": str(body.length_bytes), "Content-Type": body.content_type}
        headers |= sign(now_seconds=self._clock(), nonce=uuid.uuid4().hex, secret=self._address.sign_secret)
        prepared.headers = headers  # type: ignore[assignment]  # names are ours: no need to fold their case
        return prepared


def _device_of(refresh_token: str) -> str:
    """The device that the token names (protocol notes 0.2 row 19), else one fixed for it."""
    fixed = hashlib.md5(refresh_token.encode(), usedforsecurity=False).hexdigest()
    return read_device_id(refresh_token) or fixed


def _read_refusal(response: requests.Response, deadline: CallDeadline) -> GatewayError:
    """The error for an answer that is no event stream."""
    status = response.status_code
    if status == 200 and is_compressed(response):
        response.close()
        return UpstreamInvalid("The upstream compressed its answer although it was asked not to.")
    return classify_missing_stream(status, read_answer(response, deadline.left_seconds))
