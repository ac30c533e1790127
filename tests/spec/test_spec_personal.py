from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subcmc_crawler.spec.fields import FIELDS
from subcmc_crawler.spec.personal import mask, mask_field, mask_key, one_line, scrub

Kind = Literal["name", "phone", "id", "other"]

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
IDENTITY = st.from_regex(r"[1-9][0-9]{16}[0-9X]", fullmatch=True)
MOBILE = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("name", "张三", "张**"),
        ("name", "欧阳娜娜", "欧**"),
        ("name", "张", "**"),
        ("name", "", ""),
        ("name", "\u202e张三", "\\u202e**"),
        ("phone", "13912345678", "139******78"),
        ("phone", 13912345678, "139******78"),
        ("phone", "88881", "8****"),
        ("phone", "110", "***"),
        ("id", "620102199001011234", "620*************34"),
        ("id", "12345", "1****"),
        ("id", "1" * 500, "111********************11"),
        ("id", ["620102199001011234"], "[1 item]"),
        ("id", {"no": "620102199001011234"}, "{1 key}"),
        ("id", None, "None"),
        ("id", True, "True"),
        ("other", "a\nb\u202ec", "'a\\nb\\u202ec'"),
        ("other", "x" * 100, "'" + "x" * 38 + "…"),
        ("other", "call 13912345678 now", "'call 139******78 now'"),
        ("other", "\x0013912345678", "'\\x00139******78'"),
        ("other", 12, "12"),
    ],
)
def test_a_value_is_masked_by_its_kind(kind: Kind, value: object, shown: str) -> None:
    assert mask(kind, value) == shown


def test_a_number_too_long_to_print_is_named_by_its_type() -> None:
    assert mask("other", 10**5000) == "<int>"
    assert mask("phone", 10**5000) == "<****"


@given(st.sampled_from(["name", "phone", "id"]), st.text(st.characters(exclude_characters="*"), min_size=1))
def test_no_personal_text_is_ever_shown_whole(kind: Kind, value: str) -> None:
    assert value not in mask(kind, value)


@given(st.sampled_from(["phone", "id"]), st.text(st.characters(exclude_characters="*"), min_size=4))
def test_most_of_a_number_stays_hidden(kind: Kind, value: str) -> None:
    assert mask(kind, value).count("*") >= min(len(value) - 5, 3)


@given(st.sampled_from(["name", "phone", "id", "other"]), ANYTHING)
def test_a_mask_is_one_short_printable_line_whatever_the_value(kind: Kind, value: Any) -> None:
    shown = mask(kind, value)
    assert shown.isprintable()
    assert len(shown) <= 100


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError


def test_what_cannot_show_itself_is_named_by_its_type() -> None:
    assert mask("other", Unprintable()) == "<Unprintable>"


@given(st.text(), st.text(), ANYTHING)
def test_an_unknown_field_is_shown_like_any_other(dataset: str, name: str, value: Any) -> None:
    if dataset not in FIELDS:
        assert mask_field(dataset, name, value) == mask("other", value)


def test_a_field_is_masked_as_its_table_asks() -> None:
    assert mask_field("ua_user", "name", "张三") == "张**"
    assert mask_field("pm_app", "name", "警务通") == "'警务通'"
    assert mask_field("mdm_device", "imei", "861234567890123") == "861**********23"


@pytest.mark.parametrize(
    ("dataset", "key", "shown"),
    [
        ("ua_user", "u-1001", "u-1001"),
        ("ua_user", "620102199001011234", "620*************34"),
        ("ua_user", "62010219900101123X", "620*************3X"),
        ("ua_user", "620102900101123", "620**********23"),
        ("mdm_device", "861234567890123", "861234567890123"),
        ("ua_user", "13912345678", "139******78"),
        ("ua_user", "u-13912345678", "u-139******78"),
        ("ua_org", "1234567890123456789", "1234567890123456789"),
        ("ua_org", "a\u202eb\n", "a\\u202eb\\n"),
    ],
)
def test_a_key_is_shown_unless_it_is_a_person(dataset: str, key: str, shown: str) -> None:
    assert mask_key(dataset, key) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("用户13912345678不存在", "用户139******78不存在"),
        ("id 620102199001011234!", "id 620*************34!"),
        ("id 62010219900101123x", "id 620*************3x"),
        ("old 620102900101123", "old 620**********23"),
        ("+8613912345678", "+861********78"),
        ("139-1234-5678", "139********78"),
        ("620102 19900101 1234", "620***************34"),
        ("1477990888229 ms", "1477990888229 ms"),
        ("12345678901234567890", "12345678901234567890"),
        ("nothing here", "nothing here"),
    ],
)
def test_scrub_masks_numbers_of_people_inside_a_text(text: str, shown: str) -> None:
    assert scrub(text) == shown


NO_DIGITS = st.text(st.characters(exclude_categories=["Nd"]))


@given(NO_DIGITS, IDENTITY | MOBILE, NO_DIGITS)
def test_scrub_never_leaves_a_number_and_changes_nothing_else(before: str, number: str, after: str) -> None:
    scrubbed = scrub(before + number + after)
    assert number not in scrubbed
    assert scrub(scrubbed) == scrubbed
    assert len(scrubbed) == len(before + number + after)


def test_one_line_forgets_what_could_forge_a_log() -> None:
    assert one_line("a\r\n\u202e2026 ERROR 13912345678", 200) == "a2026 ERROR 139******78"
    assert one_line("x" * 1000, 10) == "x" * 9 + "…"
