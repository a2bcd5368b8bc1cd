"""What a service manager opens of the answers to one request.

Rules: an answer that cannot be read, or says more than was asked, hides nobody else's; it is left
out, with whose it claims to be and the reason.
"""

from governance.errors import ReasonedError, SignatureError
from governance.exchange.release_api import ReleaseView, RequestView
from governance.identity.envelope import Envelope, parse_canonical
from governance.identity.files import PersonSecrets
from governance.ledger.state import LedgerState
from governance.release.errors import MembersChanged
from governance.release.models import ReleasedRecord, Request
from governance.release.seal import open_records


def asked_of(view: RequestView, request_hash: str) -> Request:
    """The request that a command names, by its own bytes, about the members that are shown.

    Raises:
        MembersChanged: the hub shows another request, or other members.
    """
    asked = parse_canonical(view.request.payload_bytes, Request)
    if view.request.payload_hash != request_hash or view.document.digest != asked.members:
        raise MembersChanged("the hub showed other members than those that the request names")
    return asked


def opened_answers(
    release: ReleaseView,
    view: RequestView,
    asked: Request,
    who: PersonSecrets,
    state: LedgerState,
) -> tuple[list[str], list[ReleasedRecord], dict[str, str]]:
    """Who answered a request, what they sent, and whose answers are left out for which reason."""
    parties: list[str] = []
    found: list[ReleasedRecord] = []
    left_out: dict[str, str] = {}
    for envelope in dict.fromkeys(release.sealed):  # whatever the hub tells twice is one answer
        try:
            party, records = _read(envelope, view, asked, who, state)
        except ReasonedError as error:
            left_out[_claimed(envelope, state)] = error.reason
        else:
            found += records
            parties.append(party)
    return parties, found, left_out


def _read(
    envelope: Envelope, view: RequestView, asked: Request, who: PersonSecrets, state: LedgerState
) -> tuple[str, list[ReleasedRecord]]:
    """One partner's answer.

    Raises:
        MembersChanged: records of somebody, or items, that nobody asked for.
        GovernanceError: for the others see ``open_records``.
    """
    persons = {member.person for member in view.document.members} - set(asked.without)
    items = set(asked.items)
    sealed, records = open_records(
        envelope,
        key=who.sealing_key,
        recipient=who.keys,
        request=view.request.payload_hash,
        holders=view.document.holders,
        party_key=state.identities.party_key,
    )
    if not all(each.person in persons and each.items.keys() <= items for each in records):
        raise MembersChanged("records of somebody, or items, that were not asked for")
    return sealed.party, records


def _claimed(envelope: Envelope, state: LedgerState) -> str:
    """Whose keys an answer names that could not be read; nobody may have signed it."""
    try:
        return state.identities.party_key(envelope.signatures[0].key)[0]
    except SignatureError:
        return "somebody unknown"
