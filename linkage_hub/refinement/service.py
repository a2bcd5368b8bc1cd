"""From candidate pairs to decisions, by way of partners' answers, phase by phase.

Rules: nothing is asked unless the agreement allows refinement and its limits leave room; a pair
that was decided, or that one end has answered or refused, is not asked again while both submissions
are the same; a record is asked about no more often than agreed over all runs with its submission;
what is not answered by both ends when the round closes, or not as an agent answers, is undecided,
and the run says how many pairs that are; a later run asks those again that neither end said
anything to.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import select, update

from governance.agreements.models import Action, Agreement
from governance.exchange.refinement import BUDGET_TIME
from governance.ledger.payloads import RoundKind
from linkage_hub.linkage.candidates import PairBlock
from linkage_hub.linkage.weighing import Weighed, first_stage
from linkage_hub.refinement.core import Core, Counts
from linkage_hub.refinement.decided import NO, UNDECIDED, YES, Decided, DecisionFiles
from linkage_hub.refinement.pairs import PAIR, Pairs
from linkage_hub.refinement.rounds import Asking, RoundAnswers, Rounds
from linkage_hub.runs.inputs import SourceData
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import runs, submissions

PAIRS_AT_ONCE: Final = 20_000
"""Pairs whose answers are in memory together."""


@dataclass(frozen=True)
class Subject:
    """A run as refinement sees it."""

    run: str
    agreement: Agreement
    sources: Sequence[SourceData]

    @property
    def manifests(self) -> list[str]:
        """Hashes of the submissions' manifests."""
        return [source.manifest for source in self.sources]

    @property
    def names(self) -> list[str]:
        """What parameters are kept for: the same sources in the same order."""
        return [f"{source.party}/{source.source}" for source in self.sources]

    @property
    def parties(self) -> list[str]:
        """The party of each source."""
        return [source.party for source in self.sources]

    @property
    def sizes(self) -> list[int]:
        """Records of each source."""
        return [len(source.handles) for source in self.sources]

    def weighed(self, blocks: Sequence[PairBlock]) -> list[Weighed]:
        """What the first stage holds of candidate pairs."""
        return first_stage(
            blocks,
            self.sizes,
            [source.encodings for source in self.sources],
            [source.duplicates for source in self.sources],
        )


def allowed(agreement: Agreement) -> bool:
    """Whether an agreement lets partners be asked about pairs."""
    limits = agreement.limits
    return Action.REFINE in agreement.actions and bool(
        limits.refinement_pairs_per_record and limits.refinement_pairs_per_run
    )


class Refinement:
    """Refinement of every run."""

    def __init__(
        self,
        database: HubDatabase,
        rounds: Rounds,
        core: Core,
        home: Path,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._rounds = rounds
        self._core = core
        self._home = home
        self._now = now

    def ask_levels(self, subject: Subject, blocks: Sequence[PairBlock]) -> bool:
        """Open the round that calibrates; False where there is nothing to ask.

        Raises:
            LedgerError: it could not be logged; the same call again goes on.
        """
        share = subject.agreement.limits.calibration_share
        if self._rounds.known(subject.run, RoundKind.CALIBRATE) is None:
            files = self._files(subject)
            if not share or files.parameters(subject.names) is not None:
                return False
            pairs = self._core.calibration_pairs(subject.weighed(blocks), subject.sizes, share)
            pairs = without(pairs, self.decided(subject).pairs)
            pairs = within_room(pairs, subject.parties, self._room(subject))
            # sources too small for a single pair still say what they are like: their profiles
            self._prepare(subject, RoundKind.CALIBRATE, pairs, {})
        self._rounds.open(subject.run, RoundKind.CALIBRATE)
        return True

    def ask_decisions(self, subject: Subject, blocks: Sequence[PairBlock]) -> bool:
        """Close the round that calibrates, open the one that decides; False with nothing to ask."""
        self._rounds.close(subject.run, RoundKind.CALIBRATE)
        if self._rounds.known(subject.run, RoundKind.DECIDE) is None:
            weighed = subject.weighed(blocks)
            parameters = self._parameters(subject, weighed)
            if parameters is None:
                return False
            pairs = self._questions(subject, weighed)
            if not len(pairs):
                return False
            self._prepare(subject, RoundKind.DECIDE, pairs, parameters)
        self._rounds.open(subject.run, RoundKind.DECIDE)
        return True

    def conclude(self, subject: Subject) -> Decided:
        """Close the round that decides, keep its decisions; every decision there is."""
        self._rounds.close(subject.run, RoundKind.DECIDE)
        if self._rounds.known(subject.run, RoundKind.DECIDE) is not None:
            answers = self._rounds.answers(subject.run, RoundKind.DECIDE)
            state = np.full(len(answers.pairs), UNDECIDED, dtype=np.uint8)
            answered = np.flatnonzero(answers.answered)
            for start in range(0, len(answered), PAIRS_AT_ONCE):
                chosen = answered[start : start + PAIRS_AT_ONCE]
                left, right = answers.ends(chosen)
                honest = self._core.well_formed(left) & self._core.well_formed(right)
                chosen, left, right = chosen[honest], left[honest], right[honest]
                state[chosen] = np.where(self._core.decide(left, right), YES, NO)
            self._keep(subject, answers, state)
        decided = self.decided(subject)
        undecided = int((~decided.known).sum()) + self._unheard(subject.run)
        with self._database.writing() as connection:
            connection.execute(
                update(runs).where(runs.c.id == subject.run).values(pairs_undecided=undecided)
            )
        return decided

    def decided(self, subject: Subject) -> Decided:
        """What is known of pairs of the run's submissions."""
        return self._files(subject).load(subject.manifests)

    def forget(self, run: str, agreement: str) -> None:
        """Destroy the answers of a run that has ended, and decisions about replaced submissions."""
        for kind in RoundKind:
            self._rounds.close(run, kind)
            self._rounds.files(run, kind).remove()
        self.forget_unused(agreement)

    def forget_unused(self, agreement: str) -> None:
        """Destroy decisions about submissions that are in use no more."""
        statement = select(submissions.c.manifest_hash).where(
            submissions.c.agreement == agreement, submissions.c.state == "accepted"
        )
        with self._database.reading() as connection:
            used = list(connection.scalars(statement))
        self._decisions(agreement).forget_others(used)

    def forget_rows(self, agreement: str, manifest: str, rows: Collection[int]) -> None:
        """Destroy decisions about rows of a submission whose records are left out."""
        self._decisions(agreement).forget_rows(manifest, rows)

    # --- parts ------------------------------------------------------------------------------

    def _parameters(self, subject: Subject, weighed: Sequence[Weighed]) -> dict[str, Any] | None:
        """Parameters from the calibration, which also decides the pairs that it asked about.

        Where the same sources were calibrated in an earlier run, its parameters hold.
        """
        if self._rounds.known(subject.run, RoundKind.CALIBRATE) is None:
            return self._files(subject).parameters(subject.names)
        answers = self._rounds.answers(subject.run, RoundKind.CALIBRATE)
        chosen = np.flatnonzero(answers.answered)
        left, right = answers.ends(chosen)
        profiles = self._rounds.profiles(subject.run, RoundKind.CALIBRATE, subject.parties)
        pairs = answers.pairs[chosen]
        found = self._core.parameters(weighed, subject.sizes, profiles, pairs, left, right)
        state = np.full(len(answers.pairs), UNDECIDED, dtype=np.uint8)
        if found is not None:
            matches = self._core.decide_levels(found, pairs, left, right)
            state[chosen] = np.where(matches, YES, NO)
            self._files(subject).keep_parameters(subject.names, found)
        self._keep(subject, answers, state)
        return found

    def _keep(self, subject: Subject, answers: RoundAnswers, state: npt.NDArray[np.uint8]) -> None:
        """Keep what is known of a round's pairs; of those that nobody said anything to, nothing."""
        heard = answers.heard
        self._files(subject).add(subject.manifests, Decided(answers.pairs[heard], state[heard]))

    def _unheard(self, run: str) -> int:
        """Pairs of a run's rounds that neither end said anything to."""
        kinds = [kind for kind in RoundKind if self._rounds.known(run, kind) is not None]
        return sum(int((~self._rounds.answers(run, kind).heard).sum()) for kind in kinds)

    def _questions(self, subject: Subject, weighed: Sequence[Weighed]) -> Pairs:
        known = self.decided(subject)
        room = self._room(subject)
        pairs = self._core.questions(
            weighed,
            subject.sizes,
            self._times_asked(subject),
            subject.agreement.limits.refinement_pairs_per_record,
            sum(room.values()) // 2,
            known.pairs,
        )
        return within_room(without(pairs, known.pairs), subject.parties, room)

    def _times_asked(self, subject: Subject) -> list[Counts]:
        """For each source how often each of its records was asked about, as its agent counts."""
        files = self._files(subject)
        pairs = zip(subject.manifests, subject.sizes, strict=True)
        return [files.times_asked(manifest, size) for manifest, size in pairs]

    def _room(self, subject: Subject) -> dict[str, int]:
        """Questions that each party may still be asked in this run, as its agent counts them."""
        most = subject.agreement.limits.refinement_pairs_per_run
        asked = self._rounds.asked(subject.run, subject.agreement.hash, self._now() - BUDGET_TIME)
        return {party: max(0, most - asked[party]) for party in subject.parties}

    def _prepare(
        self, subject: Subject, kind: RoundKind, pairs: Pairs, parameters: dict[str, Any]
    ) -> None:
        asking = Asking(
            run=subject.run,
            kind=kind,
            agreement=subject.agreement,
            manifests=subject.manifests,
            parties=subject.parties,
            handles=[source.handles for source in subject.sources],
            parameters=parameters,
            answer_bytes=self._core.answer_bytes(kind, parameters),
        )
        self._rounds.prepare(asking, pairs.astype(PAIR), self._now())

    def _files(self, subject: Subject) -> DecisionFiles:
        return self._decisions(subject.agreement.hash)

    def _decisions(self, agreement: str) -> DecisionFiles:
        return DecisionFiles(self._home / agreement.removeprefix("sha256:"))


def without(pairs: Pairs, known: Pairs) -> Pairs:
    """The pairs that are not among the known ones, in their order."""
    return pairs[~np.isin(_bytes(pairs), _bytes(known))]


def within_room(pairs: Pairs, parties: Sequence[str], room: Mapping[str, int]) -> Pairs:
    """The first pairs with which no party is asked more questions than it has room for."""
    names = np.array(parties)
    kept = np.ones(len(pairs), dtype=np.bool_)
    for party, most in room.items():
        questions = (names[pairs["first"]] == party).astype(np.int64)
        questions += names[pairs["second"]] == party
        kept &= (questions == 0) | (np.cumsum(questions) <= most)
    return pairs[kept]


def _bytes(pairs: Pairs) -> npt.NDArray[np.void]:
    return np.ascontiguousarray(pairs).view(f"V{PAIR.itemsize}").ravel()
