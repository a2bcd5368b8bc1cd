"""How long people wait for the console's pages while the hub links.

Run: ``python -m benchmarks.pages COUNTY [--users 50] [--agents 20] [--seconds 180] [--pause 5]``,
over a county that ``make demo KEEP=COUNTY`` kept, brought up as ``make serve`` does it: ledger,
hub, console and the four partners' agents are processes. So many members of staff are enrolled in
the ledger and signed in, two in five of them managers, the others leads and analysts by halves;
each opens pages of their role in turn, those that these link to among them, and reads each for
about ``--pause`` seconds (exponentially distributed). Agents beyond the four ask the hub and the
ledger what an agent asks in each round. Meanwhile one link run follows another. What is told is the
time from a request to the last byte of its page, over those that were answered while a run was
under way; the first visit of each user, and errors, count.
"""

import argparse
import asyncio
import json
import random
import re
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
from sqlalchemy import insert

from examples.county.demo.again import COUNCIL, Ports, console_home, reopened
from examples.county.demo.agreement import PARTNERS
from examples.county.demo.processes import CommandFailed
from examples.county.demo.site import Addresses, Site
from examples.county.demo.story import Story
from governance.canonical import utc_now, write_time
from governance.console.accounts import Account
from governance.console.console import Console
from governance.console.sessions import COOKIE
from governance.console.settings import ConsoleSettings
from governance.console.store import tables
from governance.errors import ReasonedError
from governance.exchange.hub_client import HubClient
from governance.identity.envelope import sign
from governance.identity.files import PersonSecrets, new_person, read_person_secrets, write_secret
from governance.identity.models import (
    PERSON_ENROLMENT,
    PersonEnrolment,
    Role,
    publish_person_keys,
)
from governance.ledger.events import EventType
from governance.ledger.payloads import PersonEnrolled
from partner_agent.app import open_agent

PAGES: Final = {
    Role.SERVICE_MANAGER: ("/", "/families", "/requests"),
    Role.IG_LEAD: (
        "/", "/decide", "/oversight", "/oversight/agreements", "/oversight/register",
        "/oversight/consents", "/oversight/refusals", "/oversight/rights", "/oversight/retention",
        "/oversight/witnesses", "/oversight/ledger", "/people", "/register",
    ),
    Role.ANALYST: ("/", "/runs", "/review", "/sources"),
}  # fmt: skip
"""Where the users of each role begin; further pages are those that these link to."""
_FURTHER: Final = {
    Role.SERVICE_MANAGER: r"/(?:families|requests)/[0-9a-f:a-z]{32,}|/families\?[^\"#]+",
    Role.IG_LEAD: r"/oversight/(?:agreements|ledger)/[^\"/#?]+|/decide/[^\"/#?]+",
    Role.ANALYST: r"/runs/[0-9a-f]{32}(?:/(?:quality|thresholds|persons|unlinked)(?:\.svg)?)?"
    r"|/review/[0-9a-f]{64}/[0-9a-f]{64}",
}
_EVERY: Final = 10.0  # seconds between an agent's rounds, as `partner-agent run` has it
_KNOWN: Final = 200  # links that a user keeps in mind
_GAVE_WAY: Final = "results gave way to newer ones"
GOAL_MS: Final = 300.0
OWN: Final = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Log:
    """What was asked and how long it took.

    Attributes:
        times: seconds by page, ids left out of its name, with whether a run was under way.
        wrong: answers other than 200, by page, status and the reason that the page gives.
        gone: links that a visitor knew from before a newer run took a run's results away, by page;
            the page says so, and no page links there any more.
        linking: a run is under way now.
        runs: that have ended.
        rounds: of the further agents, that were answered.
    """

    times: defaultdict[str, list[tuple[float, bool]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    wrong: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    gone: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    linking: bool = False
    runs: int = 0
    rounds: int = 0


def main() -> None:
    """Bring the county up, let everybody in, and tell how long they waited."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("county", type=Path)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--pause", type=float, default=5.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    site, log = Site(options.county), Log()
    with reopened(site, Ports()) as at, ExitStack() as stack:
        console = stack.enter_context(_console(site))
        people = _sign_in(site, console, options.users)
        stopping = threading.Event()
        stack.callback(stopping.set)
        threads = [threading.Thread(target=_link, args=(site, at, log, stopping))]
        threads += [
            threading.Thread(
                target=_ask, args=(site, at, party, random.Random(place), log, stopping)
            )
            for place, party in enumerate(_parties(options.agents - len(PARTNERS)))
        ]
        for thread in threads:
            thread.start()
        origin = f"http://localhost:{Ports().console}"
        asyncio.run(_visit(origin, people, options.seconds, options.pause, log))
        stopping.set()
        for thread in threads:
            thread.join()
    figures = told(log)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


def told(log: Log) -> dict[str, Any]:
    """Print a table; its figures in milliseconds."""
    pages = {
        name: [seconds * 1_000 for seconds, linking in times if linking]
        for name, times in log.times.items()
    }
    every = [each for times in pages.values() for each in times]
    print(f"{log.runs} link runs, {log.rounds} rounds of further agents")
    print(f"{len(every)} pages while a run was under way, in milliseconds")
    print(f"{'page':<40} {'pages':>6} {'median':>8} {'95th':>8} {'worst':>8}")
    rows = {"all": every} | dict(sorted(pages.items(), key=lambda row: -_percentile(row[1], 95)))
    figures = {}
    for name, times in rows.items():
        if times:
            found = statistics.median(times), _percentile(times, 95), max(times)
            figures[name] = [len(times), *(round(each, 1) for each in found)]
            print(f"{name:<40} {len(times):>6} " + " ".join(f"{each:>8.0f}" for each in found))
    for what, count in sorted(log.wrong.items()):
        print(f"{what}: {count} times")
    for what, count in sorted(log.gone.items()):
        print(f"{what} of results that had given way meanwhile: {count} times")
    reached = bool(every) and _percentile(every, 95) < GOAL_MS and not log.wrong
    verdict = "reached" if reached else "missed"
    print(f"goal (95th percentile below {GOAL_MS:.0f} ms, no error): {verdict}")
    return {
        "runs": log.runs,
        "pages": figures,
        "wrong": dict(log.wrong),
        "gone": dict(log.gone),
        "reached": reached,
    }


def _percentile(values: list[float], percent: int) -> float:
    return float(np.percentile(values, percent)) if values else 0.0


# --- who is there -----------------------------------------------------------------------------


@contextmanager
def _console(site: Site) -> Iterator[Console]:
    home = console_home(site)
    console = Console.open(home, ConsoleSettings.load(home))
    try:
        yield console
    finally:
        console.close()


def _sign_in(site: Site, console: Console, users: int) -> list[tuple[Role, str]]:
    """Enrol so many members of staff and begin a session for each: (role, token)."""
    roles = [Role.SERVICE_MANAGER] * (2 * users // 5)
    roles += [(Role.IG_LEAD, Role.ANALYST)[at % 2] for at in range(users - len(roles))]
    lead = read_person_secrets(site.staff("ig_lead") / "person.secret", None)
    people = []
    with open_agent(site.agent(COUNCIL)) as agent:
        for role in roles:
            person = new_person(COUNCIL, role.value, write_time(utc_now()))
            agent.ledger.write(EventType.PERSON_ENROLLED, _enrolled(person, lead))
            people.append((role, _account(console_home(site), console, person)))
        agent.ledger.sync()
        agent.ledger.witness()
    return people


def _enrolled(person: PersonSecrets, lead: PersonSecrets) -> PersonEnrolled:
    keys = person.keys
    enrolment = PersonEnrolment(
        keys=keys.thumbprint, role=keys.role, party=keys.party, created=keys.created
    )
    return PersonEnrolled(
        keys=publish_person_keys(keys, person.signing_key),
        enrolment=sign(PERSON_ENROLMENT, enrolment, lead.signing_key, lead.keys.thumbprint),
    )


def _account(home: Path, console: Console, person: PersonSecrets) -> str:
    """An account that holds these keys, and the token of a session."""
    account = Account(
        id=person.keys.person, role=person.keys.role, label="A member of staff",
        created=person.keys.created, invited_by=None, closed=None,
    )  # fmt: skip
    with console.database.writing() as connection:
        connection.execute(insert(tables.account).values(**account.model_dump(mode="json")))
        token = console.sessions.begin(connection, account.id, utc_now())
    folder = home / "keys"
    folder.mkdir(mode=0o700, exist_ok=True)
    write_secret(folder / f"{account.id}.1.secret", person.signing_key.seed)
    console.keys.add(account, publish_person_keys(person.keys, person.signing_key), None)
    return token


# --- what they do -----------------------------------------------------------------------------


async def _visit(
    origin: str, people: list[tuple[Role, str]], seconds: float, pause: float, log: Log
) -> None:
    """Everybody opens pages until the time is over."""
    until = time.monotonic() + seconds
    await asyncio.gather(
        *(
            _open_pages(origin, role, token, random.Random(at), until, pause, log)
            for at, (role, token) in enumerate(people)
        )
    )


async def _open_pages(
    origin: str,
    role: Role,
    token: str,
    rng: random.Random,
    until: float,
    pause: float,
    log: Log,
) -> None:
    """One person: a page, then a while of reading it."""
    first, further = list(PAGES[role]), re.compile(_FURTHER[role])
    seen: dict[str, None] = {}
    # a connection each: one that waits is closed by the console just when it is used again, which
    # browsers try once more by themselves
    fresh = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(
        base_url=origin, headers=OWN, cookies={COOKIE: token}, timeout=60, limits=fresh
    ) as client:
        while True:
            await asyncio.sleep(rng.expovariate(1.0 / pause))
            if time.monotonic() >= until:
                return
            page = rng.choice(list(seen) if seen and rng.randrange(2) else first)
            begun = time.perf_counter()
            linking = log.linking
            answer = await client.get(page)
            took = time.perf_counter() - begun
            name = _name(page)
            log.times[name].append((took, linking and log.linking))
            if answer.status_code == httpx.codes.CONFLICT and _GAVE_WAY in answer.text:
                log.gone[name] += 1
                seen.pop(page, None)
            elif answer.status_code != httpx.codes.OK:
                log.wrong[f"{name} {answer.status_code} {_reason(answer.text)}"] += 1
            elif len(seen) < _KNOWN:
                links = further.findall(answer.text)
                seen |= dict.fromkeys(each.replace("&amp;", "&") for each in links)


def _reason(page: str) -> str:
    """What a page of a refusal says: its reason code, and the sentence above it."""
    code = re.search(r"Reason code: ([a-z0-9_.]+)", page)
    said = re.search(r'<p class="govuk-body">([^<]*)</p>', page)
    return f"{code[1] if code else ''} ({said[1] if said else ''})"


def _name(page: str) -> str:
    """A page without whose it is."""
    path = page.split("?", maxsplit=1)[0]
    return re.sub(r"/(?:(?:sha256:)?[0-9a-f]{32,64}|\d+)(?=[/.]|$)", "/ID", path)


def _link(site: Site, at: Addresses, log: Log, stopping: threading.Event) -> None:
    """One link run after another."""
    story = Story(site, at)
    while not stopping.is_set():
        log.linking = True
        try:
            runs = story.person("analyst", "linkage-hub", "runs", "list")["runs"]
            agreement = runs[0]["agreement"]
            story.person("analyst", "linkage-hub", "runs", "start", "--agreement", agreement,
                         "--no-questions", "--wait")  # fmt: skip
        except CommandFailed:
            log.wrong["a link run"] += 1
        else:
            log.runs += 1
        log.linking = False
        stopping.wait(1.0)


def _parties(count: int) -> list[str]:
    return [list(PARTNERS)[at % len(PARTNERS)] for at in range(max(0, count))]


def _ask(
    site: Site,
    at: Addresses,
    party: str,
    rng: random.Random,
    log: Log,
    stopping: threading.Event,
) -> None:
    """What an agent asks hub and ledger in each of its rounds, with that party's keys."""
    with open_agent(site.agent(party)) as agent:
        hub = HubClient(at.hub, agent.secrets.keys.thumbprint, agent.secrets.signing_key)
        client = agent.ledger.client
        with hub:
            while not stopping.wait(rng.uniform(0.5, 1.5) * _EVERY):
                try:
                    client.checkpoint()
                    hub.orders()
                    hub.rounds()
                    hub.reveals()
                except ReasonedError as error:
                    log.wrong[f"an agent: {error.reason}"] += 1
                else:
                    log.rounds += 1


if __name__ == "__main__":
    main()
