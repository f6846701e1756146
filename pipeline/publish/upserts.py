"""The statements that write what a batch brings to ``jobs`` and ``job_postings``, composed of the
declared fields. Each column is compared by itself, so that whatever differs is written, whyever it
does: also what was changed by hand, or forgotten by an earlier version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from psycopg import sql
from psycopg.sql import SQL, Composable, Composed, Identifier

from pipeline.fields import of_jobs, of_postings

JOB = tuple(field.name for field in of_jobs())
"""The columns of ``jobs`` that a run computes."""
POSTING = tuple(field.name for field in of_postings())
"""The columns of ``job_postings`` that a run computes."""

MOVING = ("last_seen_at", "run_id", "review_at")
"""What moves in a posting with every run. These are in no index: where nothing else differs, the
row is replaced in its own page and its texts are not written again."""
_JOINED = ("job_id", "merge_rule", "merge_evidence", "merge_score", "merged_with")
"""What says why a posting is in its job."""


@cache
def incoming() -> Composed:
    """Creates the tables that a batch is copied into, for the length of the transaction."""
    return SQL(
        "create temp table incoming_jobs on commit drop as"
        " select {jobs}, null::timestamptz as review_at, false as is_retired"
        " from jobs with no data;"
        " create temp table incoming_postings on commit drop as"
        " select {postings} from job_postings with no data"
    ).format(jobs=_list(JOB), postings=_list(POSTING))


@cache
def jobs() -> Composed:
    """Makes ``jobs`` hold the incoming ones that are not retired; its count is of the rows that
    were inserted or updated. Needs ``version`` and ``published_at``."""
    written = {
        "updated_at": SQL("%(published_at)s::timestamptz"),
        "changed_version": SQL("%(version)s::bigint"),
    }
    return SQL(
        "merge into jobs as published"
        " using (select * from incoming_jobs where not is_retired) as incoming"
        " on published.job_id = incoming.job_id"
        " when matched and {differs} then update set {update}"
        " when not matched then insert ({columns}) values ({values})"
    ).format(
        differs=_differ(JOB),
        update=_set(_incoming(JOB, but="job_id") | written),
        columns=_list([*JOB, *written, "created_version"]),
        values=_values([*_incoming(JOB).values(), *written.values(), SQL("%(version)s::bigint")]),
    )


@cache
def postings() -> Composed:
    """Makes ``job_postings`` hold the incoming ones. Needs ``version``."""
    compared = [name for name in POSTING if name not in MOVING]
    version = SQL("case when incoming.merged_with is not null then %(version)s::bigint end")
    joined = SQL("case when {} then {} else published.merged_version end").format(
        _differ(_JOINED), version
    )
    return SQL(
        "merge into job_postings as published"
        " using incoming_postings as incoming on published.posting_id = incoming.posting_id"
        " when matched and {differs} then update set {update}"
        " when matched and {moved} then update set {moving}"
        " when not matched then insert ({columns}) values ({values})"
    ).format(
        differs=_differ(compared),
        update=_set(_incoming(POSTING, but="posting_id") | {"merged_version": joined}),
        moved=_differ(MOVING),
        moving=_set(_incoming(MOVING)),
        columns=_list([*POSTING, "merged_version"]),
        values=_values([*_incoming(POSTING).values(), version]),
    )


def _incoming(names: Iterable[str], but: str = "") -> dict[str, Composable]:
    return {name: sql.Identifier("incoming", name) for name in names if name != but}


def _list(names: Iterable[str]) -> Composed:
    return SQL(", ").join(map(Identifier, names))


def _values(values: Iterable[Composable]) -> Composed:
    return SQL(", ").join(values)


def _set(values: Mapping[str, Composable]) -> Composed:
    return SQL(", ").join(
        SQL("{} = {}").format(Identifier(name), value) for name, value in values.items()
    )


def _differ(names: Iterable[str]) -> Composed:
    """Whether any of the columns does."""
    return SQL("({})").format(
        SQL(" or ").join(
            SQL("{} is distinct from {}").format(
                Identifier("published", name), Identifier("incoming", name)
            )
            for name in names
        )
    )
