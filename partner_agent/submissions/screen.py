"""Rows that go no further than cleansing, and rows that go on without their home.

Rules, in order: a row that takes no part, as its subject has asked, is left out; a row of a
protected person or home is left out where the agreement says that such rows are never encoded, and
otherwise goes on marked as protected, so that it gets no household token and lends nothing, and
without a word on its area (ADR 45). What is left out reaches neither vault nor encoder.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from partner_agent.cleansing.cleanser import CleanChunk
from partner_agent.protection.register import Guard, Protections, protect_rows
from partner_agent.vault.store import Vault


@dataclass
class Screen:
    """One extract's.

    Attributes:
        vault: by which record ids are known.
        source: the source system.
        blocked: keyed hashes of record ids that take no part.
        guard: the register of protected people and homes.
        never_encoded: whether their rows are left out.
        register: where it is kept, to which rows of protected persons add what they tell.
        areas: indicators that say where somebody lives.
        left_out: rows that take no part, so far.
        withheld: protected rows that were left out, so far.
    """

    vault: Vault
    source: str
    blocked: frozenset[bytes]
    guard: Guard
    never_encoded: bool
    register: Protections
    areas: tuple[str, ...] = ()
    left_out: int = 0
    withheld: int = 0

    def screen(self, clean: CleanChunk) -> CleanChunk:
        """What goes on of a cleaned chunk."""
        clean = self._without_blocked(clean)
        table = protect_rows(self.guard, self.source, clean.table)
        self.register.learn(self.source, table[table["protected"] != ""])
        clean = CleanChunk(table, clean.rejects, clean.kept)
        free = (table["protected"] == "").to_numpy(dtype=np.bool_)
        if not self.never_encoded:
            said = [f"indicator.{name}" for name in self.areas]
            table.loc[~free, [name for name in said if name in table.columns]] = ""
            return clean
        self.withheld += int((~free).sum())
        return _only(clean, free)

    def _without_blocked(self, clean: CleanChunk) -> CleanChunk:
        if not self.blocked:
            return clean
        free = np.array(
            [
                self.vault.locator(self.source, record_id) not in self.blocked
                for record_id in clean.table["source_record_id"]
            ],
            dtype=np.bool_,
        )
        self.left_out += int((~free).sum())
        return _only(clean, free)


def _only(clean: CleanChunk, free: npt.NDArray[np.bool_]) -> CleanChunk:
    return CleanChunk(clean.table[free].reset_index(drop=True), clean.rejects, clean.kept[free])
