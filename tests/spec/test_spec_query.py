"""The ministry's query interface: its paths, how it counts, and where its rows are (4.1)."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from subcmc_crawler.errors import Malformed, Refused
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.query import SHAPES, Shape, first_page, parse, path_of

ROWS = [{"orgId": "a"}, {"orgId": "b"}]


def test_the_paths_are_those_of_the_table() -> None:
    assert [path_of(dataset, "") for dataset in DATASETS.values()] == [
        "/mpscmc/v1/ua/org",
        "/mpscmc/v1/ua/user",
        "/mpscmc/v1/mdm/device",
        "/mpscmc/v1/infr/network",
        "/mpscmc/v1/hardware",
        "/mpscmc/v1/appspt/system",
        "/mpscmc/v1/pm/app",
        "/mpscmc/v1/pm/service",
        "/mpscmc/v1/mr/resservice",
    ]


def test_the_sample_has_a_suffix() -> None:
    assert path_of(DATASETS["mdm_device"], "/page") == "/mpscmc/v1/mdm/device/page"


@pytest.mark.parametrize(
    ("row", "zero", "one", "first"),
    [
        (1, None, ["a"], 1),
        (1, None, [], 1),
        (2, ["a"], None, 0),
        (3, [], [], None),
        (4, [], ["a"], 1),
        (5, ["a", "b"], ["a", "b"], 1),
        (6, ["a", "b"], ["c", "d"], 0),
        (6, ["a", "b"], [], 0),
    ],
)
def test_how_pages_count(row: int, zero: list[str] | None, one: list[str] | None, first: int | None) -> None:
    assert first_page(zero, one) == first, row


def answer(shape: Shape, rows: object, total: object, **more: object) -> bytes:
    document: dict[str, Any] = dict(more)
    for path, value in ((shape.rows, rows), (shape.total, total)):
        level = document
        for name in path[:-1]:
            level = level.setdefault(name, {})
        level[path[-1]] = value
    return orjson.dumps(document)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_known_shape_is_found(shape: Shape) -> None:
    envelope = parse(answer(shape, ROWS, 2, code=0))
    assert (envelope.rows, envelope.total) == (ROWS, 2)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("total", [0, "0"])
def test_null_rows_are_none_where_the_total_is_0(shape: Shape, total: object) -> None:
    envelope = parse(answer(shape, None, total, code=0))
    assert (envelope.rows, envelope.total) == ([], 0)


def test_a_shape_of_ones_own() -> None:
    own = Shape.of("result.items", "result.page.count")
    envelope = parse(answer(own, ROWS, 2), [own])
    assert (envelope.rows, envelope.total) == (ROWS, 2)


def test_names_may_have_blanks_around_them() -> None:
    assert parse(b'{"code ":0," data":{"records ":[{}],"total":1}}').rows == [{}]


@pytest.mark.parametrize("code", [0, "0", 200, "200", None])
def test_good_codes(code: object) -> None:
    assert parse(answer(SHAPES[0], ROWS, 2, code=code)).total == 2


@pytest.mark.parametrize("code", [1, -1, "500", False, [], 201])
def test_any_other_code_refuses(code: object) -> None:
    with pytest.raises(Refused) as refused:
        parse(answer(SHAPES[0], ROWS, 2, code=code, msg="busy 13800138000"))
    assert refused.value.kind == "code"
    assert "13800138000" not in refused.value.detail


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "empty-body"),
        (b"<html>", "not-json"),
        (b"[]", "no-envelope"),
        (b'{"code":0}', "no-data"),
        (b'{"code":0,"data":"x","total":1}', "no-data"),
        (b'{"code":0,"data":null,"total":5}', "no-data"),
        (b'{"code":0,"data":[' + b"[" * 300 + b"]" * 300 + b'],"total":1}', "depth"),
    ],
)
def test_what_holds_no_rows_is_malformed(body: bytes, kind: str) -> None:
    with pytest.raises(Malformed) as malformed:
        parse(body)
    assert malformed.value.kind == kind


def test_a_place_that_is_named_and_wrong_is_told() -> None:
    with pytest.raises(Malformed, match=r"data\.rows and data\.total"):
        parse(answer(SHAPES[0], ROWS, 2), [Shape.of("data.rows", "data.total")])


def test_an_absent_total_is_no_declaration() -> None:
    envelope = parse(b'{"data":[{}]}')
    assert envelope.total is None
    assert envelope.deviations == ("total-absent",)
