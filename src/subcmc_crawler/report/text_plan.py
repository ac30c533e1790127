"""The night beforehand as plain text: when each province starts, how many run at once, and which come too late."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from subcmc_crawler.report.labels import DEFAULT_LANG, Labels, labels
from subcmc_crawler.report.lines import escaped, table, wrap
from subcmc_crawler.report.sentences import duration
from subcmc_crawler.schedule import PlannedPull, busiest

_BAR_ROOM: Final = 20  # cells beside a bar: its time, its number, and the blanks between
_QUIET: Final = 3  # so many quarters of an hour in a row without a province become one line
_DAY: Final = timedelta(days=1)


def to_plan_text(
    pulls: Sequence[PlannedPull],
    *,
    names: Mapping[str, str],
    zone: str,
    max_provinces: int,
    lang: str = DEFAULT_LANG,
    width: int = 100,
) -> str:
    """The planned pulls in the order given, in lines of at most `width` cells; `names` go by cmcId.

    Times are on the registry's clock, with the date where the night is longer than a day's hours tell.
    """
    words = labels(lang)
    if not pulls:
        return words["plan.empty"] + "\n"
    opening, closing = min(each.opening for each in pulls), max(each.closing for each in pulls)
    dated = closing - opening > _DAY
    title = words.say(
        "plan.title", opening=f"{opening:%Y-%m-%d %H:%M}", closing=f"{closing:%Y-%m-%d %H:%M}", zone=zone
    )
    lines = wrap(title, width)
    lines += wrap(words.say("plan.slots", provinces=len(pulls), slots=max_provinces), width)
    columns = ("province", "cmc_id", "window", "start", "wait", "lasts", "ends")
    heads = [words[f"plan.{column}"] for column in columns]
    rows = [_row(each, names, words, dated=dated) for each in pulls]
    lines += ["", *table(heads, rows, aligns="lllrrrr", width=width), ""]
    if all(each.forecast_seconds is None for each in pulls):
        return "\n".join([*lines, *wrap(words["plan.no_history"], width)]) + "\n"
    if any(each.estimated for each in pulls):
        lines += [*wrap(words["plan.estimated"], width), ""]
    lines += wrap(words["plan.load"], width)
    lines += _bars(busiest(pulls), width, dated=dated)
    late = [each for each in pulls if not each.fits]
    if late:
        lines.append("")
    for each in late:
        lines += wrap(_warning(each, names, words), width, hanging="  ")
    return "\n".join(lines) + "\n"


def _row(pull: PlannedPull, names: Mapping[str, str], words: Labels, *, dated: bool) -> tuple[str, ...]:
    waits = (pull.begin - pull.start).total_seconds()
    lasts = duration(pull.forecast_seconds, words)
    return (
        escaped(names[pull.cmc_id]),
        escaped(pull.cmc_id),
        str(pull.window),
        _time(pull.start, dated=dated),
        duration(waits, words) if waits else words["text.unknown"],
        f"~{lasts}" if pull.estimated and pull.forecast_seconds is not None else lasts,
        _time(pull.forecast_end, dated=dated) if pull.forecast_end else words["text.unknown"],
    )


def _time(at: datetime, *, dated: bool) -> str:
    return f"{at:%m-%d %H:%M:%S}" if dated else f"{at:%H:%M:%S}"


def _bars(quarters: Sequence[tuple[datetime, int]], width: int, *, dated: bool) -> Iterable[str]:
    """A bar for each quarter of an hour, a character a province unless they would not fit."""
    room = max(width - _BAR_ROOM, 1)
    scale = min(1.0, room / max(1, *(most for _, most in quarters)))
    for quiet, group in groupby(quarters, key=lambda quarter: quarter[1] == 0):
        marks = list(group)
        if quiet and len(marks) >= _QUIET:
            yield f"  {_mark(marks[0][0], dated=dated)}  ..."
            continue
        for at, most in marks:
            bar = "#" * max(round(most * scale), min(most, 1))
            yield f"  {_mark(at, dated=dated)}  {bar} {most}".rstrip()


def _mark(at: datetime, *, dated: bool) -> str:
    return f"{at:%m-%d %H:%M}" if dated else f"{at:%H:%M}"


def _warning(pull: PlannedPull, names: Mapping[str, str], words: Labels) -> str:
    end = pull.forecast_end or pull.begin
    return words.say(
        "plan.late",
        province=escaped(names[pull.cmc_id]),
        cmc_id=escaped(pull.cmc_id),
        end=f"{end:%m-%d %H:%M}",
        closing=f"{pull.closing:%H:%M}",
    )
