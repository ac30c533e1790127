"""Windows: the hours in which a province may be asked (1.1). Pure; times are passed in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

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
