"""Job-market pipeline: sources → staging → transform → publish.

The folders are the steps of the flow, in the order in which a posting passes them:
``sources`` (what to ask of each API), ``extract`` (how to ask), ``staging`` (one DuckDB file a
source), ``transform`` (pure Polars functions) and ``publish`` (PostgreSQL). ``orchestration``
wires them into Dagster assets; the API that serves the published table is in ``serving``.
"""
