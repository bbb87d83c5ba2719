"""`requests` without the libraries by which it guesses encodings: three megabytes, and a later start.

Nothing here asks it for a text: answers are read as bytes, and say what they are. Where neither library is
installed it takes UTF-8.
"""

from __future__ import annotations

import sys
import warnings

_LIBRARIES = ("chardet", "charset_normalizer")


def leave_out() -> None:
    """Import `requests` now, as if these libraries were not installed; others can import them later."""
    absent = [name for name in _LIBRARIES if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # with None, importing fails
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has to do without
            import requests  # noqa: F401, PLC0415
    finally:
        for name in absent:
            del sys.modules[name]
