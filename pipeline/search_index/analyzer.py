"""From texts to terms, by the rules in ``analyzer.toml``.

A *word* is a run of letters and digits in plain letters; a *term* is what is indexed of it: its
English stem (Snowball's Porter2, as PostgreSQL's ``english``), or the word that it is a variant of.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import Stemmer

LAST_POSITION = 65_535
"""Of a term in a document. What stands further back, and what has no place, has this one; no
phrase is found there."""
REMEMBERED_WORDS = 500_000
_ASCII_WORD = re.compile("[a-z0-9]+")

RULES = (files(__package__) / "analyzer.toml").read_text("utf-8")


@dataclass(frozen=True)
class _Name:
    contains: str
    pattern: re.Pattern[str]
    word: str
    short: bool


@dataclass(frozen=True)
class Variant:
    """The words from ``begin`` to ``end`` of a sequence are spelled as one ``term``."""

    begin: int
    end: int
    term: str


@dataclass(frozen=True)
class Terms:
    """The terms of a text with the position of each, not in order; empty ones are none. ``end``
    is the position of what follows the text, whose first word has 0."""

    terms: list[str]
    positions: list[int]
    end: int


class _Stems(dict[str, str]):
    """The stem of each word, computed once."""

    def __init__(self, stop: frozenset[str], longest: int) -> None:
        self._stop = stop
        self._longest = longest
        self._stemmer = Stemmer.Stemmer("english")

    def __missing__(self, word: str) -> str:
        if word in self._stop or len(word) > self._longest:
            stem = ""
        elif word.isascii() and word.isalpha():
            stem = self._stemmer.stemWord(word)
        else:
            stem = word
        if len(self) >= REMEMBERED_WORDS:
            self.clear()
        self[word] = stem
        return stem


class Analyzer:
    """Makes terms of texts. Not for several threads at once."""

    def __init__(self, rules: str = RULES) -> None:
        """Raises:
        tomllib.TOMLDecodeError, KeyError, re.error: the rules are not usable.
        """
        read = tomllib.loads(rules)
        letters, words = read["letters"], read["words"]
        self._unseen = re.compile(f"[{letters['unseen']}]")
        self._blank = re.compile(f"[{letters['blank']}]")
        self._accents = re.compile(f"[{letters['accents']}]")
        self._plain = str.maketrans(letters["plain"])
        self._names = [
            _Name(n["contains"], re.compile(n["pattern"]), n["word"], n.get("short", False))
            for n in read["names"]
        ]
        marks = _marks(self._accents)
        self._word = re.compile(rf"[^\W_]+(?:[{marks}]+[^\W_]*)*")
        self._pairs = re.compile(f"[{words['pairs']}]+")
        self._hyphenated = re.compile(r"(?<![\w-])[^\W\d_]+(?:[-\u2010\u2011][^\W\d_]+)+(?![\w-])")
        self._longest_joined = words["longest_joined"]
        self._stems = _Stems(frozenset(read["english"]["stop"].split()), words["longest"])
        self._synonyms: dict[str, str] = {}
        self._sequences: dict[str, list[tuple[str, str]]] = {}
        for word, variants in read["variants"].items():
            term = self.stem(word)
            for variant in variants:
                match [self.stem(part) for part in self.words(variant)]:
                    case [stem]:
                        self._synonyms[stem] = term
                    case [first, second]:
                        self._sequences.setdefault(first, []).append((second, term))
                    case _:
                        raise KeyError(f"{variant}: not one or two words")
        self.companies: dict[str, Any] = read["companies"]

    def letters(self, text: str) -> str:
        """In lower case and in plain letters: of compatibility forms, without accents and what is
        not seen."""
        if text.isascii():
            return text.lower()
        text = self._unseen.sub("", self._blank.sub(" ", text))
        text = self._accents.sub("", unicodedata.normalize("NFKD", text))
        return unicodedata.normalize("NFC", text).lower().translate(self._plain)

    def words(self, text: str, *, short: bool = False) -> list[str]:
        """The words, in their order. Of a script without blanks, each character with the next.

        Args:
            short: a title, a list of skills or a search: ``go`` is the language.
        """
        return self.split(self.plain(text, short=short))

    def plain(self, text: str, *, short: bool = False) -> str:
        """The text in plain letters, with names that hold signs as words."""
        text = self.letters(text)
        for name in self._names:
            if name.contains in text and (short or not name.short):
                text = name.pattern.sub(name.word, text)
        return text

    def split(self, plain: str) -> list[str]:
        """The words of a :meth:`plain` text."""
        if plain.isascii():
            return _ASCII_WORD.findall(plain)
        words = self._word.findall(plain)
        if not self._pairs.search(plain):
            return words
        return [part for word in words for part in self._in_pairs(word)]

    def joined(self, text: str) -> list[str]:
        """Of each word with hyphens, its parts as one word."""
        if "-" not in text and text.isascii():
            return []
        joined = (re.sub(r"[-\u2010\u2011]", "", word) for word in
                  self._hyphenated.findall(self.letters(text)))  # fmt: skip
        return [word for word in joined if len(word) <= self._longest_joined]

    def stem(self, word: str) -> str:
        """The term of a word in plain letters; empty for a stop word and what is no word."""
        return self._stems[word]

    def variant(self, stem: str) -> str:
        """The term that a stem is another spelling of; itself if it is none."""
        return self._synonyms.get(stem, stem)

    def variants(self, stems: Sequence[str]) -> Iterator[Variant]:
        """Where words in a row are spelled as one, too; the first of those that overlap."""
        if self._sequences.keys().isdisjoint(stems):
            return
        place = 0
        while place < len(stems) - 1:
            for second, term in self._sequences.get(stems[place], ()):
                if stems[place + 1] == second:
                    yield Variant(place, place + 2, term)
                    place += 1
                    break
            place += 1

    def terms(self, text: str, *, short: bool = False) -> Terms:
        """The terms of a text that is indexed.

        Words that are spelled as one share a position: each of them is found, and phrases go on
        behind them as behind one word. Parts joined at a hyphen have no place in phrases.
        """
        stems = list(map(self._stems.__getitem__, self.words(text, short=short)))
        positions: Sequence[int] = range(len(stems))
        more: list[str] = []
        places: list[int] = []
        variants = list(self.variants(stems))
        if variants:
            second = np.zeros(len(stems), np.int64)
            second[[variant.begin + 1 for variant in variants]] = 1
            positions = (np.arange(len(stems)) - np.cumsum(second)).tolist()
            more += [variant.term for variant in variants]
            places += [positions[variant.begin] for variant in variants]
        if not self._synonyms.keys().isdisjoint(stems):
            for stem, position in zip(stems, positions, strict=True):
                if stem in self._synonyms:
                    more.append(self._synonyms[stem])
                    places.append(position)
        joined = [self.stem(word) for word in self.joined(text)]
        return Terms(
            stems + more + joined,
            [*positions, *places, *[LAST_POSITION] * len(joined)],
            positions[-1] + 1 if stems else 0,
        )

    def _in_pairs(self, word: str) -> Iterator[str]:
        end = 0
        for run in self._pairs.finditer(word):
            if run.start() > end:
                yield word[end : run.start()]
            characters = run[0]
            yield from (characters[n : n + 2] for n in range(len(characters)))
            end = run.end()
        if end < len(word):
            yield word[end:]

    def is_pair(self, word: str) -> bool:
        """Whether it is of a script without blanks."""
        return self._pairs.fullmatch(word) is not None


@cache
def _marks(accents: re.Pattern[str]) -> str:
    """The marks of scripts in which they are letters, as the inside of a character class."""
    found = [
        code for code in range(0x300, 0x1E000)
        if unicodedata.category(chr(code)) in ("Mn", "Mc") and not accents.match(chr(code))
    ]  # fmt: skip
    return "".join(f"{chr(begin)}-{chr(end)}" for begin, end in _runs(found))


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    begin = end = -1
    for number in numbers:
        if number != end + 1:
            if begin >= 0:
                yield begin, end
            begin = number
        end = number
    yield begin, end
