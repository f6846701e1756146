"""The commands of ``job-market``."""
