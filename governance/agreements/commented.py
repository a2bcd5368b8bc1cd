"""An agreement as YAML with a comment above each field, for the IG leads who read it."""

from typing import Any, Final

import yaml

from governance.agreements.models import Agreement

COMMENTS: Final = {
    "format": "The form of this file. Leave it.",
    "id": "A short name. Versions of one agreement share it.",
    "version": "Counts up. A later version that names this one ends it once all have signed.",
    "supersedes": "Hash of the version that this one ends, or null.",
    "title": "What it is called.",
    "parties": (
        "Who signs. Each states its own gateway and conditions: none covers another. 'keys' is the "
        "thumbprint of its public keys: compare it by phone."
    ),
    "purposes": "What data are used for. Only one with 'approach: true' may serve a release.",
    "items": "Columns that may be hashed. Those with 'releasable: true' may be released.",
    "indicators": (
        "What owners may say of a record: met, unmet or unknown, looking back 'window_months'. "
        "'rules' says how each source works it out; for one that is not there its mapping does. "
        "'used_as' marks one that is no need: an 'area', a 'team' or a length of 'engagement' that "
        "families are counted by, or that they were referred by the usual route ('referral'). "
        "'detail_of' marks one that tells more of another, and is no need by itself."
    ),
    "sources": (
        "Systems, whose they are, what may be taken from each, and most records. 'opt_outs' says "
        "how the national data opt-out is upheld: 'check' (NHS England's check of NHS numbers) or "
        "'column' (of the extract); without it either may be used."
    ),
    "encoding": (
        "How records are encoded. A change here means that every partner encodes anew; the guide "
        "for IG leads says what k and views are."
    ),
    "actions": "What parties may do. What is not listed is refused.",
    "recipients": "Parties whose service managers may receive released items.",
    "staff_signatures": "How requests and approvals are signed: passkey, key_file, or both.",
    "family_rule": (
        "Whose permission an approach needs. With 'subset_allowed: true' a request may leave out a "
        "member who has not agreed; that member's data stay out."
    ),
    "witnessing": (
        "How many partners must have seen the ledger, how lately, and how soon a withdrawal must "
        "be in it (minutes)."
    ),
    "limits": "Volumes that bound probing; refinement is off where its numbers are 0.",
    "quality": "How linkage is measured with people who do not exist, or null.",
    "retention": (
        "Days that each artefact is kept. Agents destroy what is older. 'consent_payload_days': "
        "consent records are erased from the ledger so many days after nothing can rest on them "
        "any more; without it they are kept for good."
    ),
    "opt_out": "Rows with a national data opt-out are never encoded.",
    "suppression_threshold": "Counts below this are hidden in published tables.",
    "minimum_needs": "Needs from which a family is put forward for professional consideration.",
    "dpia": "The assessment that this agreement rests on. Without one nothing works.",
    "valid_from": "The first day.",
    "expires": "The first day on which it holds no more.",
    "review_by": "After this day everything stops until a new version is signed.",
    "protected": (
        "'never_encoded': rows of protected people and homes are not encoded at all. Without this "
        "they are encoded without their home."
    ),
    "criteria": (
        "Hash of the catalogue of criteria that explains the needs ('linkage-hub catalogue check' "
        "shows it): others are refused, and 'minimum_needs' is its minimum. Without it any may be "
        "used."
    ),
    "privacy_budget": (
        "What models that learn from families, and tables with noise, may cost of differential "
        "privacy in a calendar year, all versions together; the ledger refuses more. Without this "
        "there are neither."
    ),
}
"""Above which field each stands."""
_WIDTH: Final = 96


def write_commented(agreement: Agreement) -> str:
    """The YAML of an agreement, each field below what it means; it reads back to the same hash."""
    data: dict[str, Any] = agreement.model_dump(mode="json")
    parts = []
    for name, value in data.items():
        text = yaml.safe_dump({name: value}, sort_keys=False, allow_unicode=True, width=_WIDTH + 4)
        comment = COMMENTS.get(name, "")
        parts.append("".join(f"# {line}\n" for line in _wrapped(comment)) + text)
    return "\n".join(parts)


def _wrapped(text: str) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > _WIDTH:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line] if line else lines
