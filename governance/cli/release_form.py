"""``governance release form``: a form to print, filled in from a release that was opened here."""

from pathlib import Path
from typing import Annotated

import typer

from governance.cli.release import app
from governance.durable import write_durably
from governance.release.forms import Form, read_family, read_opened, render
from governance.terminal import FileProblem, read_bytes, terminal

__all__ = ["app"]


@app.command()
def form(
    context: typer.Context,
    kind: Annotated[Form, typer.Argument(help="which form")],
    opened: Annotated[Path, typer.Argument(help="the file that release open --out has written")],
    out: Annotated[Path, typer.Option(help="an .html file, readable by you only")],
    family: Annotated[
        Path | None,
        typer.Option(help="the family, for its needs: governance --json release show FAMILY"),
    ] = None,
) -> None:
    """Fill in a form to print, on this computer; nothing is sent anywhere."""
    view = None if family is None else read_family(read_bytes(family))
    page = render(kind, read_opened(read_bytes(opened)), view)
    try:
        write_durably(out, page.encode("utf-8", "surrogatepass"))
    except OSError as error:
        raise FileProblem(f"{out.name} cannot be written: {error.strerror}") from None
    screen = terminal(context)
    screen.result({"file": str(out)}, lambda console: console.print(str(out), markup=False))
    screen.say("it holds names: print it, and destroy it and the opened file in time")
