"""Codes of the ledger in words for an auditor; a code that has none is shown as it is."""

from typing import Final

REASONS: Final = {
    "agreement.unknown": "the ledger holds no such agreement",
    "agreement.unsigned": "a party had not signed the agreement",
    "agreement.not_yet_valid": "the agreement had not begun",
    "agreement.expired": "the agreement had expired",
    "agreement.review_overdue": "the agreement's review was overdue",
    "agreement.suspended": "the agreement was suspended",
    "agreement.superseded": "a later version of the agreement was in force",
    "agreement.not_witnessed": "too few partners had witnessed the agreement",
    "agreement.party_not_listed": "the party is not in the agreement",
    "agreement.purpose_not_listed": "the purpose is not in the agreement, or not for an approach",
    "agreement.action_not_allowed": "the agreement does not allow this action",
    "agreement.source_not_listed": "the source is not in the agreement",
    "agreement.item_not_listed": "an item is not in the agreement",
    "agreement.item_not_releasable": "an item may not be released",
    "agreement.recipient_not_listed": "the recipient may not receive released items",
    "agreement.volume_exceeded": "more than the agreement allows",
    "agreement.privacy_not_agreed": "the agreement has no budget of privacy",
    "agreement.privacy_spent": "it would have cost more privacy than is agreed for a year",
    "consent.missing": "a member was never asked, or not for this",
    "consent.refused": "a member had said no",
    "consent.withdrawn": "a member had withdrawn",
    "consent.expired": "a member's permission had run out",
    "consent.invalidated": "a member's permission was found not to be valid",
    "consent.subset_not_allowed": "members may not be left out like this",
    "release.not_logged": "request and approval were not both in the witnessed ledger",
    "release.request_expired": "the request's time was over",
    "release.requester_role": "the asker is no service manager",
    "release.not_approved": "nobody approved, or somebody declined",
    "release.signature_kind": "signed with what the agreement does not accept",
    "release.same_person": "asker and approver are one person",
    "release.choices": "people of the family were left out in more ways than a day takes",
    "release.members_changed": "the family was not the one that was asked for",
    "release.already_released": "the request had been answered before",
    "release.recipient_mismatch": "the items would have gone to another key",
    "release.checkpoint_mismatch": "the approver looked at another ledger",
    "release.nothing_captured": "this partner captured no permission in this family",
    "release.local": "a partner's own records spoke against it, and it said no more",
    "release.protected": "somebody at a protected address, or a protected person",
    "release.age_mismatch": "a member is no adult, or no child, by this partner's record",
    "release.rate_limited": "this partner had released as much as is agreed for one day",
    "release.record_not_held": "this partner no longer held the record",
    "ledger.quorum": "too few partners witnessed the ledger",
    "ledger.checkpoint.stale": "the partners had not witnessed the ledger lately enough",
    "mirror.withheld": "the ledger hid what an entry says, which may have been a refusal",
    "signature.invalid": "a signature does not count",
    "signature.counter": "the passkey may have been copied",
}


def words(code: str) -> str:
    """A code with what it means."""
    meaning = REASONS.get(code)
    return f"{meaning} ({code})" if meaning else code.replace("_", " ")
