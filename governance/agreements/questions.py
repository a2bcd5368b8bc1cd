"""What an agreement is asked for, question by question, and each answer's check.

Rules: each answer is checked at once (``Question.check``); names of parties, items and indicators
are checked against what was said before, and so are the order of dates and the catalogue's minimum
of needs. What is not asked (encoding, quality, refinement) comes from an older agreement or the
answers' file, since no IG lead should type it.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from governance.agreements import models
from governance.agreements.criteria import Criteria
from governance.agreements.privacy import MOST_DELTA, PrivacyBudget
from governance.agreements.question import Ask, Question, no_rule
from governance.canonical import Frozen


def _with_rules(indicator: dict[str, Any], sources: list[dict[str, Any]]) -> dict[str, Any]:
    """An indicator with the rules of sources that submit it still."""
    submitting = {source["id"] for source in sources if indicator["id"] in source["indicators"]}
    rules = {name: rule for name, rule in (indicator["rules"] or {}).items() if name in submitting}
    return indicator | {"rules": rules or None}


GATEWAY: Final = {
    "legal_gateway": "the law that lets this party share for these purposes",
    "article_6_basis": "UK GDPR Article 6 basis",
    "article_9_condition": "Article 9 and DPA 2018 Schedule 1 condition",
    "article_10_condition": "Article 10 condition for data on offences, or 'not applicable'",
    "common_law_route": "how the common-law duty of confidence is met, or 'not applicable'",
}
KEPT: Final = {
    "encodings_days": "days that the hub keeps encodings",
    "link_results_days": "days that the hub keeps link results",
    "released_items_days": "days that opened contact details are kept",
    "vault_days": "days that a partner keeps its own rows in its vault",
}
ERASED: Final = "days after a record's end until its consents are erased from the ledger, or never"
ACTIONS: Final = tuple(action.value for action in models.Action)
NO_OPT_OUTS: Final = "none"
WITHOUT_HOME: Final = "without_home"
NEVER: Final = "never"
NO_MODELS: Final = "none"


class Interview:
    """Asks for a whole agreement.

    Args:
        ask: asks one question and gives the checked answer.
        more: whether there is another of a kind ("purpose"), after so many.
        like: an older agreement's data, for defaults.
        criteria: the catalogue that the agreement is to name.
    """

    def __init__(
        self,
        ask: Ask,
        more: Callable[[str, int], bool],
        like: dict[str, Any] | None,
        criteria: Criteria | None = None,
    ) -> None:
        self._ask = ask
        self._more = more
        self._like = like or {}
        self._criteria = criteria
        self._taken: list[dict[str, Any]] = []
        self._dates: dict[str, str] = {}

    def _new_id(self, answer: str) -> str:
        taken = {entry["id"] for entry in self._taken}
        return "there is one of that id already" if answer in taken else ""

    def _id(self, where: str, model: type[Frozen], text: str, old: dict[str, Any]) -> Any:
        return self._part(where, model, "id", text, None, old, rule=self._new_id)

    def _date(
        self, field: str, text: str, after: str | None = None, *, or_same: bool = False
    ) -> str:
        """A day, not before an earlier one."""

        def rule(answer: str) -> str:
            first = self._dates.get(after or "", "")
            fits = answer > first or (or_same and answer == first)
            return "" if fits else f"expected a day after {after}"

        self._dates[field] = self._top(field, text, rule=rule)
        return self._dates[field]

    def agreement(self, parties: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
        """All answers, as an agreement's data but for encoding and quality.

        Args:
            parties: short name, full name, and thumbprint of the keys of each.
        """
        known = list(parties)
        names = tuple(name for name, _, _ in known)
        data: dict[str, Any] = {
            "format": "agreement/v1",
            "id": self._top("id", "a short name for the agreement, for example county-families"),
            "title": self._top("title", "its title"),
            "parties": [self._party(*party) for party in known],
        }
        data["purposes"] = self._several("purpose", self._purpose)
        data["items"] = self._several("item", self._item)
        items = tuple(item["id"] for item in data["items"])
        data["indicators"] = self._several(
            "indicator", lambda at, old: self._indicator(at, old, names), least=0
        )
        indicators = tuple(each["id"] for each in data["indicators"])
        data["sources"] = self._several(
            "source", lambda at, old: self._source(at, old, names, items, indicators)
        )
        data["indicators"] = [_with_rules(each, data["sources"]) for each in data["indicators"]]
        data |= self._terms(names)
        learns = models.Action.ANALYSE in data["actions"]
        data["criteria"] = self._like.get("criteria")  # written in the file; a new version keeps it
        return data | {"privacy_budget": self._privacy() if learns else None}

    def _privacy(self) -> dict[str, Any] | None:
        where, old = "privacy_budget", self._like.get("privacy_budget") or {}
        epsilon = self._part(
            where, PrivacyBudget, "epsilon",
            "privacy that models and tables with noise may cost in a calendar year, as epsilon "
            "from 0.1 to 3, or none",
            NO_MODELS, old, nothing=NO_MODELS,
        )  # fmt: skip
        if epsilon is None:
            return None
        text = "its delta, from 0.000001 to 0.00001"
        return {
            "epsilon": epsilon,
            "delta": self._part(where, PrivacyBudget, "delta", text, MOST_DELTA, old),
        }

    def _terms(self, names: tuple[str, ...]) -> dict[str, Any]:
        top = self._top
        return {
            "actions": top("actions", "what parties may do", ACTIONS, ACTIONS, many=True),
            "recipients": top("recipients", "who may receive released items", (), names, many=True),
            "staff_signatures": top(
                "staff_signatures", "how requests and approvals are signed", ("passkey",),
                tuple(kind.value for kind in models.SignatureKind), many=True,
            ),
            "family_rule": {
                "adults": "every_adult",
                "children": "own_or_parental_responsibility",
                "subset_allowed": self._part(
                    "family_rule", models.FamilyRule, "subset_allowed",
                    "may a request leave out a member who has not agreed (yes or no)", True,
                ),
            },
            "witnessing": self._section("witnessing", models.Witnessing, {
                "quorum": ("partners that must have seen the ledger", 2),
                "max_age_minutes": ("minutes for which that counts", 15),
                "merge_delay_minutes": ("minutes in which a withdrawal must be in it", 5),
            }),
            "limits": self._section("limits", models.Limits, {
                "submissions_per_source_per_day": ("submissions of a source in a day", 10),
                "releases_per_party_per_day": ("releases of a party in a day", 20),
            }),
            "retention": self._section(
                "retention", models.Retention, {name: (text, None) for name, text in KEPT.items()}
            )
            | {
                "consent_payload_days": self._part(
                    "retention", models.Retention, "consent_payload_days", ERASED, NEVER,
                    nothing=NEVER,
                )
            },
            "opt_out": "national_data_opt_out_upheld",
            "protected": top(
                "protected",
                "rows of protected people: never_encoded, or encoded without_home",
                WITHOUT_HOME, ("never_encoded", WITHOUT_HOME), nothing=WITHOUT_HOME,
            ),
            "suppression_threshold": top(
                "suppression_threshold", "counts below this are hidden in tables", 7
            ),
            "minimum_needs": top(
                "minimum_needs", "needs from which a family is put forward", 2, rule=self._minimum
            ),
            "dpia": self._section("dpia", models.Dpia, {
                "reference": ("reference of the DPIA", None),
                "outcome": ("approved, or approved_with_conditions", "approved"),
                "approved_on": ("day of its approval, for example 2026-10-01", None),
            }),
            "valid_from": self._date("valid_from", "first day, for example 2026-11-01"),
            "review_by": self._date("review_by", "last day before a review", "valid_from"),
            "expires": self._date(
                "expires", "first day on which it holds no more", "review_by", or_same=True
            ),
        }  # fmt: skip

    def _minimum(self, answer: int) -> str:
        least = answer if self._criteria is None else self._criteria.minimum
        return "" if answer == least else f"expected {least}, as the catalogue has it"

    def _top(
        self, field: str, text: str, default: Any = None, among: tuple[str, ...] | None = None,
        *, many: bool = False, rule: Callable[[Any], str] = no_rule, nothing: str | None = None,
    ) -> Any:  # fmt: skip
        default = self._like.get(field, default)
        return self._ask(
            Question(field, text, models.Agreement, field, default, among, many, rule, nothing)
        )

    def _part(
        self, where: str, model: type[Frozen], field: str, text: str, default: Any,
        old: dict[str, Any] | None = None, among: tuple[str, ...] | None = None,
        *, many: bool = False, rule: Callable[[Any], str] = no_rule, nothing: str | None = None,
    ) -> Any:  # fmt: skip
        old = self._like.get(where, {}) if old is None else old
        default = old.get(field, default)
        return self._ask(
            Question(f"{where}.{field}", text, model, field, default, among, many, rule, nothing)
        )

    def _section(
        self, where: str, model: type[Frozen], fields: dict[str, tuple[str, Any]]
    ) -> dict[str, Any]:
        return {
            name: self._part(where, model, name, text, default)
            for name, (text, default) in fields.items()
        }

    def _several(
        self, kind: str, one: Callable[[int, dict[str, Any]], dict[str, Any]], least: int = 1
    ) -> list[dict[str, Any]]:
        """Entries of a list, first those of the older agreement, until there is no other."""
        before = self._like.get(f"{kind}s", [])
        found: list[dict[str, Any]] = []
        self._taken = found
        while len(found) < max(least, len(before)) or self._more(kind, len(found)):
            old = before[len(found)] if len(found) < len(before) else {}
            found.append(one(len(found), old))
        return found

    def _party(self, party: str, name: str, keys: str) -> dict[str, Any]:
        before: list[dict[str, Any]] = self._like.get("parties", [])
        old = next((one for one in before if one["party"] == party), {})
        where = f"parties.{party}"
        one = models.AgreementParty
        roles = ("controller", "joint_controller", "processor")
        return {
            "party": party,
            "name": name,
            "role": self._part(where, one, "role", "its role", "controller", old, roles),
            "dpo_contact": self._part(where, one, "dpo_contact", "how to reach its DPO", None, old),
            "keys": keys,
            "gateway": {
                field: self._part(
                    f"{where}.gateway", models.Gateway, field, text, None, old.get("gateway", {})
                )
                for field, text in GATEWAY.items()
            },
        }

    def _purpose(self, at: int, old: dict[str, Any]) -> dict[str, Any]:
        where, one = f"purposes.{at + 1}", models.Purpose
        return {
            "id": self._part(
                where,
                one,
                "id",
                "a short name, for example offer-help",
                None,
                old,
                rule=self._new_id,
            ),
            "description": self._part(where, one, "description", "what it is for", None, old),
            "approach": self._part(
                where, one, "approach", "may it lead to an approach (yes or no)", None, old
            ),
        }

    def _item(self, at: int, old: dict[str, Any]) -> dict[str, Any]:
        where, one = f"items.{at + 1}", models.DataItem
        return {
            "id": self._part(
                where,
                one,
                "id",
                "a column's name, as the register has it",
                None,
                old,
                rule=self._new_id,
            ),
            "description": self._part(where, one, "description", "what it is", None, old),
            "releasable": self._part(
                where,
                one,
                "releasable",
                "may it be released for an approach (yes or no)",
                None,
                old,
            ),
        }

    def _indicator(self, at: int, old: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        where, one = f"indicators.{at + 1}", models.IndicatorItem
        return {
            "id": self._part(
                where, one, "id", "a short name, for example neet", None, old, rule=self._new_id
            ),
            "description": self._part(where, one, "description", "what is met", None, old),
            "owners": self._part(
                where, one, "owners", "parties that may say so", None, old, names, many=True
            ),
            "window_months": self._part(
                where, one, "window_months", "months that it looks back", 12, old
            ),
            "rules": old.get("rules"),  # written in the file; a new version keeps them
            "used_as": old.get("used_as"),  # likewise
            "detail_of": old.get("detail_of"),  # likewise
        }

    def _source(
        self, at: int, old: dict[str, Any], names: tuple[str, ...], items: tuple[str, ...],
        indicators: tuple[str, ...],
    ) -> dict[str, Any]:  # fmt: skip
        where, one = f"sources.{at + 1}", models.Source
        return {
            "id": self._part(
                where, one, "id", "a system's short name", None, old, rule=self._new_id
            ),
            "party": self._part(where, one, "party", "whose it is", None, old, names),
            "description": self._part(where, one, "description", "what it holds", None, old),
            "items": self._part(where, one, "items", "columns taken", items, old, items, many=True),
            "indicators": self._part(
                where, one, "indicators", "indicators taken", (), old, indicators, many=True
            ),
            "max_records": self._part(where, one, "max_records", "most records", 100_000, old),
            "opt_outs": self._part(
                where, one, "opt_outs",
                "how the national data opt-out is upheld: check (of NHS numbers), column or none",
                NO_OPT_OUTS, old, ("check", "column", NO_OPT_OUTS), nothing=NO_OPT_OUTS,
            ),
        }  # fmt: skip
