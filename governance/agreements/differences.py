"""What changes from one version of an agreement to the next: field by field, and in words.

Words say what a change means for the parties, and every changed field is in one sentence at least:
a field that has no words of its own is told as it is.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from governance.agreements.indicators import in_words
from governance.agreements.models import Agreement, AgreementParty, IndicatorItem, Source


def differences(old: Any, new: Any, where: str = "") -> list[dict[str, str]]:
    """Leaves that differ; list members are matched by ``id`` or ``party`` where they have one."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            change
            for key in dict.fromkeys((*old, *new))
            for change in differences(old.get(key), new.get(key), f"{where}.{key}".lstrip("."))
        ]
    if isinstance(old, list) and isinstance(new, list):
        before, after = _named(old), _named(new)
        return [
            change
            for key in dict.fromkeys((*before, *after))
            for change in differences(before.get(key), after.get(key), f"{where}[{key}]")
        ]
    if old == new:
        return []
    return [{"where": where, "was": _words(old), "will_be": _words(new)}]


def meaning(old: Agreement, new: Agreement) -> list[str]:
    """What the next version would change for the parties, in sentences."""
    said = [sentence for tells in _TELLS.values() for sentence in tells(old, new)]
    rest = [
        f"{change['where']} would change from {change['was']} to {change['will_be']}"
        for change in differences(old.model_dump(mode="json"), new.model_dump(mode="json"))
        if change["where"] not in _SILENT and not change["where"].startswith(tuple(_TELLS))
    ]
    return said + rest


def _named(items: list[Any]) -> dict[str, Any]:
    named = {}
    for at, item in enumerate(items):
        key = item.get("id", item.get("party")) if isinstance(item, dict) else item
        named[str(at if key is None else key)] = item
    return named


def _words(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict):
        return str(value.get("description", value.get("name", "present")))
    return str(value)


_OPT_OUTS: Final = {
    "check": "by NHS England's check of NHS numbers",
    "column": "by a column of the extract",
    None: "as its partner chooses",
}


def _listed(words: Any) -> str:
    return ", ".join(sorted(words))


def _means(name: str, was: str, will: str) -> str:
    return f"{name} would mean: {will}; until now {was}"


def _parties(old: Agreement, new: Agreement) -> Iterator[str]:
    before, after = ({party.party: party for party in a.parties} for a in (old, new))
    for name in after.keys() - before.keys():
        yield f"{name} would join as {after[name].role.replace('_', ' ')}"
    for name in before.keys() - after.keys():
        yield (
            f"{name} would leave; the version now in force is not superseded without it: "
            "suspend that one"
        )
    for name in sorted(before.keys() & after.keys()):
        yield from _party(before[name], after[name])


def _party(old: AgreementParty, new: AgreementParty) -> Iterator[str]:
    name = old.party
    for field, words in (("role", "act as"), ("dpo_contact", "be reached for DPO matters at")):
        was, will = getattr(old, field), getattr(new, field)
        if was != will:
            yield f"{name} would {words} {will}, until now {was}"
    if old.name != new.name:
        yield f"{name} would be called {new.name}, until now {old.name}"
    if old.keys != new.keys:
        yield f"{name} would sign with other keys: compare the thumbprint with it by phone"
    for field, will in new.gateway:
        was = getattr(old.gateway, field)
        if was != will:
            yield f"{name} would state another {field.replace('_', ' ')}: {will}; until now {was}"


def _purposes(old: Agreement, new: Agreement) -> Iterator[str]:
    before, after = ({purpose.id: purpose for purpose in a.purposes} for a in (old, new))
    for name in sorted(after.keys() - before.keys()):
        leads = ", which may lead to an approach" if after[name].approach else ""
        yield f"data could now also be used for {name} ({after[name].description}){leads}"
    for name in sorted(before.keys() - after.keys()):
        yield f"data could no longer be used for {name}"
    for name in sorted(before.keys() & after.keys()):
        if before[name].approach != after[name].approach:
            may = "could now" if after[name].approach else "could no longer"
            yield f"{name} {may} lead to an approach to a family"
        if before[name].description != after[name].description:
            yield _means(name, before[name].description, after[name].description)


def _sources(old: Agreement, new: Agreement) -> Iterator[str]:
    before, after = ({source.id: source for source in a.sources} for a in (old, new))
    for name, source in after.items():
        yield from _source(before.get(name), source)
        yield from _opt_outs(before.get(name), source)
    for name in sorted(before.keys() - after.keys()):
        yield f"{before[name].party} would take nothing from {name} any more"


def _source(old: Source | None, new: Source) -> Iterator[str]:
    moved = old is not None and old.party != new.party
    if old is None or moved:
        if old is not None:
            yield f"{new.id} would be {new.party}'s, until now {old.party}'s"
        yield f"{new.party} would now also hash: {_listed(new.items)} (from {new.id})"
        if new.indicators:
            yield f"{new.party} would now also submit: {_listed(new.indicators)} (from {new.id})"
        yield f"{new.party} could submit up to {new.max_records:,} records from {new.id}"
        return
    for verb, was, will in (
        ("hash", set(old.items), set(new.items)),
        ("submit", set(old.indicators), set(new.indicators)),
    ):
        if more := will - was:
            yield f"{new.party} would now also {verb}: {_listed(more)} (from {new.id})"
        if less := was - will:
            yield f"{new.party} would no longer {verb}: {_listed(less)} (from {new.id})"
    if old.max_records != new.max_records:
        yield (
            f"{new.party} could submit up to {new.max_records:,} records from {new.id}, until now "
            f"{old.max_records:,}"
        )
    if old.description != new.description:
        yield f"{new.id} would be described as {new.description}; until now {old.description}"


def _opt_outs(old: Source | None, new: Source) -> Iterator[str]:
    was = None if old is None else old.opt_outs
    if was != new.opt_outs:
        until_now = "" if old is None else f", until now {_OPT_OUTS[was]}"
        will = _OPT_OUTS[new.opt_outs]
        yield f"{new.id} would uphold the national data opt-out {will}{until_now}"


def _items(old: Agreement, new: Agreement) -> Iterator[str]:
    before, after = ({item.id: item for item in a.items} for a in (old, new))
    released, kept = (
        {name for name, item in items.items() if item.releasable} for items in (after, before)
    )
    for name in sorted(released - kept):
        yield f"{name} could now be released for an approach"
    for name in sorted(kept - released):
        yield f"{name} could no longer be released for an approach"
    for name in sorted(after.keys() - before.keys() - released):
        yield f"{name} would be a new item, never released"
    for name in sorted(before.keys() - after.keys() - kept):
        yield f"{name} would be no item any more"
    for name in sorted(before.keys() & after.keys()):
        if before[name].description != after[name].description:
            yield _means(name, before[name].description, after[name].description)


_USES: Final = {
    None: "a need",
    "area": "an area that families are counted by",
    "team": "a team that families are counted by",
    "engagement": "a length of engagement that families are counted by",
    "referral": "that they were referred by the usual route",
}


def _indicators(old: Agreement, new: Agreement) -> Iterator[str]:
    before, after = ({each.id: each for each in a.indicators} for a in (old, new))
    for name in sorted(after.keys() - before.keys()):
        each = after[name]
        use = f", {_use(each)}" if each.used_as or each.detail_of else ""
        yield (
            f"{_listed(each.owners)} could now say of a record: {name} ({each.description}, within "
            f"{each.window_months} months){use}"
        )
    for name in sorted(before.keys() - after.keys()):
        yield f"nobody could say {name} of a record any more"
    for name in sorted(before.keys() & after.keys()):
        was, will = before[name], after[name]
        if more := set(will.owners) - set(was.owners):
            yield f"{_listed(more)} could now also say {name} of a record"
        if less := set(was.owners) - set(will.owners):
            yield f"{_listed(less)} could no longer say {name} of a record"
        if was.window_months != will.window_months:
            months = f"{will.window_months} months, until now {was.window_months}"
            yield f"{name} would look back {months}"
        if was.description != will.description:
            yield _means(name, was.description, will.description)
        if _use(was) != _use(will):
            yield f"{name} would be {_use(will)}; until now {_use(was)}"
        yield from _rules(was, will)


def _use(each: IndicatorItem) -> str:
    if each.detail_of is not None:
        return f"a detail of {each.detail_of} and no need"
    return _USES[each.used_as]


def _rules(was: IndicatorItem, will: IndicatorItem) -> Iterator[str]:
    old, new = was.rules or {}, will.rules or {}
    for source in sorted(old.keys() | new.keys()):
        before, after = old.get(source), new.get(source)
        if before != after:
            yield f"{source} would say {will.id} {in_words(after)}, until now {in_words(before)}"


def _encoding(old: Agreement, new: Agreement) -> Iterator[str]:
    if old.encoding != new.encoding:
        was, will = old.encoding, new.encoding
        yield (
            f"records would be encoded otherwise ({will.profile}, epoch {will.epoch}, "
            f"{will.view_count} views; until now {was.profile}, epoch {was.epoch}, "
            f"{was.view_count}): every partner encodes and submits anew"
        )


def _may(field: str, more: str, less: str) -> Callable[[Agreement, Agreement], Iterator[str]]:
    def tells(old: Agreement, new: Agreement) -> Iterator[str]:
        was, will = (set(map(str, getattr(a, field))) for a in (old, new))
        if added := will - was:
            yield more.format(_listed(word.replace("_", " ") for word in added))
        if gone := was - will:
            yield less.format(_listed(word.replace("_", " ") for word in gone))

    return tells


_KEPT: Final = {
    "encodings_days": "encodings and the tokens beside them",
    "link_results_days": "link results",
    "released_items_days": "opened contact details",
    "vault_days": "partners' own rows in their vaults",
}


def _retention(old: Agreement, new: Agreement) -> Iterator[str]:
    for field, what in _KEPT.items():
        was, will = getattr(old.retention, field), getattr(new.retention, field)
        if was != will:
            longer = "longer" if will > was else "shorter"
            yield f"{what} would be kept {longer}: {will} days, until now {was}"
    was, will = (_days_or_never(a.retention.consent_payload_days) for a in (old, new))
    if was != will:
        yield (
            "consent records of people whose row is gone would be erased from the ledger "
            f"{will}, until now {was}"
        )


def _days_or_never(days: int | None) -> str:
    return "never" if days is None else f"after {days} days"


def _family_rule(old: Agreement, new: Agreement) -> Iterator[str]:
    if old.family_rule != new.family_rule:
        may = "could now" if new.family_rule.subset_allowed else "could no longer"
        yield f"a request {may} leave out a member of the family who has not agreed"


def _protected(old: Agreement, new: Agreement) -> Iterator[str]:
    if old.protected != new.protected:
        ways = ("be encoded without their home", "not be encoded at all")
        will, was = (ways[a.protected is not None] for a in (new, old))
        yield f"rows of protected people and homes would {will}, until now they would {was}"


def _privacy(old: Agreement, new: Agreement) -> Iterator[str]:
    was, will = old.privacy_budget, new.privacy_budget
    if was == will:
        return
    if will is None:
        yield "no model could learn from families, and no table with noise be made, any more"
        return
    until_now = "; until now there could be none" if was is None else f", until now {was.words}"
    yield (
        "models that learn from families and tables with noise could cost of privacy in a calendar "
        f"year {will.words} at most{until_now}"
    )


def _dpia(old: Agreement, new: Agreement) -> Iterator[str]:
    if old.dpia != new.dpia:
        will = new.dpia
        yield (
            f"it would rest on DPIA {will.reference}, {will.outcome.replace('_', ' ')} on "
            f"{will.approved_on}; until now {old.dpia.reference} of {old.dpia.approved_on}"
        )


def _criteria(old: Agreement, new: Agreement) -> Iterator[str]:
    if old.criteria != new.criteria:
        was, will = (a.criteria or "whichever the hub uses" for a in (old, new))
        yield f"needs would be explained by the catalogue {will}; until now {was}"


_TELLS: Final[dict[str, Callable[[Agreement, Agreement], Iterator[str]]]] = {
    "parties": _parties,
    "purposes": _purposes,
    "sources": _sources,
    "items": _items,
    "indicators": _indicators,
    "encoding": _encoding,
    "actions": _may("actions", "parties could now also {}", "parties could no longer {}"),
    "recipients": _may(
        "recipients",
        "released details could now also go to {}",
        "released details could no longer go to {}",
    ),
    "staff_signatures": _may(
        "staff_signatures",
        "requests and approvals could now also be signed with a {}",
        "requests and approvals could no longer be signed with a {}",
    ),
    "retention": _retention,
    "family_rule": _family_rule,
    "dpia": _dpia,
    "protected": _protected,
    "privacy_budget": _privacy,
    "criteria": _criteria,
}
"""By the beginning of the fields that each speaks for."""
_SILENT: Final = ("version", "supersedes")
