"""Small tables for `subcmc runs`, `subcmc diff` and `subcmc history`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from subcmc_crawler.model import CLEAN, RunRecord
from subcmc_crawler.report.labels import DEFAULT_LANG, Labels, labels
from subcmc_crawler.report.lines import NO_BREAK, escaped, fit, pad, table, width_of, wrap
from subcmc_crawler.report.night import URGENCY, DiffRow, HistoryRow
from subcmc_crawler.report.sentences import clock, duration, listed

_MOST_KEYS: Final = 20
_MOST_LISTED: Final = 12  # datasets whose keys are listed
_MOST_NAMES: Final = 6
_VERDICTS_ROOM: Final = 30


def to_runs_text(runs: Sequence[RunRecord], lang: str = DEFAULT_LANG, width: int = 100) -> str:
    """The runs in the order given, one line each."""
    words = labels(lang)
    if not runs:
        return words["runs.empty"] + "\n"
    columns = ("run", "run_status", "started", "duration", "clean", "not_clean", "selection")
    heads = [words[f"head.{column}"] for column in columns]
    told = [words["head.verdicts"], *(_faulty(run, words) for run in runs)]
    room = width - _VERDICTS_ROOM
    leads = table(heads, (_run(run, words) for run in runs), aligns="rllrrrl", width=room, indent="")
    room = max(map(width_of, leads)) + 2
    lines = [
        line
        for lead, verdicts in zip(leads, told, strict=True)
        for line in wrap(verdicts, width, indent=pad(lead, room), hanging=" " * room)
    ]
    return "\n".join(lines) + "\n"


def _faulty(run: RunRecord, words: Labels) -> str:
    """The verdicts that are not clean, the most urgent first."""
    ranks = {str(verdict): rank for rank, verdict in enumerate(URGENCY)}
    faults = [(verdict, count) for verdict, count in run.summary.items() if verdict not in CLEAN and count]
    faults.sort(key=lambda fault: ranks.get(fault[0], len(ranks)))
    named = (f"{words.word('verdict', escaped(verdict))}{NO_BREAK}{count:,}" for verdict, count in faults)
    return listed(named, words) or words["text.unknown"]


def _run(run: RunRecord, words: Labels) -> tuple[str, ...]:
    seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at else None
    clean = sum(count for verdict, count in run.summary.items() if verdict in CLEAN)
    faults = sum(count for verdict, count in run.summary.items() if verdict not in CLEAN)
    return (
        str(run.number),
        words[f"run.{run.status}"],
        clock(run.started_at, words)[:16],
        duration(seconds, words),
        f"{clean:,}",
        f"{faults:,}",
        listed(map(escaped, run.selection), words, most=3) or words["runs.whole"],
    )


def to_diff_text(
    rows: Sequence[DiffRow],
    *,
    from_run: int,
    to_run: int,
    lang: str = DEFAULT_LANG,
    width: int = 100,
    most_keys: int = _MOST_KEYS,
) -> str:
    """What changed between two runs: the counts, then at most `most_keys` masked keys of each dataset.

    Where very many datasets changed, the keys are left out.
    """
    words = labels(lang)
    lines = [words.say("diff.title", from_run=from_run, to_run=to_run)]
    changed = [row for row in rows if row.added or row.changed or row.removed]
    if changed:
        heads = [words[f"head.{column}"] for column in ("dataset", "added", "changed", "removed")]
        lines += table(heads, _diff_counts(changed, words), aligns="lrrr", width=width)
        if len(changed) < len(rows):
            lines.append("  " + words.say("diff.same", datasets=len(rows) - len(changed)))
    else:
        lines.append(words["diff.empty"])
    older = [_name(row) for row in rows if row.in_force is not None and row.in_force < to_run]
    if older:
        sentence = words.say("diff.older", to_run=to_run, names=listed(older, words, most=_MOST_NAMES))
        lines += wrap(sentence, width, indent="  ")
    if len(changed) > _MOST_LISTED:
        return "\n".join([*lines, *wrap(words["diff.keys"], width, indent="  ")]) + "\n"
    for row in changed:
        lines += _diff_keys(row, words, width, most_keys)
    return "\n".join(lines) + "\n"


def _diff_counts(rows: Sequence[DiffRow], words: Labels) -> Iterable[tuple[str, ...]]:
    for row in rows:
        yield _name(row), f"{row.added:,}", f"{row.changed:,}", f"{row.removed:,}"
    totals = (
        sum(row.added for row in rows),
        sum(row.changed for row in rows),
        sum(row.removed for row in rows),
    )
    yield words["diff.total"], *(f"{total:,}" for total in totals)


def _diff_keys(row: DiffRow, words: Labels, width: int, most: int) -> list[str]:
    if not row.keys:
        return []
    room = max(width_of(words.word("change", escaped(change))) for change, _ in row.keys)
    keys = [
        f"  {pad(words.word('change', escaped(change)), room)}  {escaped(key)}"
        for change, key in row.keys[:most]
    ]
    left = row.added + row.changed + row.removed - len(keys)
    more = ["  " + words.say("diff.left", left=left)] if left > 0 else []
    return ["", fit(_name(row), width), *(fit(key, width) for key in keys), *more]


def _name(row: DiffRow) -> str:
    return escaped(f"{row.cmc_id}/{row.dataset}")


def to_history_text(
    rows: Sequence[HistoryRow], *, name: str, lang: str = DEFAULT_LANG, width: int = 100
) -> str:
    """The versions of one record in the order given; `name` is its masked key with province and dataset."""
    words = labels(lang)
    title = fit(words.say("history.title", name=escaped(name)), width)
    if not rows:
        return f"{title}\n{words['history.empty']}\n"
    columns = ("held_in", "started", "hash", "run_status", "fields")
    heads = [words[f"head.{column}"] for column in columns]
    lines = table(heads, (_version(row, words) for row in rows), aligns="lllll", width=width)
    return "\n".join([title, *lines]) + "\n"


def _held_in(row: HistoryRow, words: Labels) -> str:
    """The runs in which a version holds, the first and the last of them."""
    if row.to_run is None:
        return words.say("history.open", from_run=row.from_run)
    if row.to_run - 1 <= row.from_run:
        return str(row.from_run)
    return words.say("history.closed", from_run=row.from_run, last_run=row.to_run - 1)


def _version(row: HistoryRow, words: Labels) -> tuple[str, ...]:
    return (
        _held_in(row, words),
        clock(row.started_at, words),
        escaped(row.hash[:12]),
        words.word("state", escaped(row.state)) or words["text.unknown"],
        listed(map(escaped, row.changed), words) or words["text.unknown"],
    )
