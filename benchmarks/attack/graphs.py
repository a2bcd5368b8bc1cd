"""What an attacker compares: how alike people are by a list, and how alike encodings are.

The attacker knows everything but the linkage secret: the schema, the profile and its views are in
the agreement. So it encodes its list under secrets of its own, several times, which takes the
noise out, and has for every view the similarity that two encodings of these people should show.
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
    """Cosine similarity of all pairs in each view, centred, float32 (n, n) a view.

    Bits are taken for -1 and 1, so a half-full filter's strangers have no similarity; the
    diagonal, which says nothing, is zero.
    """
    found = []
    for view in encodings:
        signs = np.unpackbits(view, axis=1).astype(np.float32) * 2.0 - 1.0
        signs -= signs.mean(axis=0)
        signs /= np.maximum(np.linalg.norm(signs, axis=1, keepdims=True), 1e-6)
        found.append(_centred(signs @ signs.T))
    return found


def expected_layers(
    document: dict[str, Any],
    parameters: Hardening | None,
    frame: pd.DataFrame,
    secrets: Sequence[bytes],
) -> Layers:
    """What the attacker expects of its list: the mean over secrets of its own."""
    total: Layers = []
    for secret in secrets:
        for at, layer in enumerate(layers_of(encoded(document, parameters, frame, secret))):
            if at == len(total):
                total.append(np.zeros_like(layer))
            total[at] += layer / len(secrets)
    return total


def own_secrets(count: int = OWN_SECRETS) -> list[bytes]:
    """Secrets that the attacker makes up."""
    return made_up_secrets(b"attacker", count)


def made_up_secrets(whose: bytes, count: int) -> list[bytes]:
    """Secrets that repeat from run to run, 32 bytes each."""
    return [hashlib.sha256(b"%s %d" % (whose, number)).digest() for number in range(count)]


def _centred(similarity: NDArray[np.float32]) -> NDArray[np.float32]:
    size = len(similarity)
    np.fill_diagonal(similarity, 0.0)
    centred = similarity - similarity.sum(dtype=np.float64) / max(1, size * (size - 1))
    np.fill_diagonal(centred, 0.0)
    return np.asarray(centred, dtype=np.float32)
