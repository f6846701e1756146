"""Which postings are one job: blocking keys, comparison, clusters."""
