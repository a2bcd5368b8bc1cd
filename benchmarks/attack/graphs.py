"""What an attacker compares: how alike people are by a list, and how alike encodings are.

The attacker knows everything but the linkage secret: the schema, the profile and its views are in
the agreement. So it encodes its list under secrets of its own, several times, which takes the
noise out, and has for every view the correlation that two encodings of these people should show.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from governance.agreements.encoding import Hardening
from partner_agent.encoding.profiles import record_encoder
from partner_agent.encoding.schema import LinkageSchema
from partner_agent.encoding.tokens import LinkageKeys

Layers = list[NDArray[np.float32]]

AGREEMENT: Final = "sha256:" + "0" * 64  # public; keys hang on it
OWN_SECRETS: Final = 24  # under which the attacker encodes its list


def encoded(
    document: dict[str, Any], parameters: Hardening | None, frame: pd.DataFrame, secret: bytes
) -> NDArray[np.uint8]:
    """Encodings of cleaned rows, uint8 (v, n, width); None is profile ``clk``.

    Raises:
        ValueError: a row cannot be encoded.
    """
    schema = LinkageSchema.parse(document)
    table = frame.reindex(columns=list(schema.columns), fill_value="")
    keys = LinkageKeys.derive(secret, AGREEMENT, 1)
    found = record_encoder(schema, keys, parameters).encode(table)
    if not found.accepted.all():
        raise ValueError("rows that cannot be encoded; expected cleaned ones")
    return found.encodings


def layers_of(encodings: NDArray[np.uint8]) -> Layers:
    """Correlation of all pairs in each view, centred, float32 (n, n) a view.

    What all encodings have in common is taken out; the diagonal, which says nothing, is zero.
    """
    return [_centred(_agreement(view)) for view in encodings]


def expected_layers(
    document: dict[str, Any],
    parameters: Hardening | None,
    frame: pd.DataFrame,
    secrets: Sequence[bytes],
) -> Layers:
    """What the attacker expects of its list: the mean over secrets of its own.

    A bit of profile hardened is the XOR of k independent majorities, so the expected correlation of
    two encodings is the k-th power of that of single majorities: the attacker encodes with k = 1,
    where likeness shows, and takes the power, which leaves hardly any noise among strangers.
    """
    single = None if parameters is None else parameters.model_copy(update={"k": 1})
    total: Layers = []
    for secret in secrets:
        for at, view in enumerate(encoded(document, single, frame, secret)):
            found = _agreement(view) / np.float32(len(secrets))
            if at < len(total):
                total[at] += found
            else:
                total.append(found)
    return [_centred(layer ** (1 if parameters is None else parameters.k)) for layer in total]


def _agreement(view: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean product of the bits of all pairs, taken for -1 and 1."""
    signs = np.unpackbits(view, axis=1).astype(np.float32) * 2.0 - 1.0
    return np.asarray(signs @ signs.T / signs.shape[1], dtype=np.float32)


def own_secrets(count: int = OWN_SECRETS) -> list[bytes]:
    """Secrets that the attacker makes up."""
    return made_up_secrets(b"attacker", count)


def made_up_secrets(whose: bytes, count: int) -> list[bytes]:
    """Secrets that repeat from run to run, 32 bytes each."""
    return [hashlib.sha256(b"%s %d" % (whose, number)).digest() for number in range(count)]


def _centred(agreement: NDArray[np.float32]) -> NDArray[np.float32]:
    """Correlation after what each bit has in common over all records is taken out."""
    rows = agreement.mean(axis=0, dtype=np.float64)
    found = agreement - rows[:, None] - rows[None, :] + rows.mean()
    scale = np.sqrt(np.maximum(np.diag(found), 1e-6))
    found /= scale[:, None] * scale[None, :]
    np.fill_diagonal(found, 0.0)
    found -= found.sum() / max(1, found.size - len(found))
    np.fill_diagonal(found, 0.0)
    return np.asarray(found, dtype=np.float32)
