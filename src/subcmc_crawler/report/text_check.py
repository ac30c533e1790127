"""A scorecard as plain text: the score, what must be mended, then every check in a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from subcmc_crawler.conformance.checks import Scorecard
from subcmc_crawler.conformance.results import Outcome
from subcmc_crawler.report import scorecard
from subcmc_crawler.report.labels import DEFAULT_LANG, Labels, labels
from subcmc_crawler.report.lines import Paint, Style, pad, width_of, wrap, wrap_command
from subcmc_crawler.report.scorecard import Item

_STYLES: Final[dict[Outcome, Style]] = {
    Outcome.FAIL: "bad",
    Outcome.WARN: "note",
    Outcome.PASS: "good",
    Outcome.UNCHECKED: "dim",
}
_MOST_FOUND: Final = 12
_MOST_SHOWN: Final = 2
_SECTION: Final = 9


def to_check_text(card: Scorecard, *, lang: str = DEFAULT_LANG, width: int = 100, color: bool = False) -> str:
    """The scorecard in lines of at most `width` cells, but for a command whose address alone is longer."""
    words, paint = labels(lang), Paint(color)
    every = scorecard.items(card, words)
    blocks = [
        _head(card, words, paint, width),
        _mending("check.must", scorecard.to_mend(every, Outcome.FAIL), words, paint, width),
        _mending("check.should", scorecard.to_mend(every, Outcome.WARN), words, paint, width),
        _all(every, words, paint, width),
        wrap(words["check.legend"], width),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _head(card: Scorecard, words: Labels, paint: Paint, width: int) -> list[str]:
    lines = [paint(line, "head") for line in wrap(scorecard.heading(card, words), width)]
    style: Style = "bad" if card.failed else "good"
    lines += [paint(line, style) for line in wrap(scorecard.score(card, words), width)]
    lines += wrap(scorecard.verdict(card, words), width)
    told = scorecard.facts(card, words)
    room = max(width_of(name) for name, _ in told)
    for name, text in told:
        lines += wrap(f"{pad(name, room)}  {text}", width, indent="  ", hanging=" " * (room + 4))
    return lines


def _mending(title: str, wrong: Sequence[Item], words: Labels, paint: Paint, width: int) -> list[str]:
    if not wrong:
        return []
    lines = [paint(words[title], "head")]
    for number, item in enumerate(wrong, 1):
        section = words.say("check.section", section=item.section)
        first = f"{number}. {item.title}  [{section}]  {item.id}"
        lines += [paint(line, _STYLES[item.outcome]) for line in wrap(first, width, indent="  ")]
        lines += _found(item, words, width)
        lines += wrap(words["check.mend"] + item.mend, width, indent="     ", hanging="     ")
        for each in item.evidence[:_MOST_SHOWN]:
            lines += wrap_command(each.command, width, indent="     ")
            lines += wrap(f"-> {each.seen}", width, indent="     ", hanging="        ")
    return lines


def _found(item: Item, words: Labels, width: int) -> Iterable[str]:
    for line in item.found[:_MOST_FOUND]:
        section = f" [{line.section}]" if line.section != item.section else ""
        yield from wrap(f"- {line.sentence}{section}", width, indent="     ", hanging="       ")
    left = len(item.found) - _MOST_FOUND + item.left_out
    if left > 0:
        yield from wrap(words.say("check.left_out", count=left), width, indent="       ")


def _all(every: Sequence[Item], words: Labels, paint: Paint, width: int) -> list[str]:
    lines = [paint(words["check.all"], "head")]
    room = max(width_of(words[f"check.outcome.{outcome}"]) for outcome in Outcome)
    for group, found in scorecard.grouped(every).items():
        lines.append(f"  {words[f'check.group.{group}']}")
        for item in found:
            mark = pad(words[f"check.outcome.{item.outcome}"], room)
            lead = f"    {paint(mark, _STYLES[item.outcome])}  {pad(item.section, _SECTION)}"
            text = words.say("check.placed", place=item.title, text=item.reason)
            hang = 4 + room + 2 + _SECTION
            first, *rest = wrap(text, width - hang)
            lines += [f"{lead}{first}", *(" " * hang + line for line in rest)]
    return lines
