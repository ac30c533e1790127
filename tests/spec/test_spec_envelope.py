from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subcmc_crawler.errors import Answered, Malformed, Refused
from subcmc_crawler.spec.columns import columns_of
from subcmc_crawler.spec.envelope import MAX_BRACKETS, MAX_COMMAS, MAX_DEPTH, MAX_ROWS, Envelope, parse


def body(**members: Any) -> bytes:
    return json.dumps({"code": 0, "message": "ok", "total": 0, "data": []} | members).encode()


def fault(of: bytes) -> Malformed:
    with pytest.raises(Malformed) as caught:
        parse(of)
    assert caught.value.__context__ is None  # a parser's error would keep the whole body
    assert caught.value.detail.isprintable()
    return caught.value


def test_the_sample_of_the_specification() -> None:
    sample = b'{"code": 0, "message ": "ok", "total": 10387, "data": [{"orgId": "String"}]}'
    assert parse(sample) == Envelope(0, "ok", 10387, [{"orgId": "String"}], ("key-spaces:message",))


def test_a_clean_envelope_has_no_deviations() -> None:
    assert parse(body(total=2, data=[{"a": 1}, 5], extra={"pages": 1})) == Envelope(
        0, "ok", 2, [{"a": 1}, 5], ()
    )


@pytest.mark.parametrize(
    ("text", "deviations", "message"),
    [
        ('{"code":0,"massage":"ok","total":0,"data":[]}', ("key-typo:massage",), "ok"),
        (
            '{" code":0,"message":"ok"," total ":0,"data ":[]}',
            ("key-spaces:code", "key-spaces:total", "key-spaces:data"),
            "ok",
        ),
        (
            '{"code":0,"message ":"b","message":"a","total":0,"data":[]}',
            ("key-spaces:message", "key-twice:message"),
            "a",
        ),
        ('{"code":"0","message":"ok","total":0,"data":[]}', ("code-string",), "ok"),
        ('\ufeff{"code":0,"message":"ok","total":0,"data":[]}', ("bom",), "ok"),
        ('{"code":0,"message":null,"total":0,"data":[]}', (), ""),
        ('{"code":0,"message":["x"],"total":0,"data":[]}', (), ""),
        ('{"code":0,"total":0,"data":null}', ("data-null",), ""),
        ('{"code":0,"total":0}', ("data-absent",), ""),
    ],
)
def test_what_a_lenient_reader_forgives(text: str, deviations: tuple[str, ...], message: str) -> None:
    assert parse(text.encode()) == Envelope(0, message, 0, [], deviations)


@pytest.mark.parametrize(
    ("total", "declared", "deviations"),
    [
        ("0", 0, ()),
        ("10387", 10387, ()),
        ('"10387"', 10387, ("total-string",)),
        ('" 7 "', 7, ("total-string",)),
        ("1000000000000", 10**12, ()),
        ("1000000000001", None, ("total-absurd",)),
        ("99999999999999999999999", None, ("total-absurd",)),
        ('"99999999999999999999999"', None, ("total-string", "total-absurd")),
        ("-1", None, ("total-negative",)),
        ('"-1L"', None, ("total-negative",)),
        ('"-5"', None, ("total-negative",)),
        ("null", None, ("total-absent",)),
        ('""', None, ("total-absent",)),
        ("true", None, ("total-type",)),
        ("1.0", None, ("total-type",)),
        ('"many"', None, ("total-type",)),
        ('"１２"', None, ("total-type",)),
        ("[1]", None, ("total-type",)),
    ],
)
def test_a_total_declares_a_whole_number_or_nothing(
    total: str, declared: int | None, deviations: tuple[str, ...]
) -> None:
    envelope = parse(f'{{"code":0,"total":{total},"data":[]}}'.encode())
    assert (envelope.total, envelope.deviations) == (declared, deviations)


def test_an_absent_total_declares_nothing() -> None:
    assert parse(b'{"code":0,"data":[1]}') == Envelope(0, "", None, [1], ("total-absent",))


@pytest.mark.parametrize("code", [1, -1, 200, "200", "00", False, True, 0.0, [], {}, 10**30])
def test_any_other_code_is_a_refusal(code: object) -> None:
    with pytest.raises(Refused) as caught:
        parse(body(code=code, message="不存在 13912345678\n\u202e" + "x" * 500))
    assert caught.value.kind == "code"
    assert caught.value.status == 200
    assert caught.value.detail.startswith("code ")
    assert ": 不存在 139******78x" in caught.value.detail
    assert caught.value.detail.isprintable()
    assert len(caught.value.detail) < 250


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (b"", "empty-body"),
        (b" \r\n", "empty-body"),
        (b"\xef\xbb\xbf", "empty-body"),
        (b"<html><body>502 Bad Gateway</body></html>", "not-json"),
        ('{"code":0,"total":2,"data":[{"name":"张'.encode(), "not-json"),
        ('{"code":0,"total":2,"data":[{"name":"张'.encode()[:-1], "not-json"),
        ('{"code":0,"total":2,"id":12345678901234567890,"name":"张'.encode()[:-1], "not-json"),
        (b'{"code":0,"total":2,"data":[{"name":"Zhang"', "not-json"),
        (b'{"code":0,"total":0,"data":[]}}', "not-json"),
        (b'{"code":0,"total":NaN,"data":[]}', "not-json"),
        (b'{"code":0,"total":NaN,"data":[12345678901234567890]}', "not-json"),
        (b'{"code":0,"total":Infinity,"data":[]}', "not-json"),
        (b'{"code":0,"total":0,"data":[1e400]}', "number"),
        (b'{"code":0,"total":0,"data":[1e400,12345678901234567890]}', "number"),
        (b'{"code":0,"total":0,"data":[' + b"9" * 5000 + b"]}", "number"),
        ('{"code":0,"message":"成功","data":[]}'.encode("gbk"), "not-utf8"),
        ('{"code":0,"message":"成功","id":12345678901234567890}'.encode("gbk"), "not-utf8"),
        ('{"code":0}'.encode("utf-16"), "not-utf8"),
        (b"\xef\xbb\xbf\xef\xbb\xbf{}", "not-json"),
        (b"[]", "no-envelope"),
        (b"null", "no-envelope"),
        (b'"ok"', "no-envelope"),
        (b"{}", "no-code"),
        (b'{"code":null,"data":[]}', "no-code"),
        (b'{"timestamp":1535539654905,"status":400,"error":"Bad Request","path":"/x"}', "no-code"),
        (b'{"code":0}', "no-data"),
        (b'{"code":0,"total":1}', "no-data"),
        (b'{"code":0,"total":1,"data":null}', "no-data"),
        (b'{"code":0,"total":0,"data":{}}', "no-data"),
        (b'{"code":0,"total":0,"data":"[]"}', "no-data"),
        (b"[" * 5000 + b"]" * 5000, "depth"),
        (b"[" * 100_000 + b"12345678901234567890", "depth"),
        (b"{}," * (MAX_BRACKETS + 1), "amplification"),
        (b"[" + b"1," * (MAX_COMMAS + 1) + b"1]", "amplification"),
        (b"[" + b"1," * MAX_COMMAS + b"1]", "no-envelope"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:24]),
)
def test_what_is_no_envelope(broken: bytes, kind: str) -> None:
    assert fault(broken).kind == kind


def test_a_page_has_as_many_rows_as_can_be_asked_for_and_no_more() -> None:
    largest = parse(body(total=MAX_ROWS, data=[1] * MAX_ROWS))
    assert len(largest.rows) == MAX_ROWS
    refused = fault(body(total=MAX_ROWS, data=[1] * (MAX_ROWS + 1)))
    assert (refused.kind, refused.detail) == ("too-many-rows", f"{MAX_ROWS + 1} rows on one page")


@pytest.mark.parametrize("others", [[], [1] * 9, [None, {"b": 1.5}]], ids=["alone", "numbers", "an-object"])
@pytest.mark.parametrize("value", [{"b": 1}, [1], [[]]], ids=str)
def test_a_page_with_something_nested_is_never_flat(others: list[object], value: object) -> None:
    """Rows that are no objects leave room among the brackets for others."""
    assert parse(body(data=[{"a": 1.5}, *others])).flat
    assert not parse(body(data=[{"a": value}, *others])).flat


def test_a_deviation_is_noted_once_however_many_keys_there_are() -> None:
    strays = {" " * n + "code": 0 for n in range(1, 2000)}
    assert parse(body(**strays)).deviations == ("key-spaces:code", "key-twice:code")


def test_broken_json_is_never_quoted_but_a_page_of_text_is() -> None:
    assert "Zhang" not in fault(b'{"code":0,"data":[{"name":"Zhang"').detail
    assert "Zhang" not in fault(b'{"code":0,"data":[12345678901234567890,{"name":"Zhang"').detail
    detail = fault(b"<html>\x00\xe2\x80\xae 13912345678" + b"x" * 500).detail
    assert detail.startswith("starts with <html> 139******78x")
    assert len(detail) < 100


@pytest.mark.parametrize("levels", [MAX_DEPTH - 2, MAX_DEPTH - 1])
@pytest.mark.parametrize("others", [[], [1] * 1000, [{"a": 1}] * 1000])
def test_nesting_is_refused_past_the_limit(levels: int, others: list[object]) -> None:
    nested = "[" * levels + "]" * levels
    page = b'{"code":0,"total":0,"data":' + json.dumps([*others, "X"]).encode().replace(
        b'"X"', nested.encode()
    )
    if levels + 2 <= MAX_DEPTH:
        assert len(parse(page + b"}").rows) == len(others) + 1
    else:
        assert fault(page + b"}").kind == "depth"
    aside = f'{{"code":0,"total":0,"data":[],"x":{"[" * (levels + 1)}{"]" * (levels + 1)}}}'
    if levels + 2 <= MAX_DEPTH:
        assert parse(aside.encode()).rows == []
    else:
        assert fault(aside.encode()).kind == "depth"


@pytest.mark.parametrize(
    "number",
    [2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, -9999999999999999999, 10**40, -(10**40), 10**4000],
    ids=lambda number: number.bit_length(),
)
def test_integers_of_any_size_are_exact(number: int) -> None:
    (row,) = parse(body(data=[{"n": number}])).rows
    assert row == {"n": number}
    assert type(row["n"]) is int


def test_half_a_surrogate_pair_is_read_as_it_is() -> None:
    (row,) = parse(rb'{"code":0,"total":1,"data":[{"a":"\uD83D","b":"\ud83d\ude00"}]}').rows
    assert row == {"a": "\ud83d", "b": "😀"}


def test_long_digits_inside_a_text_change_nothing() -> None:
    assert parse(body(data=[{"a": "1" * 30, "b": 1.5}])).rows == [{"a": "1" * 30, "b": 1.5}]


def outcome(raw: bytes) -> Envelope | Answered:
    try:
        return parse(raw)
    except Answered as error:
        return error


@given(st.binary())
def test_any_bytes_are_an_envelope_or_an_answered_fault(raw: bytes) -> None:
    assert isinstance(outcome(raw), Envelope | Answered)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
MEMBERS = st.dictionaries(
    st.sampled_from(["code", " code", "message ", "massage", "total", "total ", "data", "data ", "x"]), JSON
)


@given(MEMBERS)
def test_any_object_is_an_envelope_or_an_answered_fault(members: dict[str, Any]) -> None:
    found = outcome(json.dumps(members).encode())
    if isinstance(found, Envelope):
        assert found.code == 0
        assert found.total is None or found.total >= 0
    else:
        assert found.kind
        assert found.detail.isprintable()


@given(st.lists(JSON))
def test_rows_come_out_as_they_went_in(rows: list[Any]) -> None:
    assert parse(body(data=rows, total=len(rows))).rows == rows


@given(st.integers(min_value=0, max_value=200))
def test_a_body_cut_anywhere_is_never_an_empty_page(cut: int) -> None:
    whole = body(total=2, data=[{"orgId": "一"}, {"orgId": "b"}])
    if cut < len(whole):
        with pytest.raises(Malformed):
            parse(whole[:cut])


_VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(
        [2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**19, -(10**30), 1e300, -0.0, {}, [], [[]], "$ref"]
    )
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
)


@given(
    st.lists(st.fixed_dictionaries({"a": _VALUES, "b": _VALUES}), max_size=3),
    st.dictionaries(st.sampled_from(["message", " data", "pages"]), _VALUES, max_size=2),
)
def test_a_page_is_exact_whether_or_not_its_columns_spoke_for_it(
    rows: list[Any], extra: dict[str, Any]
) -> None:
    found = parse(body(**{"total": len(rows), "data": rows} | extra))
    assert repr(found.rows) == repr(rows)
    if found.columns is not None:
        assert found.columns == columns_of(rows)
        assert not any(isinstance(value, float | dict | list) for row in rows for value in row.values())
