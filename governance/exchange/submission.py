"""A submission: a signed manifest and one Arrow file of pseudonymous records.

Signed format ``submission/v1``: fields are never reordered, renamed or removed; a new format gets
a new name. The Arrow file's columns are in ``submission_file``.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from governance.agreements.models import IsoDate
from governance.canonical import Frozen, Hash, Hex128, Slug, Time

HANDLE_BYTES: Final = 16
ENCODING_BYTES: Final = 128  # 1,024 bits
TOKEN_BYTES: Final = 16
CLK_FILL_LEAST: Final = 0.15
"""Share of bits that an encoding of profile ``clk`` has at least. One field of the person schema
alone fills .13 at most and would be told by how often it comes; two fill .16 and more."""

AGE_BANDS: Final = (
    "under_5",
    "5_10",
    "11_15",
    "16_17",
    "18_24",
    "25_44",
    "45_64",
    "65_plus",
)
CHILD_BANDS: Final = frozenset(AGE_BANDS[:4])
RELATIONS: Final = ("parent", "child", "partner", "guardian")

KIN_MOST: Final = 6
"""Tokens of a home and the sound of a part of the surname, of one record at one home."""
NEAR_TOKENS: Final = ("near_number", "near_street", "near_postcode", "near_area")
"""Tokens of a surname and an address with one part left out, or its postcode alone. Without a
household token there is the last only."""

DUPLICATES_MOST: Final = 50
"""Other records of its file that the agent may hold for the same person as one record."""
GROUP_MOST: Final = 100
"""Records that such pairs may connect: of one person no source holds more, whatever it holds, and
a corrupt partner cannot make one person of all that it submits."""
PAIRS_A_RECORD: Final = 10
PAIRS_FREE: Final = 1_000
"""All such pairs of a file together: so many for each record, and so many besides."""
PROBABILITY_STEPS: Final = 100
"""A pair's probability is rounded to two decimals, so that it carries no more than it must."""
PROBABILITY_LEAST: Final = 0.5

Count = Annotated[int, Field(ge=0, le=100_000_000)]


class Counts(Frozen):
    """What the agent did with the extract's rows.

    ``synthetic`` rows (ADR 14) are beside the extract's; the hub checks ``in_file``.
    """

    rows: Count
    submitted: Count
    rejected: Count
    opted_out: Count
    synthetic: Count = 0

    @property
    def in_file(self) -> int:
        """Records that the Arrow file holds."""
        return self.submitted + self.synthetic


class Manifest(Frozen):
    """The signed face of a submission (payload type ``submission/v1``).

    ``synthetic_key`` commits to which records are synthetic; None where the agreement has none.
    """

    format: Literal["submission/v1"] = "submission/v1"
    id: Hex128
    party: Slug
    source: Slug
    agreement: Hash
    epoch: Annotated[int, Field(ge=1)]
    purpose: Slug
    schema_hash: Hash
    key_check_value: Hash
    test_vectors: Hash
    counts: Counts
    extracted_on: str
    created: Time
    content_sha256: Hash
    content_bytes: Annotated[int, Field(ge=1)]
    synthetic_key: Hash | None = None


class NewManifest(Manifest):
    """One as it is announced; manifests that a hub took earlier may name any day, or none."""

    extracted_on: IsoDate
