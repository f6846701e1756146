"""``python -m pipeline`` is the command ``job-market``."""

from pipeline.commands.cli import main

main()
