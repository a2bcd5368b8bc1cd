"""``partner-agent``: for a partner's data officer."""

from pathlib import Path
from typing import Annotated, Final

import platformdirs
import typer

from governance.terminal import LazyGroup, run_cli
from partner_agent.cli.context import Session

_DEFAULT_HOME: Final = Path(platformdirs.user_data_dir("hearthlink-agent"))


class _Commands(LazyGroup):
    sources = {  # noqa: RUF012 - a constant of the class
        "init": "partner_agent.cli.setup:init",
        "connect": "partner_agent.cli.setup:connect",
        "status": "partner_agent.cli.setup:status",
        "agreement": "partner_agent.cli.agreement:app",
        "register": "partner_agent.cli.register:app",
        "secret": "partner_agent.cli.secret:app",
        "person": "partner_agent.cli.person:app",
        "profile": "partner_agent.cli.extract:profile",
        "prepare": "partner_agent.cli.extract:prepare",
        "unmatched": "partner_agent.cli.unmatched:unmatched",
        "submit": "partner_agent.cli.submit:submit",
        "purge": "partner_agent.cli.purge:purge",
        "reveal": "partner_agent.cli.reveal:reveal",
        "consent": "partner_agent.cli.consent:app",
        "opt-outs": "partner_agent.cli.opt_outs:app",
        "protect": "partner_agent.cli.protect:app",
        "rights": "partner_agent.cli.rights:app",
        "releases": "partner_agent.cli.releases:app",
        "questions": "partner_agent.cli.questions:app",
        "console": "partner_agent.cli.console:console",
        "run": "partner_agent.cli.releases:run",
    }


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Clean, encode and submit an extract; record consent; answer releases.",
)


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
