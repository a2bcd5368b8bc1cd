"""Which pairs were answered, and what the agreement's budgets count.

Rules: a pair of records is answered once while both submissions are the same, in whatever round or
run; a record is in no more answered pairs than agreed while its own submission is the same; under
one agreement no more than the agreed share of a source's records is ever calibrated, and each of
them once, however often the source is submitted; parameters that decisions were given under are
remembered. All of it is stored in the transaction that also stores the answers, before they leave.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from governance.agreements.models import Limits
from governance.ledger.payloads import RoundKind
from partner_agent.refinement.keys import raw_hash
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import (
    refinement_calibrated,
    refinement_counts,
    refinement_pairs,
    refinement_parameters,
)

ASKED_BEFORE: Final = "refinement.asked_before"
RECORD_BUDGET: Final = "refinement.record_budget"
CALIBRATION_BUDGET: Final = "refinement.calibration_budget"
_BATCH: Final = 5_000  # values in one statement


@dataclass(frozen=True)
class PairAsked:
    """One question about an own record.

    Attributes:
        own, other: handles.
        own_manifest, other_manifest: hashes of the manifests of their submissions.
        source: that the own record comes from.
        agreement: hash of the agreement that the question is asked under.
    """

    own: bytes
    other: bytes
    own_manifest: str
    other_manifest: str
    source: str
    agreement: str

    def digest(self) -> bytes:
        """What remembers the pair, 16 bytes."""
        parts = raw_hash(self.own_manifest) + raw_hash(self.other_manifest) + self.own + self.other
        return hashlib.blake2b(parts, digest_size=16).digest()


class AskedPairs:
    """What was answered before."""

    def __init__(self, database: AgentDatabase) -> None:
        self._database = database

    def refusals(
        self,
        kind: RoundKind,
        pairs: Sequence[PairAsked | None],
        limits: Limits,
        records: dict[str, int],
    ) -> list[str | None]:
        """Why each pair may not be answered; None where it may.

        Args:
            kind: of the round.
            pairs: one batch of questions in order; None where refused already.
            limits: the agreement's.
            records: how many records the submission in force of each own source holds.
        """
        digests = {pair.digest() for pair in pairs if pair is not None}
        seen = self._answered(digests)
        counts = self._counts([pair for pair in pairs if pair is not None])
        calibrating = kind is RoundKind.CALIBRATE
        calibrated = self._calibrated(pairs) if calibrating else {}
        most = limits.refinement_pairs_per_record
        found: list[str | None] = []
        for pair in pairs:
            if pair is None:
                found.append(None)
                continue
            digest, place = pair.digest(), (pair.own_manifest, pair.own)
            if digest in seen:
                found.append(ASKED_BEFORE)
            elif counts[place] >= most:
                found.append(RECORD_BUDGET)
            elif calibrating and not calibrated[pair.source].take(
                pair.own, limits.calibration_share * records[pair.source]
            ):
                found.append(CALIBRATION_BUDGET)
            else:
                found.append(None)
                seen.add(digest)
                counts[place] += 1
        return found

    def answered_under(self, agreement: str) -> frozenset[str]:
        """Hashes of the parameters that decisions were given under, of an agreement."""
        columns = refinement_parameters.c
        statement = select(columns.parameters).where(columns.agreement == raw_hash(agreement))
        with self._database.reading() as connection:
            return frozenset(f"sha256:{each.hex()}" for each in connection.scalars(statement))

    @staticmethod
    def store(
        connection: Connection,
        kind: RoundKind,
        pairs: Iterable[PairAsked],
        parameters: str | None = None,
    ) -> None:
        """Remember answered pairs; one that is known already undoes the whole transaction.

        Args:
            connection: of the transaction that stores the answers.
            kind: of the round.
            pairs: that were answered, all under one agreement.
            parameters: hash of those that decisions were given under.
        """
        answered = list(pairs)
        if not answered:
            return
        connection.execute(insert(refinement_pairs), [{"pair": pair.digest()} for pair in answered])
        if kind is RoundKind.CALIBRATE:
            connection.execute(
                insert(refinement_calibrated),
                [
                    {
                        "agreement": raw_hash(pair.agreement),
                        "source": pair.source,
                        "handle": pair.own,
                    }
                    for pair in answered
                ],
            )
        if parameters is not None:
            connection.execute(
                upsert(refinement_parameters)
                .values(agreement=raw_hash(answered[0].agreement), parameters=raw_hash(parameters))
                .on_conflict_do_nothing()
            )
        counted = Counter((pair.own_manifest, pair.own) for pair in answered)
        statement = upsert(refinement_counts)
        columns = refinement_counts.c
        statement = statement.on_conflict_do_update(
            index_elements=["submission", "handle"],
            set_={"pairs": columns.pairs + statement.excluded.pairs},
        )
        connection.execute(
            statement,
            [
                {
                    "submission": _short(manifest),
                    "handle": handle,
                    "pairs": count,
                }
                for (manifest, handle), count in counted.items()
            ],
        )

    def _answered(self, digests: set[bytes]) -> set[bytes]:
        statement = select(refinement_pairs.c.pair).where(
            refinement_pairs.c.pair.in_(bindparam("wanted", expanding=True))
        )
        found: set[bytes] = set()
        for part in _parts(sorted(digests)):
            with self._database.reading() as connection:
                found |= set(connection.scalars(statement, {"wanted": part}))
        return found

    def _counts(self, pairs: Sequence[PairAsked]) -> Counter[tuple[str, bytes]]:
        """Pairs answered of each record of these pairs."""
        columns = refinement_counts.c
        statement = select(columns.handle, columns.pairs).where(
            columns.submission == bindparam("submission"),
            columns.handle.in_(bindparam("wanted", expanding=True)),
        )
        found: Counter[tuple[str, bytes]] = Counter()
        for manifest in {pair.own_manifest for pair in pairs}:
            handles = sorted({pair.own for pair in pairs if pair.own_manifest == manifest})
            for part in _parts(handles):
                given = {"submission": _short(manifest), "wanted": part}
                with self._database.reading() as connection:
                    for row in connection.execute(statement, given):
                        found[manifest, row.handle] = row.pairs
        return found

    def _calibrated(self, pairs: Sequence[PairAsked | None]) -> dict[str, "_Calibrated"]:
        """What was calibrated of the sources of these pairs, by source."""
        columns = refinement_calibrated.c
        asked = [pair for pair in pairs if pair is not None]
        found = {}
        for agreement, source in sorted({(pair.agreement, pair.source) for pair in asked}):
            of_source = (columns.agreement == raw_hash(agreement), columns.source == source)
            handles = sorted({pair.own for pair in asked if pair.source == source})
            known: set[bytes] = set()
            with self._database.reading() as connection:
                count = connection.scalar(
                    select(func.count()).select_from(refinement_calibrated).where(*of_source)
                )
                for part in _parts(handles):
                    statement = select(columns.handle).where(*of_source, columns.handle.in_(part))
                    known |= set(connection.scalars(statement))
            found[source] = _Calibrated(int(count or 0), known)
        return found


@dataclass
class _Calibrated:
    """Records of one source that were calibrated: how many, and those of the batch's."""

    count: int
    handles: set[bytes]

    def take(self, handle: bytes, most: float) -> bool:
        """Calibrate one more, if it never was and there is room."""
        if handle in self.handles or self.count + 1 > most:
            return False
        self.handles.add(handle)
        self.count += 1
        return True


def _short(manifest: str) -> bytes:
    return raw_hash(manifest)[:16]


def _parts(values: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    return (values[start : start + _BATCH] for start in range(0, len(values), _BATCH))
