"""The rest of a mapping as a form: how dates and names are written, and what a mark means.

An answer's field is named by its need: a page from before the mapping was changed in another tab
answers about no other need.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from governance.agreements.indicators import number_text
from partner_agent.console.columns import KINDS, simple

_NUMBERS: Final = frozenset({"at_least", "below"})


@dataclass(frozen=True)
class Rule:
    """One question: when a need is met, or who has opted out or is protected.

    Attributes:
        name: of its fields in the form.
        key: ``indicators.ID`` or a marker.
        kind, value: as they stand now; a marker's kind is always ``equals``.
        clear: of a marker: the words that mean no, beside blank, no, n, false and 0.
    """

    name: str
    key: str
    column: str
    kind: str
    value: str
    clear: str = ""

    @property
    def marker(self) -> bool:
        """Whether it is about people who are left out, and not about a need."""
        return "." not in self.key


def rules_of(data: Mapping[str, Any]) -> list[Rule]:
    """The questions that a mapping's columns bring with them."""
    found = []
    for id_, rule in data.get("indicators", {}).items():
        if not simple(rule):
            continue  # written as text, and kept as it is
        kind = next((kind for kind in KINDS if rule.get(kind) is not None), "")
        found.append(
            Rule(f"need-{id_}", f"indicators.{id_}", rule["column"], kind, _text(rule.get(kind)))
        )
    for marker in ("opt_out", "protected"):
        if rule := data.get(marker):
            words = _text(rule.get("equals")), _text(rule.get("clear"))
            found.append(Rule(marker, marker, rule["column"], "equals", *words))
    return found


def with_rules(
    data: Mapping[str, Any], answers: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """A mapping with the answers of the form.

    Returns:
        The mapping as plain data, and what is wrong: the words' key, by field of the form.
    """
    new = {**data, "indicators": dict(data.get("indicators", {}))}
    faults: dict[str, str] = {}
    for rule in rules_of(data):
        made, wrong = _made(rule, answers)
        faults |= wrong
        if rule.marker:
            new[rule.key] = made
        else:
            new["indicators"][rule.key.removeprefix("indicators.")] = made
    if not new["indicators"]:
        del new["indicators"]
    new.pop("dates", None)
    if answers.get("day_first") == "no":
        new["dates"] = {"day_first": False}
    names: dict[str, object] = {}
    if answers.get("surname_first") == "yes":
        names["full_name_order"] = "surname_first"
    if answers.get("nicknames") == "yes":
        names["expand_nicknames"] = True
    new.pop("names", None)
    return (new | {"names": names} if names else new), faults


def _made(rule: Rule, answers: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """One rule as plain data, as far as it was answered, and what is wrong with the answer."""
    kind = "equals" if rule.marker else answers.get(f"{rule.name}-kind", "")
    typed = answers.get(f"{rule.name}-value", "").strip()
    made: dict[str, Any] = {"column": rule.column}
    if kind not in KINDS:
        return made, {f"{rule.name}-kind": "agent.rules.no_kind"}
    if not typed:
        return made, {f"{rule.name}-value": "agent.rules.no_value"}
    if kind in _NUMBERS:
        number, fault = _number(typed)
        return made | {kind: number}, {f"{rule.name}-value": fault} if fault else {}
    clear = _words(answers.get(f"{rule.name}-clear", ""))
    return made | {kind: _words(typed)} | ({"clear": clear} if rule.marker and clear else {}), {}


def is_set(data: Mapping[str, Any], part: str, name: str) -> str:
    """A value of ``dates`` or ``names`` as text in small letters, or ``""``."""
    value = data.get(part, {}).get(name)
    return "" if value is None else str(value).lower()


def _number(text: str) -> tuple[float | str, str]:
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        return text, "agent.rules.no_number"
    return (number, "") if math.isfinite(number) else (text, "agent.rules.no_number")


def _words(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return "\n".join(map(str, value))
    return number_text(value) if isinstance(value, float) else str(value)
