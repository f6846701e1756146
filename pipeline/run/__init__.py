"""The steps of one run and the frames between them, without Dagster."""
