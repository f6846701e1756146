"""The SQL of the API, one statement a file, with named parameters (``%(limit)s``)."""

from importlib.resources import files


def load(name: str) -> bytes:
    """The statement in ``<name>.sql``."""
    return (files(__name__) / f"{name}.sql").read_bytes()


JOBS = load("jobs")
JOB = load("job")
LAST_PUBLISH = load("last_publish")
PUBLISH_OF_RUN = load("publish_of_run")
