"""Sentences and quantities in words, the same in every rendering."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from subcmc_crawler.model import CLEAN, Manifest, State
from subcmc_crawler.reconcile import Why
from subcmc_crawler.report.balance import Balance, Term, balance, store_balance
from subcmc_crawler.report.labels import Labels
from subcmc_crawler.report.lines import escaped, shown
from subcmc_crawler.report.night import Cell, Since, advice
from subcmc_crawler.report.reasons import remedy

BEIJING: Final = timezone(timedelta(hours=8))
"""The clock of every report; China has one offset and no summer time."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SHORTER: Final = ("壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "特别行政区", "省", "市")
_SIZES: Final = ((1 << 40, "TB"), (1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB"))


def local(at: datetime) -> datetime:
    """A time on the report's clock; one without a zone is UTC, as MongoDB gives it."""
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(BEIJING)


def epoch_time(milliseconds: int) -> datetime | None:
    """The time of a collectTime, None where no calendar has it."""
    try:
        return (_EPOCH + timedelta(milliseconds=milliseconds)).astimezone(BEIJING)
    except OverflowError:
        return None


def clock(at: datetime | None, words: Labels) -> str:
    """A time to the second, for people."""
    return local(at).strftime("%Y-%m-%d %H:%M:%S") if at else words["text.unknown"]


def duration(seconds: float | None, words: Labels) -> str:
    """A span in its two largest units."""
    if seconds is None:
        return words["text.unknown"]
    if seconds < 60:
        return words.say("unit.seconds", seconds=seconds)
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return words.say("unit.minutes", minutes=minutes, seconds=rest)
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return words.say("unit.hours", hours=hours, minutes=minutes)
    return words.say("unit.days", days=hours // 24, hours=hours % 24)


def size(number: int) -> str:
    """Bytes in the largest unit that keeps a whole digit."""
    for unit, name in _SIZES:
        if number >= unit:
            return f"{number / unit:,.1f} {name}"
    return f"{number} B"


def verdict_name(manifest: Manifest, words: Labels) -> str:
    """The name of the verdict, also of one that is still to come."""
    return words[f"verdict.{manifest.verdict or 'pending'}"]


def equation(parts: Balance, words: Labels) -> str:
    """`50,012 declared = 49,987 distinct + 25 repeated`."""
    return f"{_sum(parts.left, words)} = {_sum(parts.right, words)}"


def balance_sentence(manifest: Manifest, words: Labels) -> str:
    """The equation of a walk, and that of the store where it does not come out even."""
    parts = balance(manifest.counts, manifest.verdict)
    if parts.empty:
        sentence = words["balance.nothing"]
    elif manifest.counts.declared is None:
        sentence = words.say("balance.undeclared", equation=equation(parts, words))
    elif manifest.counts.declared_first in (None, manifest.counts.declared):
        sentence = equation(parts, words)
    else:
        first = manifest.counts.declared_first
        sentence = words.say("balance.first", equation=equation(parts, words), first=first)
    stored = store_balance(manifest.counts)
    uneven = stored is not None and len(stored.left) + len(stored.right) > 2
    return words["list.clause"].join((sentence, equation(stored, words))) if stored and uneven else sentence


def change_sentence(manifest: Manifest, words: Labels) -> str:
    """What the snapshot would change, or changed, against the one it was compared with."""
    names = ("added", "changed", "removed", "unchanged")
    return words.say("problem.change_text", **{name: getattr(manifest.counts, name) for name in names})


def state_sentence(cell: Cell, words: Labels) -> str:
    """Where the snapshot stands, and which one readers see instead."""
    manifest = cell.manifest
    if manifest.accepted is not None:
        return words.say(
            "state.accepted",
            by=shown(manifest.accepted.by),
            at=clock(manifest.accepted.at, words),
            reason=shown(manifest.accepted.reason),
        )
    state = words[f"state.{manifest.state}"]
    if manifest.state in (State.PUBLISHED, State.NONE):
        return state
    if cell.in_force is None:
        return words.say("state.no_base", state=state)
    return words.say("state.in_force", state=state, run=cell.in_force, behind=manifest.run - cell.in_force)


def advice_line(cell: Cell, words: Labels) -> str:
    """What an operator does about a cell: by its reason where that says more, else by its verdict."""
    if cell.accepted:
        return words["advice.proven"]
    return remedy(cell.manifest, words) or verdict_advice(cell, words)


def verdict_advice(cell: Cell, words: Labels) -> str:
    """What an operator does about a verdict; a clean one whose snapshot got stuck is the store's fault."""
    verdict = cell.manifest.verdict
    if verdict is None or (verdict in CLEAN and not cell.clean):
        return words["advice.stuck"]
    return words[advice(verdict)]


def again_command(cells: Iterable[Cell]) -> tuple[str, ...]:
    """The words of the command that pulls the provinces of these cells once more; many are a whole night."""
    named = list(dict.fromkeys(escaped(cell.manifest.cmc_id) for cell in cells))
    command = ("subcmc", "crawl", "--now")
    return command if len(named) > 3 else (*command, *(f"--province {cmc_id}" for cmc_id in named))


def since_words(cell: Cell, words: Labels) -> str:
    """`new`, or for how many runs the fault stands; empty when there is nothing to say."""
    if cell.since is Since.STILL_FAULTY:
        return words.say("problem.runs", runs=cell.faulty_runs)
    return words["since.new-fault"] if cell.since is Since.NEW_FAULT else ""


def province_name(cell: Cell) -> str:
    """The registered name as one line."""
    return escaped(cell.manifest.province)


def short_name(name: str) -> str:
    """The name without what kind of unit it is: 甘肃, 新疆, 新疆兵团."""
    for ending in _SHORTER:
        if name.endswith(ending) and len(name) > len(ending) + 1:
            return name.removesuffix(ending)
    return name.replace("生产", "").replace("建设兵团", "兵团") if name.endswith("建设兵团") else name


def listed(names: Iterable[str], words: Labels, *, most: int = 12) -> str:
    """Names in a row; beyond `most` the number of those left out."""
    every = list(names)
    row = words["list.separator"].join(every[:most])
    left = len(every) - most
    return f"{row} {words.say('notes.more', left=left)}" if left > 0 else row


def show_command(cell: Cell) -> tuple[str, ...]:
    """The words of the command that looks deeper."""
    return ("subcmc", "show", str(cell.manifest.run), escaped(cell.name))


def accept_command(cell: Cell) -> tuple[str, ...]:
    """The words of the command that publishes this very snapshot, empty unless it is held.

    It is not offered where the advice is not to accept: the rest of the rows could not even be asked for.
    """
    if not cell.held or not cell.manifest.digest or cell.manifest.reason_code == Why.MISSING_LOOPING:
        return ()
    name, digest = escaped(cell.name), escaped(cell.manifest.digest[:12])
    return ("subcmc", "accept", str(cell.manifest.run), name, "--digest", digest, "--reason", '"..."')


def _sum(terms: Iterable[Term], words: Labels) -> str:
    return " + ".join(words.say(f"term.{term.name}", rows=term.rows) for term in terms)
