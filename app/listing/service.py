"""Who may see which list, and whom a name means."""

from __future__ import annotations

from app.accounts.authenticator import Caller
from app.accounts.pool import AccountPool
from app.core.listing import Listing
from app.core.model_name import may_name_assistant
from app.listing.cache import Listings


class ModelList:
    """Thread-safe; lives as long as the process.

    With gateway keys the accounts are the operator's, and so are their assistants: keys that are not `admin`
    neither see them nor reach them by name. Their ids, which nobody can guess, stay what they were.
    """

    def __init__(self, pool: AccountPool, listings: Listings) -> None:
        self._pool = pool
        self._listings = listings

    def look(self, caller: Caller) -> Listing:
        """What the upstream offers, after two seconds at most; what nobody knows is empty."""
        listing = self._listings.look(self._pool.get_or_add(caller.refresh_tokens))
        return Listing(listing.models or (), (listing.assistants or ()) if caller.may_see_accounts else ())

    def find_assistant(self, name: str, caller: Caller) -> str | None:
        """The id of the assistant that `name` means to `caller`, from what is known. Never waits."""
        if not may_name_assistant(name) or self._listings.is_empty or not caller.may_see_accounts:
            return None
        return self._listings.find_assistant(name, self._pool.get_or_add(caller.refresh_tokens))
