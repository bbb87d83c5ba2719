"""Findings as lines for people, or as one JSON document for scripts. Known secrets are taken out of both."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from typing import TextIO

from app.catalogue.message import Language
from app.doctor import advice, messages
from app.doctor.finding import Finding, Mark, conclude
from app.logs import redactor

_COLOURS = {Mark.OK: "32", Mark.NOTE: "33", Mark.SKIP: "2", Mark.FAIL: "1;31"}
_CHECK_COLUMNS = 14


def choose_language(environ: Mapping[str, str]) -> Language:
    """The gateway's own where one is set, else that of the locale: the first of these variables counts."""
    set_ones = (environ.get(name) for name in ("GLM_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))
    return "zh" if next(filter(None, set_ones), "").lower().startswith("zh") else "en"


def print_report(findings: Iterable[Finding], out: TextIO, language: Language, *, colours: bool) -> bool:
    """Each line as soon as it is known, then the verdict and the next step. True where all is well."""
    seen = []
    for finding in findings:
        seen.append(finding)
        _write(out, _say_line(finding, language, colours=colours))
    worst = conclude(seen)
    _write(out, "")
    subjects = [finding.subject for finding in seen if worst and finding.verdict is worst.verdict]
    about = _clean(", ".join(filter(None, subjects)))
    name = _name(worst, language) + (f" ({about})" if about else "")
    _write(out, messages.VERDICT.say(language, {"name": name}))
    _write(out, _say_advice(worst, language))
    others = {_name(finding, language): None for finding in seen if finding.verdict}
    others.pop(_name(worst, language), None)
    if others:
        _write(out, messages.ALSO.say(language, {"names": ", ".join(others)}))
    return worst is None


def print_json(findings: Iterable[Finding], out: TextIO, language: Language) -> bool:
    """The names of checks, marks and verdicts are the same in every language."""
    seen = list(findings)
    worst = conclude(seen)
    document = {
        "verdict": worst.verdict.value if worst and worst.verdict else "well",
        "advice": _say_advice(worst, language),
        "checks": [
            {
                "check": finding.check.en,
                "subject": finding.subject or None,
                "mark": finding.mark.value,
                "verdict": finding.verdict.value if finding.verdict else None,
                "text": _say(finding, language),
            }
            for finding in seen
        ],
    }
    out.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    return worst is None


def _say_line(finding: Finding, language: Language, *, colours: bool) -> str:
    mark = _pad(messages.MARKS[finding.mark].say(language), 4)
    if colours:
        mark = f"\x1b[{_COLOURS[finding.mark]}m{mark}\x1b[0m"
    check = _pad(_clean(f"{finding.check.say(language)} {finding.subject}".strip()), _CHECK_COLUMNS)
    return f"{mark}  {check}  {_say(finding, language)}"


def _say(finding: Finding, language: Language) -> str:
    return _clean(finding.words.say(language, finding.values))


def _name(finding: Finding | None, language: Language) -> str:
    title = messages.TITLES[finding.verdict] if finding and finding.verdict else messages.WELL
    return title.say(language)


def _say_advice(finding: Finding | None, language: Language) -> str:
    if finding is None or finding.verdict is None:
        return advice.NOTHING.say(language)
    return _clean((finding.advice or advice.USUAL[finding.verdict]).say(language, finding.values))


def _pad(text: str, columns: int) -> str:
    """Chinese characters take two columns."""
    taken = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
    return text + " " * (columns - taken)


def _write(out: TextIO, line: str) -> None:
    out.write(line + "\n")
    out.flush()


def _clean(text: str) -> str:
    """Some words are those of others: they begin no line, steer no terminal, and give no secret away."""
    return "".join(c if c.isprintable() else " " for c in redactor.redact(text))
