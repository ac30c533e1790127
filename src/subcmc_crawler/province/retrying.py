"""Whether and when a page is asked for again (1.2.3, 1.3.3). Pure."""

from __future__ import annotations

from typing import Final

from subcmc_crawler.errors import Fault, Malformed, Refused, TooLarge, Unreachable
from subcmc_crawler.province.settings import PullSettings

BUSY: Final = frozenset({408, 429, 503, 509})
"""HTTP statuses that ask for patience: 408 and 509 by 1.3.3, the others by their RFCs."""

_LONGEST_REST_SECONDS: Final = 6 * 3600.0


def next_delay(  # noqa: PLR0911 - a row a return
    number: int, fault: Fault, settings: PullSettings, *, max_attempts: int
) -> float | None:
    """Seconds to wait before the attempt after `number` (from 1), or None when there is none.

    First match wins.

    ==  =============================================================  ==============================
    1   the body was too large                                         None: a smaller page is asked
    2   `max_attempts` attempts were made                              None
    3   408, 429, 503 or 509                                           Retry-After, else the cool-down
    4   any other status from 300 to 499                               None: asking again mends nothing
    5   a dropped connection, for the first time                       1 s: it may only have been stale
    6   the connection failed or timed out                             the cool-down
    7   another status, a non-zero code, or a body that is no envelope 1, 2, 4, ... s, at most the cool-down
    ==  =============================================================  ==============================
    """
    if isinstance(fault, TooLarge):  # 1
        return None
    if number >= max_attempts:  # 2
        return None
    if isinstance(fault, Refused) and fault.status in BUSY:  # 3
        asked = fault.retry_after_seconds
        return min(settings.cool_down_seconds if asked is None else asked, _LONGEST_REST_SECONDS)
    if isinstance(fault, Refused) and 300 <= fault.status < 500:  # 4
        return None
    if isinstance(fault, Unreachable) and fault.kind == "disconnected" and number == 1:  # 5
        return min(1.0, settings.cool_down_seconds)
    if isinstance(fault, Unreachable):  # 6
        return settings.cool_down_seconds
    assert isinstance(fault, Refused | Malformed)  # noqa: S101 - the error tree has no other leaf
    return min(2.0 ** min(number - 1, 32), settings.cool_down_seconds)  # 7
