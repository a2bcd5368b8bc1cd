"""Where catalogues were read before: ``governance.agreements.criteria``."""

from governance.agreements.criteria import Criteria, Need, Rule

__all__ = ["Criteria", "Need", "Rule"]
