"""The nine pull interfaces (chapter 2, sections named .4) in one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

VOLATILE: Final = "collectTime"
"""The field that changes every night by nature, so that no hash covers its value (2.2.1.2)."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A field whose value names the primary key of a record in `dataset`."""

    field: str
    dataset: str
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One pull interface.

    `code` is also the name of its MongoDB collection; `key` the field that, with cmcId, is its primary key.
    """

    code: str
    path: str
    key: str
    title: str
    title_en: str
    interface: str
    section: str
    references: tuple[Reference, ...] = ()


_TABLE = (
    Dataset(
        code="ua_org",
        path="/subcmc/v1/ua/org",
        key="orgId",
        title="机构",
        title_en="organisations",
        interface="IF-SCMC-PERSONNEL-01",
        section="2.2.1",
        references=(Reference("parentOrgId", "ua_org"),),
    ),
    Dataset(
        code="ua_user",
        path="/subcmc/v1/ua/user",
        key="userId",
        title="人员",
        title_en="users",
        interface="IF-SCMC-PERSONNEL-02",
        section="2.2.2",
        references=(Reference("orgId", "ua_org"),),
    ),
    Dataset(
        code="mdm_device",
        path="/subcmc/v1/mdm/device",
        key="terminalId",
        title="移动终端",
        title_en="devices",
        interface="IF-SCMC-INFR-01",
        section="2.3.1",
    ),
    Dataset(
        code="infr_network",
        path="/subcmc/v1/infr/network",
        key="netId",
        title="接入网络",
        title_en="access networks",
        interface="IF-SCMC-INFR-03",
        section="2.3.3",
    ),
    Dataset(
        code="hardware",
        path="/subcmc/v1/hardware",
        key="assetId",
        title="网络设施",
        title_en="network facilities",
        interface="IF-SCMC-INFR-04",
        section="2.3.4",
        references=(Reference("orgId", "ua_org"),),
    ),
    Dataset(
        code="appspt_system",
        path="/subcmc/v1/appspt/system",
        key="systemId",
        title="应用支撑",
        title_en="support systems",
        interface="IF-SCMC-APPSUPPORT-01",
        section="2.4.1",
    ),
    Dataset(
        code="pm_app",
        path="/subcmc/v1/pm/app",
        key="appId",
        title="移动应用APP",
        title_en="apps",
        interface="IF-SCMC-APP-01",
        section="2.5.1",
    ),
    Dataset(
        code="pm_service",
        path="/subcmc/v1/pm/service",
        key="appId",
        title="应用服务端",
        title_en="app services",
        interface="IF-SCMC-APP-02",
        section="2.5.2",
        references=(Reference("appId", "pm_app"), Reference("hosts", "hardware", many=True)),
    ),
    Dataset(
        code="mr_resservice",
        path="/subcmc/v1/mr/resservice",
        key="resServiceId",
        title="服务资源",
        title_en="service resources",
        interface="IF-SCMC-RESOURCE-01",
        section="2.6.1",
    ),
)

DATASETS: Final[Mapping[str, Dataset]] = MappingProxyType({dataset.code: dataset for dataset in _TABLE})
"""Code -> dataset, in the order of the specification, which is also the order of a pull."""
