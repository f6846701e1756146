"""A market of generated postings behind imitations of the three source APIs.

With it the whole product can be tried with no key and no network. ``vocabulary``, ``openings``,
``listings`` and ``market`` say what is advertised where and when; ``adverts`` writes each posting
in its source's own words; ``search`` and ``apis`` answer for the sources; ``server`` runs them.
"""
