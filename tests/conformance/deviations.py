"""What breaks each check and no other: check -> ways of breaking it, each with the outcome that it must have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from centre import Centre, Reply, page, spring
from ways import (
    NOW_MS,
    Way,
    again_of,
    child_first,
    clamp,
    dropped_names,
    everywhere,
    fail,
    headed,
    instead,
    marked,
    more_rows,
    odd,
    old,
    on,
    orphan,
    others,
    others_and_total,
    overlapping,
    padded,
    put,
    raw,
    refusal,
    renamed,
    row,
    rows,
    second_address,
    served_when,
    shuffled,
    slices,
    total_of,
    warn,
    without,
    zero,
)

BREAKS: Final[Mapping[str, tuple[Way, ...]]] = {
    "address-answers": (fail(extra=("http://127.0.0.1:9/x",)),),
    "address-same-totals": (
        fail(second_address(more_rows(5)), addresses=2),
        warn(lambda a, r: more_rows(1)(r) if a.address == 2 and a.code == "ua_user" else None, addresses=2),
    ),
    "dataset-served": (fail(lambda a, r: spring(404, "Not Found") if a.code == "hardware" else None),),
    "http-status": (fail(instead("ua_user", lambda: spring(500, "Internal Server Error"))),),
    "http-redirect": (
        fail(instead("ua_user", lambda: Reply({}, status=302, headers={"Location": "http://127.0.0.1:9/"}))),
    ),
    "http-whole": (
        fail(on("pm_app", headed(cut=True))),
        fail(instead("mdm_device", lambda: Reply({}, drop=True))),
    ),
    "http-content-type": (
        warn(everywhere(headed({"Content-Type": "text/plain"}))),
        warn(on("ua_org", headed({"Content-Type": "application/json; charset=gbk"}))),
    ),
    "http-gzip": (
        warn(everywhere(headed(packed=False))),
        fail(on("pm_app", headed({"Content-Encoding": "compress"}, packed=False))),
    ),
    "http-time": (
        fail(
            instead("ua_user", lambda: Reply({}, hang=True)),
            more="[province.pull]\nrequest_timeout_seconds = 61",
        ),
    ),
    "body-size": (fail(padded(10 * 1024 * 1024 + 1)), warn(padded(9 * 1024 * 1024))),
    "body-json": (
        fail(instead("ua_user", lambda: raw(b"<html>login</html>", **{"Content-Type": "text/html"}))),
        fail(instead("ua_user", lambda: raw(b""))),
        fail(instead("ua_user", lambda: raw(b"[]"))),
    ),
    "body-utf8": (fail(instead("ua_user", lambda: raw('{"code":0,"message":"成功"}'.encode("gbk")))),),
    "body-bom": (warn(everywhere(marked)),),
    "envelope-code": (
        fail(instead("ua_user", lambda: Reply({"code": 1001, "message": "系统繁忙"}))),
        fail(instead("ua_user", lambda: Reply({"message": "ok", "total": 0, "data": []}))),
        warn(everywhere(put(code="0"))),
    ),
    "envelope-keys": (
        warn(everywhere(renamed("message", "message "))),
        warn(everywhere(renamed("message", "massage"))),
        fail(everywhere(renamed("total", " total"))),
        fail(everywhere(put(**{"code ": 0}))),
    ),
    "envelope-message": (warn(everywhere(without("message"))),),
    "envelope-data": (
        fail(instead("ua_user", lambda: Reply({"code": 0, "message": "ok", "total": 130, "data": {}}))),
        warn(
            lambda a, r: r.document.update(data=None) if r.document.get("total") == 0 else None,
            prepare=rows("pm_app", list.clear),
            also={"dataset-filled": "warn", "service-app": "fail"},
        ),
    ),
    "total-present": (
        fail(on("infr_network", without("total"))),
        fail(on("infr_network", put(total=-1))),
    ),
    "total-integer": (fail(everywhere(lambda r: put(total=str(r.document["total"]))(r))),),
    "total-steady": (
        fail(total_of(lambda asked, total: total if asked.page[1] == 40 else total * 2)),
        warn(total_of(lambda asked, total: total + (asked.page[0] == 2))),
    ),
    "total-rows": (
        fail(total_of(lambda asked, total: total + 7)),
        fail(total_of(lambda asked, total: total - 7)),
        fail(lambda a, r: put(total=10)(r) if a.code == "hardware" and "data" in r.document else None),
        fail(
            lambda a, r: put(total=9)(r) if a.code == "pm_app" and "data" in r.document else None,
            also={"service-app": "not-checked"},
        ),
    ),
    "page-base": (
        warn(zero(lambda a: Centre().rows[str(a.code)][:40])),
        fail(zero(lambda a: Centre().rows[str(a.code)][80:])),
    ),
    "page-moves": (fail(slices("mdm_device", lambda number, size: 0)),),
    "page-size-small": (
        fail(
            slices("ua_user", lambda number, size: (number - 1) * max(size, 20), lambda size: max(size, 20)),
            also={"page-seam": "fail"},
        ),
        fail(lambda a, r: spring(400, "Bad Request") if a.code and a.page == (1, 30) else None),
    ),
    "page-size-large": (
        warn(slices("ua_user", clamp, lambda size: min(size, 35))),
        warn(lambda a, r: spring(400, "Bad Request") if a.code and a.page == (1, 1000) else None),
    ),
    "page-seam": (
        fail(
            slices("mdm_device", lambda number, size: (number - 1) * size, lambda size: min(size, 35)),
            also={"page-size-large": "warn"},
        ),
        fail(slices("ua_user", lambda number, size: (number - 1) * size + (number == 2 and size == 30))),
    ),
    "page-overlap": (fail(overlapping),),
    "page-stable": (
        fail(again_of("ua_user", shuffled)),
        fail(again_of("ua_user", others)),
        warn(again_of("ua_user", others_and_total), also={"total-steady": "warn"}),
    ),
    "page-last": (
        fail(lambda a, r: spring(500, "Internal Server Error") if a.page == (4, 40) and r.rows else None),
    ),
    "page-past-end": (
        fail(lambda a, r: page(Centre().rows["ua_user"][-10:], 130) if a.page == (5, 40) else None),
        warn(lambda a, r: spring(400, "Bad Request") if a.code and r.document.get("data") == [] else None),
    ),
    "param-foreign-id": (fail(served_when(odd(cmcId="999999"))),),
    "param-no-id": (
        fail(served_when(lambda asked: "cmcId" not in asked.params)),
        warn(served_when(lambda asked: "cmcId" not in asked.params, rows=0)),
    ),
    "param-no-page": (warn(served_when(lambda asked: "pageNum" not in asked.params)),),
    "param-bad-number": (
        warn(served_when(odd(pageNum="abc"))),
        warn(served_when(odd(pageNum="-1"))),
        warn(served_when(odd(pageSize="0"))),
    ),
    "path-unknown": (
        fail(lambda a, r: page([], 0) if a.code is None else None),
        fail(lambda a, r: raw(b"<html></html>") if a.code is None else None),
        warn(lambda a, r: spring(400, "Bad Request") if a.code is None else None),
    ),
    "error-shape": (
        fail(refusal(lambda: Reply(raw=b"<html>Bad Request</html>", status=400))),
        fail(refusal(lambda: Reply(raw=b"bad request", status=400))),
        warn(refusal(lambda: Reply(raw=b"", status=400))),
        warn(refusal(lambda: Reply({"msg": "bad"}, status=400))),
    ),
    "dataset-filled": (warn(prepare=rows("infr_network", list.clear)),),
    "key-present": (
        fail(prepare=row("infr_network", netId="")),
        fail(prepare=rows("infr_network", lambda every: every.append(["no object"]))),  # type: ignore[arg-type]
    ),
    "key-unique": (
        fail(prepare=rows("infr_network", lambda every: every.append(dict(every[0])))),
        fail(prepare=rows("ua_user", lambda every: every.insert(125, dict(every[3])))),
    ),
    "row-required": (
        fail(prepare=row("hardware", assetDesc=None)),
        fail(prepare=row("ua_user", orgId=None)),
        fail(prepare=rows("mr_resservice", lambda every: every[0].pop("vendor"))),
    ),
    "row-type": (
        fail(prepare=row("mr_resservice", createTime="2026-01-01")),
        fail(prepare=row("infr_network", upBandwidth=2**40)),
    ),
    "row-length": (
        fail(prepare=row("infr_network", operator="长" * 101)),
        fail(prepare=row("pm_service", languages=["Java"] * 11)),
        fail(prepare=row("ua_user", policeNo="12345678")),
    ),
    "row-code": (
        fail(prepare=row("ua_user", userType=9)),
        fail(prepare=row("hardware", platform=1, area=5)),
    ),
    "row-defaults": (
        warn(prepare=row("mr_resservice", description="null")),
        warn(prepare=row("pm_app", appFileSize="-1L")),
    ),
    "row-cmc-id": (fail(prepare=row("pm_app", cmcId="110000")),),
    "row-report-type": (warn(prepare=row("pm_app", reportType="D")),),
    "row-key-spelling": (
        warn(prepare=rows("ua_user", dropped_names)),
        fail(prepare=row("ua_user", **{"userId ": "twice"})),
    ),
    "row-unknown-fields": (warn(prepare=row("ua_user", deptCode="01")),),
    "row-collect-time": (
        fail(prepare=row("ua_user", collectTime=NOW_MS // 1000)),
        fail(prepare=row("ua_user", collectTime=NOW_MS + 2 * 86_400_000)),
        warn(prepare=rows("infr_network", old)),
    ),
    "org-order": (fail(prepare=rows("ua_org", child_first)),),
    "org-parent": (fail(prepare=rows("ua_org", orphan)),),
    "user-org": (fail(prepare=row("ua_user", orgId="620000999999")),),
    "hardware-org": (fail(prepare=row("hardware", orgId="620000999999")),),
    "service-app": (fail(prepare=row("pm_service", appId="APP99999")),),
    "service-hosts": (warn(prepare=row("pm_service", hosts=["HW999"])),),
}
