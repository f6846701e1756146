"""The raw assets: what each source's dlt resource loaded, and the snapshot that is made of it."""

import warnings
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster_dlt import DagsterDltResource, DagsterDltTranslator
from dagster_dlt.translator import DltResourceTranslatorData

from pipeline.installation.logs import harmless
from pipeline.installation.settings import Settings
from pipeline.orchestration import checks
from pipeline.orchestration.metadata import table
from pipeline.orchestration.run_resources import OWNERS, RETRIES, SettingsResource, leased
from pipeline.sources import SOURCES, Source
from pipeline.staging import StagingError, snapshot_path
from pipeline.staging.fetch_log import Fetch, usual_rows
from pipeline.staging.load import load


class FetchConfig(dg.Config):
    """Which sources to ask."""

    respect_cadence: bool = False
    """Leave a source alone that was asked within its own interval."""


def scheduled() -> dict[str, Any]:
    """The run configuration of a scheduled run: each source is asked at its own interval."""
    config = {"config": {"respect_cadence": True}}
    return {"ops": {f"raw_{name}": config for name in SOURCES}}


def api_key(source: Source) -> dg.AssetKey:
    """The API that a source's postings come from."""
    return dg.AssetKey(["api", source.name])


def raw_key(source: Source) -> dg.AssetKey:
    """The table ``postings`` of the source's staging file."""
    return dg.AssetKey(f"raw_{source.name}")


def snapshot_key(source: Source) -> dg.AssetKey:
    """The copy of the staging file that is read."""
    return dg.AssetKey(f"snapshot_{source.name}")


def api_spec(source: Source) -> dg.AssetSpec:
    """The API as an asset that Dagster shows, but does not run."""
    return dg.AssetSpec(
        api_key(source),
        group_name="sources",
        kinds={"api"},
        owners=OWNERS,
        description=f"The API of {source.title}. Its terms ask for: {source.attribution}",
    )


class SourceTranslator(DagsterDltTranslator):
    """Names the asset of a source's dlt resource, and says what it holds."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
        source = self._source
        return (
            super()
            .get_asset_spec(data)
            .replace_attributes(
                key=raw_key(source),
                deps=[api_key(source)],
                group_name="staging",
                kinds={"dlt", "duckdb"},
                owners=OWNERS,
                description=(
                    f"One row a posting of {source.title}, as it was sent, merged on its own id "
                    "by dlt into a DuckDB file. Materialized when the source was asked and "
                    "answered, be it in part."
                ),
            )
            .merge_attributes(metadata={"dagster/table_name": f"{source.name}.staging.postings"})
        )


def raw_assets(source: Source) -> dg.AssetsDefinition:
    """One visit to a source: its raw table, if it was fetched, and the snapshot in any case.

    These are the assets of ``dagster_dlt.dlt_assets``, whose decorator takes no checks, no asset
    beside those of dlt, and none that may be left out.
    """
    translator = SourceTranslator(source)
    raw = translator.get_asset_spec(
        DltResourceTranslatorData(resource=source.resource, pipeline=None)
    )
    snapshot = dg.AssetSpec(
        snapshot_key(source),
        deps=[raw],
        group_name="staging",
        kinds={"duckdb", "file"},
        owners=OWNERS,
        description=(
            f"The read-only copy of the staging file of {source.title} that analysts and the next "
            "step read: its postings and the log of its fetches. Swapped in after each visit, "
            "also one that brought nothing: the earlier postings stay, and the check "
            "`source_answered` says why."
        ),
    )

    @dg.multi_asset(
        name=f"raw_{source.name}",
        specs=[raw.replace_attributes(skippable=True), snapshot],
        check_specs=checks.of_fetch(raw_key(source)),
        retry_policy=RETRIES,
    )
    def visit(
        context: dg.AssetExecutionContext,
        config: FetchConfig,
        settings: SettingsResource,
        dlt: DagsterDltResource,
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        with leased(context, settings):
            pass  # No source is asked twice at once.
        loaded: dict[str, Any] = {}

        def run(pipeline: Any, dlt_source: Any) -> None:
            with warnings.catch_warnings():
                # dagster-dlt calls it by its old name; nothing is pending by now.
                warnings.filterwarnings("ignore", message="drop_pending_packages is deprecated")
                for event in dlt.run(context, dlt_source, pipeline, translator):
                    loaded.update(event.metadata or {})

        try:
            fetch = load(
                source,
                source.settings.load(),
                settings,
                context.run.run_id,
                respect_cadence=config.respect_cadence,
                run=run,
            )
        except StagingError as error:
            if context.retry_number < RETRIES.max_retries:
                raise
            now = datetime.now(UTC)
            fetch = Fetch(source.name, context.run.run_id, now, now, "failed", str(error))
        if fetch.reason:
            context.log.warning(harmless(fetch.reason))
        if fetch.status in ("ok", "partial"):
            yield dg.MaterializeResult(
                asset_key=raw.key, metadata=_of_dlt(loaded) | _of_fetch(fetch)
            )
        yield dg.MaterializeResult(
            asset_key=snapshot.key, metadata=_of_visit(fetch, source, settings)
        )
        usual = usual_rows(fetch.source, settings, fetch.run_id)
        yield from checks.fetched(raw.key, fetch, usual)

    return visit


def _of_dlt(loaded: Mapping[str, Any]) -> dict[str, Any]:
    """What dlt says of its load and of the table."""
    names = {"dagster/column_schema": "dagster/column_schema", "jobs": "dlt/jobs",
             "first_run": "dlt/first_run"}  # fmt: skip
    return {ours: loaded[name] for name, ours in names.items() if name in loaded}


def _of_fetch(fetch: Fetch) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "rows": fetch.rows,
        "new_rows": fetch.new_rows,
        "requests": fetch.requests,
        "seconds": round((fetch.finished_at - fetch.started_at).total_seconds(), 1),
    }
    if fetch.drift:
        drift = [(d.field, d.what, d.count, d.example, d.is_new) for d in fetch.drift]
        metadata["schema_drift"] = table(["field", "what", "postings", "example", "new"], drift)
    return metadata


def _of_visit(fetch: Fetch, source: Source, settings: Settings) -> dict[str, Any]:
    path = snapshot_path(settings, source.name)
    metadata: dict[str, Any] = {
        "status": fetch.status,
        "rows": fetch.rows,
        "snapshot": dg.MetadataValue.path(str(path)),
        "query": dg.MetadataValue.md(
            f"```sql\nattach '{path}' as {source.name} (read_only);\n"
            f"from {source.name}.staging.postings order by last_seen_at desc limit 20;\n```"
        ),
    }
    if fetch.reason:
        metadata["reason"] = harmless(fetch.reason)
    if fetch.quota_left is not None:
        metadata["requests_left_in_quota"] = fetch.quota_left
    if fetch.pending:
        metadata["pending_load"] = harmless(fetch.pending)
    return metadata
