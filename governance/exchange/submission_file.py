"""The Arrow file of a submission: an IPC file with zstd buffers, one row a record.

It holds no name, date of birth, address or identifier of the source. Columns are never reordered,
renamed or removed. They stand apart from the manifest, since what reads no rows does without Arrow.
"""

from typing import Final

import pyarrow as pa

from governance.exchange.submission import ENCODING_BYTES, HANDLE_BYTES, NEAR_TOKENS, TOKEN_BYTES

ARROW_SCHEMA: Final = pa.schema(
    [
        pa.field("handle", pa.binary(HANDLE_BYTES), nullable=False),
        pa.field("encoding", pa.binary(ENCODING_BYTES), nullable=False),
        pa.field(  # of the agreement's views in their order; empty for profile clk
            "views",
            pa.list_(pa.field("item", pa.binary(ENCODING_BYTES), nullable=False)),
            nullable=False,
        ),
        pa.field(
            "households",
            pa.list_(
                pa.struct(
                    [
                        pa.field("household", pa.binary(TOKEN_BYTES)),
                        pa.field("kin", pa.list_(pa.binary(TOKEN_BYTES)), nullable=False),
                        *(pa.field(name, pa.binary(TOKEN_BYTES)) for name in NEAR_TOKENS),
                        pa.field("first_month", pa.int32(), nullable=False),
                        pa.field("last_month", pa.int32()),
                    ]
                )
            ),
            nullable=False,
        ),
        pa.field(
            "mentions",
            pa.list_(
                pa.struct(
                    [
                        pa.field("relation", pa.string(), nullable=False),
                        pa.field("encoding", pa.binary(ENCODING_BYTES), nullable=False),
                    ]
                )
            ),
            nullable=False,
        ),
        # other records of the file that the agent holds for the same person: each pair once, at
        # the record with the smaller handle, so that the order of the file says nothing
        pa.field(
            "duplicates",
            pa.list_(
                pa.struct(
                    [
                        pa.field("handle", pa.binary(HANDLE_BYTES), nullable=False),
                        pa.field("probability", pa.float32(), nullable=False),
                    ]
                )
            ),
            nullable=False,
        ),
        pa.field("age_band", pa.string()),
        # bands for quality by group, null but for those in the agreement's quality.groups
        pa.field("sex", pa.string()),
        pa.field("name_origin", pa.string()),
        pa.field("mover", pa.string()),
        pa.field(
            "indicators",
            pa.list_(
                pa.struct(
                    [
                        pa.field("indicator", pa.string(), nullable=False),
                        pa.field("met", pa.bool_(), nullable=False),
                    ]
                )
            ),
            nullable=False,
        ),
    ]
)
