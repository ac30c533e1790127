"""The command line of `subcmc`: names, options and help; what they do is in the modules beside this one."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from subcmc_crawler import __version__

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from subcmc_crawler.cli.reading import View
    from subcmc_crawler.model import Shard

app = typer.Typer(
    name="subcmc",
    help="Nightly, proven pull of provincial asset data (interface specification V2.0.6).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class _Lang(StrEnum):
    ZH = "zh"
    EN = "en"


class _Format(StrEnum):
    TEXT = "text"
    JSON = "json"


class _ReportFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    HTML = "html"
    XLSX = "xlsx"
    CSV = "csv"


class _CheckFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    HTML = "html"


class _CensusFormat(StrEnum):
    TEXT = "text"
    CSV = "csv"
    JSON = "json"


_LangOption = Annotated[
    _Lang | None,
    typer.Option("--lang", help="Language of what people read. Default: SUBCMC_LANG, locale, zh."),
]
_FormatOption = Annotated[_Format, typer.Option("--format", help="How to print.")]
_FileOption = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="A file, made for its owner alone. Default: print."),
]
_RegistryOption = Annotated[
    Path | None,
    typer.Option(
        "--registry", metavar="FILE", help="The registry. Default: SUBCMC_REGISTRY, ./provinces.toml."
    ),
]
_Run = Annotated[str | None, typer.Argument(metavar="[RUN]", help="A number. Default: the last run.")]
_RunRequired = Annotated[str, typer.Argument(metavar="RUN", help="A number, or `last`.")]
_Cell = Annotated[str, typer.Argument(metavar="PROVINCE/DATASET", help="For example 620000/hardware.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"subcmc-crawler {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def crawl(  # noqa: PLR0917 - parameters are options
    now: Annotated[bool, typer.Option("--now", help="Ignore the windows.")] = False,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Sleep until the first planned start of a night that was not pulled."),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the last run, which crashed or was stopped.")
    ] = False,
    province: Annotated[
        list[str] | None,
        typer.Option("--province", metavar="ID", help="Only this one, by cmcId or name. Repeatable."),
    ] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option("--dataset", metavar="CODE", help="Only this one, by code. Repeatable."),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            "--shard", metavar="I/N", help="Only this part of the provinces, in one run with the others."
        ),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option("--dask", metavar="ADDRESS", help="Pull on the workers of this Dask scheduler."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be pulled; contact nobody, write nothing.")
    ] = False,
    metrics_file: Annotated[
        Path | None,
        typer.Option(
            "--metrics-file", metavar="FILE", help="Prometheus text of the run. Default: SUBCMC_METRICS_FILE."
        ),
    ] = None,
    registry: _RegistryOption = None,
    lang: _LangOption = None,
) -> None:
    """Pull, prove and publish one night.

    Exit codes: 0 all published clean, 1 something is not clean, 75 the window is closed or a crawl is running.
    """
    from subcmc_crawler.cli import crawling  # noqa: PLC0415 - each command loads what it needs
    from subcmc_crawler.run import Selection  # noqa: PLC0415

    if now and wait:
        raise typer.BadParameter("--now ignores windows and --wait waits for one: choose one of them")
    if shard and dask:
        raise typer.BadParameter("--shard and --dask are two ways to divide a run: choose one of them")
    if resume and (province or dataset):
        raise typer.BadParameter("--resume goes on with what the last run had selected: leave selections out")
    selection = Selection(provinces=tuple(province or ()), datasets=tuple(dataset or ()))
    code = crawling.crawl(
        now=now,
        wait=wait,
        resume=resume,
        selection=selection,
        shard=_shard(shard),
        dask=dask,
        dry_run=dry_run,
        registry=registry,
        metrics_file=metrics_file,
        lang=lang,
    )
    raise typer.Exit(code)


def _shard(text: str | None) -> Shard | None:
    from subcmc_crawler.model import Shard  # noqa: PLC0415

    try:
        return Shard.parse(text) if text else None
    except ValueError as error:
        raise typer.BadParameter(f"--shard: {error}") from None


@app.command()
def plan(  # noqa: PLR0917 - parameters are options
    no_history: Annotated[
        bool, typer.Option("--no-history", help="Forecast nothing; MongoDB is not needed then.")
    ] = False,
    centres: Annotated[
        int | None,
        typer.Option("--centres", metavar="N", min=1, help="What so many centres would need, and how long."),
    ] = None,
    rows: Annotated[
        int | None, typer.Option("--rows", metavar="N", min=1, help="With --centres: rows of each of them.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="N", min=1, help="With --centres: how long so many take."),
    ] = None,
    output: _FormatOption = _Format.TEXT,
    registry: _RegistryOption = None,
    lang: _LangOption = None,
) -> None:
    """Show the night beforehand: when each province starts and ends, and how many run at once.

    Durations are those of the last whole runs. Contacts no province. With --centres: how many workers a night of that
    size needs, how long it takes, and which resource gives out first, by what past runs have cost.
    """
    from subcmc_crawler.cli import planning  # noqa: PLC0415

    json, history = output is _Format.JSON, not no_history
    if centres is None and (rows or workers):
        raise typer.BadParameter("--rows and --workers go with --centres")
    if centres is None:
        _end(planning.plan(registry=registry, lang=lang, json=json, history=history))
        return
    size = planning.Size(centres, rows, workers)
    _end(planning.capacity(size, registry=registry, lang=lang, json=json, history=history))


@app.command()
def check(
    province: Annotated[str, typer.Argument(metavar="PROVINCE", help="By cmcId or name.")],
    output: Annotated[_CheckFormat, typer.Option("--format", help="How to print.")] = _CheckFormat.TEXT,
    file: _FileOption = None,
    registry: _RegistryOption = None,
    lang: _LangOption = None,
) -> None:
    """Check whether a province's pull service is as specified: a scorecard that can be sent to the province.

    At most 120 requests, at its pace and whatever its window; MongoDB is not needed. Exit codes: 0 nothing fails,
    1 something fails.
    """
    from subcmc_crawler.cli import checking  # noqa: PLC0415

    asked = checking.Asked(format=output.value, output=file, registry=registry, lang=lang)
    _end(checking.check(asked, province))


@app.command()
def census(
    province: Annotated[
        list[str] | None,
        typer.Option("--province", metavar="ID", help="Only this one, by cmcId or name. Repeatable."),
    ] = None,
    output: Annotated[_CensusFormat, typer.Option("--format", help="How to print.")] = _CensusFormat.TEXT,
    file: _FileOption = None,
    registry: _RegistryOption = None,
    lang: _LangOption = None,
) -> None:
    """Print how many records each province declares of each dataset, by one request of one row for each.

    At their pace and whatever their windows; MongoDB is not needed. Exit code 1 when a number is missing.
    """
    from subcmc_crawler.cli import checking  # noqa: PLC0415

    asked = checking.Asked(format=output.value, output=file, registry=registry, lang=lang)
    _end(checking.census(asked, tuple(province or ())))


@app.command()
def runs(
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many of the last runs.")] = 20,
    output: _FormatOption = _Format.TEXT,
    lang: _LangOption = None,
) -> None:
    """List the last runs."""
    from subcmc_crawler.cli import reading  # noqa: PLC0415

    _end(reading.runs(_view(lang, output), limit))


@app.command()
def report(
    run: _Run = None,
    problems: Annotated[bool, typer.Option("--problems", help="Only what is not clean.")] = False,
    output: Annotated[_ReportFormat, typer.Option("--format", help="How to print.")] = _ReportFormat.TEXT,
    file: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="A file, made for its owner alone. Default: print."),
    ] = None,
    lang: _LangOption = None,
) -> None:
    """Print the reconciliation report of a run, or write it as one file: a page, a workbook, a table."""
    from subcmc_crawler.cli import rendering  # noqa: PLC0415

    wanted = rendering.Wanted(run=run, format=output.value, output=file, only_problems=problems, lang=lang)
    _end(rendering.report(wanted))


@app.command()
def show(
    run: _RunRequired, cell: _Cell, output: _FormatOption = _Format.TEXT, lang: _LangOption = None
) -> None:
    """Print everything that is known of one walk: counts, passes, pages, faults, rule breaks."""
    from subcmc_crawler.cli import reading  # noqa: PLC0415

    _end(reading.show(_view(lang, output), run, cell))


@app.command()
def diff(  # noqa: PLR0917 - parameters are options
    old: _RunRequired,
    new: _RunRequired,
    province: Annotated[
        str | None, typer.Option("--province", metavar="ID", help="Only this one, by cmcId or name.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", metavar="CODE", help="Only this one, by code.")
    ] = None,
    output: _FormatOption = _Format.TEXT,
    lang: _LangOption = None,
) -> None:
    """Print what changed between the published snapshots of two runs."""
    from subcmc_crawler.cli import reading  # noqa: PLC0415

    _end(reading.diff(_view(lang, output), old, new, province=province, dataset=dataset))


@app.command()
def history(
    cell: _Cell,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The primary key of the record.")],
    output: _FormatOption = _Format.TEXT,
    lang: _LangOption = None,
) -> None:
    """Print every version of one record, and the runs in which each held."""
    from subcmc_crawler.cli import reading  # noqa: PLC0415

    _end(reading.history(_view(lang, output), cell, key))


@app.command()
def export(  # noqa: PLR0917 - parameters are options
    cell: _Cell,
    run: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="As of this run. Default: the last one.")
    ] = None,
    distinct: Annotated[
        bool, typer.Option("--distinct", help="One row a key, in the order of the keys.")
    ] = False,
    held: Annotated[
        bool, typer.Option("--held", help="The held snapshot of that run, to look at it.")
    ] = False,
    file: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="A file, made for its owner alone.")
    ] = None,
    lang: _LangOption = None,
) -> None:
    """Write a published snapshot as JSON Lines, exactly as it was served. Personal data are not masked."""
    from subcmc_crawler.cli import reading  # noqa: PLC0415

    _end(reading.export(reading.View(lang=lang), cell, run=run, distinct=distinct, held=held, output=file))


@app.command()
def verify(run: _Run = None, lang: _LangOption = None) -> None:
    """Hash every stored record of the snapshots in force again; exit 1 when one is not what was published."""
    from subcmc_crawler.cli import reading  # noqa: PLC0415

    _end(reading.verify(reading.View(lang=lang), run))


@app.command()
def accept(  # noqa: PLR0917 - parameters are options
    run: _RunRequired,
    cell: _Cell,
    digest: Annotated[
        str,
        typer.Option(
            "--digest", metavar="DIGEST", help="The digest that the report names; 8 characters or more."
        ),
    ],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why it may be published; kept with it.")
    ],
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Who accepts. Default: the user of this shell.")
    ] = None,
    lang: _LangOption = None,
) -> None:
    """Publish a held snapshot, named by its digest."""
    from subcmc_crawler.cli import reading  # noqa: PLC0415

    _end(reading.accept(reading.View(lang=lang), run, cell, digest=digest, reason=reason, by=by))


@app.command()
def status(
    max_age: Annotated[
        str, typer.Option("--max-age", metavar="AGE", help="For example 26h, 90m or 2d.")
    ] = "26h",
    alert_too: Annotated[
        bool, typer.Option("--alert", help="Send that on the channels of [alerts] when it is longer ago.")
    ] = False,
    registry: _RegistryOption = None,
    lang: _LangOption = None,
) -> None:
    """Say when a whole run has last finished; exit 1 when that is longer ago than AGE."""
    from subcmc_crawler.cli import telling  # noqa: PLC0415

    _end(telling.status(telling.Telling(registry=registry, lang=lang), _age(max_age), alert=alert_too))


@app.command()
def alert(  # noqa: PLR0917 - parameters are options
    run: _Run = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the digest, send nothing.")] = False,
    test: Annotated[
        bool, typer.Option("--test", help="Send a message that is about no run, to try the channels.")
    ] = False,
    output: Annotated[
        _Format, typer.Option("--format", help="How --dry-run prints: json is what a webhook receives.")
    ] = _Format.TEXT,
    registry: _RegistryOption = None,
    lang: _LangOption = None,
) -> None:
    """Send the digest of a run on the channels of [alerts], even if it was sent before; `crawl` does so once.

    Exit codes: 0 sent, or there is nothing to tell; 1 a channel did not take it.
    """
    from subcmc_crawler.cli import telling  # noqa: PLC0415

    if test and run is not None:
        raise typer.BadParameter("--test is about no run: leave RUN out")
    wanted = telling.Telling(registry=registry, lang=lang, json=output is _Format.JSON)
    _end(telling.trial(wanted, dry_run=dry_run) if test else telling.alert(wanted, run, dry_run=dry_run))


@app.command()
def compare(  # noqa: PLR0917 - parameters are options
    run: _Run = None,
    province: Annotated[
        list[str] | None,
        typer.Option("--province", metavar="ID", help="Only this one, by cmcId or name. Repeatable."),
    ] = None,
    dataset: Annotated[
        list[str] | None,
        typer.Option("--dataset", metavar="CODE", help="Only this one, by code. Repeatable."),
    ] = None,
    output: _FormatOption = _Format.TEXT,
    registry: _RegistryOption = None,
    lang: _LangOption = None,
) -> None:
    """Compare what was pushed to the ministry's own platform with what a run pulled; `crawl` does so by itself.

    Exit codes: 0 both hold the same, 1 something differs or could not be compared, 75 a crawl is running.
    """
    from subcmc_crawler.cli import comparing  # noqa: PLC0415

    _end(
        comparing.compare(
            run,
            provinces=tuple(province or ()),
            datasets=tuple(dataset or ()),
            json=output is _Format.JSON,
            registry=registry,
            lang=lang,
        )
    )


@app.command()
def prune(
    keep_runs: Annotated[
        int, typer.Option("--keep-runs", metavar="N", min=1, help="How many of the last runs stay readable.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be removed; remove nothing.")
    ] = False,
    output: _FormatOption = _Format.TEXT,
    lang: _LangOption = None,
) -> None:
    """Remove what only older runs can see; never what is in force. Exit code 75 while a crawl is running."""
    from subcmc_crawler.cli import pruning  # noqa: PLC0415

    _end(pruning.prune(keep_runs, dry_run=dry_run, json=output is _Format.JSON, lang=lang))


@app.command()
def serve(  # noqa: PLR0917 - parameters are options
    host: Annotated[str, typer.Option("--host", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8080,
    password_file: Annotated[
        Path | None,
        typer.Option(
            "--password-file",
            metavar="FILE",
            help="One line, user:password; required unless it listens on loopback.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            metavar="NAME",
            help="A name under which a proxy on this machine asks. Repeatable.",
        ),
    ] = None,
    registry: _RegistryOption = None,
    lang: _LangOption = None,
) -> None:
    """Show the nights in a browser: read-only, until SIGTERM or Ctrl-C, which end it with 0.

    Also answers /healthz and /metrics.
    """
    from subcmc_crawler.cli import serving  # noqa: PLC0415

    wanted = serving.Serving(
        host=host,
        port=port,
        password_file=password_file,
        allowed_hosts=tuple(allow_host or ()),
        registry=registry,
        lang=lang,
    )
    _end(serving.serve(wanted))


@app.command()
def simulate(  # noqa: PLR0917 - parameters are options
    scale: Annotated[float, typer.Option("--scale", min=0, help="1.0 is 50,000 users a province.")] = 0.01,
    seed: Annotated[int, typer.Option("--seed", help="The same seed makes the same records.")] = 1,
    change: Annotated[
        float, typer.Option("--change", min=0, max=1, help="Share of rows that a night changes.")
    ] = 0.01,
    night: Annotated[int, typer.Option("--night", min=1, help="Which night to serve.")] = 1,
    host: Annotated[str, typer.Option("--host", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 18080,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault", metavar="CMCID[/DATASET]:KIND[=N]", help="Repeatable. A wrong one lists the kinds."
        ),
    ] = None,
    demo_faults: Annotated[bool, typer.Option("--demo-faults", help="The faults of the demo.")] = False,
    ministry: Annotated[
        bool, typer.Option("--ministry", help="The ministry's query interface too, with a few differences.")
    ] = False,
) -> None:
    """Serve 35 provincial centres on this machine."""
    from subcmc_crawler.cli import simulating  # noqa: PLC0415

    _end(
        simulating.simulate(
            scale=scale,
            seed=seed,
            change=change,
            night=night,
            host=host,
            port=port,
            faults=tuple(fault or ()),
            demo_faults=demo_faults,
            ministry=ministry,
        )
    )


@app.command()
def demo(
    scale: Annotated[float, typer.Option("--scale", min=0.001, help="0.055 is about 200,000 rows.")] = 0.055,
    lang: _LangOption = None,
) -> None:
    """Pull two nights of 35 simulated centres into a local mongod, and print both reports."""
    from subcmc_crawler.cli import simulating  # noqa: PLC0415

    _end(simulating.demo(scale=scale, lang=lang))


def _end(work: Coroutine[Any, Any, int]) -> None:
    import asyncio  # noqa: PLC0415 - a fifth of the time of --help

    raise typer.Exit(asyncio.run(work))


def _view(lang: _Lang | None, output: _Format) -> View:
    from subcmc_crawler.cli.reading import View  # noqa: PLC0415

    return View(lang=lang, json=output is _Format.JSON)


def _age(text: str) -> timedelta:
    match = re.fullmatch(r"(\d+)([mhd])", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is no age: write 90m, 26h or 2d", param_hint="--max-age")
    unit = {"m": "minutes", "h": "hours", "d": "days"}[match[2]]
    return timedelta(**{unit: int(match[1])})
