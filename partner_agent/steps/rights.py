"""Answering a person who asks what is held of them (GDPR, Article 15), as a command or a page does.

Rules: the ledger is asked for what is new first, since the report tells who asked for and received
what; where it cannot be reached, the report is of what this computer's copy holds.
"""

from pathlib import Path

from partner_agent.app import Agent
from partner_agent.rights.page import report_folder, write_report


def report(agent: Agent, id_: str, folder: Path | None = None) -> list[Path]:
    """Write what is held of the person who made a request; the files.

    Args:
        agent: whose desk it is.
        id_: of the request.
        folder: where to; one of the agent's own by default.

    Raises:
        UnknownRightsRequest: no such request was opened here.
        RightsInput: it is closed.
        OutputNotWrittenError: the disk is full, or the folder cannot be written to.
    """
    agent.ledger.sync_if_possible()
    return write_report(agent.access_report(id_), folder or report_folder(agent.home))
