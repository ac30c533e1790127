"""One HTTP answer as it came, for those who judge an interface instead of taking its rows (1.3). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from subcmc_crawler.errors import Fault


@dataclass(frozen=True, slots=True)
class Secured:
    """The TLS that an answer came over; `not_after` is None where the certificate was not verified."""

    version: str  # as OpenSSL writes it: "TLSv1.3"
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer of any status: `fault` is what its head alone says against a page, None when nothing does."""

    status: int
    headers: Mapping[str, str] = field(repr=False)  # names in lower case; of several alike the first
    body: bytes = field(repr=False)  # decoded
    milliseconds: float
    first_byte_seconds: float
    secured: Secured | None = None  # None over plain HTTP
    fault: Fault | None = None
