"""Drawing on listed replies: what the upstream draws and says goes in, questions and pictures come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from app.accounts.authenticator import Caller
from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.config import Settings
from app.core.errors import GatewayError
from app.core.event import ImageAdded, ReplyEvent, ReplyFinished
from app.core.request import DrawingRequest, DrawnPicture
from app.images.service import ImageService
from app.state import MEMORY, open_state
from tests.clock import Clock

FINISHED = ReplyFinished("stop")

Step = ReplyEvent | GatewayError
Reply = tuple[int, Sequence[Step]] | GatewayError
"""The index of the account that answers and what it says, or why nobody answers."""


def drawn(number: int, revised: str | None = None) -> ImageAdded:
    url = f"https://x/{number}.png"
    return ImageAdded(f"![image]({url})", url, revised)


class ListedReply:
    """Stands for a Reply of `account`: gives its events, one at a time, and raises its errors."""

    def __init__(self, account: str, *steps: Step) -> None:
        self.account = account
        self._steps = list(steps)
        self.closed = 0

    @property
    def finished(self) -> bool:
        return not self._steps

    def read(self) -> list[ReplyEvent] | None:
        step = self._steps.pop(0)
        if isinstance(step, GatewayError):
            raise step
        return [step]

    def close(self) -> None:
        self.closed += 1


class Files:
    """Stands for AttachedFiles."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


class Rig:
    """A service whose replies are listed."""

    def __init__(self, *replies: Reply, takes: float = 0.0) -> None:
        self._replies = list(replies)
        self._takes = takes
        self.clock = Clock()
        self.asked: list[tuple[int, str]] = []
        """How many accounts could answer, and the prompt."""
        self.opened: list[ListedReply] = []
        self.files = Files()
        self.plans: list[Any] = []
        self.fetched: list[str] = []
        self.held: list[int] = []
        self.pool = AccountPool(Logins(open_state(MEMORY)))
        rig: Any = self
        settings = Settings(max_reply_seconds=100)
        self._service = ImageService(settings, self.pool, rig, rig, rig, rig, self.clock)

    # The parts that the service asks.

    def collect(self, attachments: object) -> Files:
        return self.files

    def fetch(self, url: str, hold: Callable[[int], None]) -> str:
        self.fetched.append(url)
        hold(len(url))
        return f"bytes of {url}"

    def open(self, plan: Any) -> ListedReply:
        self.plans.append(plan)
        self.asked.append((len(plan.accounts), plan.question.prompt))
        self.clock.now += self._takes
        reply = self._replies.pop(0)
        if isinstance(reply, GatewayError):
            raise reply
        index, steps = reply
        self.opened.append(ListedReply(plan.accounts[index].label, *steps))
        return self.opened[-1]

    def draw(
        self, prompt: str = "画猫", count: int = 1, accounts: str = "ab", **fields: Any
    ) -> list[DrawnPicture]:
        request = DrawingRequest(prompt, fields.pop("model", "cogview-3"), count, "1:1", **fields)
        return self._service.draw(request, Caller("", "", tuple(accounts)), hold=self.held.append)
