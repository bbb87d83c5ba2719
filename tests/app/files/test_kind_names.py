"""Every kind of file has its name in Chinese, too."""

from __future__ import annotations

import re

import pytest

from app.catalogue.file import NO_PICTURE, name_kind
from app.files import media
from app.files.media import Media

LABELS = {kind.label for kind in vars(media).values() if isinstance(kind, Media)} | {
    label for *_, label in media._UNREADABLE
}


@pytest.mark.parametrize("label", sorted(LABELS))
def test_a_kind_is_named_in_both_languages(label: str) -> None:
    told = NO_PICTURE.fill(kind=name_kind(label))
    assert told.en.endswith(f"it is a {label}.")
    assert re.search(r"实际是(\w+ )?[\u4e00-\u9fff]+。$", told.zh), told.zh
