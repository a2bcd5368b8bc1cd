"""``make interop``: another implementation of the C2SP formats, in an environment of its own.

The packages ``aics-tlog`` and ``aics-witness`` (Apache-2.0) need a newer Python than this project;
any from 3.12 on that is on this machine will do. They are never a dependency: the test that uses
them is skipped, and says why, where this environment was not made.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = ("aics-tlog==0.2.1", "aics-witness==0.1.0")
TESTS = "tests/governance/ledger/test_outside.py"


def main() -> None:
    """Make the environment unless it is there, and run the tests that need it."""
    home = Path(os.environ["HEARTHLINK_INTEROP"])
    python = home / "bin" / "python"
    if not python.exists():
        newer = newer_python()
        if newer is None:
            raise SystemExit("no Python from 3.12 on was found: install one, then try again")
        subprocess.run([newer, "-m", "venv", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-rs", TESTS], check=False)
    raise SystemExit(done.returncode)


def newer_python() -> Path | None:
    """A Python that runs and is new enough."""
    names = [shutil.which(f"python3.{minor}") for minor in (14, 13, 12)]
    kept = sorted(Path.home().glob(".pyenv/versions/3.1[2-9]*/bin/python"), reverse=True)
    for found in [*(Path(name) for name in names if name), *kept]:
        code = "import sys, ensurepip; sys.exit(sys.version_info < (3, 12))"
        if subprocess.run([found, "-c", code], check=False, capture_output=True).returncode == 0:
            return found
    return None


if __name__ == "__main__":
    main()
