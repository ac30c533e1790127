"""Checks of TLS and of credentials (1.2.1, 1.3.1). Pure."""

from __future__ import annotations

import re
from typing import Final, Literal

from subcmc_crawler.conformance.findings import Findings
from subcmc_crawler.conformance.questions import Aim
from subcmc_crawler.conformance.results import Found, Result, fail, judged, passed, unchecked, warn
from subcmc_crawler.conformance.seeing import Seen
from subcmc_crawler.conformance.transport import fault_found

EXPIRY_DAYS: Final = 30
_GOOD_TLS: Final = frozenset({"TLSv1.2", "TLSv1.3"})

Trouble = Literal["name", "time", "version", "handshake", "chain"]
_TROUBLES: Final[tuple[tuple[Trouble, str], ...]] = (
    ("name", r"mismatch"),
    ("time", r"certificate has expired|certificate is not yet valid"),
    ("version", r"protocol version|unsupported protocol|version too low"),
    ("handshake", r"does not speak TLS|handshake|client certificate|alert|may not speak TLS"),
)


def trouble(detail: str) -> Trouble:
    """What kind of trouble a fault of TLS is, by OpenSSL's words. First match wins.

    ==  ==============================================  =========
    1   the name or the IP address is another one       name
    2   expired, or not valid yet                       time
    3   no version of TLS in common                     version
    4   no handshake: no TLS, an alert, a certificate   handshake
        of ours is wanted
    5   all else                                        chain
    ==  ==============================================  =========
    """
    return next((name for name, words in _TROUBLES if re.search(words, detail)), "chain")


def tls_https(findings: Findings) -> Result:
    """Every address is HTTPS (1.2.1); plain HTTP is allowed by 1.3.1."""
    plain = [each for each in findings.of(Aim.REACH) if each.question.address.scheme != "https"]
    found = [warn(str(each.question.address), "check.found.http", each) for each in plain]
    if not any(findings.of(Aim.REACH)):
        return unchecked("check.open.no_address")
    return judged(found, passed("check.good.https", findings.of(Aim.REACH)))


def _secure(findings: Findings) -> list[Seen]:
    return [each for each in findings.of(Aim.REACH) if each.question.address.scheme == "https"]


def _in_trouble(findings: Findings, kind: Trouble) -> list[Found]:
    asked = [*_secure(findings), *findings.of(Aim.VERIFIED)]
    troubled = [each for each in asked if each.fault == "tls" and trouble(each.detail) == kind]
    return [fault_found(str(each.question.address), each) for each in troubled]


def _tls(findings: Findings, found: list[Found], known: list[Seen], good: str) -> Result:
    """What was found, `good` for those that are known to be, or why nothing can be said."""
    if found or known:
        return judged(found, passed(good, known, count=len(known)))
    if _secure(findings):
        return unchecked("check.open.tls")
    return unchecked("check.open.plain" if any(findings.of(Aim.REACH)) else "check.open.no_address")


def tls_handshake(findings: Findings) -> Result:
    """The port speaks TLS, and the handshake comes to its end."""
    shaken = [each for each in _secure(findings) if each.secured or trouble(each.detail) != "handshake"]
    known = [each for each in shaken if each.secured or each.fault == "tls"]
    return _tls(findings, _in_trouble(findings, "handshake"), known, "check.good.addresses")


def tls_trusted(findings: Findings) -> Result:
    """The certificate is one that the registered authority, or the system, signed."""
    found = _in_trouble(findings, "chain")
    if not found and not findings.province.tls.verify:
        probed = next(findings.of(Aim.VERIFIED), None)
        found = [
            warn(
                str(each.question.address),
                "check.found.would_verify" if probed and probed.secured else "check.found.unverified",
                probed or each,
            )
            for each in _secure(findings)
            if each.secured
        ]
    elif found and not findings.province.tls.verify:
        found = [warn(each.where, "check.found.unverified_fault", each.seen, **each.values) for each in found]
    return _tls(findings, found, _verified(findings), "check.good.addresses")


def _verified(findings: Findings) -> list[Seen]:
    asked = [*_secure(findings), *findings.of(Aim.VERIFIED)]
    return [each for each in asked if each.secured and each.secured.not_after]


def tls_name(findings: Findings) -> Result:
    """The certificate is for the address that is registered."""
    return _tls(findings, _in_trouble(findings, "name"), _verified(findings), "check.good.addresses")


def tls_expiry(findings: Findings) -> Result:
    """The certificate stays valid for a month."""
    found = _in_trouble(findings, "time")
    left: list[int] = []
    for each in _verified(findings):
        until = each.secured.not_after if each.secured else None
        if until is None:
            continue
        days = (until - findings.now).days
        left.append(days)
        if days < EXPIRY_DAYS:
            where, values = str(each.question.address), {"days": days}
            found.append(warn(where, "check.found.expiry", each, **values))
    if found or not left:
        return _tls(findings, found, [], "check.good.addresses")
    return passed("check.good.expiry", _verified(findings), days=min(left))


def tls_version(findings: Findings) -> Result:
    """TLS 1.2 or 1.3."""
    found = _in_trouble(findings, "version")
    shaken = [each for each in _secure(findings) if each.secured]
    versions = sorted({each.secured.version for each in shaken if each.secured})
    found += [
        fail(str(each.question.address), "check.found.tls_version", each, version=each.secured.version)
        for each in shaken
        if each.secured and each.secured.version not in _GOOD_TLS
    ]
    if found or not shaken:
        return _tls(findings, found, [], "check.good.addresses")
    return passed("check.good.tls_version", shaken, version=", ".join(versions))


def auth_enforced(findings: Findings) -> Result:
    """Without the secret that the registry holds, nothing is served (1.3.1)."""
    seen = next(findings.of(Aim.ANONYMOUS), None)
    if findings.province.auth is None:
        return unchecked("check.open.no_auth")
    if seen is None or seen.silent:
        return unchecked("check.open.unasked")
    found = []
    if seen.page is not None:
        where = str(seen.question.address)
        found.append(fail(where, "check.found.anonymous", seen))
    return judged(found, passed("check.good.refused", [seen]))
