"""``linkage-hub reports``: files that hold no figures to share."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from linkage_hub.cli.main import app
from linkage_hub.cli.reports import NotFigures

FORMAT = "later-referral/v1"
SECRET = "somebody"


@pytest.mark.parametrize(
    "written",
    [
        "{",
        "[]",
        json.dumps({"format": SECRET, "agreement": "sha256:" + "0" * 64}),
        json.dumps({"format": [SECRET]}),
        json.dumps({"format": FORMAT}),
        json.dumps({"format": FORMAT, "agreement": [SECRET]}),
    ],
)
def test_what_holds_no_figures_is_refused_before_the_hub_is_asked(
    tmp_path: Path, written: str
) -> None:
    """With what was expected and what to do, and no word of the file."""
    file = tmp_path / "figures.json"
    file.write_text(written, "utf-8")
    words = ["reports", "share", str(file), "--hub", "http://127.0.0.1:1", "--as", str(file)]
    refused = CliRunner().invoke(app, words).exception
    assert isinstance(refused, NotFigures)
    assert FORMAT in str(refused)
    assert "interventions report" in (refused.next_step or "")
    assert SECRET not in str(refused)
