"""Telling the hub which records of a run do not exist.

Rules, in order: the run was opened in this agent's own mirror of the ledger, under the agreement
and with the very submission that the hub names, so that the hub has bound itself to the persons it
found; the agreement still permits linking; the submission is this agent's own. Then the key goes
out that the submission's manifest commits to. Nothing else follows from it: the key names handles
and people that do not exist.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from governance.agreements.errors import ActionNotAllowed
from governance.agreements.models import Action
from governance.agreements.policy import in_force
from governance.canonical import parse_json
from governance.errors import ReasonedError
from governance.exchange.hub_api import RevealTask
from governance.exchange.hub_client import HubClient
from governance.identity.envelope import Envelope, parse_model
from governance.ledger.errors import LedgerError, MirrorError
from governance.ledger.state import LedgerState
from partner_agent.errors import AgentError
from partner_agent.ledger import AgentLedger
from partner_agent.loop import INTERNAL, tell_unexpected
from partner_agent.sentinels.store import SyntheticRows
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import submissions

_LOG: Final = logging.getLogger(__name__)


class RevealRefused(AgentError):
    """The hub asks for what it may not be told yet, or not by this agent."""

    reason = "reveal.refused"
    exit_code = 77  # EX_NOPERM


@dataclass(frozen=True)
class Revealed:
    """What became of one task: told, or why not."""

    run: str
    submission: str
    reason: str | None


class RevealDesk:
    """Answers the hub's questions about synthetic records."""

    def __init__(
        self,
        database: AgentDatabase,
        synthetic: SyntheticRows,
        ledger: AgentLedger,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._synthetic = synthetic
        self._ledger = ledger
        self._now = now

    def reveal_all(self, hub: HubClient) -> list[Revealed]:
        """Tell the hub what it may know; one task that is refused holds no other up.

        Raises:
            HubUnavailable, LedgerError: away; asked again later.
        """
        tasks = hub.reveals().reveals
        if not tasks:
            return []
        state = self._ledger.sync()
        return [self._one(hub, state, task) for task in tasks]

    def _one(self, hub: HubClient, state: LedgerState, task: RevealTask) -> Revealed:
        try:
            hub.reveal(task.run, task.submission, self.key_for(state, task))
        except (LedgerError, MirrorError):
            raise
        except ReasonedError as error:
            _LOG.warning("not revealed", extra={"run": task.run, "reason": error.reason})
            return Revealed(task.run, task.submission, error.reason)
        except Exception as error:  # noqa: BLE001 - one task holds no other up
            tell_unexpected(_LOG, error, run=task.run)
            return Revealed(task.run, task.submission, INTERNAL)
        _LOG.info("revealed", extra={"run": task.run, "submission": task.submission})
        return Revealed(task.run, task.submission, None)

    def key_for(self, state: LedgerState, task: RevealTask) -> bytes:
        """The key that a task asks for.

        Raises:
            RevealRefused, AgreementRefusal: by the first rule that fails.
        """
        opened = state.sentinels.opened.get(task.run)
        if opened is None or opened.agreement != task.agreement:
            raise RevealRefused("the ledger does not show that the run's persons are fixed")
        if self._manifest_hash(task.submission) != task.manifest:
            raise RevealRefused("the submission is not this agent's, or not the one named")
        if task.manifest not in opened.submissions:
            raise RevealRefused("the run was opened without this submission")
        standing = state.agreements.standing(task.agreement)
        in_force(standing, self._now())
        if Action.LINK not in standing.agreement.actions:
            raise ActionNotAllowed(f"agreement {standing.agreement.id} does not allow linking")
        key = self._synthetic.key_of(task.submission)
        if key is None:
            raise RevealRefused("the submission has no synthetic records")
        return key.content

    def _manifest_hash(self, submission: str) -> str | None:
        statement = select(submissions.c.manifest).where(submissions.c.id == submission)
        with self._database.reading() as connection:
            manifest = connection.scalar(statement)
        if manifest is None:
            return None
        return parse_model(parse_json(manifest), Envelope).payload_hash
