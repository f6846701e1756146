"""What a run may still ask of a language model, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Self

from pipeline.installation.settings import Settings

_ERRORS_IN_A_ROW = 3


@dataclass
class Budget:
    """What is left of a run's share. One budget belongs to one run, over all its batches.

    ``counts`` says what came of the postings that a question was about: ``kept`` answers,
    ``asked``, ``failed``, ``believed``, ``refused`` (a quote that is not there, a value that cannot
    be), ``none`` (the model found none) and ``left`` (over budget).
    """

    requests: int
    tokens: int
    seconds: float
    counts: Counter[str] = field(default_factory=Counter)
    errors_in_a_row: int = 0

    @classmethod
    def of_run(cls, settings: Settings) -> Self:
        return cls(
            settings.llm_requests_per_run,
            settings.llm_tokens_per_run,
            settings.llm_seconds_per_run,
        )

    @property
    def is_spent(self) -> bool:
        """Whether nothing more is to be asked: something ran out, or too much failed."""
        return (
            min(self.requests, self.tokens, self.seconds) <= 0
            or self.errors_in_a_row >= _ERRORS_IN_A_ROW
        )

    def give_up(self) -> None:
        self.errors_in_a_row = _ERRORS_IN_A_ROW
