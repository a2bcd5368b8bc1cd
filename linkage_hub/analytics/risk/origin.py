"""Whether what a model would learn from is what this hub exported, of the agreement that pays.

Rules, in order: both folders are as they were exported, of the agreement that is named; both runs
are this hub's, finished, and under that agreement by the hub's own books, whatever the folder says
of itself; the earlier comes first; a run that is kept still gives the very same files. So nobody
learns from the families of one agreement and pays with the budget of another.
"""

import hashlib
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from linkage_hub.analytics.exported import FAMILIES, NEEDS
from linkage_hub.analytics.exports import export
from linkage_hub.analytics.provenance import NotThisProvenance, Provenance, held_to
from linkage_hub.runs.errors import UnknownRun
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import runs

LEARNT_FROM: Final = (FAMILIES, NEEDS)
"""Files of a run that figures of risk are made from."""


def exported(folder: Path, agreement: str) -> Provenance:
    """What a folder came from, once its files are as they were exported under an agreement.

    Raises:
        NotThisProvenance, NotAnExport, FileProblem: see ``provenance.held_to``.
    """
    return held_to(folder, agreement, LEARNT_FROM)


def check_runs(
    database: HubDatabase, agreement: str, before: Provenance, after: Provenance
) -> None:
    """Check by the hub's own books that two exports are of this agreement's runs, in order.

    Raises:
        NotThisProvenance: they are not.
    """
    earlier, later = (_finished(database, each.run, agreement) for each in (before, after))
    if not earlier.finished < later.finished:
        raise NotThisProvenance("expected two runs, the earlier one first")
    for each in (before, after):
        _same_again(database, each)


def check_later(database: HubDatabase, agreement: str, learnt: str, before: Provenance) -> None:
    """Check that a period begins no earlier than the run that a model learnt from last.

    Args:
        database: the hub's books.
        agreement: of all these runs.
        learnt: id of the last run that was learnt from.
        before: the first run of the period.

    Raises:
        NotThisProvenance: it does, or this hub has finished no such run.
    """
    last = _finished(database, learnt, agreement)
    if _finished(database, before.run, agreement).finished < last.finished:
        raise NotThisProvenance(
            "the model learnt from families of this time: what it does to them says too much",
            next_step="give two runs of later, the earlier of them at the end of what was learnt",
        )


def _finished(database: HubDatabase, run: str, agreement: str) -> Any:
    with database.reading() as connection:
        row = connection.execute(select(runs).where(runs.c.id == run)).first()
    if row is None or row.state != "finished" or row.agreement != agreement:
        raise NotThisProvenance(
            "this hub has finished no such run under the agreement that is named",
            next_step="linkage-hub runs list; train on the hub that made the runs",
        )
    return row


def _same_again(database: HubDatabase, provenance: Provenance) -> None:
    """A run whose results are kept gives the same files; of others only its figures are kept."""
    hashes = {str(name): hash_ for name, hash_ in provenance.files.items()}
    for name in LEARNT_FROM:
        digest = hashlib.sha256()
        try:
            for part in export(database, provenance.run, name):
                digest.update(part)
        except UnknownRun:
            return
        if f"sha256:{digest.hexdigest()}" != hashes[name]:
            raise NotThisProvenance(
                f"{name}: not what the hub exports of that run",
                next_step="linkage-hub runs export RUN --out FOLDER",
            )
