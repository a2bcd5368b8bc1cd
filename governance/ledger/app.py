"""Composition root of the ledger service."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from governance.canonical import canonical_bytes, parse_json, utc_now
from governance.durable import BY_UMASK, write_durably
from governance.errors import FormatError
from governance.exchange.http import RequestVerifier
from governance.identity.envelope import parse_model
from governance.identity.files import read_secret, write_secret
from governance.identity.keys import SigningKey
from governance.ledger.database import Database
from governance.ledger.errors import LedgerError
from governance.ledger.events import Event, WireEvent
from governance.ledger.limits import RateLimit
from governance.ledger.note import VerifierKey
from governance.ledger.payloads import Genesis, read_payload
from governance.ledger.problems import STATUS
from governance.ledger.replayed import NAME
from governance.ledger.routes import open_routes, signed_routes
from governance.ledger.service import LedgerService
from governance.ledger.settings import LedgerSettings
from governance.ledger.store import LedgerStore
from governance.terminal import passphrase
from governance.web.headers import ServiceHeaders
from governance.web.logs import log_to_stderr
from governance.web.problems import add_problem_handlers


class SetupError(LedgerError):
    """The ledger's files do not fit together."""

    reason = "ledger.setup"
    exit_code = 78  # EX_CONFIG


def init_ledger(settings: LedgerSettings, genesis: Event) -> VerifierKey:
    """Make the log's key and put the genesis at its beginning; may be repeated.

    Args:
        settings: ``key_file`` is made unless it is there.
        genesis: the first event, signed by the operator's party key.

    Returns:
        The verifier key that every partner pins.

    Raises:
        SetupError: the genesis is of another origin, or the log began with another.
    """
    if not settings.key_file.exists():
        seed = SigningKey.generate().seed
        write_secret(settings.key_file, seed, passphrase(settings.passphrase_file))
    if settings.genesis_file is not None and not settings.genesis_file.exists():
        write_durably(settings.genesis_file, canonical_bytes(WireEvent.of(genesis)), BY_UMASK)
    store, service = _open(settings, utc_now)
    try:
        _begin(settings, store, service, genesis)
    finally:
        store.close()
    return service.log_key


def create_app(settings: LedgerSettings, now: Callable[[], datetime] = utc_now) -> FastAPI:
    """The ledger service, ready to serve.

    Raises:
        SetupError: the genesis is missing or does not fit the log.
        SecretFileError: the key file is missing or readable by others.
        StoreError: the database cannot be opened.
    """
    genesis = None if settings.genesis_file is None else read_genesis(settings.genesis_file)
    store, service = _open(settings, now)
    try:
        _begin(settings, store, service, genesis)
        service.replay()  # who asks later finds a service that is ready
    except BaseException:
        store.close()
        raise

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        service.keep()
        store.close()

    app = FastAPI(title="hearthlink consent ledger", lifespan=lifespan, openapi_url=None)
    app.add_middleware(ServiceHeaders, public_url=settings.public_url)
    add_problem_handlers(app, STATUS, settings.public_url)
    app.include_router(open_routes(service))
    limit = RateLimit(settings.requests_per_second, settings.request_burst, time.monotonic)
    verifier = RequestVerifier(service.public_key)
    app.include_router(signed_routes(service, verifier, limit, settings.public_url))

    @app.get("/healthz")
    def healthz() -> dict[str, int]:
        """Whether the database answers."""
        return {"size": service.size()}

    return app


def serve(settings: LedgerSettings) -> None:
    """Run the service until it is stopped; its log goes to stderr, one JSON object a line."""
    log_to_stderr()
    app = create_app(settings)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
    )


def read_genesis(path: Path) -> Event:
    """The genesis event from its file.

    Raises:
        SetupError: missing or not an event.
    """
    try:
        return parse_model(parse_json(path.read_bytes()), WireEvent).event()
    except (OSError, FormatError) as error:
        raise SetupError(
            "the genesis file cannot be read", next_step="run: governance ledger init"
        ) from error


def _open(
    settings: LedgerSettings, now: Callable[[], datetime]
) -> tuple[LedgerStore, LedgerService]:
    key = SigningKey(read_secret(settings.key_file, passphrase(settings.passphrase_file)))
    store = LedgerStore(Database(settings.database_url, "log"), settings.origin)
    kept = settings.key_file.with_name(NAME)
    return store, LedgerService(store, key, settings.origin, now, kept)


def _begin(
    settings: LedgerSettings, store: LedgerStore, service: LedgerService, genesis: Event | None
) -> None:
    """Put the genesis at the beginning, or check that it is there."""
    empty = service.size() == 0
    if genesis is None:
        if empty:
            raise SetupError("the log has no genesis yet", next_step="run: governance ledger init")
        return
    payload = read_payload(genesis)
    if not isinstance(payload, Genesis) or payload.origin != settings.origin:
        raise SetupError("the genesis is not of this origin", next_step="check the settings")
    if empty:
        service.append(genesis)
    elif store.entries(0, 1)[0].leaf != genesis.leaf:
        raise SetupError(
            "the log began with another genesis",
            next_step="check the settings for database and genesis file",
        )
