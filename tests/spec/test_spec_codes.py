from __future__ import annotations

import pytest

from subcmc_crawler.spec import codes
from subcmc_crawler.spec.codes import CodeTable, read_code, spellings

TABLES = [table for table in vars(codes).values() if isinstance(table, CodeTable)]


def test_there_are_35_areas_in_the_order_of_the_table() -> None:
    assert len(codes.AREAS) == 35
    assert next(iter(codes.AREAS)) == "110000"
    assert list(codes.AREAS)[-1] == "820000"
    assert codes.AREAS["620000"] == "甘肃省"
    assert list(codes.AREAS) == sorted(codes.AREAS)


@pytest.mark.parametrize(
    ("table", "code", "name"),
    [
        (codes.ASSET_TYPE, 10101, "民警"),
        (codes.ASSET_TYPE, 20101, "智能手机型"),
        (codes.ASSET_TYPE, 20201, "笔记本电脑"),
        (codes.ASSET_TYPE, 30201, "防火墙"),
        (codes.ASSET_TYPE, 30315, "视频安全传输系统"),
        (codes.ASSET_TYPE, 49900, "其他"),
        (codes.ASSET_TYPE, 50100, "移动服务总线"),
        (codes.TERMINAL_TYPE, 20402, "无线AP"),
        (codes.PLATFORM, 2, "联网服务子平台"),
        (codes.PROGRESS, 3, "未启动"),
        (codes.SUPPORT, 0, "不支持"),
        (codes.IMPORTANCE, 4, "极高"),
        (codes.ASSET_STATUS, 3, "空闲"),
        (codes.CONTROL_TYPE, 4, "其他"),
        (codes.APP_TYPE, 3, "III类应用/资源"),
        (codes.APP_STATUS, 3, "暂停"),
        (codes.POLICE_BRANCH, 22, "科信"),
        (codes.POLICE_BRANCH, 99, "其他"),
        (codes.SUPPORT_SYSTEM, 7, "运行监测"),
        (codes.RESOURCE_TYPE, 99, "其他"),
        (codes.NET_TYPE, 203, "共网接入"),
        (codes.USER_TYPE, 2, "辅警"),
        (codes.HA_STATUS, 4, "冷备"),
    ],
)
def test_a_code_has_the_name_of_its_table(table: CodeTable, code: int, name: str) -> None:
    assert table.names[code].endswith(name)


def test_table_sizes_are_those_of_chapter_3() -> None:
    assert len(codes.ASSET_TYPE.names) == 68
    assert len(codes.POLICE_BRANCH.names) == 23
    assert {platform: len(areas) for platform, areas in codes.PLATFORM_AREAS.items()} == {1: 4, 2: 8, 3: 6}
    assert set(codes.TERMINAL_TYPE.names) < set(codes.ASSET_TYPE.names)


def test_spellings_are_the_number_its_digits_its_padded_digits_and_has_none() -> None:
    assert spellings(codes.GENDER) == (1, "1", "01", 2, "2", "02", -1, "-1", "-1L", "")
    assert {20101, "20101", "020101"} <= set(spellings(codes.ASSET_TYPE))
    assert {1, "1", "01", 101, "101", "0101", 299, "0299"} <= set(spellings(codes.NET_TYPE))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_spelling_reads_back_as_one_code(table: CodeTable) -> None:
    for spelling in spellings(table):
        code = read_code(table, spelling)
        assert code in table.names or (code is None and spelling in codes.NONE_SPELLINGS)
    assert all(name and name == name.strip() for name in table.names.values())


@pytest.mark.parametrize("value", [True, 1.0, 9, "9", "001", " 1", None, [], {}, "", -1, "-1L", 10**30])
def test_what_spells_no_code_reads_as_none(value: object) -> None:
    assert read_code(codes.GENDER, value) is None
