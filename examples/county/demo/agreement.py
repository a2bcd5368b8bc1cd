"""The county's data-sharing agreement, drawn up from the source mappings."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from examples.county.sources.categories import USED_AS
from partner_agent.encoding.person import default_hardening, schema_for

PARTNERS = {
    "police": "County Police",
    "dwp": "Department for Work and Pensions, local office",
    "nhs": "County Community Health NHS Trust",
    "council": "County Council",
}

_GATEWAYS = {
    "police": (
        "Digital Economy Act 2017 Part 5 Chapter 1; Crime and Disorder Act 1998 section 115",
        "DPA 2018 Schedule 1 paragraph 10 (preventing or detecting unlawful acts)",
        "DPA 2018 Schedule 1 paragraph 10",
    ),
    "dwp": (
        "Digital Economy Act 2017 Part 5 Chapter 1, section 35",
        "DPA 2018 Schedule 1 paragraph 6 (statutory and government purposes)",
        "not applicable",
    ),
    "nhs": (
        "NHS Act 2006 section 82; Children Act 2004 section 10",
        "UK GDPR 9(2)(h) with DPA 2018 Schedule 1 paragraph 2",
        "not applicable",
    ),
    "council": (
        "Children Act 2004 section 10; Local Government Act 2000 section 2",
        "DPA 2018 Schedule 1 paragraph 18 (safeguarding)",
        "DPA 2018 Schedule 1 paragraph 18",
    ),
}

_COMMON_LAW = {
    "nhs": "Duty of confidence met by explicit consent before any approach; pseudonymised linkage "
    "assessed under HRA CAG guidance"
}

_RELEASABLE = {"first_name", "surname", "address", "postcode", "phone"}


def template(
    county: Path, today: date, *, refine: bool = False, profile: str = "hardened"
) -> dict[str, Any]:
    """An agreement for the county's sources, with parties' keys left to be filled in.

    Args:
        county: the generated county.
        today: the day of the demo.
        refine: whether the hub may ask partners about pairs of records.
        profile: of encodings.
    """
    mappings = [
        (path.parent.name, yaml.safe_load(path.read_text("utf-8")))
        for path in sorted((county / "partners").glob("*/*.yaml"))
    ]
    sources = [_source(partner, mapping) for partner, mapping in mappings]
    items = sorted({item for source in sources for item in source["items"]})
    return {
        "format": "agreement/v1",
        "id": "county-families",
        "version": 1,
        "supersedes": None,
        "title": "Finding families with several needs, and offering them help",
        "parties": [_party(party, name) for party, name in PARTNERS.items()],
        "purposes": [
            {
                "id": "find-families",
                "description": "Find, under pseudonyms, families in which several needs are met",
                "approach": False,
            },
            {
                "id": "offer-help",
                "description": "Offer early help to a family that has agreed to be approached",
                "approach": True,
            },
        ],
        "items": [_item(item) for item in items],
        "indicators": _indicators([mapping for _, mapping in mappings], sources),
        "sources": sources,
        "encoding": _encoding(schema_for(items), profile),
        "actions": ["encode", "submit", "link", *["refine"] * refine, "analyse", "release"],
        "recipients": ["council"],
        "staff_signatures": [
            "passkey",
            "key_file",
        ],  # consoles sign with the one, commands the other
        "family_rule": {
            "adults": "every_adult",
            "children": "own_or_parental_responsibility",
            "subset_allowed": True,
        },
        "witnessing": {"quorum": 3, "max_age_minutes": 15, "merge_delay_minutes": 5},
        "limits": {
            "submissions_per_source_per_day": 10,
            "releases_per_party_per_day": 20,
            "refinement_pairs_per_record": 4,
            "refinement_pairs_per_run": 1_000_000,
            "calibration_share": 0.05,
            "refinement_answer_hours": 24,
        },
        "quality": {
            "sentinels": 100,
            "decoy_percent": 5,
            "groups": ["sex", "name_origin"],
            "outcodes": [],
            "reveal_hours": 24,
        },
        "retention": {
            "encodings_days": 365,
            "link_results_days": 365,
            "released_items_days": 30,
            "vault_days": 365,
        },
        "opt_out": "national_data_opt_out_upheld",
        "suppression_threshold": 7,
        "minimum_needs": 2,
        "dpia": {
            "reference": "DPIA-2026-01",
            "outcome": "approved_with_conditions",
            "approved_on": (today - timedelta(days=60)).isoformat(),
        },
        "valid_from": (today - timedelta(days=30)).isoformat(),
        "review_by": (today + timedelta(days=180)).isoformat(),
        "expires": (today + timedelta(days=365)).isoformat(),
        "privacy_budget": {"epsilon": 2.0, "delta": 1e-5},
    }


def _encoding(schema: dict[str, Any], profile: str) -> dict[str, Any]:
    hardened = default_hardening(schema).model_dump(mode="json")
    return {
        "profile": profile,
        "epoch": 1,
        "linkage_schema": schema,
        "hardening": hardened if profile == "hardened" else None,
    }


def _party(party: str, name: str) -> dict[str, Any]:
    gateway, special, criminal = _GATEWAYS[party]
    return {
        "party": party,
        "name": name,
        "role": "joint_controller",
        "dpo_contact": f"dpo@{party}.example.org",
        "keys": None,
        "gateway": {
            "legal_gateway": gateway,
            "article_6_basis": "UK GDPR 6(1)(e), public task",
            "article_9_condition": special,
            "article_10_condition": criminal,
            "common_law_route": _COMMON_LAW.get(party, "not applicable"),
        },
    }


def _source(partner: str, mapping: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": mapping["source"],
        "party": partner,
        "description": mapping["source"].replace("_", " "),
        "items": sorted(_items(mapping)),
        "indicators": sorted(mapping.get("indicators", {})),
        "max_records": 2_000_000,
    }


def _items(mapping: dict[str, Any]) -> set[str]:
    found = set(mapping["columns"])
    if "full_name" in found:
        found = found - {"full_name"} | {"first_name", "surname"}
    if found & {"address_from", "address_to"}:
        found = found - {"address_from", "address_to"} | {"address_history"}
    if mapping.get("mentions"):
        found.add("mentions")
    return found


def _item(item: str) -> dict[str, Any]:
    return {
        "id": item,
        "description": item.replace("_", " "),
        "releasable": item in _RELEASABLE,
    }


def _indicators(
    mappings: list[dict[str, Any]], sources: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    owners: dict[str, set[str]] = {}
    for source in sources:
        for indicator in source["indicators"]:
            owners.setdefault(indicator, set()).add(source["party"])
    return [
        {
            "id": indicator,
            "description": indicator.replace("_", " "),
            "owners": sorted(parties),
            "window_months": 12,
            "used_as": USED_AS.get(indicator),
            "rules": {
                mapping["source"]: _rule(mapping["indicators"][indicator])
                for mapping in mappings
                if indicator in mapping.get("indicators", {})
            },
        }
        for indicator, parties in sorted(owners.items())
    ]


def _rule(own: dict[str, Any]) -> dict[str, Any]:
    """The rule that a source has always gone by, for all to agree to."""
    if "below" in own:
        return {"kind": "average_below", "below": own["below"], "periods": 1, "known": 1}
    if "at_least" in own:
        return {"kind": "number_at_least", "at_least": own["at_least"]}
    return {"kind": "listed_value"}
