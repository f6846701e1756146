"""The words that a published field is declared in; the fields themselves are in
:mod:`pipeline.fields`. Imports nothing but the standard library: the API reads it too."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from typing import Any


@dataclass(frozen=True)
class Text:
    """Text, at least and at most so many characters long, that matches ``pattern`` from its
    beginning."""

    min_chars: int = 0
    max_chars: int | None = None
    pattern: str | None = None


@dataclass(frozen=True)
class Code:
    """A code of so many capital letters. A query may write it in any case."""

    letters: int

    @property
    def pattern(self) -> str:
        return f"^[A-Z]{{{self.letters}}}$"


@dataclass(frozen=True)
class OneOf:
    """One word of a vocabulary."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class Texts:
    """A list of texts that match ``pattern``; empty rather than null."""

    pattern: str | None = None


@dataclass(frozen=True)
class YesNo:
    """True or false."""


@dataclass(frozen=True)
class Number:
    """A floating-point number within these bounds, which belong to it."""

    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Money:
    """An amount, published with two decimals. The API writes it as text, to keep it exact."""

    above: float | None = None


@dataclass(frozen=True)
class Count:
    """A whole number of things."""

    minimum: int = 0


@dataclass(frozen=True)
class Moment:
    """A time in UTC, with microseconds."""


@dataclass(frozen=True)
class Day:
    """A day of the calendar, of no time zone."""


@dataclass(frozen=True)
class Findings:
    """What derived fields follow from: a list of
    :class:`pipeline.transform.understanding.evidence.Evidence`, in frames as JSON text."""


Kind = Text | Code | OneOf | Texts | YesNo | Number | Money | Count | Moment | Day | Findings


class Mapped(Enum):
    """Whether the mapping of a source gives it."""

    OPTIONAL = auto()
    """A source may give it, in its own words: the cleaning makes it what is declared."""
    ALWAYS = auto()
    """Every staged posting has it."""


class Stage(Enum):
    """The step of the transform that brings a field to the postings, in order."""

    CLEANED = auto()
    UNDERSTOOD = auto()
    KEYED = auto()
    CLUSTERED = auto()
    JUDGED = auto()
    PUBLISHED = auto()
    """The publish itself writes it."""
    READ = auto()
    """No column: ``serving/queries/posting_<name>.sql`` reads it from other tables."""


class OfJob(Enum):
    """How a job takes a field from its postings. Of equal ones, the posting that was seen first
    decides."""

    FOUNDING = auto()
    """Of the posting that founded the job, whose id it bears."""
    BEST_TEXT = auto()
    """Of the posting with the best text: whole over snippet over none."""
    BEST_TEXT_THAT_HAS_IT = auto()
    """Of the posting with the best text of those where it is not null."""
    BEST_PLACE = auto()
    """Of the posting that says most of city, country and region."""
    BEST_SALARY = auto()
    """Of the posting with a salary; the employer's over an estimate."""
    BEST_DATE = auto()
    """Of the posting with the earliest date of those that are exact, else of the approximate."""
    LATEST = auto()
    """The latest of all."""
    ANY = auto()
    """Whether any posting says so."""
    UNION = auto()
    """The values of all postings, sorted."""
    COMPUTED = auto()
    """By a rule of its own in ``pipeline/transform``."""
    PUBLISHED = auto()
    """The publish itself writes it."""
    READ = auto()
    """No column: ``serving/queries/job_<name>.sql`` reads it from other tables."""


class Shown(Flag):
    """Where the API shows a field."""

    NOWHERE = 0
    LIST = auto()
    """A job in lists."""
    DETAIL = auto()
    """A job by itself."""
    EXPORT = auto()
    """A job in the exports."""
    POSTING = auto()
    """A posting of a job."""


class Asks(Enum):
    """What a query parameter asks of a field."""

    ANY_OF = auto()
    """To be one of the values, or to hold one if it is a list."""
    IS = auto()
    """To be this value."""
    TRUE = auto()
    """To be true."""
    SINCE = auto()
    """To be this time or later."""
    AT_LEAST = auto()
    """To be this much or more."""


class Compared(Enum):
    """As what the values of a field are compared with those of a filter."""

    VALUE = auto()
    """As they are."""
    NAME = auto()
    """As names, whatever their case, accents and punctuation (``name_key``)."""
    COMPANY = auto()
    """As names, whatever their legal form too (``company_key``)."""
    COUNTRY_OR_ANY = auto()
    """As they are; ``*`` is equal to any."""
    POSTED_OR_FOUND = auto()
    """As the time when the job was posted or, without one, first seen."""
    YEARLY = auto()
    """As the upper end of the salary a year: exactly (``yearly_salary``) in the currency of the
    filter, and in others at the reference rates (``salary_usd_yearly_max``)."""


@dataclass(frozen=True)
class Filter:
    """A query parameter that asks for jobs by a field.

    Attributes:
        parameter: its name; by default the field's.
        splits: several values may be separated by commas.
        default: the values of a query that gives none; by default all. Where there are some, the
            value ``all`` asks for every job.
    """

    asks: Asks
    parameter: str = ""
    description: str = ""
    example: Any = None
    compared: Compared = Compared.VALUE
    splits: bool = True
    default: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """One field of the published postings, of the jobs, or of both.

    Attributes:
        name: its column, everywhere.
        description: what it says, in a sentence; the API, PostgreSQL, Dagster and the docs show it.
        example: a value as the API writes it.
        unit: of a number or a time.
        nullable: a posting or a job may be without it.
        mapped: whether the mapping of a source gives it; None: it is derived.
        posting: since when a posting has it; None: only jobs do.
        job: how a job takes it; None: only postings have it.
        rule: ``module:function`` of a derived field: a function from a lazy frame of clean postings
            to the same rows with this column. Several fields may name the same function. Rules are
            applied in the order of the fields, so that one can read what those before it derived.
        shown: where the API shows it.
        label: the API's name for it; by default its own.
        within: the object that the API puts it in, beside others.
        every: the list field of all that it is one of; its filter and its facet look at that one.
        filter: the query parameter that asks for it.
        facet: the name that jobs are counted by it under.
    """

    name: str
    kind: Kind
    description: str
    example: Any = None
    unit: str = ""
    nullable: bool = False
    mapped: Mapped | None = None
    posting: Stage | None = None
    job: OfJob | None = None
    rule: str = ""
    shown: Shown = Shown.NOWHERE
    label: str = ""
    within: str = ""
    every: str = ""
    filter: Filter | None = None
    facet: str = ""

    @property
    def explained(self) -> str:
        """What it says, and in which unit."""
        return f"{self.description} In {self.unit}." if self.unit else self.description

    @property
    def shown_as(self) -> str:
        """The API's name for it."""
        return self.label or self.name

    @property
    def parameter(self) -> str:
        """The name of the query parameter that asks for it; empty if there is none."""
        return (self.filter.parameter or self.name) if self.filter else ""
