"""Every "protocol notes 4.5" in the repository leads to a section of docs/protocol.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.event import ReplyEvent, ReplyFinished, TextDelta
from app.upstream.frames import parse_frame
from app.upstream.reducer import Reducer

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/protocol.md").read_text("utf-8")
TEXT_SUFFIXES = {".html", ".js", ".json", ".md", ".mjs", ".py", ".toml", ".yaml", ".yml"}
FOLDERS = ("app", "bench", "demo", "docs", "tests", "upstream_emulator")
OTHERS = ("CHANGELOG.md", "CONTRIBUTING.md", "README.md", "README.zh-CN.md", "SECURITY.md")
TRANSCRIPTS = ROOT / "tests/fixtures/frames"

# "4.4", "4.2-4.4", "1.2 - 1.4, 10", "2.3, 4.8 and 5", "0.1 item 3, 4.8", "2.2 (how) and 2.3"; no years.
_SECTION = r"\d{1,2}(?!\d)(?:\.\d{1,2})?"
_PLACE = rf"{_SECTION}(?:,? (?:item|rule) \d+| \([^()]*\)| [a-j]\d?\b)?"
_CITATION = re.compile(rf"protocol notes ({_PLACE}(?:(?:, | and | ?[-–] ?){_PLACE})*)", re.IGNORECASE)
# A paragraph goes on in the next line, in a comment after its sign.
_LINE_BREAK = re.compile(r"\s*\n\s*(?:#\s*|//\s*|\*\s+)?")


def list_files() -> Iterator[Path]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in TEXT_SUFFIXES and "node_modules" not in path.parts and path != Path(__file__):
                yield path
    yield from (ROOT / name for name in OTHERS)


def find_citations(text: str) -> list[str]:
    """What follows "protocol notes" where it names sections, as it stands there."""
    return _CITATION.findall(_LINE_BREAK.sub(" ", text))


def split_citation(citation: str) -> list[tuple[str, str]]:
    """(section, what is cited in it): `item 3`, `rule 2`, `(d2)`, `h`, a remark in brackets, or nothing."""
    places = re.findall(_PLACE, citation)
    return [(re.findall(_SECTION, place)[0], re.sub(rf"^{_SECTION},? ?", "", place)) for place in places]


def read_sections(page: str) -> dict[str, str]:
    """Number -> text below the heading, up to the next heading of any level."""
    pieces = re.split(r"^##+ (\d+(?:\.\d+)?)\.? .*$", page, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def has_detail(section: str, detail: str) -> bool:
    """Whether the section has the numbered point or the lettered row; other remarks need none."""
    if point := re.fullmatch(r"(?:item|rule) (\d+)", detail):
        return f"\n{point.group(1)}. " in section
    if row := re.fullmatch(r"\(?([a-j]\d?)\)?", detail):
        return f"\n| ({row.group(1)}) | " in section
    return True


def find_dead(text: str, page: str) -> list[str]:
    """The citations in `text` that lead nowhere on `page`."""
    sections = read_sections(page)
    return [
        citation
        for citation in find_citations(text)
        for number, detail in split_citation(citation)
        if number not in sections or not has_detail(sections[number], detail)
    ]


def test_every_citation_leads_to_a_section() -> None:
    dead = {str(path.relative_to(ROOT)): find_dead(path.read_text("utf-8"), PAGE) for path in list_files()}
    assert {path: citations for path, citations in dead.items() if citations} == {}


def test_the_citations_are_found() -> None:
    """The test above is worth nothing where it reads none: each module of the protocol names its source."""
    cited = {path for path in list_files() if find_citations(path.read_text("utf-8"))}
    assert len(cited) > 50
    assert {
        ROOT / "app/upstream/merge.py",
        ROOT / "upstream_emulator/frame.py",
        ROOT / "bench/answer.py",
    } <= cited


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("(protocol notes 4.5).", ["4.5"]),
        ("Protocol notes 9: a deletion", ["9"]),
        ("protocol notes 4.2-4.4), 3 - 5", ["4.2", "4.4"]),
        ("protocol notes 1.2 - 1.4, 10).", ["1.2", "1.4", "10"]),
        ("protocol notes 2.3, 4.8 and 5.", ["2.3", "4.8", "5"]),
        ("Protocol notes 2.2 (algorithm, secret) and 2.3 (codes).", ["2.2", "2.3"]),
        ("protocol notes 0.1 item 3, 4.8)", ["0.1", "4.8"]),
        ("protocol notes 4.9 h), two", ["4.9"]),
        ("protocol notes 4.4, 2024).", ["4.4"]),
        ("# as the protocol\n    # notes 4.5 say", ["4.5"]),
        ("the protocol notes alone; 4.5", []),
    ],
)
def test_a_citation_is_read(text: str, sections: list[str]) -> None:
    found = [number for citation in find_citations(text) for number, _ in split_citation(citation)]
    assert found == sections


@pytest.mark.parametrize(
    ("text", "dead"),
    [
        ("protocol notes 4.5", []),
        ("protocol notes 4.6", ["4.6"]),
        ("protocol notes 4.5, 6", ["4.5, 6"]),
        ("protocol notes 4.5, rule 1", []),
        ("protocol notes 4.5, rule 2", ["4.5, rule 2"]),
        ("protocol notes 4.5 (d2): search", []),
        ("protocol notes 4.5 e)", ["4.5 e"]),
        ("protocol notes 4.5 (in brackets)", []),
    ],
)
def test_a_dead_citation_is_named(text: str, dead: list[str]) -> None:
    page = "# Notes\n\n## 4. Answer\n\n### 4.5 Styles\n\n1. One rule.\n\n| (d2) | E4 | search |\n"
    assert find_dead(text, page) == dead


def list_examples() -> list[object]:
    blocks = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    decoder, examples = json.JSONDecoder(), []
    for block in blocks:
        rest = block.strip()
        while rest:
            example, end = decoder.raw_decode(rest)
            examples.append(example)
            rest = rest[end:].strip()
    return examples


def test_the_examples_are_json() -> None:
    assert len(list_examples()) > 10


def test_the_whole_answer_on_the_page_is_one() -> None:
    """Transcript (b), through the reader of frames as it stands."""
    section = read_sections(PAGE)["4.9"]
    frames = re.findall(r"^\{.*\}$", section, re.MULTILINE)
    reducer = Reducer()
    events: list[ReplyEvent] = [
        event for frame in frames for event in reducer.reduce(parse_frame(frame.encode()))
    ]
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["The Brocken", " is high."]
    assert isinstance(events[-1], ReplyFinished)


def test_every_transcript_has_a_row() -> None:
    letters = {path.stem.split("-")[1] for path in TRANSCRIPTS.glob("transcript-*.sse")}
    rows = set(re.findall(r"^\| \(([a-j]\d?)\) \| ", read_sections(PAGE)["4.9"], re.MULTILINE))
    assert rows == letters
