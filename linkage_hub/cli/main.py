"""``linkage-hub``: for the hub's operator and for analysts."""

from pathlib import Path
from typing import Annotated, Final

import platformdirs
import typer

from governance.terminal import LazyGroup, run_cli
from linkage_hub.cli.context import Session

_DEFAULT_HOME: Final = Path(platformdirs.user_data_dir("hearthlink-hub"))


class _Commands(LazyGroup):
    sources = {  # noqa: RUF012 - a constant of the class
        "init": "linkage_hub.cli.server:init",
        "identity": "linkage_hub.cli.agreement:identity",
        "agreement": "linkage_hub.cli.agreement:app",
        "serve": "linkage_hub.cli.server:serve",
        "worker": "linkage_hub.cli.server:worker",
        "purge": "linkage_hub.cli.purge:purge",
        "runs": "linkage_hub.cli.rebuilding:app",
        "sources": "linkage_hub.cli.analysis:sources",
        "review": "linkage_hub.cli.review:app",
        "needs": "linkage_hub.cli.needs:app",
        "tables": "linkage_hub.cli.tables:app",
        "catalogue": "linkage_hub.cli.catalogue:app",
        "money": "linkage_hub.cli.money:app",
        "risk": "linkage_hub.cli.risk:app",
        "engagement": "linkage_hub.cli.engagement:app",
        "interventions": "linkage_hub.cli.interventions:app",
        "programme": "linkage_hub.cli.programme:app",
        "reports": "linkage_hub.cli.reports:app",
        "transparency": "linkage_hub.cli.transparency:app",
    }


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Receive submissions, link them, and relay releases. Never learns a name.",
)


@app.callback()
def options(
    context: typer.Context,
    home: Annotated[
        Path, typer.Option(envvar="HEARTHLINK_HUB_HOME", help="the hub's folder")
    ] = _DEFAULT_HOME,
    json: Annotated[bool, typer.Option(help="results as JSON on stdout")] = False,
    quiet: Annotated[bool, typer.Option(help="no messages")] = False,
    no_input: Annotated[bool, typer.Option(help="never ask")] = False,
) -> None:
    """Options of every command."""
    context.obj = Session(json=json, quiet=quiet, no_input=no_input, home=home)


def run() -> None:
    """Entry point."""
    run_cli(app)


if __name__ == "__main__":
    run()
