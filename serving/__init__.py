"""The HTTP API over the published table. It reads PostgreSQL and asks Dagster to start runs."""
