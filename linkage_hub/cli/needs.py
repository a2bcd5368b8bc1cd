"""``linkage-hub needs``: figures of needs for a programme's own staff."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from governance.canonical import canonical_bytes, hash_of
from governance.reports.models import Part, Report
from governance.terminal import terminal
from governance.transparency.code import installed
from linkage_hub.analytics.made import beside, write_made
from linkage_hub.analytics.provenance import Provenance, file_hash
from linkage_hub.cli.context import home_of
from linkage_hub.cli.report_files import forms_of, show_tables
from linkage_hub.errors import HubError

app = typer.Typer(no_args_is_help=True, help="Needs of families as figures, for a programme.")
FIGURES: Final = "later-referral.figures.json"
"""What a hub takes of it (``linkage-hub reports share``)."""
Out = Annotated[Path, typer.Option(help="folder for JSON, CSV, a workbook, a page and PDF")]


class NotFollowed(HubError):
    """An agreement by which nobody says who was referred."""

    reason = "analytics.no_referral"


@app.command()
def figures(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="id of a run")],
    out: Out,
) -> None:
    """How many, which, which together, and by area and team where the agreement has these."""
    from linkage_hub.analytics.figures.needs import document_of, parts_of  # noqa: PLC0415 - numpy
    from linkage_hub.analytics.held import all_categories_of, families_of  # noqa: PLC0415
    from linkage_hub.analytics.permission import analysed_run  # noqa: PLC0415
    from linkage_hub.app import open_hub  # noqa: PLC0415

    with open_hub(home_of(context)) as hub:
        hub.ledger.sync()
        row, terms = analysed_run(hub.database, hub.ledger, run, hub.now())
        with hub.database.reading() as connection:
            families = families_of(connection, run, terms.needs)
            categories = all_categories_of(connection, run, terms, families)
    parts = tuple(parts_of(terms, families, categories))
    report = document_of(
        parts, terms, run=run, finished=row.finished, made_on=_today(), program=installed().code
    )
    _write(context, "needs", out, report, row.finished, parts)


@app.command("follow-up")
def follow_up(
    context: typer.Context,
    first: Annotated[Path, typer.Argument(help="exported files of the run that put forward")],
    later: Annotated[list[Path], typer.Argument(help="those of each later run")],
    agreement: Annotated[Path, typer.Option(help="agreement.yaml of them")],
    out: Out,
) -> None:
    """Who was referred by the usual route since, of families put forward and of others."""
    from linkage_hub.analytics.exported import day_of, read_families  # noqa: PLC0415
    from linkage_hub.analytics.figures.follow_up import (  # noqa: PLC0415
        ESTIMATES,
        Seen,
        document_of,
        follow,
        parts_of,
    )
    from linkage_hub.analytics.figures.later import FollowedRun, later_referral  # noqa: PLC0415
    from linkage_hub.analytics.outcomes.panel import proved  # noqa: PLC0415
    from linkage_hub.cli.outcomes import allowed  # noqa: PLC0415

    folders = (first, *later)
    with allowed(context, agreement) as by:
        terms, sources = by.terms, [proved(folder, by.belongs) for folder in folders]
    for folder, source in zip(folders, sources, strict=True):
        _dated(folder, source)
    (window,) = [e.window_months for e in terms.indicators if e.used_as == "referral"] or [0]
    if not window:
        raise NotFollowed(
            f"no indicator of agreement {terms.id} says who was referred by the usual route",
            next_step="agree one with used_as: referral",
        )
    seen = [Seen(day_of(folder), read_families(folder, ())) for folder in folders]
    if any(one.day > next_.day for one, next_ in pairwise(seen)):
        raise NotFollowed(
            "later runs are expected after the first one, in the order in which they finished",
            next_step="linkage-hub runs list",
        )
    found = follow(seen[0], seen[1:], window)
    parts = parts_of(found, window)
    report = document_of(
        parts,
        agreement=terms.hash,
        runs=[source.run for source in sources],
        made_on=_today(),
        program=installed().code,
        inputs={f"export of run {number}": hash_of(each) for number, each in enumerate(sources, 1)},
    )
    figures = later_referral(
        found,
        terms,
        installed(),
        tuple(FollowedRun(run=each.run, provenance=hash_of(each)) for each in sources),
        window,
    )
    _write(
        context, "later-referral", out, report, seen[0].day.isoformat(), parts, ESTIMATES,
        {out / FIGURES: canonical_bytes(figures) + b"\n"},
    )  # fmt: skip
    terminal(context).hint(f"linkage-hub reports share {out / FIGURES} --hub URL --as FILE")


def _dated(folder: Path, source: Provenance) -> None:
    """That the file which says when a run finished is the export's own, too.

    Raises:
        NotProved: it was not exported with the others, or was changed.
    """
    from linkage_hub.analytics.exports import QUALITY  # noqa: PLC0415
    from linkage_hub.analytics.outcomes.errors import NotProved  # noqa: PLC0415

    if source.files.get(QUALITY) != file_hash(folder / QUALITY):
        raise NotProved(
            f"{folder.name}: {QUALITY} is not as it was written",
            next_step=f"linkage-hub runs export RUN --out FOLDER, with {QUALITY}",
        )


def _today() -> date:
    return datetime.now(UTC).date()


def _write(
    context: typer.Context,
    name: Literal["needs", "later-referral"],
    out: Path,
    report: Report,
    finished: str,
    parts: Sequence[Part],
    estimates: Collection[str] = (),
    more: Mapping[Path, bytes] | None = None,
) -> None:
    from linkage_hub.analytics.figures.documents import as_json, records  # noqa: PLC0415

    about = {
        "title": report.title,
        "run": report.runs[0],
        "finished": finished,
        "agreement": report.agreement,
    }
    main = out / f"{name}.json"
    files = {main: as_json(about, parts, estimates)} | forms_of(out, name, report)
    files |= more or {}
    write_made(
        main, files, name, run=report.runs[0], agreement=report.agreement, inputs=report.inputs
    )
    tables = {table.id: records(table, estimates) for part in parts for table in part.tables}
    paths = [str(path) for path in (*files, beside(main))]
    screen = terminal(context)
    screen.result(
        {"files": paths, "tables": tables},
        lambda console: show_tables(report.tables[:1], console),
    )
    screen.say("figures for the programme's own staff; what leaves it: linkage-hub tables")
    screen.hint(f"open {out / name}.html")
