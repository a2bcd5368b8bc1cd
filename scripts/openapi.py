"""Write docs/openapi/hub.json and ledger.json: ``python -m scripts.openapi`` (``make openapi``)."""

import json
import tempfile
from pathlib import Path
from typing import Any, Final

from governance.canonical import canonical_bytes, utc_now
from governance.identity.files import new_party, write_secret
from governance.identity.models import publish_party_keys
from governance.ledger import described as ledger_described
from governance.ledger.app import create_app as create_ledger
from governance.ledger.app import init_ledger
from governance.ledger.events import Author, EventType
from governance.ledger.note import VerifierKey
from governance.ledger.payloads import Genesis
from governance.ledger.settings import LedgerSettings
from governance.storage.database import sqlite_url
from linkage_hub.api import described as hub_described
from linkage_hub.app import Hub
from linkage_hub.app import create_app as create_hub
from linkage_hub.settings import HubSettings

FOLDER: Final = Path(__file__).parents[1] / "docs" / "openapi"
ORIGIN: Final = "ledger.example.org/openapi"


def documents() -> dict[str, dict[str, Any]]:
    """OpenAPI documents by the name of their file, of services made for this alone."""
    with tempfile.TemporaryDirectory() as folder:
        vkey, ledger = _ledger(Path(folder))
        return {"ledger.json": ledger, "hub.json": _hub(Path(folder), vkey)}


def written(document: dict[str, Any]) -> str:
    """A document as its file holds it."""
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _ledger(folder: Path) -> tuple[VerifierKey, dict[str, Any]]:
    operator = new_party("ledger", "Ledger")
    settings = LedgerSettings(
        origin=ORIGIN,
        database_url=sqlite_url(folder / "ledger.db"),
        key_file=folder / "ledger.key",
    )
    author = Author(operator.keys.thumbprint, operator.signing_key, utc_now, ORIGIN)
    parties = (publish_party_keys(operator.keys, operator.signing_key),)
    vkey = init_ledger(
        settings, author.write(EventType.GENESIS, Genesis(origin=ORIGIN, parties=parties))
    )
    return vkey, ledger_described.openapi(create_ledger(settings))


def _hub(folder: Path, vkey: VerifierKey) -> dict[str, Any]:
    home = folder / "hub"
    home.mkdir()
    write_secret(home / "party.secret", canonical_bytes(new_party("hub", "Hub")))
    hub = Hub(home, HubSettings(ledger_url="http://127.0.0.1:9", ledger_key=str(vkey)))
    try:
        return hub_described.openapi(create_hub(hub))
    finally:
        hub.close()


def main() -> None:
    """Write both."""
    FOLDER.mkdir(exist_ok=True)
    for name, document in documents().items():
        (FOLDER / name).write_text(written(document), encoding="utf-8")


if __name__ == "__main__":
    main()
