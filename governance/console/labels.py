"""What codes of an agreement, a family and a refusal are called on pages.

Rules: an agreement's own descriptions name its items, purposes, needs, parties and sources; what
has no description is shown as its code, with blanks; a refusal has words of the catalogue, and a
code that the catalogue does not know is shown as it is.
"""

from collections import Counter
from collections.abc import Mapping

from governance.agreements.models import Agreement
from governance.exchange.release_api import FamilyView, MemberView
from governance.ui.words import Words

Labels = dict[str, dict[str, str]]


def labels_of(agreement: Agreement, words: Words) -> Labels:
    """Kinds of codes, each from code to words."""
    version = words("labels.agreement", title=agreement.title, version=agreement.version)
    return {
        "items": {each.id: _upper(each.description) for each in agreement.items},
        "purposes": {each.id: _upper(each.description) for each in agreement.purposes},
        "needs": {each.id: _upper(each.description) for each in agreement.indicators},
        "parties": {each.party: each.name for each in agreement.parties},
        "sources": {each.id: _upper(each.description) for each in agreement.sources},
        "agreements": {agreement.hash: version},
    }


def persons_of(view: FamilyView, words: Words) -> dict[str, str]:
    """A family's members by role and age, numbered where two are alike."""
    plain = {member.person: _person(member, words) for member in view.members}
    many = Counter(plain.values())
    seen: Counter[str] = Counter()
    found = {}
    for person, text in plain.items():
        seen[text] += 1
        found[person] = f"{text} ({seen[text]})" if many[text] > 1 else text
    return found


def short_id(id_: str) -> str:
    """A pseudonym as people say it: its first eight digits."""
    return id_.partition("-")[2][:8] or id_[:8]


def name_of(labels: Mapping[str, Mapping[str, str]], kind: str, code: str) -> str:
    """What a code is called."""
    return labels.get(kind, {}).get(code, _upper(code.replace("_", " ")))


def why(words: Words, reason: str | None) -> str:
    """Why something is refused, in words; empty for no reason."""
    if reason is None:
        return ""
    key = "why." + reason
    return words(key) if key in words else reason


def _person(member: MemberView, words: Words) -> str:
    role = words("labels.role." + member.role)
    if member.age_band is None:
        return words("labels.person.age_unknown", role=role)
    return words("labels.person", role=role, age=words("labels.age." + member.age_band))


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
