"""What an installation runs on: settings, logs, the database, and the supervisor of processes."""
