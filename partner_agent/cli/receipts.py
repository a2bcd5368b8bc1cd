"""``consent receipt`` and ``consent check-receipt``."""

from pathlib import Path
from typing import Annotated

import typer

from governance.consent.receipt import ConsentReceipt
from governance.consent.registry import Erased
from governance.errors import ReasonedError
from governance.terminal import FileProblem, Terminal, read_document
from partner_agent.cli.context import agent_of, session
from partner_agent.consents import ConsentInputError, consent_number
from partner_agent.receipts.issue import check, issue
from partner_agent.receipts.page import write_json, write_page

_WRITERS = {".html": write_page, ".json": write_json}


def receipt(
    context: typer.Context,
    consent: Annotated[str, typer.Argument(help="number of the consent; spaces do not matter")],
    out: Annotated[Path, typer.Option(help="FILE.html, a page to print, or FILE.json")],
) -> None:
    """Write a receipt that the person can be given. It holds no name; mode 0600."""
    screen = session(context)
    write = _WRITERS.get(out.suffix.lower())
    if write is None:
        raise FileProblem(
            "a receipt is a page or JSON", next_step="give --out receipt.html or --out receipt.json"
        )
    with agent_of(context) as agent:
        state = agent.ledger.sync()
        number = consent_number(consent)
        if number in agent.consents.withdrawn_here(logged=False):
            raise ConsentInputError(
                "this consent was withdrawn here, and the ledger does not have that yet",
                next_step="partner-agent run hands it in; then write the receipt",
            )
        found = issue(agent.ledger, state, agent.settings.party, number, agent.now())
        write(found, out)
    state_now = found.events[-1].event_state.value
    screen.result(
        {"receipt": found.receipt_id, "state": state_now, "file": str(out)},
        lambda terminal: terminal.print(f"{out}: {state_now}", highlight=False),
    )
    screen.hint("ask whether it is safe for the person to take it home, print it, delete the file")


def check_receipt(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="a receipt as JSON, of any partner")],
) -> None:
    """Check a receipt against this partner's own mirror, and say where the consent stands."""
    screen = session(context)
    document = read_document(file, ConsentReceipt)
    with agent_of(context) as agent:
        try:
            state = agent.ledger.sync()
        except ReasonedError as error:
            state = agent.ledger.state
            screen.say(f"checked without the ledger's newest entries: {error.message}")
        standing = check(agent.ledger, state, document, agent.now())
        if isinstance(standing, Erased):
            _tell_erased(screen, document.receipt_id, standing)
            return
        if document.receipt_id in agent.consents.withdrawn_here():
            standing_now = "withdrawn"
        else:
            standing_now = standing.value
    screen.result(
        {"receipt": document.receipt_id, "genuine": True, "state": standing_now},
        lambda out: out.print(f"genuine; today: {standing_now}", highlight=False),
    )


def _tell_erased(screen: Terminal, receipt_id: str, erased: Erased) -> None:
    """Nothing can be said of what a receipt tells but that its entry is in the ledger."""
    data = {
        "receipt": receipt_id,
        "genuine": None,
        "state": "erased",
        "erased_on": erased.since[:10],
        "by_entry": erased.entry,
    }
    screen.result(
        data,
        lambda out: out.print(
            f"its entry is in the ledger; the record was erased on {erased.since[:10]}, by entry "
            f"{erased.entry}, so that the rest cannot be compared. It permits nothing today.",
            highlight=False,
        ),
    )
