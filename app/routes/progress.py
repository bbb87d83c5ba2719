"""Streams that begin at once, and say what is waited for until their answer does.

    request's greenlet  role ... "place 2 in the queue" ... heartbeat ... "searching" ...| the answer | close
    Subtask             acquire -> fetch, upload -> ask -> (the next account) -> commit  |

The reply is opened in a greenlet of its own, so that the stream can speak in every phase. Both belong to the
request's log: its `close` ends what has not come to its commit point, and waits until all is given back.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial

from flask import Response, g

from app.catalogue.message import tell
from app.catalogue.wait import WAITS
from app.core.request import Question
from app.core.size import measure_question
from app.core.usage import TokenEstimate, Usage
from app.core.wait import Wait
from app.exchange.reply import Reply
from app.formats.format import AskedProgress, ReplyHead
from app.gateway import Gateway
from app.hub import Subtask
from app.identifier import fold_id
from app.routes.holding import hold_more
from app.routes.reply import (
    answer_question,
    build_head,
    build_stream,
    close_reply,
    encode_failure,
    relay_reply,
)
from app.server.request_log import RequestLog


def answer_as_asked(known: Gateway, asked: list[AskedProgress]) -> Response:
    """Takes the one out, so that nobody but the answer holds texts that may be large."""
    answer = _answer_with_progress if asked[0].progress else answer_question
    return answer(known, asked.pop())


def _answer_with_progress(known: Gateway, asked: AskedProgress) -> Response:
    """As `answer_question`, of a request that is streamed. Whatever fails from here on is an error event."""
    request_log: RequestLog = g.request_log
    hold_more(measure_question(asked.question))
    request_log.begin_reply()
    opening = Subtask(partial(known.chat.open, asked.question, g.caller))
    request_log.on_close(lambda: _close(opening, request_log))
    heartbeat_seconds = known.settings.heartbeat_seconds
    # With tools the answer is compared to what was asked, to its end.
    release = _keep if asked.question.tools else g.body_share.close
    return build_stream(_relay(opening, asked, request_log, heartbeat_seconds, release))


def _relay(
    opening: Subtask[Wait, Reply],
    asked: AskedProgress,
    request_log: RequestLog,
    heartbeat_seconds: float,
    release_body: Callable[[], None],
) -> Iterator[bytes]:
    encoder = asked.build_encoder(_guess_head(asked.question), Usage(TokenEstimate()))
    yield encoder.start()
    try:
        for wait in opening.listen(heartbeat_seconds):
            yield encoder.heartbeat() if wait is None else encoder.encode_wait(wait, say_wait(wait))
        reply = opening.take()
    except Exception as exc:  # noqa: BLE001 - as in any stream
        yield encode_failure(exc, encoder, request_log)
        return
    request_log.account = reply.account
    usage = Usage(reply.prompt, reasoning=reply.hidden)
    answer = relay_reply(reply, encoder.begin_answer(build_head(reply, asked), usage), request_log)
    del asked, encoder  # as in `answer_question`
    release_body()
    yield from answer


def say_wait(wait: Wait) -> str:
    """A line for the client."""
    return tell(WAITS[wait.kind].fill(number=wait.number, count=wait.count)) + "\n"


def _guess_head(question: Question) -> ReplyHead:
    """Which conversation it will be is known where one goes on."""
    named = fold_id(question.continued_id or "")
    return ReplyHead(named or uuid.uuid4().hex, question.model, int(time.time()))


def _close(opening: Subtask[Wait, Reply], request_log: RequestLog) -> None:
    """Idempotent."""
    reply = opening.close()
    if reply is not None:
        close_reply(reply, request_log)
    elif request_log.outcome is None:
        request_log.outcome = "client gone"


def _keep() -> None:
    """The body is held until the request's end."""
