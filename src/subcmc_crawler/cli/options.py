"""Options and arguments that several commands share, and how a command ends."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from subcmc_crawler.cli.reading import View


class Lang(StrEnum):
    """Languages of what people read."""

    ZH = "zh"
    EN = "en"


class Format(StrEnum):
    """What most commands print."""

    TEXT = "text"
    JSON = "json"


class ReportFormat(StrEnum):
    """What a report can be."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"
    XLSX = "xlsx"
    CSV = "csv"


class CheckFormat(StrEnum):
    """What a scorecard can be."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


class CensusFormat(StrEnum):
    """What a census can be."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"


LangOption = Annotated[
    Lang | None,
    typer.Option("--lang", help="Language of what people read. Default: SUBCMC_LANG, locale, zh."),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print.")]
FileOption = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="A file, made for its owner alone. Default: print."),
]
RegistryOption = Annotated[
    Path | None,
    typer.Option(
        "--registry", metavar="FILE", help="The registry. Default: SUBCMC_REGISTRY, ./provinces.toml."
    ),
]
ProvincesOption = Annotated[
    list[str] | None,
    typer.Option("--province", metavar="ID", help="Only this one, by cmcId or name. Repeatable."),
]
DatasetsOption = Annotated[
    list[str] | None,
    typer.Option("--dataset", metavar="CODE", help="Only this one, by code. Repeatable."),
]
RunArgument = Annotated[str | None, typer.Argument(metavar="[RUN]", help="A number. Default: the last run.")]
RunRequired = Annotated[str, typer.Argument(metavar="RUN", help="A number, or `last`.")]
CellArgument = Annotated[str, typer.Argument(metavar="PROVINCE/DATASET", help="For example 620000/hardware.")]


def end(work: Coroutine[Any, Any, int]) -> None:
    """Does the work and ends with its exit code."""
    import asyncio  # noqa: PLC0415 - a fifth of the time of --help

    raise typer.Exit(asyncio.run(work))


def view(lang: Lang | None, output: Format) -> View:
    """How a command of the store prints."""
    from subcmc_crawler.cli.reading import View  # noqa: PLC0415

    return View(lang=lang, json=output is Format.JSON)
