"""What the compiler makes of the loops, here and on processors without a vector count."""

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import linkage_hub
from linkage_hub.linkage.similarity.tiles import vector_counts

ROOT = Path(linkage_hub.__file__).parents[1]

ASSEMBLY = """
import numpy as np
from linkage_hub.linkage.similarity import kernels, tiles
from linkage_hub.linkage.similarity.sides import bit_order, prepare
rows = np.random.default_rng(0).integers(0, 256, (300, 128), dtype=np.uint8)
side = prepare(rows, bit_order([rows]), 8)
tiles.compare(side, side, tiles.Ask(0.9, 8, 10), 8)
loop = kernels.comparing(8, 8)
print(*loop.inspect_asm().values())
"""

EQUAL = """
import numpy as np
from linkage_hub.linkage.similarity.fast import fast_join
from linkage_hub.linkage.similarity.join import Wanted, join
from linkage_hub.linkage.similarity.tiles import vector_counts
from linkage_hub.linkage.similarity.views import join_views
assert not vector_counts()
rng = np.random.default_rng(1)
base = rng.random((20, 1024)) < 0.4
rows = np.packbits(base[rng.integers(0, 20, 500)] ^ (rng.random((500, 1024)) < 0.05), axis=1)
ones = np.bitwise_count(rows).sum(axis=1, dtype=np.int64)
common = np.stack([np.bitwise_count(rows & each).sum(axis=1, dtype=np.int64) for each in rows])
dice = 2.0 * common / (ones[:, None] + ones[None, :])
want = set(zip(*np.nonzero(dice >= 0.85)))
for run in (join, fast_join):
    parts = run([rows, rows], [Wanted(0, 1, 0.85, 1 << 40)], progress=lambda share, word: None)
    got = [(a, b) for _, part in parts for a, b, _ in part.tolist()]
    assert len(got) == len(set(got))
    assert set(got) == want or run is fast_join and len(set(got) & want) > 0.99 * len(want)
views = np.stack([rows, rows[::-1], np.roll(rows, 1, axis=1)])
unlike = np.bitwise_count(views[:, :, None] ^ views[:, None]).sum(axis=3, dtype=np.int64)
together = np.log(np.exp((1 - unlike / 1024) * 64 / 3).mean(axis=0)) * 3 / 64
parts = join_views([views, views], [Wanted(0, 1, 0.8, 1 << 40)], progress=lambda share, word: None)
got = [(a, b) for _, part in parts for a, b, _ in part.tolist()]
assert sorted(got) == list(zip(*np.nonzero(together >= 0.8)))
print("equal", len(want))
"""


def run(code: str, cache: Path, **settings: str) -> str:
    """Standard output of a process of its own with its own compiled code."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT), **settings}
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    ).stdout


@pytest.mark.skipif(not vector_counts(), reason="this processor has no AVX-512 VPOPCNTDQ")
def test_bits_are_counted_by_whole_vectors(tmp_path: Path) -> None:
    """The hot loop counts 512 bits an instruction: 8 words by 8 vectors, written out."""
    assembly = run(ASSEMBLY, tmp_path)
    assert len(re.findall(r"vpopcntq\s.*%zmm", assembly)) >= 64


@pytest.mark.skipif(platform.machine() != "x86_64", reason="names processors of one family")
@pytest.mark.parametrize("processor", ["haswell", "x86-64"])
def test_same_pairs_without_a_vector_count(processor: str, tmp_path: Path) -> None:
    """AVX2 only, and nothing but the first x86-64: slower code, the same pairs."""
    features = "+avx2,+popcnt" if processor == "haswell" else ""
    output = run(EQUAL, tmp_path, NUMBA_CPU_NAME=processor, NUMBA_CPU_FEATURES=features)
    assert output.startswith("equal")


def test_compiled_code_is_kept_outside_a_package_that_is_not_to_be_written(tmp_path: Path) -> None:
    """With NUMBA_CACHE_DIR a second process finds the code, and nothing is put into the package."""
    package = tmp_path / "site" / "linkage_hub"
    shutil.copytree(
        ROOT / "linkage_hub" / "linkage",
        package / "linkage",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (package / "__init__.py").write_text("")
    for path in [*package.rglob("*"), package]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    code = ASSEMBLY + "print('hits', sum(loop.stats.cache_hits.values()))"
    settings = {"PYTHONPATH": str(tmp_path / "site"), "PYTHONDONTWRITEBYTECODE": "1"}
    first = run(code, tmp_path / "kept", **settings)
    second = run(code, tmp_path / "kept", **settings)
    assert "hits 0" in first
    assert "hits 1" in second
    assert not list(package.rglob("*.nbi"))
