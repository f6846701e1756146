"""What others understand of a posting: plain words in title and text, and python-jobspy's rules."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pycountry

from pipeline.transform.understanding.skills import KINDS

Row = Mapping[str, Any]

JOBSPY_MEASURES = ("workplace, three ways", "workplace, body only", "pay as stated")

_ROLES = {
    "devops": "devops", "sre": "site reliability|sre", "platform": "platform", "cloud": "cloud",
    "fullstack": "full.?stack", "frontend": "front.?end", "backend": "back.?end|software engineer",
    "mobile": "mobile|android|ios", "data_engineering": "data engineer",
    "data_science": "data scientist|data analyst", "ml_ai": "machine learning|ai ",
    "security": "security", "qa": "qa|test", "embedded": "embedded", "management": "manager",
    "support_it": "support",
}  # fmt: skip
_LEVELS = "intern|junior|senior|staff|principal|lead|manager|director"
_EMPLOYMENT = {
    "INTERN": "intern", "PARTTIME": "part.time", "CONTRACT": "contract", "FULLTIME": "full.time",
}  # fmt: skip
_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP"}


def plain_words(posting: Row) -> dict[str, Any]:
    """A row as ``job-market understand`` prints it, of words that occur."""
    title = str(posting.get("title") or "").lower()
    body = str(posting.get("description") or "")
    place = str(posting.get("location_text") or "")
    text = f"{title}\n{place}\n{body}".lower()
    parts = [part.strip() for part in place.split(",") if part.strip()]
    pay = re.search(r"([$€£])\s?(\d[\d,.]*)k?\s?(?:-|–|to)\s?[$€£]?(\d[\d,.]*)", body)
    years = re.search(r"(\d+)\+? years", text)
    level = re.search(rf"\b(?:{_LEVELS})\b", title)
    day = re.search(r"(?:deadline|apply by|closing date)\D{0,20}(\d{4}-\d\d-\d\d)", text)
    return {
        "category": next((name for name, words in _ROLES.items() if re.search(words, title)), None),
        "skills": [name for name in KINDS if name.lower() in text],
        "workplace": next((one for one in ("hybrid", "remote", "onsite") if one in text), None),
        "remote_eligibility": [],
        "country": _country(parts[-1]) if parts else None,
        "city": parts[0] if parts else None,
        "employment_type": next(
            (name for name, words in _EMPLOYMENT.items() if re.search(words, text)), None
        ),
        "salary_min": _number(pay[2]) if pay else None,
        "salary_max": _number(pay[3]) if pay else None,
        "salary_currency": _SIGNS[pay[1]] if pay else None,
        "salary_period": "YEAR" if pay else None,
        "deadline": day[1] if day else None,
        "seniority": level[0] if level else None,
        "years_experience_min": int(years[1][:3]) if years else None,
        "visa_sponsorship": "yes" if "sponsor" in text else None,
        "clearance_required": "yes" if "clearance" in text else None,
    }


def _country(name: str) -> str | None:
    try:
        return str(pycountry.countries.lookup(name).alpha_2)
    except LookupError:
        return None


def _number(text: str) -> float | None:
    digits = re.sub(r"\D", "", text)
    return float(digits) if digits else None


JOBSPY = "python-jobspy==1.1.82"
"""The last version with rules of its own for the salary in a description."""
_JOBSPY = """
import json, sys
from jobspy.linkedin.util import is_job_remote
from jobspy.util import extract_salary

class Place:
    def __init__(self, text): self.text = text
    def display_location(self): return self.text

for line in sys.stdin:
    posting = json.loads(line)
    text = posting.get("description") or ""
    period, low, high, currency = extract_salary(text)
    remote = is_job_remote(posting.get("title"), text, Place(posting.get("location_text") or ""))
    print(json.dumps([posting["id"], period, low, high, currency, remote]))
"""
_PERIODS = {
    "yearly": "YEAR",
    "monthly": "MONTH",
    "weekly": "WEEK",
    "daily": "DAY",
    "hourly": "HOUR",
}


def jobspy(postings: Sequence[Row]) -> dict[str, Row]:
    """What python-jobspy's rules for salary and remote work (those that it has for LinkedIn) find,
    by id.

    Its pandas is another than ours, so it is installed into a temporary environment.
    """
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = Path(folder) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", JOBSPY], check=True)
        done = subprocess.run(
            [python, "-c", _JOBSPY],
            input="\n".join(json.dumps(posting) for posting in postings),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return {row["id"]: row for row in _of_jobspy(done.stdout.splitlines())}


def _of_jobspy(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    for line in lines:
        number, period, low, high, currency, remote = json.loads(line)
        yield {
            "id": number,
            "salary_min": low,
            "salary_max": high,
            "salary_currency": currency if low else None,
            "salary_period": _PERIODS.get(period or "") if low else None,
            "workplace": "remote" if remote else None,
        }
