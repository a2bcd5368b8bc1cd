"""What a submission's profile was when it was first told, and in which rounds it was told.

Rules: a submission's profile is made once, kept before it leaves, and repeated byte for byte
however often it is asked for: made anew it would show, by what changed, the row that has gone
meanwhile. What is told in a round is counted for the ledger as soon as it is kept.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.sqlite import insert as upsert

from governance.canonical import canonical_bytes, parse_json
from governance.exchange.refinement import ProfilesPost, SubmissionProfile
from partner_agent.refinement.keys import raw_hash
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import refinement_profiles

if TYPE_CHECKING:
    from partner_agent.refinement.own import OwnSubmission  # slow to load


class ToldProfiles:
    """Profiles that this agent has told."""

    def __init__(self, database: AgentDatabase) -> None:
        self._database = database

    def tell(
        self,
        round_hash: str,
        own: Mapping[int, "OwnSubmission"],
        make: Callable[["OwnSubmission"], dict[str, Any]],
    ) -> ProfilesPost:
        """Profiles of this partner's submissions in force, kept as told in a round.

        Args:
            round_hash: of the round that asks.
            own: the round's submissions that are this partner's, by their number.
            make: makes a profile; called only where it was never told.

        Raises:
            AgentStoreError: one could not be kept; nothing may leave.
        """
        profiles = tuple(
            SubmissionProfile(
                submission=number,
                profile=self._kept(round_hash, submission.manifest, partial(make, submission)),
            )
            for number, submission in sorted(own.items())
            if submission.in_force
        )
        return ProfilesPost(profiles=profiles)

    def _kept(
        self, round_hash: str, manifest: str, make: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        table, submission = refinement_profiles, raw_hash(manifest)
        with self._database.reading() as connection:
            found = _first_told(connection, submission)
        made = canonical_bytes(make()) if found is None else found
        with self._database.writing() as connection:
            profile = _first_told(connection, submission) or made  # another process may be first
            connection.execute(
                upsert(table)
                .values(round=round_hash, submission=submission, profile=profile)
                .on_conflict_do_nothing()
            )
        return dict(parse_json(profile))

    def by_round(self) -> Counter[str]:
        """How many submissions' profiles were told in each round."""
        column = refinement_profiles.c.round
        with self._database.reading() as connection:
            rows = connection.execute(select(column, func.count()).group_by(column)).all()
        return Counter({row[0]: row[1] for row in rows})


def _first_told(connection: Connection, submission: bytes) -> bytes | None:
    table = refinement_profiles
    statement = select(table.c.profile).where(table.c.submission == submission).limit(1)
    return connection.scalar(statement)
