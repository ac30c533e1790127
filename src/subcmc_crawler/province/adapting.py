"""How fast a province is asked after it said that it is busy, or became slow. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from subcmc_crawler.errors import Fault, Refused
from subcmc_crawler.province.retrying import BUSY

_FEWEST: Final = 16
"""A province is never asked less often than this part of its setting, however busy it says it is."""

_STEPS: Final = 20
"""Good answers that bring a rate of nothing back to its setting."""

_SLOW_TIMES: Final = 3.0
_SLOW_SECONDS: Final = 0.5
_SMOOTHING: Final = 16
_KNOWN: Final = 8


class Outcome(Enum):
    """How a request ended, as far as the pace is concerned."""

    BUSY = auto()  # 408, 429, 503 or 509
    SLOW = auto()  # a good page, and a first byte that was late
    GOOD = auto()
    OTHER = auto()


def next_rate(rate: float, outcome: Outcome, *, setting: float, stale: bool = False) -> float:
    """Requests a second after this outcome: additive up, multiplicative down. First match wins.

    `stale` says that the request went out before the last slowing down, so that the answers to all pages that
    were in flight then slow the province down once. `setting` is the most; a sixteenth of it is the least.

    ==  ===================================  ================================================
    1   another fault than a busy one        as before: it says nothing about the pace
    2   busy or slow, and stale              as before
    3   busy                                 half, at least a sixteenth of the setting
    4   slow                                 four fifths, at least a sixteenth of the setting
    5   good                                 a twentieth of the setting more, at most the setting
    ==  ===================================  ================================================
    """
    if outcome is Outcome.OTHER:  # 1
        return rate
    if stale and outcome is not Outcome.GOOD:  # 2
        return rate
    if outcome is Outcome.BUSY:  # 3
        return max(rate / 2, setting / _FEWEST)
    if outcome is Outcome.SLOW:  # 4
        return max(rate * 0.8, setting / _FEWEST)
    return min(rate + setting / _STEPS, setting)  # 5


def of_fault(fault: Fault) -> Outcome:
    """The outcome that a fault is."""
    return Outcome.BUSY if isinstance(fault, Refused) and fault.status in BUSY else Outcome.OTHER


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a dataset usually takes to begin its answer, seconds, smoothed over some sixteen pages.

    An answer is late when it took over three times as long as usual and over half a second, once eight are
    known. It raises what is usual by no more than that factor, so that a lasting change becomes usual.
    """

    usual: float = 0.0
    known: int = 0

    def outcome(self, seconds: float) -> Outcome:
        """GOOD or SLOW."""
        late = seconds > max(_SLOW_TIMES * self.usual, _SLOW_SECONDS)
        return Outcome.SLOW if late and self.known >= _KNOWN else Outcome.GOOD

    def after(self, seconds: float) -> Latency:
        """What is usual after another answer."""
        counted = min(seconds, _SLOW_TIMES * self.usual) if self.known >= _KNOWN else seconds
        share = min(self.known + 1, _SMOOTHING)
        return replace(self, usual=self.usual + (counted - self.usual) / share, known=self.known + 1)
