"""Documents say what is so: events, commands, settings, links, reason codes, decisions, routes."""

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel
from typer.main import get_command

from examples.county.demo.agreement import template
from governance.cli.main import app as governance_app
from governance.console import openid, outside
from governance.console.settings import ConsoleSettings
from governance.exchange import hub_client
from governance.exchange.hub_api import EXPORTS, Problem, RunView, SubmissionView
from governance.exchange.release_api import (
    AnswerPost,
    FamilySummary,
    FamilyView,
    MemberView,
    NeedView,
    OrderItem,
    OutcomePost,
    PartyAnswer,
    ReleaseView,
    RequestView,
)
from governance.ledger import client as ledger_client
from governance.ledger.events import EventType
from governance.ledger.settings import LedgerSettings
from governance.storage.database import BUSY_TIMEOUT_MS
from linkage_hub.api.access import ACCESS
from linkage_hub.cli.main import app as hub_app
from linkage_hub.settings import HubSettings
from partner_agent.cli.main import app as agent_app
from partner_agent.settings import AgentSettings

ROOT = Path(__file__).resolve().parents[1]
MARKDOWN = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("examples/**/*.md"))
)
GUIDES = "\n".join(
    path.read_text("utf-8") for path in (*(ROOT / "docs/guides").glob("*.md"), ROOT / "README.md")
)

DPIA = (ROOT / "docs/DPIA.md").read_text("utf-8")
HUB_API = (ROOT / "docs/hub-api.md").read_text("utf-8")


def commands(app: typer.Typer, program: str) -> Iterator[str]:
    """Every command of a program, with the words that call it."""
    yield from _below(get_command(app), program)


def _below(command: object, words: str) -> Iterator[str]:
    names = command.list_commands(None) if hasattr(command, "list_commands") else []
    if not names:
        yield words
    for name in names:
        yield from _below(command.get_command(None, name), f"{words} {name}")  # type: ignore[attr-defined]


EVERY_COMMAND = [
    *commands(agent_app, "partner-agent"),
    *commands(hub_app, "linkage-hub"),
    *commands(governance_app, "governance"),
]


_CALLED = re.compile(r"(?:^\$ |`)((?:governance|partner-agent|linkage-hub) [^`\n]+)", re.MULTILINE)
CALLS = sorted(
    {(path.name, call) for path in MARKDOWN for call in _CALLED.findall(path.read_text("utf-8"))}
)


def _words(call: str) -> list[str]:
    """The words of a command line that name the command, at most."""
    call = re.sub(r" --(home|json|quiet|no-input)( [^ -][^ ]*)?(?= )", "", call)
    words = re.match(r"[a-z-]+(?: [a-z][a-z-]*)*", call)
    return words[0].split() if words else []


@pytest.mark.parametrize(("file", "call"), CALLS)
def test_documents_call_commands_that_are_there(file: str, call: str) -> None:
    """What a document tells somebody to type exists, or begins with a group that does."""
    words = _words(call)
    known = [command.split() for command in EVERY_COMMAND]
    assert any(
        words[: len(each)] == each or (words == each[: len(words)] and len(words) > 1)
        for each in known
    ), f"{file}: {call}"


def test_every_program_has_commands() -> None:
    """The list that the next test walks is not empty for any program."""
    assert len(EVERY_COMMAND) > 30
    assert {words.split()[0] for words in EVERY_COMMAND} == {
        "partner-agent", "linkage-hub", "governance",
    }  # fmt: skip


@pytest.mark.parametrize("words", EVERY_COMMAND)
def test_every_command_is_in_a_guide(words: str) -> None:
    """A user finds each command in a guide, by its program and words or by its words alone."""
    program, *rest = words.split()
    pattern = rf"({program}( --home \w+)? )?{' '.join(map(re.escape, rest))}\b"
    assert re.search(pattern, GUIDES), words


@pytest.mark.parametrize("event", list(EventType))
def test_every_ledger_event_is_in_the_dpia(event: EventType) -> None:
    """Whoever reads the DPIA learns of everything that the ledger records."""
    assert f"`{event.value}`" in DPIA


@pytest.mark.parametrize("settings", [AgentSettings, HubSettings, LedgerSettings, ConsoleSettings])
def test_every_setting_is_documented(settings: type) -> None:
    """Each environment variable stands in docs/settings.md."""
    text = (ROOT / "docs/settings.md").read_text("utf-8")
    prefix = settings.model_config["env_prefix"]  # type: ignore[attr-defined]
    missing = [
        name
        for name in settings.model_fields  # type: ignore[attr-defined]
        if f"`{prefix}{name.upper()}`" not in text
    ]
    assert not missing


PROGRAMS = ("governance", "partner_agent", "linkage_hub")
EXPLAINED = (
    "consent", "release", "submission", "family", "run", "access", "refinement", "rights",
)  # fmt: skip


def _reasons() -> set[str]:
    """Reason codes of every error class in the programs' source, imported by a test or not."""
    found: set[str] = set()
    for path in (path for name in PROGRAMS for path in (ROOT / name).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                found |= {
                    line.value.value
                    for line in node.body
                    if isinstance(line, ast.Assign)
                    and [getattr(name, "id", "") for name in line.targets] == ["reason"]
                    and isinstance(line.value, ast.Constant)
                    and isinstance(line.value.value, str)
                }
    return {reason for reason in found if reason.split(".")[0] in EXPLAINED}


def test_reasons_are_found_by_reading_the_source() -> None:
    """The list that the next test walks holds refusals of all three programs."""
    assert {"consent.withdrawn", "release.protected", "submission.quota"} <= _reasons()


@pytest.mark.parametrize("reason", sorted(_reasons()))
def test_every_refusal_is_explained_in_a_guide(reason: str) -> None:
    """A reason code that a user may see is in a guide."""
    assert f"`{reason}`" in GUIDES


@pytest.mark.parametrize("route", sorted(ACCESS))
def test_every_route_of_the_hub_is_documented(route: str) -> None:
    """A caller finds each route, as the hub spells it, in docs/hub-api.md."""
    assert f"`{route}`" in HUB_API


@pytest.mark.parametrize(
    "model",
    [SubmissionView, RunView, FamilySummary, FamilyView, RequestView, PartyAnswer, ReleaseView,
     MemberView, NeedView, Problem, AnswerPost, OutcomePost, OrderItem],
)  # fmt: skip
def test_every_member_of_a_body_is_documented(model: type[BaseModel]) -> None:
    """A caller finds each member of what the hub takes and gives in docs/hub-api.md."""
    words = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`]+)`", HUB_API))))
    assert set(model.model_fields) <= words


def test_every_export_is_documented() -> None:
    """An analyst finds each file of a run in the guide, a caller in the hub's interface."""
    guide = (ROOT / "docs/guides/analyst.md").read_text("utf-8")
    assert not [name for name in EXPORTS if f"`{name}`" not in guide or f"`{name}`" not in HUB_API]


def test_every_purpose_of_the_county_is_in_the_dpia(tmp_path: Path) -> None:
    """Whoever reads the DPIA learns of every purpose that the example agreement names."""
    mapping = tmp_path / "partners" / "council" / "register.yaml"
    mapping.parent.mkdir(parents=True)
    mapping.write_text("source: register\ncolumns: {first_name: A, surname: B}\n", "utf-8")
    drawn_up = template(tmp_path, date(2026, 1, 1))
    purposes = [purpose["id"] for purpose in drawn_up["purposes"]]
    assert len(purposes) >= 2
    assert not [purpose for purpose in purposes if f"`{purpose}`" not in DPIA]


def test_risks_are_numbered_in_order() -> None:
    """The DPIA's risks are R1, R2 and so on, each once, so that code may point at one."""
    numbers = [int(number) for number in re.findall(r"^\| R(\d+) ", DPIA, flags=re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_resolve(path: Path) -> None:
    """No document points at a file that is not there."""
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    broken = [
        target for target in targets if "://" not in target and not (path.parent / target).exists()
    ]
    assert not broken


def test_decisions_are_numbered_once() -> None:
    """Each decision record has a number of its own."""
    numbers = [path.name[:4] for path in (ROOT / "docs/adr").glob("*.md")]
    assert len(set(numbers)) == len(numbers)


def test_guarding_tests_exist() -> None:
    """Each test that the DPIA names is there."""
    named = re.findall(r"`(tests/[\w/]+\.py)`", DPIA)
    assert len(named) >= 10
    assert not [name for name in named if not (ROOT / name).exists()]


def test_make_help_lists_the_readme_commands() -> None:
    """The two commands of the README are targets."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    for target in re.findall(r"^\$ make ([a-z-]+)", readme, flags=re.MULTILINE):
        assert re.search(rf"^{target}:.*##", makefile, flags=re.MULTILINE)


def test_time_limits_are_those_of_the_code() -> None:
    """Seconds in all, for each part, and attempts, of whoever asks whom."""
    rows = {
        "programs and commands: the ledger": (ledger_client.DEADLINE, ledger_client.TIMEOUT),
        "programs and commands: the hub": (hub_client.DEADLINE, hub_client.TIMEOUT),
        "the staff console: the ledger": (outside.LEDGER_SECONDS, ledger_client.TIMEOUT),
        "the staff console: the hub": (outside.HUB_SECONDS, hub_client.TIMEOUT),
        "the staff console: an OpenID provider": (openid._SECONDS, openid._SECONDS),
    }
    text = (ROOT / "docs/settings.md").read_text("utf-8")
    for who, (whole, part) in rows.items():
        assert f"| {who} | {whole:g} | {part:g} |" in text, who
    for client in (ledger_client, hub_client):
        assert f"| {client.ATTEMPTS}, {client.FIRST_WAIT:g} s |" in text
    assert f"for {outside.SYNC_SECONDS:g} seconds nobody" in text
    assert f"for {openid._FAILED_FOR:g} seconds nobody" in text
    assert f"writes to | {BUSY_TIMEOUT_MS / 1000:g} |" in text
