"""Commands that talk to provinces, real or simulated: their names, options and help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from subcmc_crawler.cli.options import (
    CensusFormat,
    CheckFormat,
    DatasetsOption,
    FileOption,
    Format,
    FormatOption,
    LangOption,
    ProvincesOption,
    RegistryOption,
    end,
)

if TYPE_CHECKING:
    from subcmc_crawler.model import Shard


def crawl(  # noqa: PLR0917 - parameters are options
    now: Annotated[bool, typer.Option("--now", help="Ignore the windows.")] = False,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Sleep until the first planned start of a night that was not pulled."),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the last run, which crashed or was stopped.")
    ] = False,
    province: ProvincesOption = None,
    dataset: DatasetsOption = None,
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
    registry: RegistryOption = None,
    lang: LangOption = None,
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
    output: FormatOption = Format.TEXT,
    registry: RegistryOption = None,
    lang: LangOption = None,
) -> None:
    """Show the night beforehand: when each province starts and ends, and how many run at once.

    Durations are those of the last whole runs. Contacts no province. With --centres: how many workers a night of that
    size needs, how long it takes, and which resource gives out first, by what past runs have cost.
    """
    from subcmc_crawler.cli import planning  # noqa: PLC0415

    json, history = output is Format.JSON, not no_history
    if centres is None and (rows or workers):
        raise typer.BadParameter("--rows and --workers go with --centres")
    if centres is None:
        end(planning.plan(registry=registry, lang=lang, json=json, history=history))
        return
    size = planning.Size(centres, rows, workers)
    end(planning.capacity(size, registry=registry, lang=lang, json=json, history=history))


def check(
    province: Annotated[str, typer.Argument(metavar="PROVINCE", help="By cmcId or name.")],
    output: Annotated[CheckFormat, typer.Option("--format", help="How to print.")] = CheckFormat.TEXT,
    file: FileOption = None,
    registry: RegistryOption = None,
    lang: LangOption = None,
) -> None:
    """Check whether a province's pull service is as specified: a scorecard that can be sent to the province.

    At most 120 requests, at its pace and whatever its window; MongoDB is not needed. Exit codes: 0 nothing fails,
    1 something fails.
    """
    from subcmc_crawler.cli import checking  # noqa: PLC0415

    asked = checking.Asked(format=output.value, output=file, registry=registry, lang=lang)
    end(checking.check(asked, province))


def census(
    province: ProvincesOption = None,
    output: Annotated[CensusFormat, typer.Option("--format", help="How to print.")] = CensusFormat.TEXT,
    file: FileOption = None,
    registry: RegistryOption = None,
    lang: LangOption = None,
) -> None:
    """Print how many records each province declares of each dataset, by one request of one row for each.

    At their pace and whatever their windows; MongoDB is not needed. Exit code 1 when a number is missing.
    """
    from subcmc_crawler.cli import checking  # noqa: PLC0415

    asked = checking.Asked(format=output.value, output=file, registry=registry, lang=lang)
    end(checking.census(asked, tuple(province or ())))


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

    end(
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


def demo(
    scale: Annotated[float, typer.Option("--scale", min=0.001, help="0.055 is about 200,000 rows.")] = 0.055,
    lang: LangOption = None,
) -> None:
    """Pull two nights of 35 simulated centres into a local mongod, and print both reports."""
    from subcmc_crawler.cli import simulating  # noqa: PLC0415

    end(simulating.demo(scale=scale, lang=lang))
