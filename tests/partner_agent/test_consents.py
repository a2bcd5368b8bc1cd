"""What a consent record may say."""

import pytest

from governance.agreements.models import Agreement
from governance.errors import ReasonedError
from partner_agent.consents import consent_template
from tests.governance.world import NOTICE, Party, agreement_data

AGREEMENT = Agreement.model_validate(agreement_data([Party("police"), Party("council")]))


@pytest.mark.invariant(16, "words of an officer that are none of the agreement's")
@pytest.mark.parametrize(
    "fields",
    [{"items": ["surname", "quixwald"]}, {"purpose": "quixwald"}, {"purpose": "find-families"}],
)
def test_only_the_agreements_words_are_recorded(fields: dict[str, object]) -> None:
    """A mistyped word would stay in the ledger; it is not repeated in the error either."""
    with pytest.raises(ReasonedError, match="none of the agreement's") as caught:
        consent_template(AGREEMENT, "council", NOTICE, **fields)
    assert "quixwald" not in str(caught.value)


def test_defaults_are_the_agreements() -> None:
    """Without other words a consent is for what the agreement releases."""
    template = consent_template(AGREEMENT, "council", NOTICE)
    assert template["purpose"] == "offer-help"
    assert template["items"] == ["first_name", "surname", "address"]
