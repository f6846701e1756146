"""Which of the amounts in a posting's texts are the pay that it offers.

An amount is pay for the words around it, its period and its size: never for its sign alone. Amounts
of perks (stipends, bonuses, budgets), of other money (funding, revenue, a market) and those that
can be no one's pay are none.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from pipeline.transform.understanding.amounts import Amount, amounts
from pipeline.transform.understanding.pay import (
    CURRENCY_WORDS,
    DOLLAR_WORDS,
    IN_TEXT,
    PERIODS,
    SHARED_WORDS,
    currency,
    currency_in,
    has_dollars,
    has_rate,
    inferred_periods,
    is_usual,
)


class Pay(NamedTuple):
    """What is paid, in ``currency`` for one ``period``; null where it is not known."""

    low: float | None
    high: float | None
    currency: str | None
    period: str | None


class Stated(NamedTuple):
    """An amount that a text states.

    Attributes:
        pay: what it would be as pay.
        rule: why it is pay; empty where it is none.
        words: the amount as it stands there.
        line: what names it, with its place or level, where several are listed.
        start: where it begins.
        is_total: it is for meeting all targets, beside a base that may be named.
        is_estimate: a board's.
        is_computed: the year of so many salaries.
        periods: those that it can be for; several where nothing says which.
    """

    pay: Pay
    rule: str
    words: str
    line: str
    start: int
    is_total: bool
    is_estimate: bool
    is_computed: bool
    periods: tuple[str, ...]


_BEFORE_CHARS = 140
_AFTER_CHARS = 60
_NEAR_CHARS = 16
"""So near behind an amount a word of pay names it: "$150k base"."""
_FAR_CHARS = 50
"""So far before a range that can only be a year's, other money is not what it is about."""
_EDGE_CHARS = 32
"""So near before an amount stand words that make it an upper or lower end."""
_PERK_CHARS = 35
"""So near behind an amount is what it is called."""
_MAX_LABEL_CHARS = 120
"""So far before an amount its line may begin."""
_MAX_CHARS_BETWEEN = 90
"""So far apart may be the two ends of one range."""


def _of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W\d_])(?:{'|'.join(patterns)})", re.IGNORECASE)


def _by_first_letter(patterns: Iterable[str]) -> str:
    """The alternatives of a pattern, sorted by their first letters, so that one letter of a text
    is compared with few of them."""
    of_letter: dict[str, list[str]] = {}
    for pattern in patterns:
        has_letter = _begins_with_letter.match(pattern) is not None
        letter, rest = (pattern[0], pattern[1:]) if has_letter else ("", pattern)
        of_letter.setdefault(letter, []).append(rest)
    # What may begin with any letter comes first.
    return "|".join(f"{letter}(?:{'|'.join(of_letter[letter])})" for letter in sorted(of_letter))


_begins_with_letter = re.compile(r"\w(?![?*+{])[^|]*\Z|\w(?![?*+{])[^|()]*(?:\([^()]*\)[^|()]*)+\Z")
_signs = re.compile(
    rf"(?<![^\W\d_])(?:(?P<pay>{_by_first_letter(IN_TEXT.pay)})"
    rf"|(?P<perk>{_by_first_letter(IN_TEXT.perks)})|(?P<other>{_by_first_letter(IN_TEXT.other)}))"
)
"""Of texts in lower case, which it reads twice as fast as one that ignores case."""
# A heading may be joined to what follows it: "CompensationUp to".
_joined_pay = re.compile(r"(?:salary|compensation|rate|pay|gehalt|salaire)(?=[A-Z:]|\Z)")
_total = _of(IN_TEXT.total)
_estimated = re.compile(rf"\s{{0,2}}(?:{'|'.join(IN_TEXT.estimated)})", re.IGNORECASE)
_predicted = _of(IN_TEXT.predicted)
_EDGE = r"[\s:=~(*]{0,3}(?:(?:c|ca|circa|approx|approximately|about|around|roughly)\b\.?\s?)?"
_at_most = re.compile(rf"(?<![^\W\d_])(?:{'|'.join(IN_TEXT.at_most)}){_EDGE}\Z", re.IGNORECASE)
_at_least = re.compile(rf"(?<![^\W\d_])(?:{'|'.join(IN_TEXT.at_least)}){_EDGE}\Z", re.IGNORECASE)
_joined_at_most = re.compile(r"(?:Up to)\s{0,2}\Z")
_period_before = re.compile(
    r"(?<![^\W\d_])(?:"
    + "|".join(rf"(?P<{name}>(?:{'|'.join(period.before)})\b)" for name, period in PERIODS.items())
    + ")"
)
"""Of texts in lower case."""
_sentence = re.compile(r"[.!?][\"')]?\s+(?=[^\W\d_a-z])|[;•|]")
_clause = re.compile(
    r"(?-i:(?<=[a-z)])(?=[A-Z][a-z']))|[,;|\n•+]|\.(?=\s|\Z)|\b(?:plus|and|with|und|et|depending|dependent|based|doe)\b",
    re.IGNORECASE,
)
_part = re.compile(r"[,;|\n(]|\s[-–—]\s")
_segment_begins = re.compile(r"(?:\A|[|•\n(\[–—:,;/]|\s-+)\s{0,3}\Z", re.IGNORECASE)
_segment_ends = re.compile(
    r"\s{0,2}(?:\Z|[|•\n)\],;/.+–—-]|plus\b|doe\b|depending\b|dependent\b|base\b|basic\b|ote\b|\()",
    re.IGNORECASE,
)
# What may stand between a word of pay and its number: "the salary is about 60,000".
_links = re.compile(
    r"\w{0,6}\W*(?:(?:is|of|at|about|around|ca|up|to|from|between|in|total|starting|approx|range|ab|bis|zu|von|de|hasta|desde|à"
    r"|gross|brutto|brut|bruto|annual|annuel|anual|per|year|a|pa|jährlich|wynosi|od|do)\W+)*",
    re.IGNORECASE,
)
# Between an amount and the same pay in another currency.
_alternative = re.compile(r"\s{0,2}(?:or|oder|ou|lub|o|of|eller|/|\||\()\s{0,2}", re.IGNORECASE)
_AND = "and|und|et|y|e|en|oraz|och|og|i"
_between = re.compile(rf"(?<![^\W\d_])(?:{'|'.join(IN_TEXT.between)}){_EDGE}\Z", re.IGNORECASE)
_ends_in_and = re.compile(rf"\b(?:{_AND})\s{{1,2}}\Z", re.IGNORECASE)
# What parts one range of a line from the next.
_parts_ranges = re.compile(r"[;•|]|\.\s|(?<=\))\s?[,–—-]\s|\s/\s")
_sentence_end = re.compile(r"[.!?][\"')]?\s+(?=[^\W\d_a-z])")
_closes_range = re.compile(rf"{_sentence_end.pattern}|[;•]")
_dash = re.compile(r"\s[–—-]\s(?=\s?\w)")
_or = re.compile(rf"\b(?:{_AND}|or|oder|ou|o|lub)\b", re.IGNORECASE)
_begins_with_and = re.compile(rf"[\s,]*(?:(?:{_AND}|or|oder|ou|o|lub)\b\s*)?", re.IGNORECASE)
_behind = re.compile(rf"\+?\s{{0,2}}(?:{'|'.join(IN_TEXT.behind)})(?![^\W\d_])", re.IGNORECASE)
_tax = re.compile(
    r"\b(?:gross|net|brutto|netto|brutos?|netos?|bruts?|nets?|lordi|netti)\b", re.IGNORECASE
)
_bullet = re.compile(r"\A[\s\-–—*•·▪◦‣]{1,6}")
_calendar_year = re.compile(r"(?:19|20)\d\d")


def stated(text: str, country: str | None) -> list[Stated]:
    """The amounts of a text in their order; those that are no pay have no ``rule``. Two ends that
    the same sentence names apart ("from … up to …") are one range."""
    found = list(amounts(text))
    of_country = currency_in(country)
    # Where some amounts are in CA$, the bare $ beside them is not the Canadian one.
    dollar = "USD" if any(CURRENCY_WORDS.get(a.word.lower()) == of_country for a in found) else None
    judged: list[Stated] = []
    ends: list[int] = []
    for place, amount in enumerate(found):
        if place + 1 < len(found):
            amount = _with_shared_period(text, amount, found[place + 1])
        one = _judged(text, amount, country, dollar, found[place - 1].end if place else 0)
        if judged and (joined := _joined(text, found[place - 1], judged[-1], one)):
            judged[-1], ends[-1] = joined, amount.end
        else:
            judged.append(one)
            ends.append(amount.end)
    starts = [one.start for one in judged]
    return [
        one._replace(line=_line(text, place, starts, ends)) if one.rule else one
        for place, one in enumerate(judged)
    ]


def _with_shared_period(text: str, amount: Amount, following: Amount) -> Amount:
    """With the period that stands behind the same pay in another currency: "45 USD or 40 EUR an
    hour"."""
    is_other = amount.word and following.word and amount.word != following.word
    if amount.period or not following.period or not is_other:
        return amount
    if not _alternative.fullmatch(text, amount.end, min(following.start, amount.end + _EDGE_CHARS)):
        return amount
    return amount._replace(period=following.period)


def _joined(text: str, amount: Amount, first: Stated, second: Stated) -> Stated | None:
    """One range of two amounts, the second of which is an upper end."""
    if not (first.rule and second.rule) or amount.is_range or first.periods != second.periods:
        return None
    (low, most, code, period), other = first.pay, second.pay
    if low is None or other.high is None or other.currency != code or most not in (None, low):
        return None
    is_upper = other.low is None or (
        other.low == other.high
        and _between.search(text, max(0, amount.start - _EDGE_CHARS), amount.start)
        and _ends_in_and.search(text, amount.end, second.start)
    )
    between = text[amount.end : second.start]
    is_near = len(between) <= _MAX_CHARS_BETWEEN and "\n" not in between
    if not is_upper or not is_near or _sentence.search(between) or not low < other.high <= 4 * low:
        return None
    begin, end = first.start, second.start + len(second.words)
    words = text[begin:end].strip()
    return first._replace(pay=Pay(low, other.high, code, period), words=words)


def _judged(
    text: str, amount: Amount, country: str | None, dollar: str | None, previous: int
) -> Stated:
    before, heading = _context_before(text, amount.start)
    if not (amount.word or amount.in_lakhs or amount.period) and not (
        (_is_in_thousands(text, amount) and amount.is_range)
        # A number alone: only words of pay make more of it.
        or _last_sign(before)[0] == "pay"
        or _is_heading(heading)
    ):
        pay = Pay(amount.low, amount.high, None, None)
        words = text[amount.start : amount.end]
        return Stated(pay, "", words, "", amount.start, False, False, False, ())
    after = text[amount.end : amount.end + _AFTER_CHARS]
    # Where markup was lost, the next sentence begins at once: "$22/hrWe are …".
    clause = "" if after[:1].isupper() else _clause.split(after, maxsplit=1)[0]
    code = _currency(amount, country, dollar)
    ends = (amount.low, amount.high)
    period = amount.period or _said_period(before, heading)
    if period and not amount.period and code:
        # "one day per week in the office, $150k": the words are about something else.
        period = period if all(is_usual(end, code, period) for end in ends) else None
    if amount.in_lakhs and period is None:
        period = "YEAR"
    possible = [period] if period else inferred_periods(amount.low, amount.high, code)
    if amount.in_lakhs and code is None:
        code = "INR"
    if not possible and amount.is_range and _is_in_thousands(text, amount):
        possible = ["YEAR"]
    pay, is_computed = _pay(amount, before, code, period, possible)
    since = before[-max(amount.start - previous, 0) :] if amount.start > previous else ""
    kind = _kind(text, amount, code, before, heading, since, clause, period, possible, is_computed)
    start = amount.start
    near = before[-_EDGE_CHARS:]
    if found := _at_most.search(near) or _at_least.search(near):
        start -= len(near) - found.start()
    return Stated(
        pay,
        kind,
        text[start : amount.end].strip(),
        "",
        start,
        bool(kind) and bool(_total.search(_part.split(before)[-1]) or _total.search(clause[:20])),
        bool(_estimated.match(after)),
        is_computed,
        tuple(possible),
    )


def _context_before(text: str, start: int) -> tuple[str, str]:
    """What stands before an amount in its sentence, and the heading above it if it begins a
    line."""
    before = text[max(0, start - _BEFORE_CHARS) : start]
    line_begins = before.rfind("\n") + 1
    line = before[line_begins:]
    heading = ""
    if line_begins and len(line) <= 60:
        above = before[:line_begins].rstrip()
        heading = above[above.rfind("\n") + 1 :]
        if len(heading) > 90 and not heading.endswith(":"):
            heading = ""
    sentences = _sentence.split(line)
    return sentences[-1], heading


def _currency(amount: Amount, country: str | None, dollar: str | None) -> str | None:
    """The ISO 4217 code of an amount; what its sign leaves open, the country tells."""
    word = amount.word
    if not word:
        return currency_in(country)
    if code := CURRENCY_WORDS.get(word.lower()):
        return code
    of_country = currency_in(country)
    if word in DOLLAR_WORDS:
        if dollar:
            return dollar
        if of_country is None or not has_dollars(of_country):
            return "USD"
        ends, period = (amount.low, amount.high), amount.period
        fits = (
            all(is_usual(end, of_country, period) for end in ends)
            if period
            else bool(inferred_periods(amount.low, amount.high, of_country))
        )
        # Where a peso would be no pay, as in Mexico, a dollar is the American one.
        return of_country if fits else "USD"
    if word in SHARED_WORDS:
        first, *others = SHARED_WORDS[word]
        return of_country if of_country in others else first or None
    return currency(word)


def _said_period(before: str, heading: str) -> str | None:
    """The period that the words before an amount name, the nearest ones."""
    for where in (before[-80:], heading):
        nearest = None
        for match in _period_before.finditer(where.lower()):
            nearest = match.lastgroup
        if nearest:
            return nearest
    return None


def _pay(
    amount: Amount, before: str, code: str | None, period: str | None, possible: list[str]
) -> tuple[Pay, bool]:
    """The pay that an amount would be, and whether it is the computed year of its salaries."""
    low: float | None = amount.low
    high: float | None = amount.high
    if not amount.is_range:
        near = before[-_EDGE_CHARS:]
        if _at_least.search(near) or (amount.is_open and not _at_most.search(near)):
            high = None
        elif _at_most.search(near) or _joined_at_most.search(near):
            low = None
    period = period or (possible[0] if len(possible) == 1 else None)
    if amount.salaries and period in (None, "MONTH") and "MONTH" in (*possible, "MONTH"):
        times = amount.salaries
        if is_usual(amount.high * times, code, "YEAR") and is_usual(amount.low, code, "MONTH"):
            return (
                Pay(
                    None if low is None else low * times,
                    None if high is None else high * times,
                    code,
                    "YEAR",
                ),
                True,
            )
    return Pay(low, high, code, period), False


def _kind(
    text: str,
    amount: Amount,
    code: str | None,
    before: str,
    heading: str,
    since: str,
    clause: str,
    period: str | None,
    possible: list[str],
    is_computed: bool,
) -> str:
    """The rule by which an amount is pay; empty if it is none."""
    if not amount.period and _behind.match(text, amount.end):
        return ""
    if amount.high > 50 * max(amount.low, 0.01):
        return ""
    if period is not None and has_rate(code):
        if not (is_usual(amount.low, code, period) and is_usual(amount.high, code, period)):
            return ""
        if period == "YEAR" and not _is_high(amount, code):
            return ""
    elif not possible and has_rate(code) and not _is_in_thousands(text, amount):
        return ""
    is_year = period in (None, "YEAR") and possible == ["YEAR"] and amount.is_large
    behind = _first_sign(clause[:_PERK_CHARS])
    in_front, distance = _last_sign(before)
    has_pay = in_front == "pay" or (in_front == "" and bool(_joined_pay.search(before)))
    is_year_range = is_year and amount.is_range and _is_high(amount, code)
    if is_year_range and in_front in ("perk", "other"):
        # "Insurance Engineer $120k-150k" is no insurance: only what names the range itself counts.
        rest = before[len(before) - distance :]
        in_front = in_front if _links.fullmatch(rest) else ""
    if in_front == "other" or (behind == "other" and not (has_pay and amount.is_range)):
        return ""
    if "perk" in (behind, in_front):
        pays_too = any(match.lastgroup == "pay" for match in _signs.finditer(since.lower()))
        if not (is_year_range and (pays_too or in_front != "perk")):
            return ""
        has_pay = pays_too
    if not amount.word and not amount.in_lakhs:
        has_pay = has_pay or _is_heading(heading)
        return _without_currency(text, amount, before, has_pay, distance, period, possible)
    if is_computed:
        return "so many salaries a year"
    if has_pay and (distance < 100 or amount.is_range):
        if amount.is_range or period or possible in (["YEAR"], ["HOUR"]) or amount.salaries:
            return "words of pay"
        return "words of pay" if _at_most.search(before[-_EDGE_CHARS:]) or distance < 12 else ""
    if _is_heading(heading) and len(before) <= 60:
        return "under a heading of pay" if amount.is_range or period or is_year else ""
    if _first_sign(clause[:_NEAR_CHARS]) == "pay" and (amount.is_range or period or is_year):
        return "words of pay"
    # Taxes are on pay alone.
    is_taxed = amount.is_range or _tax.search(text, amount.start, amount.end)
    if amount.period in ("HOUR", "DAY") or (amount.period and is_taxed):
        return "an amount for its period"
    if is_year_range or (amount.in_lakhs and amount.is_range):
        return "a range of years' pay"
    is_of_a_year = (amount.period == "YEAR" or is_year) and _is_high(amount, code)
    return "an amount that stands alone" if is_of_a_year and _is_alone(text, amount) else ""


def _is_high(amount: Amount, code: str | None) -> bool:
    return inferred_periods(amount.low, amount.high, code)[-1:] == ["YEAR"]


def _without_currency(
    text: str,
    amount: Amount,
    before: str,
    has_pay: bool,
    distance: int,
    period: str | None,
    possible: list[str],
) -> str:
    """Without a currency, only what words call pay is pay, and only an amount of thousands or one
    that names its period."""
    rule = "words of pay, in the country's currency"
    if _calendar_year.match(text, amount.start):
        return ""
    in_thousands = _is_in_thousands(text, amount)
    if not has_pay:
        alone = (
            in_thousands and amount.is_range and possible == ["YEAR"] and _is_alone(text, amount)
        )
        return "an amount that stands alone" if alone else ""
    if amount.period and (amount.is_range or amount.is_large):
        return rule
    if amount.period in ("HOUR", "DAY") and distance < 12:
        return rule
    is_linked = amount.is_range or _links.fullmatch(before[len(before) - distance :])
    if amount.is_large and distance < _FAR_CHARS and is_linked:
        return rule if period == "YEAR" or possible == ["YEAR"] else ""
    return rule if in_thousands and amount.is_range else ""


def _is_in_thousands(text: str, amount: Amount) -> bool:
    """Whether a ``k`` says that it is thousands, as many as a year's pay has."""
    words = text[amount.start : amount.end].lower()
    return "k" in words and 20_000 <= amount.low <= amount.high < 1_000_000


def _is_alone(text: str, amount: Amount) -> bool:
    """Whether an amount fills a part of a line: between bars, in brackets, behind a dash."""
    around = text[max(0, amount.start - _EDGE_CHARS) : amount.start]
    if found := _at_most.search(around) or _at_least.search(around):
        around = around[: found.start()]
    ends = amount.is_open or _segment_ends.match(text, amount.end)
    return bool(_segment_begins.search(around) and ends)


def _first_sign(clause: str) -> str:
    """Of what stands behind an amount: what it is called."""
    match = _signs.search(clause.lower())
    return match.lastgroup or "" if match else ""


def _last_sign(before: str) -> tuple[str, int]:
    """Of what stands before an amount: the nearest word that says what it is, and how far it is
    away."""
    last = deque(_signs.finditer(before.lower()), maxlen=1)
    return (last[0].lastgroup or "", len(before) - last[0].end()) if last else ("", 0)


def _is_heading(heading: str) -> bool:
    return bool(heading) and _last_sign(heading)[0] == "pay"


def _line(text: str, place: int, starts: list[int], ends: list[int]) -> str:
    """What names one of the amounts of a text: its line without the bullet, or its part of a line
    that holds several, where that is short; otherwise it alone."""
    start, end = starts[place], ends[place]
    own = text[start:end].strip()
    floor = max(0, start - _MAX_LABEL_CHARS)
    begin = text.rfind("\n", floor, start) + 1
    before = ends[place - 1] if place else -1
    if before >= max(begin, floor):
        begin = _boundary(text, before, start)[1]
    elif not begin and floor:
        return own
    stop = text.find("\n", end, end + _AFTER_CHARS)
    if stop < 0:
        stop = len(text) if len(text) <= end + _AFTER_CHARS else end
    following = starts[place + 1] if place + 1 < len(starts) else -1
    if end <= following < max(stop, end + _AFTER_CHARS) and "\n" not in text[end:following]:
        stop = _boundary(text, end, following)[0]
    if closed := _closes_range.search(text, end, stop):
        stop = closed.start()
    for closed in _sentence_end.finditer(text, begin, start):
        begin = closed.end()
    line = _bullet.sub("", text[begin:stop]).strip()
    line = _begins_with_and.sub("", line, count=1)
    if line.count("(") > line.count(")") and text[stop : stop + 1] == ")":
        line += ")"
    return line if len(line) - len(own) <= 130 else own


def _boundary(text: str, end: int, start: int) -> tuple[int, int]:
    """Where what belongs to one amount ends, and what belongs to the next begins: labels stand
    before their amounts ("US: …, Canada: …") or behind ("… in Austin, TX, …")."""
    if found := _parts_ranges.search(text, end, start):
        return found.span()
    between = text[end:start].rstrip(" (")
    comma = between.find(",") if between.endswith((":", "-", "–", "—")) else between.rfind(",")
    if comma >= 0:
        return end + comma, end + comma + 1
    found = _or.search(text, end, start) or _dash.search(text, end, start)
    return found.span() if found else (end, end)


def is_predicted(text: str) -> bool:
    """Whether a field of free text calls itself an estimate."""
    return bool(_predicted.search(text)) and "employer est" not in text.lower()
