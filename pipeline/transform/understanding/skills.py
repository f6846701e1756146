"""The technologies that a posting names, as canonical names ("k8s" is ``Kubernetes``).

The vocabulary is ``skills.toml``, which says how far each spelling can be trusted. An Aho-Corasick
automaton (Polars') reads each text once and finds where a spelling may begin. Only there it is
asked which spelling it is, whether it is a whole word, and whether it means the technology.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from pipeline.transform.understanding.evidence import EVIDENCE, MAX_WORDS_CHARS
from pipeline.transform.understanding.role_title import judged, words_of
from pipeline.transform.understanding.skill_vocabulary import KINDS as KINDS
from pipeline.transform.understanding.skill_vocabulary import SKILLS, TECHNOLOGIES
from pipeline.transform.vocabulary import any_of

MAX_SKILLS = 60
"""The most that a posting can have; the ones that it names first are kept."""

MAX_TAGS = 15
"""Of more tags than that, none counts that the text does not name; nor does ever a tag that is an
ordinary word."""

TELLING_BYTES = 200
"""A shorter description is not expected to name what the tags do."""

CORROBORATION = 2
"""How many undoubted skills a posting must name before an ordinary word counts as one."""


_context, _technologies = SKILLS.context, TECHNOLOGIES
_NAMES: Final = sorted(_technologies)
"""In the order of the published lists: a technology is its index here."""
_NAME_SERIES = pl.Series(_NAMES, dtype=pl.String)
_NUMBER = {name: number for number, name in enumerate(_NAMES)}

_UNDOUBTED, _EXACT, _BESIDE_OTHERS, _IN_LIST, _TAG_ONLY = range(5)
"""How far a spelling can be trusted."""

_RULES: Final = (
    "name", "name as written", "ordinary word beside others", "in a list", "in context",
    "with a role", "tag", "",
)  # fmt: skip
_NAME, _AS_WRITTEN, _BESIDE, _LISTED, _CONTEXT, _WITH_ROLE, _TAG, _UNDECIDED = range(len(_RULES))
_RULE_SERIES = pl.Series(_RULES, dtype=pl.String)


@dataclass(frozen=True, slots=True)
class _Meanings:
    """What a spelling in lower case stands for.

    Attributes:
        undoubted: the technology whatever the case; -1 for a phrase that means none.
        as_written: exact spelling → the technology and its trust.
    """

    undoubted: int | None = None
    as_written: dict[bytes, tuple[int, int]] = field(default_factory=dict)


def _meanings() -> dict[bytes, _Meanings]:
    meanings: dict[bytes, _Meanings] = {}
    for name, technology in _technologies.items():
        own = () if technology.is_word else (name,)
        for spelling in (*own, *technology.spellings):
            meanings.setdefault(spelling.lower().encode(), _Meanings(_NUMBER[name]))
    for name, technology in _technologies.items():
        in_context = (name,) if technology.in_context and technology.is_word else ()
        for trust, spellings in (
            (_EXACT, technology.exact),
            (_BESIDE_OTHERS, technology.beside_others),
            (_IN_LIST, (*technology.in_list, *in_context)),
        ):
            for spelling in spellings:
                meaning = meanings.setdefault(spelling.lower().encode(), _Meanings())
                meaning.as_written.setdefault(spelling.encode(), (_NUMBER[name], trust))
    return meanings | {phrase.encode(): _Meanings(-1) for phrase in _context.phrases}


_MEANINGS = _meanings()


def spellings() -> Mapping[str, str]:
    """Each spelling in lower case → the canonical name that it can stand for."""
    found: dict[str, str] = {}
    for spelling, meaning in _MEANINGS.items():
        if meaning.undoubted != -1:
            number = meaning.undoubted
            if number is None:
                number = next(iter(meaning.as_written.values()))[0]
            found[spelling.decode()] = _NAMES[number]
    return found


_LETTER_FOLLOWS = rb"(?![a-z0-9_]|[\xc3-\xdf][\x80-\xbf]|\xe1[\x80-\xbf])"
_KEY_BYTES = 3
_AFTER_A_LETTER = " ,/)(&;.:|\n-+#"


def _whole(spelling: bytes) -> bytes:
    """A spelling as a pattern that ends with a word, to be matched where a word begins."""
    end = rb"(?![+#])"
    if chr(spelling[-1]).isalnum():
        end = (rb"(?:\d{1,2})?" if len(spelling) > 2 else b"") + _LETTER_FOLLOWS
    return b"(" + re.escape(spelling) + b")" + end


def _by_beginning() -> dict[bytes, list[bytes]]:
    """First bytes of a spelling → all spellings that can begin so, the longest first."""
    beginning: dict[bytes, list[bytes]] = {}
    for spelling in _MEANINGS:
        beginning.setdefault(spelling[:_KEY_BYTES], []).append(spelling)
    return {
        key: sorted(
            [*of_key, *(key[:length] for length in (1, 2) if key[:length] in _MEANINGS)]
            if len(key) == _KEY_BYTES
            else [key[:length] for length in range(1, len(key) + 1) if key[:length] in _MEANINGS],
            key=len,
            reverse=True,
        )
        for key, of_key in beginning.items()
    }


_BY_BEGINNING = _by_beginning()


class _Readers(dict[bytes, re.Pattern[bytes] | None]):
    """First bytes of a spelling → a pattern of all spellings that can begin so, if there are any.
    Most are never needed, so each is compiled when it is."""

    def __missing__(self, key: bytes) -> re.Pattern[bytes] | None:
        of_key = _BY_BEGINNING.get(key)
        reader = re.compile(b"|".join(map(_whole, of_key))) if of_key else None
        self[key] = reader
        return reader


_READERS = _Readers()


def _beginnings() -> pl.Series:
    """What the automaton looks for: the spellings of which no other is the beginning. A letter
    must be followed by something that ends it, or half of any text would be found."""
    kept: list[str] = []
    for spelling in sorted(each.decode() for each in _MEANINGS):
        if len(spelling) > 1 and not (kept and spelling.startswith(kept[-1])):
            kept.append(spelling)
    letters = [spelling.decode() for spelling in _MEANINGS if len(spelling) == 1]
    return pl.Series([*kept, *(letter + end for letter in letters for end in _AFTER_A_LETTER)])


_BEGINNINGS = _beginnings()

_words = {"before": _context.before, "role": _context.role}
_IN_CONTEXT = {
    _NUMBER[name]: re.compile(any_of([technology.in_context], **_words))
    for name, technology in _technologies.items()
    if technology.in_context
}
_MISLEADING = {
    _NUMBER[name]: re.compile(technology.misleading)
    for name, technology in _technologies.items()
    if technology.misleading
}
_ROLE_AFTER = re.compile(any_of([" {role}"], **_words))
_ROLE_BEFORE = re.compile(r"(?:[Ee]ngineer|[Dd]eveloper|[Pp]rogrammer)s?(?: ?[-–:,|/(]){1,2} ?$")
_BETWEEN = re.compile(_context.between)
_COMPANIES = frozenset(_NUMBER[name] for name in _context.companies if name in _NUMBER)
_OTHERS, _USED = frozenset(_context.others), frozenset(_context.used)
_OF_OTHERS = re.compile(_context.of_others)
_INVESTORS = _COMPANIES | {_NUMBER[name] for name in _context.investors}
_BACKED_BY = re.compile(_context.backed_by)
_PAYERS = re.compile("|".join(map(re.escape, _context.payers)).encode())
_PEOPLE = re.compile(_context.people)
_COMPARED = re.compile(_context.compared)
_PRACTICES = pl.Series(_context.practices, dtype=pl.String)
_IS_PRACTICE = _NAME_SERIES.is_in(_PRACTICES.implode()).to_numpy()
_NOT_ASKED = tuple(phrase.encode() for phrase in _context.not_asked)
_FORMS = frozenset(_context.forms)
_WORDS = re.compile(r"[\w-]+")
_ACCOUNT = re.compile(_context.account)

_WINDOW_BYTES = 160
_BESIDE_CHARS = 32
_PAYER_CHARS = 120
_MAX_BETWEEN_BYTES = 12
_MAX_ADDRESS_BYTES = 100
_NEW_LINE = ord("\n")
_HYPHEN = ord("-")
_BEFORE_ADDRESS = re.compile(rb".*[\s()<>\[\]{},;\"'|]", re.DOTALL)
_REST_OF_ADDRESS = re.compile(rb"[^\s()<>\[\]{},;\"'|]*")
_JOINS_ADDRESS = frozenset(b"@/.-_:=?&%#")
_ADDRESS = re.compile(
    rb"@|://|\bwww\.|\.(?:com|org|io|dev|ai|co|app|eu|gov|edu|de|fr|uk|me|tech|info)(?:[/:?]|\.?$)"
)


def with_skills(postings: pl.LazyFrame) -> pl.LazyFrame:
    """Fill ``skills``: the technologies of the title, the tags and the description, sorted, each
    once, at most :data:`MAX_SKILLS`, with the evidence of each. The name of the posting's own
    company is none. What only the tags say counts where they are few and the title is of no other
    occupation. The other columns stay as they are."""
    tags = pl.col("tags").list.join("\n").fill_null("")
    title = pl.col("title").fill_null("")
    given = pl.struct(
        text=pl.concat_str(
            title, pl.col("description").fill_null(""), tags, pl.lit(""), separator="\n"
        ),
        title=title,
        tags=tags.str.len_bytes().cast(pl.Int64),
        company=pl.col("company") if _has(postings, "company") else pl.lit(None, pl.String),
    )
    dtype = pl.Struct({"skills": pl.List(pl.String), "_evidence_skills": EVIDENCE})
    return (
        postings.with_columns(
            given.map_batches(_skills_and_evidence, return_dtype=dtype).alias("_skills_found")
        )
        .with_columns(
            pl.col("_skills_found").struct.field("skills"),
            pl.col("_skills_found").struct.field("_evidence_skills"),
        )
        .drop("_skills_found")
    )


def _has(postings: pl.LazyFrame, column: str) -> bool:
    return column in postings.collect_schema().names()


def skills_in(text: pl.Expr) -> pl.Expr:
    """The canonical names of the technologies in a text: a sorted list, empty for null."""
    ended = pl.concat_str(text.fill_null(""), pl.lit("\n"))
    return ended.map_batches(
        lambda texts: _names(_found(texts), len(texts)), return_dtype=pl.List(pl.String)
    )


@dataclass(slots=True)
class _Found:
    """The skills of all texts, those of one text together, in the order in which it names them."""

    row: list[int] = field(default_factory=list)
    technology: list[int] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    rule: list[int] = field(default_factory=list)
    words: list[bytes] = field(default_factory=list)


def _names(found: _Found, rows: int) -> pl.Series:
    row, technology = _array(found.row), _array(found.technology)
    published = ~_IS_PRACTICE[technology]
    row, technology = row[published], technology[published]
    order = np.lexsort((technology, row))
    return _lists(_NAME_SERIES.gather(technology[order]), row, rows)


def _array(numbers: Sequence[int]) -> npt.NDArray[np.int64]:
    return np.array(numbers, dtype=np.int64)


def _lists(values: pl.Series, row: npt.NDArray[np.int64], rows: int) -> pl.Series:
    """One list for each row of the values that are of it; ``row`` is sorted."""
    ends = np.searchsorted(row, np.arange(rows + 1))
    flat = values.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    return pl.Series(pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), flat))


def _skills_and_evidence(given: pl.Series) -> pl.Series:
    columns = given.struct.unnest()
    rows = len(columns)
    title_end = columns["title"].str.len_bytes().cast(pl.Int64).to_numpy()
    tags_begin = (columns["text"].str.len_bytes().cast(pl.Int64) - 1 - columns["tags"]).to_numpy()
    found = _found(columns["text"], columns["company"].to_list(), title_end, tags_begin)
    found = _without_tags_of_others(found, columns["title"], tags_begin)
    row, start = _array(found.row), _array(found.start)
    in_title, in_tags = start < title_end[row], start >= tags_begin[row]
    flat = pl.DataFrame(
        {
            "value": _NAME_SERIES.gather(_array(found.technology)),
            "origin": np.where(in_title, 0, np.where(in_tags, 1, 2)),
            "words": pl.Series(found.words, dtype=pl.Binary).cast(pl.String),
            "rule": _RULE_SERIES.gather(_array(found.rule)),
            "decides": ~_IS_PRACTICE[_array(found.technology)],
        }
    ).select(
        pl.struct(
            field=pl.lit("skills"),
            value="value",
            origin=pl.lit(pl.Series(["title", "tags", "body"])).gather(pl.col("origin")),
            words=pl.col("words").str.head(MAX_WORDS_CHARS),
            rule="rule",
            decides="decides",
        ).alias("found")
    )
    evidence = _lists(flat["found"], row, rows).cast(EVIDENCE)
    return pl.DataFrame({"skills": _names(found, rows), "_evidence_skills": evidence}).to_struct(
        given.name
    )


def _without_tags_of_others(
    found: _Found, titles: pl.Series, tags_begin: npt.NDArray[np.int64]
) -> _Found:
    """Without what only the tags say of a job whose title is another occupation: boards give all
    kinds of tags to those."""
    rows_of, start = _array(found.row), _array(found.start)
    in_tags = start >= tags_begin[rows_of]
    rows = np.unique(rows_of[in_tags]).tolist()
    if not rows:
        return found
    words = titles.gather(rows).to_frame("title").select(words_of(pl.col("title"))).to_series()
    verdicts = zip(rows, map(judged, words), strict=True)
    others = [row for row, one in verdicts if one.category is None and one.asks is None]
    if not others:
        return found
    kept = np.flatnonzero(~(in_tags & np.isin(rows_of, others))).tolist()
    return _Found(
        [found.row[index] for index in kept],
        [found.technology[index] for index in kept],
        [found.start[index] for index in kept],
        [found.rule[index] for index in kept],
        [found.words[index] for index in kept],
    )


def _employer(company: str | None) -> int:
    """The technology that bears the name of a company, but for its legal form; -1 for none."""
    words = (company or "")[:100].lower().replace(",", " ").split()
    first = words[0] if words else ""
    while words:
        meaning = _MEANINGS.get(" ".join(words).encode(errors="replace"))
        if meaning is not None:
            if meaning.undoubted is not None:
                return meaning.undoubted
            return next(iter(meaning.as_written.values()))[0]
        if words.pop().strip(".()") not in _FORMS:
            break
    # "Harbor Analytics" calls itself Harbor.
    meaning = _MEANINGS.get(first.encode(errors="replace"))
    if meaning is not None and meaning.undoubted is None and len(first) > _MAX_LETTERS:
        return next(iter(meaning.as_written.values()))[0]
    return -1


_MAX_LETTERS = 2
"""As many letters are an abbreviation of anything."""


def _word_starts(
    data: npt.NDArray[np.uint8], at: npt.NDArray[np.int64], is_first: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Where no letter, digit or underscore stands before, or where a capital follows a small
    letter: boards lose line breaks ("ExperienceKubernetes")."""
    before = data[np.maximum(at - 1, 0)]
    second = data[np.maximum(at - 2, 0)]
    third = data[np.maximum(at - 3, 0)]
    # A byte above ASCII is the end of a character, which its first byte tells: Latin, Greek,
    # Cyrillic, Hebrew and Arabic have two bytes, but for signs such as "·"; punctuation and the
    # scripts that write no blanks have three.
    wide = (before >= 0x80) & (
        ((second >= 0xC3) & (second <= 0xDF)) | ((second >= 0x80) & (third == 0xE1))
    )
    is_joined = _IS_SMALL[before] & _IS_CAPITAL[data[at]]
    result: npt.NDArray[np.bool_] = is_first | is_joined | ~(_IN_WORD[before] | wide)
    return result


def _table(characters: str) -> npt.NDArray[np.bool_]:
    """For each byte whether it is one of some characters of ASCII."""
    return np.array([chr(byte) in characters for byte in range(256)], dtype=np.bool_)


_IS_SMALL = _table(string.ascii_lowercase)
_IS_CAPITAL = _table(string.ascii_uppercase)
_IN_WORD = _table(string.ascii_letters + string.digits + "_")
_IN_WORD_BYTES: Final = _IN_WORD.tolist()
_JOINED = frozenset(
    name.encode()
    for name, technology in _technologies.items()
    if len(name) >= 5 and not technology.is_word
)
"""The names that are read in a word that was joined with the one before."""


def _first_bytes(data: npt.NDArray[np.uint8], at: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    last = len(data) - 1
    first, second, third = (
        (data[np.minimum(at + distance, last)] | 0x20).astype(np.int32) for distance in range(3)
    )
    joined: npt.NDArray[np.int32] = first << 16 | second << 8 | third
    return joined


_CAPITAL_BEGINNINGS = np.array(
    sorted(
        int.from_bytes(bytes(byte | 0x20 for byte in key), "big")
        for key, of_key in _BY_BEGINNING.items()
        if len(key) == _KEY_BYTES
        and all(
            _MEANINGS[spelling].undoubted is None
            and all(
                trust in {_EXACT, _IN_LIST} and not written[:1].islower()
                for written, (_, trust) in _MEANINGS[spelling].as_written.items()
            )
            for spelling in of_key
        )
    ),
    dtype=np.int32,
)
"""The first bytes of spellings that count as written only, and are written with a capital."""


def _is_small(data: npt.NDArray[np.uint8], at: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Where a word begins with a small letter that no spelling of this beginning has."""
    small = _IS_SMALL[data[at]]
    result: npt.NDArray[np.bool_] = small & np.isin(_first_bytes(data, at), _CAPITAL_BEGINNINGS)
    return result


_Mention = tuple[int, int, int]
"""Where a spelling begins and ends that may mean a technology, and which."""


def _covers(pattern: re.Pattern[str], text: str, at: int) -> bool:
    """Whether a match of the pattern holds the character at a place."""
    return any(found.start() <= at < found.end() for found in pattern.finditer(text))


class _Reader:
    """Reads one text after another out of the bytes of all of them."""

    def __init__(self, everything: bytes) -> None:
        self._original = everything
        self._lower = everything.lower()
        self._not_asked = [phrase for phrase in _NOT_ASKED if phrase in self._lower]

    def read(
        self, begin: int, end: int, places: Iterable[int], title: int, tags: int, employer: int
    ) -> list[tuple[int, int, int, int]]:
        """The skills of the text between two bytes: start, end, technology and rule of the first
        mention that counts of each, in their order, at most :data:`MAX_SKILLS`.

        Args:
            places: where a spelling may begin, in their order.
            title: where the title ends.
            tags: where the tags begin, one a line.
            employer: the technology that bears the name of the posting's company, or -1.
        """
        original, lower = self._original, self._lower
        certain: dict[int, tuple[int, int, int, int]] = {}
        doubtful: list[tuple[int, int]] = []
        mentions: list[_Mention] = []
        covered = begin
        is_told = tags - title > TELLING_BYTES
        asked_until = self._asked_until(title, tags) if self._not_asked else tags
        if tags < end and original.count(b"\n", tags, end) > MAX_TAGS and is_told:
            end = tags
        for start in places:
            if start < covered or asked_until <= start < tags:
                continue
            if start >= end:
                break
            reader = (
                _READERS[lower[start : start + _KEY_BYTES]]
                or _READERS[lower[start : start + 2]]
                or _READERS[lower[start : start + 1]]
            )
            match = reader.match(lower, start, end) if reader else None
            if match is None:
                continue
            covered = match.end()
            before = original[start - 1] if start > begin else _NEW_LINE
            if _IN_WORD_BYTES[before] and original[start:covered] not in _JOINED:
                covered = start
                continue
            spelling = match[match.lastindex or 0]
            meaning = _MEANINGS[spelling]
            technology = meaning.undoubted
            trust = _UNDOUBTED
            if technology is None:
                written = meaning.as_written.get(original[start : start + len(spelling)])
                if written is not None:
                    technology, trust = written
                else:
                    technology, trust = next(iter(meaning.as_written.values()))
                    if tags <= start:
                        trust = _TAG_ONLY
                    elif trust == _BESIDE_OTHERS:
                        trust = _IN_LIST
                    else:
                        continue
            if technology < 0:
                continue
            if technology in certain:
                mentions.append((start, covered, technology))
                continue
            after = lower[covered] if covered < end else _NEW_LINE
            if after == _HYPHEN and lower.startswith(b"-like", covered):
                continue
            if (before in _JOINS_ADDRESS or after in _JOINS_ADDRESS) and self._is_in_address(
                begin, start, covered, end
            ):
                continue
            if (
                trust == _UNDOUBTED
                and technology != employer
                and technology not in _COMPANIES
                and not (technology in _INVESTORS and self._may_be_paid(begin, start))
            ):
                rule = _NAME
            else:
                looked = self._look(
                    begin,
                    start,
                    covered,
                    end,
                    technology,
                    trust,
                    title,
                    tags,
                    technology == employer,
                )
                if looked is None:
                    continue
                if looked == _TAG and is_told and all(one[2] != technology for one in mentions):
                    # An ordinary word that the text does not hold.
                    continue
                rule = looked
            if rule == _UNDECIDED:
                doubtful.append((len(mentions), trust if technology != employer else _IN_LIST))
            else:
                certain[technology] = start, covered, technology, rule
            mentions.append((start, covered, technology))
        if doubtful:
            self._decide(mentions, doubtful, certain)
        return sorted(certain.values())[:MAX_SKILLS]

    def _asked_until(self, title: int, tags: int) -> int:
        """Where the description begins to name what other jobs ask for; else where it ends."""
        places = (self._lower.find(phrase, title, tags) for phrase in self._not_asked)
        return min((place for place in places if place >= 0), default=tags)

    def _may_be_paid(self, begin: int, start: int) -> bool:
        """Whether a word of payers stands before a name, at least in part."""
        first = max(begin, start - _WINDOW_BYTES)
        return _PAYERS.search(self._lower, first, start) is not None

    def _is_in_address(self, begin: int, start: int, covered: int, end: int) -> bool:
        """Whether a spelling is part of an e-mail or web address, and not the whole of it."""
        lower = self._lower
        first = max(begin, start - _MAX_ADDRESS_BYTES)
        before = _BEFORE_ADDRESS.match(lower, first, start)
        rest = _REST_OF_ADDRESS.match(lower, covered, min(end, covered + _MAX_ADDRESS_BYTES))
        head, tail = lower[before.end() if before else first : start], rest[0] if rest else b""
        if not head.strip(b"./-_:") and not tail.strip(b"./-_:?"):
            return False
        spelling = lower[start:covered]
        if b"." in spelling and not tail.startswith((b"/", b"@")) and not head:
            return False
        return _ADDRESS.search(head + spelling + tail) is not None

    def _look(
        self,
        begin: int,
        start: int,
        covered: int,
        end: int,
        technology: int,
        trust: int,
        title: int,
        tags: int,
        is_employer: bool,
    ) -> int | None:
        """The rule by which a spelling counts for what stands around it, :data:`_UNDECIDED`, or
        none if it means something else."""
        original = self._original
        if tags <= start and (original[start - 1] == _NEW_LINE == original[min(covered, end - 1)]):
            return _TAG
        if trust == _TAG_ONLY:
            return None
        before = original[max(begin, start - _WINDOW_BYTES) : start].decode(errors="ignore")
        if (
            technology in _INVESTORS
            and self._may_be_paid(begin, start)
            and _BACKED_BY.search(before[-_PAYER_CHARS:])
        ):
            return None
        if technology in _COMPANIES or is_employer:
            rest = original[covered : min(end, covered + _WINDOW_BYTES // 2)].decode(
                errors="ignore"
            )
            if _ACCOUNT.match(rest) or _PEOPLE.match(rest):
                return None
            if before.endswith("the ") and _COMPARED.match(rest):
                return None
            sentence = before[max(before.rfind("\n"), before.rfind(". ")) + 1 :]
            words = _WORDS.findall(sentence.lower())
            if _USED.isdisjoint(words):
                if not _OTHERS.isdisjoint(words) or _OF_OTHERS.search(sentence):
                    return None
                if is_employer:
                    return _UNDECIDED
        misleading = _MISLEADING.get(technology)
        if trust == _UNDOUBTED and misleading is None:
            return _NAME
        at = min(len(before), _BESIDE_CHARS)
        after = original[start : min(end, covered + _WINDOW_BYTES // 2)].decode(errors="ignore")
        window = before[-_BESIDE_CHARS:] + after[:_BESIDE_CHARS]
        if misleading and _covers(misleading, window, at):
            return None
        if trust == _UNDOUBTED:
            return _NAME
        context = _IN_CONTEXT.get(technology)
        if context and _covers(context, window, at):
            return _CONTEXT
        if trust == _EXACT:
            return _AS_WRITTEN
        if trust == _BESIDE_OTHERS and (
            _ROLE_AFTER.match(window, at + covered - start)
            or (start < title and _ROLE_BEFORE.search(before))
        ):
            return _WITH_ROLE
        return _UNDECIDED

    def _decide(
        self,
        mentions: list[_Mention],
        doubtful: list[tuple[int, int]],
        certain: dict[int, tuple[int, int, int, int]],
    ) -> None:
        """Add to the certain skills the doubtful ones that others corroborate."""
        enough = len(certain) >= CORROBORATION
        # Forwards and backwards, so that in "Go, Rust, Python" each vouches for the one before.
        for order in (doubtful, doubtful[::-1]):
            for place, trust in order:
                start, end, technology = mentions[place]
                known = certain.get(technology)
                if known is not None and known[0] <= start:
                    continue
                if self._is_listed(mentions, place, certain):
                    certain[technology] = start, end, technology, _LISTED
                elif (known is None or known[3] == _TAG) and enough and trust == _BESIDE_OTHERS:
                    certain[technology] = start, end, technology, _BESIDE

    def _is_listed(
        self, mentions: list[_Mention], place: int, certain: Mapping[int, object]
    ) -> bool:
        """Whether the mention before or behind it is certain, with nothing between them but what
        stands between the names of a list."""
        for one, other in ((place - 1, place), (place, place + 1)):
            if one < 0 or other >= len(mentions):
                continue
            neighbour = mentions[one if other == place else other][2]
            if neighbour not in certain or neighbour == mentions[place][2]:
                continue
            between = self._original[mentions[one][1] : mentions[other][0]]
            if len(between) <= _MAX_BETWEEN_BYTES and _BETWEEN.fullmatch(
                between.decode(errors="ignore")
            ):
                return True
        return False


def _found(
    texts: pl.Series,
    companies: Sequence[str | None] | None = None,
    title_end: npt.NDArray[np.int64] | None = None,
    tags_begin: npt.NDArray[np.int64] | None = None,
) -> _Found:
    """The skills of texts, none of which is null, and each of which ends with a line break."""
    array = texts.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets_buffer, data_buffer = array.buffers()
    found = _Found()
    if data_buffer is None:
        return found
    begins = np.frombuffer(offsets_buffer, dtype=np.int64)[array.offset :]
    data = np.frombuffer(data_buffer, dtype=np.uint8)
    everything = bytes(data_buffer)
    offsets = (
        texts.to_frame("text")
        .select(
            pl.col("text").str.find_many(
                pl.lit(_BEGINNINGS).implode(), ascii_case_insensitive=True, leftmost=True
            )
        )
        .to_series()
    )
    within = offsets.explode().drop_nulls().to_numpy().astype(np.int64)
    row = np.repeat(np.arange(len(texts), dtype=np.int64), offsets.list.len().to_numpy())
    at = begins[row] + within
    kept = _word_starts(data, at, within == 0)
    row, at, within = row[kept], at[kept], within[kept]
    if title_end is None or tags_begin is None:
        title_end = np.zeros(len(texts), dtype=np.int64)
        tags_begin = np.full(len(texts), len(everything), dtype=np.int64)
    # A tag counts whatever its case.
    kept = (within >= tags_begin[row]) | ~_is_small(data, at)
    row, at = row[kept], at[kept]
    first = np.searchsorted(row, np.arange(len(texts) + 1)).tolist()
    places, starts = at.tolist(), begins.tolist()
    employers = {company: _employer(company) for company in set(companies or ())}
    reader = _Reader(everything)
    for index in range(len(texts)):
        if first[index] == first[index + 1]:
            continue
        begin = starts[index]
        title, tags = begin + int(title_end[index]), begin + int(tags_begin[index])
        employer = employers[companies[index]] if companies is not None else -1
        for start, end, technology, rule in reader.read(
            begin, starts[index + 1], places[first[index] : first[index + 1]], title, tags, employer
        ):
            found.row.append(index)
            found.technology.append(technology)
            found.start.append(start - begin)
            found.rule.append(rule)
            found.words.append(everything[start:end])
    return found
