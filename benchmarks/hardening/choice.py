"""What a profile finds in the end, and what an attacker names of it: one table.

``python -m benchmarks.hardening.choice --folder DIR ... --people 1000``: for every k and set of
views, F1 after refinement at the threshold that the hub chooses itself (links of two files; for
several sources the persons, B-cubed), and the share of people that graph matching names under
several secrets (mean, and the range in brackets).
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.attack.measure import Attack, neighbours, shares_named
from benchmarks.hardening.profiles import VIEW_SETS, profiles
from benchmarks.quality import metrics
from benchmarks.quality.agents import InProcess
from benchmarks.quality.dataset import load_dataset, read_truth
from benchmarks.quality.ours import Encoded, encode_sources
