"""The ministry's own query interface (4.1): paths, paging, and the answers that it may give. Pure.

The specification names the parameters and leaves the rest open: whether pages count from 0 or from 1, whether a
path ends in `/page`, and where in an answer the rows are. So the first two are found out by asking, and rows
are looked for in every place that frameworks put them, unless the registry names one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from subcmc_crawler.errors import Malformed, Refused
from subcmc_crawler.spec.datasets import Dataset
from subcmc_crawler.spec.envelope import Envelope, check_depth, document_in, total_of
from subcmc_crawler.spec.personal import one_line

SUFFIXES: Final = ("/page", "")
"""What a path may end in, in the order of trying: the sample of 4.1 has `/page`, its table has nothing."""

LARGEST_PAGE: Final = 5000

_GOOD_CODES: Final = (None, 0, "0", 200, "200")
_MESSAGE_CLIP: Final = 200


@dataclass(frozen=True, slots=True)
class Shape:
    """Where in an answer the rows and their total are, as the names on the way."""

    rows: tuple[str, ...]
    total: tuple[str, ...]

    @classmethod
    def of(cls, rows: str, total: str) -> Shape:
        """The shape of two dotted paths, such as `data.records` and `data.total`."""
        return cls(tuple(rows.split(".")), tuple(total.split(".")))

    def __str__(self) -> str:
        return f"{'.'.join(self.rows)} and {'.'.join(self.total)}"


SHAPES: Final = (
    Shape.of("data", "total"),  # as a pull answers (2.2.1.4)
    Shape.of("data.records", "data.total"),
    Shape.of("data.list", "data.total"),
    Shape.of("data.rows", "data.total"),
    Shape.of("data.content", "data.totalElements"),
    Shape.of("rows", "total"),
    Shape.of("records", "total"),
    Shape.of("list", "total"),
    Shape.of("content", "totalElements"),
)
"""The shapes that are looked for, the first that fits wins."""


def path_of(dataset: Dataset, suffix: str) -> str:
    """The path of a dataset at the ministry: that of its pull with another head (the table of 4.1)."""
    return "/mpscmc" + dataset.path.removeprefix("/subcmc") + suffix


def first_page(zero: Sequence[str | None] | None, one: Sequence[str | None] | None) -> int | None:
    """Whether pages count from 0 or from 1, told from the keys of page 0 and of page 1.

    None in place of the keys says that the page could not be had. First match wins.

    ==  ===================================  ==================================
    1   page 0 could not be had              1
    2   page 1 could not be had              0
    3   both are empty                       None: another dataset may tell
    4   page 0 is empty                      1
    5   both are the same                    1: what is below the first is the first
    6   all else                             0
    ==  ===================================  ==================================
    """
    if zero is None:  # 1
        return 1
    if one is None:  # 2
        return 0
    if not zero and not one:  # 3
        return None
    if not zero or zero == one:  # 4, 5
        return 1
    return 0  # 6


def parse(body: bytes, shapes: Sequence[Shape] = SHAPES) -> Envelope:
    """The envelope in `body`, the decoded bytes of an HTTP 200, read by the first shape that fits.

    Raises:
        Refused: kind "code", the answer carries a code that is neither 0 nor 200.
        Malformed: as `spec.envelope.parse`; kind "no-data" when no shape fits.
    """
    deviations: list[str] = []
    document, outline = document_in(body, deviations)
    _check_code(document)
    for shape in shapes:
        rows = _at(document, shape.rows)
        declared = _at(document, shape.total)
        if isinstance(rows, list) or (rows is None and _is_zero(declared)):
            found = rows or []
            total = total_of(declared, deviations)
            check_depth(document, found, outline)
            return Envelope(0, "", total, found, tuple(deviations))
    if len(shapes) > 1:
        raise Malformed("no-data", "no rows in any known place: name it by rows and total of [ministry]")
    raise Malformed("no-data", f"no rows at {shapes[0]}: look at rows and total of [ministry]")


def _is_zero(declared: object) -> bool:
    return declared == "0" or (type(declared) is int and declared == 0)


def _at(document: Any, path: Sequence[str]) -> Any:
    """What is at the end of a path; None when it leads nowhere. Names may have stray spaces around them."""
    for name in path:
        if not isinstance(document, dict):
            return None
        if name in document:
            document = document[name]
        else:
            document = next((value for key, value in document.items() if key.strip() == name), None)
    return document


def _check_code(document: dict[str, Any]) -> None:
    """An answer without a code is taken: its form is not given, and the rows must be there anyway."""
    code = _at(document, ("code",))
    if not isinstance(code, bool) and code in _GOOD_CODES:
        return
    said = one_line(str(code), 32) if isinstance(code, int | str) else type(code).__name__
    message = _at(document, ("message",)) or _at(document, ("msg",))
    told = one_line(message, _MESSAGE_CLIP) if isinstance(message, str) else ""
    raise Refused("code", f"code {said}: {told}" if told else f"code {said}", status=200)
