"""NHS: health visiting, GP registrations, emergency attendances, mental health, substance misuse.

Every extract carries the national data opt-out; an agent must never encode such a row.
"""

from examples.county.errors.profile import Errors
from examples.county.model import REFERENCE, day
from examples.county.sources.base import Column, MentionColumns, Rule, Selection, Source
from examples.county.sources.columns import (
    birth,
    choice,
    close_postcode,
    coded,
    flag,
    full_name,
    house,
    mentioned_birth,
    mentioned_name,
    one_line,
    opted_out,
    protected,
    recorded,
    second_line,
    serial,
    spaced_nhs,
    spell_end,
    spell_start,
    value,
)

HEALTH_VISITING = Source(
    partner="nhs",
    name="health_visiting",
    format="csv",
    about="children under five and what the health visitor thought",
    selection=Selection(
        base=0.40,
        by_need={"health_visitor_concern": 0.85},
        age=(0.05, 5),
        window=(day(2014), REFERENCE),
        duplicates=0.04,
    ),
    errors=Errors(typing=0.02, phonetic=0.02, name_missing=0.02, address_stale=0.08, marks=0.05),
    columns=(
        Column("CHILD_ID", serial("HV{:07d}"), "record_id"),
        Column("NHS_NO", spaced_nhs, "nhs_number"),
        Column("CHILD_FORENAME", value("given"), "first_name"),
        Column("CHILD_SURNAME", value("surname"), "surname"),
        Column("CHILD_DOB", birth("{d:02d}-{m:02d}-{y}"), "date_of_birth"),
        Column("CHILD_SEX", coded({"m": "Male", "f": "Female"}), "sex"),
        Column("ADDRESS_1", house, "address"),
        Column("ADDRESS_2", second_line, "address"),
        Column("ADDRESS_3", value("town"), "address"),
        Column("POSTCODE", value("postcode"), "postcode"),
        Column("MOTHER_OR_CARER", mentioned_name("parent")),
        Column("CARER_DOB", mentioned_birth("parent", "{d:02d}-{m:02d}-{y}")),
        Column("CONCERN", flag("health_visitor_concern", ("2", "3"), ("0", "1"))),
        Column("NDOO", opted_out),
    ),
    mentions=(
        MentionColumns("parent", {"full_name": "MOTHER_OR_CARER", "date_of_birth": "CARER_DOB"}),
    ),
    indicators={"health_visitor_concern": Rule("CONCERN", at_least=2)},
    opt_out="NDOO",
)

GP_REGISTRATIONS = Source(
    partner="nhs",
    name="gp_registrations",
    format="parquet",
    about="patients of the practices that take part, past addresses too; some names as they are"
    " written at home",
    selection=Selection(base=0.30, window=(day(2012), REFERENCE), history=0.9),
    errors=Errors(
        typing=0.006,
        native_script=0.3,
        number_missing=0.005,
        number_wrong=0.001,
        address_stale=0.06,
        address_short=0.05,
    ),
    columns=(
        Column("registration", serial("GP{:09d}"), "record_id"),
        Column("nhs_number", value("nhs"), "nhs_number"),
        Column("given_name", value("given"), "first_name"),
        Column("other_names", value("middle"), "middle_name"),
        Column("family_name", value("surname"), "surname"),
        Column("birth_date", birth("{y}{m:02d}{d:02d}"), "date_of_birth"),
        Column("gender", coded({"m": "1", "f": "2"}), "sex"),
        Column("address", one_line(), "address"),
        Column("postcode", value("postcode"), "postcode"),
        Column("telephone", value("phone"), "phone"),
        Column("from_date", spell_start("{y}-{m:02d}-{d:02d}"), "address_from"),
        Column("to_date", spell_end("{y}-{m:02d}-{d:02d}"), "address_to"),
        Column("practice", choice("Y99001", "Y99002", "Y99003", "Y99004")),
        Column("opt_out", opted_out),
        Column("sensitive", protected),
    ),
    opt_out="opt_out",
    protected="sensitive",
    takes_rest="all",
)

EMERGENCY = Source(
    partner="nhs",
    name="emergency_attendances",
    format="csv",
    about="attendances at the emergency department, typed at the front desk at night",
    encoding="latin-1",
    selection=Selection(
        base=0.05,
        by_need={"substance_misuse": 0.45, "mental_health": 0.15, "domestic_abuse": 0.15},
        window=(day(2020), REFERENCE),
        duplicates=0.3,
    ),
    errors=Errors(
        typing=0.06,
        phonetic=0.05,
        nickname=0.08,
        swapped_names=0.03,
        name_missing=0.02,
        birth_default=0.03,
        birth_transposed=0.02,
        number_missing=0.25,
        address_stale=0.2,
        address_missing=0.05,
        postcode_missing=0.05,
        sex_missing=0.04,
    ),
    columns=(
        Column("ATTENDANCE", serial("{:08d}"), "record_id"),
        Column("NHS_NUMBER", value("nhs"), "nhs_number"),
        Column("PATIENT_NAME", full_name(surname_first=True, case=str.upper), "full_name"),
        Column("DOB", birth("{d:02d}/{m:02d}/{y}"), "date_of_birth"),
        Column("SEX", coded({"m": "M", "f": "F"}), "sex"),
        Column("ADDRESS", one_line(case=str.upper), "address"),
        Column("POSTCODE", close_postcode, "postcode"),
        Column("ARRIVED", recorded("{d:02d}/{m:02d}/{y}")),
        Column("ALCOHOL_OR_DRUGS", flag("substance_misuse", sensitivity=0.7, unknown=0.2)),
        Column("NDOO", opted_out),
    ),
    surname_first=True,
    indicators={"substance_misuse": Rule("ALCOHOL_OR_DRUGS", equals=("Y",))},
    opt_out="NDOO",
)

MENTAL_HEALTH = Source(
    partner="nhs",
    name="mental_health",
    format="csv",
    about="referrals to community mental health teams",
    selection=Selection(
        base=0.008,
        by_need={"mental_health": 0.75},
        age=(10, 100),
        window=(day(2017), REFERENCE),
        duplicates=0.08,
    ),
    errors=Errors(typing=0.02, nickname=0.06, number_missing=0.02, address_stale=0.12),
    columns=(
        Column("PATHWAY_ID", serial("MH{:07d}"), "record_id"),
        Column("NHS_NUMBER", spaced_nhs, "nhs_number"),
        Column("FIRST_NAME", value("given"), "first_name"),
        Column("LAST_NAME", value("surname"), "surname"),
        Column("DATE_OF_BIRTH", birth("{y}-{m:02d}-{d:02d}"), "date_of_birth"),
        Column("SEX", coded({"m": "M", "f": "F"}), "sex"),
        Column("ADDRESS", one_line(), "address"),
        Column("POSTCODE", value("postcode"), "postcode"),
        Column("OPEN_REFERRAL", flag("mental_health")),
        Column("NDOO", opted_out),
        Column("PROTECTED", protected),
    ),
    indicators={"mental_health": Rule("OPEN_REFERRAL", equals=("Y",))},
    opt_out="NDOO",
    protected="PROTECTED",
)

SUBSTANCE_MISUSE = Source(
    partner="nhs",
    name="substance_misuse",
    format="csv",
    about="clients of the drug and alcohol service, who may give the name that they go by",
    delimiter=";",
    encoding="cp1252",
    selection=Selection(
        base=0.003,
        by_need={"substance_misuse": 0.7},
        age=(14, 90),
        window=(day(2017), REFERENCE),
        duplicates=0.05,
    ),
    errors=Errors(
        typing=0.03, nickname=0.3, phonetic=0.04, birth_default=0.02, number_missing=0.35
    ),
    columns=(
        Column("Client", serial("C{:05d}"), "record_id"),
        Column("NHS", value("nhs"), "nhs_number"),
        Column("Known as", value("given"), "first_name"),
        Column("Surname", value("surname"), "surname"),
        Column("DOB", birth("{d}/{m}/{y}"), "date_of_birth"),
        Column("Gender", coded({"m": "Man", "f": "Woman"})),
        Column("Address", one_line(), "address"),
        Column("Postcode", value("postcode"), "postcode"),
        Column("In treatment", flag("substance_misuse", ("Yes",), ("No",))),
        Column("NDOO", opted_out),
    ),
    expand_nicknames=True,
    indicators={"substance_misuse": Rule("In treatment", equals=("Yes",))},
    opt_out="NDOO",
)

SOURCES = (HEALTH_VISITING, GP_REGISTRATIONS, EMERGENCY, MENTAL_HEALTH, SUBSTANCE_MISUSE)
