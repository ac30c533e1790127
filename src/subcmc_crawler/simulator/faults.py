"""What may be wrong with a centre, as values and as the text that names them.

    CMCID[#ADDRESS][/DATASET]:KIND[=VALUE][;OPTION=VALUE...][@NIGHT[,NIGHT...]]

    620000/mdm_device:drift        620000:clamp=200@2        *:429=3;retry-after=1
    620000#1:dead                  620000/ua_user:503=1;after=2

CMCID may be `*` for every centre. ADDRESS counts a centre's addresses from 1 and limits what goes wrong on
the wire to one of them. Without DATASET all nine are meant, without NIGHT every night.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from subcmc_crawler.spec.datasets import DATASETS


class Takes(Enum):
    """What stands after the equals sign of a kind; the value is the pattern it must match."""

    NOTHING = r""
    TIMES = r"(\d+)?"  # how many times in all; absent or 0: for ever
    COUNT = r"[1-9]\d*"
    SOME = r"([1-9]\d*)?"
    PERCENT = r"[1-9]\d?|100"
    SECONDS = r"\d+(\.\d+)?"
    CODE = r"-?[1-9]\d*"
    TOTAL = r"[+-]\d+|=-?\d+|absent|negative|string|moving|page"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: what it takes, which options, and what it does."""

    takes: Takes
    does: str
    options: tuple[str, ...] = ()


_SHIFTING = ("every",)
_REFUSING = ("after", "retry-after")
_LATER = ("after",)

CONTENT: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "shrunk": Kind(Takes.PERCENT, "that share of the rows is gone, from the end"),
        "empty": Kind(Takes.NOTHING, "no row at all, total 0"),
        "badrows": Kind(Takes.COUNT, "rows that break a rule of the field tables"),
        "foreign": Kind(Takes.SOME, "rows that carry another cmcId (default 5)"),
        "unknown-fields": Kind(Takes.NOTHING, "every row has a field that no table knows"),
        "duplicates": Kind(
            Takes.COUNT, "rows a second time, elsewhere in the sequence, at most half of them"
        ),
        "conflicts": Kind(Takes.COUNT, "keys a second time with other content, at most half of them"),
        "nokey": Kind(Takes.COUNT, "further rows whose key is missing, empty or null"),
        "stray-keys": Kind(Takes.NOTHING, 'blanks in keys: "message ", " netId", " assetId "'),
    }
)
"""Faults of what a centre holds: an ideal walk receives them too. Applied in this order."""

WIRE: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "drift": Kind(Takes.TIMES, "a row comes and goes at the front, each 2 pages", _SHIFTING),
        "grow": Kind(Takes.TIMES, "a row comes at the end, each 2 pages", _SHIFTING),
        "swap": Kind(Takes.TIMES, "a row at the front goes, one comes at the end, each 2 pages", _SHIFTING),
        "clamp": Kind(Takes.COUNT, "pageSize is cut before the offset is computed"),
        "clamp-limit": Kind(Takes.COUNT, "only the rows of a page are cut, not the offset"),
        "ignore-page": Kind(Takes.NOTHING, "page 1 whatever is asked"),
        "ignore-size": Kind(Takes.NOTHING, "page 1 holds everything"),
        "echo-last": Kind(Takes.NOTHING, "a page past the end is the last page again"),
        "any-id": Kind(Takes.NOTHING, "any cmcId will do, and none"),
        "any-page": Kind(Takes.NOTHING, "a page number or size that is missing, or none, is 1 or 20"),
        "page-zero": Kind(Takes.NOTHING, "pages count from 0"),
        "unordered": Kind(Takes.NOTHING, "each second page comes in the opposite order"),
        "html-errors": Kind(Takes.NOTHING, "errors are HTML"),
        "error-past-end": Kind(Takes.NOTHING, "a page past the end is HTTP 400"),
        **{
            status: Kind(Takes.TIMES, f"HTTP {status}", _REFUSING)
            for status in ("401", "404", "408", "429", "500", "503", "509")
        },
        "code": Kind(Takes.CODE, "HTTP 200 and this code", ("times", "after")),
        "html": Kind(Takes.TIMES, "HTTP 200 and a login page", _LATER),
        "redirect": Kind(Takes.TIMES, "HTTP 302 to a login page", _LATER),
        "truncated": Kind(Takes.TIMES, "half of the JSON body", _LATER),
        "reset": Kind(Takes.TIMES, "the connection drops in the middle of the body", _LATER),
        "dead": Kind(Takes.TIMES, "the connection drops before an answer", _LATER),
        "hang": Kind(Takes.TIMES, "no answer, the connection stays", _LATER),
        "slow": Kind(Takes.SECONDS, "each answer comes that much later"),
        "total": Kind(
            Takes.TOTAL,
            "total is off by +N or -N, is =N, absent, negative, a string, moving, that of the page",
        ),
        "bom": Kind(Takes.NOTHING, "a byte order mark before the JSON"),
        "big-body": Kind(Takes.COUNT, "blanks make a page of more than N rows (by 6 %) pass 10 MB"),
    }
)
"""Faults on the way: the centre's rows are sound."""

KINDS: Final[Mapping[str, Kind]] = MappingProxyType({**CONTENT, **WIRE})

_TEXT: Final = re.compile(
    r"(?P<cmc_id>\*|[\w-]+)(#(?P<address>[1-9]\d*))?(/(?P<dataset>\w+))?"
    r":(?P<kind>[\w-]+)(=(?P<value>[^;@]*))?(?P<options>(;[\w-]+=[^;@]*)*)(@(?P<nights>\d+(,\d+)*))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with one centre. Prints as the text that `parse` reads."""

    cmc_id: str
    kind: str
    dataset: str | None = None
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    nights: frozenset[int] | None = None
    address: int | None = None

    def __post_init__(self) -> None:
        kind = KINDS.get(self.kind)
        if kind is None:
            raise ValueError(f"unknown fault {self.kind!r}; the kinds are {', '.join(KINDS)}")
        if self.dataset is not None and self.dataset not in DATASETS:
            raise ValueError(f"unknown dataset {self.dataset!r}; the datasets are {', '.join(DATASETS)}")
        if not re.fullmatch(kind.takes.value, self.value):
            raise ValueError(f"fault {self.kind!r} cannot take {self.value!r}: {kind.does}")
        for name, text in self.options:
            if name not in kind.options or not text.isdecimal():
                known = ", ".join(f"{option}=N" for option in kind.options) or "none"
                raise ValueError(f"fault {self.kind!r} has no option {name}={text}; its options: {known}")
        if self.address is not None and self.kind in CONTENT:
            raise ValueError(f"fault {self.kind!r} is in the rows, so it cannot be on one address alone")

    @classmethod
    def parse(cls, text: str) -> Fault:
        """The fault that `text` names; ValueError with one line when it names none."""
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f"cannot read fault {text!r}; write CMCID[#ADDRESS][/DATASET]:KIND[=VALUE][@NIGHT,...], "
                f"with KIND one of {', '.join(KINDS)}"
            )
        pairs = (part.partition("=") for part in match["options"].split(";") if part)
        return cls(
            cmc_id=match["cmc_id"],
            kind=match["kind"],
            dataset=match["dataset"],
            value=match["value"] or "",
            options=tuple((name, value) for name, _, value in pairs),
            nights=frozenset(map(int, match["nights"].split(","))) if match["nights"] else None,
            address=int(match["address"]) if match["address"] else None,
        )

    def __str__(self) -> str:
        text = self.cmc_id
        text += f"#{self.address}" if self.address is not None else ""
        text += f"/{self.dataset}" if self.dataset is not None else ""
        text += f":{self.kind}"
        text += f"={self.value}" if self.value else ""
        text += "".join(f";{name}={value}" for name, value in self.options)
        return text + ("@" + ",".join(map(str, sorted(self.nights))) if self.nights is not None else "")

    @property
    def count(self) -> int:
        """The value as a whole number, 0 when there is none."""
        return int(self.value or 0)

    def option(self, name: str, default: int) -> int:
        """A numeric option."""
        return int(dict(self.options).get(name, default))

    @property
    def limit(self) -> int:
        """How many times it happens in all, 0 for ever."""
        return self.option("times", 0) if self.kind == "code" else self.count

    def holds(self, *, cmc_id: str, dataset: str, night: int) -> bool:
        """True when it is active for that dataset of that centre on that night."""
        return (
            self.cmc_id in {"*", cmc_id}
            and self.dataset in {None, dataset}
            and (self.nights is None or night in self.nights)
        )


DEMO_FAULTS: Final = tuple(
    Fault.parse(text)
    for text in (
        "120000/ua_user:drift=1;every=1",  # heals within the night: repaired
        "140000/mdm_device:drift;every=1@2",
        "210000/ua_user:duplicates=12",
        "220000:clamp=200",  # still proven
        "230000:stray-keys",
        "310000/mdm_device:badrows=25",
        "340000/ua_user:nokey=4",
        "350000/hardware:conflicts=3",
        "370000:509=1;retry-after=1",
        "410000/ua_user:truncated=1",
        "450000:500",
        "460000:html@2",
        "500000/mdm_device:ignore-page",
        "520000/pm_app:code=1001",
        "540000/ua_user:swap=1;every=1",  # the total holds still, a seam loses a row: repaired
        "610000/mdm_device:total=+7@2",
        "620000/ua_user:shrunk=60@2",
        "630000/ua_org:total=-3",
        "640000:dead@2",
        "660000/mr_resservice:empty@2",
        "710000/mdm_device:foreign=6",
        "710000/hardware:unknown-fields",
        "810000:bom",
        "820000/ua_user:503=1;after=1;retry-after=1",
    )
)
"""Two nights worth showing: each interesting fault once, the other centres sound."""
