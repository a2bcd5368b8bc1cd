"""What codes of a report are called."""

from typing import Final

WORDS: Final = {
    "still_met": "still met",
    "not_lasted": "has not lasted",
    "start_unknown": "not known at the start",
    "now_unknown": "not known now",
    "lasting_unknown": "not known whether it lasted",
    "new_family": "not known before",
    "left_programme": "left the programme",
    "living_here_again": "not known any longer to have left the county",
    "more_needs": "more needs are met",
    "otherwise": "otherwise: families merged or split, or a need that the catalogue lacks",
    "gone": "no record of it any more",
    "joined_programme": "joined the programme",
    "moved_away": "known at no address of the county any more",
    "needs_resolved": "a need is known to be met no longer",
    "needs_unknown": "nobody speaks of a need any more",
    "unknown": "not known",
}


def words(code: str) -> str:
    """A code in words."""
    return WORDS.get(code, code)
