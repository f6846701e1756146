"""The services that the API asks: PostgreSQL, Redis, Dagster."""
