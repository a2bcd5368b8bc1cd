"""What cleaning one value gives: the clean value, and a note where something is to be said.

Every note has an entry in `NOTES`, which says what becomes of the value and, in plain words, why.
"""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What became of a value that carries a note."""

    REPAIRED = "repaired"  # kept, in another form than it came
    QUERIED = "queried"  # kept, and worth a look
    DROPPED = "dropped"  # not kept: as if the cell were blank


class Outcome(NamedTuple):
    """A clean value (``""`` is missing) and a note from `NOTES`, or ``""``."""

    value: str
    note: str = ""


MISSING = Outcome("")

NOTES: dict[str, tuple[Kind, str]] = {
    "text.placeholder": (Kind.DROPPED, "stands for missing, such as 'unknown' or 'n/a'"),
    "text.encoding_repaired": (Kind.REPAIRED, "letters garbled by a wrong encoding put right"),
    "name.no_letters": (Kind.DROPPED, "holds no letter"),
    "name.characters_removed": (Kind.REPAIRED, "digits or signs taken out of a name"),
    "name.transliterated": (Kind.REPAIRED, "written in another script, put into Latin letters"),
    "name.title_removed": (Kind.REPAIRED, "title or suffix taken off"),
    "name.nickname_expanded": (Kind.REPAIRED, "short form replaced by the full name"),
    "name.one_word": (Kind.QUERIED, "full name of one word: kept as the surname"),
    "date.not_a_date": (Kind.DROPPED, "not a date in a form that is known"),
    "date.impossible": (Kind.DROPPED, "no such day in the calendar"),
    "date.incomplete": (Kind.DROPPED, "day, month or year is missing"),
    "date.default": (Kind.DROPPED, "a default such as 01/01/1900, not a real date"),
    "date.maybe_default": (Kind.QUERIED, "1 January 1970 or 2000: often a default"),
    "date.future": (Kind.DROPPED, "lies in the future"),
    "date.too_old": (Kind.DROPPED, "makes the person older than 120"),
    "date.swapped": (Kind.REPAIRED, "day and month the other way round than the mapping says"),
    "date.two_digit_year": (Kind.REPAIRED, "year of two digits: the century was inferred"),
    "date.excel_serial": (Kind.REPAIRED, "a spreadsheet's day number"),
    "date.reversed": (Kind.DROPPED, "the end lies before the start"),
    "sex.unrecognised": (Kind.DROPPED, "not a code for male or female"),
    "nhs_number.format": (Kind.DROPPED, "not ten digits"),
    "nhs_number.check_digit": (Kind.DROPPED, "the check digit is wrong"),
    "nhs_number.repeated_digit": (Kind.DROPPED, "one digit ten times"),
    "identifier.scientific": (Kind.DROPPED, "a spreadsheet cut it to the form 1.2E+9"),
    "nino.format": (Kind.DROPPED, "not two letters, six digits and A to D"),
    "nino.prefix": (Kind.DROPPED, "begins with letters that are never issued"),
    "upn.format": (Kind.DROPPED, "not a letter, eleven digits and a digit or letter"),
    "upn.check_letter": (Kind.DROPPED, "the check letter is wrong"),
    "postcode.format": (Kind.DROPPED, "not a United Kingdom postcode"),
    "postcode.unknown_area": (Kind.DROPPED, "begins with letters that are no postcode area"),
    "postcode.ambiguous": (Kind.DROPPED, "can be repaired in more than one way"),
    "postcode.pseudo": (Kind.DROPPED, "stands for no fixed abode, unknown or abroad"),
    "postcode.repaired": (Kind.REPAIRED, "O and 0, or I and 1, put right"),
    "postcode.from_address": (Kind.REPAIRED, "taken from the address, the cell being blank"),
    "address.no_content": (Kind.DROPPED, "holds no address once the postcode is taken out"),
    "uprn.format": (Kind.DROPPED, "not a number of at most twelve digits"),
    "uprn.matched": (Kind.REPAIRED, "found in the reference file by the address"),
    "uprn.ambiguous": (Kind.DROPPED, "several properties in the reference file fit"),
    "uprn.not_found": (Kind.DROPPED, "no property in the reference file fits"),
    "phone.invalid": (Kind.DROPPED, "not a telephone number that can exist"),
    "email.invalid": (Kind.DROPPED, "not an email address"),
    "record_id.missing": (Kind.QUERIED, "blank: the row's number is used"),
    "indicator.not_a_number": (Kind.DROPPED, "not a number: unknown, neither met nor unmet"),
    "indicator.periods_missing": (Kind.DROPPED, "too few periods are known: unknown"),
    "indicator.no_date": (Kind.DROPPED, "the day is missing, unreadable or to come: unknown"),
    "protected.unclear": (Kind.QUERIED, "a value that the mapping does not list: protected"),
}

REJECTS: dict[str, str] = {
    "row.field_count": "has another number of cells than there are headings",
    "row.field_too_long": "has a cell of more than 1,048,576 characters",
    "row.unclosed_quote": "has a quotation mark that is not closed",
    "row.undecodable": "has characters outside the file's encoding",
    "row.merged_cells": "has cells merged across columns",
    "row.formula_without_value": "has a formula whose value was never computed",
    "row.nothing_to_link": "has no identifier, and fewer than two of first name, surname, date of "
    "birth, and a place or contact",
    "row.too_little_to_encode": "has too little of what the agreement's schema encodes",
    "row.encoded_like_another": "holds so little (names alone, as a rule) that another row, which "
    "may be somebody else's, has the same encoding",
    "opt_out.no_nhs_number": "has no NHS number that passes its check, so that nobody can say "
    "whether the person has opted out",
    "opt_out.unclear": "has an opt-out value that the mapping lists neither as yes nor as no",
}
