"""``python -m benchmarks.risk.measured``: how wide a model's paid measures are.

Of so many families one in twenty has the outcome; lists are as good as in ``docs/risk.md``. For
each size and epsilon measures are drawn many times over, and the mean width of their intervals and
how often these hold the truth are printed.
"""

from typing import Final

import numpy as np
import typer

from linkage_hub.analytics.risk.measured import COUNTS, Counts, measures_of

LIST: Final = 600
RATE: Final = 0.05
PRECISION: Final = {2_600: 0.133, 10_000: 0.29, 100_000: 0.64}
EPSILONS: Final = (0.1, 0.3, 1.0)


def main(draws: int = 200) -> None:
    """Run and print it."""
    random = np.random.default_rng(1)
    print("families  epsilon  measure  true  half of the interval  holds the truth")
    for families, hit in PRECISION.items():
        expected = RATE * families
        rest = (expected - LIST * hit) / (families - LIST)
        truth = {"precision": hit, "capture": LIST * hit / expected, "o/e": 1.0}
        for epsilon in EPSILONS:
            scale = COUNTS / epsilon
            width: dict[str, list[float]] = {name: [] for name in truth}
            held = dict.fromkeys(truth, 0)
            for _ in range(draws):
                listed = int(random.binomial(LIST, hit))
                observed = listed + int(random.binomial(families - LIST, rest))
                drawn = random.geometric(1 - np.exp(-1 / scale), (2, COUNTS))
                noise = (drawn[0] - drawn[1]).tolist()
                noisy = Counts(
                    listed=listed + noise[0],
                    observed=observed + noise[1],
                    expected=round(expected) + noise[2],
                )
                found = measures_of(noisy, families, LIST, scale)
                for (name, real), each in zip(truth.items(), found, strict=True):
                    high = np.inf if each.high is None else each.high
                    width[name].append((high - each.low) / 2)
                    held[name] += each.low <= real <= high
            for name, real in truth.items():
                half = float(np.median(width[name]))
                share = held[name] / draws
                print(
                    f"{families:8,}  {epsilon:7g}  {name:9} {real:5.3f}  {half:8.3f}  {share:.3f}"
                )


if __name__ == "__main__":
    typer.run(main)
