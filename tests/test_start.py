"""What a command loads before it does anything: half of its time, on a slow machine most of it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.hub_world import HubWorld
from tests.partner_agent.consent_world import decide, hold

ROOT: Final = Path(__file__).resolve().parents[1]
HEAVY: Final = (
    "alembic", "altair", "clkhash", "keyring", "numba", "numpy", "openpyxl", "pandas", "pyarrow",
    "scipy", "sklearn", "torch",
)  # fmt: skip
RUN: Final = """
import contextlib, io, json, sys
from importlib import import_module
from governance.terminal import run_cli

program, home, heavy, commands = json.loads(sys.argv[1])
app = import_module(program).app
for words in commands:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            run_cli(app, [*home, *words])
        except SystemExit as end:
            code = end.code or 0
    print(json.dumps([code, words, [name for name in heavy if name in sys.modules]]))
"""
"""Runs commands of one program in this fresh interpreter and tells after each what is loaded."""


def loaded(program: str, commands: list[list[str]], *home: str) -> list[Any]:
    """Exit code, words and what is loaded of ``HEAVY`` after each command."""
    question = json.dumps([f"{program}.cli.main", home, HEAVY, commands])
    done = subprocess.run(
        [sys.executable, "-c", RUN, question], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_what_reads_no_rows_loads_nothing_that_does(hub_world: HubWorld) -> None:
    """Consents, withdrawals, rights, agreement, status, releases: no pandas, no compiled code."""
    hold(hub_world, ("C1", {"first_name": "Ada"}))
    (grant,) = decide(hub_world, "C1")
    notice = hub_world.root / "notice.txt"
    notice.write_text("We would like to offer help.\n")
    commands = [
        ["status"],
        ["agreement", "show"],
        ["secret", "create"],
        ["consent", "list"],
        [
            *("consent", "record", "--source", "council_records", "--record-id", "C1"),
            *("--expires", "2099-01-01", "--method", "in_person", "--notice", str(notice)),
        ],
        ["consent", "milestones"],
        ["consent", "withdraw", grant],
        ["rights", "open", "--kind=access", "--source=council_records", "--record-id=C1"],
        ["rights", "list"],
        ["protect", "list"],
        ["opt-outs", "status"],
        ["releases", "list"],
        ["releases", "answer"],
        ["questions", "status"],
        ["register", "show"],
        ["reveal"],
        ["purge", "--dry-run"],
    ]
    found = loaded("partner_agent", commands, "--home", str(hub_world.root / "council"))
    assert found == [[0, words, []] for words in commands]


@pytest.mark.parametrize(
    ("program", "commands"),
    [
        ("governance", ["party", "person", "agreement", "ledger", "release", "register",
                        "evidence", "verify"]),
        ("linkage_hub", ["runs", "review", "reports"]),
    ],
)  # fmt: skip
def test_staff_wait_for_nothing_that_reads_rows(program: str, commands: list[str]) -> None:
    """Their commands ask a service that has read them."""
    found = loaded(program, [[command, "--help"] for command in commands])
    assert [(code, heavy) for code, _, heavy in found] == [(0, [])] * len(commands)
