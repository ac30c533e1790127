"""Manifests for the tests of the report: a made-up night, and any manifest at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from subcmc_crawler.model import (
    Acceptance,
    Attempt,
    Counts,
    Ending,
    Manifest,
    RuleBreak,
    RunRecord,
    RunStatus,
    State,
    Verdict,
)
from subcmc_crawler.report.detail import PageEntry
from subcmc_crawler.report.night import Report, build
from subcmc_crawler.spec.datasets import DATASETS

BEGAN = datetime(2026, 3, 4, 17, 0, 3, tzinfo=UTC)
PROVINCES = (
    ("110000", "北京市"), ("120000", "天津市"), ("130000", "河北省"), ("140000", "山西省"),
    ("150000", "内蒙古自治区"), ("210000", "辽宁省"), ("220000", "吉林省"), ("230000", "黑龙江省"),
    ("310000", "上海市"), ("320000", "江苏省"), ("330000", "浙江省"), ("340000", "安徽省"),
    ("350000", "福建省"), ("360000", "江西省"), ("370000", "山东省"), ("410000", "河南省"),
    ("420000", "湖北省"), ("430000", "湖南省"), ("440000", "广东省"), ("450000", "广西壮族自治区"),
    ("460000", "海南省"), ("500000", "重庆市"), ("510000", "四川省"), ("520000", "贵州省"),
    ("530000", "云南省"), ("540000", "西藏自治区"), ("610000", "陕西省"), ("620000", "甘肃省"),
    ("630000", "青海省"), ("640000", "宁夏回族自治区"), ("650000", "新疆维吾尔自治区"),
    ("660000", "新疆生产建设兵团"), ("710000", "台湾省"), ("810000", "香港特别行政区"),
    ("820000", "澳门特别行政区"),
)  # fmt: skip

IDENTITY, PHONE = "620102199003071234", "13800138000"
HOSTILE = "服务异常\r\n  1. 假省 000000/ua_org\x1b[2J\u202e倒\u2028行\ud800 {rows} \x00"


def run_record(number: int = 12, **changes: object) -> RunRecord:
    run = RunRecord(
        number=number,
        status=RunStatus.FINISHED,
        started_at=BEGAN,
        finished_at=BEGAN + timedelta(hours=4, minutes=11, seconds=40),
        registry="provinces.toml",
        version="0.1.0",
        notices=("北京市 110000: verify = false，未校验服务端证书",),
    )
    return replace(run, **changes)  # type: ignore[arg-type]


def counts_of(rows: int, **changes: object) -> Counts:
    added, changed = rows // 500, rows // 100
    counts = Counts(
        declared=rows, declared_first=rows, received=rows, distinct=rows, stored=rows,
        added=added, changed=changed, removed=rows // 800, unchanged=rows - added - changed,
    )  # fmt: skip
    return replace(counts, **changes)  # type: ignore[arg-type]


def manifest_of(
    cmc_id: str = "620000", dataset: str = "hardware", rows: int = 50_012, **changes: object
) -> Manifest:
    manifest = Manifest(
        run=12, cmc_id=cmc_id, province=dict(PROVINCES).get(cmc_id, "某省"), dataset=dataset,
        state=State.PUBLISHED, verdict=Verdict.PROVEN, counts=counts_of(rows), base=11, passes=1, stored_pass=1,
        endings=(Ending.CLEAN,), pages=rows // 1000 + 1, attempts=rows // 1000 + 2, bytes=rows * 700,
        seconds=rows / 2000, address="192.168.1.23:8080/gansu1", digest="9f2c11d0a4b7e35566778899aabbccdd",
        collect_time_min=1_772_640_000_000, collect_time_max=1_772_668_800_000,
        started_at=BEGAN, finished_at=BEGAN + timedelta(minutes=3),
    )  # fmt: skip
    return replace(manifest, **changes)  # type: ignore[arg-type]


_GONE = Counts()
_FAULTS: dict[tuple[str, str], dict[str, object]] = {
    ("620000", "hardware"): {
        "state": State.HELD, "verdict": Verdict.SHORT, "passes": 3, "stored_pass": 3,
        "endings": (Ending.MISCOUNTED,) * 3, "reason": "declared 50,012, received 49,912 in three passes",
        "counts": counts_of(50_012, received=49_912, distinct=49_887, repeated=25, stored=49_887, unchanged=49_287),
    },
    ("440000", "ua_user"): {
        "state": State.HELD, "verdict": Verdict.DRIFTING, "passes": 3, "stored_pass": 3,
        "endings": (Ending.MOVED,) * 3, "reason": "total moved 812,004 -> 812,377 while we walked",
        "counts": counts_of(812_377, declared_first=812_004, received=812_370, distinct=812_370, stored=812_370),
    },
    ("450000", "mdm_device"): {
        "state": State.HELD, "verdict": Verdict.SHRUNK, "counts": counts_of(1_200, removed=30_411),
        "reason": "1,200 rows, 31,611 in run 11: more than 20 percent fewer",
    },
    ("310000", "pm_app"): {
        "state": State.HELD, "verdict": Verdict.SURPLUS,
        "counts": counts_of(300, received=310, distinct=310, stored=310, unchanged=307),
    },
    ("340000", "infr_network"): {
        "state": State.ROLLED_BACK, "verdict": Verdict.REFUSED, "counts": _GONE, "faults": {"http-500": 5},
        "reason": f"http-500: 查询失败，联系人 {PHONE}，证件 {IDENTITY}", "pages": 0,
    },
    ("510000", "ua_user"): {
        "state": State.ROLLED_BACK, "verdict": Verdict.INCOMPLETE, "endings": (Ending.STOPPED,),
        "counts": Counts(declared=640_000, declared_first=640_000, received=412_000, distinct=412_000, added=412_000),
        "reason": "the window closed at 05:30",
    },
    ("370000", "hardware"): {
        "state": State.PUBLISHED, "verdict": Verdict.SHRUNK, "counts": counts_of(900, removed=4_000),
        "accepted": Acceptance(by="王工", at=BEGAN + timedelta(hours=8), reason="省里确认已清退旧设备"),
    },
    ("330000", "ua_user"): {
        "verdict": Verdict.DUPLICATED, "passes": 2, "stored_pass": 2, "endings": (Ending.REPEATING,) * 2,
        "counts": counts_of(50_012, distinct=49_987, repeated=20, conflicting=5, stored=49_987, unchanged=49_387),
    },
    ("320000", "mdm_device"): {
        "verdict": Verdict.REPAIRED, "passes": 2, "stored_pass": 2, "endings": (Ending.MOVED, Ending.CLEAN),
    },
    ("410000", "pm_service"): {
        "state": State.ROLLED_BACK, "verdict": Verdict.STORE_MISMATCH, "counts": counts_of(4_000, stored=3_993),
        "reason": "the store counted 3,993 of 4,000 rows",
    },
}  # fmt: skip


def made_up_night() -> tuple[RunRecord, list[Manifest], list[Manifest]]:
    """35 provinces, most of them proven, and the night before."""
    manifests, before = [], []
    for place, (cmc_id, _) in enumerate(PROVINCES):
        for column, code in enumerate(DATASETS):
            rows = (place * 7919 + column * 104_729) % 90_000 * (9 if column == 1 else 1)
            manifest = manifest_of(cmc_id, code, rows, **_fault(cmc_id, code))
            manifests.append(manifest)
            before.append(_night_before(manifest))
    return run_record(), manifests, before


def _fault(cmc_id: str, code: str) -> dict[str, object]:
    if cmc_id == "540000":
        reason = "no answer from 2 addresses: connect: timed out"
        gone: dict[str, object] = {
            "state": State.ROLLED_BACK, "verdict": Verdict.UNREACHABLE, "counts": _GONE, "base": 9, "pages": 0,
        }  # fmt: skip
        return gone | {
            "reason": reason,
            "digest": None,
            "address": None,
            "attempts": 10,
            "rest_seconds": 600.0,
        }
    if cmc_id in ("710000", "810000", "820000"):
        none: dict[str, object] = {"state": State.NONE, "verdict": Verdict.UNREGISTERED, "counts": _GONE}
        return none | {"base": None, "pages": 0, "attempts": 0, "passes": 0, "endings": ()}
    return _FAULTS.get((cmc_id, code), {})


def _night_before(manifest: Manifest) -> Manifest:
    old = replace(manifest, run=11)
    if manifest.cmc_id == "540000" or manifest.verdict is Verdict.UNREGISTERED:
        return old
    if (manifest.cmc_id, manifest.dataset) == ("640000", "ua_org"):
        return replace(old, state=State.ROLLED_BACK, verdict=Verdict.REFUSED)
    return replace(old, state=State.PUBLISHED, verdict=Verdict.PROVEN)


def night_report() -> Report:
    run, manifests, before = made_up_night()
    return build(run, manifests, previous=before)


def page_entries(number: int, *, rows: int = 1000) -> list[PageEntry]:
    return [
        PageEntry(
            walk_pass=1, ordinal=at, page_num=at + 1, page_size=1000, rows=rows, declared=number * rows,
            milliseconds=180.4, bytes=700_000, tries=3 if at == 40 else 1,
        )
        for at in range(number)
    ]  # fmt: skip


def failed_attempt(detail: str = "connection reset", page_num: int = 41, number: int = 1) -> Attempt:
    return Attempt(
        walk_pass=1, page_num=page_num, page_size=1000, number=number, address="192.168.1.23:8080/gansu1",
        status=503, fault="http-503", detail=detail, bytes=120, milliseconds=30.2, at=BEGAN, rest_seconds=600.0,
    )  # fmt: skip


BIG = 2**63 - 1
rows = st.integers(0, 10_000_000) | st.integers(0, BIG)
any_text = st.text(alphabet=st.characters(codec=None), max_size=40) | st.just(HOSTILE)
tallies = st.dictionaries(any_text, st.integers(0, BIG), max_size=3)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001

any_counts = st.builds(
    Counts,
    declared=st.none() | rows, declared_first=st.none() | rows, received=rows, distinct=rows, repeated=rows,
    conflicting=rows, quarantined=rows, flagged=rows, stored=st.none() | rows, pushed=st.none() | rows,
    added=rows, changed=rows, removed=rows, unchanged=rows,
)  # fmt: skip


@st.composite
def balanced_counts(draw: st.DrawFn) -> Counts:
    """Counts of a walk that ended: they add up."""
    distinct, repeated, conflicting, quarantined = (draw(st.integers(0, 1_000_000)) for _ in range(4))
    received = distinct + repeated + conflicting + quarantined
    declared = draw(st.none() | st.integers(0, 4_000_000) | st.just(received))
    stored = draw(st.none() | st.just(distinct))
    return Counts(
        declared=declared, declared_first=declared, received=received, distinct=distinct, repeated=repeated,
        conflicting=conflicting, quarantined=quarantined, stored=stored, unchanged=distinct,
    )  # fmt: skip


rules = st.builds(
    RuleBreak, field=any_text, rule=any_text, rows=rows, samples=st.lists(any_text, max_size=3).map(tuple)
)
any_manifests = st.builds(
    Manifest,
    run=st.integers(1, BIG),
    cmc_id=st.sampled_from([cmc_id for cmc_id, _ in PROVINCES]),
    province=any_text.filter(bool),
    dataset=st.sampled_from(list(DATASETS)),
    state=st.sampled_from(State),
    verdict=st.none() | st.sampled_from(Verdict),
    reason=any_text,
    counts=any_counts | balanced_counts(),
    base=st.none() | st.integers(1, BIG),
    passes=st.integers(0, 3),
    stored_pass=st.none() | st.integers(1, 3),
    endings=st.lists(st.sampled_from(Ending), max_size=3).map(tuple),
    pages=st.integers(0, BIG),
    attempts=st.integers(0, BIG),
    bytes=st.integers(0, BIG),
    seconds=st.floats(0, 1e9),
    address=st.none() | any_text,
    digest=st.none() | st.just("9f2c11d0a4b7e355"),
    collect_time_min=st.none() | st.integers(-BIG, BIG),
    collect_time_max=st.none() | st.integers(-BIG, BIG),
    rules=st.lists(rules, max_size=2).map(tuple),
    drift=tallies,
    deviations=tallies,
    faults=tallies,
    rest_seconds=st.floats(0, 1e9),
    started_at=st.none() | moments,
    finished_at=st.none() | moments,
    accepted=st.none() | st.builds(Acceptance, by=any_text, at=moments, reason=any_text),
)
