"""``unmatched``: records of one's own that are in no other source, and what would match them."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from governance.durable import write_durably
from governance.terminal import FileProblem
from partner_agent.cli.context import agent_of, session
from partner_agent.steps.unmatched import Cohort, cohort


def unmatched(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="whose records are asked about")],
    against: Annotated[
        list[str], typer.Option(help="another source of this party; may be repeated")
    ],
    out: Annotated[Path, typer.Option(help="a .csv file of record ids, for its owner alone")],
    indicator: Annotated[
        str | None, typer.Option(help="only records of which it is met, such as school_absence")
    ] = None,
) -> None:
    """Which records match none of the party's other sources, and which cleansing would."""
    with agent_of(context) as agent:
        found = cohort(agent.vault, source, list(dict.fromkeys(against)), indicator)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_durably(out, found.as_csv)
    except OSError as error:
        raise FileProblem(f"{out.name} cannot be written: {error.strerror}") from None
    screen = session(context)
    screen.result(
        {"asked": found.asked, "unmatched": len(found.lines), "protected": found.protected,
         "ways": found.ways, "corrections": found.corrections, "file": str(out)},
        lambda console: _show(found, console),
    )  # fmt: skip
    screen.say("record ids of your own: clean them in their system, extract and prepare anew")


def _show(found: Cohort, out: Console) -> None:
    out.print(
        f"{len(found.lines):,} of {found.asked:,} records match none of the other sources",
        highlight=False,
    )
    table = Table("what stands in the way", "records")
    words = {
        "correct": "one correction would match it",
        "several": "somebody comes near, but one correction is not enough",
        "missing": "nobody comes near, and it lacks something",
        "nobody": "nobody comes near",
    }
    for way, count in found.ways.items():
        table.add_row(words[way], f"{count:,}")
    for name, count in found.corrections.items():
        table.add_row(f"  {name.replace('_', ' ')}", f"{count:,}")
    out.print(table)
