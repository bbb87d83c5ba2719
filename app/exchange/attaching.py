"""Bringing attachments to the account that is asked: fetched once a request, uploaded once an account."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from msgspec.structs import replace

from app.accounts.account import Account
from app.auth_token import AccessToken
from app.catalogue import file as says
from app.catalogue.message import Message
from app.catalogue.upstream import FILE_NOT_TAKEN
from app.core.errors import InvalidRequest, UpstreamTimeout
from app.core.request import Attachment
from app.core.wait import TellWait, Wait
from app.files.attachment import Claim, clean_name, name_from_path
from app.files.fetch import Fetcher
from app.files.link import host_of
from app.files.spool import SpooledFile
from app.hub import Deadline
from app.upstream.client import UpstreamClient
from app.upstream.upload import UploadedFile

_REMEMBERED_SECONDS = 3600.0
_MAX_REMEMBERED = 2000
_MAX_NAME_CHARS = 60
_EARLIER_SECONDS = 5.0
"""For fetching what earlier turns carried, in all: no chat waits long for a link that is dead by now."""
_FILE_NAME = re.compile(r".{1,50}\.\w{2,5}")


class UploadMemory:
    """What each login has upstream, by its bytes. One thread at a time, and no greenlet waits inside."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._uploads: OrderedDict[tuple[str, str], tuple[float, UploadedFile]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._uploads)

    def find(self, owner: str, file: SpooledFile) -> UploadedFile | None:
        """The upload of the same bytes within the hour, under the name they have now."""
        found = self._uploads.get((owner, file.sha256))
        if found is None or found[0] < self._clock():
            return None
        return replace(found[1], name=file.name)

    def add(self, owner: str, file: SpooledFile, uploaded: UploadedFile) -> None:
        self._uploads.pop((owner, file.sha256), None)
        self._uploads[owner, file.sha256] = (self._clock() + _REMEMBERED_SECONDS, uploaded)
        while len(self._uploads) > _MAX_REMEMBERED:
            self._uploads.popitem(last=False)


class Attacher:
    """Thread-safe; lives as long as the process."""

    def __init__(
        self, fetcher: Fetcher, upstream: UpstreamClient, *, max_files: int, timeout_seconds: float
    ) -> None:
        self._max_files = max_files
        self.fetcher = fetcher
        self.upstream = upstream
        self.memory = UploadMemory()
        self.timeout_seconds = timeout_seconds
        """For fetching all files of a request, and for uploading each."""

    def collect(self, attachments: Sequence[Attachment]) -> AttachedFiles:
        """Check what can be checked before anything is fetched. The caller closes what it gets.

        Raises InvalidFileUrl and InvalidRequest, naming the place.
        """
        if len(attachments) > self._max_files:
            raise InvalidRequest(
                says.TOO_MANY.fill(max_files=self._max_files, count=len(attachments)),
                param=attachments[self._max_files].place,
            )
        kept = []
        for number, attachment in enumerate(attachments, 1):
            with _named(attachment, number, len(attachments)):
                if attachment.file is None:
                    self.fetcher.check(attachment.url)
                kept.append(attachment)
        return AttachedFiles(self, kept)


class AttachedFiles:
    """The files of one request. Holds their spools until `close`, so that a next account can have them."""

    def __init__(self, attacher: Attacher, attachments: Sequence[Attachment]) -> None:
        self._attacher = attacher
        self._attachments = list(attachments)
        self._files: dict[int, SpooledFile] = {}  # by their place among the attachments
        self._seconds_left = attacher.timeout_seconds
        self._earlier_seconds_left = _EARLIER_SECONDS

    def __repr__(self) -> str:
        return f"<AttachedFiles {len(self._files)} of {len(self._attachments)}>"

    def __bool__(self) -> bool:
        return bool(self._attachments)

    def give(
        self, account: Account, token: AccessToken, tell: TellWait | None = None
    ) -> tuple[UploadedFile, ...]:
        """Fetch what is not here yet, and upload what this account does not have yet; `tell` is told of each.

        Raises what is wrong with a file, naming its place, or with the account.
        """
        self._fetch_all(tell)
        uploaded, count = [], len(self._attachments)
        for number, attachment in enumerate(self._attachments, 1):
            file = self._files[number - 1]
            with _named(attachment, number, count):
                known = self._attacher.memory.find(account.owner, file)
                if known is None and tell is not None:
                    tell(Wait("upload", number, count))
                uploaded.append(known or self._upload(file, account, token))
        return tuple(uploaded)

    def _fetch_all(self, tell: TellWait | None) -> None:
        """First what has to be there, then the newest of what earlier turns carried. What of that cannot be
        had is left out, also for a next account.
        """
        count = len(self._attachments)
        needed = [index for index in range(count) if not self._attachments[index].is_optional]
        earlier = [index for index in reversed(range(count)) if self._attachments[index].is_optional]
        for index in [*needed, *earlier]:
            attachment = self._attachments[index]
            if index in self._files:
                continue
            with _named(attachment, index + 1, count):
                if attachment.file is None and tell is not None:
                    tell(Wait("fetch", index + 1, count))
                self._files[index] = self._fetch(attachment)
        had = sorted(self._files)
        self._attachments = [self._attachments[index] for index in had]
        self._files = {place: self._files[index] for place, index in enumerate(had)}

    def _fetch(self, attachment: Attachment) -> SpooledFile:
        fetcher, param = self._attacher.fetcher, attachment.place
        if attachment.file is not None:
            claim = Claim(attachment.name, attachment.media_type, is_promised=True)
            return fetcher.copy(attachment.file, claim, param=param)
        seconds = self._seconds_left
        if attachment.is_optional:
            seconds = min(seconds, self._earlier_seconds_left)
        begun_at = time.monotonic()
        try:
            return fetcher.fetch(attachment.url, name=attachment.name, param=param, seconds=seconds)
        finally:
            passed = time.monotonic() - begun_at
            self._seconds_left -= passed
            if attachment.is_optional:
                self._earlier_seconds_left -= passed

    def _upload(self, file: SpooledFile, account: Account, token: AccessToken) -> UploadedFile:
        seconds = self._attacher.timeout_seconds
        with Deadline(seconds, UpstreamTimeout(FILE_NOT_TAKEN)):
            uploaded = self._attacher.upstream.upload(token, file, timeout_seconds=seconds)
        self._attacher.memory.add(account.owner, file, uploaded)
        return uploaded

    def close(self) -> None:
        """Idempotent: nothing of the files is left."""
        for file in self._files.values():
            file.close()


@contextmanager
def _named(attachment: Attachment, number: int, count: int) -> Iterator[None]:
    """What is wrong with a file says which file it is: its name, and its place in the request. That of an
    optional one does not matter.
    """
    try:
        yield
    except InvalidRequest as error:
        if attachment.is_optional:
            return
        error.param = attachment.place
        which = says.THE_FILE if count == 1 else says.ONE_OF_THE_FILES
        name = _name(attachment)
        error.said = error.said.then(
            which.fill(number=number, count=count, name=name, place=attachment.place)
        )
        raise


def _name(attachment: Attachment) -> str | Message:
    """As the caller knows it. Of an address only what looks like a file's name: the rest may be secret."""
    if attachment.name or attachment.file is not None:
        return clean_name(attachment.name)[:_MAX_NAME_CHARS] or says.UNNAMED
    if not host_of(attachment.url):
        return says.INLINE
    name = clean_name(name_from_path(urlsplit(attachment.url).path))
    return name if _FILE_NAME.fullmatch(name) else says.LINK
