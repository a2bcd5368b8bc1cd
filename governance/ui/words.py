"""The catalogue: every word that a page shows, one file for each language and area.

Rules: a word that is missing is an error and never an empty place; a key stands once, in one file;
what is put into a sentence is named (``{count}``), so that another language may order it otherwise;
a sentence that counts has one form for each plural category of its language (Unicode CLDR).

A file is ``words/en.yaml`` of the package whose pages use it; Welsh is ``words/cy.yaml`` beside it.
"""

from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from typing import Any, Final

import yaml

from governance.errors import ReasonedError

Word = str | Mapping[str, str]

_PLURALS: Final[Mapping[str, Callable[[int], str]]] = {  # Unicode CLDR 48, cardinals
    "en": lambda count: "one" if count == 1 else "other",
    "cy": lambda count: {0: "zero", 1: "one", 2: "two", 3: "few", 6: "many"}.get(count, "other"),
}


class WordsError(ReasonedError):
    """The catalogue does not hold what a page asks for."""

    reason = "ui.words"


class Words:
    """The catalogue in one language.

    Args:
        packages: dotted names of the packages whose ``words`` folders make up the catalogue.
        language: ``en`` or ``cy``.

    Raises:
        WordsError: a key stands twice, or a file is missing.
    """

    def __init__(self, packages: Iterable[str], language: str = "en") -> None:
        self.language = language
        self._words: dict[str, Word] = {}
        for package in packages:
            for key, word in read_words(package, language).items():
                if key in self._words:
                    raise WordsError(f"{key} stands in two files of words")
                self._words[key] = word

    def __call__(self, key: str, **values: object) -> str:
        """A sentence.

        Args:
            key: its name.
            values: what its braces name; ``count`` chooses the plural form too.

        Raises:
            WordsError: no such key, plural form or value.
        """
        word = self._words.get(key)
        if isinstance(word, Mapping):
            count = values.get("count")
            if not isinstance(count, int):
                raise WordsError(f"{key} counts: it needs a whole number as count")
            word = word.get(_PLURALS[self.language](count), word.get("other"))
            values = values | {"count": f"{count:,}"}
        if word is None:
            raise WordsError(f"there are no words for {key}")
        try:
            return word.format_map(values)
        except (KeyError, IndexError) as error:
            raise WordsError(f"{key} needs a value for {error.args[0]}") from None

    def under(self, prefix: str) -> dict[str, str]:
        """Sentences for a script, by the rest of their keys, with their braces.

        Args:
            prefix: of the keys, with a dot at its end.
        """
        return {
            key.removeprefix(prefix): word
            for key, word in self._words.items()
            if key.startswith(prefix) and isinstance(word, str)
        }

    def __contains__(self, key: str) -> bool:
        return key in self._words


class _Once(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML would keep the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping whose keys are all there."""
        found = super().construct_mapping(node, deep)
        if len(found) != len(node.value):
            raise WordsError(f"a key stands twice in the words up to {node.end_mark.line}")
        return found


def read_words(package: str, language: str) -> dict[str, Word]:
    """The words of one package.

    Raises:
        WordsError: there is no such file, or it has a key twice.
    """
    path = files(package) / "words" / f"{language}.yaml"
    try:
        found: dict[str, Word] = yaml.load(path.read_text("utf-8"), _Once)  # noqa: S506 - a safe loader
    except FileNotFoundError:
        raise WordsError(f"{package} has no words in {language}") from None
    return found
