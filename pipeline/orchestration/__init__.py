"""The flow in Dagster: ``steps`` passes ``frames`` from one to the next, ``assets`` call them,
``schedules`` start them, ``definitions`` is the code location."""


class IngestFailedError(Exception):
    """A run did not publish. The message names the failed steps and the first reason."""
