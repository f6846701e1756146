"""The sources, played: for the demo, the tests and the benchmarks, with no key and no network.

``server`` responds for all sources of ``apis``, over a generated market or with what it was
``given``, and with ``faults``. ``vocabulary``, ``openings``, ``listings`` and ``market`` say what
is advertised where and when; each file of ``apis`` plays one source and writes its adverts.
"""
