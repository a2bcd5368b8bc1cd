"""What a recorded run (``--junitxml``) says of itself beside its results: which commit it tested.

``governance oversight risks`` reads it, so that nobody claims a pass of another version.
"""

import subprocess
from pathlib import Path

import pytest
from _pytest.junitxml import xml_key

ROOT = Path(__file__).resolve().parents[1]


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Write the commit into the results; with ``-dirty`` where files differ from it."""
    results = config.stash.get(xml_key, None)
    if results is not None and (commit := _commit()):
        results.add_global_property("commit", commit)


def _commit() -> str:
    """Empty where this is no working copy."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
