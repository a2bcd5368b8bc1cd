"""Telephone numbers as E.164 (libphonenumber's data) and email addresses in lower case."""

import re

import phonenumbers

from partner_agent.cleansing.identifiers import compact
from partner_agent.cleansing.outcome import Outcome
from partner_agent.cleansing.text import fold, guarded

_REGION = "GB"
_EMAIL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@([a-z0-9-]{1,63}\.)+[a-z]{2,63}$")
_NO_MAILBOX = re.compile(r"(no-?(e?mail|reply)|none|unknown|na|test|x+|donotreply)@")
_SEPARATOR = re.compile(r"[;,/]|\bor\b", re.IGNORECASE)
# Ofcom's numbers for drama: never assigned, so made-up data, such as ours, is made with them
_RESERVED = re.compile(r"\+44(7700900|1632960|2079460|1134960|1174960|1214960|1614960)\d{3}$")
_FEW_DIGITS = 7


def _phone(text: str) -> Outcome:
    if re.match(r"\d(\.\d+)?e\+?\d+$", text, re.IGNORECASE):
        return Outcome("", "identifier.scientific")
    for part in _SEPARATOR.split(text):
        if sum(map(str.isdigit, part)) < _FEW_DIGITS:
            continue
        try:
            number = phonenumbers.parse(compact(part), _REGION)
        except phonenumbers.NumberParseException:
            continue
        written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if phonenumbers.is_valid_number(number) or _RESERVED.match(written):
            return Outcome(written)
    return Outcome("", "phone.invalid")


def _email(text: str) -> Outcome:
    address = fold(_SEPARATOR.split(text)[0]).strip(" <>.").removeprefix("mailto:")
    if not _EMAIL.match(address) or ".." in address:
        return Outcome("", "email.invalid")
    if _NO_MAILBOX.match(address):
        return Outcome("", "text.placeholder")
    return Outcome(address)


def clean_phone(raw: str) -> Outcome:
    """The first number that can exist, as E.164; numbers without country code are British."""
    return guarded(_phone)(raw)


def clean_email(raw: str) -> Outcome:
    """The first address, in lower case."""
    return guarded(_email)(raw)
