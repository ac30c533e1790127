"""Commands that look at runs or look after them: their names, options and help."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from subcmc_crawler.cli.options import (
    CellArgument,
    DatasetsOption,
    Format,
    FormatOption,
    LangOption,
    ProvincesOption,
    RegistryOption,
    ReportFormat,
    RunArgument,
    RunRequired,
    end,
    view,
)


def runs(
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many of the last runs.")] = 20,
    output: FormatOption = Format.TEXT,
    lang: LangOption = None,
) -> None:
    """List the last runs."""
    from subcmc_crawler.cli import reading  # noqa: PLC0415

    end(reading.runs(view(lang, output), limit))


def report(
    run: RunArgument = None,
    problems: Annotated[bool, typer.Option("--problems", help="Only what is not clean.")] = False,
    output: Annotated[ReportFormat, typer.Option("--format", help="How to print.")] = ReportFormat.TEXT,
    file: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="A file, made for its owner alone. Default: print."),
    ] = None,
    lang: LangOption = None,
) -> None:
    """Print the reconciliation report of a run, or write it as one file: a page, a workbook, a table."""
    from subcmc_crawler.cli import rendering  # noqa: PLC0415

    wanted = rendering.Wanted(run=run, format=output.value, output=file, only_problems=problems, lang=lang)
    end(rendering.report(wanted))


def show(
    run: RunRequired, cell: CellArgument, output: FormatOption = Format.TEXT, lang: LangOption = None
) -> None:
    """Print everything that is known of one walk: counts, passes, pages, faults, rule breaks."""
    from subcmc_crawler.cli import reading  # noqa: PLC0415

    end(reading.show(view(lang, output), run, cell))


def diff(  # noqa: PLR0917 - parameters are options
    old: RunRequired,
    new: RunRequired,
    province: Annotated[
        str | None, typer.Option("--province", metavar="ID", help="Only this one, by cmcId or name.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", metavar="CODE", help="Only this one, by code.")
    ] = None,
    output: FormatOption = Format.TEXT,
    lang: LangOption = None,
) -> None:
    """Print what changed between the published snapshots of two runs."""
    from subcmc_crawler.cli import reading  # noqa: PLC0415

    end(reading.diff(view(lang, output), old, new, province=province, dataset=dataset))


def history(
    cell: CellArgument,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The primary key of the record.")],
    output: FormatOption = Format.TEXT,
    lang: LangOption = None,
) -> None:
    """Print every version of one record, and the runs in which each held."""
    from subcmc_crawler.cli import reading  # noqa: PLC0415

    end(reading.history(view(lang, output), cell, key))


def export(  # noqa: PLR0917 - parameters are options
    cell: CellArgument,
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
    lang: LangOption = None,
) -> None:
    """Write a published snapshot as JSON Lines, exactly as it was served. Personal data are not masked."""
    from subcmc_crawler.cli import reading  # noqa: PLC0415

    end(reading.export(reading.View(lang=lang), cell, run=run, distinct=distinct, held=held, output=file))


def verify(run: RunArgument = None, lang: LangOption = None) -> None:
    """Hash every stored record of the snapshots in force again; exit 1 when one is not what was published."""
    from subcmc_crawler.cli import reading  # noqa: PLC0415

    end(reading.verify(reading.View(lang=lang), run))


def accept(  # noqa: PLR0917 - parameters are options
    run: RunRequired,
    cell: CellArgument,
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
    lang: LangOption = None,
) -> None:
    """Publish a held snapshot, named by its digest."""
    from subcmc_crawler.cli import reading  # noqa: PLC0415

    end(reading.accept(reading.View(lang=lang), run, cell, digest=digest, reason=reason, by=by))


def status(
    max_age: Annotated[
        str, typer.Option("--max-age", metavar="AGE", help="For example 26h, 90m or 2d.")
    ] = "26h",
    alert_too: Annotated[
        bool, typer.Option("--alert", help="Send that on the channels of [alerts] when it is longer ago.")
    ] = False,
    registry: RegistryOption = None,
    lang: LangOption = None,
) -> None:
    """Say when a whole run has last finished; exit 1 when that is longer ago than AGE."""
    from subcmc_crawler.cli import telling  # noqa: PLC0415

    end(telling.status(telling.Telling(registry=registry, lang=lang), _age(max_age), alert=alert_too))


def alert(  # noqa: PLR0917 - parameters are options
    run: RunArgument = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the digest, send nothing.")] = False,
    test: Annotated[
        bool, typer.Option("--test", help="Send a message that is about no run, to try the channels.")
    ] = False,
    output: Annotated[
        Format, typer.Option("--format", help="How --dry-run prints: json is what a webhook receives.")
    ] = Format.TEXT,
    registry: RegistryOption = None,
    lang: LangOption = None,
) -> None:
    """Send the digest of a run on the channels of [alerts], even if it was sent before; `crawl` does so once.

    Exit codes: 0 sent, or there is nothing to tell; 1 a channel did not take it.
    """
    from subcmc_crawler.cli import telling  # noqa: PLC0415

    if test and run is not None:
        raise typer.BadParameter("--test is about no run: leave RUN out")
    wanted = telling.Telling(registry=registry, lang=lang, json=output is Format.JSON)
    end(telling.trial(wanted, dry_run=dry_run) if test else telling.alert(wanted, run, dry_run=dry_run))


def compare(  # noqa: PLR0917 - parameters are options
    run: RunArgument = None,
    province: ProvincesOption = None,
    dataset: DatasetsOption = None,
    output: FormatOption = Format.TEXT,
    registry: RegistryOption = None,
    lang: LangOption = None,
) -> None:
    """Compare what was pushed to the ministry's own platform with what a run pulled; `crawl` does so by itself.

    Exit codes: 0 both hold the same, 1 something differs or could not be compared, 75 a crawl is running.
    """
    from subcmc_crawler.cli import comparing  # noqa: PLC0415

    end(
        comparing.compare(
            run,
            provinces=tuple(province or ()),
            datasets=tuple(dataset or ()),
            json=output is Format.JSON,
            registry=registry,
            lang=lang,
        )
    )


def prune(
    keep_runs: Annotated[
        int, typer.Option("--keep-runs", metavar="N", min=1, help="How many of the last runs stay readable.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be removed; remove nothing.")
    ] = False,
    output: FormatOption = Format.TEXT,
    lang: LangOption = None,
) -> None:
    """Remove what only older runs can see; never what is in force. Exit code 75 while a crawl is running."""
    from subcmc_crawler.cli import pruning  # noqa: PLC0415

    end(pruning.prune(keep_runs, dry_run=dry_run, json=output is Format.JSON, lang=lang))


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
    registry: RegistryOption = None,
    lang: LangOption = None,
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
    end(serving.serve(wanted))


def _age(text: str) -> timedelta:
    match = re.fullmatch(r"(\d+)([mhd])", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is no age: write 90m, 26h or 2d", param_hint="--max-age")
    unit = {"m": "minutes", "h": "hours", "d": "days"}[match[2]]
    return timedelta(**{unit: int(match[1])})
