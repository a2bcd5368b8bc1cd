"""What an agreement may say of its encodings."""

from typing import Any

import pytest
from pydantic import ValidationError

from governance.agreements.encoding import Encoding

SCHEMA = {
    "version": 3,
    "features": [
        {"identifier": "surname", "format": {"type": "string"}},
        {"identifier": "date_of_birth", "format": {"type": "date"}},
        {"identifier": "phone", "ignored": True},
    ],
}


def encoding(hardening: dict[str, Any] | None, profile: str = "hardened") -> Encoding:
    """An encoding with this hardening."""
    return Encoding.model_validate(
        {"profile": profile, "epoch": 1, "linkage_schema": SCHEMA, "hardening": hardening}
    )


def views(*leaves_out: list[str]) -> dict[str, Any]:
    """A hardening with views that leave out these."""
    return {
        "k": 3,
        "views": [{"id": f"view_{at}", "leaves_out": each} for at, each in enumerate(leaves_out)],
    }


def test_profiles_and_their_parameters() -> None:
    """Views count with the full encoding; profile clk has one."""
    assert encoding(None, "clk").view_count == 1
    found = encoding(views(["surname"], ["date_of_birth.year"], ["date_of_birth.day_month"]))
    assert found.view_count == 4
    assert encoding({"k": 2}).view_count == 1
    assert encoding(needing("date_of_birth")).view_count == 2


def needing(feature: str) -> dict[str, Any]:
    """A hardening with a view without surname that needs another feature."""
    return {"k": 3, "views": [{"id": "one", "leaves_out": ["surname"], "needs": [feature]}]}


@pytest.mark.parametrize(
    ("hardening", "profile"),
    [
        (None, "hardened"),
        ({"k": 3}, "clk"),
        ({"k": 0}, "hardened"),
        ({"k": 5}, "hardened"),
        ({"k": 3, "bits": 1000}, "hardened"),
        (views([]), "hardened"),
        (views(["phone"]), "hardened"),
        (views(["surname.year"]), "hardened"),
        (views(["date_of_birth.month"]), "hardened"),
        (views(["surname", "date_of_birth"]), "hardened"),
        (views(["date_of_birth", "date_of_birth.year"]), "hardened"),
        (views(["surname"], ["surname"]), "hardened"),
        (needing("surname"), "hardened"),
        (needing("phone"), "hardened"),
        ({"k": 3, "views": [{"id": "full", "leaves_out": ["surname"]}]}, "hardened"),
    ],
)
def test_what_has_no_meaning_is_refused(hardening: dict[str, Any] | None, profile: str) -> None:
    """Wrong ranges, views without a feature, views that repeat or leave nothing in."""
    with pytest.raises(ValidationError):
        encoding(hardening, profile)
