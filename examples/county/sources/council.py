"""The council: schools, social care, housing, council tax, libraries."""

from examples.county.errors.profile import Errors
from examples.county.model import REFERENCE, day
from examples.county.sources.base import Column, MentionColumns, Rule, Selection, Source
from examples.county.sources.categories import (
    area,
    area_rules,
    length_rules,
    months_open,
    team,
    team_rules,
)
from examples.county.sources.columns import (
    amount,
    birth,
    birth_cell,
    choice,
    coded,
    flag,
    full_name,
    house,
    mentioned_name,
    one_line,
    protected,
    recorded,
    second_line,
    serial,
    slashed,
    spell_end,
    spell_start,
    value,
)

SCHOOL_CENSUS = Source(
    partner="council",
    name="school_census",
    format="csv",
    about="pupils of state schools, each term; parents' names as the school holds them",
    selection=Selection(
        base=0.50, by_need={"school_absence": 0.3}, age=(4.5, 16), window=(day(2016), REFERENCE)
    ),
    errors=Errors(typing=0.01, nickname=0.03, number_missing=0.02, address_stale=0.05),
    columns=(
        Column("PUPIL_REF", serial("{:07d}"), "record_id"),
        Column("UPN", value("upn"), "upn"),
        Column("FORENAME", value("given"), "first_name"),
        Column("MIDDLE", value("middle"), "middle_name"),
        Column("SURNAME", value("surname"), "surname"),
        Column("DOB", birth("{d:02d}/{m:02d}/{y}"), "date_of_birth"),
        Column("GENDER", coded({"m": "M", "f": "F"}), "sex"),
        Column("ADDR1", house, "address"),
        Column("ADDR2", second_line, "address"),
        Column("TOWN", value("town"), "address"),
        Column("PCODE", value("postcode"), "postcode"),
        Column("PARENT", mentioned_name("parent")),
        Column("SCHOOL", choice("0001", "0002", "0003", "0004", "0005")),
        Column("PROT_ADDR", protected),
    ),
    mentions=(MentionColumns("parent", {"full_name": "PARENT"}),),
    protected="PROT_ADDR",
)

SCHOOL_ATTENDANCE = Source(
    partner="council",
    name="school_attendance",
    format="xlsx",
    about="attendance of pupils over three terms; exported by schools to one workbook",
    sheet="Pupils",
    selection=Selection(
        base=0.30, by_need={"school_absence": 0.85}, age=(5, 16), window=(day(2018), REFERENCE)
    ),
    errors=Errors(typing=0.015, nickname=0.08, number_missing=0.06, birth_transposed=0.01),
    columns=(
        Column("Adm no", serial("A{:06d}"), "record_id"),
        Column("UPN", value("upn"), "upn"),
        Column("Preferred forename", value("given"), "first_name"),
        Column("Surname", value("surname"), "surname"),
        Column("Date of birth", birth_cell, "date_of_birth"),
        Column("Sex", coded({"m": "Male", "f": "Female"}), "sex"),
        Column("Postcode", value("postcode"), "postcode"),
        Column("% attendance", amount("school_absence", (35, 89.4), (90.1, 100), "{:.1f}")),
        Column("Exclusions", choice("0", "0", "0", "0", "0", "0", "1", "2")),
    ),
    indicators={"school_absence": Rule("% attendance", below=90)},
)

CHILDRENS_SOCIAL_CARE = Source(
    partner="council",
    name="childrens_social_care",
    format="csv",
    about="children referred to social care; social workers type as they listen",
    encoding="utf-8-sig",
    selection=Selection(
        base=0.012,
        by_need={
            "health_visitor_concern": 0.2,
            "school_absence": 0.15,
            "offence": 0.25,
            "neet": 0.1,
        },
        age=(0, 18),
        window=(day(2017), REFERENCE),
        duplicates=0.1,
    ),
    errors=Errors(
        typing=0.03,
        phonetic=0.04,
        nickname=0.08,
        birth_missing=0.04,
        marks=0.15,
        swapped_names=0.01,
    ),
    columns=(
        Column("Person ID", serial("{:06d}"), "record_id"),
        Column("Full name", full_name(), "full_name"),
        Column("DOB", birth("{d:02d}/{m:02d}/{y}"), "date_of_birth"),
        Column("Gender", coded({"m": "Male", "f": "Female"}), "sex"),
        Column("Address", one_line(), "address"),
        Column("Postcode", value("postcode"), "postcode"),
        Column("From", spell_start("{d:02d}/{m:02d}/{y}"), "address_from"),
        Column("To", spell_end("{d:02d}/{m:02d}/{y}"), "address_to"),
        Column("Carer 1", mentioned_name("parent")),
        Column("Category", choice("N1", "N2", "N3", "N5")),
        Column("Referred", recorded("{d:02d}/{m:02d}/{y}")),
        Column("Restricted", protected),
        Column("Team", team),
        Column("Months open", months_open),
    ),
    mentions=(MentionColumns("guardian", {"full_name": "Carer 1"}),),
    categories=team_rules | length_rules,
    protected="Restricted",
)

ADULTS_SOCIAL_CARE = Source(
    partner="council",
    name="adults_social_care",
    format="csv",
    about="adults with care needs, care homes among them",
    delimiter="|",
    encoding="cp1252",
    selection=Selection(
        base=0.01, by_need={"mental_health": 0.12}, age=(18, 110), window=(day(2014), REFERENCE)
    ),
    errors=Errors(typing=0.02, nickname=0.05, marks=0.1, number_missing=0.3, birth_missing=0.02),
    columns=(
        Column("CLIENT_NO", serial("{:08d}"), "record_id"),
        Column("TITLE", choice("Mr", "Mrs", "Miss", "Ms")),
        Column("FORENAMES", value("given"), "first_name"),
        Column("SURNAME", value("surname"), "surname"),
        Column("BIRTH_DATE", birth("{d:02d}-{m:02d}-{y}"), "date_of_birth"),
        Column("NHS_NO", value("nhs"), "nhs_number"),
        Column("ADDRESS", one_line(), "address"),
        Column("POSTCODE", value("postcode"), "postcode"),
        Column("UPRN", value("uprn"), "uprn"),
        Column("MH_SERVICE", flag("mental_health", sensitivity=0.7)),
    ),
    indicators={"mental_health": Rule("MH_SERVICE", equals=("Y",))},
)

HOUSING = Source(
    partner="council",
    name="housing_tenancies",
    format="csv",
    about="council tenants and joint tenants, past tenancies too, with rent accounts",
    encoding="utf-16",
    selection=Selection(
        base=0.07,
        by_need={"debt_or_eviction": 0.6, "out_of_work": 0.1},
        age=(18, 110),
        adults_of_unit=True,
        window=(day(2013), REFERENCE),
        history=0.35,
    ),
    errors=Errors(typing=0.02, marks=0.05, nickname=0.03, number_missing=0.3, address_stale=0.02),
    columns=(
        Column("TENANCY", serial("T{:07d}"), "record_id"),
        Column("TENANT", full_name(surname_first=True), "full_name"),
        Column("DOB", birth("{y}/{m:02d}/{d:02d}"), "date_of_birth"),
        Column("NI_NO", value("nino"), "nino"),
        Column("PROPERTY", slashed, "address"),
        Column("TOWN", value("town"), "address"),
        Column("POSTCODE", value("postcode"), "postcode"),
        Column("UPRN", value("uprn"), "uprn"),
        Column("START", spell_start("{y}-{m:02d}-{d:02d}"), "address_from"),
        Column("END", spell_end("{y}-{m:02d}-{d:02d}"), "address_to"),
        Column("PHONE", value("phone"), "phone"),
        Column("JOINT_TENANT", mentioned_name("partner", known=0.6)),
        Column("ARREARS_GBP", amount("debt_or_eviction", (520, 4800), (0, 380), "{:.2f}")),
        Column("NO_CONTACT_ADDR", protected),
    ),
    surname_first=True,
    mentions=(MentionColumns("partner", {"full_name": "JOINT_TENANT"}),),
    indicators={"debt_or_eviction": Rule("ARREARS_GBP", at_least=500)},
    protected="NO_CONTACT_ADDR",
)

COUNCIL_TAX = Source(
    partner="council",
    name="council_tax",
    format="csv",
    about="people liable for council tax; no date of birth, some accounts in a former name",
    selection=Selection(
        base=0.24,
        by_need={"debt_or_eviction": 0.3},
        age=(18, 110),
        adults_of_unit=True,
        window=(day(2013), REFERENCE),
    ),
    errors=Errors(typing=0.03, marks=0.05, address_stale=0.02, contact_missing=0.3),
    columns=(
        Column("ACCOUNT", serial("{:09d}"), "record_id"),
        Column("LIABLE_FORENAME", value("given"), "first_name"),
        Column("LIABLE_SURNAME", value("surname"), "surname"),
        Column("ADDRESS_1", house, "address"),
        Column("ADDRESS_2", second_line, "address"),
        Column("ADDRESS_3", value("town"), "address"),
        Column("POSTCODE", value("postcode"), "postcode"),
        Column("UPRN", value("uprn"), "uprn"),
        Column("LIABLE_FROM", spell_start("{d:02d}/{m:02d}/{y}"), "address_from"),
        Column("LIABLE_TO", spell_end("{d:02d}/{m:02d}/{y}"), "address_to"),
        Column("EMAIL", value("email"), "email"),
        Column("BAND", choice("A", "A", "B", "B", "C", "C", "D", "E", "F")),
        Column("SUMMONS", flag("debt_or_eviction", ("2", "3"), ("0", "0", "0", "1"))),
        Column("AREA", area),
    ),
    indicators={"debt_or_eviction": Rule("SUMMONS", at_least=2)},
    categories=area_rules,
    takes_rest="adults",
)

LIBRARIES = Source(
    partner="council",
    name="libraries",
    format="csv",
    about="library members, who write their own cards; no record id, so rows are counted",
    selection=Selection(base=0.13, age=(4, 95), window=(day(2014), REFERENCE), duplicates=0.05),
    errors=Errors(
        typing=0.03, nickname=0.12, birth_missing=0.1, address_stale=0.25, contact_missing=0.3
    ),
    columns=(
        Column("First name", value("given"), "first_name"),
        Column("Last name", value("surname"), "surname"),
        Column("Born", birth("{d:02d}/{m:02d}/{y}"), "date_of_birth"),
        Column("Address", one_line(), "address"),
        Column("Postcode", value("postcode", str.lower), "postcode"),
        Column("E-mail", value("email"), "email"),
        Column("Branch", choice("Central", "Eastmere", "Marlsham", "Mobile")),
    ),
    takes_rest="all",
)

SOURCES = (
    SCHOOL_CENSUS,
    SCHOOL_ATTENDANCE,
    CHILDRENS_SOCIAL_CARE,
    ADULTS_SOCIAL_CARE,
    HOUSING,
    COUNCIL_TAX,
    LIBRARIES,
)
