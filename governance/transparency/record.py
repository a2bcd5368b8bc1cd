"""The record of an agreement, from what was signed, how the program works, and what was written.

Rules: what the agreement says is repeated in its words; what the program does by itself is said by
the program, in sentences that are true of every agreement or of this one's profile; everything else
is the organisation's own, and missing where it has not said it. No number that was counted among
people goes in, but a model's own estimate of its quality.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from governance.agreements.indicators import in_words
from governance.agreements.models import Agreement, IndicatorItem, Source
from governance.transparency.errors import OtherAgreement
from governance.transparency.models import (
    CatalogueNamed,
    DataCard,
    Deciding,
    Impact,
    ModelCard,
    Overview,
    Owner,
    Program,
    Rationale,
    Specification,
    ThirdParty,
    TransparencyRecord,
    Variable,
)
from governance.transparency.written import Written

_NO_NEED: Final = "none: it says who is helped already"
_USES: Final = {
    None: _NO_NEED,
    "area": "none: families are counted by area",
    "team": "none: families are counted by team",
    "engagement": "none: families are counted by how long they are helped",
    "referral": "none: it says who was referred by the usual route",
}


def record_of(
    agreement: Agreement,
    written: Written,
    program: Program,
    models: Sequence[ModelCard],
    catalogue: CatalogueNamed | None,
    needs: dict[str, str],
    today: date,
    data: str | None = None,
) -> TransparencyRecord:
    """Put a record together.

    Args:
        agreement: as all parties have signed it.
        written: the organisation's own words.
        program: the one that is installed.
        models: what links and what puts forward.
        catalogue: of criteria, where one explains the needs.
        needs: the catalogue's need of each indicator that it names.
        today: when the record was written.
        data: hash of the provenance of the newest list.

    Raises:
        OtherAgreement: what was written names an organisation or a source that is not in it.
    """
    _check(agreement, written)
    return TransparencyRecord(
        written_on=today.isoformat(),
        agreement=agreement.id,
        agreement_version=agreement.version,
        agreement_hash=agreement.hash,
        linkage_schema=agreement.encoding.schema_hash,
        program=program,
        catalogue=catalogue,
        data=data,
        minimum_needs=agreement.minimum_needs,
        variables=tuple(_variable(agreement, each, needs) for each in agreement.indicators),
        overview=_overview(agreement, written),
        owner=_owner(agreement, written),
        third_parties=_third_parties(agreement, written),
        rationale=_rationale(agreement, written),
        deciding=_deciding(agreement, written),
        specification=_specification(agreement, written),
        models=tuple(models),
        sources=tuple(_data(agreement, each, written) for each in agreement.sources),
        impact=_impact(agreement, written),
    )


def _check(agreement: Agreement, written: Written) -> None:
    suppliers = {each.party for each in written.suppliers or () if each.party is not None}
    unknown = sorted(
        each for each in {written.organisation, *suppliers} if agreement.party(each) is None
    ) + sorted(
        each
        for each in {*written.completeness, *written.collection}
        if agreement.source(each) is None
    )
    if unknown:
        raise OtherAgreement(
            f"{len(unknown)} organisations or sources are not in this agreement",
            next_step="organisation, suppliers' party, completeness and collection take its ids",
        )


def _variable(agreement: Agreement, each: IndicatorItem, needs: dict[str, str]) -> Variable:
    rules = each.rules or {}
    return Variable(
        id=each.id,
        description=each.description,
        owners=tuple(_name(agreement, owner) for owner in each.owners),
        window_months=each.window_months,
        rules={
            source.id: in_words(rules.get(source.id))
            for source in agreement.sources
            if each.id in source.indicators
        },
        need=needs.get(each.id) if each.id in agreement.needs else _no_need(each),
    )


def _no_need(each: IndicatorItem) -> str:
    if each.detail_of is not None:
        return f"none: it tells more of {each.detail_of}"
    return _USES[each.used_as]


def _name(agreement: Agreement, party: str) -> str:
    found = agreement.party(party)
    return found.name if found is not None else party


def _listed(items: Sequence[str]) -> str:
    return "; ".join(items)


def _overview(agreement: Agreement, written: Written) -> Overview:
    return Overview(
        name=agreement.title,
        description=(
            "Public bodies link their records under codes, without names, to find families in "
            "which several needs are met, so that a person can consider whether to offer them "
            "help. The tool decides nothing: a family's contact details are passed on only after "
            "one person's request, another's approval, and the family's own agreement. "
            f"Used for: {_listed([each.description for each in agreement.purposes])}."
        ),
        website_url=written.website_url,
        contact_email=written.contact_email,
    )


def _owner(agreement: Agreement, written: Written) -> Owner:
    involved = None
    if any(party.role == "processor" for party in agreement.parties) or written.suppliers:
        involved = "Yes"
    elif written.suppliers is not None:
        involved = "No"
    return Owner(
        organisation=_name(agreement, written.organisation),
        team=written.team,
        senior_responsible_owner=written.senior_responsible_owner,
        third_party_involvement=involved,
    )


def _third_parties(agreement: Agreement, written: Written) -> tuple[ThirdParty, ...]:
    """Suppliers as written; and processors of the agreement of which nothing was written."""
    suppliers = written.suppliers or ()
    told = {each.party for each in suppliers}
    named = [ThirdParty(**each.model_dump(exclude={"party"})) for each in suppliers]
    processors = [
        ThirdParty(
            supplier=party.name, companies_house_number=None, role="processor of the agreement",
            procurement=None, data_access=None,
        )
        for party in agreement.parties
        if party.role == "processor" and party.party not in told
    ]  # fmt: skip
    return (*named, *processors)


def _rationale(agreement: Agreement, written: Written) -> Rationale:
    encoding = agreement.encoding
    hardened = (
        f"hardened encodings in {encoding.view_count} versions of each record"
        if encoding.hardening is not None
        else "cryptographic long-term keys"
    )
    return Rationale(
        detailed_description=(
            "Each organisation cleans its own rows and turns the identifying details into "
            f"{hardened}, with a secret that the place where they are compared does not have. "
            "Records that are likely to be one person's are joined, persons become families by "
            "who lived where and when, and each family's needs are the indicators that its "
            "members' organisations have worked out. A need is met where any source says so, "
            "unmet where one says that it is not and none that it is, and otherwise unknown; "
            "unknown is never counted as unmet. A family is put forward for professional "
            f"consideration where {agreement.minimum_needs} needs or more are met, it lives in the "
            "area as far as is known, and nobody in it is in the programme already."
        ),
        scope=(
            f"For: {_listed([each.description for each in agreement.purposes])}. Allowed actions: "
            f"{', '.join(each.value for each in agreement.actions)}; what the agreement does not "
            f"list is not done. It takes no action by itself. {_models(agreement)}"
        ),
        benefit=written.benefit,
        previous_process=written.previous_process,
        alternatives=written.alternatives,
    )


def _models(agreement: Agreement) -> str:
    budget = agreement.privacy_budget
    if budget is None:
        return "No model may learn from what became of families, and no table is made with noise."
    return (
        "Models may learn from what became of families, and tables be made with noise, with "
        f"differential privacy for each family: those of a calendar year together cost "
        f"{budget.words} at most, and the ledger that all organisations watch refuses more."
    )


def _deciding(agreement: Agreement, written: Written) -> Deciding:
    released = [each.description for each in agreement.items if each.releasable]
    children = "a child's own agreement, or that of who has parental responsibility, counts"
    part = (
        " A request may leave out a member who has not agreed."
        if agreement.family_rule.subset_allowed
        else ""
    )
    return Deciding(
        process_integration=(
            "A service manager looks at families under codes and asks for one family's contact "
            f"details, for {_listed([e.description for e in agreement.purposes if e.approach])}. "
            "The details come from each organisation that holds them, sealed to that manager: to "
            f"{_listed([_name(agreement, each) for each in agreement.recipients])}."
        ),
        provided_information=(
            "Before approval: a code, how many needs are met and which, and in how many sources. "
            f"After it, for an approach: {_listed(released) or 'nothing'}."
        ),
        frequency_and_scale=None
        if written.frequency is None
        else (
            f"{written.frequency} Counts by whole months are on the public register, with small "
            "numbers hidden and the rest rounded."
        ),
        human_decisions=(
            "An information-governance lead, never the manager who asked, approves or refuses each "
            "request and signs that with a key of their own. Every organisation checks the request "
            "and the family's consents itself before it releases anything: every adult agrees, "
            f"{children}.{part} Requests, approvals, releases and refusals are entries of a ledger "
            "that all organisations watch, in which a change afterwards would be noticed."
        ),
        required_training=written.required_training,
        appeals=(
            "You can ask each organisation what it holds about you, have it corrected or erased, "
            "or object; and withdraw agreement to an approach at any of them, at any time. "
            "Contacts: "
            + _listed([f"{each.name}: {each.dpo_contact}" for each in agreement.parties])
            + ". You can complain to the Information Commissioner's Office."
        ),
    )


def _specification(agreement: Agreement, written: Written) -> Specification:
    reviewed = f"The agreement is reviewed by {agreement.review_by} and ends {agreement.expires}."
    return Specification(
        architecture=(
            "A program at each organisation, where names stay until a release; a hub that compares "
            "encodings and keeps results under codes; a ledger, of which nothing is believed that "
            f"fewer than {agreement.witnessing.quorum} witnesses have seen; a console for staff."
        ),
        phase=written.phase,
        maintenance=None if written.maintenance is None else f"{written.maintenance} {reviewed}",
    )


def _data(agreement: Agreement, source: Source, written: Written) -> DataCard:
    party = agreement.party(source.party)
    assert party is not None  # noqa: S101 - the agreement is consistent
    items = {each.id: each.description for each in agreement.items}
    indicators = {each.id: each.description for each in agreement.indicators}
    keep, gateway = agreement.retention, party.gateway
    told = [indicators[each] for each in source.indicators]
    return DataCard(
        name=f"{party.name}: {source.description}",
        modality="tables",
        description=(
            f"For linking, as encodings: {_listed([items[each] for each in source.items])}. "
            f"As met, unmet or unknown: {_listed(told) or 'nothing'}."
        ),
        quantities="Not given by source; the public register has counts by whole months, with "
        "small numbers hidden and the rest rounded.",
        sensitive_attributes=(
            f"UK GDPR Article 9: {gateway.article_9_condition}. "
            f"Article 10: {gateway.article_10_condition}."
        ),
        completeness=written.completeness.get(source.id),
        source_url="Not public: personal data.",
        collection=written.collection.get(source.id),
        cleaning=(
            "By the organisation itself before anything is encoded: names, dates, identifiers and "
            "addresses in one form; rows that cannot be used are rejected and reported to it. "
            "The national data opt-out is upheld."
        ),
        sharing_agreements=(
            f"{agreement.title}, version {agreement.version}. Law: {gateway.legal_gateway}; "
            f"Article 6: {gateway.article_6_basis}; confidentiality: {gateway.common_law_route}."
        ),
        access_and_storage=(
            "Names stay with the organisation. Kept at most: "
            f"encodings {keep.encodings_days} days, results {keep.link_results_days}, released "
            f"details {keep.released_items_days}, the organisation's own encrypted rows "
            f"{keep.vault_days}."
        ),
    )


def _impact(agreement: Agreement, written: Written) -> Impact:
    dpia = agreement.dpia
    assessed = None
    if written.equality is not None:
        link = "" if written.dpia_link is None else f" {written.dpia_link}."
        assessed = (
            f"Data protection impact assessment: {dpia.reference}, "
            f"{dpia.outcome.replace('_', ' ')}, {dpia.approved_on}.{link} "
            f"Equality impact assessment: {written.equality}"
        )
    return Impact(impact_assessment=assessed, risks=written.risks)
