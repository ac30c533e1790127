"""Invented records for the nine datasets (chapter 2), each one addressable on its own.

A row is a pure function of (seed, cmcId, sizes, dataset, index, revision); the night only moves its
collectTime. No row breaks a rule of the field tables, and every reference names a row that exists on
every night: see `stable`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from hashlib import blake2b
from operator import mul
from struct import Struct
from types import MappingProxyType
from typing import Final

from subcmc_crawler.simulator.chance import salt
from subcmc_crawler.simulator.vocabulary import (
    APPS,
    ASSETS,
    BANDWIDTHS_MBPS,
    DEVICE_MODELS,
    GIVEN_FIRST,
    GIVEN_LAST,
    LANGUAGES,
    MANUFACTURERS,
    MIDDLEWARES,
    NETWORK_GENERATIONS,
    NETWORK_TYPES,
    OPERATORS,
    PLACE_FIRST,
    PLACE_LAST,
    PLATFORM_AREAS,
    POPULATION_MILLIONS,
    POSITIONS,
    PURPOSES,
    RESOURCES,
    STORAGES,
    SURNAMES,
    SYSTEMS,
)

Row = dict[str, object]
"""One record, fields by their names in the specification."""

DAY_MS: Final = 86_400_000
FIRST_NIGHT_MS: Final = 1_767_200_400_000
"""Night 1 began at 2026-01-01T01:00:00+08:00, in epoch milliseconds."""

BASE_SIZES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "ua_org": 1_500,
        "ua_user": 50_000,
        "mdm_device": 50_000,
        "infr_network": 200,
        "hardware": 1_500,
        "appspt_system": 60,
        "pm_app": 400,
        "pm_service": 400,
        "mr_resservice": 500,
    }
)
"""Rows of each dataset of a province at scale 1.0 (2.2.1.4 expects up to 50,000 users or devices)."""

_SMALLEST: Final = 3
_FAN_OUT: Final = 12
_NUMBERS: Final = Struct("<16I").unpack
_CHECK_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_OF_ZEROS: Final = sum(_CHECK_WEIGHTS) * ord("0")


def sizes(scale: float, *, area_code: str | None = None) -> dict[str, int]:
    """Rows of each dataset on night 1; with `area_code`, larger where more people live."""
    weight = 1.0
    if area_code is not None:
        mean = sum(POPULATION_MILLIONS.values()) / len(POPULATION_MILLIONS)
        weight = POPULATION_MILLIONS.get(area_code, mean) / mean
    if scale <= 0:
        return dict.fromkeys(BASE_SIZES, 0)
    return {code: max(_SMALLEST, round(base * scale * weight)) for code, base in BASE_SIZES.items()}


def stable(index: int) -> int:
    """The nearest index, at most `index`, that no night removes: what references may point to."""
    return index - 1 if index % 8 == 7 else index


def parent_of(index: int) -> int:
    """The index of the organisation above; always smaller, so that parents come first (2.2.1.3)."""
    return stable((index - 1) // _FAN_OUT)


class Records:
    """All records that one centre could ever hold."""

    def __init__(self, *, seed: int, cmc_id: str, name: str, sizes: Mapping[str, int]) -> None:
        self._cmc_id = cmc_id
        self._name = name
        # No county is numbered 0000, so an identity number that begins like this is nobody's.
        self._area = cmc_id if cmc_id in POPULATION_MILLIONS else "620000"
        self._salts = {code: salt(seed, cmc_id, code) for code in BASE_SIZES}
        self._spread = int.from_bytes(salt(seed, cmc_id, "keys")[:4], "little")
        self._orgs = max(1, sizes["ua_org"])
        self._hardware = max(1, sizes["hardware"])
        self._made: dict[str, Callable[[int, int], Row]] = {
            "ua_org": self._org,
            "ua_user": self._user,
            "mdm_device": self._device,
            "infr_network": self._network,
            "hardware": self._asset,
            "appspt_system": self._system,
            "pm_app": self._app,
            "pm_service": self._service,
            "mr_resservice": self._resource,
        }

    def record(self, dataset: str, index: int, revision: int = 0, *, night: int = 1) -> Row:
        """The row at `index` after `revision` changes, collected on `night`."""
        row = self._made[dataset](index, revision)
        # Some milliseconds apart, as a province's own collector writes them.
        row["collectTime"] = FIRST_NIGHT_MS + (night - 1) * DAY_MS + index % 9973 + night % 7
        return row

    def _draw(self, dataset: str, index: int) -> tuple[int, ...]:
        """Sixteen numbers of 32 bits that belong to this row."""
        return _NUMBERS(blake2b(self._salts[dataset] + index.to_bytes(8, "little")).digest())

    def _scattered(self, index: int) -> int:
        """`index` as another number of 32 bits, one to one: keys that do not ascend."""
        return (index * 2_654_435_761 + self._spread) & 0xFFFF_FFFF

    def _org_id(self, index: int) -> str:
        return f"{self._area}{index:06d}"

    def _place(self, number: int) -> str:
        return PLACE_FIRST[number & 31] + PLACE_LAST[number >> 5 & 31]

    def _org_name(self, index: int) -> str:
        if index == 0:
            return f"{self._name}公安局" if self._name.endswith(("市", "兵团")) else f"{self._name}公安厅"
        place = self._place(self._draw("ua_org", index)[0])
        if index <= _FAN_OUT:
            return f"{place}市公安局"
        if index <= _FAN_OUT + _FAN_OUT**2:
            return f"{place}区公安分局"
        return f"{place}派出所"

    def _org(self, index: int, revision: int) -> Row:
        draw = self._draw("ua_org", index)
        return {
            "reportType": "A",
            "cmcId": self._cmc_id,
            "collectTime": 0,
            "orgId": self._org_id(index),
            "orgName": self._org_name(index),
            "parentOrgId": self._org_id(parent_of(index)) if index else "",
            "areaCode": self._area,
            "description": f"负责{self._place(draw[1])}辖区移动警务终端与应用的管理",
            "contact": _person(draw[2]),
            "contactPhone": _office_phone(draw[3] + 13 * revision),
        }

    def _user(self, index: int, revision: int) -> Row:
        draw = self._draw("ua_user", index)
        male = draw[1] % 5 != 0
        return {
            "reportType": "A",
            "cmcId": self._cmc_id,
            "collectTime": 0,
            "userId": f"u{self._scattered(index):08x}",
            "name": _person(draw[0]),
            "gender": 1 if male else 2,
            "userType": 1 if draw[2] % 4 else 2,
            "idNo": self._identity_number(draw[3], index, male=male),
            "policeNo": f"{index % 1_000_000:06d}",
            "position": POSITIONS[draw[4] + revision & 7],
            "orgId": self._org_id(stable(draw[5] % self._orgs)),
            "mobile": _mobile(draw[6] + 7919 * revision),
            "officePhone": _office_phone(draw[7]),
            "areaCode": self._area,
        }

    def _identity_number(self, number: int, index: int, *, male: bool) -> str:
        sequence = index % 500 * 2 + male
        first = (
            f"{self._area}{1964 + number % 38}{1 + (number >> 8) % 12:02d}{1 + (number >> 16) % 28:02d}"
            f"{sequence:03d}"
        )
        total = sum(map(mul, first.encode(), _CHECK_WEIGHTS)) - _CHECK_OF_ZEROS
        return first + "10X98765432"[total % 11]

    def _device(self, index: int, revision: int) -> Row:
        draw = self._draw("mdm_device", index)
        kind, brand, model, system, cpu = DEVICE_MODELS[draw[0] & 7]
        gigabytes = 4 << (draw[1] & 1)
        mac = (draw[2] << 32 | draw[3]).to_bytes(8, "little")
        return {
            "reportType": "A",
            "cmcId": self._cmc_id,
            "collectTime": 0,
            "terminalId": f"{self._scattered(index):08X}{draw[4]:08X}",
            "policeTerminalType": kind,
            "model": model,
            "brand": brand,
            "terminalType": 1 + (draw[5] & 3),
            "phoneNumber": _mobile(draw[6]),
            "imei": f"99{index:08d}{draw[7] % 100_000:05d}",
            "os": system,
            "osVersion": f"{11 + (draw[8] & 3)}.0.{revision}",
            "storage": STORAGES[draw[9] & 3],
            "cpuModel": cpu,
            "seqNumber": f"SN{draw[10]:010d}",
            # 02: locally administered, so no manufacturer's
            "wifiMac": "02:" + mac[:5].hex(":"),
            "bluetoothMac": "02:" + mac[3:].hex(":"),
            "activateTime": 1_640_966_400_000 + draw[11] % 126_000_000 * 1000,
            "runMemory": gigabytes << 30,
            "status": 0 if draw[12] & 15 else 1 + draw[12] // 16 % 3,
        }

    def _network(self, index: int, revision: int) -> Row:
        draw = self._draw("infr_network", index)
        bandwidth = BANDWIDTHS_MBPS[draw[0] & 7]
        return {
            "reportType": "A",
            "cmcId": self._cmc_id,
            "collectTime": 0,
            # Numbered alike in every province: a key is unique together with cmcId alone.
            "netId": f"LINK-{index + 1:04d}",
            "netType": NETWORK_TYPES[draw[1] & 3],
            "operator": OPERATORS[draw[2] & 3],
            "networkType": NETWORK_GENERATIONS[draw[3] & 3],
            "upBandwidth": bandwidth,
            "downBandwidth": bandwidth * (1 + revision % 4),
        }

    def _asset_id(self, index: int) -> str:
        return f"HW{self._area}{index:05d}"

    def _asset(self, index: int, revision: int) -> Row:
        draw = self._draw("hardware", index)
        kind, name, system = ASSETS[draw[0] & 7]
        platform, area = PLATFORM_AREAS[draw[1] & 7]
        maker = MANUFACTURERS[draw[2] & 3]
        host = draw[3]
        created = 1_609_430_400_000 + draw[4] % 126_000_000 * 1000
        return {
            "reportType": "A",
            "cmcId": self._cmc_id,
            "collectTime": 0,
            "assetId": self._asset_id(index),
            "assetNumber": f"ZC-{self._area}-{index + 1:05d}",
            "assetName": f"{name}{index + 1}号",
            "assetType": kind,
            "assetDesc": f"{PURPOSES[draw[5] & 3]}区域使用的{name}，双电源，冗余部署",
            "deviceIp": f"10.{host & 255}.{host >> 8 & 255}.{1 + (host >> 16) % 254}",
            "macAddress": "02:" + (draw[6] << 8 | draw[7] & 255).to_bytes(5, "little").hex(":"),
            "platform": platform,
            "area": area,
            "importantLevel": draw[8] % 5,
            "assetStatus": (draw[9] + revision) & 3,
            "os": system,
            "depositPlace": f"{self._place(draw[10])}机房{1 + draw[11] % 40}号机柜",
            "purpose": PURPOSES[draw[5] & 3],
            "supplier": maker,
            "manufacturers": maker,
            "constructionDepartment": "科技信息化处",
            "responsiblePerson": _person(draw[12]),
            "responsiblePhone": _mobile(draw[12]),
            "maintainUnit": maker,
            "maintenancePerson": _person(draw[13]),
            "maintenancePhone": _mobile(draw[13]),
            "warrantyPeriod": f"{2026 + draw[14] % 6}1231",
            "createTime": created,
            "updateTime": created + revision * DAY_MS,
            "orgId": self._org_id(stable(draw[15] % self._orgs)),
        }

    def _system(self, index: int, revision: int) -> Row:
        draw = self._draw("appspt_system", index)
        kind, name, ability = SYSTEMS[index & 7]
        return {
            "reportType": "A",
            "cmcId": self._cmc_id,
            "collectTime": 0,
            "systemId": f"SYS-{index + 1:04d}",
            "systemName": name if index < 8 else f"{self._place(draw[0])}{name}",
            "type": kind,
            "platform": 1 + draw[1] % 3,
            "launchTime": 1_609_430_400_000 + draw[2] % 126_000_000 * 1000,
            "interconnStatus": draw[3] & 1,
            "url": f"https://sys{index + 1}.{self._area}.invalid:8443/",
            "capabilityDescription": f"{ability}，当前版本V{1 + revision}.0",
            "vendor": MANUFACTURERS[draw[4] & 3],
            "techContact": _person(draw[5]),
            "techTelephone": _office_phone(draw[6]),
        }

    def _app_id(self, index: int) -> str:
        return f"APP{index + 1:05d}"

    def _app(self, index: int, revision: int) -> Row:
        draw = self._draw("pm_app", index)
        name, package = APPS[draw[0] & 7]
        place = self._place(draw[1])
        created = 1_640_966_400_000 + draw[2] % 94_000_000 * 1000
        scope = {self._org_name(stable(number % self._orgs)) for number in draw[3 : 4 + draw[6] % 3]}
        return {
            "reportType": "A",
            "cmcId": self._cmc_id,
            "collectTime": 0,
            "appId": self._app_id(index),
            "pkgName": f"invalid.police.a{self._area}.{package}{index + 1}",
            "name": f"{place}{name}",
            "version": f"{1 + draw[7] % 6}.{draw[8] % 10}.{revision}",
            "appType": 1 + draw[9] % 3,
            "status": 1 if draw[10] & 7 else 2 + (draw[10] >> 3 & 1),
            "appFileSize": 4_000_000 + draw[11] % 90_000_000,
            "createTime": created,
            "publishScope": sorted(scope),
            "updateTime": created + revision * DAY_MS,
            "vendor": MANUFACTURERS[draw[12] & 3],
            "appFileUrl": f"https://market.{self._area}.invalid/apk/{index + 1}.apk",
            "description": f"面向{place}民警的{name}应用，支持离线缓存与消息提醒",
            "logo": b64encode(draw[13].to_bytes(4, "little") * 40).decode(),
            "orgName": self._org_name(stable(draw[14] % self._orgs)),
        }

    def _service(self, index: int, revision: int) -> Row:
        draw = self._draw("pm_service", index)
        hosts = {stable(number % self._hardware) for number in draw[: 1 + draw[15] % 4]}
        return {
            "reportType": "A",
            "cmcId": self._cmc_id,
            "collectTime": 0,
            "appId": self._app_id(index),
            "hosts": [self._asset_id(host) for host in sorted(hosts)],
            "haStatus": (draw[5] + revision) % 5,
            "languages": sorted({LANGUAGES[draw[6] & 7], LANGUAGES[draw[7] & 7]}),
            "middlewares": sorted({MIDDLEWARES[number & 7] for number in draw[8 : 9 + draw[14] % 4]}),
        }

    def _resource(self, index: int, revision: int) -> Row:
        draw = self._draw("mr_resservice", index)
        kind, name = RESOURCES[draw[0] & 7]
        created = 1_640_966_400_000 + draw[1] % 94_000_000 * 1000
        return {
            "reportType": "A",
            "cmcId": self._cmc_id,
            "collectTime": 0,
            "resServiceId": f"RES-{index + 1:05d}",
            "resServiceName": f"{self._place(draw[2])}{name}服务",
            "type": kind,
            "description": f"{name}，按次授权，调用留痕",
            "orgName": self._org_name(stable(draw[3] % self._orgs)),
            "serviceUrl": f"https://bus.{self._area}.invalid/api/v1/res/{index + 1}",
            "serviceType": 1 + draw[4] % 3,
            "status": 1 if draw[5] & 7 else 2 + (draw[5] >> 3 & 1),
            "createTime": created,
            "publishTime": created + 7 * DAY_MS,
            "updateTime": created + (8 + revision) * DAY_MS,
            "version": f"{1 + draw[6] % 4}.{draw[7] % 10}.{revision}",
            "vendor": MANUFACTURERS[draw[8] & 3],
            "techContact": _person(draw[9]),
            "techTelephone": _office_phone(draw[10]),
        }


def _person(number: int) -> str:
    return SURNAMES[number & 63] + GIVEN_FIRST[number >> 6 & 31] + GIVEN_LAST[number >> 11 & 31]


def _mobile(number: int) -> str:
    return f"100{number % 100_000_000:08d}"  # no carrier serves 100: nobody's telephone


def _office_phone(number: int) -> str:
    return f"0000-{number % 100_000_000:08d}"  # no area is numbered 0000
