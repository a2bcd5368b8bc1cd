"""Names of many origins, with the skew that real names have.

Lists come from Faker's locales (PyPI, MIT). Ranks are dealt at random under a Zipf-Mandelbrot
law, given names anew for each generation. Lists in another script are romanised with anyascii;
the native form is kept, for sources that store it. Surnames that bend with sex do so here.
"""

import importlib
from dataclasses import dataclass
from functools import cache

import numpy as np
from anyascii import anyascii

from examples.county.model import Floats, Ints, Texts

GENERATION = 25  # years that share a ranking of given names
GENERATIONS = 6


@dataclass(frozen=True)
class Origin:
    """Where names come from, and how often."""

    name: str
    share: float
    locales: tuple[str, ...]
    particles: tuple[str, ...] = ()
    particle_rate: float = 0.0
    double_rate: float = 0.0  # two surnames, joined by a space or hyphen
    joiner: str = "-"
    feminine: tuple[tuple[str, str], ...] = ()  # endings: masculine, feminine


_POLISH = (("ski", "ska"), ("cki", "cka"))
_SLAVIC = (("sky", "ska"), ("ov", "ova"), ("ev", "eva"), ("in", "ina"))
ORIGINS = (
    Origin("british", 0.760, ("en_GB", "en_NZ", "en_IE"), double_rate=0.03),
    Origin("irish", 0.040, ("en_IE",), double_rate=0.02),
    Origin("polish", 0.035, ("pl_PL",), double_rate=0.01, feminine=_POLISH),
    Origin("pakistani", 0.026, ("en_PK",), particles=("ul-",), particle_rate=0.02),
    Origin("indian", 0.024, ("en_IN",)),
    Origin("romanian", 0.018, ("ro_RO",)),
    Origin("maghrebi", 0.012, ("fr_DZ",), particles=("El ", "Al-", "Ben "), particle_rate=0.4),
    Origin("ghanaian", 0.010, ("tw_GH",), double_rate=0.08),
    Origin("yoruba", 0.012, ("yo_NG",), double_rate=0.03),
    Origin("portuguese", 0.010, ("pt_PT",), particles=("da ", "dos "), particle_rate=0.25),
    Origin("spanish", 0.006, ("es_ES",), double_rate=0.7, joiner=" "),
    Origin(
        "dutch", 0.004, ("nl_NL",), particles=("van der ", "van den ", "de "), particle_rate=0.4
    ),
    Origin("german", 0.004, ("de_DE",), particles=("von ",), particle_rate=0.04),
    Origin("french", 0.005, ("fr_FR",), particles=("de ", "Le "), particle_rate=0.1),
    Origin("italian", 0.006, ("it_IT",), particles=("Di ", "De "), particle_rate=0.1),
    Origin("turkish", 0.006, ("tr_TR",)),
    Origin("ukrainian", 0.006, ("uk_UA",), feminine=_SLAVIC),
    Origin("russian", 0.003, ("ru_RU",), feminine=_SLAVIC),
    Origin("bulgarian", 0.004, ("bg_BG",), feminine=_SLAVIC),
    Origin("greek", 0.003, ("el_GR",)),
    Origin("chinese", 0.004, ("zh_CN",)),
    Origin("vietnamese", 0.002, ("vi_VN",)),
)  # fmt: skip
_MAGHREBI_SURNAMES = (  # the locale has none of its own
    "Amrani", "Bekkouche", "Belkacem", "Benali", "Bouaziz", "Boudiaf", "Bouzid", "Chaoui",
    "Cherif", "Djebbar", "Fassi", "Ghali", "Guerrouj", "Haddad", "Hamdi", "Idrissi", "Kaddour",
    "Khelifi", "Lahlou", "Mansouri", "Mebarki", "Meziane", "Nasri", "Ouali", "Rahmani", "Saidi",
    "Slimani", "Tahiri", "Toumi", "Zerrouki", "Ziani", "Zouaoui",
)  # fmt: skip


@dataclass(frozen=True)
class Pool:
    """One origin's names: romanised, and native (``""`` where the same)."""

    given: tuple[Texts, Texts]  # for m and for f
    native_given: tuple[Texts, Texts]
    surname: tuple[Texts, Texts]  # masculine and feminine forms, row by row
    native_surname: tuple[Texts, Texts]
    core: tuple[int, int, int]  # leading names of the first locale: m, f, surnames


def _list(provider: type, *attributes: str) -> list[str]:
    for attribute in attributes:
        found = getattr(provider, attribute, None)
        if found:
            return [str(name) for name in found]
    return []


def _column(values: list[str]) -> Texts:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _latin(name: str) -> str:
    if all(ord(letter) < 0x0250 or 0x1E00 <= ord(letter) < 0x1F00 for letter in name):  # noqa: PLR2004
        return name
    parts = [part[:1].upper() + part[1:].lower() for part in anyascii(name).split()]
    return " ".join(parts).replace("'", "").replace("`", "")


def _feminine(name: str, endings: tuple[tuple[str, str], ...]) -> str:
    for masculine, feminine in endings:
        if name.endswith(masculine):
            return name[: -len(masculine)] + feminine
    return name


_CYRILLIC_FEMININE = (("ський", "ська"), ("ов", "ова"), ("ев", "ева"), ("ин", "ина"))


def _clean(names: list[str]) -> list[str]:
    """Single-word names in order, without repeats, inverted entries or one-letter oddities."""
    fit = [n for n in names if "," not in n and " " not in n and len(_latin(n)) > 1]
    return list(dict.fromkeys(fit))


@cache
def pool(origin: Origin) -> Pool:
    """The lists of an origin, from Faker."""
    providers = [
        importlib.import_module(f"faker.providers.person.{locale}").Provider
        for locale in origin.locales
    ]
    male = _clean([n for p in providers for n in _list(p, "first_names_male", "first_names")])
    female = _clean([n for p in providers for n in _list(p, "first_names_female", "first_names")])
    if origin.name == "pakistani":  # one list for both: deal it out
        male, female = male[::2], male[1::2]
    surnames = _clean(
        [
            n
            for p in providers
            for n in _list(p, "last_names_male", "male_last_names", "last_names")
            + _list(p, "unisex_last_names")
        ]
    )
    surnames = list(_MAGHREBI_SURNAMES) if origin.name == "maghrebi" else surnames
    latin = [_latin(n) for n in surnames]
    native = [n if n != s else "" for n, s in zip(surnames, latin, strict=True)]
    return Pool(
        given=(_column([_latin(n) for n in male]), _column([_latin(n) for n in female])),
        native_given=(_native(male), _native(female)),
        surname=(_column(latin), _column([_feminine(n, origin.feminine) for n in latin])),
        core=_core(origin, len(male), len(female), len(surnames)),
        native_surname=(
            _column(native),
            _column([_feminine(n, _CYRILLIC_FEMININE) if n else "" for n in native]),
        ),
    )


def _core(origin: Origin, male: int, female: int, surnames: int) -> tuple[int, int, int]:
    """How many names of each list stay in front: those of the first of several locales."""
    if len(origin.locales) == 1:
        return male, female, surnames
    first = importlib.import_module(f"faker.providers.person.{origin.locales[0]}").Provider
    return (
        len(_clean(_list(first, "first_names_male"))),
        len(_clean(_list(first, "first_names_female"))),
        len(_clean(_list(first, "last_names"))),
    )


def _deal(rng: np.random.Generator, size: int, core: int) -> Ints:
    """An order of ranks: the core's names in front of the others."""
    return np.concatenate([rng.permutation(core), core + rng.permutation(size - core)])


def _native(names: list[str]) -> Texts:
    return _column([n if n != _latin(n) else "" for n in names])


def zipf(count: int, exponent: float, shift: float) -> Floats:
    """Probabilities of ranks 1 to ``count`` under a Zipf-Mandelbrot law."""
    weight = (np.arange(1, count + 1, dtype=np.float64) + shift) ** -exponent
    found: Floats = (weight / weight.sum()).astype(np.float64)
    return found


@dataclass
class Surnames:
    """Surnames before they are bent: origin, list position and what is added."""

    origin: Ints
    index: Ints
    second: Ints  # a second surname of the same origin, or -1
    particle: Ints  # position among the origin's particles, or -1

    def take(self, rows: Ints) -> "Surnames":
        """Those of some rows."""
        return Surnames(self.origin[rows], self.index[rows], self.second[rows], self.particle[rows])

    def put(self, rows: Ints, other: "Surnames") -> None:
        """Replace some rows, in place."""
        self.origin[rows], self.index[rows] = other.origin, other.index
        self.second[rows], self.particle[rows] = other.second, other.particle


def draw_origins(rng: np.random.Generator, count: int) -> Ints:
    """Origins by share."""
    share = np.array([origin.share for origin in ORIGINS])
    return rng.choice(len(ORIGINS), size=count, p=share / share.sum())


def draw_surnames(rng: np.random.Generator, origin: Ints, ranks: np.random.Generator) -> Surnames:
    """A surname for each row; ``ranks`` deals the lists' order and must be the same each time."""
    index = np.zeros(len(origin), dtype=np.int64)
    second = np.full(len(origin), -1, dtype=np.int64)
    particle = np.full(len(origin), -1, dtype=np.int64)
    for code, described in enumerate(ORIGINS):
        size = len(pool(described).surname[0])
        order = _deal(ranks, size, pool(described).core[2])
        rows = np.flatnonzero(origin == code)
        chance = zipf(size, 1.0, 4.0)
        index[rows] = order[rng.choice(size, len(rows), p=chance)]
        double = rows[rng.random(len(rows)) < described.double_rate]
        second[double] = order[rng.choice(size, len(double), p=chance)]
        if described.particles:
            some = rows[rng.random(len(rows)) < described.particle_rate]
            particle[some] = rng.integers(0, len(described.particles), len(some))
    second[second == index] = -1
    return Surnames(origin.copy(), index, second, particle)


def write_surnames(names: Surnames, female: np.ndarray) -> tuple[Texts, Texts]:
    """Surnames as text, and in their own script where they have one."""
    text = np.full(len(female), "", dtype=object)
    native = np.full(len(female), "", dtype=object)
    for code, described in enumerate(ORIGINS):
        lists = pool(described)
        for sex in (0, 1):
            rows = np.flatnonzero((names.origin == code) & (female == bool(sex)))
            text[rows] = lists.surname[sex][names.index[rows]]
            native[rows] = lists.native_surname[sex][names.index[rows]]
            two = rows[names.second[rows] >= 0]
            text[two] = text[two] + described.joiner + lists.surname[sex][names.second[two]]
            native[two] = ""
            some = rows[names.particle[rows] >= 0]
            if len(some):
                text[some] = _column(list(described.particles))[names.particle[some]] + text[some]
    return text, native


def draw_given(
    rng: np.random.Generator, origin: Ints, female: np.ndarray, born_year: Ints, *, seed: int
) -> tuple[Texts, Texts]:
    """Given names, and in their own script where they have one."""
    text = np.full(len(female), "", dtype=object)
    native = np.full(len(female), "", dtype=object)
    generation = np.clip((born_year - 1900) // GENERATION, 0, GENERATIONS - 1)
    key = (origin * 2 + female) * GENERATIONS + generation
    order = np.argsort(key, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
        if not len(rows):
            continue
        code, sex = int(origin[rows[0]]), int(female[rows[0]])
        lists = pool(ORIGINS[code])
        size = len(lists.given[sex])
        ranks = np.random.Generator(np.random.PCG64([seed, int(key[rows[0]])]))
        deal = _deal(ranks, size, lists.core[sex])
        chosen = deal[rng.choice(size, len(rows), p=zipf(size, 0.8, 2.0))]
        text[rows] = lists.given[sex][chosen]
        native[rows] = lists.native_given[sex][chosen]
    return text, native
