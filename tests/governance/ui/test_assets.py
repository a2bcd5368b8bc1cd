"""What is served was built from what is in assets/."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from governance.ui import static_files

ROOT: Final = Path(__file__).resolve().parents[3]
STATIC: Final = ROOT / "governance/ui/static"
STALE: Final = "run: make assets"


@pytest.fixture(scope="module")
def record() -> Any:
    """What the build wrote about itself."""
    return json.loads((STATIC / "build.json").read_text("utf-8"))


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_everything_was_built_from_these_sources(record: Any) -> None:
    """A source that was added, removed or changed after the build is noticed."""
    assets = ROOT / "assets"
    sources = [
        *(assets / name for name in ("build.mjs", "package.json", "package-lock.json")),
        *(
            path
            for name in ("images", "scripts", "styles")
            for path in (assets / name).rglob("*.*")
        ),
    ]
    now = {str(path.relative_to(assets)): digest(path) for path in sources}
    assert now == record["sources"], STALE


def test_nothing_was_edited_after_the_build(record: Any) -> None:
    """A built file that was changed, removed or added by hand is noticed."""
    files = [path for path in STATIC.iterdir() if path.name != "build.json"]
    now = {path.name: digest(path) for path in (*files, STATIC.parent / "components.json")}
    assert now == record["built"], STALE


def test_styles_load_nothing_and_have_no_font_of_their_own() -> None:
    """GDS Transport is licensed for GOV.UK alone, and no other host is asked for anything."""
    css = (STATIC / "page.css").read_text("utf-8")
    assert "@font-face" not in css
    assert "GDS Transport" not in css
    loaded = re.findall(r"url\(\"?([^)\"]+)", css)
    assert not [
        each for each in loaded if not each.startswith("/assets/images/govuk-crest")
    ]  # unused
    assert "@import" not in css


def test_the_lock_names_no_address() -> None:
    """Where packages came from is a matter of the computer that fetched them."""
    lock = (ROOT / "assets/package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def test_a_name_changes_with_its_file() -> None:
    """An address holds the hash of what is behind it."""
    name = static_files.asset_path("page.css")
    assert name == f"/static/page.{digest(STATIC / 'page.css')[:16]}.css"
