"""Composition root of the agent: builds the parts of one home and hands them in.

What compares records needs compiled code, what reads rows needs pandas, and both take seconds to
load: they are loaded when they are first needed, so that a withdrawal does not wait for them.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from governance.agreements.errors import AgreementUnknown
from governance.agreements.policy import Standing
from governance.canonical import canonical_bytes, utc_now
from governance.exchange.hub_client import HubClient
from governance.identity.envelope import Envelope
from governance.identity.files import PartySecrets, new_party, read_party_secrets, write_secret
from governance.identity.models import publish_party_keys
from governance.ledger.state import LedgerState
from governance.terminal import passphrase, write_document
from partner_agent.consent_erasure import ConsentErasure
from partner_agent.consent_import.desk import ConsentImports
from partner_agent.consents import Consents, accepted_withdrawals
from partner_agent.ledger import AgentLedger
from partner_agent.linkage_secret import load_keys
from partner_agent.opt_outs.register import OptOuts
from partner_agent.protection.register import Protections
from partner_agent.refinement.asked import AskedPairs
from partner_agent.refinement.kept import KeptRounds
from partner_agent.releases.desk import ReleaseDesk
from partner_agent.retention import Retention
from partner_agent.rights.access import AccessReport, Held, report_of
from partner_agent.rights.blocks import Blocks
from partner_agent.rights.desk import RightsDesk
from partner_agent.rights.errors import RightsInput
from partner_agent.rights.files import OutboxFiles
from partner_agent.rights.store import RightsStore
from partner_agent.rights.view import RightsView, views
from partner_agent.sentinels.reveal import RevealDesk
from partner_agent.sentinels.store import SyntheticRows
from partner_agent.settings import AgentSettings, NotSetUpError
from partner_agent.store.database import AgentDatabase
from partner_agent.submissions.upload import Outbox
from partner_agent.vault.keys import VaultKeys, make_key, read_key
from partner_agent.vault.store import Vault

if TYPE_CHECKING:
    from partner_agent.refinement.core import Core
    from partner_agent.refinement.desk import RefinementDesk

SECRETS = "party.secret"
DATABASE = "agent.db"


class Agent:
    """One partner's agent; parts are built when they are first needed."""

    def __init__(
        self, home: Path, settings: AgentSettings, now: Callable[[], datetime] = utc_now
    ) -> None:
        self.home = home
        self.settings = settings
        self.now = now
        self.passphrase = passphrase(settings.passphrase_file)

    @cached_property
    def core(self) -> "Core":
        """How answers to questions are worked out."""
        from partner_agent.refinement.fellegi_sunter import FellegiSunter  # noqa: PLC0415 - slow

        return FellegiSunter()

    @cached_property
    def secrets(self) -> PartySecrets:
        """The party's private keys."""
        return read_party_secrets(self.home / SECRETS, self.passphrase)

    @cached_property
    def database(self) -> AgentDatabase:
        """The agent's own database."""
        return AgentDatabase(self.home / DATABASE)

    @cached_property
    def vault_keys(self) -> VaultKeys:
        """What is derived from the vault's key."""
        return read_key(self.home, self.settings.vault_key, self.settings.party, self.passphrase)

    @cached_property
    def vault(self) -> Vault:
        """The encrypted rows."""
        return Vault(self.database, self.vault_keys)

    @cached_property
    def synthetic(self) -> SyntheticRows:
        """Synthetic rows of submissions: never in the vault."""
        return SyntheticRows(self.database, self.vault_keys.synthetic)

    @cached_property
    def ledger(self) -> AgentLedger:
        """The mirror of the ledger."""
        settings = self.settings
        if settings.ledger_url is None or settings.ledger_key is None:
            raise NotSetUpError(
                "the agent does not know its ledger",
                next_step="partner-agent connect --ledger URL --ledger-key FILE --hub URL",
            )
        return AgentLedger(
            self.home,
            settings.ledger_url,
            settings.ledger_key,
            self.secrets,
            self.now,
            lambda: accepted_withdrawals(self.database),
        )

    @cached_property
    def hub(self) -> HubClient:
        """The hub, as this party."""
        if self.settings.hub_url is None:
            raise NotSetUpError(
                "the agent does not know its hub", next_step="partner-agent connect --hub URL ..."
            )
        keys = self.secrets.keys
        return HubClient(self.settings.hub_url, keys.thumbprint, self.secrets.signing_key)

    @cached_property
    def outbox(self) -> Outbox:
        """Prepared submissions."""
        return Outbox(self.home, self.database)

    @cached_property
    def consents(self) -> Consents:
        """The consent desk."""
        return Consents(self.database, self.vault, self.ledger)

    @cached_property
    def imports(self) -> ConsentImports:
        """Decisions imported from a case system."""
        return ConsentImports(
            self.home, self.settings.party, self.database, self.ledger, self.consents, self.now
        )

    @cached_property
    def opt_outs(self) -> OptOuts:
        """Checks of the national data opt-out."""
        return OptOuts(self.database, self.vault)

    @cached_property
    def protections(self) -> Protections:
        """The register of protected people and homes."""
        return Protections(self.database, self.vault)

    @cached_property
    def questions(self) -> "RefinementDesk":
        """The refinement desk."""
        from partner_agent.refinement.desk import RefinementDesk  # noqa: PLC0415 - slow to load
        from partner_agent.refinement.own import OwnRecords  # noqa: PLC0415 - likewise

        return RefinementDesk(
            self.secrets,
            self.ledger,
            OwnRecords(self.home, self.database, self.vault, self.synthetic, self.protections),
            AskedPairs(self.database),
            self.rounds,
            self.core,
            lambda agreement: load_keys(self.home, agreement, self.passphrase),
            self.now,
        )

    @cached_property
    def rounds(self) -> KeptRounds:
        """Rounds of refinement that this agent has seen."""
        return KeptRounds(self.home / "answers", self.database, self.now)

    @cached_property
    def desk(self) -> ReleaseDesk:
        """The release desk."""
        return ReleaseDesk(
            self.secrets,
            self.database,
            self.vault,
            self.ledger,
            self.consents,
            Blocks(self.database),
            self.protections,
            self.now,
        )

    @cached_property
    def rights_store(self) -> RightsStore:
        """Data subjects' requests."""
        return RightsStore(self.database)

    def rights_views(self, id_: str | None = None) -> Iterator[RightsView]:
        """One request, or all, beside what the mirror says of them.

        Raises:
            UnknownRightsRequest: no such request was opened here.
        """
        store = self.rights_store
        found = store.all() if id_ is None else [store.get(id_)]
        pairs = ((each, store.subjects(each.id)) for each in found)
        return views(pairs, self.ledger.state, self.now().date())

    def access_report(self, id_: str) -> AccessReport:
        """What this partner holds of the person who made a request.

        Raises:
            UnknownRightsRequest: no such request was opened here.
            RightsInput: it is closed.
        """
        request, state = self.rights_store.get(id_), self.ledger.state
        if request.closed is not None:
            raise RightsInput("the request is closed", next_step="open another")
        subjects = self.rights_store.subjects(id_)
        handles = {
            handle
            for each in subjects
            for handle in (each.handle, *self.vault.at(each.source, each.locator))
            if handle is not None
        }
        files = OutboxFiles(self.home, self.database)
        held = Held(
            rows=[
                (row, self.vault.prepared_on(handle))
                for handle, row in sorted(self.vault.get_many(handles).items())
            ],
            sent=files.holding(
                {each.source for each in subjects}, handles, state.submissions.accepted
            ),
            sealed=self.desk.released(),
        )
        return report_of(
            id_,
            state.agreements.standing(request.agreement).agreement,
            self.settings.party,
            {handle.hex() for handle in handles},
            held,
            state,
            self.now(),
        )

    @cached_property
    def rights(self) -> RightsDesk:
        """The desk of data subjects' requests."""
        return RightsDesk(
            self.secrets,
            self.rights_store,
            self.vault,
            OutboxFiles(self.home, self.database),
            self.consents,
            self.ledger,
            self.now,
        )

    @cached_property
    def reveals(self) -> RevealDesk:
        """Tells the hub which records do not exist."""
        return RevealDesk(self.database, self.synthetic, self.ledger, self.now)

    @cached_property
    def retention(self) -> Retention:
        """Destroys what the agreement's retention ends."""
        return Retention(
            self.home,
            self.settings.party,
            self.database,
            self.vault,
            self.synthetic,
            self.desk,
            self.ledger,
            self.now,
        )

    @cached_property
    def consent_erasure(self) -> ConsentErasure:
        """Erases consent records of rows that are gone."""
        return ConsentErasure(
            self.settings.party,
            self.database,
            self.vault,
            self.ledger,
            self.rights_store.taken_out,
            self.now,
        )

    def standing(self, state: LedgerState) -> Standing:
        """Where the agreement stands that this agent works under.

        Raises:
            AgreementUnknown: none was imported.
        """
        if self.settings.agreement is None:
            raise AgreementUnknown(
                "this agent works under no agreement yet",
                next_step="partner-agent agreement import agreement.yaml",
            )
        return state.agreements.standing(self.settings.agreement)

    def remember(self, **changes: str | None) -> None:
        """Change the settings of this home."""
        self.settings = AgentSettings.model_validate(
            self.settings.model_dump(exclude_none=True) | changes
        )
        self.settings.save(self.home)

    def close(self) -> None:
        """Close what was opened."""
        for name in ("ledger", "hub", "database"):
            part = self.__dict__.pop(name, None)
            if part is not None:
                part.close()


@contextmanager
def open_agent(home: Path) -> Iterator[Agent]:
    """The agent of a home.

    Raises:
        NotSetUpError: the folder is not an agent's home.
    """
    agent = Agent(home, AgentSettings.load(home))
    try:
        yield agent
    finally:
        agent.close()


def init_agent(
    home: Path, party: str, name: str, vault_key: str, passphrase_file: Path | None
) -> tuple[PartySecrets, Path]:
    """Make a home: keys, vault key, database, settings.

    Returns:
        The party's keys, and the public file to hand to the ledger's operator.

    Raises:
        SecretFileError: the folder is an agent's home already.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chmod(home, 0o700)  # noqa: PTH101 - also when the folder was there
    secret = passphrase(passphrase_file)
    party_secrets: PartySecrets = new_party(party, name)
    write_secret(home / SECRETS, canonical_bytes(party_secrets), secret)
    make_key(home, vault_key, party, secret)
    AgentSettings.model_validate({"party": party, "vault_key": vault_key}).save(home)
    AgentDatabase(home / DATABASE).close()
    published: Envelope = publish_party_keys(party_secrets.keys, party_secrets.signing_key)
    public = home / f"{party}.keys.json"
    write_document(public, published)
    return party_secrets, public
