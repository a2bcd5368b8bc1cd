"""What ``engagement`` and ``interventions`` share: permission, folders by month, provenance."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from governance.agreements.files import read_agreement
from governance.agreements.models import Agreement
from governance.canonical import hash_of, sha256
from governance.disclosure.counts import least_shown
from governance.disclosure.register import ReleaseRegister
from governance.disclosure.tables import PublishedTable
from governance.terminal import terminal, write_bytes, write_document
from governance.transparency.code import installed
from linkage_hub.analytics.outcomes.months import month_of, text_of
from linkage_hub.analytics.outcomes.panel import Panel, read_panel
from linkage_hub.analytics.outcomes.permission import analysed, versions_of
from linkage_hub.analytics.outcomes.provenance import (
    FromRun,
    Progress,
    TableProvenance,
    beside,
    runs_of,
)
from linkage_hub.app import Hub, open_hub
from linkage_hub.cli.context import home_of
from linkage_hub.cli.tables import as_csv

Terms = Annotated[Path, typer.Option("--agreement", help="agreement.yaml, in force")]
Runs = Annotated[
    list[str], typer.Argument(metavar="MONTH=FOLDER...", help="2026-03=exports: a run's files")
]
Elsewhere = Annotated[
    bool, typer.Option("--made-elsewhere", help="the table has no provenance; reports repeat it")
]
Resolve = Annotated[
    Literal["every", "some"],
    typer.Option("--progress", help="whether every need has to be resolved, or one"),
]


@dataclass(frozen=True)
class Allowed:
    """An agreement in force that allows analysis, and the hub that says so."""

    terms: Agreement
    hub: Hub
    belongs: Callable[[str], bool]


@contextmanager
def allowed(context: typer.Context, path: Path) -> Iterator[Allowed]:
    """The hub and the agreement of a file.

    Raises:
        AgreementRefusal: it is not in force, or does not allow analysis.
        LedgerError: the ledger cannot be asked.
    """
    hash_ = read_agreement(path).hash
    with open_hub(home_of(context)) as hub:
        terms = analysed(hub.ledger, hash_, hub.now())
        yield Allowed(terms, hub, versions_of(hub.ledger, terms))


def folders_of(words: list[str]) -> dict[int, Path]:
    """Folders by month."""
    found: dict[int, Path] = {}
    for word in words:
        text, _, folder = word.partition("=")
        month = month_of(text)
        if month is None or not folder or month in found:
            raise typer.BadParameter("expected 2026-03=FOLDER, each month once")
        found[month] = Path(folder)
    return found


def month_option(text: str) -> int:
    """A month of the command line."""
    found = month_of(text)
    if found is None:
        raise typer.BadParameter("expected a month, such as 2026-03")
    return found


def panel_from(by: Allowed, words: list[str]) -> tuple[Panel, tuple[FromRun, ...]]:
    """Runs' files, checked, and what they are.

    Raises:
        NotProved, NotAnExport, NotATable: see there.
    """
    folders = folders_of(words)
    panel, sources = read_panel(folders, by.terms.needs, by.belongs)
    months = [text_of(month) for month in sorted(folders)]
    return panel, tuple(
        FromRun(month=month, run=each.run, provenance=hash_of(each))
        for month, each in zip(months, sources, strict=True)
    )


def write_table(
    by: Allowed,
    out: Path,
    data: bytes,
    kind: Literal["spells", "cases"],
    runs: tuple[FromRun, ...],
    progress: Progress,
    months: int,
    left_out: dict[str, int],
) -> TableProvenance:
    """Write a table and its provenance beside it."""
    found = TableProvenance(
        kind=kind,
        agreement=by.terms.hash,
        table=sha256(data),
        runs=runs,
        progress=progress,
        months=months,
        left_out=left_out,
        program=installed(),
    )
    write_bytes(out, data)
    write_document(beside(out), found)
    return found


def publish(
    context: typer.Context,
    by: Allowed,
    out: Path,
    population: str,
    source: TableProvenance,
    make: Callable[[ReleaseRegister], tuple[PublishedTable, ReleaseRegister]],
) -> None:
    """Enter a table in the hub's register and write it.

    Raises:
        NotProved: the table does not say which runs it was made from.
        DisclosureRefused: see ``TableRegister.publish_one``.
    """
    least = least_shown(by.terms.suppression_threshold)
    agreements = by.hub.ledger.state.agreements

    def days_of(hash_: str) -> int:
        return agreements.standing(hash_).agreement.retention.link_results_days

    found = by.hub.tables.publish_one(population, runs_of(source), days_of, least, make)
    write_bytes(out, as_csv((found,)))
    terminal(context).result(found.model_dump(mode="json"))
