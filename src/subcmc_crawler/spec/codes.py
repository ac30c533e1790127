"""The code tables of chapter 3 (and three that stand in field tables) as data. Pure.

The tables print codes padded with zeros while the fields are Integers, so that 1, "1" and "01" are one
code; a code of several levels joins them and loses its leading zero (2.3.1.2, 2.3.4.2): 020101 is 20101.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

NONE_SPELLINGS: Final[tuple[int | str, ...]] = (-1, "-1", "-1L", "")
"""What stands for "has none" in a number field (1.3.5); -1.0 is the fifth, and no code can be a float."""


@dataclass(frozen=True, slots=True, eq=False)
class CodeTable:
    """One code table: `names` maps each code, as an int, to its Chinese name; it stands in `section`."""

    name: str
    section: str
    names: Mapping[int, str]


@cache
def _known(table: CodeTable) -> frozenset[int | str]:
    return frozenset(spellings(table)) - frozenset(NONE_SPELLINGS)


@cache
def spellings(table: CodeTable) -> tuple[int | str, ...]:
    """Every accepted spelling of every code of `table`, and of "has none" (1.3.5).

    A code is accepted as a number, as its digits, and as its digits padded to whole levels of two.
    """
    found: dict[int | str, None] = {}
    for code in table.names:
        digits = str(code)
        found |= dict.fromkeys((code, digits, digits.zfill(len(digits) + len(digits) % 2)))
    return (*found, *NONE_SPELLINGS)


def read_code(table: CodeTable, value: object) -> int | None:
    """The code of `table` that `value` spells; None for "has none" and for whatever is no code of it."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return int(value) if value in _known(table) else None


def _numbered(name: str, section: str, *titles: str, start: int = 1, other: int | None = None) -> CodeTable:
    names = dict(enumerate(titles, start))
    if other is not None:
        names[other] = "其他"
    return CodeTable(name, section, MappingProxyType(names))


# First level, second level, then the third-level names with their codes (3.1). "Other" is 99 in most
# places and 00 under 04 and 05: the table is taken as printed.
_ASSETS: Final = (
    (1, "机构人员", 1, "人员", {1: "民警", 2: "辅警", 3: "协防员", 99: "其他"}),
    (1, "机构人员", 2, "机构", {1: "公安组织机构", 2: "社会企事业", 99: "其他"}),
    (
        2,
        "终端设备",
        1,
        "手持式",
        {1: "智能手机型", 2: "平板智能设备", 3: "执法记录仪", 4: "POS机", 99: "其他"},
    ),
    (2, "终端设备", 2, "便携式", {1: "笔记本电脑", 99: "其他"}),
    (2, "终端设备", 3, "运载式", {1: "车载终端", 99: "其他"}),
    (2, "终端设备", 4, "智能网关型", {1: "智能网关", 2: "无线AP", 99: "其他"}),
    (2, "终端设备", 99, "其他", {99: "其他"}),
    (3, "网络设施", 1, "通用网络设备", {1: "路由器", 2: "交换机", 99: "其他"}),
    (3, "网络设施", 2, "通用安全设备", {1: "防火墙", 2: "IPS", 3: "IDS", 99: "其他"}),
    (
        3,
        "网络设施",
        3,
        "专用安全设备",
        {
            1: "网络接入控制器",
            2: "安全接入网关",
            3: "身份鉴别评估",
            4: "统一身份认证",
            5: "双向隔离交换系统",
            6: "密码机",
            7: "PKI-LDAP",
            8: "PKI-RA",
            9: "PKI-CA",
            10: "PKI-KMC",
            11: "集中管控中心",
            12: "区域管控系统",
            13: "MDM系统",
            14: "单向安全传输系统",
            15: "视频安全传输系统",
            99: "其他",
        },
    ),
    (3, "网络设施", 4, "服务器/主机", {1: "物理机", 2: "虚拟机", 99: "其他"}),
    (
        3,
        "网络设施",
        5,
        "操作系统/中间件",
        {
            1: "操作系统",
            2: "数据库/大数据处理",
            3: "Web中间件",
            4: "虚拟化管理系统",
            5: "容器",
            99: "其他",
        },
    ),
    (3, "网络设施", 6, "密码设施", {1: "密码模块", 2: "密码服务", 3: "PKI", 99: "其他"}),
    (3, "网络设施", 99, "其他", {99: "其他"}),
    (4, "移动应用", 1, "应用客户端", {1: "原生APP", 2: "H5", 3: "其他"}),
    (4, "移动应用", 2, "应用服务端", {1: "应用服务", 2: "中间件", 3: "数据库"}),
    (4, "移动应用", 3, "应用市场客户端", {1: "应用市场客户端"}),
    (4, "移动应用", 4, "应用市场服务端", {1: "应用市场服务器"}),
    (4, "移动应用", 99, "其他", {0: "其他"}),
    (5, "服务资源", 1, "移动服务总线", {0: "移动服务总线"}),
    (5, "服务资源", 99, "其他", {0: "其他"}),
)

_ASSET_NAMES: Final = {
    first * 10_000 + second * 100 + third: f"{first_name} - {second_name} - {name}"
    for first, first_name, second, second_name, thirds in _ASSETS
    for third, name in thirds.items()
}

ASSET_TYPE: Final = CodeTable("asset-type", "3.1", MappingProxyType(_ASSET_NAMES))
"""All asset types, three levels joined: 10101, 20101, 30201."""

TERMINAL_TYPE: Final = CodeTable(
    "terminal-type",
    "3.1",
    MappingProxyType({code: name for code, name in _ASSET_NAMES.items() if code // 10_000 == 2}),
)
"""The asset types that are terminals: what 2.3.1.2 allows as policeTerminalType."""

PLATFORM: Final = _numbered("platform", "3.2", "移动互联网子平台", "联网服务子平台", "公安信息网服务子平台")

PLATFORM_AREAS: Final[Mapping[int, Mapping[int, str]]] = MappingProxyType(
    {
        1: MappingProxyType({1: "防护控制区", 2: "应用服务区", 3: "管控区", 8: "密码设施区"}),
        2: MappingProxyType(
            {
                1: "移动互联网隔离交换区",
                2: "接入控制区",
                3: "应用服务区",
                4: "管控区",
                5: "视频专网等网络隔离交换区",
                6: "联网控制区",
                7: "网络管理区",
                8: "密码设施区",
            }
        ),
        3: MappingProxyType(
            {
                1: "应用服务区",
                2: "集中管控区",
                3: "安全接入控制区",
                4: "应用代理服务区",
                5: "公安信息网隔离交换区",
                8: "密码设施区",
            }
        ),
    }
)
"""Platform code -> area code -> name (3.3): the same area code means another area on another platform."""

SYSTEM_AREA: Final = CodeTable(
    "system-area",
    "3.3",
    MappingProxyType(
        {
            code: " / ".join(dict.fromkeys(areas[code] for areas in PLATFORM_AREAS.values() if code in areas))
            for code in sorted({code for areas in PLATFORM_AREAS.values() for code in areas})
        }
    ),
)
"""Every area code of any platform; whether one fits its platform is in `PLATFORM_AREAS`."""

PROGRESS: Final = _numbered("progress", "3.4", "进行中", "已完成", "未启动")
SUPPORT: Final = _numbered("support", "3.5", "不支持", "已支持", start=0)
IMPORTANCE: Final = _numbered("importance", "3.6", "极低", "低", "中", "高", "极高", start=0)
ASSET_STATUS: Final = _numbered("asset-status", "3.7", "正常", "故障", "注销", "空闲", start=0)
CONTROL_TYPE: Final = _numbered("control-type", "3.8", "非受控终端", "一般受控终端", "增强受控终端", "其他")
APP_TYPE: Final = _numbered("app-type", "3.9", "I类应用/资源", "II类应用/资源", "III类应用/资源")
APP_STATUS: Final = _numbered("app-status", "3.10", "上架", "下架", "暂停")
POLICE_BRANCH: Final = _numbered(
    "police-branch",
    "3.13",
    *("国保", "经侦", "治安", "反邪教", "刑侦", "反恐", "食品药品", "特勤", "警卫", "铁路", "网安"),
    *("技侦", "监管", "缉私", "民航", "警保", "交管", "法制", "国合", "装财", "禁毒", "科信"),
    other=99,
)
SUPPORT_SYSTEM: Final = _numbered(
    "support-system",
    "3.15",
    *("应用市场", "服务总线", "身份认证", "权限管理", "目录服务", "应用运营", "运行监测"),
    other=99,
)
RESOURCE_TYPE: Final = _numbered("resource-type", "3.16", "数据交换类", "请求服务类", "授权访问类", other=99)
NET_TYPE: Final = CodeTable(
    "net-type",
    "3.17",
    MappingProxyType(
        {
            1: "互联网链路",
            101: "互联网链路 - 互联网接入",
            199: "互联网链路 - 其他",
            2: "无线专用传输链路",
            201: "无线专用传输链路 - 公网接入",
            202: "无线专用传输链路 - 专网接入",
            203: "无线专用传输链路 - 共网接入",
            299: "无线专用传输链路 - 其他",
        }
    ),
)
"""Two levels and no word on joining them: the first alone and both joined are accepted."""

GENDER: Final = _numbered("gender", "2.2.2.2", "男", "女")
USER_TYPE: Final = _numbered("user-type", "2.2.2.2", "民警", "辅警")
HA_STATUS: Final = _numbered("ha-status", "2.5.2.2", "不支持", "集群", "双活", "热备", "冷备", start=0)

AREAS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "110000": "北京市",
        "120000": "天津市",
        "130000": "河北省",
        "140000": "山西省",
        "150000": "内蒙古自治区",
        "210000": "辽宁省",
        "220000": "吉林省",
        "230000": "黑龙江省",
        "310000": "上海市",
        "320000": "江苏省",
        "330000": "浙江省",
        "340000": "安徽省",
        "350000": "福建省",
        "360000": "江西省",
        "370000": "山东省",
        "410000": "河南省",
        "420000": "湖北省",
        "430000": "湖南省",
        "440000": "广东省",
        "450000": "广西壮族自治区",
        "460000": "海南省",
        "500000": "重庆市",
        "510000": "四川省",
        "520000": "贵州省",
        "530000": "云南省",
        "540000": "西藏自治区",
        "610000": "陕西省",
        "620000": "甘肃省",
        "630000": "青海省",
        "640000": "宁夏回族自治区",
        "650000": "新疆维吾尔自治区",
        "660000": "新疆建设兵团",
        "710000": "台湾省",
        "810000": "香港特别行政区",
        "820000": "澳门特别行政区",
    }
)
"""The 35 areas of 3.14, code -> name, in the order of the table."""
