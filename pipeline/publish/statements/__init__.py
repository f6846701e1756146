"""The SQL of a publish, one step a file, with named parameters (``%(version)s``)."""

from importlib.resources import files


def load(name: str) -> bytes:
    """The statements in ``<name>.sql``."""
    return (files(__name__) / f"{name}.sql").read_bytes()
