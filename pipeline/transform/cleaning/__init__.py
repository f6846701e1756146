"""From a staged row to clean fields: texts, addresses, times, amounts."""
