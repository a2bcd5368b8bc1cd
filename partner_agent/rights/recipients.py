"""Who is told which records a person's request is about.

Saying in the ledger that one has accepted a submission costs nothing: any party without a source
may. So that makes nobody a recipient. Rules: a recipient is a processor that the signed agreement
names, by its keys, and that has accepted something of this partner's; or the judge that accepted
what this agent itself has made (``SubmissionRegistry``): nobody else knew of it before. Whoever
holds a submission is told of the request either way, so that no record is left behind.
"""

from collections.abc import Iterable

from governance.agreements.models import Agreement
from governance.exchange.registry import SubmissionRegistry


def recipients(
    agreement: Agreement, party: str, submissions: SubmissionRegistry, made: Iterable[str]
) -> list[str]:
    """Thumbprints of the recipients' keys.

    Args:
        agreement: under which the records are held.
        party: whose records they are.
        submissions: as the ledger has them.
        made: hashes of the manifests that this agent has made.
    """
    processors = {each.keys for each in agreement.parties if each.party in agreement.processors}
    named = processors & submissions.hubs.get(party, set())
    judge = submissions.accepted_by
    return sorted(named | {judge[manifest] for manifest in made if manifest in judge})
