"""Numbers that look right and belong to nobody.

- NHS numbers: the 999 range, which is set aside for tests, with the modulus 11 check digit.
- National Insurance numbers: prefix MW, which passes the letter rules that QQ fails but which
  HMRC's manual (NIM39110) calls administrative and not valid, so no person has one.
- UPNs: local authority 837, abolished in 2019, with establishment numbers below 1000, which the
  DfE has not given to a school; check letter as python-stdnum computes it.
- Telephone numbers: Ofcom's ranges for drama; e-mails at example.org (RFC 2606).
"""

import numpy as np
from anyascii import anyascii

from examples.county.model import Bools, Ints, Texts

NHS_RANGE = 999
NINO_PREFIX = "MW"
UPN_AUTHORITY = 837
_UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
_UPN_YEAR_LOW, _UPN_YEAR_HIGH = 6, 27


def _texts(values: list[str]) -> Texts:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def nhs_numbers(rng: np.random.Generator, count: int) -> Texts:
    """Distinct ten-digit NHS numbers, 999 xxx xxxx.

    Raises:
        ValueError: more than the range holds (about 909,000).
    """
    body = rng.permutation(1_000_000)
    digits = NHS_RANGE * 1_000_000 + body
    total = np.zeros(len(body), dtype=np.int64)
    for place in range(9):
        total += (digits // 10 ** (8 - place) % 10) * (10 - place)
    check = (11 - total % 11) % 11
    usable = check < 10  # noqa: PLR2004 - ten is no digit: such numbers do not exist
    numbers = (digits * 10 + check)[usable][:count]
    if len(numbers) < count:
        raise ValueError("the test range of NHS numbers holds about 909,000 persons")
    return _texts([str(number) for number in numbers])


def nino_numbers(rng: np.random.Generator, count: int) -> Texts:
    """Distinct National Insurance numbers, ``MW`` + six digits + A to D."""
    chosen = rng.choice(4_000_000, size=count, replace=False)
    return _texts([f"{NINO_PREFIX}{n // 4:06d}{'ABCD'[n % 4]}" for n in chosen.tolist()])


def upn_numbers(rng: np.random.Generator, born_year: Ints) -> Texts:
    """Distinct UPNs issued when the pupil was five; ``""`` for the years before UPNs."""
    issued = born_year + 5 - 2000
    usable = (issued >= _UPN_YEAR_LOW) & (issued <= _UPN_YEAR_HIGH)
    serials = rng.permutation(999_000)[: len(issued)] if len(issued) <= 999_000 else None  # noqa: PLR2004
    if serials is None:
        raise ValueError("UPN serials hold 999,000 persons")
    found = np.full(len(issued), "", dtype=object)
    where = np.flatnonzero(usable)
    bodies = [
        f"{UPN_AUTHORITY}{1 + s // 1000:04d}{y:02d}{s % 1000:03d}"
        for s, y in zip(serials[where].tolist(), issued[where].tolist(), strict=True)
    ]
    found[where] = [_upn_letter(body) + body for body in bodies]
    return found


def _upn_letter(body: str) -> str:
    return _UPN_LETTERS[sum(i * int(digit) for i, digit in enumerate(body, 2)) % 23]


def phone_numbers(rng: np.random.Generator, count: int) -> Texts:
    """Numbers of the drama ranges: only 2,000 exist, so many people share one."""
    last = rng.integers(0, 1000, count)
    mobile = rng.random(count) < 0.8  # noqa: PLR2004 - a share
    return _texts(
        [
            f"07700900{n:03d}" if m else f"01632960{n:03d}"
            for n, m in zip(last.tolist(), mobile.tolist(), strict=True)
        ]
    )


def email_addresses(rng: np.random.Generator, given: Texts, surname: Texts, has: Bools) -> Texts:
    """``given.surname<number>@example.org`` for those that have one."""
    number = rng.integers(1, 9999, len(given)).tolist()
    keep = str.maketrans("", "", " '-")
    return _texts(
        [
            anyascii(f"{g.translate(keep)}.{s.translate(keep)}{n}@example.org").lower() if h else ""
            for g, s, n, h in zip(given, surname, number, has.tolist(), strict=True)
        ]
    )
