"""Files that stand in a request, as several formats write them."""

from __future__ import annotations

from app.core.errors import UnsupportedValue


def as_data_url(data: str, media_type: object = "") -> str:
    """OpenAI takes bare base64 as well as a data: URL where only data may stand."""
    kind = media_type if isinstance(media_type, str) else ""
    return data if data[:5].lower() == "data:" else f"data:{kind};base64,{data}"


def refuse_file_id(place: str) -> UnsupportedValue:
    """Nothing is stored that an id could name."""
    return UnsupportedValue(
        "`file_id` is not available here: send the file as `file_data`, or its address as `file_url`.",
        param=place,
    )
