"""Composition root of the console: builds the parts of one home; the service."""

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from governance.console.access import Gate
from governance.console.areas import AREAS
from governance.console.console import Console, open_database
from governance.console.errors import NotSignedIn, SignInAgain
from governance.console.keys import OWN
from governance.console.problems import STATUS
from governance.console.settings import ConsoleSettings
from governance.identity.files import write_secret
from governance.identity.keys import SigningKey
from governance.ledger.note import parse_vkey
from governance.reports.charts import draw_first
from governance.terminal import passphrase
from governance.ui.problems import add_problem_pages, status_page
from governance.ui.security import Guard
from governance.ui.static_files import static_routes
from governance.web.logs import log_to_stderr
from governance.web.ready import make_ready


def init_console(home: Path, settings: ConsoleSettings) -> None:
    """Make a console's home: its settings, secret and database.

    Raises:
        NoteFormatError: the ledger's key is none.
        SecretFileError: the home holds a console already.
    """
    parse_vkey(settings.ledger_key)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    seed = SigningKey.generate().seed
    write_secret(home / OWN, seed, passphrase(settings.passphrase_file))
    settings.save(home)
    open_database(home, settings).close()


def create_app(console: Console) -> Guard:
    """The console's service, behind its guard."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        console.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None, redirect_slashes=False)
    app.state.console = console
    add_problem_pages(app, console.pages, STATUS)
    gate = Gate(console.sessions, console.audit, console.settings.attempts_at_once)
    for area in AREAS:
        router: APIRouter = importlib.import_module(f"{area}.views").router
        app.include_router(router, dependencies=[Depends(gate.admit)])
    app.include_router(static_routes())

    @app.exception_handler(NotSignedIn)
    def _sign_in(request: Request, error: NotSignedIn) -> RedirectResponse:
        again = isinstance(error, SignInAgain)
        area = "/" + request.scope["route"].path.split("/")[1] if again else "/"
        back = request.url.path if request.method == "GET" else area
        asked = {"next": back} | ({"again": "true"} if again else {})
        return RedirectResponse(f"/sign-in?{urlencode(asked)}", 303)

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> dict[str, str]:
        """Whether the database answers."""
        with console.database.reading():
            return {"status": "ok"}

    def refuse(request: Request, status: int) -> HTMLResponse:
        return status_page(console.pages, request, status)

    return Guard(app, console.settings.origin, refuse)


def serve(home: Path, host: str | None, port: int | None) -> None:
    """Run the service until it is stopped; its log goes to stderr, one JSON object a line."""
    log_to_stderr()
    settings = ConsoleSettings.load(home)
    console = Console.open(home, settings)
    app = create_app(console)
    make_ready(
        {
            "ledger": lambda: console.outside.ledger.state,
            "pages": console.pages.load,
            "charts": draw_first,
        }
    )
    uvicorn.run(
        app,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=list(settings.proxies),
    )
