"""What the operator's guides show: a small night that never was, rendered by the program itself.

docs/generate.py puts it into the guides, in both languages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from subcmc_crawler.model import Counts, Ending, Manifest, RunRecord, RunStatus, State, Verdict
from subcmc_crawler.province.settings import Alerts
from subcmc_crawler.reconcile import Finding
from subcmc_crawler.report.alert import night_digest, stale_digest
from subcmc_crawler.report.labels import labels
from subcmc_crawler.report.night import Report, advice, build
from subcmc_crawler.report.reasons import notice_sentence
from subcmc_crawler.report.sentences import balance_sentence
from subcmc_crawler.report.standing import Standing, to_standing_text
from subcmc_crawler.report.text import to_cell_text, to_text
from subcmc_crawler.spec.datasets import DATASETS

BEGAN: Final = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
"""01:00 in Beijing."""

_PROVINCES: Final = {
    "320000": "江苏省",
    "330000": "浙江省",
    "540000": "西藏自治区",
    "620000": "甘肃省",
    "820000": "澳门特别行政区",
}
_ROWS: Final = dict(zip(DATASETS, (412, 50_012, 61_877, 38, 2_940, 57, 133, 121, 64), strict=True))

ALERTS: Final = {
    "on": (
        "`problems`: whatever is not clean, and recoveries; `changes`: only what is new, and recoveries; `never`",
        "`problems`：有未一致或已恢复即告警；`changes`：只报新出现与已恢复；`never`：不告警",
    ),
    "lang": ("language of the digest; default: that of the crawl", "告警语言；默认与抓取命令相同"),
    "dashboard_url": ("where the dashboard is, for a link in the digest", "看板地址，用于告警中的链接"),
    "ca_file": (
        "the authority that signed the certificates of webhook and mail server, PEM",
        "签发 webhook 与邮件服务器证书的机构，PEM 文件",
    ),
    "webhook_url": (
        "receives one POST of JSON (`subcmc.alert/1`); 2xx is success, redirects are not followed",
        "接收一次 JSON POST（`subcmc.alert/1`）；2xx 为成功，不跟随重定向",
    ),
    "webhook_header": (
        "the header of the token; default: `Authorization: Bearer TOKEN`",
        "携带令牌的请求头；默认 `Authorization: Bearer TOKEN`",
    ),
    "webhook_token_file": ("a file with the token on one line", "存放令牌的文件，一行"),
    "webhook_token_env": ("or an environment variable with it", "或存放令牌的环境变量"),
    "smtp_host": ("the mail server", "邮件服务器"),
    "smtp_port": (
        "default: 587, 465 or 25, by `smtp_security`",
        "端口；默认按 `smtp_security` 取 587、465 或 25",
    ),
    "smtp_security": (
        "`starttls`, `tls` or `none`; without TLS no password is sent",
        "`starttls`、`tls` 或 `none`；没有 TLS 时不发送口令",
    ),
    "smtp_user": ("the user, if the server wants one", "用户名（服务器要求认证时）"),
    "smtp_password_file": ("a file with the password on one line", "存放口令的文件，一行"),
    "smtp_password_env": ("or an environment variable with it", "或存放口令的环境变量"),
    "sender": ("the mail's From, an address without a name", "发件人，只写地址"),
    "recipients": ("up to 50 addresses", "收件人，至多 50 个地址"),
}
"""Every key of [alerts]: English, Chinese."""


def _manifest(cmc_id: str, code: str, **changes: object) -> Manifest:
    rows = _ROWS[code]
    changed = rows // 100
    made = Manifest(
        run=12,
        cmc_id=cmc_id,
        province=_PROVINCES[cmc_id],
        dataset=code,
        state=State.PUBLISHED,
        verdict=Verdict.PROVEN,
        counts=Counts(
            declared=rows,
            declared_first=rows,
            received=rows,
            distinct=rows,
            stored=rows,
            changed=changed,
            unchanged=rows - changed,
        ),
        base=11,
        passes=1,
        stored_pass=1,
        endings=(Ending.CLEAN,),
        pages=rows // 1000 + 1,
        attempts=rows // 1000 + 2,
        bytes=rows * 700,
        seconds=rows / 2000,
        address=f"10.{cmc_id[:2]}.0.8:8080/subcmc",
        digest="9f2c11d0a4b7e35566778899aabbccdd",
        started_at=BEGAN + timedelta(minutes=4),
        finished_at=BEGAN + timedelta(minutes=9),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def _counts(code: str, **changes: int | None) -> Counts:
    return replace(_manifest("620000", code).counts, **changes)  # type: ignore[arg-type]


_SHORT: Final = _manifest(
    "620000",
    "ua_user",
    state=State.HELD,
    verdict=Verdict.SHORT,
    reason="12 rows are missing",
    reason_code="missing",
    reason_values={"rows": 12},
    passes=3,
    stored_pass=3,
    endings=(Ending.MISCOUNTED,) * 3,
    counts=_counts("ua_user", declared=50_024, declared_first=50_024),
)
_SHRUNK: Final = _manifest(
    "620000",
    "mdm_device",
    state=State.HELD,
    verdict=Verdict.SHRUNK,
    reason_code="shrunk",
    reason_values={"base": 61_877, "lost": 20_515, "percent": "33.2"},
    counts=_counts(
        "mdm_device",
        declared=41_362,
        declared_first=41_362,
        received=41_362,
        distinct=41_362,
        stored=41_362,
        changed=0,
        unchanged=41_362,
        removed=20_515,
    ),
)
_REFUSED: Final = _manifest(
    "320000",
    "pm_app",
    state=State.ROLLED_BACK,
    verdict=Verdict.REFUSED,
    reason_code="fault",
    reason_values={"kind": "http-500", "detail": ""},
    endings=(Ending.FAILED,),
    counts=Counts(),
    faults={"http-500": 5},
    attempts=5,
    pages=0,
    digest=None,
)
_DUPLICATED: Final = _manifest(
    "330000",
    "ua_user",
    verdict=Verdict.DUPLICATED,
    reason_code="repeats-steady",
    reason_values={"rows": 25},
    passes=2,
    stored_pass=2,
    endings=(Ending.REPEATING,) * 2,
    counts=_counts("ua_user", distinct=49_987, repeated=25, stored=49_987, unchanged=49_487),
)
_REPAIRED: Final = _manifest(
    "330000",
    "mdm_device",
    verdict=Verdict.REPAIRED,
    reason_code="repaired",
    reason_values={"passes": 2},
    passes=2,
    stored_pass=2,
    endings=(Ending.MOVED, Ending.CLEAN),
)


def _lost(code: str) -> Manifest:
    return _manifest(
        "540000",
        code,
        state=State.ROLLED_BACK,
        verdict=Verdict.UNREACHABLE,
        reason_code="fault",
        reason_values={"kind": "connect", "detail": ""},
        counts=Counts(),
        base=9,
        attempts=5,
        pages=0,
        address=None,
        digest=None,
        rest_seconds=1200.0,
    )


def _unregistered(code: str) -> Manifest:
    none = {"state": State.NONE, "verdict": Verdict.UNREGISTERED, "reason_code": "no-address"}
    bare = {"counts": Counts(), "base": None, "attempts": 0, "passes": 0, "pages": 0, "bytes": 0}
    return _manifest("820000", code, **none, **bare, seconds=0.0, endings=(), digest=None, address=None)


def night() -> Report:
    """The sample: five provinces, seven of the twelve verdicts."""
    special = {
        (each.cmc_id, each.dataset): each for each in (_SHORT, _SHRUNK, _REFUSED, _DUPLICATED, _REPAIRED)
    }
    manifests = []
    for cmc_id in _PROVINCES:
        for code in DATASETS:
            usual = {"540000": _lost, "820000": _unregistered}.get(cmc_id)
            made = usual(code) if usual else _manifest(cmc_id, code)
            manifests.append(special.get((cmc_id, code), made))
    return build(_run(), manifests, previous=[_before(each) for each in manifests], order=list(_PROVINCES))


def _before(manifest: Manifest) -> Manifest:
    """The night before: 西藏 was gone already, an interface of 江苏 was broken, all else was well."""
    old = replace(manifest, run=11)
    if manifest.cmc_id in ("540000", "820000"):
        return old
    if (manifest.cmc_id, manifest.dataset) == ("320000", "ua_org"):
        return replace(old, state=State.ROLLED_BACK, verdict=Verdict.REFUSED)
    return replace(old, state=State.PUBLISHED, verdict=Verdict.PROVEN, counts=_counts(manifest.dataset))


def _run() -> RunRecord:
    return RunRecord(
        number=12,
        status=RunStatus.FINISHED,
        started_at=BEGAN,
        finished_at=BEGAN + timedelta(hours=2, minutes=11, seconds=40),
        registry="provinces.toml",
        notices=("江苏省: TLS certificates are not verified",),
    )


def night_text(lang: str) -> str:
    """The report of the sample."""
    return _fenced(to_text(night(), lang=lang))


def cell_text(lang: str) -> str:
    """The held cell of the sample."""
    return _fenced(to_cell_text(_SHORT, past=[_before(_SHORT)], lang=lang))


def digest_text(lang: str) -> str:
    """The subjects that the sample, and a store that has grown old, would send."""
    digests = (night_digest(night(), lang=lang), stale_digest(_standing(), lang=lang))
    return _fenced("\n".join(each.subject for each in digests if each) + "\n")


def status_text(lang: str) -> str:
    """What `subcmc status` prints of the sample, two days later."""
    return _fenced(to_standing_text(_standing(), lang=lang))


def notice_text(lang: str) -> str:
    """A notice of a digest that was not taken."""
    notice = "the digest did not reach mail mail.example.gov.cn:587: smtp-535"
    return _fenced(notice_sentence(notice, labels(lang)) + "\n")


def _standing() -> Standing:
    head = _manifest("540000", "ua_user", run=9, finished_at=BEGAN - timedelta(days=3))
    now = BEGAN + timedelta(hours=50)
    return Standing(last=_run(), latest=_run(), heads=[head], now=now, max_age=timedelta(hours=26))


def verdict_table(lang: str) -> str:
    """Every verdict with its mark, what becomes of the snapshot, and what the report advises."""
    words = labels(lang)
    heads = {
        "zh": "结论|代码|矩阵|快照|报告中的处理建议",
        "en": "verdict|code|matrix|snapshot|what the report advises",
    }
    rows = [
        (
            words[f"verdict.{verdict}"],
            f"`{verdict}`",
            f"`{words[f'mark.{verdict}']}`",
            words[f"state.{Finding(verdict).state}"],
            words[advice(verdict)],
        )
        for verdict in Verdict
    ]
    return _table(heads[lang].split("|"), rows)


def balance_table(lang: str) -> str:
    """The balance of the sample's walks."""
    words = labels(lang)
    heads = {"zh": "结论|对账", "en": "verdict|balance"}
    cut = Counts(declared=50_012, declared_first=50_012, received=31_000, distinct=31_000, added=31_000)
    cut_short = replace(_SHORT, verdict=Verdict.INCOMPLETE, counts=cut)
    surplus = replace(
        _SHORT, verdict=Verdict.SURPLUS, counts=_counts("ua_user", declared=50_000, declared_first=50_000)
    )
    shown = (_manifest("620000", "ua_org"), _DUPLICATED, _SHORT, surplus, cut_short)
    rows = [(words[f"verdict.{each.verdict}"], balance_sentence(each, words)) for each in shown]
    return _table(heads[lang].split("|"), rows)


def alert_table(lang: str) -> str:
    """Every key of [alerts]."""
    if odd := set(ALERTS) ^ set(Alerts.model_fields):
        raise SystemExit(f"docs/samples.py describes other keys of [alerts]: {', '.join(sorted(odd))}")
    heads = {"zh": "键|含义", "en": "key|meaning"}
    at = 1 if lang == "zh" else 0
    return _table(heads[lang].split("|"), [(f"`{name}`", texts[at]) for name, texts in ALERTS.items()])


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _fenced(text: str) -> str:
    return f"```text\n{text}```\n"


_SAMPLES: Final[dict[str, Callable[[str], str]]] = {
    "night": night_text,
    "cell": cell_text,
    "digest": digest_text,
    "status": status_text,
    "notice": notice_text,
    "verdicts": verdict_table,
    "balances": balance_table,
    "alerts": alert_table,
}

BLOCKS: Final[dict[str, Callable[[], str]]] = {
    f"guide-{name}-{lang}": (lambda make=make, lang=lang: make(lang))
    for name, make in _SAMPLES.items()
    for lang in ("zh", "en")
}
"""Block name -> what stands in it."""
