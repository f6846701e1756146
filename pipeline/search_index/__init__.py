"""The search index as files: written after each publish, mapped by every process of the API.

``analyzer`` makes terms of texts, ``documents`` reads the published jobs, ``builder`` makes a
segment of them, ``merge`` one segment of several, ``directory`` keeps the commits, and ``update``
puts these together. ``arrays`` and ``segment`` are the format. ``docs/search.md`` explains it.
"""
