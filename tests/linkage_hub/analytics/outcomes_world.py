"""Exports of several months with their provenance, and a hub that knows their agreement."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sqlalchemy import insert

from governance.agreements.errors import AgreementUnknown
from governance.agreements.files import read_agreement
from governance.agreements.models import Agreement
from governance.agreements.policy import Standing
from governance.canonical import write_time
from governance.terminal import write_document
from governance.transparency.code import installed
from linkage_hub.analytics.needs import STATES
from linkage_hub.analytics.outcomes.provenance import FromRun
from linkage_hub.analytics.provenance import PROVENANCE, Provenance, file_hash
from linkage_hub.cli import outcomes
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import runs as run_rows
from tests.linkage_hub.analytics.exports import FAMILIES
from tests.linkage_hub.analytics.test_tables import NEEDS, write_terms

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def pseudonym(number: int) -> str:
    """A family's."""
    return f"f-{number:032x}"


class Agreements:
    """A ledger's agreements: one, signed by all unless told otherwise."""

    def __init__(self, *terms: Agreement) -> None:
        self.known = {each.hash: each for each in terms}
        self.suspended: frozenset[str] = frozenset()

    def standing(self, hash_: str) -> Standing:
        """Where it stands."""
        if hash_ not in self.known:
            raise AgreementUnknown("no such agreement")
        terms = self.known[hash_]
        signed = frozenset(party.party for party in terms.parties)
        return Standing(terms, signed, self.suspended, superseded=False)


def know(
    agreement: Path, monkeypatch: pytest.MonkeyPatch, epsilon: object = None, tables: object = None
) -> Agreements:
    """Let the hub's ledger hold an agreement, and nothing else."""
    agreements = Agreements(read_agreement(agreement))
    state = SimpleNamespace(agreements=agreements)
    ledger = SimpleNamespace(sync=lambda: state, state=state)
    hub = SimpleNamespace(ledger=ledger, now=lambda: NOW, epsilon=epsilon, tables=tables)

    @contextmanager
    def opened(_home: Path) -> Iterator[SimpleNamespace]:
        yield hub

    monkeypatch.setattr(outcomes, "open_hub", opened)
    return agreements


def write_month(
    folder: Path,
    agreement: str,
    run: int,
    states: dict[int, Sequence[int]],
    enrolled: set[int],
    needs: Sequence[str] = NEEDS,
) -> None:
    """One run's files.

    Args:
        folder: for them.
        agreement: its hash.
        run: a number that becomes its id.
        states: codes of each family's needs, by its number.
        enrolled: families in the programme.
        needs: ids.
    """
    lines, said = [FAMILIES], ["family,need,state,sources"]
    for number, codes in states.items():
        name, met = pseudonym(number), sum(code == 2 for code in codes)
        inside = number in enrolled
        lines.append(
            f"{name},0.9,[],3,2,1,{met},{sum(code == 0 for code in codes)},{inside},True,"
            f"{met >= 2 and not inside},unknown"
        )
        said += [
            f"{name},{need},{STATES[code]},1"
            for need, code in zip(needs, codes, strict=True)
            if code
        ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "families.csv").write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "needs.csv").write_text("\n".join(said) + "\n", "utf-8")
    prove(folder, agreement, run)


def prove(folder: Path, agreement: str, run: int) -> None:
    """Write what a folder's files came from."""
    names = ("families.csv", "needs.csv")
    write_document(
        folder / PROVENANCE,
        Provenance(
            run=f"{run:032x}",
            agreement=agreement,
            program=installed(),
            files={name: file_hash(folder / name) for name in names},
        ),
    )


def write_county(folder: Path, *, months: int, families: int, seed: int = 1) -> Agreement:
    """An agreement and a county's exports month by month, in folders named by number from 0.

    Needs come and go, families with more of them join, and some needs are unknown throughout.
    """
    write_terms(folder / "agreement.yaml")
    terms = read_agreement(folder / "agreement.yaml")
    random = np.random.default_rng(seed)
    there = random.random((families, len(NEEDS))) < 0.75
    known = random.random(there.shape) < 0.95
    inside = np.zeros(families, dtype=np.bool_)
    for month in range(months):
        state = np.where(known, np.where(there, 2, 1), 0)
        codes = {at: state[at].tolist() for at in range(families)}
        write_month(folder / str(month), terms.hash, month, codes,
                    set(np.flatnonzero(inside).tolist()))  # fmt: skip
        met = (state == 2).sum(axis=1)
        inside |= random.random(families) < 0.03 * met
        there &= random.random(there.shape) > 0.12
        there |= random.random(there.shape) < 0.05
    return terms


def finish_runs(database: HubDatabase, count: int, agreement: str = "sha256:" + "0" * 64) -> None:
    """The runs of such exports, as a hub knows them; the last has finished a month ago."""
    with database.writing() as connection:
        for at in range(count):
            when = write_time(NOW - timedelta(days=30 * (count - at)))
            connection.execute(insert(run_rows).values(
                id=f"{at:032x}", agreement=agreement, state="finished", is_current=False,
                created=when, finished=when, sources=1, records=0, persons=0, families=0,
                flagged=0,
            ))  # fmt: skip


def from_runs(count: int) -> tuple[FromRun, ...]:
    """What a table says that was made from them."""
    return tuple(
        FromRun(month=f"2025-{at + 1:02d}", provenance="sha256:" + "0" * 64, run=f"{at:032x}")
        for at in range(count)
    )


def runs(folder: Path, months: int, first: int = 1) -> list[str]:
    """``2025-01=FOLDER`` and so on."""
    return [
        f"{2025 + (first - 1 + at) // 12}-{(first - 1 + at) % 12 + 1:02d}={folder / str(at)}"
        for at in range(months)
    ]
