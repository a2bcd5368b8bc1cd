"""Transparency records: nothing is made up, nothing missing goes unsaid, and hashes name files."""

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from governance.agreements.models import Agreement
from governance.agreements.privacy import PrivacyBudget
from governance.canonical import hash_of, sha256
from governance.transparency import code
from governance.transparency.errors import OtherAgreement
from governance.transparency.models import ModelCard, Program, TransparencyRecord
from governance.transparency.record import record_of
from governance.transparency.shown import MISSING, as_markdown, as_page
from governance.transparency.written import Written
from tests.governance.world import World

TODAY: Final = date(2026, 11, 29)
PROGRAM: Final = Program(version="1.0", code=sha256(b"program"))
WHOLE: Final[dict[str, Any]] = {
    "format": "transparency/v1",
    "organisation": "council",
    "website_url": "https://county.example/families",
    "contact_email": "families@county.example",
    "team": "Early help",
    "senior_responsible_owner": "Director of children's services",
    "suppliers": [],
    "benefit": "Families are offered help earlier.",
    "previous_process": "Lists were compared by hand.",
    "alternatives": "Asking each family again.",
    "frequency": "Linked once a month.",
    "required_training": "One day.",
    "phase": "beta/pilot",
    "maintenance": "Updated each quarter.",
    "equality": "EQIA 7, approved 2026-10-01.",
    "risks": "Wrong links; see the assessment.",
}


def card(**changes: Any) -> ModelCard:
    """A model's card with every field."""
    return ModelCard(**dict.fromkeys(ModelCard.model_fields, "said") | changes)


@cache
def agreement() -> Agreement:
    """The tests' agreement, one for all: its keys are new in each world."""
    return World().agreement


def made(written: dict[str, Any], terms: Agreement | None = None) -> TransparencyRecord:
    """A record of the tests' agreement."""
    found = Written.model_validate(written)
    return record_of(terms or agreement(), found, PROGRAM, [card()], None, {}, TODAY)


def whole(terms: Agreement) -> dict[str, Any]:
    """Everything that an organisation can say, about an agreement's sources too."""
    each = {source.id: "From the system." for source in terms.sources}
    return WHOLE | {"completeness": each, "collection": dict(each)}


def test_a_record_is_whole_once_everything_was_written() -> None:
    """Then nothing is missing; and it comes back from its own bytes as it was."""
    terms = agreement()
    found = made(whole(terms), terms)
    assert found.missing() == ()
    assert found.agreement_hash == terms.hash
    again = TransparencyRecord.model_validate_json(found.model_dump_json())
    assert hash_of(again) == hash_of(found)


@pytest.mark.parametrize("left_out", sorted({*WHOLE} - {"format", "organisation"}))
def test_what_nobody_wrote_is_missing_and_never_made_up(left_out: str) -> None:
    """One thing left out is one field that is said to be missing, in the list and where it is."""
    terms = agreement()
    found = made({key: value for key, value in whole(terms).items() if key != left_out}, terms)
    assert len(found.missing()) == 1
    assert as_markdown(found).decode().count(MISSING) == 1
    assert as_page(found).decode().count(MISSING) == 1


def test_an_empty_file_leaves_every_field_of_the_organisation_missing() -> None:
    """Nothing that an organisation has to answer for has a default."""
    found = made({"format": "transparency/v1", "organisation": "council"})
    sources = len(found.sources)
    assert len(found.missing()) == len(WHOLE) - 2 + 2 * sources
    assert found.owner.organisation


def test_a_processor_that_nobody_described_is_a_supplier_with_fields_missing() -> None:
    """Who is named in the agreement cannot be left out by writing that there is no supplier."""
    terms = agreement()
    data = terms.model_dump(mode="json")
    data["parties"][0]["role"] = "processor"
    found = made(whole(terms), Agreement.model_validate(data))
    assert found.owner.third_party_involvement == "Yes"
    assert [each.supplier for each in found.third_parties] == [terms.parties[0].name]
    assert len(found.missing()) == 3


def test_numbers_of_fields_are_those_of_the_standard_and_in_order() -> None:
    """No field twice, none out of order within its part."""
    for _, section in made(WHOLE).parts():
        numbers = [
            tuple(map(int, re.match(r"[\d.]+\d", title)[0].split(".")))  # type: ignore[index]
            for title, _ in section.lines()
        ]
        assert numbers == sorted(set(numbers))


def test_another_organisation_is_refused_without_its_name() -> None:
    """A file that was written for another agreement."""
    with pytest.raises(OtherAgreement) as refused:
        made(WHOLE | {"organisation": "elsewhere"})
    assert "elsewhere" not in str(refused.value)


def test_what_was_written_is_text_and_never_markup() -> None:
    """Words of an organisation make no element of the page and no table of the Markdown."""
    found = made(WHOLE | {"team": "<script>x</script> | **y** [z](http://a)"})
    assert b"<script>" not in as_page(found)
    assert b"<script>" not in as_markdown(found)
    assert rb"\<script\>x\</script\> \| \*\*y\*\* \[z\](http" in as_markdown(found)


def test_the_programs_hash_is_of_every_file_and_of_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One byte, name or file changed is another program; compiled files are not counted."""
    package = tmp_path / "hashed_package"
    (package / "inner" / "__pycache__").mkdir(parents=True)
    (package / "__init__.py").write_bytes(b"")
    (package / "inner" / "a.yaml").write_bytes(b"a: 1")
    monkeypatch.syspath_prepend(str(tmp_path))

    def now() -> str:
        return hash_of(code.file_hashes([package.name]))

    first = now()
    (package / "inner" / "__pycache__" / "a.pyc").write_bytes(b"x")
    assert now() == first
    (package / "inner" / "a.yaml").write_bytes(b"a: 2")
    assert now() != first
    (package / "inner" / "a.yaml").rename(package / "inner" / "b.yaml")
    assert len({first, now()}) == 2
    assert code.file_hashes([package.name])["hashed_package/inner/b.yaml"] == sha256(b"a: 2")


def test_who_is_helped_already_is_said_to_be_no_need() -> None:
    """It is a variable that leaves its owner, and counts for nothing."""
    said = agreement().model_dump_json().replace('"offence"', '"in_programme"')
    (variable,) = made(WHOLE, Agreement.model_validate_json(said)).variables
    assert str(variable.need).startswith("none:")


def test_a_detail_is_said_to_be_no_need() -> None:
    """So is what tells more of another indicator."""
    data = agreement().model_dump(mode="json")
    data["indicators"].append(data["indicators"][0] | {"id": "offence_6m", "detail_of": "offence"})
    variables = made(WHOLE, Agreement.model_validate(data)).variables
    assert variables[-1].need == "none: it tells more of offence"


def test_what_models_may_cost_is_told_and_that_none_may_be_made() -> None:
    """By the agreement: a budget in its words, or that there is none."""
    terms = agreement()
    assert "No model may learn" in (made(WHOLE, terms).rationale.scope or "")
    budget = PrivacyBudget(epsilon=0.5, delta=2e-6)
    scope = made(WHOLE, terms.model_copy(update={"privacy_budget": budget})).rationale.scope or ""
    assert "cost epsilon 0.5 and delta 0.000002 at most" in scope
    assert "No model" not in scope
