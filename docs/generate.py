"""Writes what stands between `<!-- begin:NAME -->` and `<!-- end:NAME -->` in README.md and docs/*.md.

    .venv/bin/python docs/generate.py

Each block comes from the code: options from the commands, defaults from the settings, verdicts from their
table. tests/docs/test_readme.py makes them again and compares.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Final, get_args

import typer
from pydantic import BaseModel

from subcmc_crawler.cli.app import app
from subcmc_crawler.config import VARIABLES
from subcmc_crawler.conformance.checks import CHECKS, GROUPS
from subcmc_crawler.conformance.planning import MOST_REQUESTS
from subcmc_crawler.conformance.questions import Aim
from subcmc_crawler.model import Comparison, Counts, Manifest, RunRecord, Verdict
from subcmc_crawler.province.settings import (
    Auth,
    DatasetSettings,
    MinistrySettings,
    PullSettings,
    Registration,
    RunSettings,
    Tls,
)
from subcmc_crawler.reconcile import Finding, verdict
from subcmc_crawler.report.labels import CATALOGUES
from subcmc_crawler.report.night import advice
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import schema

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))

import samples  # noqa: E402 - it lies beside this file, in no package

FILES: Final = (
    "README.md",
    "docs/commands.md",
    "docs/architecture.md",
    "docs/conformance.md",
    "docs/data.md",
    "docs/operator-guide.md",
    "docs/operator-guide.zh-CN.md",
)
WIDTH: Final = 100
_BLOCK: Final = re.compile(r"(<!-- begin:([a-z-]+) -->\n).*?(<!-- end:\2 -->)", re.DOTALL)

_SETTINGS: Final = {
    "page_size": "rows asked for in a page; a page over 10 MB is asked for again with at most half as many",
    "request_timeout_seconds": "what a province may take for one request, from connecting to the last byte; "
    "connecting alone ends after 15 s; what a limit of bytes holds back comes on top",
    "max_attempts": "requests for one page before the pass fails",
    "max_passes": "whole passes that come to an end before the walk settles for the last one",
    "tolerance": "rows missing or too many that may still be published; such a cell is marked `~`",
    "guard.rows": "a snapshot is held when it lost more rows than this ...",
    "guard.percent": "... and more than this share ...",
    "guard.minimum": "... and the last published one had at least this many; shrinking to zero is always held",
    "scheme": "for addresses written without one; `http://` or `https://` in an address wins",
    "window": "hours in which pages may be asked for; may cross midnight; equal ends mean the whole day",
    "requests_per_second": "of one province, evenly spaced, fewer while it is busy or slow; 0: no limit",
    "max_in_flight": "pages at once in one province",
    "max_bytes_per_second": "of one province, as they come over the line, in every second; 0: no limit",
    "cool_down_seconds": "rest of a province after 408, 429, 503, 509 and connection faults; `Retry-After` wins",
    "proxy": '`"http://host:port"` between us and the province, or `"environment"` for `HTTP_PROXY`, `HTTPS_PROXY` '
    'and `NO_PROXY`; `""`: none, whatever the environment says',
    "timezone": "the zone of every window",
    "max_provinces": "provinces pulled at the same time",
    "max_run_bytes_per_second": "of all provinces together, as they come over the line; 0: no limit",
    "stagger_share": "part of a window over which starts are spread at most; 0: all at its opening",
    "stop_grace_seconds": "what is on its way when a window closes or a signal comes may still end for so long",
}
_REGISTRATION: Final = {
    "cmcId": "what the ministry gave the province; letters, digits and `. _ -`",
    "areaCode": "area code, digits",
    "name": "shown in reports; commands take it in place of the cmcId",
    "vendor": "for the record",
    "contact": "for the record",
    "phone": "for the record",
    "mobile": "for the record",
    "pushIpList": "where the province pushes from; for the record, never contacted",
    "pullAddressList": "`host:port/base`: replicas, tried in this order; empty: not pulled, `unregistered`",
}
_TLS: Final = {
    "ca_file": "the authority that signed the province's certificate, PEM",
    "cert_file": "our certificate, for mutual TLS, PEM",
    "key_file": "its key, PEM",
    "server_hostname": "the name in the certificate, where the address is an IP",
    "verify": "`false` accepts any certificate, and every report says so",
}
_AUTH: Final = {
    "kind": "`bearer`, `basic` or `header`: how the secret is sent",
    "username": 'with `kind = "basic"`, and only with it',
    "header": 'the name of the header, with `kind = "header"`, and only with it',
    "token_file": "a file with the secret on one line; this or `token_env`",
    "token_env": "an environment variable with the secret; this or `token_file`",
}
_MANIFEST: Final = {
    "run": "number of the run",
    "cmc_id": "the province",
    "province": "its name at the time",
    "dataset": "code of the dataset",
    "state": "see the states below",
    "verdict": "one of the twelve, null while the walk goes on",
    "reason": "the grounds, one sentence",
    "reason_code": "the same grounds as a stable word",
    "reason_values": "the numbers and words of that sentence, by name",
    "counts": "the counts below",
    "base": "run of the published snapshot that this one was compared with, null for the first",
    "passes": "passes made",
    "like_run": "the run by whose pages the ledger tells the order of these; null when they stand by themselves",
    "like_pass": "the pass of that run",
    "stored_pass": "the pass whose rows the snapshot holds, null when no pass was complete",
    "endings": "how each pass ended",
    "pages": "pages of the last pass",
    "attempts": "HTTP requests of all passes",
    "bytes": "decoded body bytes of all good answers",
    "seconds": "duration of the walk",
    "address": "the address of the last pass",
    "dead_addresses": "addresses given up in this run, each with its fault",
    "page_size": "page size in force at the end of the last pass",
    "clamped": "whether the province cut the page size that was asked for",
    "digest": "BLAKE2b-128 over the BSON documents `{key, hash}` of its records by key, in hexadecimal",
    "collect_time_min": "smallest collectTime of the last pass, epoch milliseconds",
    "collect_time_max": "largest collectTime",
    "rules": "broken rules: field, rule, rows, masked samples",
    "drift": "fields that no table of the specification has: name, rows; the first 100 names, all others under `…`",
    "deviations": "what was forgiven in envelopes: name, pages",
    "faults": "failed requests by kind: name, count",
    "rest_seconds": "cool-downs during the walk",
    "slowest_rate": "requests a second at the slowest moment of the walk, null when it was never slowed down",
    "started_at": "when the walk began",
    "finished_at": "when it got its verdict",
    "accepted": "`by`, `at`, `reason` of `subcmc accept`, else null",
}
_COUNTS: Final = {
    "declared": "the province's `total`; of several, the one nearest to what was received",
    "declared_first": "the first `total` of the pass",
    "received": "rows in all pages of the pass",
    "distinct": "distinct primary keys",
    "repeated": "rows with the key and the content of an earlier one",
    "conflicting": "rows displaced by a later one with the same key and other content",
    "quarantined": "rows without a usable key",
    "flagged": "stored rows that break at least one rule",
    "stored": "records counted in MongoDB as of the run, null when no pass was complete",
    "pushed": "distinct keys that the ministry's own platform holds (4.1); null where it was not walked to its end",
    "added": "keys that the base did not have",
    "changed": "keys whose content differs from the base",
    "removed": "keys of the base that were not served",
    "unchanged": "keys whose content is that of the base",
}
_RUN: Final = {
    "number": "stored as `_id`: 1, 2, 3 ... in the order they began",
    "status": "running, finished, stopped or crashed",
    "started_at": "when it began",
    "finished_at": "when it ended, null before",
    "summary": "cells by verdict: name, count",
    "selection": "what `--province` and `--dataset` named; empty for a whole run",
    "registry": "where the registry was read from",
    "version": "of the program",
    "notices": "lines that every report of the run repeats",
    "alerted_at": "when its digest was claimed, before it was sent; null while nobody was told",
    "cpu_seconds": "CPU seconds of all processes that were at work on it, once they have ended",
    "shards": "null, or how it was divided: how many shards, the digest of their registry, the order of the "
    "provinces, and which shards have joined, ended, were stopped",
}


_COMPARISON: Final = {
    "run": "number of the run",
    "cmc_id": "the province",
    "province": "its name at the time",
    "dataset": "code of the dataset",
    "snapshot": "run of the snapshot that was compared: this one where it is published or held, else the one that is "
    "in force; null for none",
    "digest": "of that snapshot",
    "declared": "what the query interface says that it holds",
    "pushed": "distinct keys that it holds; null when it could not be walked to its end",
    "pulled": "distinct keys of the snapshot; this and the next four are null when there was nothing to compare",
    "equal": "keys with the same content on both sides",
    "differing": "keys with other content",
    "only_pushed": "keys that the snapshot does not have",
    "only_pulled": "keys that the platform does not have",
    "unusable": "pushed rows without a usable key",
    "foreign": "pushed rows that carry another cmcId; they are not compared",
    "fields": "keys that differ in a field: name, count; most first",
    "differing_keys": "`key`, masked, and `fields` of the first 20 in order",
    "only_pushed_keys": "the first 20, masked",
    "only_pulled_keys": "the first 20, masked",
    "endings": "how each pass over the query interface ended, as in `snapshots`",
    "fault": "kind of the fault that ended it, empty when there was none",
    "detail": "a masked line about it",
    "pages": "pages of the last pass",
    "attempts": "HTTP requests",
    "seconds": "duration",
    "at": "when it was over",
}
_MINISTRY: Final = {
    "query_url": "`https://host:port/base` of the ministry's own query interface",
    "page_size": "rows asked for in a page",
    "requests_per_second": "of the platform, for all provinces together; 0: no limit",
    "max_in_flight": "pages at once",
    "request_timeout_seconds": "what the platform may take for one request",
    "cool_down_seconds": "rest after 408, 429, 503, 509 and connection faults; `Retry-After` wins",
    "max_attempts": "requests for one page before the walk fails",
    "max_passes": "whole passes while the data moves",
    "overtime_minutes": "what is left when all pulls are over may take so long; then it is stopped",
    "rows": "dotted path of the rows in an answer, such as `data.records`, where they are not found by themselves",
    "total": "dotted path of the total, beside `rows`",
}

_QUESTIONS: Final = {
    "reach": ("each address", "one row of the first dataset"),
    "first": ("each dataset", "page 1 at the registered page size"),
    "again": ("each dataset", "the same once more"),
    "second": ("each dataset of more than one page", "page 2"),
    "cut": ("each dataset whose page 1 was shorter than asked for", "page 2 at the size that came"),
    "last": ("each dataset of more than two pages", "the last page, by `total`"),
    "past-end": ("each dataset", "the page after it"),
    "size": ("the largest dataset", "pages 1 and 2 of 1, 2 and 30 rows, page 1 of 1,000 rows"),
    "zero": ("the largest dataset", "`pageNum=0`"),
    "foreign-id": ("the largest dataset", "a cmcId of nobody"),
    "no-id": ("the largest dataset", "no cmcId"),
    "no-page": ("the largest dataset", "neither pageNum nor pageSize"),
    "bad-number": ("the largest dataset", "`pageNum=abc`, `pageNum=-1`, `pageSize=0`"),
    "no-path": ("once", "a path that is none"),
    "replica": ("each further address, as many datasets as the limit leaves", "one row"),
    "verified": ("once, with `verify = false`", "one row with the certificate verified"),
    "anonymous": ("once, with `[province.auth]`", "one row without the secret"),
}


def variables() -> str:
    """The environment variables."""
    return table(("variable", "meaning"), ((f"`{name}`", text) for name, text in VARIABLES.items()))


def settings() -> str:
    """The pull settings and where each may stand."""
    rows = []
    for name, info in _leaves(RunSettings):
        head = name.partition(".")[0]
        places = ["`[defaults]`"]
        places += ["`pull`"] if head in PullSettings.model_fields else []
        places += ["`datasets`"] if head in DatasetSettings.model_fields else []
        rows.append((f"`{name}`", f"`{_default(info)}`", _limits(info), ", ".join(places), _SETTINGS[name]))
    return table(("setting", "default", "allowed", "may stand in", "meaning"), rows)


def registration() -> str:
    """The keys of [[province]]."""
    return _keys(Registration, _REGISTRATION)


def tls() -> str:
    """The keys of [province.tls]."""
    return _keys(Tls, _TLS)


def auth() -> str:
    """The keys of [province.auth]."""
    return _keys(Auth, _AUTH)


def ministry() -> str:
    """The keys of [ministry]."""
    _same(MinistrySettings.model_fields, _MINISTRY)
    rows = []
    for name, info in MinistrySettings.model_fields.items():
        default = "required" if info.is_required() else "" if info.default is None else f"`{_default(info)}`"
        rows.append((f"`{name}`", default, _limits(info), _MINISTRY[name]))
    return table(("key", "default", "allowed", "meaning"), rows)


def commands() -> str:
    """One line a command."""
    rows = []
    for name, command in _commands():
        rows.append((f"[`subcmc {name}`](docs/commands.md#subcmc-{name})", command.help.split("\n")[0]))
    return table(("command", "what it does"), rows)


def help_texts() -> str:
    """The help of every command."""
    group: Any = typer.main.get_command(app)
    root = group.context_class(group, info_name="subcmc", terminal_width=WIDTH, max_content_width=WIDTH)
    parts = []
    for name, command in _commands():
        context = command.context_class(command, info_name=name, parent=root)
        parts.append(f"## `subcmc {name}`\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def verdicts() -> str:
    """The verdicts, their conditions, what becomes of the snapshot, and what an operator does."""
    rows = []
    for number, condition, name in verdict_rows():
        word = Verdict(name)
        rows.append(
            (
                str(number),
                f"**{name}**",
                CATALOGUES["zh"][f"verdict.{name}"],
                condition,
                CATALOGUES["en"][f"state.{Finding(word).state}"],
                CATALOGUES["en"][advice(word)],
            )
        )
    return table(("#", "verdict", "中文", "when (first match wins)", "snapshot", "what to do"), rows)


def verdict_rows() -> list[tuple[int, str, str]]:
    """Number, condition and verdict of each row of the table in `reconcile.verdict()`."""
    rows: list[tuple[int, str, str]] = []
    for line in (verdict.__doc__ or "").splitlines():
        started = re.fullmatch(r"\s*(\d+)\s{2,}(.+?)\s{2,}([a-z-]+)\s*", line)
        if started:
            rows.append((int(started[1]), started[2], started[3]))
        elif rows and re.match(r"\s{4,}[^\s=]", line):
            number, condition, name = rows[-1]
            rows[-1] = (number, f"{condition} {line.strip()}", name)
    return rows


def layers() -> str:
    """The import contract, highest room first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    parts = []
    for contract in contracts:
        if contract["type"] == "layers":
            parts.append(f"# {contract['name']}; in {contract['containers'][0]}")
            parts += contract["layers"]
            parts.append("")
    return "```text\n" + "\n".join(parts).rstrip() + "\n```\n"


def datasets() -> str:
    """The nine datasets, each with its collection, view and key."""
    rows = (
        (f"`{each.code}`", each.title_en, each.title, f"`{each.path}`", f"`{each.key}`", each.section)
        for each in DATASETS.values()
    )
    return table(("collection", "records", "中文", "path", "key field", "§"), rows)


def indexes() -> str:
    """The indexes that the program makes."""
    made = [(f"`{name}`", index.document) for name, many in schema._INDEXES.items() for index in many]
    made += [("each dataset", index.document) for index in schema._VERSION_INDEXES]
    rows = (
        (
            where,
            f"`{document['name']}`",
            ", ".join(f"`{field}` {'up' if way == 1 else 'down'}" for field, way in document["key"].items()),
        )
        for where, document in made
    )
    return table(("collection", "index", "fields"), rows)


def manifest() -> str:
    """The fields of `snapshots`."""
    return _document(Manifest, _MANIFEST)


def counts() -> str:
    """The fields of `snapshots.counts`."""
    return _document(Counts, _COUNTS)


def comparison() -> str:
    """The fields of `comparisons`."""
    return _document(Comparison, _COMPARISON)


def runs() -> str:
    """The fields of `runs`."""
    return _document(RunRecord, _RUN)


def checks() -> str:
    """Every check of `subcmc check`, group by group."""
    zh, en = CATALOGUES["zh"], CATALOGUES["en"]
    parts = []
    for group in GROUPS:
        rows = (
            (
                f"`{each.id}`",
                en[f"check.title.{each.id}"],
                zh[f"check.title.{each.id}"],
                each.section,
                en[f"check.rule.{each.id}"],
            )
            for each in CHECKS
            if each.group == group
        )
        head = ("id", "check", "中文", "§", "pass, warning, fail")
        parts.append(f"### {en[f'check.group.{group}']}\n\n{table(head, rows)}")
    return "\n".join(parts)


def questions() -> str:
    """What a check asks."""
    _same([str(aim) for aim in Aim], _QUESTIONS)
    rows = ((f"`{name}`", *told) for name, told in _QUESTIONS.items())
    return (
        table(("question", "how often", "what is asked"), rows) + f"\nNo more than {MOST_REQUESTS} in all.\n"
    )


BLOCKS: Final[dict[str, Callable[[], str]]] = {
    "variables": variables,
    "settings": settings,
    "registration": registration,
    "tls": tls,
    "auth": auth,
    "commands": commands,
    "help": help_texts,
    "verdicts": verdicts,
    "layers": layers,
    "datasets": datasets,
    "indexes": indexes,
    "manifest": manifest,
    "counts": counts,
    "runs": runs,
    "comparison": comparison,
    "ministry": ministry,
    "checks": checks,
    "questions": questions,
    **samples.BLOCKS,
}
"""Block name -> what stands in it."""


def regenerated(text: str) -> str:
    """The text of a document with every block made anew; KeyError names a block that nobody makes."""
    return _BLOCK.sub(lambda match: f"{match[1]}{BLOCKS[match[2]]()}{match[3]}", text)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _commands() -> list[tuple[str, Any]]:
    group: Any = typer.main.get_command(app)
    return list(group.commands.items())


def _leaves(model: type[BaseModel], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """Every setting of a model by its dotted name, the general ones first."""
    for name, info in model.model_fields.items():
        if isinstance(info.default, BaseModel):
            yield from _leaves(type(info.default), f"{prefix}{name}.")
        else:
            yield prefix + name, info


def _default(info: Any) -> str:
    value = info.default
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}"
    return f'"{value}"'


def _limits(info: Any) -> str:
    choices = get_args(info.annotation)
    if choices and all(isinstance(choice, str) for choice in choices):
        return ", ".join(f"`{choice}`" for choice in choices)
    found = {}
    for item in info.metadata:
        for each in getattr(item, "metadata", [item]):
            for name in ("ge", "gt", "le", "lt"):
                if getattr(each, name, None) is not None:
                    found[name] = getattr(each, name)
    if "ge" in found and "le" in found:
        return f"{found['ge']:,} to {found['le']:,}"
    words = {"ge": "{:,} or more", "gt": "more than {:,}", "le": "{:,} or less", "lt": "less than {:,}"}
    return ", ".join(words[name].format(value) for name, value in found.items())


def _keys(model: type[BaseModel], meanings: dict[str, str]) -> str:
    _same(model.model_fields, meanings)
    rows = []
    for name, info in model.model_fields.items():
        needed = "required" if info.is_required() else "optional"
        rows.append((f"`{name}`", needed, meanings[name]))
    return table(("key", "", "meaning"), rows)


def _document(kind: type[Any], meanings: dict[str, str]) -> str:
    assert is_dataclass(kind)  # noqa: S101 - ours are
    _same([item.name for item in fields(kind)], meanings)
    return table(("field", "meaning"), ((f"`{_camel(name)}`", text) for name, text in meanings.items()))


def _same(names: Iterable[str], meanings: Iterable[str]) -> None:
    if odd := set(names) ^ set(meanings):
        raise SystemExit(
            f"docs/generate.py describes other fields than the code has: {', '.join(sorted(odd))}"
        )


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def main() -> None:
    """Writes every document anew."""
    for name in FILES:
        path = ROOT / name
        path.write_text(regenerated(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
