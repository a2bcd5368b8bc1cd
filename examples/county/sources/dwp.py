"""Department for Work and Pensions: claims, employment support, old benefits, NEET tracking."""

from examples.county.errors.profile import Errors
from examples.county.model import REFERENCE, day
from examples.county.sources.base import Column, MentionColumns, Rule, Selection, Source
from examples.county.sources.columns import (
    birth,
    birth_cell,
    birth_part,
    choice,
    coded,
    flag,
    full_name,
    house,
    initial,
    mentioned_birth,
    mentioned_name,
    one_line,
    recorded,
    second_line,
    serial,
    spaced_nino,
    spell_start,
    value,
)

UNIVERSAL_CREDIT = Source(
    partner="dwp",
    name="universal_credit",
    format="parquet",
    about="claimants of Universal Credit; checked against proof of identity, so nearly clean",
    selection=Selection(
        base=0.09,
        by_need={"out_of_work": 0.8, "debt_or_eviction": 0.3},
        age=(18, 67),
        window=(day(2016), REFERENCE),
        duplicates=0.02,
    ),
    errors=Errors(typing=0.008, number_missing=0.01, address_stale=0.05, contact_missing=0.1),
    columns=(
        Column("claim_id", serial("UC{:09d}"), "record_id"),
        Column("nino", value("nino"), "nino"),
        Column("first_names", value("given"), "first_name"),
        Column("middle_names", value("middle"), "middle_name"),
        Column("surname", value("surname"), "surname"),
        Column("date_of_birth", birth_cell, "date_of_birth"),
        Column("gender", coded({"m": "1", "f": "2"}), "sex"),
        Column("address", one_line(), "address"),
        Column("postcode", value("postcode"), "postcode"),
        Column("mobile", value("phone"), "phone"),
        Column("email", value("email"), "email"),
        Column("at_address_since", spell_start("{y}-{m:02d}-{d:02d}"), "address_from"),
        Column("partner_name", mentioned_name("partner")),
        Column("partner_dob", mentioned_birth("partner", "{y}-{m:02d}-{d:02d}")),
        Column("regime", flag("out_of_work", ("IWS", "LIGHT_TOUCH", "NO_WRR"), ("WORKING",))),
    ),
    mentions=(
        MentionColumns("partner", {"full_name": "partner_name", "date_of_birth": "partner_dob"}),
    ),
    indicators={"out_of_work": Rule("regime", equals=("IWS", "LIGHT_TOUCH", "NO_WRR"))},
)

EMPLOYMENT_SUPPORT = Source(
    partner="dwp",
    name="employment_support",
    format="csv",
    about="people on employment programmes, as the providers report them",
    delimiter="|",
    selection=Selection(
        base=0.004,
        by_need={"out_of_work": 0.25},
        age=(18, 67),
        window=(day(2017), REFERENCE),
        duplicates=0.06,
    ),
    errors=Errors(
        typing=0.03, phonetic=0.02, nickname=0.1, number_missing=0.15, birth_transposed=0.02
    ),
    columns=(
        Column("REFERRAL", serial("{:07d}"), "record_id"),
        Column("NAME", full_name(surname_first=True, case=str.upper), "full_name"),
        Column("NINO", spaced_nino, "nino"),
        Column("DOB", birth("{d}.{m}.{y}"), "date_of_birth"),
        Column("ADD1", house, "address"),
        Column("ADD2", second_line, "address"),
        Column("ADD3", value("town"), "address"),
        Column("PCODE", value("postcode", str.lower), "postcode"),
        Column("PROVIDER", choice("NORTHSTAR", "PATHWAYS", "INWORK")),
        Column("MONTHS_UNEMPLOYED", flag("out_of_work", ("4", "9", "15", "30"), ("0", "1"))),
    ),
    surname_first=True,
    indicators={"out_of_work": Rule("MONTHS_UNEMPLOYED", at_least=3)},
)

LEGACY_BENEFITS = Source(
    partner="dwp",
    name="legacy_benefits",
    format="csv",
    about="old benefits, scanned from paper; twelve letters to a name, UTF-16 and tabs",
    encoding="utf-16",
    delimiter="\t",
    selection=Selection(
        base=0.02,
        by_need={"out_of_work": 0.3, "mental_health": 0.1},
        age=(18, 80),
        window=(day(2012), day(2019)),
    ),
    errors=Errors(
        ocr=0.12,
        typing=0.02,
        truncated=12,
        birth_digit=0.02,
        birth_default=0.02,
        birth_impossible=0.005,
        number_missing=0.06,
        address_stale=0.15,
        number_wrong=0.02,
    ),
    columns=(
        Column("Claim", serial("L{:08d}"), "record_id"),
        Column("NI Number", value("nino"), "nino"),
        Column("Forename", value("given"), "first_name"),
        Column("Init", initial, "middle_name"),
        Column("Surname", value("surname"), "surname"),
        Column("Birth", birth("{d:02d}{m:02d}{y}"), "date_of_birth"),
        Column("Sex", coded({"m": "M", "f": "F"}), "sex"),
        Column("Address", one_line(town=False), "address"),
        Column("Post code", value("postcode"), "postcode"),
        Column("Benefit", flag("out_of_work", ("IS", "JSA", "ESA"), ("HB", "CTC"))),
        Column("Opened", recorded("{d:02d}/{m:02d}/{y}")),
    ),
    indicators={"out_of_work": Rule("Benefit", equals=("IS", "JSA", "ESA"))},
)

NEET_TRACKING = Source(
    partner="dwp",
    name="neet_tracking",
    format="csv",
    about="what young people of 16 to 19 do after school",
    encoding="utf-8-sig",
    selection=Selection(
        base=0.14,
        by_need={"neet": 0.85},
        age=(16, 19),
        window=(day(2017), REFERENCE),
        duplicates=0.03,
    ),
    errors=Errors(typing=0.02, nickname=0.06, birth_transposed=0.01, number_missing=0.12),
    columns=(
        Column("young_person_id", serial("YP-{:06d}"), "record_id"),
        Column("forename", value("given"), "first_name"),
        Column("surname", value("surname"), "surname"),
        Column("day", birth_part(2), "date_of_birth.day"),
        Column("month", birth_part(1), "date_of_birth.month"),
        Column("year", birth_part(0), "date_of_birth.year"),
        Column("sex", coded({"m": "Boy", "f": "Girl"})),
        Column("upn", value("upn"), "upn"),
        Column("address", one_line(), "address"),
        Column("postcode", value("postcode"), "postcode"),
        Column("email", value("email"), "email"),
        Column("parent_or_carer", mentioned_name("parent", known=0.6)),
        Column("activity", flag("neet", ("NEET", "NOT KNOWN-NEET"), ("SCHOOL", "COLLEGE", "WORK"))),
    ),
    mentions=(MentionColumns("parent", {"full_name": "parent_or_carer"}),),
    indicators={"neet": Rule("activity", equals=("NEET", "NOT KNOWN-NEET"))},
)

SOURCES = (UNIVERSAL_CREDIT, EMPLOYMENT_SUPPORT, LEGACY_BENEFITS, NEET_TRACKING)
