"""The command line of `subcmc`: which commands there are; what they do is in the modules beside this one."""

from __future__ import annotations

from typing import Annotated

import typer

from subcmc_crawler import __version__
from subcmc_crawler.cli import province_commands, run_commands

app = typer.Typer(
    name="subcmc",
    help="Nightly, proven pull of provincial asset data (interface specification V2.0.6).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


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


for _command in (
    province_commands.crawl,
    province_commands.plan,
    province_commands.check,
    province_commands.census,
    run_commands.runs,
    run_commands.report,
    run_commands.show,
    run_commands.diff,
    run_commands.history,
    run_commands.export,
    run_commands.verify,
    run_commands.accept,
    run_commands.status,
    run_commands.alert,
    run_commands.compare,
    run_commands.prune,
    run_commands.serve,
    province_commands.simulate,
    province_commands.demo,
):
    app.command()(_command)
