"""The hub says who it is and signs as the processor that an agreement names."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from governance.agreements.files import read_agreement, write_agreement
from governance.agreements.models import Agreement
from governance.agreements.signing import sign_agreement
from governance.canonical import unb64
from governance.errors import FormatError, SignatureError
from governance.identity.envelope import Envelope
from governance.identity.models import read_party_keys
from governance.ledger.errors import LedgerRefusedError, QuorumError
from governance.ledger.events import EventType
from governance.ledger.note import Note, cosign, witness_key
from governance.ledger.payloads import AgreementProposed, AgreementSigned
from governance.terminal import read_document
from linkage_hub.cli.main import app
from tests.hub_world import HubWorld, hub_world_in


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """A world whose hub has a home of its own."""
    with hub_world_in(tmp_path_factory.mktemp("named-hub")) as found:
        found.hub.settings.save(found.hub.home)
        yield found


def run(world: HubWorld, *words: str) -> Any:
    """A command of the hub's operator."""
    home = str(world.hub.home)
    result = CliRunner().invoke(app, ["--home", home, "--json", "--no-input", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return json.loads(result.stdout)


def naming(world: HubWorld, version: int, **hub: str) -> Agreement:
    """The next version, which names the hub, proposed by the council."""
    data = world.agreement.model_dump(mode="json")
    entry = data["parties"][0] | {"party": "hub", "name": "Hub", "role": "processor"} | hub
    data |= {"version": version, "supersedes": world.agreement.hash}
    data["parties"].append(entry)
    agreement = Agreement.model_validate(data)
    ledger = world.agents["council"].ledger
    ledger.write(EventType.AGREEMENT_PROPOSED, AgreementProposed(agreement=agreement))
    return agreement


def partners_sign(world: HubWorld, agreement: Agreement) -> None:
    """Police and council sign."""
    for agent in world.agents.values():
        signature = sign_agreement(agreement, agent.secrets)
        payload = AgreementSigned(agreement=agreement.hash, signature=signature)
        agent.ledger.write(EventType.AGREEMENT_SIGNED, payload)


def test_the_hub_is_named_and_signs(world: HubWorld, tmp_path: Path) -> None:
    """From its identity to an agreement in force, by the operator's commands alone."""
    identity = run(world, "identity", "--out", str(tmp_path / "hub.keys.json"))
    public = read_party_keys(read_document(tmp_path / "hub.keys.json", Envelope))
    assert (identity["party"], identity["keys"]) == ("hub", public.thumbprint)
    agreement = naming(world, 2, keys=identity["keys"])
    partners_sign(world, agreement)
    (listed,) = run(world, "agreement", "list")["agreements"]
    assert (listed["agreement"], listed["state"], listed["who"]) == (
        agreement.hash, "review", ["hub"],
    )  # fmt: skip
    file = tmp_path / "agreement.yaml"
    file.write_text(write_agreement(agreement), "utf-8")
    assert run(world, "agreement", "show", str(file))["life"]["state"] == "review"
    for named in (str(file), agreement.hash):  # the second time it is signed already
        told = run(world, "agreement", "sign", named, "--yes")
        assert (told["state"], told["signed_by"]) == ("in_force", ["council", "hub", "police"])
    standing = world.agents["police"].ledger.sync().agreements.standing(agreement.hash)
    assert standing.signed_by == {"council", "hub", "police"}


def test_the_hub_signs_as_the_named_processor_alone(world: HubWorld) -> None:
    """No agreement that does not name it, and none that calls it a controller.

    One that names it by other keys does not come into the ledger.
    """
    mine = world.hub.secrets.keys.thumbprint
    controller = naming(world, 3, keys=mine, role="controller")
    for agreement in (world.agreement, controller):
        with pytest.raises(SignatureError):
            run(world, "agreement", "sign", agreement.hash, "--yes")
    state = world.hub.ledger.sync()
    assert "hub" not in state.agreements.standing(controller.hash).signed_by
    with pytest.raises(LedgerRefusedError):
        naming(world, 4, keys=world.operator.keys.thumbprint)


@pytest.mark.invariant(4, "a named hub that cosigns beside one partner", double="forks")
def test_a_named_hubs_cosignature_counts_for_no_quorum(world: HubWorld) -> None:
    """Else hub and one partner could be the quorum of one tree, and hub and another of a second."""
    agreement = naming(world, 5, keys=world.hub.secrets.keys.thumbprint)
    council, hub = world.agents["council"], world.hub.secrets
    council.ledger.sync()
    council.ledger.witness()
    note, _ = council.ledger.mirror.cosigned()
    key = witness_key(council.ledger.log_key.name, "hub", unb64(hub.keys.witness))
    line = cosign(note.text, key, hub.witness_key, int(council.now().timestamp()))
    both = Note(note.text, (*note.signatures, line))
    policy = council.ledger.policy(agreement)
    assert (policy.quorum, len(policy.witnesses)) == (2, 2)
    with pytest.raises(QuorumError):
        council.ledger.mirror.verify_witnessed(both, policy, council.now())
    with pytest.raises(QuorumError):
        council.ledger.policy(agreement, ["hub"])


def test_a_file_whose_quorum_cannot_be_reached_is_refused(world: HubWorld, tmp_path: Path) -> None:
    """Three witnesses of police, council and a processor: there are two."""
    agreement = naming(world, 6, keys=world.hub.secrets.keys.thumbprint)
    data = agreement.model_dump(mode="json")
    data["witnessing"]["quorum"] = 3
    file = tmp_path / "agreement.yaml"
    file.write_text(write_agreement(Agreement.model_validate(data)), "utf-8")
    with pytest.raises(FormatError, match=r"witnessing\.quorum"):
        read_agreement(file)
