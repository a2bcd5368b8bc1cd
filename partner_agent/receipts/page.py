"""A receipt as a page that a person can be given: plain words, to be printed, on its own.

Rules: the words suit a reader of nine to eleven years; how to take consent back comes before
anything else that is not the decision itself; no name is printed, there is a line to write it by
hand (docs/consent-records.md says why).
"""

from datetime import date
from pathlib import Path
from typing import Any, Final

from governance.canonical import parse_time
from governance.consent.models import Capacity, ConsentKind, ConsentState
from governance.consent.receipt import ConsentReceipt
from governance.pages import page_template
from partner_agent.cleansing.files import whole_file

_HEADINGS: Final = {
    ConsentState.REQUESTED: "We asked you a question",
    ConsentState.GIVEN: "You said yes",
    ConsentState.REAFFIRMED: "You said yes again",
    ConsentState.REFUSED: "You said no",
    ConsentState.WITHDRAWN: "You took back your yes",
    ConsentState.EXPIRED: "Your yes has come to an end",
    ConsentState.INVALIDATED: "Your yes does not count any more",
    ConsentState.TERMINATED: "Your yes has come to an end",
}
_PERMITS: Final = {
    ConsentState.REQUESTED: "We may not contact you about this until you answer yes.",
    ConsentState.REFUSED: "Nobody may use this page to contact you.",
    ConsentState.WITHDRAWN: "It stopped counting as soon as you told us.",
    ConsentState.EXPIRED: "It stopped counting by itself. We must ask you again.",
    ConsentState.INVALIDATED: "We found something wrong with how you were asked. We are sorry.",
    ConsentState.TERMINATED: "We do not need it any more.",
}
_EVENTS: Final = {
    ConsentState.REQUESTED: "we asked you",
    ConsentState.GIVEN: "you said yes",
    ConsentState.REAFFIRMED: "you said yes again",
    ConsentState.REFUSED: "you said no",
    ConsentState.WITHDRAWN: "you took back your yes",
    ConsentState.EXPIRED: "your yes came to an end",
    ConsentState.INVALIDATED: "we found that it does not count",
    ConsentState.TERMINATED: "we ended it",
}
_KINDS: Final = {
    ConsentKind.APPROACH: "We asked if somebody may get in touch with you to offer help.",
    ConsentKind.CONFIDENTIALITY: "We asked if we may pass on what you told us in confidence.",
    ConsentKind.EXPLICIT_GDPR: "We asked if we may use private facts about you.",
}
_METHODS: Final = {
    "in_person": "You told us face to face.",
    "paper_form": "You filled in a form on paper.",
    "telephone": "You told us on the phone.",
    "online": "You told us online.",
}
_LIVE: Final = (ConsentState.GIVEN, ConsentState.REAFFIRMED)


def render(receipt: ConsentReceipt) -> str:
    """The page: no script, no outside file."""
    return page_template("partner_agent.receipts", "receipt.html").render(**said_of(receipt))


def said_of(receipt: ConsentReceipt) -> dict[str, Any]:
    """What a receipt says, in words for whoever decided: for this page, and for the console's."""
    content, state = receipt.content, receipt.events[-1].event_state
    names = {party.party_id: party for party in content.parties}
    return {
        "content": content,
        "heading": _HEADINGS[state],
        "live": state in _LIVE,
        "permits": _PERMITS.get(state, ""),
        "for_child": content.capacity is Capacity.PARENTAL_RESPONSIBILITY,
        "about": _KINDS[content.kind],
        "method": _METHODS[content.collection_method],
        "asked_by": names[content.pii_controllers[0]],
        "recipients": [names[party] for party in content.recipient_third_parties],
        "events": [(plain_day(e.event_time), _EVENTS[e.event_state]) for e in receipt.events],
        "until": plain_day(receipt.events[0].validity_duration),
        "issued": plain_day(receipt.issued),
        "number": grouped(receipt.receipt_id),
        "ledger": receipt.ledger,
        "standard": receipt.schema_version,
    }


def plain_day(time: str) -> str:
    """``3 July 2027``."""
    day: date = parse_time(time).date()
    return f"{day.day} {day:%B %Y}"


def grouped(number: str) -> str:
    """A receipt's number in groups of four, to be read aloud."""
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def write_page(receipt: ConsentReceipt, file: Path) -> None:
    """Write the page, whole or not at all, mode 0600.

    Raises:
        OutputNotWrittenError: the disk is full, or the folder cannot be written to.
    """
    with whole_file(file) as stream:
        stream.write(render(receipt))


def write_json(receipt: ConsentReceipt, file: Path) -> None:
    """Write the receipt as JSON, whole or not at all, mode 0600.

    Raises:
        OutputNotWrittenError: the disk is full, or the folder cannot be written to.
    """
    with whole_file(file) as stream:
        stream.write(receipt.model_dump_json(indent=2) + "\n")
