"""A world in which requests and approvals are signed by passkeys."""

from typing import Any

from governance.agreements.models import Agreement
from governance.canonical import b64
from governance.identity.envelope import Envelope
from governance.ledger.state import LedgerState
from governance.release.models import CheckpointRef, Members, Order
from governance.release.verify import VerifiedOrder, Witnessed, verify_order
from tests.governance.world import NOON, World, agreement_data
from tests.soft_authenticator import SoftAuthenticator

MOTHER = "1" * 32


class PasskeyWorld(World):
    """A world whose manager and lead have passkeys, under an agreement that takes nothing else.

    ``kinds`` is what the agreement takes, ``without`` who has no passkey; ``manager`` says of what
    make the manager's is.
    """

    def __init__(
        self, kinds: tuple[str, ...] = ("passkey",), without: str = "", **manager: Any
    ) -> None:
        self._kinds, self._without, self._manager = kinds, without, manager
        super().__init__()
        self.consent(self.council, MOTHER)

    def _found(self) -> None:
        data = agreement_data(self.partners) | {"staff_signatures": list(self._kinds)}
        self.agreement = Agreement.model_validate(data)
        if self._without != "manager":
            self.manager.authenticator = SoftAuthenticator(**self._manager)
        if self._without != "lead":
            self.lead.authenticator = SoftAuthenticator("EdDSA")
        super()._found()

    def family(self) -> Members:
        """The mother alone."""
        return self.members(("1", True, [(self.council, MOTHER)]))

    def order(self, request: Envelope | None = None, approval: Envelope | None = None) -> Order:
        """An order over a request and an approval, honest ones unless others are given."""
        request = request or self.request(self.family())
        approval = approval or self.approval(request)
        return Order(request=request, approval=approval, members=self.family(), checkpoint="note")

    def logged(self) -> Order:
        """An honest order whose request and approval are in the ledger."""
        order = self.order()
        self.log_release(order.request, order.approval)
        return order

    def verify(self, order: Order, state: LedgerState | None = None) -> VerifiedOrder:
        """Verify an order as the council's agent."""
        reference = CheckpointRef(size=len(self.events), root=b64(bytes(32)))
        return verify_order(
            order,
            party="council",
            state=state or self.state,
            witnessed=Witnessed(reference, lambda _size: bytes(32)),
            now=NOON,
        )
