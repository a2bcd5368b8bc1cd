"""The agent measures how alike people are, by its own records alone."""

from datetime import date

import pandas as pd
import pytest

from governance.agreements.encoding import Hardening
from partner_agent.encoding.likeness import TOO_ALIKE, LikenessMeter, too_alike
from partner_agent.encoding.person import default_hardening
from partner_agent.encoding.schema import LinkageSchema
from partner_agent.encoding.submission import SubmissionEncoder
from partner_agent.encoding.tokens import LinkageKeys
from tests.partner_agent.encoding.test_attack import DOCUMENT, homes

SCHEMA = LinkageSchema.parse(DOCUMENT)
DEFAULT = default_hardening(DOCUMENT)


def measured(frame: pd.DataFrame, hardening: Hardening = DEFAULT, chunk: int = 1_000) -> float:
    """Likeness of an extract read in chunks."""
    meter = LikenessMeter(SCHEMA, hardening)
    for start in range(0, len(frame), chunk):
        meter.add(frame.iloc[start : start + chunk])
    found = meter.thresholds()
    assert found is not None
    return found


def test_a_village_is_too_alike() -> None:
    """The population that is opened by few known people is told from its own records."""
    village = homes(names=20, streets=2)
    assert measured(village) > 5 * TOO_ALIKE
    assert measured(village, Hardening(k=4)) < TOO_ALIKE


def test_likeness_follows_what_the_attack_names() -> None:
    """A village is more alike than a town, and each fewer majority or more views tells more."""
    town = homes(names=200, streets=40)
    default, three = measured(town), measured(town, default_hardening(DOCUMENT, 3))
    assert measured(town, Hardening(k=4)) < 0.5 < default < three
    assert default < measured(homes(names=20, streets=2))


def test_order_chunks_and_repeated_rows_change_nothing() -> None:
    """The sample hangs on postcodes and people, not on how the extract is written."""
    town = homes(names=200, streets=40)
    again = pd.concat([town, town], ignore_index=True)
    assert measured(again, chunk=37) == pytest.approx(measured(town), rel=0.02)


def test_few_records_and_plain_encodings_say_nothing() -> None:
    """Below fifty records there is nothing to say, and profile clk hides no likeness."""
    meter = LikenessMeter(SCHEMA, DEFAULT)
    assert meter.thresholds() is None
    meter.add(homes(names=20, streets=2).iloc[:40])
    assert meter.thresholds() is None
    keys = LinkageKeys.derive(bytes(range(32)), "sha256:" + "00" * 32, 1)
    assert SubmissionEncoder(SCHEMA, keys, date(2026, 11, 24)).likeness() is None


def test_the_warning_says_what_to_do() -> None:
    """A source over the limit is named with the remedy; others say nothing."""
    warning = too_alike("gp_registrations", 7.24)
    assert warning is not None
    assert "gp_registrations" in warning
    assert "7.2" in warning
    assert "encoding.hardening" in warning
    assert too_alike("gp_registrations", TOO_ALIKE) is None
    assert too_alike("gp_registrations", None) is None
