"""The linkage secret on its way past a hub that would like to know it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from governance.agreements.models import Agreement
from governance.canonical import b64, write_time
from governance.errors import GovernanceError, SignatureError
from governance.exchange.secret import LINKAGE_SECRET, SECRET_BYTES, SealedSecret, seal_info
from governance.identity.envelope import Envelope, sign
from governance.identity.files import PartySecrets
from governance.identity.keys import seal
from partner_agent.encoding.tokens import LinkageKeys, key_check_value
from partner_agent.linkage_secret import LinkageSecretError, accept_secret, secret_path
from tests.governance.world import NOON, Party, World, agreement_data

SECRET = bytes(range(SECRET_BYTES))
OF_THE_HUB = b"\x07" * SECRET_BYTES


@dataclass
class Story:
    """Police share a secret with the council under an agreement to which the hub is a party too."""

    home: Path
    world: World
    agreement: Agreement

    def sealed(
        self,
        sender: Party,
        secret: bytes = SECRET,
        /,
        recipient: Party | None = None,
        checked: bytes | None = None,
        **changes: Any,
    ) -> Envelope:
        """A secret as a party seals and signs it, with a field or two changed."""
        recipient = recipient or self.world.council
        agreement, epoch = changes.get("agreement", self.agreement.hash), changes.get("epoch", 1)
        thumbprint = recipient.keys.thumbprint
        info = seal_info(agreement, epoch, sender.name, thumbprint)
        keys = LinkageKeys.derive(checked or secret, self.agreement.hash, 1)
        document = SealedSecret(
            agreement=agreement,
            epoch=epoch,
            sender=changes.get("sender", sender.name),
            recipient=recipient.name,
            recipient_keys=thumbprint,
            key_check_value=key_check_value(keys),
            created=write_time(NOON),
            ciphertext=b64(seal(secret, recipient.sealing.public, info)),
        )
        return sign(LINKAGE_SECRET, document, sender.signing, sender.keys.thumbprint)

    def accept(self, envelope: Envelope) -> str:
        """The council fetches what the hub hands out."""
        council = self.world.council
        own = PartySecrets(
            keys=council.keys,
            signing=b64(council.signing.seed),
            witness=b64(council.witness.seed),
            sealing=b64(council.sealing.seed),
        )
        hub: Any = Hub(envelope)
        return accept_secret(self.home, self.agreement, own, self.world.state, hub, None)


@dataclass
class Hub:
    """A hub that answers with what it likes."""

    envelope: Envelope

    def secret(self, _agreement: str, _epoch: int) -> Envelope:
        """What it calls the caller's secret."""
        return self.envelope


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """Three partners with sources, and the hub as a processor without one."""
    world = World()
    data = agreement_data([*world.partners, world.hub])
    data["parties"][-1]["role"] = "processor"
    data["sources"] = data["sources"][:-1]
    return Story(tmp_path, world, Agreement.model_validate(data))


def test_a_partners_secret_is_kept_once(story: Story) -> None:
    """It opens for its recipient, and no second one takes its place."""
    police, nhs = story.world.partners[:2]
    check = story.accept(story.sealed(police))
    assert check == key_check_value(LinkageKeys.derive(SECRET, story.agreement.hash, 1))
    kept = secret_path(story.home, story.agreement)
    before = kept.read_bytes()
    with pytest.raises(GovernanceError, match="exists"):
        story.accept(story.sealed(nhs, b"\x01" * SECRET_BYTES))
    assert kept.read_bytes() == before


def by_the_hub(story: Story) -> Envelope:
    """A secret of the hub's own, which as a processor is a party to the agreement."""
    return story.sealed(story.world.hub, OF_THE_HUB)


def in_a_partners_name(story: Story) -> Envelope:
    """The hub signs and says that it is the police."""
    return story.sealed(story.world.hub, OF_THE_HUB, sender="police")


def with_another_ciphertext(story: Story) -> Envelope:
    """The police's document with the hub's ciphertext in it."""
    honest = story.sealed(story.world.partners[0])
    return honest.model_copy(update={"payload": by_the_hub(story).payload})


def for_somebody_else(story: Story) -> Envelope:
    """What the police sealed to the NHS body."""
    return story.sealed(story.world.partners[0], recipient=story.world.partners[1])


def of_another_epoch(story: Story) -> Envelope:
    """An old one again."""
    return story.sealed(story.world.partners[0], epoch=2)


def of_another_agreement(story: Story) -> Envelope:
    """One of an agreement that is over."""
    return story.sealed(story.world.partners[0], agreement="sha256:" + "0" * 64)


def with_another_check_value(story: Story) -> Envelope:
    """A partner that gives each of the others another secret under one check value."""
    return story.sealed(story.world.partners[0], OF_THE_HUB, checked=SECRET)


@pytest.mark.parametrize(
    ("trick", "refusal"),
    [
        pytest.param(
            trick,
            refusal,
            marks=pytest.mark.invariant(15, (trick.__doc__ or "").rstrip("."), double=double),
        )
        for trick, refusal, double in (
            (by_the_hub, SignatureError, "swaps keys"),
            (in_a_partners_name, SignatureError, "lies"),
            (with_another_ciphertext, SignatureError, "swaps keys"),
            (for_somebody_else, LinkageSecretError, "lies"),
            (of_another_epoch, LinkageSecretError, "replays"),
            (of_another_agreement, LinkageSecretError, "replays"),
            (with_another_check_value, LinkageSecretError, "lies"),
        )
    ],
)
def test_no_other_secret_is_taken(
    story: Story, trick: Callable[[Story], Envelope], refusal: type[GovernanceError]
) -> None:
    """Invariant 15: what a hub knows or makes up never becomes the partners' secret."""
    with pytest.raises(refusal) as caught:
        story.accept(trick(story))
    assert not secret_path(story.home, story.agreement).exists()
    assert OF_THE_HUB.hex() not in str(caught.value)
