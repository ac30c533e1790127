"""What every peer is told: where the pages are, which datasets there are, and where the rows go."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

PATHS = {
    "mdm_device": "/subcmc/v1/mdm/device",
    "ua_user": "/subcmc/v1/ua/user",
    "ua_org": "/subcmc/v1/ua/org",
}
PAGE_ROWS = 1000


@dataclass(frozen=True)
class Task:
    """One dataset of one province."""

    base: str
    cmc_id: str
    dataset: str

    def url(self, page: int) -> str:
        """The address of a page."""
        query = f"cmcId={self.cmc_id}&pageNum={page}&pageSize={PAGE_ROWS}"
        return f"{self.base}/{self.cmc_id}{PATHS[self.dataset]}?{query}"


def tasks() -> list[list[Task]]:
    """The datasets of each province."""
    base = os.environ["BENCH_BASE"]
    return [
        [Task(base, cmc_id, dataset) for dataset in PATHS]
        for cmc_id in json.loads(os.environ["BENCH_PROVINCES"])
    ]


def mongodb() -> tuple[str, str]:
    """URI and database."""
    return os.environ["BENCH_URI"], os.environ["BENCH_DATABASE"]
