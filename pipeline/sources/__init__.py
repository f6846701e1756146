"""The sources. One file each; every module in this folder is one, found by itself.

A file holds all that is particular to its API: the dlt resource that asks it, its typed
settings, its attribution, the columns of its answers and the mapping of those columns to the
common schema. To add a source, add a file that defines ``SOURCE``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

import dlt
import polars as pl
from dlt.extract import DltResource

from pipeline.extract.client import Client
from pipeline.installation.settings import SourceSettings

Pages = Callable[[Any, Client], Iterator[list[Any]]]
"""Asks a source: yields pages, each a list of raw postings as the API sent them."""


def posting_resource(name: str) -> Callable[[Pages], DltResource]:
    """The decorator that makes a source's pages its dlt resource.

    There is no incremental cursor: a posting that is shown again is thereby known to be still
    open, so what is older than a cursor has to be loaded, too. What an API can leave out by age
    is among the source's settings.

    The resource does not raise: an error ends the pages and is the last item, so that dlt loads
    what came before.
    """

    def decorate(pages: Pages) -> DltResource:
        @wraps(pages)
        def until_error(settings: Any, client: Client) -> Iterator[list[Any] | Exception]:
            try:
                yield from pages(settings, client)
            except Exception as error:
                yield error

        found: DltResource = dlt.resource(
            until_error,
            name=name,
            table_name="postings",
            primary_key="source_id",
            write_disposition={"disposition": "merge", "strategy": "delete-insert"},
            schema_contract={"tables": "evolve", "columns": "freeze", "data_type": "freeze"},
            file_format="parquet",
            max_table_nesting=0,
        )
        return found

    return decorate


@dataclass(frozen=True)
class Source:
    """One place that postings come from.

    Attributes:
        name: the identifier, used in file names, ids (``jsearch_abc``) and the API.
        title: the name as people write it.
        attribution: what the source's terms ask to be shown beside its postings.
        settings: the typed configuration, read from the environment.
        resource: the dlt resource, made by :func:`posting_resource`; called with the settings and
            a client.
        key: the field of a raw posting that identifies it within the source.
        columns: the top-level fields of a raw posting that staging keeps as columns. A nested
            field is declared ``pl.String`` in ``json_columns`` instead. All the rest stays
            readable in the column ``raw``.
        json_columns: the nested fields, kept as JSON text.
        mapping: one Polars expression over those columns for each column of
            :class:`pipeline.transform.schema.MappedPosting` that the source knows; what is not
            named is null.
        numeric_texts: the text columns in which numbers come, too.
        required: the columns that are filled in some posting of every answer. One that is filled
            in none is reported as drift.
        others: the fields that the source is known to send beside the columns; any other is
            reported.
        feed_window: for a source whose answer is all that it shows: the number of postings from
            which on an answer may have had no room for older ones. A posting that a complete
            answer lacks is withdrawn, unless newer ones may have pushed it out. None for a
            search, where being absent proves nothing.
    """

    name: str
    title: str
    attribution: str
    settings: type[SourceSettings]
    resource: DltResource
    key: str
    columns: Mapping[str, pl.DataType]
    json_columns: frozenset[str]
    mapping: Mapping[str, pl.Expr]
    numeric_texts: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    feed_window: int | None = None


def _discover() -> dict[str, Source]:
    modules = (
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    )
    found: list[Source] = [module.SOURCE for module in modules]
    return {source.name: source for source in sorted(found, key=lambda source: source.name)}


SOURCES: Mapping[str, Source] = _discover()
"""Every source by name, in alphabetical order."""
