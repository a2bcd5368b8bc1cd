"""The hub's books of models: which were trained here, and which one of an agreement is shared.

Rules, in order: a model is known by the hash of its whole document, which is entered when it was
trained, so that an edited one is another's; it is of an agreement that is in force and allows
analysis; what it cost is in the consent ledger, as this hub's, for that agreement and outcome, and
no less than the document says (a spend that is in the hub's own books alone has paid for nothing);
it is no older than the agreement lets results be kept. One model of an agreement is shared at a
time: another takes its place. A model that is taken back, or past its time, is destroyed; that it
was trained stays in the books, as its cost does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from governance.agreements.models import Action, Agreement
from governance.agreements.policy import in_force, require_action
from governance.agreements.privacy import MICRO, PICO
from governance.canonical import canonical_bytes, hash_of, write_time
from governance.ledger.party import PartyLedger
from governance.ledger.state import LedgerState
from linkage_hub.analytics.risk.budget import whole
from linkage_hub.analytics.risk.documents import ModelDocument, NotAModel
from linkage_hub.analytics.risk.errors import ModelNotPaid, NothingShared
from linkage_hub.analytics.risk.outcome import require_outcome
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import risk_models

_TRAIN: Final = "linkage-hub risk train"


@dataclass(frozen=True, slots=True)
class SharedModel:
    """A model that managers and analysts are shown.

    Attributes:
        id: hash of the document.
        trained, shared: when.
    """

    id: str
    document: ModelDocument
    trained: str
    shared: str


class ModelBooks:
    """The hub's.

    Args:
        party: the hub's own name.
        database: where they are kept.
        ledger: the mirror.
        now: the clock.
    """

    def __init__(
        self, party: str, database: HubDatabase, ledger: PartyLedger, now: Callable[[], datetime]
    ) -> None:
        self._party = party
        self._database = database
        self._ledger = ledger
        self._now = now

    def enter(self, document: ModelDocument, event: str) -> None:
        """Note that a model was trained here, and by which event of the ledger it was paid for."""
        with self._database.writing() as connection:
            connection.execute(
                insert(risk_models).values(
                    hash=hash_of(document),
                    agreement=document.agreement,
                    event=event,
                    trained=write_time(self._now()),
                )
            )

    def require_paid(self, document: ModelDocument) -> None:
        """Check that a model may be used now: trained here, of an agreement in force, and paid for.

        Raises:
            AgreementRefusal: its agreement is not in force, or does not allow analysis.
            NotAModel, NoSuchOutcome: it is a rule, or of needs or an outcome that the agreement
                does not have.
            ModelNotPaid: it was not trained here, was edited, is past its time, or the ledger does
                not hold what it cost.
            LedgerError: the ledger cannot be asked.
        """
        state = self._ledger.sync()
        terms = _fitting(state, document, self._now())
        with self._database.reading() as connection:
            row = connection.execute(
                select(risk_models).where(risk_models.c.hash == hash_of(document))
            ).first()
        if row is None or row.agreement != document.agreement:
            raise ModelNotPaid(
                "this hub has trained no such model: it is another hub's, or was edited",
                next_step=_TRAIN,
            )
        if row.trained < oldest(terms, self._now()):
            raise ModelNotPaid(
                "the model is older than the agreement lets results be kept", next_step=_TRAIN
            )
        self._require_spend(state, terms, document, row.event)

    def share(self, document: ModelDocument) -> str:
        """Let managers and analysts see a model, in the place of any other; its hash.

        Raises:
            RiskRefused, AgreementRefusal, LedgerError: see ``require_paid``.
        """
        self.require_paid(document)
        id_, own = hash_of(document), risk_models.c.agreement == document.agreement
        with self._database.writing() as connection:
            connection.execute(update(risk_models).where(own).values(shared=None, document=None))
            connection.execute(
                update(risk_models)
                .where(risk_models.c.hash == id_)
                .values(shared=write_time(self._now()), document=canonical_bytes(document).decode())
            )
        return id_

    def withdraw(self, id_: str) -> None:
        """Destroy a shared model: nobody is shown it from now on.

        Raises:
            NothingShared: it is not shared.
        """
        with self._database.writing() as connection:
            done = connection.execute(
                update(risk_models)
                .where(risk_models.c.hash == id_, risk_models.c.document.is_not(None))
                .values(shared=None, document=None)
            )
            if not done.rowcount:
                raise NothingShared(
                    "no model of this hash is shared", next_step="linkage-hub risk shared"
                )

    def shared(self) -> list[SharedModel]:
        """What is shared, of every agreement, the newest first."""
        with self._database.reading() as connection:
            return list(_shared(connection))

    def shared_of(self, connection: Connection, terms: Agreement) -> SharedModel | None:
        """The model that is shared of an agreement, while it may be kept."""
        here = risk_models.c.agreement == terms.hash
        found = _shared(connection, here, risk_models.c.trained >= oldest(terms, self._now()))
        return next(iter(found), None)

    def _require_spend(
        self, state: LedgerState, terms: Agreement, document: ModelDocument, event: str
    ) -> None:
        privacy = document.privacy
        cost = max(privacy.epsilon, privacy.opacus, privacy.dp_accounting)
        for spend in state.privacy.spends(terms):
            if (spend.id, spend.hub) == (event, self._party) and (
                (spend.agreement, spend.outcome) == (document.agreement, document.outcome)
                and spend.epsilon >= whole(cost, MICRO)
                and spend.delta >= whole(privacy.delta, PICO)
            ):
                return
        raise ModelNotPaid(
            "the ledger does not hold what this model cost", next_step="linkage-hub risk budget"
        )


def oldest(terms: Agreement, now: datetime) -> str:
    """When a model was trained at the earliest that may be kept now."""
    return write_time(now - timedelta(days=terms.retention.link_results_days))


def forget_models(connection: Connection, agreement: str, before: str) -> int:
    """Destroy what is shared of an agreement and was trained before a time; how many models."""
    gone = update(risk_models).where(
        risk_models.c.agreement == agreement,
        risk_models.c.document.is_not(None),
        risk_models.c.trained < before,
    )
    return connection.execute(gone.values(shared=None, document=None)).rowcount


def _fitting(state: LedgerState, document: ModelDocument, now: datetime) -> Agreement:
    standing = state.agreements.standing(document.agreement)
    in_force(standing, now)
    terms = standing.agreement
    require_action(terms, Action.ANALYSE)
    if document.model.kind != "private-logistic":
        raise NotAModel("expected a private model", next_step=_TRAIN)
    if set(document.model.needs) - set(terms.needs):
        raise NotAModel("the model is of needs that the agreement lacks", next_step=_TRAIN)
    require_outcome(terms, document.outcome)
    return terms


def _shared(connection: Connection, *where: Any) -> list[SharedModel]:
    rows = connection.execute(
        select(risk_models)
        .where(risk_models.c.document.is_not(None), *where)
        .order_by(risk_models.c.shared.desc(), risk_models.c.hash)
    )
    return [
        SharedModel(
            row.hash, ModelDocument.model_validate_json(row.document), row.trained, row.shared
        )
        for row in rows
    ]
