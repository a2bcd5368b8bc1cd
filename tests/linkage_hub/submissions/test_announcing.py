"""What a real hub takes in a day, and under which agreements, is agreed before the first byte."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from governance.agreements.models import Agreement
from governance.agreements.signing import sign_agreement
from governance.canonical import utc_now
from governance.exchange.hub_client import HubRefused
from governance.identity.envelope import Envelope, sign
from governance.ledger.events import Author, EventType
from governance.ledger.payloads import AgreementProposed, AgreementSigned
from linkage_hub.submissions.service import SUBMISSION
from partner_agent.app import Agent
from tests.hub_world import HubWorld
from tests.refinement_world import allow, make, person, refining_world

ROWS = [person(n) for n in range(6)]
AGREED = 3


def _few(data: dict[str, Any]) -> None:
    allow(data)
    data["limits"]["submissions_per_source_per_day"] = AGREED


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HubWorld]:
    """Each partner has one accepted submission today, of three."""
    with refining_world(tmp_path, ROWS, ROWS, _few) as found:
        yield found


def crafted(agent: Agent, number: int, **changes: str) -> Envelope:
    """A manifest of its own id, as a partner that probes would sign one after the other."""
    (item,) = agent.outbox.newest()
    manifest = item.manifest.model_copy(update={"id": f"{number:032x}", **changes})
    secrets = agent.secrets
    return sign(SUBMISSION, manifest, secrets.signing_key, secrets.keys.thumbprint)


@pytest.mark.invariant(19, "more submissions in a day than agreed")
def test_what_is_announced_counts_whether_or_not_it_is_sent(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Repeating one is none more, another partner counts for itself; the day is any 24 hours."""
    police, council = world.agents["police"], world.agents["council"]
    make(world, police, ROWS)
    for number in (1, 2):
        for _ in range(2):
            assert police.hub.post_submission(crafted(police, number)).state == "receiving"
    with pytest.raises(HubRefused) as refused:
        police.hub.post_submission(crafted(police, 3))
    assert refused.value.hub_reason == "submission.quota"
    make(world, council, ROWS)
    assert council.hub.post_submission(crafted(council, 4)).state == "receiving"
    tomorrow = world.hub.now() + timedelta(days=1, seconds=5)
    monkeypatch.setattr(world.hub.submissions, "_now", lambda: tomorrow)
    assert police.hub.post_submission(crafted(police, 3)).state == "receiving"


def test_a_hub_takes_nothing_under_an_agreement_that_names_another(world: HubWorld) -> None:
    """Its verdict would not count; the partner reads why, and what to do."""
    data = world.agreement.model_dump(mode="json")
    other = {"party": "ledger", "role": "processor", "keys": world.operator.keys.thumbprint}
    data["parties"].append(data["parties"][0] | other)
    data |= {"version": 2, "supersedes": world.agreement.hash}
    agreement = Agreement.model_validate(data)
    proposed = AgreementProposed(agreement=agreement)
    signers = [*(agent.secrets for agent in world.agents.values()), world.operator]
    pen = world.agents["council"].ledger
    pen.write(EventType.AGREEMENT_PROPOSED, proposed)
    for secrets in signers:
        author = Author(secrets.keys.thumbprint, secrets.signing_key, utc_now, pen.log_key.name)
        signed = AgreementSigned(
            agreement=agreement.hash, signature=sign_agreement(agreement, secrets)
        )
        pen.append(author.write(EventType.AGREEMENT_SIGNED, signed))
    police = world.agents["police"]
    with pytest.raises(HubRefused, match="this hub is none of them") as refused:
        police.hub.post_submission(crafted(police, 9, agreement=agreement.hash))
    assert refused.value.hub_reason == "submission.hub_not_named"
