"""Job-market pipeline: sources → staging → transform → publish.

The folders are the steps of the flow, in the order in which a posting passes them:
``sources`` (what to ask of each API), ``extract`` (how to ask), ``staging`` (one DuckDB file a
source), ``transform`` (pure Polars functions that clean and deduplicate) and ``publish``
(PostgreSQL), after which ``search_index`` writes the files that the API searches. ``run`` puts
them together as the steps of one run, ``orchestration`` wires these into Dagster assets, and
``serving``, beside this package, answers questions about what was published.

What an installation runs on (settings, logs, database, supervisor) is in ``installation``, the
commands of ``job-market`` are in ``commands``, and ``simulator`` plays the APIs for the demo.
"""

import os

# dlt reads this when it is imported. Without it, it tells its makers of every load.
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
