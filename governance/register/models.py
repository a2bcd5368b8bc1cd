"""Steps of a data item, as East Sussex took them for each item of each system.

Wanted; located in a system; permission already held (a notice, a consent form or a statute that
covers this use), or missing; assessed; then in use, or its notice or consent form to be rewritten,
or excluded. Where permission was missing nothing leads to use but a rewritten notice or form.
"""

from enum import StrEnum
from typing import Final


class Step(StrEnum):
    """Where an item of a system is."""

    LOCATED = "located"
    PERMISSION_HELD = "permission_held"
    PERMISSION_MISSING = "permission_missing"
    ASSESSED = "assessed"
    IN_USE = "in_use"
    REWRITE_NOTICE = "rewrite_notice"
    REWRITE_CONSENT_FORM = "rewrite_consent_form"
    EXCLUDED = "excluded"


class Ground(StrEnum):
    """What a permission rests on, or why an item is excluded."""

    PRIVACY_NOTICE = "privacy_notice"
    CONSENT_FORM = "consent_form"
    STATUTE = "statute"
    NOT_NEEDED = "not_needed"
    NOT_PROPORTIONATE = "not_proportionate"
    NOT_PERMITTED = "not_permitted"
    POOR_QUALITY = "poor_quality"


_REWRITTEN: Final = frozenset({Step.REWRITE_NOTICE, Step.REWRITE_CONSENT_FORM})
_NEXT: Final[dict[Step | None, frozenset[Step]]] = {
    None: frozenset({Step.LOCATED}),
    Step.LOCATED: frozenset({Step.PERMISSION_HELD, Step.PERMISSION_MISSING, Step.EXCLUDED}),
    Step.PERMISSION_HELD: frozenset({Step.ASSESSED, Step.EXCLUDED}),
    Step.PERMISSION_MISSING: frozenset({Step.ASSESSED, Step.EXCLUDED}),
    Step.ASSESSED: frozenset({Step.IN_USE, Step.EXCLUDED}) | _REWRITTEN,
    Step.IN_USE: frozenset({Step.ASSESSED, Step.EXCLUDED}) | _REWRITTEN,
    Step.REWRITE_NOTICE: frozenset({Step.PERMISSION_HELD, Step.EXCLUDED}),
    Step.REWRITE_CONSENT_FORM: frozenset({Step.PERMISSION_HELD, Step.EXCLUDED}),
    Step.EXCLUDED: frozenset({Step.LOCATED}),
}


def next_steps(step: Step | None, *, permitted: bool) -> frozenset[Step]:
    """Steps that may follow one.

    Args:
        step: where the item is; None before its first step.
        permitted: whether its permission is held.
    """
    following = _NEXT[step]
    return following if permitted else following - {Step.IN_USE}
