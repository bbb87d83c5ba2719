"""How far off the token estimate is, measured with a real tokenizer: `python -m bench.tokens`.

Needs, in an environment of its own, requirements.txt and these packages, none of which the gateway uses:
`pip install tiktoken Django pypinyin jieba`, `pip install --no-deps dashscope`, which carries the vocabulary
of Qwen, as large as GLM's and made for the same two languages. Texts are the samples of tests/fixtures, this
project's documents, and documents and source that come with those packages and with Python. Half of them,
chosen by their digest, were used to fit the weights; the error counts on the other half. `--write` stores the
true counts of the samples for the test suite.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import importlib
import importlib.metadata
import importlib.util
import json
import os
import re
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from app.core.usage import estimate_tokens

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "tests" / "fixtures" / "tokens.json"
CHINESE_PACKAGES = ("pypinyin", "jieba")
ENGLISH_PACKAGES = ("urllib3", "requests", "tiktoken", "asgiref", "charset-normalizer", "sqlparse")
MODULES = (
    "textwrap",
    "heapq",
    "bisect",
    "queue",
    "shelve",
    "json/decoder",
    "csv",
    "glob",
    "shlex",
    "statistics",
)
MIN_CHARS, MAX_CHARS = 200, 900
MAX_TEXTS = 12

Count = Callable[[str], int]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the error of the token estimate.")
    parser.add_argument("--write", action="store_true", help="store the true counts of the samples")
    count = load_tokenizer()
    if parser.parse_args().write:
        write_samples(count)
    errors: dict[str, list[float]] = defaultdict(list)
    for kind, text in collect_texts():
        true = count(text)
        error = abs(estimate_tokens(text) - true) / true
        half = "fitted" if hashlib.sha256(text.encode()).digest()[0] % 2 == 0 else "held out"
        for group in (f"all, {half}", kind):
            errors[group].append(error)
    print("| texts | number | mean error | 95 % are below |")
    print("| --- | --- | --- | --- |")
    for group, values in sorted(errors.items()):
        high = statistics.quantiles(values, n=20)[-1]
        print(f"| {group} | {len(values)} | {statistics.mean(values):.1%} | {high:.1%} |")


def load_tokenizer() -> Count:
    """Qwen's byte-pair encoding. The pattern parts words as its makers do."""
    tiktoken: Any = importlib.import_module("tiktoken")
    lines = (find_package("dashscope") / "resources" / "qwen.tiktoken").read_bytes().splitlines()
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines if line)}
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    encoding = tiktoken.Encoding("qwen", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    return lambda text: len(encoding.encode(text, disallowed_special=()))


def collect_texts() -> Iterator[tuple[str, str]]:
    """Kind and text of everything that is measured."""
    for sample in json.loads(SAMPLES.read_text("utf-8")):
        yield f"samples: {sample['kind']}", sample["text"]
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]):
        kind = "documents, Chinese" if "zh-CN" in path.name else "documents, English"
        yield from ((kind, text) for text in cut(path.read_text("utf-8")))
    messages = list(read_messages(find_package("django")))
    for start in range(0, len(messages), 8):
        yield "messages, Chinese", "\n".join(messages[start : start + 8])
    for name in (*CHINESE_PACKAGES, *ENGLISH_PACKAGES):
        kind = f"descriptions, {'Chinese' if name in CHINESE_PACKAGES else 'English'}"
        yield from ((kind, text) for text in cut(read_description(name))[:MAX_TEXTS])
    for name in MODULES:
        source = (Path(os.__file__).parent / f"{name}.py").read_text("utf-8")
        yield from (("source code", text) for text in cut(source)[: MAX_TEXTS // 2])


def cut(document: str) -> list[str]:
    """Paragraphs together until they are a text of a few hundred characters."""
    texts: list[str] = []
    text = ""
    for paragraph in re.split(r"\n\s*\n", document):
        text = f"{text}\n\n{paragraph}" if text else paragraph
        while len(text) > MAX_CHARS:
            texts.append(text[:MAX_CHARS])
            text = text[MAX_CHARS:]
        if len(text) >= MIN_CHARS:
            texts.append(text)
            text = ""
    return texts


def read_messages(package: Path) -> Iterator[str]:
    """The translated messages of gettext catalogues, single words left out."""
    for path in sorted(package.rglob("zh_Hans/LC_MESSAGES/django*.po")):
        for found in re.finditer(r'msgstr(?:\[0\])? ((?:"(?:[^"\\]|\\.)*"\s*)+)', path.read_text("utf-8")):
            message = "".join(json.loads(line) for line in re.findall(r'"(?:[^"\\]|\\.)*"', found[1]))
            if len(message) > 8 and "Content-Type" not in message:
                yield message


def read_description(name: str) -> str:
    metadata: Any = importlib.metadata.metadata(name)
    return str(metadata.get_payload() or metadata.get("Description"))


def find_package(name: str) -> Path:
    """Where an installed package lies; it is not imported."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{name} is not installed; see the head of bench/tokens.py")
    return Path(spec.submodule_search_locations[0])


def write_samples(count: Count) -> None:
    samples = json.loads(SAMPLES.read_text("utf-8"))
    for sample in samples:
        sample["tokens"] = count(sample["text"])
    SAMPLES.write_text(json.dumps(samples, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
