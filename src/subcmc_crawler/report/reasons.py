"""Why a verdict is what it is, in words: from the code and the values of a reason, and from the kind of a fault.

The values hold a province's own words as they came: what is made of them here is not yet fit to be shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from subcmc_crawler.model import Manifest
from subcmc_crawler.reconcile import Why
from subcmc_crawler.report.balance import balance
from subcmc_crawler.report.labels import Labels

_IN_BALANCE: Final = frozenset({Why.MISSING, Why.SURPLUS, Why.UNDECLARED, Why.MISMATCH, Why.REPAIRED})
"""Codes that tell nothing beyond the balance of their walk, or beyond their verdict."""

_STATUS: Final = re.compile(r"(http|smtp)-(\d{3})")
_PHRASES: Final = {f"http-{status.value}": status.phrase for status in HTTPStatus}

_DETAILS: Final[Mapping[str, Mapping[str, str]]] = {
    "timeout": {"": "no complete answer in time"},
    "disconnected": {"": "the connection was dropped before the answer came"},
    "tls": {
        "tls-expired": "certificate has expired",
        "tls-self-signed": "self-signed certificate",
        "tls-chain": "self-signed certificate in certificate chain|unable to get (?:local )?issuer certificate",
        "tls-name": r"(?:Hostname|IP address) mismatch, certificate is not valid for '(?P<text>[^']*)'\.?",
        "tls-client": "the province wants a client certificate.*",
        "tls-none": "the port does not speak TLS",
        "tls-silent": "no answer to the TLS handshake.*",
        "tls-dropped": "the connection was dropped in the TLS handshake.*",
    },
    "proxy": {"proxy": r"the proxy answered HTTP (?P<number>\d+)"},
    "redirect": {"text": r"(?P<text>HTTP \d+): redirects are not followed"},
    "code": {"code": r"code (?P<code>[^:]*): (?P<text>.*)"},
    "encoding": {"text": r"(?P<text>Content-Encoding .*) was not asked for"},
    "cut-body": {"": "the body ended before its end"},
    "protocol": {"text": r"not valid HTTP \((?P<text>.*)\)"},
    "too-large": {"": r"the body passed \d+ MB \(1\.3\.1\)"},
    "empty-body": {"": "the body is empty"},
    "not-utf8": {"byte": r"byte (?P<number>\d+) is not UTF-8"},
    "not-json": {
        "starts": r"starts with (?P<text>.*)",
        "half-character": "cut inside a character",
        "constant": r"(?P<text>\S+) is no JSON number",
        "cut": "unexpected end of data.*",
    },
    "no-envelope": {"type": r"JSON, but no object: (?P<text>\w+)"},
    "no-code": {"": "the envelope has no code"},
    "no-data": {
        "": "the envelope has no data",
        "type": r"data is no list: (?P<text>\w+)",
        "places": r"no rows in any known place: .*",
        "shape": r"no rows at (?P<text>.*): look at rows and total of \[ministry\]",
    },
    "number": {"": "a number beyond every float", "digits": r"an integer of (?P<number>\d+) digits"},
    "depth": {"": "nested .* deep"},
    "amplification": {
        "brackets": r"(?P<number>\d+) opening brackets in (?P<bytes>\d+) bytes",
        "commas": r"(?P<number>\d+) commas in (?P<bytes>\d+) bytes",
    },
    "too-many-rows": {"rows": r"(?P<number>\d+) rows on one page"},
    "endless": {"": "more pages (?:or rows )?than any province has"},
}
"""Kind of a fault -> the label of a detail, "" where the kind says it all, and the sentence that it stands for.

A detail that is none of these, such as the reason of a TLS library, is shown as it is."""


_NOTICES: Final[Mapping[str, str]] = {
    "unverified": r"(?P<province>.*): TLS certificates are not verified",
    "unalerted": r"the digest did not reach (?P<name>webhook|mail) (?P<where>\S+): (?P<fault>[\w-]+)",
}
"""Label of a notice and the sentence that it stands for in the record of a run."""


def reason_sentence(manifest: Manifest, words: Labels) -> str:
    """The grounds of a verdict; the sentence of the manifest where its code is unknown or lacks a value."""
    values = dict(manifest.reason_values)
    if manifest.reason_code == Why.FAULT and "kind" in values:
        kind, detail = str(values["kind"]), str(values.get("detail", ""))
        return fault_sentence(kind, detail, words)
    if "equation" in values:
        values["equation"] = re.sub(
            r"\w+", lambda name: words.word("count", name[0]), str(values["equation"])
        )
    try:
        return words.say(f"why.{manifest.reason_code}", **values)
    except (LookupError, ValueError, TypeError):
        return manifest.reason


def reason_beside_balance(manifest: Manifest, words: Labels) -> str:
    """The grounds of a verdict, empty where the line of the balance has told them already."""
    told = not balance(manifest.counts, manifest.verdict).empty
    return "" if told and manifest.reason_code in _IN_BALANCE else reason_sentence(manifest, words)


def remedy(manifest: Manifest, words: Labels) -> str:
    """What mends this very reason, empty where the advice of the verdict says as much."""
    code = manifest.reason_code
    named = str(manifest.reason_values.get("kind", "")) if code == Why.FAULT else code
    return words.texts.get(f"remedy.{named}", "")


def fault_sentence(kind: str, detail: str, words: Labels) -> str:
    """A fault of one request: its kind in words and what else is known of it."""
    parts = (fault_name(kind, words), _detail(kind, detail, words))
    return words["list.colon"].join(part for part in parts if part)


def fault_name(kind: str, words: Labels) -> str:
    """The kind of a fault in words; the kind itself when nobody wrote any."""
    status = _STATUS.fullmatch(kind)
    if status and f"fault.{kind}" not in words.texts:
        return words.say(f"fault.{status[1]}", status=status[2])
    return words.word("fault", kind)


def deviation_name(deviation: str, words: Labels) -> str:
    """A deviation of the envelope in words; the deviation itself when nobody wrote any."""
    kind, _, name = deviation.partition(":")
    key = f"deviation.{deviation if f'deviation.{deviation}' in words.texts else kind}"
    return words.say(key, name=name) if key in words.texts else deviation


def notice_sentence(notice: str, words: Labels) -> str:
    """A notice of a run in words; the notice itself when nobody wrote any."""
    for name, sentence in _NOTICES.items():
        found = re.fullmatch(sentence, notice, re.DOTALL)
        if found:
            told = found.groupdict()
            if "fault" in told:
                told["fault"] = fault_name(told["fault"], words)
                told["name"] = words[f"alert.{told['name']}"]
            return words.say(f"notice.{name}", **told)
    return notice


def _detail(kind: str, detail: str, words: Labels) -> str:
    if f"fault.{kind}" in words.texts and detail.casefold() == _PHRASES.get(kind, "").casefold():
        return ""
    for name, sentence in _DETAILS.get(kind, {}).items():
        found = re.fullmatch(sentence, detail, re.DOTALL)
        if found:
            return words.say(f"detail.{name}", **found.groupdict()) if name else ""
    return detail
