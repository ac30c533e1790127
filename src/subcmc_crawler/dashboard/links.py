"""Where the pages of the dashboard are."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode


class Paths:
    """The links of one request: paths from the root, with the language where the request named one."""

    def __init__(self, lang: str | None = None) -> None:
        self._lang = lang

    @property
    def named(self) -> bool:
        """Whether the request named a language, which forms then keep."""
        return self._lang is not None

    def nights(self, nights: int | None = None, page: int | None = None) -> str:
        """All nights; `page` is that of a long table, as elsewhere."""
        return self._to("/", {"nights": nights, "page": page})

    def night(self, run: int, page: int | None = None) -> str:
        """The matrix of a run."""
        return self._to(f"/runs/{run}", {"page": page})

    def last(self) -> str:
        """The last run that ended."""
        return self._to("/runs/last")

    def province(self, run: int, cmc_id: str) -> str:
        """A province in a run."""
        return self._to(f"/runs/{run}/{quote(cmc_id, safe='')}")

    def cell(self, run: int, cmc_id: str, dataset: str) -> str:
        """One walk."""
        return self._to(f"/runs/{run}/{quote(cmc_id, safe='')}/{quote(dataset, safe='')}")

    def record(self, cell: str | None = None, key: str | None = None) -> str:
        """A record's history."""
        return self._to("/record", {"cell": cell, "key": key})

    def diff(
        self,
        old: int | None = None,
        new: int | None = None,
        cmc_id: str | None = None,
        dataset: str | None = None,
    ) -> str:
        """What changed between two runs."""
        return self._to("/diff", {"from": old, "to": new, "province": cmc_id, "dataset": dataset})

    def windows(self, run: int | None = None, page: int | None = None) -> str:
        """Planned against actual."""
        return self._to("/windows", {"run": run, "page": page})

    def live(self, page: int | None = None) -> str:
        """The run in progress."""
        return self._to("/live", {"page": page})

    def live_events(self, page: int | None = None) -> str:
        """The changes of that page, as they come."""
        return self._to("/live/events", {"page": page})

    def _to(self, path: str, query: Mapping[str, object] | None = None) -> str:
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        if self._lang is not None:
            asked["lang"] = self._lang
        return f"{path}?{urlencode(asked)}" if asked else path
