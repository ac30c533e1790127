"""How the line of a run is divided among its workers. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping


def next_lines(now: Mapping[str, int], busy: Collection[str], limit: int) -> dict[str, int]:
    """Bytes a second for each busy worker; `now` are those that hold, `limit` is that of the run.

    A worker that has nothing to do has no part. What is let known takes a while until all have heard of it, so a
    part grows only when those that shrink have been heard of: first match wins.

    ==  ==========================================================  =========================================
    1   nobody is busy                                              nothing
    2   some part is larger than an even one, or belongs to a       the smaller of its part and an even one for
        worker that is busy no more                                 whoever had one, and none for the others yet
    3   otherwise                                                   an even part for each
    ==  ==========================================================  =========================================
    """
    if not busy:  # 1
        return {}
    even = max(1, limit // len(busy))
    if any(part > even or worker not in busy for worker, part in now.items()):  # 2
        return {worker: min(part, even) for worker, part in now.items() if worker in busy}
    return dict.fromkeys(sorted(busy), even)  # 3
