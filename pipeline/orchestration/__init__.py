"""The flow in Dagster: the assets of the stages ``raw``, ``transform`` and ``publish``, whose
``checks`` are a module of their own, ``schedules`` that start them, and ``definitions``, the code
location of all of it."""


class IngestFailedError(Exception):
    """A run did not publish. The message names the failed steps and the first reason."""
