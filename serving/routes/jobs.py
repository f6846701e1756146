"""``/api/jobs``: the published jobs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Annotated, Any, Literal
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Path, Query, Request
from psycopg.rows import DictRow
from pydantic import AwareDatetime, Field, TypeAdapter

from pipeline.installation.settings import Settings
from pipeline.search_index.schema import MISSING
from pipeline.transform.understanding.rates import Rates, in_use
from serving import queries
from serving.clients.database import Database
from serving.clients.revisions import Revisions, version_of
from serving.models import Job, JobPostings, Jobs, JobsQuery, NoQuery, Text
from serving.problems import ProblemError, documented
from serving.responses import json_answer, link_to_next
from serving.search import cursors
from serving.search.facets import Counts
from serving.search.parameters import (
    ANALYZER,
    Asked,
    as_installed,
    asked,
    may_be_misspelled,
    microseconds,
    moment,
)
from serving.search.query import parse
from serving.search.ranking import terms_of
from serving.search.searcher import Found, Hit, Place, Searcher
from serving.search.service import SearchService

router = APIRouter(tags=["jobs"])

UNAVAILABLE = "No database connection is available. Ask again in a moment."
_NO_JOB = "There is no job with this id. It may have been removed."
FEW = 3
"""With fewer matches than this, jobs that are spelled like the search are looked for."""
FEW_TERMS = 8
"""To rank by more takes more than some tens of milliseconds at a million jobs."""

Mode = Literal["newest", "moved", "relevance", "similar"]
"""In which order a list is read. A list by date ends with the jobs that were moved to its front
while it was read."""
_Version = Annotated[int, Field(ge=0, le=2**62)]
_Score = Annotated[float, Field(allow_inf_nan=False)]
_Cursor = tuple[
    Mode | Literal["alike"],
    _Score,
    AwareDatetime | Literal["-infinity", "infinity"],
    Text,
    _Version,
    _Version,
    list[Annotated[float, Field(ge=0, le=100)]],
]
"""The mode (``alike`` in cursors of an earlier version), the score, the time and the id of the last
job of the page before, of which publish the list was when its reading began, or ended, and how rare
each term was then, by which the list is ranked."""
_CURSOR = TypeAdapter(tuple[str, _Cursor])
_BEFORE_ALL = (0, "infinity", "")
_LATEST = 2**62


@dataclass(frozen=True)
class Begin:
    """Where a page begins: behind ``after``, in a list that was begun at the version ``since``
    and, of those that were moved, ends at ``until``."""

    mode: Mode
    after: Place | None = None
    since: int | None = None
    until: int | None = None
    rarities: list[float] | None = None


def _mode(query: JobsQuery, wanted: Asked) -> Mode:
    """How the first page is read, unless it finds too few."""
    ranked = query.sort == "relevance" and wanted.search is not None
    return "relevance" if ranked else "newest"


def identity(query: JobsQuery) -> str:
    """What the cursors of this query belong to: the list as it is searched, filtered and sorted.
    ``limit``, ``offset`` and ``facets`` may be others on each page."""
    wanted = asked(query)
    parts = asdict(wanted.conditions)
    flat = {"search": wanted.search, "sort": _mode(query, wanted)} | parts["at_least"]
    if paid := wanted.conditions.paid:
        # Not what it is in dollars: a list goes on where the rates are renewed meanwhile.
        flat |= {"salary_min": paid.least, "salary_currency": [paid.currency]}
    return cursors.identity("jobs", flat | parts["any_of"])


def begin(query: JobsQuery) -> Begin:
    """Where the page begins that is asked for.

    Raises:
        ProblemError: 422, the cursor is not one of this query.
    """
    return _begin(query, asked(query))


def _begin(query: JobsQuery, wanted: Asked) -> Begin:
    if not query.cursor:
        return Begin(_mode(query, wanted))
    mode, score, at, job_id, since, until, rarities = cursors.read(
        query.cursor, identity(query), _CURSOR
    )
    if mode == "alike":
        mode = "similar"
    if mode in ("relevance", "similar") and wanted.search is None:
        raise cursors.refused("is one of a search, and there is none")
    match at:
        case "infinity":
            newest = _LATEST
        case "-infinity":
            newest = MISSING
        case _:
            newest = microseconds(at)
    place = Place(score, newest, job_id.encode("utf-8", "replace"))
    return Begin(mode, place, since, until, rarities)


@dataclass(frozen=True)
class Page:
    """A page of a list: ``hits``, and whether there are more; ``matched`` is what the search and
    the filters find by themselves, ``counted`` what the list has in all."""

    mode: Mode
    matched: Found
    counted: Found
    hits: list[Hit]
    has_more: bool
    facets: dict[str, Counts]


class Listing:
    """The list that a query asks for, of one revision."""

    def __init__(self, searcher: Searcher, query: JobsQuery, table: Rates | None = None) -> None:
        """Args:
            table: the exchange rates for pay in other currencies.

        Raises:
            ProblemError: 422, the cursor is not one of this query.
        """
        self._searcher = searcher
        self._query = query
        self._asked = asked(query, table)
        self._begin = _begin(query, self._asked)
        search = self._asked.search
        self._tree = parse(search, ANALYZER) if search is not None else None
        self._words = _spelled(search)
        self._version = version_of(searcher.commit.revision)
        self._rarities = self._begin.rarities or []
        if self._begin.mode == "relevance" and self._tree is not None:
            terms = terms_of(self._tree)
            if self._begin.rarities is None:
                self._rarities = searcher.rarities(self._tree)
            elif len(self._rarities) != len(terms):
                raise cursors.refused("is not one of this search")

    @property
    def is_quick(self) -> bool:
        """Whether the page is found in a few milliseconds."""
        if self._begin.mode == "similar" or not self._searcher.is_quick(self._tree):
            return False
        if len(self._rarities) > FEW_TERMS:
            return False
        # With a word that is nowhere, what is spelled like it is looked for.
        return not self._words or self._searcher.has_all_terms(self._tree)

    def find(self) -> Page:
        """The page. Threads may call this."""
        matched = among = self._searcher.filter(self._asked.conditions)
        if self._asked.search is not None:
            matched = self._searcher.search(self._tree, among)
        mode, listed = self._listed(matched, among)
        hits = self._searcher.page(
            listed, self._begin.after, self._query.offset, self._query.limit + 1
        )
        counted = matched if mode == "moved" else listed
        facets = self._searcher.facets(counted, self._query.facets)
        has_more = len(hits) > self._query.limit
        return Page(mode, matched, counted, hits[: self._query.limit], has_more, facets)

    def body(self) -> tuple[bytes, str | None]:
        """The page as JSON, and the cursor of the next one. Threads may call this."""
        page = self.find()
        cursor = self._next(page)
        facets = b""
        if self._query.facets:
            facets = b',"facets":' + orjson.dumps(
                {
                    name: [{"value": value, "jobs": jobs} for value, jobs in counts]
                    for name, counts in page.facets.items()
                }
            )
        body = b'{"total":%d,"match":"%s","next":%s,"jobs":[%s],"attribution":%s%s}' % (
            page.counted.total,
            b"similar" if page.mode == "similar" else b"exact",
            orjson.dumps(cursor),
            b",".join(map(self._searcher.stored, page.hits)),
            orjson.dumps(self._searcher.attribution(page.hits)),
            facets,
        )
        return body, cursor

    def _listed(self, matched: Found, among: Found) -> tuple[Mode, Found]:
        """What the page is a page of."""
        match self._begin.mode:
            case "moved":
                since, until = self._begin.since or 0, self._begin.until or 0
                return "moved", self._searcher.moved(matched, since, until)
            case "similar":
                return "similar", self._searcher.similar(self._words, matched, among)
        if matched.total < FEW and self._words and self._begin.after is None:
            similar = self._searcher.similar(self._words, matched, among)
            if similar.total > matched.total:
                return "similar", similar
        if self._begin.mode == "relevance" and self._tree is not None:
            return "relevance", self._searcher.ranked(self._tree, matched, self._rarities)
        return self._begin.mode, matched

    def _next(self, page: Page) -> str | None:
        """The cursor behind a page, if there are more jobs; else, behind the last page by date,
        that of the jobs which were moved to the front meanwhile, in as many rounds as publishes
        went by."""
        since, until = self._begin.since, self._begin.until
        if since is None or until is None:
            since = until = self._version
        of = identity(self._query)
        if page.has_more:
            place = self._searcher.place(page.hits[-1])
            at = "-infinity" if place.newest == MISSING else moment(place.newest)
            job_id = place.job_id.decode()
            return cursors.write(
                of, page.mode, place.score, at, job_id, since, until, self._rarities
            )
        reached = until if page.mode == "moved" else since
        if self._version == reached or page.mode not in ("newest", "moved"):
            return None
        if not self._searcher.moved(page.matched, reached, self._version).total:
            return None
        return cursors.write(of, "moved", *_BEFORE_ALL, reached, self._version, [])


def _spelled(search: str | None) -> list[str]:
    """The words of a search that are looked for by their spelling."""
    if search is None or not may_be_misspelled(search):
        return []
    words = ANALYZER.words(search, short=True)
    return [word for word in words if ANALYZER.stem(word) and not ANALYZER.is_pair(word)]


@router.get(
    "/api/jobs",
    summary="List and search jobs",
    response_model=Jobs,
    responses=documented(
        {422: "limit: Input should be less than or equal to 200", 503: UNAVAILABLE}
    ),
)
async def list_jobs(
    query: Annotated[JobsQuery, Query()],
    request: Request,
) -> Any:
    """The jobs that match all of the given filters, the newest first, and how many there are.
    The total, the facets and the page are of the same publish. Formats other than JSON are at
    `/api/jobs.csv`, `.ndjson`, `.parquet` and `.atom`."""
    search: SearchService = request.app.state.search
    settings: Settings = request.app.state.settings
    query = as_installed(query, settings)
    searcher = await search.searcher()
    if searcher is None:
        begin(query)  # whose cursor is refused even where there is nothing to list
        facets = b',"facets":' + orjson.dumps({name: [] for name in query.facets})
        body = b'{"total":0,"match":"exact","next":null,"jobs":[],"attribution":{}%s}'
        return json_answer(body % (facets if query.facets else b""), None)
    listing = Listing(searcher, query, in_use(settings.data_dir))
    body, cursor = await search.run(listing.body, is_quick=listing.is_quick)
    headers = {"Link": link_to_next(request, cursor)} if cursor else {}
    return json_answer(body, searcher.commit.revision, headers)


@router.get(
    "/api/jobs/{job_id:path}/postings",
    summary="Read why postings are one job",
    response_model=JobPostings,
    responses=documented({404: _NO_JOB, 422: "x: There is no such parameter", 503: UNAVAILABLE}),
)
async def read_postings(
    job_id: Annotated[Text, Path(description="Its id, or that of one of its postings.")],
    query: Annotated[NoQuery, Query()],
    request: Request,
) -> Any:
    """Every posting of the job, with the rule, the evidence and the score that joined it."""
    row = await _found(request, queries.POSTINGS, job_id)
    body = b'{"job_id":%s,"postings":%s}' % (
        orjson.dumps(row["job_id"]),
        row["postings"].encode(),
    )
    return json_answer(body, row["revision"])


# The path takes slashes, as the ids of some sources hold them: it must remain the last route
# below /api/jobs/.
@router.get(
    "/api/jobs/{job_id:path}",
    summary="Read one job",
    response_model=Job,
    responses={
        200: {
            "headers": {
                "Content-Location": {
                    "description": "The job's own address.",
                    "schema": {"type": "string"},
                }
            }
        },
        **documented(
            {
                404: _NO_JOB,
                422: "job_id: must not contain the character NUL",
                503: UNAVAILABLE,
            },
            status_422={
                "errors": [{"parameter": "job_id", "message": "must not contain the character NUL"}]
            },
        ),
    },
)
async def read_job(
    job_id: Annotated[Text, Path(description="Its id, or that of one of its postings.")],
    query: Annotated[NoQuery, Query()],
    request: Request,
) -> Any:
    """The job with all of its postings and the reasons why they are taken for one opening. The
    id of a posting that was merged into another job answers with that job. Closed jobs stay
    readable."""
    row = await _found(request, queries.JOB, job_id)
    location = f"/api/jobs/{quote(row['job_id'], safe='')}"
    return json_answer(row["job"].encode(), row["revision"], {"Content-Location": location})


async def _found(request: Request, query: bytes, job_id: str) -> DictRow:
    database: Database = request.app.state.database
    revisions: Revisions = request.app.state.revisions
    rows = await database.fetch(query, {"id": job_id}, plan_once=True)
    if not rows:
        # That it is gone may be news of a revision of which nothing has been answered yet.
        await revisions.look()
        raise ProblemError(HTTPStatus.NOT_FOUND, _NO_JOB)
    revisions.saw(rows[0]["revision"])
    return rows[0]
