"""README.md and docs/ may not lie: what they generate, name, link and query is held against the program."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer
from packaging.requirements import Requirement

from subcmc_crawler import errors
from subcmc_crawler.cli.app import app
from subcmc_crawler.config import VARIABLES
from subcmc_crawler.model import Manifest, State, Verdict
from subcmc_crawler.province.digest import SnapshotDigest
from subcmc_crawler.province.page import fingerprint
from subcmc_crawler.province.registry import Province, parse
from subcmc_crawler.run import Crawl
from subcmc_crawler.simulator.faults import Fault
from subcmc_crawler.simulator.ministry import MinistryPlatform
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.simulator.server import Simulator
from subcmc_crawler.spec.datasets import DATASETS, Dataset
from subcmc_crawler.store import Database
from subcmc_crawler.store.rests import keep_rest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "subcmc_crawler"
DOCUMENTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
}
PICTURES = sorted((ROOT / "docs").glob("*.svg"))
README = DOCUMENTS["README.md"]
DATA = DOCUMENTS["docs/data.md"]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def generator() -> Any:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = generator()


def fences(kind: str) -> list[tuple[str, str]]:
    """Every block of code of a kind, with the document that it stands in."""
    return [
        (name, code) for name, text in DOCUMENTS.items() for lang, code in FENCE.findall(text) if lang == kind
    ]


def spans(text: str) -> list[str]:
    """Every piece of code inside a line."""
    return re.findall(r"`([^`\n]+)`", FENCE.sub("", text))


def section(text: str, title: str) -> str:
    """A chapter, from its heading up to the next of the same or a higher rank."""
    match = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,2}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert match is not None, title
    return match[2]


def first_cells(text: str) -> list[str]:
    """The first column of every table, without its heads and code marks."""
    rows = re.findall(r"^\| ([^|]*) \|", text, re.MULTILINE)
    return [row.strip("`") for row in rows if row != "---"]


# ── Generated blocks ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", GENERATE.FILES)
def test_generated_blocks_are_what_the_code_says_now(name: str) -> None:
    text = DOCUMENTS[name]
    assert text == GENERATE.regenerated(text), "run .venv/bin/python docs/generate.py"


def test_every_block_stands_somewhere_and_every_marker_is_paired() -> None:
    everything = "\n".join(DOCUMENTS[name] for name in GENERATE.FILES)
    begun = re.findall(r"<!-- begin:([\w-]+) -->", everything)
    assert sorted(begun) == sorted(re.findall(r"<!-- end:([\w-]+) -->", everything))
    assert sorted(begun) == sorted(GENERATE.BLOCKS)


def test_the_table_of_verdicts_has_every_verdict_in_order() -> None:
    rows = GENERATE.verdict_rows()
    assert [(number, name) for number, _, name in rows] == list(enumerate(map(str, Verdict), start=1))
    named = re.findall(r"^\| \d+ \| \*\*([a-z-]+)\*\* ", section(README, "Verdicts"), re.MULTILINE)
    assert named == list(map(str, Verdict))


# ── Command lines ───────────────────────────────────────────────────────────────────────────────────────


def told_commands() -> Iterator[tuple[str, str]]:
    """Everything after `subcmc` on a line of shell or in a span of code."""
    for name, code in fences("sh"):
        for line in code.splitlines():
            match = re.search(r"(?:^|[\s/])subcmc (.+)", line)
            if match and not line.startswith("#"):
                yield name, match[1]
    for name, text in DOCUMENTS.items():
        for span in spans(text):
            if span.startswith("subcmc ") and not span.startswith("subcmc COMMAND"):
                yield name, span.removeprefix("subcmc ")
    for path in PICTURES:
        for line in lines_of(path):
            match = re.search(r"\bsubcmc (.+)", line)
            if match:
                yield path.name, match[1]


def lines_of(path: Path) -> list[str]:
    """The lines of text in a picture."""
    lines: dict[float, list[tuple[float, str]]] = {}
    for text in ET.parse(path).iter("{http://www.w3.org/2000/svg}text"):  # noqa: S314 - our own file
        lines.setdefault(float(text.attrib["y"]), []).append((float(text.attrib["x"]), text.text or ""))
    return [" ".join(word for _, word in sorted(words)) for _, words in sorted(lines.items())]


def complaint(text: str) -> str | None:
    """What the program's own parser says against a command line; None when it takes it."""
    words = shlex.split(text, comments=True)
    words = words[: next((at for at, word in enumerate(words) if word in {"|", ">", ";", "&&"}), len(words))]
    group: Any = typer.main.get_command(app)
    root = group.context_class(group, info_name="subcmc")
    if words[0].startswith("-"):
        known = {option for parameter in group.get_params(root) for option in parameter.opts}
        return None if set(words) <= known else "no such option"
    command = group.commands.get(words[0])
    if command is None:
        return f"no command {words[0]}"
    if len(words) == 1:  # only named
        return None
    try:
        command.make_context(words[0], words[1:], parent=root)
    except Exception as error:  # the library's own, which it does not export
        return str(error)
    return None


@pytest.mark.parametrize(("name", "line"), sorted(set(told_commands())))
def test_a_command_line_parses(name: str, line: str) -> None:
    assert complaint(line) is None, name


def test_a_lie_would_be_found() -> None:
    assert complaint("crawl --resum")
    assert complaint("prune --keep-nights 30")
    assert complaint("accept 2 620000/ua_user --digest a70782361f68")
    assert complaint("report 2 --format pdf")


def test_every_fault_of_the_simulator_that_is_shown_exists() -> None:
    shown = [text for _, code in fences("sh") for text in re.findall(r"--fault '([^']+)'", code)]
    assert shown
    for text in shown:
        assert str(Fault.parse(text)) == text


def test_the_digest_of_the_first_night_is_the_one_that_the_simulator_makes() -> None:
    fault = re.search(r"simulate --night 2 --fault '([^']+)'", README)
    told = re.search(r"accept 2 620000/ua_user --digest (\w+)", README)
    assert fault is not None
    assert told is not None
    centre = Centre("620000", "甘肃省", faults=[Fault.parse(fault[1])])
    rows = {str(row["userId"]): row for row in centre.rows("ua_user", 2)}
    digest = SnapshotDigest()
    for key in sorted(rows):
        digest.add(key, fingerprint(rows[key])[0])
    assert str(digest).startswith(told[1])


def test_every_make_target_exists() -> None:
    known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    told = {
        target for _, code in fences("sh") for target in re.findall(r"^make ([a-z]+)", code, re.MULTILINE)
    } | {
        match[1]
        for text in DOCUMENTS.values()
        for span in spans(text)
        if (match := re.match(r"make ([a-z]+)", span))
    }
    assert {"demo", "test"} <= told <= known


# ── Names ───────────────────────────────────────────────────────────────────────────────────────────────


def test_environment_variables_are_those_that_the_program_reads() -> None:
    pattern = r"\b(?:SUBCMC|MONGODB)_[A-Z_]+\b"
    assert set(re.findall(pattern, README)) == set(VARIABLES)
    for name, text in DOCUMENTS.items():
        assert set(re.findall(pattern, text)) <= set(VARIABLES), name


def test_toml_is_what_the_registry_reads() -> None:
    blocks = fences("toml")
    assert blocks
    for _, code in blocks:
        registry = parse(code)
        assert registry.provinces[0].addresses


def test_exit_codes_are_those_of_the_errors() -> None:
    raised = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.SubcmcError)
    }
    told = {int(code) for code in first_cells(section(README, "Exit codes")) if code.isdecimal()}
    assert told == raised | {0, 130, 143}


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    required = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    for extra in project["project"]["optional-dependencies"].values():
        required += extra
    told = first_cells(section(README, "Dependencies"))[1:]
    assert sorted(told) == sorted({Requirement(text).name for text in required})


def test_what_is_called_not_there_yet_is_not_there() -> None:
    group: Any = typer.main.get_command(app)
    told = section(README, "Limits and roadmap")
    assert "Not there yet:" in told
    assert not set(re.findall(r"`(?:subcmc )?([a-z]+)`", told)) & set(group.commands)


def test_paths_and_modules_that_are_named_exist() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir()}
    for name, text in DOCUMENTS.items():
        if name == "docs/spec-decisions.md":  # has a test of its own
            continue
        for span in spans(text):
            if re.fullmatch(r"\.?[\w-]+(/[\w.-]+)+/?", span) and re.search(
                r"^(src|tests|docs|deploy|\.ci)/|\.py$|\.json$", span
            ):
                assert (ROOT / span).exists() or (PACKAGE / span).exists(), (name, span)
            if (
                re.fullmatch(r"[a-z_]+(\.\w+)+", span)
                and span.partition(".")[0] in rooms
                and not span.endswith(".py")
            ):
                assert resolved(span), (name, span)


def resolved(name: str) -> bool:
    """Whether `name`, relative to the package, is a module or something inside one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module("subcmc_crawler." + ".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            found = getattr(found, attribute, None)
        return found is not None
    return False


def test_relative_links_resolve() -> None:
    for name, text in DOCUMENTS.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"https?://", target):
                continue
            path, _, anchor = target.partition("#")
            found = (ROOT / name).parent / path if path else ROOT / name
            assert found.exists(), (name, target)
            if anchor:
                assert anchor in anchors(found.read_text(encoding="utf-8")), (name, target)


def anchors(text: str) -> set[str]:
    """The anchors that headings get."""
    heads = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def test_nothing_of_this_machine_is_told() -> None:
    for path in [*(ROOT / "docs").iterdir(), ROOT / "README.md", ROOT / "CHANGELOG.md"]:
        if path.is_file() and path.suffix != ".png":
            assert not re.search(r"/(?:work|home|root|tmp)/", path.read_text(encoding="utf-8")), path.name


# ── Pictures ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_a_picture_is_small_and_fetches_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < 200_000
    assert re.findall(r"https?://[^\"' ]+", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"@font-face|@import|url\((?!#)|<script|<image|href", text)
    assert any("subcmc accept" in line for line in lines_of(path))


# ── The data ────────────────────────────────────────────────────────────────────────────────────────────

DEFAULTS = """
page_size = 250
requests_per_second = 0
max_attempts = 2
cool_down_seconds = 0.01
"""


class Nobody:
    """An observer that looks away."""

    def page(self, province: Province, dataset: Dataset, received: int, declared: int | None) -> None:
        pass

    def cell(self, manifest: Manifest) -> None:
        pass


@pytest.fixture
async def nights(db: Database) -> Database:
    """Two nights of two provinces, with rows without a key among them."""
    faults = [Fault.parse("620000/ua_user:nokey=2"), Fault.parse("110000/pm_app:500@2")]
    centres = [
        Centre("110000", "北京市", faults=faults),
        Centre("620000", "甘肃省", change=0.2, faults=faults),
    ]
    async with Simulator(centres, ministry=MinistryPlatform(centres)) as simulator:
        registry = parse(simulator.registry(defaults=DEFAULTS, ministry="requests_per_second = 0"))
        for night in (1, 2):
            simulator.night = night
            crawl = Crawl(
                registry,
                db,
                Nobody(),
                folder=ROOT,
                now=lambda: datetime.now(ZoneInfo("Asia/Shanghai")),
                ignore_windows=True,
            )
            await crawl.run()
    return db


QUERY = re.compile(
    r"db\.(?P<collection>\w+)\.find\((?P<arguments>.*?)\)(?:\.sort\((?P<sort>.*?)\))?(?:\.limit\((?P<limit>\d+)\))?;?"
)


async def answer(db: Database, line: str) -> list[dict[str, Any]]:
    """What a query of the documents gives; its arguments are JSON, so that any language can take them over."""
    match = QUERY.fullmatch(line)
    assert match is not None, line
    cursor = db[match["collection"]].find(*json.loads(f"[{match['arguments']}]"))
    if match["sort"]:
        cursor = cursor.sort(list(json.loads(match["sort"]).items()))
    if match["limit"]:
        cursor = cursor.limit(int(match["limit"]))
    return [found async for found in cursor]


async def test_the_queries_run_and_find_what_they_say(nights: Database) -> None:
    lines = [line for _, code in fences("js") for line in code.splitlines() if line]
    assert len(lines) == 6
    for line in lines:
        found = await answer(nights, line)
        assert found, line
        if "db.snapshots" in line:
            assert [each["run"] for each in found] == [2]  # as the text says
        if '"key"' in line:
            assert {each["key"] for each in found} == set(re.findall(r'"key": "([^"]+)"', line))


async def test_the_view_is_the_published_snapshot(nights: Database) -> None:
    for code in DATASETS:
        head = await nights["snapshots"].find_one({"_id": f"{2:08d}/620000/{code}"})
        assert head is not None
        assert head["state"] == State.PUBLISHED
        seen = await answer(nights, f'db.current_{code}.find({{"cmcId": "620000"}})')
        kept = await answer(
            nights, f'db.{code}.find({{"cmcId": "620000", "from": {{"$lte": 2}}, "to": {{"$gt": 2}}}})'
        )
        assert sorted(each["_id"] for each in seen) == sorted(each["_id"] for each in kept)
        assert len(seen) == head["counts"]["distinct"]


async def test_every_field_in_the_database_is_in_the_contract(nights: Database) -> None:
    await keep_rest(nights, "110000", datetime.now(UTC))
    places = {
        "runs": "runs",
        "snapshots": "snapshots",
        "ledger": "ledger",
        "quarantine": "quarantine",
        "leases": "leases, rests and schema",
        "comparisons": "comparisons",
        "references": "references",
        "rests": "leases, rests and schema",
        "schema": "leases, rests and schema",
        **dict.fromkeys(DATASETS, "Datasets and views"),
    }
    collections = {name for name in await nights.list_collection_names() if not name.startswith("system.")}
    assert collections == {*places, *(f"current_{code}" for code in DATASETS)}
    for name, title in places.items():
        told = words(section(DATA, title))
        found = [each async for each in nights[name].find({})]
        assert found, name
        for document in found:
            assert set(document) <= told, (name, set(document) - told)
            counts = document.get("counts", ())
            held = {name for each in counts for name in each} if isinstance(counts, list) else set(counts)
            assert held <= told, (name, held - told)


def words(text: str) -> set[str]:
    """Every name in code marks."""
    return {"_id", *(word for span in spans(text) for word in re.findall(r"\w+", span))}


async def test_the_fields_in_the_contract_are_in_the_database(nights: Database) -> None:
    """What a table of the contract names, some document holds."""
    for name, title in {"ledger": "ledger", "quarantine": "quarantine", "snapshots": "snapshots"}.items():
        held: set[str] = set()
        async for document in nights[name].find({}):
            held |= {*document, *document.get("counts", ())}
        told = told_fields(section(DATA, title))
        assert told
        assert told <= held | {str(state) for state in State}, (name, told - held)


def told_fields(text: str) -> set[str]:
    return {word for row in table_rows(text) for word in re.findall(r"`?(\w[\w-]*)`?", row)} - {
        "field",
        "state",
    }


def table_rows(text: str) -> Iterable[str]:
    return (row for row in re.findall(r"^\| ([^|]*) \|", text, re.MULTILINE) if row != "---")


def test_screenshots_are_small_and_shown() -> None:
    screenshots = sorted((ROOT / "docs").glob("*.png"))
    assert [path.name for path in screenshots] == ["cell.png", "night.png"]
    for path in screenshots:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size < 150_000
        assert re.search(rf"!\[[^\]]{{40,}}\]\(docs/{path.name}\)", README)
