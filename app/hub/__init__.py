"""The one package that knows gevent by name: waiting for sockets, deadlines, clients that go away.

Everything else blocks through the standard library, which gunicorn's gevent worker makes cooperative.

Rules of cancellation. A request is one greenlet; it is ended by an exception that is thrown into it where it
waits (queue, DNS, socket, lock). Code that does not wait is never interrupted.

    thrown by      what           when
    ClientWatch    ClientGone     the peer hung up while its reply is open
    ActiveRequests ClientGone     the client has read nothing for GLM_CLIENT_WRITE_SECONDS
    ActiveRequests ShuttingDown   the drain is over; ClientGone where the request waits for its client
    Deadline       its error      the time is over; only inside its own `with`

1. ClientGone is no Exception. Who catches BaseException gives back what it holds and raises again.
2. `interrupt` is how ClientWatch and ActiveRequests throw. Inside of `with Shield(seconds):` it waits: what
   was thrown is raised at the end of the block, or where the request waits once the seconds are over.
3. Two things are shielded. The first is naming what the upstream begins, for NAME_SECONDS: without its name
   nobody could delete it. The second is giving back, for as long as it takes: after a failed attempt, and at
   the end of the request (`Client.shield`, called by server/request_log.py). A Deadline inside comes through.
4. What must survive its request (a refresh, stopping an answer, a deletion, a call that edits a picture) runs
   in a thread of its own, into which nobody throws.
5. A Subtask is a greenlet too, of which the request stays the owner: what is thrown into the request does
   not reach it, and the end of the request throws ClientGone into it and waits until it has given back.
6. Throwing is for callbacks of the event loop: the greenlet runs at once, up to where it waits next.

So a client leaves the queue: its socket is readable -> ClientWatch throws -> ClientGone comes out of
`waiter.turn.wait` in AccountPool.acquire, which leaves the queue and raises on -> the
request's log is closed.
"""

from app.hub.cancellation import NAME_SECONDS, ClientGone, GreenletExit, Shield, interrupt
from app.hub.client import Client, ClientWatch, is_readable, is_reset
from app.hub.loop import (
    Deadline,
    Lookups,
    Readiness,
    RepeatingTimer,
    call_in_loop,
    call_soon,
    close_thread_loop,
    cooperate,
    limit_accepts,
    send_all,
)
from app.hub.round import Rounds, is_round_long
from app.hub.subtask import Subtask

__all__ = [
    "NAME_SECONDS",
    "Client",
    "ClientGone",
    "ClientWatch",
    "Deadline",
    "GreenletExit",
    "Lookups",
    "Readiness",
    "RepeatingTimer",
    "Rounds",
    "Shield",
    "Subtask",
    "call_in_loop",
    "call_soon",
    "close_thread_loop",
    "cooperate",
    "interrupt",
    "is_readable",
    "is_reset",
    "is_round_long",
    "limit_accepts",
    "send_all",
]
