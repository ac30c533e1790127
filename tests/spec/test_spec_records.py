from __future__ import annotations

from typing import Any

import pytest

from subcmc_crawler.spec.datasets import DATASETS, Dataset
from subcmc_crawler.spec.fields import FIELDS
from subcmc_crawler.spec.records import Checked, check_page, key_of

CMC = "620000"
USER, HARDWARE, SERVICE = DATASETS["ua_user"], DATASETS["hardware"], DATASETS["pm_service"]


def user(**changes: Any) -> dict[str, Any]:
    return {
        "reportType": "A",
        "cmcId": CMC,
        "collectTime": 1477990888229,
        "userId": "u1",
        "name": "张三",
        "gender": 1,
        "userType": 1,
        "idNo": "620102199001011234",
        "policeNo": "123456",
        "position": "民警",
        "orgId": "o1",
        "mobile": "13912345678",
        "officePhone": "",
        "areaCode": "620100",
    } | changes


def hardware(**changes: Any) -> dict[str, Any]:
    return {
        "collectTime": 1477990888229,
        "assetId": "a1",
        "assetNumber": "n1",
        "assetName": "防火墙",
        "assetType": 30201,
        "assetDesc": "",
        "deviceIp": "10.0.0.1",
        "macAddress": "",
        "platform": 2,
        "area": 4,
        "importantLevel": 3,
        "assetStatus": 0,
        "createTime": 1477990888229,
        "orgId": "o1",
    } | changes


def service(**changes: Any) -> dict[str, Any]:
    row = {"collectTime": 1, "appId": "p1", "hosts": ["a1"], "languages": ["Java"], "middlewares": []}
    return row | changes


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def flags(row: object, dataset: Dataset = USER) -> tuple[str, ...]:
    return check_page(dataset, [row], CMC).flags.get(0, ())


CLEAN = Checked({}, {}, {}, 0, 0)


@pytest.mark.parametrize(
    ("dataset", "row"),
    [
        (USER, user()),
        (HARDWARE, hardware()),
        (SERVICE, service()),
        (USER, without(user(), "gender", "mobile")),
    ],
)
def test_a_clean_row_breaks_nothing(dataset: Dataset, row: dict[str, Any]) -> None:
    assert check_page(dataset, [row] * 3, CMC) == CLEAN


def test_an_empty_page_breaks_nothing() -> None:
    assert check_page(USER, [], CMC) == CLEAN


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # required, and what counts as present (1.3.5)
        ({"name": None}, ("name:required",)),
        ({"name": ""}, ()),
        ({"userType": None}, ("userType:required",)),
        ({"collectTime": None}, ("collectTime:required",)),
        ({"gender": None, "mobile": None, "position": None}, ()),
        ({"collectTime": -1}, ()),
        ({"collectTime": "-1L"}, ()),
        ({"collectTime": ""}, ()),
        ({"collectTime": -1.0}, ()),
        ({"userType": -1}, ()),
        ({"userType": "-1"}, ()),
        ({"userType": -1.0}, ()),
        ({"userType": ""}, ()),
        # types
        ({"name": 5}, ("name:type",)),
        ({"name": ["张三"]}, ("name:type",)),
        ({"name": "\ud800"}, ("name:type",)),
        ({"collectTime": "1477990888229"}, ("collectTime:type",)),
        ({"collectTime": True}, ("collectTime:type",)),
        ({"collectTime": 1.5}, ("collectTime:type",)),
        ({"collectTime": 1.0}, ("collectTime:type",)),
        ({"collectTime": {}}, ("collectTime:type",)),
        ({"userType": True}, ("userType:type",)),
        ({"userType": 1.0}, ("userType:type",)),
        ({"userType": []}, ("userType:type",)),
        # ranges
        ({"collectTime": 2**63 - 1}, ()),
        ({"collectTime": 2**63}, ("collectTime:range",)),
        ({"collectTime": -(2**63) - 1}, ("collectTime:range",)),
        ({"collectTime": 10**5000}, ("collectTime:range",)),
        # codes
        ({"userType": "1"}, ()),
        ({"userType": "01"}, ()),
        ({"userType": 3}, ("userType:code",)),
        ({"userType": "001"}, ("userType:code",)),
        ({"userType": 10**30}, ("userType:code",)),
        ({"gender": 0}, ("gender:code",)),
        # lengths
        ({"position": "x" * 32}, ()),
        ({"position": "警" * 32}, ()),
        ({"position": "x" * 33}, ("position:length",)),
        ({"policeNo": ""}, ()),
        ({"policeNo": "12345"}, ()),
        ({"policeNo": "警1234567890123\n"}, ()),
        ({"policeNo": "1" * 18}, ()),
        ({"policeNo": "1234"}, ("policeNo:length",)),
        ({"policeNo": "1" * 8}, ("policeNo:length",)),
        ({"policeNo": "1" * 19}, ("policeNo:length",)),
        ({"policeNo": 123456}, ("policeNo:type",)),
        # reportType and cmcId
        ({"reportType": "U"}, ()),
        ({"reportType": None}, ()),
        ({"reportType": ""}, ()),
        ({"reportType": "D"}, ("reportType:deleted",)),
        ({"reportType": "a"}, ("reportType:code",)),
        ({"reportType": 1}, ("reportType:code",)),
        ({"cmcId": None}, ()),
        ({"cmcId": ""}, ()),
        ({"cmcId": 620000}, ("cmcId:type",)),
        ({"cmcId": "110000"}, ("cmcId:other",)),
        ({"cmcId": 110000}, ("cmcId:other", "cmcId:type")),
        ({"cmcId": []}, ("cmcId:type",)),
        ({"cmcId": 10**5000}, ("cmcId:type",)),
        # several at once, sorted and once each
        ({"userType": 9, "name": None, "idNo": 5}, ("idNo:type", "name:required", "userType:code")),
    ],
    ids=lambda value: "" if isinstance(value, tuple) else ",".join(value) + str(len(str(value.keys()))),
)
def test_a_row_is_flagged_by_the_rules_it_breaks(changes: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert flags(user(**changes)) == expected


def test_absent_fields() -> None:
    assert flags(without(user(), "name", "gender")) == ("name:required",)
    assert flags(without(user(), "reportType", "cmcId")) == ()
    assert flags({}) == tuple(
        sorted(
            f"{field.name}:required"
            for field in FIELDS["ua_user"]
            if field.required and field.name not in {"cmcId", "reportType"}
        )
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"platform": 1, "area": 8}, ()),
        ({"platform": "02", "area": "07"}, ()),
        ({"platform": 1, "area": 4}, ("area:code",)),
        ({"platform": "01", "area": "4"}, ("area:code",)),
        ({"platform": 3, "area": 6}, ("area:code",)),
        ({"platform": 3, "area": -1}, ()),
        ({"platform": -1, "area": 7}, ()),
        ({"platform": 9, "area": 7}, ("platform:code",)),
        ({"platform": 2, "area": 9}, ("area:code",)),
        ({"platform": [], "area": {}}, ("area:type", "platform:type")),
        ({"platform": True, "area": 4}, ("platform:type",)),
        ({"platform": None, "area": 4}, ("platform:required",)),
        ({"assetType": "030201"}, ()),
        ({"assetType": 302}, ("assetType:code",)),
        ({"orgId": "x" * 101}, ("orgId:length",)),
    ],
)
def test_an_area_must_fit_its_platform(changes: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert flags(hardware(**changes), HARDWARE) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"hosts": []}, ()),
        ({"hosts": ["a"] * 50}, ()),
        ({"hosts": ["a"] * 51}, ("hosts:items",)),
        ({"hosts": ["x" * 256]}, ("hosts:item-length",)),
        ({"hosts": [1]}, ("hosts:type",)),
        ({"hosts": [None]}, ("hosts:type",)),
        ({"hosts": ["x" * 256, 1]}, ("hosts:item-length", "hosts:type")),
        ({"hosts": "a1,a2"}, ("hosts:type",)),
        ({"hosts": ""}, ("hosts:type",)),
        ({"hosts": None}, ("hosts:required",)),
        ({"languages": ["x" * 21] * 10}, ("languages:item-length",)),
        ({"haStatus": None}, ()),
        ({"haStatus": 0}, ()),
        ({"haStatus": 5}, ("haStatus:code",)),
    ],
)
def test_arrays_have_limits_of_number_and_length(changes: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert flags(service(**changes), SERVICE) == expected


def test_other_datasets_have_their_own_odd_fields() -> None:
    network = {"collectTime": 1, "netId": "n" * 9000, "operator": "", "networkType": "5G"}
    network |= {"netType": "0101", "upBandwidth": 2**31 - 1, "downBandwidth": -1}
    assert flags(network, DATASETS["infr_network"]) == ()
    wide = network | {"netType": 2, "upBandwidth": 2**31}
    assert flags(wide, DATASETS["infr_network"]) == ("upBandwidth:range",)
    device = {"collectTime": 1, "terminalId": "t", "model": "", "brand": "", "terminalType": 1, "imei": ""}
    assert flags(device | {"status": 0}, DATASETS["mdm_device"]) == ()
    odd = device | {"status": 0, "policeTerminalType": 30201}
    assert flags(odd, DATASETS["mdm_device"]) == ("policeTerminalType:code",)


def test_samples_are_masked_distinct_and_three_at_most() -> None:
    rows = [user(idNo=[1], policeNo=f"1{number}", name=5, mobile="1" * 30) for number in (1, 1, 2, 3, 4)]
    checked = check_page(USER, rows, CMC)
    assert set(checked.flags) == set(range(5))
    assert checked.samples == {
        "idNo:type": ("[1 item]",),
        "mobile:length": ("111********************11",),
        "name:type": ("**",),
        "policeNo:length": ("**",),
    }
    positions = check_page(USER, [user(position=f"{number}" * 40) for number in (1, 1, 2, 3, 4)], CMC).samples
    assert [sample[:3] for sample in positions["position:length"]] == ["'11", "'22", "'33"]
    assert check_page(USER, [{}], CMC).samples["name:required"] == ()


def test_rows_with_the_same_flags_share_them() -> None:
    found = check_page(USER, [user(gender=9), user(), user(gender=8)], CMC).flags
    assert found == {0: ("gender:code",), 2: ("gender:code",)}
    assert found[0] is found[2]


def test_row_numbers_hold_on_a_page_longer_than_a_chunk() -> None:
    rows: list[object] = [user() for _ in range(2500)]
    rows[0], rows[999], rows[1000], rows[2499] = user(gender=9), None, user(gender=9), {}
    assert sorted(check_page(USER, rows, CMC).flags) == [0, 1000, 2499]


def test_stray_spaces_are_trimmed_for_judging_and_the_row_stays_as_it_is() -> None:
    row = {f" {name} ": value for name, value in user(gender=9).items()}
    before = dict(row)
    checked = check_page(USER, [row, user()], CMC)
    assert checked.flags == {0: ("gender:code",)}
    assert (checked.stray_keys, checked.key_collisions, checked.drift) == (1, 0, {})
    assert row == before


def test_the_exact_spelling_wins_a_collision() -> None:
    checked = check_page(USER, [{" gender": 9} | user(), user() | {"gender ": 9}], CMC)
    assert checked.flags == {}
    assert (checked.stray_keys, checked.key_collisions) == (2, 2)
    both = check_page(USER, [without(user(), "gender") | {" gender": 9, "gender ": 1}], CMC)
    assert both.flags == {0: ("gender:code",)}
    assert both.key_collisions == 1


def test_unknown_fields_are_counted_by_row() -> None:
    rows = [user(rank=1), user(**{" rank ": 2, "rank": 3, "grade": 4}), user()]
    checked = check_page(USER, rows, CMC)
    assert checked.flags == {}
    assert checked.drift == {"rank": 2, "grade": 1}


def test_the_names_of_unknown_fields_are_bounded_and_safe() -> None:
    rows = [{f"f{number}": 1 for number in range(150)}, {"x" * 500: 1, "a\n\u202eb": 1, "13912345678": 1}]
    drift = check_page(USER, rows, CMC).drift
    assert len(drift) == 101
    assert drift["…"] == 2
    names = check_page(USER, rows[1:], CMC).drift
    assert names == {"x" * 79 + "…": 1, "ab": 1, "139******78": 1}


@pytest.mark.parametrize("row", [None, 5, "x", [], [1], True, 1.5])
def test_what_is_no_object_is_skipped(row: object) -> None:
    assert check_page(USER, [row, user(), row], CMC) == CLEAN
    assert key_of(USER, row) == (None, "not-an-object")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("u1", ("u1", "")),
        (" u1 ", (" u1 ", "")),
        ("警", ("警", "")),
        ("0", ("0", "")),
        (0, ("0", "")),
        (17, ("17", "")),
        (2**70, (str(2**70), "")),
        (-2, ("-2", "")),
        ("", (None, "empty-key")),
        (" \t\u3000", (None, "empty-key")),
        (None, (None, "empty-key")),
        (-1, (None, "empty-key")),
        ("-1", (None, "empty-key")),
        ("-1L", (None, "empty-key")),
        (10**4000, (None, "bad-key")),
        (True, (None, "bad-key")),
        (1.5, (None, "bad-key")),
        (-1.0, (None, "bad-key")),
        ([], (None, "bad-key")),
        ({"a": 1}, (None, "bad-key")),
        ("\ud800", (None, "bad-key")),
        ("k" * 1025, (None, "bad-key")),
        ("长" * 1024, ("长" * 1024, "")),
        (" " * 1025, (None, "empty-key")),
    ],
)
def test_a_key_is_text_or_a_whole_number(value: object, expected: tuple[str | None, str]) -> None:
    assert key_of(USER, {"userId": value}) == expected
    assert key_of(USER, {"x": 1, " userId ": value}) == expected


def test_a_key_is_found_under_its_exact_name_first() -> None:
    assert key_of(USER, {" userId": "a", "userId": "b"}) == ("b", "")
    assert key_of(USER, {"userid": "a"}) == (None, "missing-key")
    assert key_of(DATASETS["infr_network"], {" netId": "n1"}) == ("n1", "")
