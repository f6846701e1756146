"""The sources. One file each; every module in this folder is one, found by itself, except those
whose name begins with an underscore.

A file holds all that is particular to its API: the dlt resource that asks it, its typed
settings, its attribution, the fields of its postings and the mapping of those fields to the
common schema. To add a source, add a file that defines ``SOURCE``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, wraps
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
class RawField:
    """A top-level field of the raw postings, as the source is known to send it.

    Attributes:
        type: of the column that staging keeps it in; None where it stays in ``raw`` alone.
        is_json: it is nested, and kept as JSON text.
        has_numbers: it is a text in which numbers come, too.
        is_required: some posting of every response has it. One that none has is reported as
            drift.
    """

    type: pl.DataType | None
    is_json: bool = False
    has_numbers: bool = False
    is_required: bool = False


TEXT = RawField(pl.String())
TEXT_OR_NUMBER = RawField(pl.String(), has_numbers=True)
NUMBER = RawField(pl.Float64())
WHOLE_NUMBER = RawField(pl.Int64())
BOOLEAN = RawField(pl.Boolean())
JSON = RawField(pl.String(), is_json=True)
IGNORED = RawField(None)


def required(field: RawField) -> RawField:
    """The field, as one that some posting of every response has."""
    return replace(field, is_required=True)


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
        fields: every top-level field that a raw posting is known to have, besides ``key``. Any
            other is reported, and readable in the column ``raw``.
        mapping: one Polars expression over their columns for each column of
            :class:`pipeline.transform.schema.MappedPosting` that the source knows; what is not
            named is null.
        feed_window: for a source whose response is all that it shows: the number of postings from
            which on a response may have had no room for older ones. A posting that a complete
            response lacks is withdrawn, unless newer ones may have pushed it out. None for a
            search, where being absent proves nothing.
    """

    name: str
    title: str
    attribution: str
    settings: type[SourceSettings]
    resource: DltResource
    key: str
    fields: Mapping[str, RawField]
    mapping: Mapping[str, pl.Expr]
    feed_window: int | None = None

    @cached_property
    def columns(self) -> Mapping[str, pl.DataType]:
        """The fields that staging keeps as columns, and their types, but for nested ones."""
        return {
            name: field.type
            for name, field in self.fields.items()
            if field.type is not None and not field.is_json
        }

    @cached_property
    def json_columns(self) -> frozenset[str]:
        """The nested fields that staging keeps, as JSON text."""
        return self._with(lambda field: field.is_json)

    @cached_property
    def numeric_texts(self) -> frozenset[str]:
        """The text columns in which numbers come, too."""
        return self._with(lambda field: field.has_numbers)

    @cached_property
    def required(self) -> frozenset[str]:
        """The columns that are filled in some posting of every response."""
        return self._with(lambda field: field.is_required)

    @cached_property
    def others(self) -> frozenset[str]:
        """The fields that are known and not kept as columns."""
        return self._with(lambda field: field.type is None)

    def _with(self, wanted: Callable[[RawField], bool]) -> frozenset[str]:
        return frozenset(name for name, field in self.fields.items() if wanted(field))


def _discover() -> dict[str, Source]:
    modules = (
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
        if not module.name.startswith("_")
    )
    found: list[Source] = [module.SOURCE for module in modules]
    return {source.name: source for source in sorted(found, key=lambda source: source.name)}


SOURCES: Mapping[str, Source] = _discover()
"""Every source by name, in alphabetical order."""
