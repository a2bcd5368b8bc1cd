"""Which pairs were answered, and what the agreement's budgets count.

Rules: a pair of records is answered once while both submissions are the same, in whatever round or
run; a record is in no more answered pairs than agreed while its own submission is the same; no
more than the agreed share of a submission's records is calibrated, and each of them once. All of
it is stored in the transaction that also stores the answers, before they leave.
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
from partner_agent.store.tables import refinement_counts, refinement_pairs

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
    """

    own: bytes
    other: bytes
    own_manifest: str
    other_manifest: str

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
            records: how many records each own submission holds, by manifest.
        """
        digests = {pair.digest() for pair in pairs if pair is not None}
        seen = self._answered(digests)
        counts = self._counts([pair for pair in pairs if pair is not None])
        calibrated = self._calibrated(records)
        most = limits.refinement_pairs_per_record
        found: list[str | None] = []
        for pair in pairs:
            if pair is None:
                found.append(None)
                continue
            digest, place = pair.digest(), (pair.own_manifest, pair.own)
            pairs_of, levels_of = counts.get(place, (0, 0))
            share = calibrated[pair.own_manifest] + 1 <= (
                limits.calibration_share * records[pair.own_manifest]
            )
            if digest in seen:
                found.append(ASKED_BEFORE)
            elif pairs_of >= most:
                found.append(RECORD_BUDGET)
            elif kind is RoundKind.CALIBRATE and (levels_of or not share):
                found.append(CALIBRATION_BUDGET)
            else:
                found.append(None)
                seen.add(digest)
                is_level = kind is RoundKind.CALIBRATE
                counts[place] = (pairs_of + 1, levels_of + is_level)
                calibrated[pair.own_manifest] += is_level
        return found

    @staticmethod
    def store(connection: Connection, kind: RoundKind, pairs: Iterable[PairAsked]) -> None:
        """Remember answered pairs; one that is known already undoes the whole transaction."""
        answered = list(pairs)
        if not answered:
            return
        connection.execute(insert(refinement_pairs), [{"pair": pair.digest()} for pair in answered])
        level = int(kind is RoundKind.CALIBRATE)
        counted = Counter((pair.own_manifest, pair.own) for pair in answered)
        statement = upsert(refinement_counts)
        columns = refinement_counts.c
        statement = statement.on_conflict_do_update(
            index_elements=["submission", "handle"],
            set_={
                "pairs": columns.pairs + statement.excluded.pairs,
                "calibrated": columns.calibrated + statement.excluded.calibrated,
            },
        )
        connection.execute(
            statement,
            [
                {
                    "submission": _short(manifest),
                    "handle": handle,
                    "pairs": count,
                    "calibrated": level * count,
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

    def _counts(self, pairs: Sequence[PairAsked]) -> dict[tuple[str, bytes], tuple[int, int]]:
        """Pairs and levels answered of each record of these pairs."""
        columns = refinement_counts.c
        statement = select(columns.handle, columns.pairs, columns.calibrated).where(
            columns.submission == bindparam("submission"),
            columns.handle.in_(bindparam("wanted", expanding=True)),
        )
        found = {}
        for manifest in {pair.own_manifest for pair in pairs}:
            handles = sorted({pair.own for pair in pairs if pair.own_manifest == manifest})
            for part in _parts(handles):
                given = {"submission": _short(manifest), "wanted": part}
                with self._database.reading() as connection:
                    for row in connection.execute(statement, given):
                        found[manifest, row.handle] = (row.pairs, row.calibrated)
        return found

    def _calibrated(self, records: dict[str, int]) -> dict[str, int]:
        """How many records of each own submission were calibrated."""
        columns = refinement_counts.c
        with self._database.reading() as connection:
            return {
                manifest: int(
                    connection.scalar(
                        select(func.coalesce(func.sum(columns.calibrated), 0)).where(
                            columns.submission == _short(manifest)
                        )
                    )
                    or 0
                )
                for manifest in records
            }


def _short(manifest: str) -> bytes:
    return raw_hash(manifest)[:16]


def _parts(values: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    return (values[start : start + _BATCH] for start in range(0, len(values), _BATCH))
