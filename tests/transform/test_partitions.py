from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transform.deduplication.partitions import partitions

Keys = dict[str, list[str]]
postings = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=3),
    st.lists(st.sampled_from([f"k{i}" for i in range(12)]), max_size=3),
    max_size=30,
)


def split(found: Keys, rows: int) -> dict[str, int]:
    frame = pl.DataFrame(
        {"posting_id": list(found), "keys": list(found.values())},
        {"posting_id": pl.String, "keys": pl.List(pl.String)},
    )
    return dict(partitions(frame, rows).iter_rows())


@given(postings, st.integers(1, 10))
def test_postings_that_share_a_key_are_together_and_none_is_lost(found: Keys, rows: int) -> None:
    of_posting = split(found, rows)
    assert of_posting.keys() == found.keys()
    of_key: dict[str, set[int]] = {}
    for posting, keys in found.items():
        for key in keys:
            of_key.setdefault(key, set()).add(of_posting[posting])
    assert all(len(partition) == 1 for partition in of_key.values())
    if found:
        assert set(of_posting.values()) == set(range(max(of_posting.values()) + 1))


def test_partitions_are_as_small_as_connections_allow() -> None:
    alone = {f"p{i:03}": [f"k{i}"] for i in range(100)}
    sizes = pl.Series(list(split(alone, 10).values())).value_counts()["count"].to_list()
    assert sizes == [10] * 10
    together = {f"p{i:03}": ["k"] for i in range(100)}
    assert set(split(together, 10).values()) == {0}
