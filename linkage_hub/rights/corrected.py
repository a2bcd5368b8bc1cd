"""Whether a corrected submission is in use, and what is older than it.

Rules: the submission that a partner named as the corrected one was accepted; the current run of
every agreement was made from it or from a later one of its source; only then is the record as it
was before in nothing but what is older, which goes.
"""

from sqlalchemy import Connection, select

from governance.rights.registry import RightsRequest
from linkage_hub.rights.errors import StillHeld
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import run_inputs, runs, submissions


def corrected_since(database: HubDatabase, request: RightsRequest) -> tuple[str, str]:
    """The source of the corrected submission, and when it was made by its manifest.

    Raises:
        StillHeld: it is not in use yet.
    """
    manifest = None if request.carried_out is None else request.carried_out.replaced_by
    with database.reading() as connection:
        row = connection.execute(
            select(submissions).where(
                submissions.c.manifest_hash == manifest,
                submissions.c.party == request.opened.party,
                submissions.c.state.in_(("accepted", "replaced")),
            )
        ).first()
        if row is None:
            raise StillHeld("the corrected submission was not accepted yet")
        older = set(older_runs(connection, row.source, row.created))
        current = set(connection.scalars(select(runs.c.id).where(runs.c.is_current.is_(True))))
        going = set(
            connection.scalars(select(runs.c.id).where(runs.c.state.not_in(("finished", "failed"))))
        )
    if older & (current | going):
        raise StillHeld("no run was made from the corrected submission yet")
    return str(row.source), str(row.created)


def older_runs(connection: Connection, source: str, since: str) -> list[str]:
    """Runs that began with a submission of a source made before some time."""
    statement = (
        select(run_inputs.c.run)
        .join(submissions, submissions.c.id == run_inputs.c.submission)
        .where(submissions.c.source == source, submissions.c.created < since)
    )
    return sorted(set(connection.scalars(statement)))
