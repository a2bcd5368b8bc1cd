"""What every page of the console is given: one agent, the door, drafts and tasks.

Rules: pages share one agent, one at a time, and never wait for the network with it: what needs the
network, or long, is a task, with an agent of its own. An agent whose settings another command has
changed is opened anew.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fastapi import Request
from starlette.datastructures import FormData

from governance.agreements.models import Agreement, Source
from governance.agreements.policy import Standing
from governance.canonical import utc_now
from governance.ui.forms import CSRF_FIELD, posted
from governance.ui.pages import Frame, Pages
from governance.ui.show import Link
from partner_agent.app import Agent
from partner_agent.console.cookie import cookies
from partner_agent.console.door import Door, Session
from partner_agent.console.drafts import Drafts
from partner_agent.console.tasks import Tasks
from partner_agent.settings import AgentSettings

PACKAGES: Final = ("partner_agent.console",)
NAVIGATION: Final = (("agent.nav.start", "/"),)


class Console:
    """The console of one home.

    Args:
        home: the agent's folder.
        door: who may use it.

    Raises:
        NotSetUpError: the folder is not an agent's home.
    """

    def __init__(self, home: Path, door: Door) -> None:
        self.home = home
        self.door = door
        self.drafts = Drafts(home, utc_now)
        self.tasks = Tasks(home)
        self.settings = AgentSettings.load(home)
        self.pages = Pages(PACKAGES, service="agent.console.name", frame=self._frame)
        self._agent: Agent | None = None
        self._lock = threading.Lock()

    @contextmanager
    def agent(self) -> Iterator[Agent]:
        """The agent that pages share; nobody else has it meanwhile."""
        with self._lock:
            settings = AgentSettings.load(self.home)
            if self._agent is not None and self._agent.settings != settings:
                self._agent.close()
                self._agent = None
            if self._agent is None:
                self._agent = Agent(self.home, settings)
            yield self._agent

    def close(self) -> None:
        """Wait for the tasks at hand, and close the agent."""
        self.tasks.close()
        with self._lock:
            if self._agent is not None:
                self._agent.close()
                self._agent = None

    def _frame(self, request: Request) -> Frame:
        session: Session | None = getattr(request.state, "session", None)
        if session is None:
            return Frame()
        return Frame(
            navigation=[Link(self.pages.words(key), href) for key, href in NAVIGATION],
            who=self.settings.party,
            sign_out="/sign-out",
            csrf=session.token,
        )


def console_of(request: Request) -> Console:
    """The console that a request came to, as a dependency of a view."""
    found: Console = request.app.state.console
    return found


def session_of(request: Request) -> Session:
    """The session of a request, as a dependency of every route but the entry.

    Raises:
        SignedOut: it has none.
    """
    session = console_of(request).door.session(cookies(request.headers))
    request.state.session = session
    return session


async def form_of(request: Request) -> FormData:
    """The fields of a form of this session, as a dependency of a view.

    Raises:
        SignedOut, TokenMissing: it is not of this session.
    """
    session = session_of(request)
    fields = await posted(request)
    session.check(str(fields.get(CSRF_FIELD, "")))
    return fields


def standing_here(agent: Agent) -> Standing:
    """The agreement as this computer's own copy of the ledger has it; no network.

    Raises:
        AgreementUnknown: none was imported.
    """
    return agent.standing(agent.ledger.state)


def own_sources(agent: Agent) -> list[Source]:
    """The sources that the agreement lists for this partner."""
    agreement: Agreement = standing_here(agent).agreement
    return [source for source in agreement.sources if source.party == agent.settings.party]
