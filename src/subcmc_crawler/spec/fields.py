"""The nine field tables of chapter 2 (sections named .2) as data. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from subcmc_crawler.spec import codes
from subcmc_crawler.spec.codes import CodeTable

Kind = Literal["string", "integer", "long", "strings"]
Personal = Literal["name", "phone", "id"]

TOLERATED: Final = frozenset({"reportType", "cmcId"})
"""Required by every table and in no pull sample (2.2.1.4): a row without them breaks no rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One row of a field table.

    `max_length` and `lengths` count characters, `items_max` elements, `item_max_length` characters of one
    element. `default` is what an absent value means, `personal` how the value is masked where people read.
    """

    name: str
    title: str
    kind: Kind
    required: bool
    max_length: int | None = None
    lengths: tuple[int, ...] | None = None
    table: CodeTable | None = None
    items_max: int | None = None
    item_max_length: int | None = None
    default: int | None = None
    personal: Personal | None = None


def _text(
    name: str,
    title: str,
    max_length: int | None,
    *,
    required: bool = False,
    personal: Personal | None = None,
) -> Field:
    return Field(
        name=name, title=title, kind="string", required=required, max_length=max_length, personal=personal
    )


def _code(
    name: str, title: str, table: CodeTable, *, required: bool = True, default: int | None = None
) -> Field:
    return Field(name=name, title=title, kind="integer", required=required, table=table, default=default)


def _time(name: str, title: str, *, required: bool = False) -> Field:
    return Field(name=name, title=title, kind="long", required=required)


_HEAD: Final = (
    _text("reportType", "记录上报类型", 1, required=True),
    _text("cmcId", "省级管控中心标识", 50, required=True),
    _time("collectTime", "数据采集时间", required=True),
)

_UA_ORG = (
    _text("orgId", "机构标识", 255, required=True),
    _text("orgName", "机构名称", 255, required=True),
    _text("parentOrgId", "上级机构标识", 255, required=True),
    _text("areaCode", "所在区域代码", 50),
    _text("description", "机构描述", 255),
    _text("contact", "联系人姓名", 20, personal="name"),
    _text("contactPhone", "联系人电话", 20, personal="phone"),
)

_UA_USER = (
    _text("userId", "用户标识", 255, required=True),
    _text("name", "姓名", 255, required=True, personal="name"),
    _code("gender", "性别", codes.GENDER, required=False),
    _code("userType", "用户类型", codes.USER_TYPE),
    _text("idNo", "身份证号", 255, required=True, personal="id"),
    Field(
        name="policeNo",
        title="警号",
        kind="string",
        required=True,
        lengths=(0, 5, 6, 7, 15, 18),
        personal="id",
    ),
    _text("position", "职务", 32),
    _text("orgId", "所属机构标识", 255, required=True),
    _text("mobile", "手机号码", 20, personal="phone"),
    _text("officePhone", "办公电话", 20, personal="phone"),
    _text("areaCode", "所在地区", 50),
)

_MDM_DEVICE = (
    _text("terminalId", "设备标识", 50, required=True),
    _code("policeTerminalType", "移动终端类型", codes.TERMINAL_TYPE, required=False, default=20101),
    _text("model", "终端型号", 255, required=True),
    _text("brand", "终端品牌", 50, required=True),
    _code("terminalType", "受控类型", codes.CONTROL_TYPE),
    _text("phoneNumber", "手机号", 255, personal="phone"),
    _text("imei", "IMEI", 50, required=True, personal="id"),
    _text("os", "操作系统名称", 255),
    _text("osVersion", "操作系统型号", 255),
    _text("storage", "总存储容量", 50),
    _text("cpuModel", "CPU型号", 255),
    _text("seqNumber", "序列号", 255),
    _text("wifiMac", "WiFi MAC", 255),
    _text("bluetoothMac", "蓝牙MAC", 255),
    _time("activateTime", "激活时间"),
    Field(name="runMemory", title="运行内存", kind="long", required=False),
    _code("status", "状态", codes.ASSET_STATUS),
)

_INFR_NETWORK = (
    _text("netId", "链路标识", None, required=True),
    _code("netType", "链路类型", codes.NET_TYPE),
    _text("operator", "运营商", 100, required=True),
    _text("networkType", "网络制式", 50, required=True),
    Field(name="upBandwidth", title="上行带宽", kind="integer", required=True),
    Field(name="downBandwidth", title="下行带宽", kind="integer", required=True),
)

_HARDWARE = (
    _text("assetId", "资产标识", 50, required=True),
    _text("assetNumber", "资产编号", 100, required=True),
    _text("assetName", "资产名称", 255, required=True),
    _code("assetType", "资产类型", codes.ASSET_TYPE),
    _text("assetDesc", "资产描述", 2000, required=True),
    _text("deviceIp", "设备IP", 100, required=True),
    _text("macAddress", "MAC地址", 50, required=True),
    _code("platform", "子平台", codes.PLATFORM),
    _code("area", "系统区域", codes.SYSTEM_AREA),
    _code("importantLevel", "重要性", codes.IMPORTANCE),
    _code("assetStatus", "资产状态", codes.ASSET_STATUS),
    _text("os", "操作系统", 255),
    _text("depositPlace", "存放地点", 255),
    _text("purpose", "用途", 255),
    _text("supplier", "供应商", 255),
    _text("manufacturers", "生产厂商", 255),
    _text("constructionDepartment", "建设部门", 255),
    _text("responsiblePerson", "责任人", 255, personal="name"),
    _text("responsiblePhone", "责任人电话", 255, personal="phone"),
    _text("maintainUnit", "维护单位", 255),
    _text("maintenancePerson", "维护人", 255, personal="name"),
    _text("maintenancePhone", "维护人电话", 255, personal="phone"),
    _text("warrantyPeriod", "保修截止期", 255),
    _time("createTime", "注册时间", required=True),
    _time("updateTime", "更新时间"),
    _text("orgId", "组织机构唯一标识", 100, required=True),
)

_APPSPT_SYSTEM = (
    _text("systemId", "应用支撑系统标识", 50, required=True),
    _text("systemName", "应用支撑系统名称", 50, required=True),
    _code("type", "应用支撑系统类型", codes.SUPPORT_SYSTEM),
    _code("platform", "所在子平台", codes.PLATFORM),
    _time("launchTime", "上线时间", required=True),
    _code("interconnStatus", "互联支持状态", codes.SUPPORT),
    _text("url", "Web端URL", 1024, required=True),
    _text("capabilityDescription", "系统能力描述", 1024, required=True),
    _text("vendor", "开发单位", 50, required=True),
    _text("techContact", "技术联系人", 20, personal="name"),
    _text("techTelephone", "技术联系电话", 20, personal="phone"),
)

_PM_APP = (
    _text("appId", "APP标识", 50, required=True),
    _text("pkgName", "APP包名", 255, required=True),
    _text("name", "APP名称", 255, required=True),
    _text("version", "APP版本", 50, required=True),
    _code("appType", "APP部署类型", codes.APP_TYPE),
    _code("status", "APP状态", codes.APP_STATUS),
    Field(name="appFileSize", title="安装包大小", kind="long", required=True),
    _time("createTime", "发布时间"),
    Field(name="publishScope", title="发布范围", kind="strings", required=False, item_max_length=50),
    _time("updateTime", "应用更新时间"),
    _text("vendor", "开发单位", 255),
    _text("appFileUrl", "安装包下载地址", 255),
    _text("description", "应用描述", 1024),
    _text("logo", "应用图标", 2550),
    _text("orgName", "组织机构名称", 255),
)

_PM_SERVICE = (
    _text("appId", "APP标识", 50, required=True),
    Field(
        name="hosts",
        title="部署的主机列表",
        kind="strings",
        required=True,
        items_max=50,
        item_max_length=255,
    ),
    _code("haStatus", "高可用方式", codes.HA_STATUS, required=False),
    Field(
        name="languages", title="开发语言", kind="strings", required=True, items_max=10, item_max_length=20
    ),
    Field(
        name="middlewares", title="中间件", kind="strings", required=True, items_max=50, item_max_length=20
    ),
)

_MR_RESSERVICE = (
    _text("resServiceId", "资源标识", 50, required=True),
    _text("resServiceName", "资源名称", 50, required=True),
    _code("type", "服务类型", codes.RESOURCE_TYPE),
    _text("description", "信息服务简介", 255),
    _text("orgName", "组织机构", 255),
    _text("serviceUrl", "信息服务URL", 1024, required=True),
    _code("serviceType", "资源部署类型", codes.APP_TYPE),
    _code("status", "资源状态", codes.APP_STATUS),
    _time("createTime", "创建时间", required=True),
    _time("publishTime", "发布时间", required=True),
    _time("updateTime", "更新时间", required=True),
    _text("version", "版本", 50, required=True),
    _text("vendor", "开发单位", 255, required=True),
    _text("techContact", "技术联系人", 20, personal="name"),
    _text("techTelephone", "联系电话", 20, personal="phone"),
)

FIELDS: Final[Mapping[str, tuple[Field, ...]]] = MappingProxyType(
    {
        "ua_org": _HEAD + _UA_ORG,
        "ua_user": _HEAD + _UA_USER,
        "mdm_device": _HEAD + _MDM_DEVICE,
        "infr_network": _HEAD + _INFR_NETWORK,
        "hardware": _HEAD + _HARDWARE,
        "appspt_system": _HEAD + _APPSPT_SYSTEM,
        "pm_app": _HEAD + _PM_APP,
        "pm_service": _HEAD + _PM_SERVICE,
        "mr_resservice": _HEAD + _MR_RESSERVICE,
    }
)
"""Dataset code -> its fields in the order of the table; `required` is what the table says."""
