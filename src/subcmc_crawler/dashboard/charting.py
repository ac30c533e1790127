"""A night against its plan: for each province the window, the planned pull and the walks as they were. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from subcmc_crawler.cellgroups import CellGroup
from subcmc_crawler.dashboard.drawing import Span
from subcmc_crawler.model import Manifest, Verdict
from subcmc_crawler.report.html.environment import kind
from subcmc_crawler.report.labels import Labels
from subcmc_crawler.report.lines import escaped
from subcmc_crawler.report.night import cell_of
from subcmc_crawler.report.sentences import local, verdict_name
from subcmc_crawler.schedule import PlannedPull


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One province: `planned` is None where the registry does not know it, the times where nothing was walked."""

    cmc_id: str
    name: str
    planned: PlannedPull | None
    began: datetime | None
    ended: datetime | None
    spans: Sequence[Span]

    @property
    def outside(self) -> bool:
        """Whether a walk ended after the window of the plan had closed."""
        return self.planned is not None and self.ended is not None and self.ended > self.planned.closing


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The rows, the earliest start first, and the time that they share."""

    first: datetime
    last: datetime
    rows: Sequence[Row]


def chart(
    manifests: Sequence[Manifest], planned: Sequence[PlannedPull], words: Labels, now: datetime
) -> Chart | None:
    """The chart of a run; a walk that goes on ends now. None when nothing was walked and nothing planned."""
    by_province: dict[str, list[Manifest]] = {}
    for manifest in manifests:
        by_province.setdefault(manifest.cmc_id, []).append(manifest)
    plans = {each.cmc_id: each for each in planned}
    rows = [_row(cmc_id, cells, plans.get(cmc_id), words, now) for cmc_id, cells in by_province.items()]
    times = [at for row in rows for span in row.spans for at in (span.begin, span.end)]
    if not times:
        return None
    margin = min(max((max(times) - min(times)) / 20, timedelta(seconds=1)), timedelta(minutes=5))
    return Chart(first=min(times) - margin, last=max(times) + margin, rows=sorted(rows, key=_order))


def overdue(groups: Mapping[str, Sequence[CellGroup]], planned: Sequence[PlannedPull]) -> Sequence[str]:
    """The cmcIds of provinces whose last walk ended after the window of the plan had closed, as `Row.outside`."""
    closing = {each.cmc_id: each.closing for each in planned}
    ends = {
        cmc_id: [each.ended for each in cells if each.ended and each.verdict is not Verdict.UNREGISTERED]
        for cmc_id, cells in groups.items()
        if cmc_id in closing
    }
    return [cmc_id for cmc_id, at in ends.items() if at and max(at) > closing[cmc_id]]


def first_start(groups: Sequence[CellGroup]) -> str:
    """When the first walk of a province began, for sorting; what was not walked comes last."""
    starts = [each.began for each in groups if each.began and each.verdict is not Verdict.UNREGISTERED]
    return min(starts).isoformat() if starts else "~"


def _row(
    cmc_id: str, cells: Sequence[Manifest], planned: PlannedPull | None, words: Labels, now: datetime
) -> Row:
    walked = [(each, *_times(each, now)) for each in cells if _walked(each)]
    spans = [] if planned is None or not walked else list(_planned(planned, words))
    spans += [
        Span(name=kind(cell_of(each)), begin=b, end=e, title=_told(each, b, e, words))
        for each, b, e in walked
    ]
    return Row(
        cmc_id=cmc_id,
        name=cells[0].province,
        planned=planned if walked else None,
        began=min((begin for _, begin, _ in walked), default=None),
        ended=max((end for _, _, end in walked), default=None),
        spans=spans,
    )


def _planned(plan: PlannedPull, words: Labels) -> Sequence[Span]:
    window = words.say("web.window_span", window=str(plan.window))
    spans = [Span(name="window", begin=local(plan.opening), end=local(plan.closing), title=window)]
    if plan.forecast_end is not None:
        end = min(plan.forecast_end, plan.closing)
        times = {"begin": f"{local(plan.begin):%H:%M}", "end": f"{local(end):%H:%M}"}
        told = words.say("web.plan_span", **times)
        spans.append(Span(name="plan", begin=local(plan.begin), end=local(end), title=told))
    return spans


def _walked(manifest: Manifest) -> bool:
    return manifest.started_at is not None and manifest.verdict is not Verdict.UNREGISTERED


def _times(manifest: Manifest, now: datetime) -> tuple[datetime, datetime]:
    begin = local(manifest.started_at or now)
    return begin, max(begin, local(manifest.finished_at or now))


def _told(manifest: Manifest, begin: datetime, end: datetime, words: Labels) -> str:
    name = words.word("column", escaped(manifest.dataset))
    return f"{name} {verdict_name(manifest, words)} {begin:%H:%M:%S} - {end:%H:%M:%S}"


def _order(row: Row) -> tuple[bool, datetime | str, str]:
    return (row.began is None, row.began.isoformat() if row.began else "", row.cmc_id)
