"""What partners signed of their submissions, as the hub keeps it."""

from typing import Any

from governance.canonical import parse_json
from governance.exchange.submission import Manifest
from governance.identity.envelope import Envelope, parse_canonical, parse_model


def manifest_of(row: Any) -> Manifest:
    """The manifest of a submission's row; its signature was checked when it was announced."""
    envelope = parse_model(parse_json(row.manifest), Envelope)
    return parse_canonical(envelope.payload_bytes, Manifest)
