"""Where a page leads: anchors inside one file, or addresses of a server."""

from __future__ import annotations

from typing import Protocol


class Links(Protocol):
    """Where the pages of a night are; an empty text says that there is no such page."""

    def night(self, run: int) -> str:
        """The matrix of a run."""

    def province(self, run: int, cmc_id: str) -> str:
        """A province in a run."""

    def cell(self, run: int, cmc_id: str, dataset: str) -> str:
        """One walk."""


class Anchors:
    """Links inside the file of run `run`: `#p-620000`, `#c-620000-ua_user`; other runs are not in it."""

    def __init__(self, run: int) -> None:
        self._run = run

    def night(self, run: int) -> str:
        """The matrix."""
        return "#matrix" if run == self._run else ""

    def province(self, run: int, cmc_id: str) -> str:
        """The section of a province."""
        return f"#p-{cmc_id}" if run == self._run else ""

    def cell(self, run: int, cmc_id: str, dataset: str) -> str:
        """The detail of a cell."""
        return f"#c-{cmc_id}-{dataset}" if run == self._run else ""
