"""Documents say what is so: events, commands, settings, links, reason codes, decisions."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from governance.cli.main import app as governance_app
from governance.consent.errors import ConsentRefusal
from governance.errors import ReasonedError
from governance.ledger.events import EventType
from governance.ledger.settings import LedgerSettings
from governance.release.errors import ReleaseRefusal
from linkage_hub.cli.main import app as hub_app
from linkage_hub.releases.errors import ReleaseError
from linkage_hub.settings import HubSettings
from linkage_hub.submissions.errors import SubmissionError
from partner_agent.cli.main import app as agent_app
from partner_agent.releases.errors import LocalRefusal
from partner_agent.settings import AgentSettings

ROOT = Path(__file__).resolve().parents[1]
MARKDOWN = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("examples/**/*.md"))
)
GUIDES = "\n".join(
    path.read_text("utf-8") for path in (*(ROOT / "docs/guides").glob("*.md"), ROOT / "README.md")
)


def commands(app: typer.Typer, program: str) -> Iterator[str]:
    """Every command of a program, with the words that call it."""
    yield from _below(get_command(app), program)


def _below(command: object, words: str) -> Iterator[str]:
    names = command.list_commands(None) if hasattr(command, "list_commands") else []  # type: ignore[arg-type]
    if not names:
        yield words
    for name in names:
        yield from _below(command.get_command(None, name), f"{words} {name}")  # type: ignore[attr-defined]


EVERY_COMMAND = [
    *commands(agent_app, "partner-agent"),
    *commands(hub_app, "linkage-hub"),
    *commands(governance_app, "governance"),
]


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
    assert f"`{event.value}`" in (ROOT / "docs/DPIA.md").read_text("utf-8")


@pytest.mark.parametrize("settings", [AgentSettings, HubSettings, LedgerSettings])
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


def _reasons(base: type[ReasonedError]) -> Iterator[str]:
    yield base.reason
    for child in base.__subclasses__():
        yield from _reasons(child)


@pytest.mark.parametrize(
    "reason",
    sorted(
        {
            reason
            for base in (
                ConsentRefusal,
                ReleaseRefusal,
                ReleaseError,
                SubmissionError,
                LocalRefusal,
            )
            for reason in _reasons(base)
        }
    ),
)
def test_every_refusal_is_explained_in_a_guide(reason: str) -> None:
    """A reason code that a user may see is in a guide."""
    assert f"`{reason}`" in GUIDES


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
    text = (ROOT / "docs/DPIA.md").read_text("utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)`", text)
    assert len(named) >= 10
    assert not [name for name in named if not (ROOT / name).exists()]


def test_make_help_lists_the_readme_commands() -> None:
    """The two commands of the README are targets."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    for target in re.findall(r"^\$ make ([a-z-]+)", readme, flags=re.MULTILINE):
        assert re.search(rf"^{target}:.*##", makefile, flags=re.MULTILINE)
