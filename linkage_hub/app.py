"""Composition root of the hub: builds the parts of one home; the service; the worker."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI

from governance.canonical import utc_now
from governance.identity.files import PartySecrets, read_party_secrets
from governance.ledger.limits import RateLimit
from governance.ledger.note import parse_vkey
from governance.ledger.party import PartyLedger
from governance.storage.database import sqlite_url
from governance.terminal import passphrase, read_bytes
from governance.web.headers import ServiceHeaders
from governance.web.logs import log_to_stderr
from governance.web.problems import add_problem_handlers
from governance.web.ready import make_ready
from linkage_hub.analytics.areas import AreaDesk
from linkage_hub.analytics.desk import AnalysisDesk
from linkage_hub.analytics.forgetting import forgetting
from linkage_hub.analytics.publishing import TableRegister
from linkage_hub.analytics.risk.books import ModelBooks
from linkage_hub.analytics.risk.budget import EpsilonLedger
from linkage_hub.analytics.risk.desk import RiskDesk
from linkage_hub.analytics.risk.orders import RiskOrders
from linkage_hub.api.access import Gate
from linkage_hub.api.analysis import analysis_routes
from linkage_hub.api.partners import partner_routes
from linkage_hub.api.problems import STATUS
from linkage_hub.api.reports import report_routes
from linkage_hub.api.reveals import reveal_routes
from linkage_hub.api.reviews import review_routes
from linkage_hub.api.risk import risk_routes
from linkage_hub.api.rounds import round_routes
from linkage_hub.api.staff import release_routes, run_routes
from linkage_hub.jobs.process import worker_process
from linkage_hub.jobs.queue import JobQueue
from linkage_hub.jobs.worker import Chore, Worker
from linkage_hub.quality.desk import RevealDesk
from linkage_hub.refinement.core import Core
from linkage_hub.refinement.desk import RoundDesk
from linkage_hub.refinement.fellegi_sunter import FellegiSunter
from linkage_hub.refinement.rounds import Rounds
from linkage_hub.refinement.service import Refinement
from linkage_hub.releases.families import Families
from linkage_hub.releases.kept import KeptRequests
from linkage_hub.releases.orders import Orders
from linkage_hub.releases.service import Releases
from linkage_hub.reports.catalogues import FOLDER, Catalogues
from linkage_hub.reports.desk import ReportDesk
from linkage_hub.retention import HubRetention
from linkage_hub.review.service import Reviews
from linkage_hub.rights.files import FilesWithout
from linkage_hub.rights.service import HubRights
from linkage_hub.runs.phases import Phases
from linkage_hub.runs.service import Runs
from linkage_hub.secrets import SecretRelay
from linkage_hub.settings import HubSettings
from linkage_hub.store.database import HubDatabase
from linkage_hub.submissions.files import ContentFiles
from linkage_hub.submissions.service import VERIFY, Submissions

RETENTION_SECONDS: Final = 600.0
"""How often a worker looks whether the day's purge was done and told."""
RIGHTS_SECONDS: Final = 30.0
"""How often a worker looks for requests of data subjects in the ledger."""


class Hub:
    """One hub's parts, built when they are first needed."""

    def __init__(
        self, home: Path, settings: HubSettings, now: Callable[[], datetime] = utc_now
    ) -> None:
        self.home = home
        self.settings = settings
        self.now = now
        self.core: Core = FellegiSunter()

    @cached_property
    def secrets(self) -> PartySecrets:
        """The hub's own keys."""
        return read_party_secrets(
            self.home / "party.secret", passphrase(self.settings.passphrase_file)
        )

    @cached_property
    def database(self) -> HubDatabase:
        """The hub's database."""
        if self.settings.database_url is not None:
            return HubDatabase(self.settings.database_url)
        path = self.home / "hub.db"
        path.touch(mode=0o600, exist_ok=True)
        return HubDatabase(sqlite_url(path))

    @cached_property
    def ledger(self) -> PartyLedger:
        """The hub's mirror of the ledger; each process has its own replay."""
        keys = self.secrets.keys
        return PartyLedger(
            self.home / "mirror.db",
            self.settings.ledger_url,
            self.settings.ledger_key,
            keys.thumbprint,
            self.secrets.signing_key,
            self.now,
        )

    @cached_property
    def files(self) -> ContentFiles:
        """Submissions' files."""
        return ContentFiles(self.home / "submissions")

    @cached_property
    def submissions(self) -> Submissions:
        """The submissions desk."""
        return Submissions(self.database, self.files, self.ledger, self.now)

    @cached_property
    def runs(self) -> Runs:
        """Link runs, started and shown."""
        return Runs(self.database, self.phases, self.rounds, self.reveals, self.now)

    @cached_property
    def rounds(self) -> RoundDesk:
        """What partners are asked and answer."""
        return RoundDesk(self.database, self.runs_folder, self.now)

    @cached_property
    def reveals(self) -> RevealDesk:
        """Where partners say which records do not exist."""
        return RevealDesk(self.database, self.ledger, self.now)

    @cached_property
    def phases(self) -> Phases:
        """The jobs of link runs."""
        return Phases(
            self.database,
            self.files,
            self.ledger,
            self.refinement,
            self.reveals,
            self.reviews,
            self.runs_folder,
            self.secrets.signing_key,
            self.now,
        )

    @cached_property
    def reviews(self) -> Reviews:
        """The review desk."""
        return Reviews(self.database, self.ledger, self.now)

    @cached_property
    def analysis(self) -> AnalysisDesk:
        """What analysts look at."""
        return AnalysisDesk(self.database, self.ledger, self.reviews, self.now)

    @cached_property
    def reports(self) -> ReportDesk:
        """Figures for staff, made here or shared."""
        analysis = self.analysis
        catalogues = Catalogues(self.home / FOLDER)
        return ReportDesk(
            self.database, self.ledger, analysis.permission, analysis.sources, catalogues, self.now
        )

    @property
    def runs_folder(self) -> Path:
        """Where runs keep what they need between phases."""
        return self.home / "runs"

    @cached_property
    def refinement(self) -> Refinement:
        """Questions to partners, and what they decide."""
        rounds = Rounds(self.database, self.ledger, self.runs_folder)
        return Refinement(self.database, rounds, self.core, self.home / "decisions", self.now)

    @cached_property
    def families(self) -> Families:
        """The current families."""
        return Families(self.database, self.orders_of_risk)

    @cached_property
    def requests(self) -> KeptRequests:
        """Requests for releases, and the answers to them."""
        return KeptRequests(self.database, self.ledger, self.secrets.keys.party, self.now)

    @cached_property
    def releases(self) -> Releases:
        """The release desk, for staff."""
        party = self.secrets.keys.party
        return Releases(self.database, self.families, self.ledger, self.requests, party, self.now)

    @cached_property
    def orders(self) -> Orders:
        """The release desk, for partners."""
        return Orders(self.database, self.families, self.ledger, self.requests, self.now)

    @cached_property
    def rights(self) -> HubRights:
        """Carries out what data subjects have asked partners for."""
        files = FilesWithout(self.database, self.files, self.runs_folder, self.refinement)
        return HubRights(self.secrets, self.database, self.ledger, files, self.now)

    @cached_property
    def retention(self) -> HubRetention:
        """Destroys what agreements' retention ends."""
        return HubRetention(
            self.secrets.keys.party,
            self.database,
            self.files,
            self.runs_folder,
            self.refinement,
            self.ledger,
            self.now,
        )

    @cached_property
    def epsilon(self) -> EpsilonLedger:
        """What private models have cost."""
        return EpsilonLedger(self.secrets.keys.party, self.database, self.ledger, self.now)

    @cached_property
    def models(self) -> ModelBooks:
        """Models of risk that were trained here, and the one that is shared."""
        return ModelBooks(self.secrets.keys.party, self.database, self.ledger, self.now)

    @cached_property
    def orders_of_risk(self) -> RiskOrders:
        """Current families by the models that are shared."""
        return RiskOrders(self.database, self.models)

    @cached_property
    def risk(self) -> RiskDesk:
        """What analysts and managers are told of shared models."""
        return RiskDesk(self.database, self.ledger, self.orders_of_risk, self.now)

    @cached_property
    def areas(self) -> AreaDesk:
        """Families put forward by area."""
        return AreaDesk(self.database, self.ledger, self.now)

    def forget(self) -> None:
        """Drop from memory what was worked out of families or by models that are gone.

        Raises:
            HubStoreError: the database cannot be asked.
        """
        self.analysis.forget()
        self.orders_of_risk.forget()
        self.areas.forget()

    @cached_property
    def tables(self) -> TableRegister:
        """What was published of runs."""
        return TableRegister(self.database, self.now)

    def worker(self) -> Worker:
        """The worker of this hub's queue."""
        return Worker(
            JobQueue(self.database),
            {VERIFY: self.submissions.verify, **self.phases.handlers},
            {VERIFY: self.submissions.abandon}
            | dict.fromkeys(self.phases.handlers, self.phases.abandon),
            [
                Chore("rights", RIGHTS_SECONDS, self.rights.carry_out_all),
                Chore("retention", RETENTION_SECONDS, self.retention.daily),
                Chore("epsilon", RETENTION_SECONDS, self.epsilon.tell),
            ],
        )

    def close(self) -> None:
        """Close what was opened."""
        for name in ("ledger", "database"):
            part = self.__dict__.pop(name, None)
            if part is not None:
                part.close()


@contextmanager
def open_hub(home: Path) -> Iterator[Hub]:
    """The hub of a home.

    Raises:
        NotSetUpError: the folder is not a hub's home.
    """
    hub = Hub(home, HubSettings.load(home))
    try:
        yield hub
    finally:
        hub.close()


def init_hub(home: Path, ledger_url: str, key_file: Path) -> int:
    """Pin the ledger's key, make the database, take a first copy of the ledger; its size.

    Raises:
        SecretFileError: the home lacks the hub's keys.
        LedgerError: the ledger cannot be reached.
    """
    key = parse_vkey(read_bytes(key_file).decode("utf-8", "replace").strip())
    settings = HubSettings(ledger_url=ledger_url, ledger_key=str(key))
    hub = Hub(home, settings)
    try:
        hub.secrets  # noqa: B018 - fails here rather than later
        hub.database  # noqa: B018
        size = hub.ledger.sync().size
    finally:
        hub.close()
    settings.save(home)
    return size


def create_app(hub: Hub) -> FastAPI:
    """The hub's service.

    Raises:
        StoreError, SecretFileError: the home is not complete.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with forgetting(hub.forget):
            yield
        hub.close()

    app = FastAPI(title="hearthlink linkage hub", lifespan=lifespan, openapi_url=None)
    app.add_middleware(ServiceHeaders, public_url=hub.settings.public_url)
    add_problem_handlers(app, STATUS, hub.settings.public_url)
    settings = hub.settings
    limit = RateLimit(settings.requests_per_second, settings.request_burst, time.monotonic)
    gate = Gate(hub.ledger, limit, settings.public_url)
    relay = SecretRelay(hub.database, hub.ledger)

    def key_of(party: str) -> str:
        return hub.ledger.state.identities.party_named(party).thumbprint

    app.include_router(partner_routes(gate, hub.submissions, relay, hub.orders, key_of))
    app.include_router(round_routes(gate, hub.rounds))
    app.include_router(reveal_routes(gate, hub.reveals))
    app.include_router(run_routes(gate, hub.runs, hub.analysis.permission, hub.database))
    app.include_router(analysis_routes(gate, hub.analysis))
    app.include_router(report_routes(gate, hub.reports))
    app.include_router(review_routes(gate, hub.reviews))
    app.include_router(risk_routes(gate, hub.risk, hub.areas))
    app.include_router(release_routes(gate, hub.families, hub.releases, hub.ledger, hub.now))

    @app.get("/healthz")
    def healthz() -> dict[str, int]:
        """Whether the database answers."""
        return {"ledger_entries": hub.ledger.mirror.size()}

    return app


def serve(home: Path, host: str | None, port: int | None, *, worker: bool) -> None:
    """Run the service until it is stopped, with a worker process beside it."""
    log_to_stderr()
    with open_hub(home) as hub:
        app = create_app(hub)
        make_ready({"ledger": lambda: hub.ledger.state})
        with worker_process(home) if worker else contextlib.nullcontext():
            uvicorn.run(
                app,
                host=host or hub.settings.host,
                port=hub.settings.port if port is None else port,
                log_config=None,
                access_log=False,
                server_header=False,
            )
