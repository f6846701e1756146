"""``python -m pipeline`` is the command ``job-market``."""

from pipeline.cli import main

main()
