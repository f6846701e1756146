"""The page of the fields is the one that the declaration writes."""

from pathlib import Path

from pipeline.reference import reference


def test_the_page_of_the_fields_is_up_to_date() -> None:
    page = Path(__file__).parents[1] / "docs/fields.md"
    assert page.read_text() == reference(), "python -m pipeline.reference > docs/fields.md"
