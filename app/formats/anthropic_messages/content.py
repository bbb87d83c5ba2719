"""What blocks say, as parts of a neutral turn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from app.core.errors import InvalidRequest, UnsupportedValue
from app.core.request import FilePart, Part, TextPart
from app.formats.anthropic_messages.request import Block, Source
from app.formats.anthropic_messages.tool_change import tell_change

# Claude Code's first system block: changes with its versions and says nothing to a model.
_BILLING_MARK = "x-anthropic-billing-header:"

Placed = tuple[Block, str]


def place_blocks(content: str | Sequence[Block], place: str) -> list[Placed]:
    """Each block with its place; a text is one block."""
    if isinstance(content, str):
        return [(Block(type="text", text=content), place)]
    return [(block, f"{place}.{index}") for index, block in enumerate(content)]


def build_parts(blocks: Iterable[Placed]) -> tuple[Part, ...]:
    """Text, pictures and documents; thinking, searches and kinds that nobody knows are skipped.

    Raises InvalidRequest that names the place.
    """
    return tuple([part for block, place in blocks for part in _read_block(block, place)])


def build_system_parts(blocks: Iterable[Placed]) -> tuple[Part, ...]:
    """Without the header that an agent's bill is made by."""
    return build_parts([(_strip_billing(block), place) for block, place in blocks])


def _strip_billing(block: Block) -> Block:
    text = block.text or ""
    if not text.startswith(_BILLING_MARK):
        return block
    return Block(type="text", text=text.partition("\n")[2])


def _read_block(block: Block, place: str) -> Iterator[Part]:
    match block.type:
        case "text":
            if text := _read_text(block, place):
                yield TextPart(text)
        case "image" | "document":
            yield from _read_source(block, place)
        case "search_result":
            source = block.source if isinstance(block.source, str) else ""
            yield TextPart("\n".join(filter(None, (block.title, source))))
            yield from _read_content(block, place)
        case "compaction":  # what Anthropic made of earlier messages
            yield from _read_content(block, place)
        case "tool_reference" | "tool_addition" | "tool_removal" if words := tell_change(block):
            yield TextPart(words)


def _read_text(block: Block, place: str) -> str:
    if block.text is None:
        raise InvalidRequest("A text block needs `text`.", param=f"{place}.text")
    return block.text


def _read_content(block: Block, place: str) -> Iterator[Part]:
    if isinstance(block.content, str | list):
        yield from build_parts(place_blocks(block.content, f"{place}.content"))


def read_result(block: Block, place: str) -> tuple[Part, ...]:
    """What a tool gave: a text, blocks, or nothing."""
    return tuple(_read_content(block, place))


def _read_source(block: Block, place: str) -> Iterator[Part]:
    kind = "image" if block.type == "image" else "file"
    source, place = block.source, f"{place}.source"
    name = block.title or ""
    if not isinstance(source, Source):
        raise InvalidRequest(f"A block of type {block.type} needs `source`.", param=place)
    match source.type:
        case "base64" if source.data:
            url = f"data:{source.media_type or ''};base64,{source.data}"
            yield FilePart(kind, url, f"{place}.data", name)
        case "url" if source.url:
            yield FilePart(kind, source.url, f"{place}.url", name)
        case "text" | "content":
            yield from _read_written(block, source, place)
        case "file":
            words = "Files by id are not available here: send the bytes as base64, or an address."
            place = f"{place}.file_id"
            yield FilePart(kind, "", place, name, UnsupportedValue(words, param=place))
        case _:
            raise InvalidRequest("`source` holds no base64, url, text or content.", param=place)


def _read_written(block: Block, source: Source, place: str) -> Iterator[Part]:
    """A document that is text already stands in the prompt, behind its title."""
    head = "\n".join(filter(None, (block.title, block.context)))
    if head:
        yield TextPart(head)
    if source.data is not None:
        yield TextPart(source.data)
    elif source.content is not None:
        yield from build_parts(place_blocks(source.content, f"{place}.content"))
