"""Graph matching over several similarity graphs of the same people at once.

With independent noise the likeliest way of laying the encodings over the list maximises the sum
over views of ``trace(A P B P')``: Fast Approximate Quadratic programming for graph matching
(Vogelstein et al., PLOS ONE 2015), with known pairs as seeds (Fishkind et al., Pattern
Recognition 2019). It is started flat; from the graphs' spectra where nobody is known (GRAMPA: Fan,
Mao, Wu and Xu, ICML 2020); by mean field annealing where somebody is (graduated assignment: Gold
and Rangarajan, PAMI 1996). The best by its own objective counts, so no truth is used.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from benchmarks.attack.graphs import Layers

ITERATIONS: Final = 60
BITS: Final = 1024  # of an encoding
WARMEST: Final = 150  # evidence that annealing begins with
COOLINGS: Final = 25
SCALINGS: Final = 20
STILL: Final = 1e-4  # share of the matching that moves; below it the search has ended
SPREAD: Final = 0.2  # GRAMPA's width of the spectral kernel, of the graphs' own scale
Plan = NDArray[np.float32]
Order = NDArray[np.int64]


def matched(people: Layers, encodings: Layers, seeds: int = 0) -> Order:
    """Lay the encodings over the people.

    Args:
        people: expected similarity of the listed people, float32 (n, n) a view.
        encodings: similarity of the encodings in each view, float32 (m, m); the first ``seeds`` are
            known to be the first people.
        seeds: how many.

    Returns:
        for each person the encoding taken for theirs, int64 (max(n, m),): the shorter side is
        filled up with nobodies, who are like nobody.
    """
    size = max(len(people[0]), len(encodings[0]))
    people, encodings = _filled(people, size), _filled(encodings, size)
    found = [_climb(people, encodings, start, seeds) for start in _starts(people, encodings, seeds)]
    return max(found, key=lambda order: objective(people, encodings, order))


def objective(people: Layers, encodings: Layers, order: Order) -> float:
    """How well an arrangement fits: the sum over views of ``trace(A P B P')``."""
    return sum(
        float(np.vdot(a, b[np.ix_(order, order)])) for a, b in zip(people, encodings, strict=True)
    )


def _starts(people: Layers, encodings: Layers, seeds: int) -> list[Plan]:
    size = len(people[0])
    flat = np.zeros((size, size), dtype=np.float32)
    flat[seeds:, seeds:] = 1.0 / max(1, size - seeds)
    flat[np.arange(seeds), np.arange(seeds)] = 1.0
    if seeds:
        return [flat, _annealed(people, encodings, flat, seeds)]
    spectral = _plan_of(
        _assigned(_spectral(np.sum(people, axis=0), np.sum(encodings, axis=0)), seeds)
    )
    return [flat, (flat + spectral) / 2.0]


def _annealed(people: Layers, encodings: Layers, plan: Plan, seeds: int) -> Plan:
    """Mean field: each person's chances given the others' chances, cooled to the true noise.

    With noise of variance 1/1024 in each correlation the evidence for a pair is 1024 times the
    gradient; colder than that would be surer than the encodings warrant.
    """
    for evidence in np.geomspace(WARMEST, BITS, COOLINGS):
        gradient = _gradient(people, encodings, plan)[seeds:, seeds:]
        wanted = np.zeros_like(plan)
        wanted[np.arange(seeds), np.arange(seeds)] = 1.0
        wanted[seeds:, seeds:] = _doubly_stochastic(np.float32(evidence) * gradient)
        plan = (plan + wanted) / np.float32(2.0)
    return plan


def _doubly_stochastic(logarithm: Plan) -> Plan:
    """Rows and columns scaled in turn till both add up to one (Sinkhorn)."""
    for _ in range(SCALINGS):
        for axis in (1, 0):
            most = logarithm.max(axis=axis, keepdims=True)
            total = np.exp(logarithm - most).sum(axis=axis, keepdims=True)
            logarithm = logarithm - most - np.log(total)
    return np.asarray(np.exp(logarithm), dtype=np.float32)


def _spectral(first: NDArray[np.float32], second: NDArray[np.float32]) -> Plan:
    """Similarity of nodes by all pairs of eigenvectors, nearer eigenvalues counting more."""
    one, u = np.linalg.eigh(first)
    two, v = np.linalg.eigh(second)
    one, two = one / np.abs(one).std(), two / np.abs(two).std()
    kernel = 1.0 / ((one[:, None] - two[None, :]) ** 2 + SPREAD**2)
    kernel *= u.sum(axis=0)[:, None] * v.sum(axis=0)[None, :]
    return np.asarray(u @ kernel @ v.T, dtype=np.float32)


def _climb(people: Layers, encodings: Layers, plan: Plan, seeds: int) -> Order:
    """From a doubly stochastic plan to a permutation (Frank and Wolfe's steps)."""
    gradient = _gradient(people, encodings, plan)
    for _ in range(ITERATIONS):
        order = _assigned(gradient, seeds)
        vertex = _plan_of(order)
        step = vertex - plan
        # a permutation only reorders rows, so a step costs one product a view
        ahead = np.zeros_like(plan)
        for a, b in zip(people, encodings, strict=True):
            ahead += a @ b[order]
        curve = float(np.vdot(ahead - gradient, step))
        slope = 2.0 * float(np.vdot(gradient, step))
        length = np.float32(1.0 if curve >= 0 else min(1.0, -slope / (2.0 * curve)))
        plan = plan + length * step
        gradient = gradient + length * (ahead - gradient)
        if length * float(np.abs(step).sum()) < STILL * len(plan):
            break
    return _assigned(plan, seeds)


def _gradient(people: Layers, encodings: Layers, plan: Plan) -> Plan:
    """The objective's gradient at a plan, halved, float32 (n, n)."""
    gradient = np.zeros_like(plan)
    for a, b in zip(people, encodings, strict=True):
        gradient += a @ plan @ b
    return gradient


def _assigned(worth: Plan, seeds: int) -> Order:
    """For each person the encoding of the permutation of most worth that keeps the seeds."""
    _, columns = linear_sum_assignment(worth[seeds:, seeds:], maximize=True)
    return np.concatenate([np.arange(seeds), columns + seeds])


def _plan_of(order: Order) -> Plan:
    plan = np.zeros((len(order), len(order)), dtype=np.float32)
    plan[np.arange(len(order)), order] = 1.0
    return plan


def _filled(layers: Layers, size: int) -> Layers:
    missing = size - len(layers[0])
    return [np.pad(layer, (0, missing)) for layer in layers] if missing else layers
