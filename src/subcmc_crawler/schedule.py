"""Windows, the hours in which a province may be asked (1.1), and the stagger of starts within them.

Pure; times are passed in. Every sum of times is one of wall-clock times in the zone of the datetimes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from heapq import heappop, heappush
from statistics import median

_TEXT = re.compile(r"(\d{2}):(\d{2})\s*-\s*(\d{2}):(\d{2})")


@dataclass(frozen=True, slots=True)
class Window:
    """Permitted hours of every day, from `start` up to but not at `end`; may cross midnight.

    Times are wall-clock times in the zone of the datetime that is asked about. Equal ends mean the whole day.
    """

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Window:
        """The window that `"01:00-05:30"` names; ValueError says what is wrong."""
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise ValueError('a window is written "HH:MM-HH:MM", for example "01:00-05:30"')
        hours = [int(part) for part in match.groups()]
        try:
            return cls(time(hours[0], hours[1]), time(hours[2], hours[3]))
        except ValueError:
            raise ValueError(f'"{text}" is not a time of day; hours go to 23, minutes to 59') from None

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    def is_open(self, now: datetime) -> bool:
        """Whether `now` lies inside."""
        at = now.time()
        if self.start < self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end

    def opens_at(self, now: datetime) -> datetime:
        """`now` when open, else the next opening."""
        if self.is_open(now):
            return now
        opening = now.replace(hour=self.start.hour, minute=self.start.minute, second=0, microsecond=0)
        return opening if opening > now else opening + timedelta(days=1)

    def opened_at(self, now: datetime) -> datetime:
        """The last opening up to `now`."""
        opening = now.replace(hour=self.start.hour, minute=self.start.minute, second=0, microsecond=0)
        return opening if opening <= now else opening - timedelta(days=1)

    def closes_at(self, now: datetime) -> datetime:
        """The first closing after `now`."""
        closing = now.replace(hour=self.end.hour, minute=self.end.minute, second=0, microsecond=0)
        return closing if closing > now else closing + timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPull:
    """When one province is to be pulled in a night, and what is forecast of it."""

    cmc_id: str
    window: Window
    opening: datetime  # of the window, that night
    closing: datetime
    start: datetime  # not before
    begin: datetime  # when a slot is forecast to be free; `start` where nothing is forecast
    forecast_seconds: float | None  # from begin to end; None when no province has a past
    estimated: bool  # the forecast is the median of the others
    forecast_end: datetime | None  # were it not for the closing

    @property
    def fits(self) -> bool:
        """Whether it ends within its window, as far as can be told."""
        return self.begin < self.closing and (self.forecast_end is None or self.forecast_end <= self.closing)


def gap_seconds(forecasts: Sequence[float], *, length_seconds: float, share: float) -> float:
    """Seconds between the starts of provinces that share a window of `length_seconds`.

    `forecasts` are their durations in seconds in the order of the starts, the longest first; the first starts at
    the opening. `share` is the part of the window, from 0 to 1, over which starts may be spread at most. `full` is
    the gap that spreads them so. First match wins.

    ==  ==============================================================  =====================================
    1   there are fewer than two, or `share` is 0                       0: all start at the opening
    2   with `full`, each forecast that is no longer than the window    full
        ends within it
    3   otherwise                                                       the largest gap with which each does
    ==  ==============================================================  =====================================

    A forecast longer than the window ends too late wherever it starts, and narrows no gap. A gap of a second or more
    is cut to whole seconds.
    """
    if len(forecasts) < 2 or share <= 0:  # 1
        return 0.0
    full = length_seconds * share / (len(forecasts) - 1)
    bounds = [
        (length_seconds - seconds) / rank
        for rank, seconds in enumerate(forecasts)
        if rank and seconds <= length_seconds
    ]
    gap = min([full, *bounds])  # 2, 3
    return float(int(gap)) if gap >= 1 else gap


def plan(
    windows: Mapping[str, Window],
    durations: Mapping[str, float],
    now: datetime,
    *,
    max_provinces: int,
    share: float,
) -> tuple[PlannedPull, ...]:
    """The pulls of a night in the order of their starts.

    The night of a window is the one that is open at `now`, else the next one; `now` decides nothing else, so that a
    run that begins late finds the same starts. `windows` and `durations` (seconds) go by cmcId. In each window
    provinces start with the longest duration first, of equal ones the smaller cmcId, `gap_seconds()` apart.
    A province without a past duration is taken to last the median of the others.
    """
    known = [durations[cmc_id] for cmc_id in windows if cmc_id in durations]
    typical = median(known) if known else None
    shared: dict[Window, list[str]] = {}
    for cmc_id, window in windows.items():
        shared.setdefault(window, []).append(cmc_id)
    found = []
    for window, members in shared.items():
        opening = window.opened_at(now) if window.is_open(now) else window.opens_at(now)
        closing = window.closes_at(opening)
        forecasts = {cmc_id: durations.get(cmc_id, typical) for cmc_id in members}
        ranked = sorted(members, key=lambda cmc_id: (-(forecasts[cmc_id] or 0.0), cmc_id))
        gap = gap_seconds(
            [forecasts[cmc_id] or 0.0 for cmc_id in ranked],
            length_seconds=(closing - opening).total_seconds(),
            share=share,
        )
        for rank, cmc_id in enumerate(ranked):
            start = opening + timedelta(seconds=rank * gap)
            found.append(
                PlannedPull(
                    cmc_id=cmc_id,
                    window=window,
                    opening=opening,
                    closing=closing,
                    start=start,
                    begin=start,
                    forecast_seconds=forecasts[cmc_id],
                    estimated=cmc_id not in durations,
                    forecast_end=None,
                )
            )
    return _queued(found, max_provinces)


def _queued(pulls: Sequence[PlannedPull], max_provinces: int) -> tuple[PlannedPull, ...]:
    """The pulls with their begin and end, first come first served, at most `max_provinces` at once.

    A pull gives its slot back when it ends or when its window closes.
    """
    frees: list[datetime] = []  # when each slot that was taken is free again
    queued = []
    for pull in sorted(pulls, key=lambda each: (each.start, each.cmc_id)):
        if pull.forecast_seconds is None:
            queued.append(pull)
            continue
        begin = max(pull.start, heappop(frees)) if len(frees) >= max_provinces else pull.start
        end = begin + timedelta(seconds=pull.forecast_seconds)
        heappush(frees, max(begin, min(end, pull.closing)))
        queued.append(replace(pull, begin=begin, forecast_end=end))
    return tuple(queued)


def load(pulls: Sequence[PlannedPull]) -> tuple[tuple[datetime, int], ...]:
    """How many provinces run at once: each moment at which that changes, and the number from then on.

    Empty where nothing is forecast.
    """
    changes: Counter[datetime] = Counter()
    for pull in pulls:
        end = min(pull.forecast_end, pull.closing) if pull.forecast_end else pull.begin
        if pull.begin < end:
            changes[pull.begin] += 1
            changes[end] -= 1
    running, steps = 0, []
    for moment in sorted(changes):
        if changes[moment]:
            running += changes[moment]
            steps.append((moment, running))
    return tuple(steps)


def busiest(pulls: Sequence[PlannedPull], *, minutes: int = 15) -> tuple[tuple[datetime, int], ...]:
    """The most provinces that run at once in each `minutes` from the first opening to the last closing.

    Marks lie on full hours and their `minutes`; `minutes` divides 60.
    """
    if not pulls:
        return ()
    steps = load(pulls)
    first = min(pull.opening for pull in pulls)
    mark = first.replace(minute=first.minute // minutes * minutes, second=0, microsecond=0)
    last = max(pull.closing for pull in pulls)
    found, running, at = [], 0, 0
    while mark < last:
        until = mark + timedelta(minutes=minutes)
        most = running if at >= len(steps) or steps[at][0] > mark else 0
        while at < len(steps) and steps[at][0] < until:
            running = steps[at][1]
            most = max(most, running)
            at += 1
        found.append((mark, most))
        mark = until
    return tuple(found)
