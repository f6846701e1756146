"""Fill what the rules left open with what a language model reads."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from typing import Any

import dataframely as dy
import polars as pl

from pipeline.installation.settings import Settings
from pipeline.language_model.answers import Answer, Answers
from pipeline.language_model.budget import Budget
from pipeline.language_model.clients import (
    INSTRUCTIONS,
    MAX_ANSWER_TOKENS,
    Client,
    UnusableSetupError,
    connect,
)
from pipeline.language_model.questions import QUESTIONS, Question, quoted
from pipeline.transform.schema import Posting
from pipeline.transform.understanding.evidence import MAX_WORDS_CHARS, Evidence

log = logging.getLogger(__name__)

_AT_ONCE = 4
_CHARS_OF_A_TOKEN = 3
_HOPELESS_STATUS = frozenset({401, 403, 404})


def model_of(settings: Settings) -> tuple[str, ...]:
    """What is asked, as a part of what decides results; empty where nothing is. Another model, or
    none any more, has everything computed anew, so that no answer of an old one stays."""
    return (settings.llm_provider, settings.llm_model) if settings.llm_provider else ()


def with_model_answers(
    postings: dy.DataFrame[Posting], settings: Settings, budget: Budget
) -> dy.DataFrame[Posting]:
    """The postings with the fields of :data:`QUESTIONS` filled where a model answers what can be
    believed, and the finding among their evidence; as they are without a configured model.

    Raises nothing: whatever fails is counted in the budget and logged by its kind alone, as its
    message may hold what was asked.
    """
    if settings.llm_provider is None:
        return postings
    for question in QUESTIONS:
        try:
            postings = _with_answers(postings, question, settings, budget)
        except Exception as error:
            budget.counts["failed"] += 1
            log.error("the language model's answers are left out (%s)", type(error).__name__)
    return postings


def _with_answers(
    postings: dy.DataFrame[Posting], question: Question, settings: Settings, budget: Budget
) -> dy.DataFrame[Posting]:
    # What is no job in technology is not published.
    asked_about = question.about & pl.col("category").is_not_null()
    rows = list(postings.filter(asked_about).iter_rows(named=True))
    if not rows:
        return postings
    messages = {row["posting_id"]: _message(question, row) for row in rows}
    keys = {posting: _key(message, settings) for posting, message in messages.items()}
    with Answers(settings.data_dir) as answers:
        known = answers.known(keys.values())
        budget.counts["kept"] += sum(key in known for key in keys.values())
        unknown = {key: messages[posting] for posting, key in keys.items() if key not in known}
        if unknown and not budget.is_spent:
            try:
                known |= asyncio.run(_ask_all(unknown, settings, budget, answers))
                answers.make_room()
            except Exception as error:
                # What is known already is published all the same.
                budget.give_up()
                log.warning("the language model's answers stop (%s)", type(error).__name__)
    budget.counts["left"] += sum(key not in known for key in keys.values())
    filled = []
    for row in rows:
        answer = known.get(keys[row["posting_id"]])
        if answer and (finding := _finding(question, row, answer, budget)):
            filled.append(finding)
    return _filled(postings, question.field, filled) if filled else postings


def _message(question: Question, row: dict[str, Any]) -> str:
    shown = {"question": question.asks, "posting": question.shows(row)}
    return json.dumps(shown, ensure_ascii=False)


def _key(message: str, settings: Settings) -> str:
    asked = [settings.llm_provider, settings.llm_model, INSTRUCTIONS, message]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


async def _ask_all(
    messages: dict[str, str], settings: Settings, budget: Budget, answers: Answers
) -> dict[str, Answer]:
    """The answers that come within the budget, each kept as it comes."""
    given: dict[str, Answer] = {}
    try:
        client = connect(settings)
    except UnusableSetupError as error:
        budget.give_up()
        log.error("no language model is asked: %s", error)
        return given
    waiting = iter(messages.items())
    began = time.monotonic()

    async def ask_some() -> None:
        for key, message in waiting:
            if not _pay(message, settings, budget, answers):
                return
            answer = await _ask(client, message, settings, budget, answers)
            if answer is not None:
                given[key] = answer
                answers.keep(key, answer)

    try:
        async with asyncio.timeout(budget.seconds):
            await asyncio.gather(*(ask_some() for _ in range(_AT_ONCE)))
    except TimeoutError:
        log.warning("the language model's time of this run is over")
    finally:
        budget.seconds -= time.monotonic() - began
        await client.close()
    return given


def _estimate(message: str) -> int:
    return (len(INSTRUCTIONS) + len(message)) // _CHARS_OF_A_TOKEN + MAX_ANSWER_TOKENS


def _pay(message: str, settings: Settings, budget: Budget, answers: Answers) -> bool:
    """Whether the budget allows one more request, which is then paid for: what is asked and never
    answered has its price, too."""
    requests, tokens = answers.spent_today()
    estimate = _estimate(message)
    if (
        budget.is_spent
        or estimate > budget.tokens
        or requests >= settings.llm_requests_per_day
        or tokens + estimate > settings.llm_tokens_per_day
    ):
        return False
    budget.requests -= 1
    budget.tokens -= estimate
    answers.spend(1, estimate)
    return True


async def _ask(
    client: Client, message: str, settings: Settings, budget: Budget, answers: Answers
) -> Answer | None:
    budget.counts["asked"] += 1
    try:
        reply = await asyncio.wait_for(client.ask(message), settings.llm_timeout_seconds)
    except Exception as error:
        budget.counts["failed"] += 1
        budget.errors_in_a_row += 1
        status = getattr(error, "status_code", None)
        if status in _HOPELESS_STATUS:
            budget.give_up()
        log.warning(
            "the language model gave no answer (%s%s)",
            type(error).__name__,
            f", status {status}" if isinstance(status, int) else "",
        )
        return None
    budget.errors_in_a_row = 0
    if reply.tokens is not None and reply.tokens > 0:
        correction = reply.tokens - _estimate(message)
        budget.tokens -= correction
        answers.spend(0, correction)
    content = reply.content or {}
    value, quote = content.get("value"), content.get("quote")
    if not isinstance(value, str) or not isinstance(quote, str):
        return Answer(None, None)
    return Answer(_storable(value[:MAX_WORDS_CHARS]), _storable(quote[: 10 * MAX_WORDS_CHARS]))


def _storable(text: str) -> str:
    """Without halves of characters, which JSON can write and no file can hold."""
    return text.encode("utf-8", "replace").decode()


def _finding(
    question: Question, row: dict[str, Any], answer: Answer, budget: Budget
) -> dict[str, Any] | None:
    if answer.value is None or answer.quote is None:
        budget.counts["none"] += 1
        return None
    words = quoted(answer.quote, row)
    value = question.believes(row, answer.value, words) if words else None
    if words is None or value is None:
        budget.counts["refused"] += 1
        return None
    budget.counts["believed"] += 1
    evidence: Evidence = {
        "field": question.field,
        "value": str(value),
        "origin": "model",
        "words": words[:MAX_WORDS_CHARS],
        "rule": "language_model",
        "decides": True,
    }
    return {
        "posting_id": row["posting_id"],
        "_value": value,
        "_finding": json.dumps(evidence, ensure_ascii=False, separators=(",", ":")),
    }


def _filled(
    postings: dy.DataFrame[Posting], field: str, filled: list[dict[str, Any]]
) -> dy.DataFrame[Posting]:
    columns = postings.columns
    added = pl.DataFrame(
        filled,
        {"posting_id": pl.String, "_value": postings.schema[field], "_finding": pl.String},
    )
    before = pl.col("evidence").str.strip_suffix("]")
    separator = pl.when(before == "[").then(pl.lit("")).otherwise(pl.lit(","))
    return Posting.cast(
        postings.join(added, on="posting_id", how="left", maintain_order="left")
        .with_columns(
            pl.coalesce(field, "_value").alias(field),
            evidence=pl.when(pl.col("_finding").is_not_null())
            .then(pl.concat_str(before, separator, "_finding", pl.lit("]")))
            .otherwise("evidence"),
        )
        .select(columns)
    )
