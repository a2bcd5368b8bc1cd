"""What a new version changes is said in words, and no change goes unsaid."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from governance.agreements.differences import meaning
from governance.agreements.models import Agreement
from tests.governance.world import Party, agreement_data

DATA = agreement_data([Party("police"), Party("nhs"), Party("council")])


def said(change: Callable[[dict[str, Any]], object]) -> list[str]:
    """What a changed version would mean."""
    data = copy.deepcopy(DATA)
    change(data)
    return meaning(Agreement.model_validate(DATA), Agreement.model_validate(data))


def _phone(data: dict[str, Any]) -> None:
    data["items"].append({"id": "phone", "description": "Phone", "releasable": True})
    data["sources"][0]["items"].append("phone")


def test_what_a_party_would_also_hash_is_said_by_its_name() -> None:
    """The sentence that an IG lead has to see before signing."""
    assert said(_phone) == [
        "police would now also hash: phone (from police_records)",
        "phone could now be released for an approach",
    ]


def _detail(data: dict[str, Any]) -> None:
    more = {"id": "offence_6m", "description": "an offence", "window_months": 6}
    data["indicators"].append(data["indicators"][0] | more | {"detail_of": "offence"})


def test_what_counts_for_a_need_and_no_longer_does_is_said() -> None:
    """A need that becomes a detail puts nobody forward any more."""
    old = copy.deepcopy(DATA)
    _detail(old)
    del old["indicators"][-1]["detail_of"]
    new = copy.deepcopy(DATA)
    _detail(new)
    (sentence,) = meaning(Agreement.model_validate(old), Agreement.model_validate(new))
    assert sentence == "offence_6m would be a detail of offence and no need; until now a need"


@pytest.mark.parametrize("of", ["elsewhere", "offence_6m"])
def test_a_detail_tells_more_of_a_listed_need(of: str) -> None:
    """Neither of something that is not there nor of itself."""
    data = copy.deepcopy(DATA)
    _detail(data)
    data["indicators"][-1]["detail_of"] = of
    with pytest.raises(ValueError, match="detail_of"):
        Agreement.model_validate(data)


SENTENCES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "models": (
        lambda d: d.update(privacy_budget={"epsilon": 1.5, "delta": 1e-6}),
        (
            "models that learn from families and tables with noise could cost of privacy in a "
            "calendar year epsilon 1.5 and delta 0.000001 at most; until now there could be none"
        ),
    ),
    "fewer items": (
        lambda d: d["sources"][1]["items"].remove("address"),
        "nhs would no longer hash: address (from nhs_records)",
    ),
    "release": (
        lambda d: d["items"][2].update(releasable=True),
        "date_of_birth could now be released for an approach",
    ),
    "recipient": (
        lambda d: d["recipients"].append("police"),
        "released details could now also go to police",
    ),
    "action": (lambda d: d["actions"].append("refine"), "parties could now also refine"),
    "gateway": (
        lambda d: d["parties"][1].update(
            gateway=d["parties"][1]["gateway"] | {"legal_gateway": "NHSA"}
        ),
        "nhs would state another legal gateway: NHSA; until now Crime and Disorder Act 1998 s115",
    ),
    "keys": (
        lambda d: d["parties"][0].update(keys="sha256:" + "0" * 64),
        "police would sign with other keys: compare the thumbprint with it by phone",
    ),
    "purpose": (
        lambda d: d["purposes"][0].update(approach=True),
        "find-families could now lead to an approach to a family",
    ),
    "retention": (
        lambda d: d["retention"].update(vault_days=400),
        "partners' own rows in their vaults would be kept longer: 400 days, until now 365",
    ),
    "consents": (
        lambda d: d["retention"].update(consent_payload_days=2_000),
        (
            "consent records of people whose row is gone would be erased from the ledger after "
            "2000 days, until now never"
        ),
    ),
    "signatures": (
        lambda d: d["staff_signatures"].remove("key_file"),
        "requests and approvals could no longer be signed with a key file",
    ),
    "subset": (
        lambda d: d["family_rule"].update(subset_allowed=False),
        "a request could no longer leave out a member of the family who has not agreed",
    ),
    "indicator": (
        lambda d: d["indicators"][0].update(window_months=24),
        "offence would look back 24 months, until now 12",
    ),
    "detail": (
        _detail,
        (
            "police could now say of a record: offence_6m (an offence, within 6 months), a detail "
            "of offence and no need"
        ),
    ),
    "dates": (
        lambda d: d.update(review_by="2027-06-01"),
        "review_by would change from 2027-05-01 to 2027-06-01",
    ),
    "opt-outs": (
        lambda d: d["sources"][1].update(opt_outs="check"),
        (
            "nhs_records would uphold the national data opt-out by NHS England's check of NHS "
            "numbers, until now as its partner chooses"
        ),
    ),
    "protected": (
        lambda d: d.update(protected="never_encoded"),
        (
            "rows of protected people and homes would not be encoded at all, until now they would "
            "be encoded without their home"
        ),
    ),
    "quorum": (
        lambda d: d["witnessing"].update(quorum=1),
        "witnessing.quorum would change from 2 to 1",
    ),
}


@pytest.mark.parametrize("what", SENTENCES)
def test_each_change_has_its_sentence(what: str) -> None:
    """One change gives one sentence, the one that says what it means."""
    change, sentence = SENTENCES[what]
    assert said(change) == [sentence]


def test_nothing_changed_nothing_said() -> None:
    """The same agreement, and one that differs in its number alone."""
    assert said(lambda _: None) == []
    assert said(lambda d: d.update(version=2, supersedes="sha256:" + "0" * 64)) == []


def _leaves(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(data, dict):
        return [leaf for key, value in data.items() for leaf in _leaves(value, (*path, key))]
    if isinstance(data, list) and data and isinstance(data[0], dict):
        return [leaf for at, value in enumerate(data) for leaf in _leaves(value, (*path, at))]
    return [path]


OTHERS: dict[str, Callable[[Any], Any]] = {
    "bool": lambda value: not value,
    "int": lambda value: value + 1,
    "str": lambda value: value + "x",
}


def test_no_change_of_any_field_goes_unsaid() -> None:
    """Each leaf of an agreement is changed in turn wherever the result is an agreement."""
    tried = 0
    for path in _leaves(DATA):
        data = copy.deepcopy(DATA)
        place: Any = data
        for step in path[:-1]:
            place = place[step]
        change = OTHERS.get(type(place[path[-1]]).__name__)
        if change is None or path[0] in ("version", "supersedes"):
            continue
        place[path[-1]] = change(place[path[-1]])
        try:
            newer = Agreement.model_validate(data)
        except ValueError:
            continue
        tried += 1
        assert meaning(Agreement.model_validate(DATA), newer), path
    assert tried > 40
