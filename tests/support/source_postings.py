"""Sound postings as each source sends them, to be changed at will."""

from __future__ import annotations

import itertools
from typing import Any

from pipeline.simulator.faults import MISSING

_numbers = itertools.count(1)


def remoteok_job(**overrides: Any) -> dict[str, Any]:
    """A valid Remote OK posting with an id of its own. ``overrides`` replace fields; give
    :data:`pipeline.simulator.faults.MISSING` to leave one out."""
    job_id = str(1_059_000 + next(_numbers))
    url = f"https://remoteOK.com/remote-jobs/remote-senior-backend-engineer-initech-{job_id}"
    return _with(
        {
            "slug": url.rpartition("/")[2],
            "id": job_id,
            "epoch": 1733260504,
            "date": "2024-12-03T21:15:04+00:00",
            "company": "Initech",
            "company_logo": "",
            "position": "Senior Backend Engineer",
            "tags": ["python", "senior", "engineer", "backend"],
            "logo": "",
            "description": "<p>We are <b>Initech</b> &amp; we ship.</p><ul><li>Python</li></ul>",
            "location": "Worldwide",
            "salary_min": 70000,
            "salary_max": 110000,
            "apply_url": url,
            "url": url,
        },
        overrides,
    )


def jsearch_job(**overrides: Any) -> dict[str, Any]:
    """A valid JSearch posting with an id of its own; ``overrides`` as for Remote OK."""
    number = next(_numbers)
    link = f"https://www.linkedin.com/jobs/view/senior-backend-engineer-at-initech-{number}"
    return _with(
        {
            "job_id": f"ZjYFdJ-QsEo{number:09d}==",
            "job_title": "Senior Backend Engineer",
            "employer_name": "Initech",
            "employer_logo": None,
            "employer_website": "https://www.initech.example",
            "job_publisher": "LinkedIn",
            "job_employment_type": "Full-time",
            "job_employment_types": ["FULLTIME"],
            "job_apply_link": link,
            "job_apply_is_direct": False,
            "apply_options": [{"publisher": "LinkedIn", "apply_link": link, "is_direct": False}],
            "job_description": "Initech is hiring.\n\n• Build services in Python and PostgreSQL.",
            "job_is_remote": False,
            "job_posted_at_timestamp": 1733184000,
            "job_posted_at_datetime_utc": "2024-12-03T00:00:00.000Z",
            "job_location": "Austin, TX",
            "job_city": "Austin",
            "job_state": "Texas",
            "job_country": "US",
            "job_latitude": 30.2672,
            "job_longitude": -97.7431,
            "job_offer_expiration_datetime_utc": "2025-06-04T00:00:00.000Z",
            "job_offer_expiration_timestamp": 1748995200,
            "job_min_salary": 120000,
            "job_max_salary": 150000,
            "job_salary_currency": "USD",
            "job_salary_period": "YEAR",
            "job_highlights": {"Qualifications": ["5 years of Python"]},
        },
        overrides,
    )


def adzuna_job(**overrides: Any) -> dict[str, Any]:
    """A valid Adzuna posting (Great Britain) with an id of its own; ``overrides`` as for
    Remote OK."""
    job_id = str(3_204_540_000 + next(_numbers))
    return _with(
        {
            "__CLASS__": "Adzuna::API::Response::Job",
            "id": job_id,
            "title": "Senior Backend Engineer",
            "description": "Initech is hiring. You build services in Python and PostgreSQL and…",
            "created": "2024-12-03T04:14:28Z",
            "redirect_url": f"https://www.adzuna.co.uk/jobs/land/ad/{job_id}?se=Ogrt8LMS&v=58EB",
            "adref": "eyJhbGciOiJIUzI1NiJ9.eyJzIjoiT2dydDhMTVM3In0.ogfhcDIZat9cBaXYHQp5",
            "company": {"__CLASS__": "Adzuna::API::Response::Company", "display_name": "Initech"},
            "location": {
                "__CLASS__": "Adzuna::API::Response::Location",
                "area": ["UK", "London", "Central London"],
                "display_name": "Central London, London",
            },
            "category": {
                "__CLASS__": "Adzuna::API::Response::Category",
                "tag": "it-jobs",
                "label": "IT Jobs",
            },
            "salary_min": 65000.0,
            "salary_max": 80000.0,
            "salary_is_predicted": "0",
            "contract_time": "full_time",
            "contract_type": "permanent",
            "latitude": 51.5085,
            "longitude": -0.12574,
        },
        overrides,
    )


def _with(job: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (job | overrides).items() if value is not MISSING}
