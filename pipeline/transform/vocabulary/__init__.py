"""What the transform knows of words: one TOML file for each subject.

A contribution needs no Python. Each file says at its top how it is written, and has one reader,
the module that uses it:

- ``skills.toml``: technologies (:mod:`pipeline.transform.understanding.skills`)
- ``roles.toml``: the roles (:mod:`pipeline.transform.understanding.role_vocabulary`)
- ``places.toml``: names of places (:mod:`pipeline.transform.understanding.gazetteer`)
- ``pay.toml``: currencies, periods and words of pay
  (:mod:`pipeline.transform.understanding.pay`)
- ``rates.toml``: the bundled exchange rates (:mod:`pipeline.transform.understanding.rates`)
- ``seniority.toml``: levels (:mod:`pipeline.transform.understanding.seniority`)
- ``requirements.toml``: experience, visa, clearance
  (:mod:`pipeline.transform.understanding.requirements`)
- ``places_in_text.toml``: where a text names the job's place
  (:mod:`pipeline.transform.understanding.place_in_text`)
- ``eligibility.toml``: from where a remote job may be done
  (:mod:`pipeline.transform.understanding.eligible_lists`)
- ``employment.toml``: kinds of employment (:mod:`pipeline.transform.understanding.employment`)
- ``deadline.toml``, ``dates.toml``: closing dates and how days are written
  (:mod:`pipeline.transform.understanding.deadline` and ``written_days``)
- ``workplace.toml``: remote and on site (:mod:`pipeline.transform.understanding.workplace`)
- ``companies.toml``, ``titles.toml``: what is compared of names and titles
  (:mod:`pipeline.transform.deduplication.comparison`)
- ``addresses.toml``: applicant tracking systems
  (:mod:`pipeline.transform.deduplication.apply_url`)
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable
from importlib.resources import files
from typing import Annotated, TypeVar

import polars as pl
from polars.exceptions import ComputeError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError


class VocabularyError(ValueError):
    """A vocabulary that cannot be read. The message names the file and the entry."""


class Shape(BaseModel):
    """What a file, or a table in it, must hold: nothing else, and all that has no default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _with_words(pattern: str, words: dict[str, str]) -> str:
    return re.sub(r"\{([a-z_]+)\}", lambda name: words.get(name[1], name[0]), pattern)


def _pattern(pattern: str) -> str:
    try:
        pl.Series([""]).str.contains(re.sub(r"\{[a-z_]+\}", "x", pattern))
    except ComputeError as error:
        raise ValueError(f"no regular expression of Polars: {error}") from error
    return pattern


def _python_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from error
    return pattern


Word = Annotated[str, Field(min_length=1)]
Pattern = Annotated[Word, AfterValidator(_pattern)]
"""A regular expression that Polars reads, without looking around. ``{name}`` stands for the words
of that name, where the file has some."""
PythonPattern = Annotated[Word, AfterValidator(_python_pattern)]
"""A regular expression that Python alone reads."""

S = TypeVar("S", bound=Shape)


def one_of(values: Collection[str]) -> AfterValidator:
    """For a text that must be one of these."""

    def check(value: str) -> str:
        if value not in values:
            raise ValueError(f"{value!r} is none of {', '.join(sorted(values))}")
        return value

    return AfterValidator(check)


def read(name: str, shape: type[S]) -> S:
    """The vocabulary in ``name``.toml.

    Raises:
        VocabularyError: it is no TOML, or not of that shape.
    """
    file = files(__package__).joinpath(f"{name}.toml")
    try:
        return shape.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise VocabularyError(f"{name}.toml is no TOML: {error}") from error
    except ValidationError as error:
        faults = (
            f"{name}.toml, {'.'.join(map(str, fault['loc']))}: {fault['msg']}"
            for fault in error.errors()
        )
        raise VocabularyError("; ".join(faults)) from error


def any_of(patterns: Iterable[str], **words: str) -> str:
    """One regular expression for any of several, with the words that ``{name}`` stands for."""
    return _with_words(f"(?:{'|'.join(patterns)})", words)
