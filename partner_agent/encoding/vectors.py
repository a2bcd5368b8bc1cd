"""Synthetic records whose encodings prove that two agents encode alike.

Fixed: records are never changed, removed or reordered; a new list gets a new label in ``tokens``.
They hold what cleansing yields and what it should never yield (capitals, other scripts), so that
agents agree on refusals too.
"""

from typing import Final

_COLUMNS: Final = (
    "first_name",
    "middle_name",
    "surname",
    "date_of_birth",
    "sex",
    "address",
    "postcode",
    "nhs_number",
)
_ROWS: Final = (
    ("amelia", "rose", "hartwell", "2011-03-09", "f", "12 mill lane lewes", "BN7 1AA", ""),
    ("jon", "", "smith", "1980-01-01", "m", "flat 2 44 high street", "BN1 2CD", "9434765919"),
    ("john", "", "smyth", "1980-10-01", "m", "44 high street flat 2", "BN1 2DC", ""),
    ("o", "", "ng", "1999-12-31", "", "", "", ""),
    ("", "", "", "", "", "", "", ""),
    ("maria del carmen", "", "de la cruz", "1975-02-28", "f", "3 the green", "TN22 5QQ", ""),
    ("anne marie", "louise", "smith jones", "2000-02-29", "f", "the old rectory", "RH18 5ES", ""),
    ("muhammad", "abdul", "al hassan", "1988-07-17", "m", "101a station road", "BN21 3XG", ""),
    ("saoirse", "", "ni bhriain", "2016-05-05", "f", "7 harbour view", "BN10 8LP", ""),
    ("wei", "", "zhang", "1964-11-23", "m", "unit 5 the maltings", "BN27 1AA", ""),
    ("x" * 120, "", "y" * 120, "1900-01-01", "f", "z" * 400, "BN99 9ZZ", ""),
    ("zoë", "", "brontë", "1993-04-21", "f", "8 château close", "BN3 4QR", ""),
    ("юлия", "", "иванова", "1991-08-30", "f", "15 park crescent", "BN2 3HE", ""),
    ("ελένη", "", "παππά", "1984-06-12", "f", "15 park crescent", "BN2 3HE", ""),
    ("فاطمة", "", "حسن", "2003-09-14", "f", "15 park crescent", "BN2 3HE", ""),
    ("小明", "", "王", "2008-01-30", "m", "15 park crescent", "BN2 3HE", ""),
    ("प्रिया", "", "शर्मा", "1997-12-02", "f", "15 park crescent", "BN2 3HE", ""),
    ("JANE", "", "Doe", "1970-01-01", "f", "1 upper case row", "BN1 1AA", ""),
    ("jane", "", "doe", "1970-02-30", "f", "1 impossible date road", "BN1 1AA", ""),
    ("jane", "", "doe", "1970-01-01", "x", "1 unlisted sex street", "BN1 1AA", ""),
)
VECTORS: Final[tuple[dict[str, str], ...]] = tuple(
    dict(zip(_COLUMNS, row, strict=True)) for row in _ROWS
)
