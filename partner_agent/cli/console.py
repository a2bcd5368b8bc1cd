"""``console``: the data officer's page on this computer."""

import sys
from typing import Annotated

import typer

from governance.web.logs import log_to_stderr
from partner_agent.cli.context import session
from partner_agent.console.server import Running, ask_for_links, open_browser, serve


def console(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="on 127.0.0.1; 0 for any that is free")
    ] = None,
    browser: Annotated[bool, typer.Option(help="open it in a browser")] = True,
) -> None:
    """Open the data officer's own page on this computer, until you press Ctrl+C."""
    screen = session(context)
    log_to_stderr()
    at_terminal = sys.stdout.isatty() and sys.stdin.isatty()

    def begun(running: Running) -> None:
        link = running.new_link()
        screen.result({"link": link}, lambda out: out.print(link, highlight=False, soft_wrap=True))
        sys.stdout.flush()
        screen.say("The link is good once, for 15 minutes. Do not pass it on.")
        if at_terminal:
            screen.say("Press Enter for a new link, Ctrl+C to end.")
            ask_for_links(running, lambda text: screen.out.print(text, highlight=False))
            if browser and not screen.no_input and not open_browser(screen.home, link):
                screen.say("No browser was found: open the link in one.")

    serve(screen.home, port, begun)
