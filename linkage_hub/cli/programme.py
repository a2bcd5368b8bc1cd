"""``linkage-hub programme``: the report of a month, beside the month before.

Rules: the agreement allows analysis, and the hub gives the runs' files only while it is in force;
they are read in a folder of their own that goes with the command; what is written is for staff.
"""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from governance.agreements.criteria import Criteria
from governance.agreements.files import read_agreement
from governance.agreements.models import Action, Agreement
from governance.agreements.policy import require_action
from governance.canonical import hash_of
from governance.exchange.analysis_api import ComparedSource
from governance.exchange.hub_api import RunView
from governance.exchange.hub_client import HubClient
from governance.terminal import terminal, whole_file
from governance.transparency.code import installed
from linkage_hub.analytics.criteria.agreed import differing, require_named
from linkage_hub.analytics.programme.document import document_of
from linkage_hub.analytics.programme.models import ProgrammeReport, RunFacts
from linkage_hub.analytics.programme.month import FILES, Month, read_month
from linkage_hub.analytics.programme.report import About, report
from linkage_hub.analytics.shipped import read_catalogue
from linkage_hub.cli.report_files import show_tables, write_report
from linkage_hub.cli.runs import As, Passphrase, Url, client_of
from linkage_hub.errors import HubError

PACKAGE: Final = "linkage_hub.analytics.criteria"
app = typer.Typer(no_args_is_help=True, help="Reports of the programme, for its staff.")


class NotThisAgreement(HubError):
    """A run of another agreement, or of another version, than the file that was given."""

    reason = "programme.agreement"
    exit_code = 65  # EX_DATAERR


@app.callback()
def programme() -> None:
    """Reports of the programme, for its staff."""


@app.command("report")
def report_(
    context: typer.Context,
    hub: Url,
    as_: As,
    agreement: Annotated[Path, typer.Option(help="agreement.yaml, as all parties signed it")],
    catalogue: Annotated[str, typer.Option(help="criteria, by file or name")],
    out: Annotated[Path, typer.Option(help="folder for report.json, .html, .pdf, .xlsx and .csv")],
    run: Annotated[str | None, typer.Option(help="id of the run; the newest without it")] = None,
    before: Annotated[
        str | None, typer.Option(help="the run of the month before; the one before it without it")
    ] = None,
    passphrase_file: Passphrase = None,
) -> None:
    """Families worked with, claims and why not, distances, freshness, what changed."""
    terms = read_agreement(agreement)
    require_action(terms, Action.ANALYSE)
    criteria = read_catalogue(catalogue, PACKAGE, Criteria)
    require_named(criteria, terms)
    with client_of(hub, as_, passphrase_file) as client:
        found = _report(client, terms, criteria, run, before)
    document = document_of(found)
    paths = write_report(out, "report", found, document)
    screen = terminal(context)
    screen.result(
        {"files": paths, "hash": hash_of(found), "report": found.model_dump(mode="json")},
        lambda console: show_tables(document.tables, console),
    )
    screen.say("exact figures and pseudonyms: for staff, and not for publication")
    if found.before is None:
        screen.say("no run before this one is kept: there is no change to tell")
    if words := differing(criteria, terms):
        screen.say(words)


def _report(
    client: HubClient, terms: Agreement, criteria: Criteria, run: str | None, before: str | None
) -> ProgrammeReport:
    newer, older = _runs(client, terms, run, before)
    compared: tuple[ComparedSource, ...] = ()
    if older is not None:
        compared = client.compare(newer.id, older.id, limit=1).sources
    about = About(
        agreement=terms,
        program=installed(),
        written_on=datetime.now(UTC).date(),
        run=_facts(newer),
        before=None if older is None else _facts(older),
        sources=client.freshness(terms.hash).sources,
        compared=compared,
    )
    earlier = None if older is None else _month(client, older, criteria)
    return report(_month(client, newer, criteria), earlier, about)


def _runs(
    client: HubClient, terms: Agreement, run: str | None, before: str | None
) -> tuple[RunView, RunView | None]:
    """The run, and the one before it; None where there is none.

    Raises:
        NotThisAgreement: one of them is of another agreement, or they are not in order.
    """
    ours = [each for each in client.runs().runs if each.agreement == terms.hash]
    ended = [each for each in ours if each.state == "finished"]
    newer = client.run(run) if run is not None else next(iter(ended), None)
    if newer is None:
        raise NotThisAgreement(
            f"there is no finished run of agreement {terms.id}", next_step="linkage-hub runs start"
        )
    if before is not None:
        older: RunView | None = client.run(before)
    else:
        ids = [each.id for each in ended]  # newest first, also of those that ended in one second
        earlier = ended[ids.index(newer.id) + 1 :] if newer.id in ids else []
        older = next(iter(earlier), None)
    for each in (newer, older):
        if each is not None and (each.agreement != terms.hash or each.finished is None):
            raise NotThisAgreement(
                "a run of another agreement or version than the file's, or one that goes on",
                next_step="linkage-hub runs list",
            )
    if older is not None and (
        older.id == newer.id or (older.finished or "") > (newer.finished or "")
    ):
        raise NotThisAgreement("--before names the run itself, or a later one")
    return newer, older


def _facts(view: RunView) -> RunFacts:
    if view.flagged is None:
        raise NotThisAgreement("the run's agreement does not name analysis")
    return RunFacts(
        id=view.id,
        finished=view.finished or "",
        families=view.families,
        put_forward=view.flagged,
    )


def _month(client: HubClient, view: RunView, criteria: Criteria) -> Month:
    with tempfile.TemporaryDirectory(prefix="hearthlink-") as folder:
        for name in FILES:
            with whole_file(Path(folder) / name) as target:
                client.export(view.id, name, target)
        return read_month(Path(folder), criteria)
