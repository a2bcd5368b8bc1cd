"""What families would gain if agents answered perfectly who shares a surname, or a home.

Household tokens and their kin answer these two questions for the hub (ADR 12). Here the true
answers take their place, one after the other, on the true persons.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from benchmarks.families.measure import Reference, Row, evidence_of, families_rows, split
from benchmarks.quality.ours import Encoded
from governance.agreements.encoding import Hardening
from linkage_hub.families.columns import Evidence


def perfect_rows(
    sources: Sequence[Encoded],
    reference: Reference,
    truth: pd.DataFrame,
    hardening: Hardening | None,
) -> list[Row]:
    """Scores with perfect answers about surnames, and about homes where the truth knows them."""
    person_of = split(reference.person, sources)
    evidence = evidence_of(sources, person_of, reference.persons, hardening)
    surnames = families_rows(
        "perfect surnames", reference, reference.person, _surnames(evidence, sources, reference)
    )
    homes = _homes(evidence, sources, truth)
    if homes is None:
        return surnames
    return surnames + families_rows("perfect homes", reference, reference.person, homes)


def _surnames(evidence: Evidence, sources: Sequence[Encoded], reference: Reference) -> Evidence:
    """Kin of every statement: all surnames of its person, as any record gives them."""
    names = pd.concat([source.clean.surname.fillna("") for source in sources], ignore_index=True)
    borne = pd.DataFrame({"person": reference.person, "name": names})
    borne = borne[borne.name != ""].drop_duplicates()
    borne["kin"] = pd.factorize(borne.name)[0]
    statements = pd.DataFrame({"person": evidence.statements.person})
    statements["row"] = np.arange(len(statements))
    kin = statements.merge(borne, on="person").sort_values(["row", "kin"])
    return replace(
        evidence,
        statements=replace(
            evidence.statements,
            kin_of=kin.row.to_numpy(np.int64),
            kin=kin.kin.to_numpy(np.int64),
        ),
    )


def _homes(evidence: Evidence, sources: Sequence[Encoded], truth: pd.DataFrame) -> Evidence | None:
    """The address that every statement's record means; None where the truth does not know it."""
    index = [
        (source.name, source.record_ids[row])
        for source in sources
        for row in _rows_of_statements(source)
    ]
    meant = truth.drop_duplicates(["source", "record_id"]).set_index(["source", "record_id"])
    home = meant.home.loc[index]
    if not (home != "").any():
        return None
    number, known = pd.factorize(home)
    tokens = np.zeros((len(known), evidence.tokens.shape[1]), dtype=np.uint8)
    tokens[:, :8] = np.arange(len(known), dtype=">u8").view(np.uint8).reshape(-1, 8)
    statements = replace(evidence.statements, household=number.astype(np.int64))
    return replace(evidence, statements=statements, tokens=tokens)


def _rows_of_statements(source: Encoded) -> list[int]:
    rows: list[int] = pc.list_parent_indices(source.data.table.column("households")).to_pylist()
    return rows
