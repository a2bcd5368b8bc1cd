"""``partner-agent``: for a partner's data officer."""

from pathlib import Path
from typing import Annotated, Final

import platformdirs
import typer

from governance.terminal import run_cli
from partner_agent.cli import agreement, consent, extract, person, releases, secret, setup
from partner_agent.cli.context import Session

_DEFAULT_HOME: Final = Path(platformdirs.user_data_dir("hearthlink-agent"))

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Clean, encode and submit an extract; record consent; answer releases.",
)
app.command()(setup.init)
app.command()(setup.connect)
app.command()(setup.status)
app.add_typer(agreement.app, name="agreement")
app.add_typer(secret.app, name="secret")
app.add_typer(person.app, name="person")
app.command()(extract.profile)
app.command()(extract.prepare)
app.command()(extract.submit)
app.add_typer(consent.app, name="consent")
app.add_typer(releases.app, name="releases")
app.command("run")(releases.run)


@app.callback()
def options(
    context: typer.Context,
    home: Annotated[
        Path,
        typer.Option(envvar="HEARTHLINK_AGENT_HOME", help="the agent's folder"),
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
