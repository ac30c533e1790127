"""The digest of a night: what whoever is on duty is told, in one subject, one text and one document.

Nothing is told of a night that is clean and in which nothing recovered: mail on every success is not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from subcmc_crawler.model import RunRecord, RunStatus, Verdict
from subcmc_crawler.report.jsonreport import SCHEMA as REPORT_SCHEMA
from subcmc_crawler.report.labels import DEFAULT_LANG, Labels, labels
from subcmc_crawler.report.lines import escaped, shown
from subcmc_crawler.report.night import Cell, Problem, Report, Since
from subcmc_crawler.report.sentences import (
    advice_line,
    balance_sentence,
    local,
    province_name,
    short_name,
    verdict_name,
)
from subcmc_crawler.report.standing import Standing, to_standing_text
from subcmc_crawler.report.text import to_text

SCHEMA: Final = "subcmc.alert/1"
"""The contract of what a webhook receives; fields are only ever added within schema 1."""

SUBJECT_CHARACTERS: Final = 120
_TEXT_CHARACTERS: Final = 40_000
_MOST_PROBLEMS: Final = 100
_NAME_CHARACTERS: Final = 24
_PREFIX: Final = "[subcmc] "

On = Literal["problems", "changes", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One message: `subject` is one line of at most 120 characters, `text` plain text, `document` for programs."""

    subject: str
    text: str
    document: Mapping[str, object] = field(default_factory=dict)

    def payload(self) -> bytes:
        """The document with subject and text in it, as UTF-8 JSON."""
        whole = {"schema": SCHEMA, "subject": self.subject, "text": self.text, **self.document}
        return json.dumps(whole, ensure_ascii=False, allow_nan=False).encode()


def worth(report: Report, on: On) -> bool:
    """Whether a night that has just ended is told; the first row that fits.

        #  the night                                            told
        1  is running, or was stopped by a signal               no: it will go on, or somebody knows
        2  any, with `on = "never"`                             no
        3  a cell recovered                                     yes
        4  a cell has no verdict                                yes
        5  a cell is not clean, and was so or was not there     yes
           before, or was clean: it is new
        6  a cell is not clean, with `on = "problems"`          yes
        7  any                                                  no

    What an operator accepted is decided, and counts as clean here.
    """
    if report.run.status in (RunStatus.RUNNING, RunStatus.STOPPED):
        return False  # 1
    if on == "never":
        return False  # 2
    if report.headline.recovered or report.headline.pending:
        return True  # 3, 4
    bad = [problem.first for problem in _open(report)]
    if any(cell.since is not Since.STILL_FAULTY for cell in bad):
        return True  # 5
    return bool(bad) and on == "problems"  # 6, 7


def night_digest(
    report: Report, *, lang: str = DEFAULT_LANG, dashboard_url: str | None = None, width: int = 100
) -> Digest | None:
    """The digest of a night, None when there is nothing to tell of it."""
    words = labels(lang)
    sentences = list(_subject(report, words))
    if not sentences:
        return None
    number = report.run.number
    url = None if dashboard_url is None else f"{dashboard_url.rstrip('/')}/runs/{number}"
    text = _cut(to_text(report, lang=lang, width=width, only_problems=True), number, words)
    return Digest(
        subject=_clipped(words["list.clause"].join(sentences)),
        text=_with_page(text, url, words),
        document={"kind": "night", "lang": lang, "url": url, **_document(report, words)},
    )


def stale_digest(
    standing: Standing, *, lang: str = DEFAULT_LANG, dashboard_url: str | None = None
) -> Digest | None:
    """The digest of a store that has grown old, None when it has not."""
    words = labels(lang)
    if standing.fresh:
        return None
    if standing.last is None or standing.age is None:
        sentence = words["alert.stale_never"]
    else:
        hours = int(standing.age.total_seconds() // 3600)
        sentence = words.say("alert.stale_run", hours=hours, number=standing.last.number)
    return Digest(
        subject=_clipped(sentence),
        text=_with_page(to_standing_text(standing, lang=lang), dashboard_url, words),
        document={"kind": "stale", "lang": lang, "url": dashboard_url, "run": _run(standing.last)},
    )


def trial_digest(*, lang: str = DEFAULT_LANG, dashboard_url: str | None = None) -> Digest:
    """A digest that says that the channels work."""
    words = labels(lang)
    return Digest(
        subject=_clipped(words["alert.test"]),
        text=_with_page(words["alert.test_text"] + "\n", dashboard_url, words),
        document={"kind": "test", "lang": lang, "url": dashboard_url},
    )


def _open(report: Report) -> Sequence[Problem]:
    """Problems that nobody has decided yet, the most urgent first."""
    return [problem for problem in report.problems if not problem.first.accepted]


def _subject(report: Report, words: Labels) -> Iterable[str]:
    if report.run.status in (RunStatus.STOPPED, RunStatus.CRASHED):
        status = words[f"run.{report.run.status}"]
        yield words.say("alert.unfinished", number=report.run.number, status=status)
    problems = _open(report)
    if problems:
        first, left = _named(problems[0], words), len(problems) - 1
        yield words.say("alert.problems", first=first, left=left) if left else first
    if report.headline.pending:
        yield words.say("alert.pending", pending=report.headline.pending)
    recovered = [cell for cell in report.cells if cell.since is Since.RECOVERED]
    if recovered and problems:
        yield words.say("alert.recovered", recovered=len(recovered))
    elif recovered:
        first, left = _cell_name(recovered[0], words), len(recovered) - 1
        key = "alert.recovered_more" if left else "alert.recovered_first"
        yield words.say(key, first=first, left=left)


def _named(problem: Problem, words: Labels) -> str:
    """`甘肃 ua_user 缺失 12 行`."""
    cell = problem.first
    missing = cell.manifest.counts.missing
    counted = cell.manifest.verdict in (Verdict.SHORT, Verdict.SURPLUS) and missing
    rows = words.say("alert.rows", rows=abs(missing or 0)) if counted else ""
    name = _cell_name(cell, words)
    if len(problem.cells) > 1:
        name = words.say("alert.cells", province=_province(cell), datasets=len(problem.cells))
    return f"{name} {verdict_name(cell.manifest, words)}{rows}"


def _cell_name(cell: Cell, words: Labels) -> str:
    dataset = _short(escaped(cell.manifest.dataset))
    return words.say("alert.cell", province=_province(cell), dataset=dataset)


def _province(cell: Cell) -> str:
    return _short(shown(short_name(cell.manifest.province)))


def _short(text: str) -> str:
    return text if len(text) <= _NAME_CHARACTERS else text[: _NAME_CHARACTERS - 1] + "~"


def _clipped(text: str) -> str:
    subject = _PREFIX + text
    return subject if len(subject) <= SUBJECT_CHARACTERS else subject[: SUBJECT_CHARACTERS - 1] + "~"


def _cut(text: str, number: int, words: Labels) -> str:
    """The text, cut at the end of a line where it is too long for a message."""
    if len(text) <= _TEXT_CHARACTERS:
        return text
    kept = text[:_TEXT_CHARACTERS].rpartition("\n")[0]
    return f"{kept}\n{words.say('alert.more', command=f'subcmc report {number} --problems')}\n"


def _with_page(text: str, url: str | None, words: Labels) -> str:
    return text if url is None else f"{text}\n{words.say('alert.page', url=url)}\n"


def _document(report: Report, words: Labels) -> Mapping[str, object]:
    head, problems = report.headline, _open(report)
    return {
        "run": _run(report.run),
        "report": REPORT_SCHEMA,
        "summary": {str(verdict): count for verdict, count in report.summary.items()},
        "notClean": head.not_clean,
        "newFaults": head.new_faults,
        "pending": head.pending,
        "held": head.held,
        "recovered": head.recovered,
        "problems": [_problem(problem, words) for problem in problems[:_MOST_PROBLEMS]],
        "problemsLeftOut": max(0, len(problems) - _MOST_PROBLEMS),
        "recoveries": [escaped(cell.name) for cell in report.cells if cell.since is Since.RECOVERED],
    }


def _problem(problem: Problem, words: Labels) -> Mapping[str, object]:
    cell = problem.first
    return {
        "cmcId": escaped(cell.manifest.cmc_id),
        "province": province_name(cell),
        "datasets": [escaped(each.manifest.dataset) for each in problem.cells],
        "verdict": str(cell.manifest.verdict),
        "state": str(cell.manifest.state),
        "since": str(cell.since),
        "faultyRuns": cell.faulty_runs,
        "missing": cell.manifest.counts.missing,
        "balance": balance_sentence(cell.manifest, words),
        "advice": advice_line(cell, words),
    }


def _run(run: RunRecord | None) -> Mapping[str, object] | None:
    if run is None:
        return None
    return {
        "number": run.number,
        "status": str(run.status),
        "startedAt": local(run.started_at).isoformat(timespec="seconds"),
        "finishedAt": None
        if run.finished_at is None
        else local(run.finished_at).isoformat(timespec="seconds"),
    }
