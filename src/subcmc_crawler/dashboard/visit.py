"""What a page is made from: the store, and what one request asks of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from subcmc_crawler.dashboard.links import Paths
from subcmc_crawler.province.registry import Registry
from subcmc_crawler.report.labels import Labels
from subcmc_crawler.store import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What all requests share. `registry` reads it anew, None where there is none; `closing` ends live pages."""

    db: Database
    lang: str = "zh"
    registry: Callable[[], Registry | None] = lambda: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    live_seconds: float = 2.0
    closing: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request, its parameters still as they came."""

    site: Site
    words: Labels
    links: Paths
    path: Mapping[str, str]
    query: Mapping[str, str]

    @property
    def db(self) -> Database:
        """The store, which is only read."""
        return self.site.db


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A template and what it is filled with. `here` is the entry of the main navigation that it belongs to."""

    template: str
    here: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    live: bool = False  # may run its own script and listen to the server
