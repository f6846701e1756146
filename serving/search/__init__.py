"""Searches the index that :mod:`pipeline.search_index` writes.

``parameters`` and ``query`` say what is asked, ``searcher`` finds, orders and counts it in the
segments of one commit (``matching``, ``ranking``, ``similar``, ``facets``), ``service`` keeps the
commit at what is published, and ``cursors`` say where a list is read on.
"""
