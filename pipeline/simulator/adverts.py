"""A posting as each source's JSON, in the source's own words.

The field sets are those of recorded answers. The same opening reads differently at each source:
title, company, place and markup vary, and fields go missing as they do in life.
"""

from __future__ import annotations

import base64
import html
import json
import random
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pipeline.simulator import vocabulary as v
from pipeline.simulator.listings import Listing, SourceName, moment
from pipeline.simulator.openings import Opening, Section, scatter, text

SNIPPET_CHARS = 500
"""Adzuna cuts its descriptions at about so many characters."""


def advert(seed: int, listing: Listing, at: int) -> dict[str, Any]:
    """The posting as its source shows it at ``at`` (seconds since the market's epoch)."""
    chance = random.Random(scatter(seed, listing.serial, 10 + len(listing.source)))
    return _WRITERS[listing.source](listing, at, chance)


def _remoteok(listing: Listing, at: int, chance: random.Random) -> dict[str, Any]:
    opening = listing.opening
    title = _title(opening, chance)
    if chance.random() < 0.5:  # its form drops punctuation
        title = " ".join("".join(c if c.isalnum() or c in "+#." else " " for c in title).split())
    slug = f"remote-{_slug(title)}-{_slug(opening.company.name)}-{listing.source_id}"
    url = f"https://remoteOK.com/remote-jobs/{slug}"
    salary = opening.salary_at(at)
    shown = salary if salary and salary.period == "YEAR" and salary.currency == "USD" else None
    logo = f"https://remoteok.com/assets/img/jobs/{scatter(listing.serial):032x}.png"
    has_logo = chance.random() < 0.7
    job: dict[str, Any] = {
        "slug": slug,
        "id": listing.source_id,
        "epoch": int(moment(listing.listed_from).timestamp()),
        "date": moment(listing.listed_from).isoformat(),
        "company": _stray_blanks(html.escape(opening.company.name), chance),
        "company_logo": logo if has_logo else "",
        "position": _stray_blanks(title, chance),
        "tags": _tags(opening),
        "description": _html(text(opening, at), chance) + _trailer(listing),
        "location": chance.choices(
            [
                "",
                "Worldwide",
                opening.country.name,
                f"{opening.place.city}, {opening.country.name}",
            ],
            [30, 15, 35, 20],
        )[0],
        "salary_min": shown.low if shown else 0,
        "salary_max": shown.high if shown else 0,
        "apply_url": opening.ats_url if opening.ats_url and chance.random() < 0.3 else url,
        "logo": logo if has_logo else "",
        "url": url,
    }
    if chance.random() < 0.06:
        job["original"] = True
    if chance.random() < 0.02:
        job["verified"] = True
    return job


def _jsearch(listing: Listing, at: int, chance: random.Random) -> dict[str, Any]:
    opening = listing.opening
    link = v.PUBLISHERS[listing.publisher].format(
        slug=_slug(f"{opening.full_title} at {opening.company.name}"),
        company=opening.company.slug,
        serial=1_000_000 + listing.serial,
        hex=f"{scatter(listing.serial, 9):016x}",
    )
    options = [{"publisher": listing.publisher, "apply_link": link, "is_direct": False}]
    direct = False
    if opening.ats_url and chance.random() < 0.6:
        tracked = f"{opening.ats_url}?utm_source={listing.publisher.lower()}&utm_medium=jobs"
        options.append(
            {"publisher": opening.company.name, "apply_link": tracked, "is_direct": True}
        )
        if chance.random() < 0.5:
            link, direct = opening.ats_url, True
    posted, expires = moment(listing.listed_from), moment(listing.listed_until)
    dated = chance.random() < 0.95
    job: dict[str, Any] = {
        "job_id": listing.source_id,
        "job_title": _title(opening, chance, on_jsearch=True),
        "employer_name": _company(opening, chance),
        "employer_logo": None,
        "employer_website": f"https://www.{opening.company.slug}.example"
        if chance.random() < 0.6
        else None,
        "job_publisher": listing.publisher,
        "job_apply_link": link,
        "job_apply_is_direct": direct,
        "job_description": _plain(text(opening, at), chance),
        "job_is_remote": opening.remote,
        "job_posted_at_timestamp": int(posted.timestamp()) if dated else None,
        "job_posted_at_datetime_utc": _iso_milliseconds(posted) if dated else None,
        "job_city": None if opening.remote and chance.random() < 0.5 else opening.place.city,
        "job_state": opening.place.region,
        "job_country": opening.country.code,
        "job_latitude": opening.place.latitude,
        "job_longitude": opening.place.longitude,
        "job_benefits": None,
        "job_google_link": f"https://www.google.com/search?q=jobs&ibp=htl;jobs#{listing.source_id}",
        "job_highlights": {},
        "job_onet_soc": "15113400",
        "job_onet_job_zone": "4",
    }
    if chance.random() < 0.6:
        job["job_offer_expiration_datetime_utc"] = _iso_milliseconds(expires)
        job["job_offer_expiration_timestamp"] = int(expires.timestamp())
    else:
        job["job_offer_expiration_datetime_utc"] = None
        job["job_offer_expiration_timestamp"] = None
    is_new = chance.random() < 0.6
    job |= _newer_fields(opening, options, chance) if is_new else _older_fields(opening)
    job |= _jsearch_salary(opening, at, chance)
    return job


def _newer_fields(
    opening: Opening, options: list[dict[str, Any]], chance: random.Random
) -> dict[str, Any]:
    wording = {
        "FULLTIME": ["Full-time", "Full-time", "Full–time", "Full-time and Part-time"],
        "PARTTIME": ["Part-time"],
        "CONTRACTOR": ["Contractor", "Full-time and Contractor"],
        "INTERN": ["Internship"],
    }[opening.employment_type]
    return {
        "job_employment_type": chance.choice(wording),
        "job_employment_types": [opening.employment_type],
        "apply_options": options,
        "job_location": f"{opening.place.city}, {opening.place.region_code}",
        "employer_reviews": [],
    }


def _older_fields(opening: Opening) -> dict[str, Any]:
    return {
        "job_employment_type": opening.employment_type,
        "job_state": opening.place.region_code,
        "employer_company_type": None,
        "job_apply_quality_score": round(scatter(opening.number) % 1000 / 1000, 3),
        "job_required_experience": {
            "no_experience_required": False,
            "required_experience_in_months": None,
            "experience_mentioned": True,
            "experience_preferred": False,
        },
        "job_required_skills": None,
        "job_required_education": {
            "postgraduate_degree": False,
            "professional_certification": False,
            "high_school": False,
            "associates_degree": False,
            "bachelors_degree": False,
            "degree_mentioned": False,
            "degree_preferred": False,
            "professional_certification_mentioned": False,
        },
        "job_experience_in_place_of_education": False,
        "job_job_title": None,
        "job_posting_language": "en",
        "job_occupational_categories": list(opening.skills),
    }


def _jsearch_salary(opening: Opening, at: int, chance: random.Random) -> dict[str, Any]:
    salary = opening.salary_at(at)
    if salary and chance.random() < 0.8:
        as_text = chance.random() < 0.05
        return {
            "job_min_salary": str(salary.low) if as_text else salary.low,
            "job_max_salary": str(salary.high) if as_text else salary.high,
            "job_salary_currency": salary.currency if chance.random() < 0.8 else None,
            "job_salary_period": salary.period,
        }
    if chance.random() < 0.3:
        return {}
    names = ["job_min_salary", "job_max_salary", "job_salary_currency", "job_salary_period"]
    return dict.fromkeys(names)


def _adzuna(listing: Listing, at: int, chance: random.Random) -> dict[str, Any]:
    opening, place = listing.opening, listing.opening.place
    job_class = "Adzuna::API::Response"
    is_predicted = opening.salary is None
    salary = opening.salary_at(at) or opening.estimate
    per_year = 1800 if salary.period == "HOUR" else 1
    low, high = float(salary.low * per_year), float(salary.high * per_year)
    if is_predicted:
        low = high = round(low * chance.uniform(0.9, 1.1), 2)
    tag, label = opening.discipline.adzuna_category
    token = base64.urlsafe_b64encode(json.dumps({"i": listing.source_id}).encode()).decode()
    body = " ".join(_plain(text(opening, at), chance).replace("•", " ").split())
    snippet = body if len(body) <= SNIPPET_CHARS else body[:SNIPPET_CHARS] + "…"
    job: dict[str, Any] = {
        "__CLASS__": f"{job_class}::Job",
        "id": listing.source_id,
        "title": _title(opening, chance, on_adzuna=True),
        "description": snippet,
        "created": f"{moment(listing.listed_from):%Y-%m-%dT%H:%M:%SZ}",
        "redirect_url": f"https://{opening.country.adzuna_host}/jobs/land/ad/{listing.source_id}"
        f"?se={token[:16]}&utm_medium=api&utm_source=demo&v={scatter(listing.serial):016X}",
        "adref": f"{token}.{scatter(listing.serial, 11):016x}",
        "company": {
            "__CLASS__": f"{job_class}::Company",
            "display_name": _company(opening, chance),
        },
        "location": {
            "__CLASS__": f"{job_class}::Location",
            "display_name": f"{place.city}, {place.region}",
            "area": [opening.country.adzuna_name, place.region, place.city],
        },
        "category": {"__CLASS__": f"{job_class}::Category", "tag": tag, "label": label},
        "salary_min": low,
        "salary_max": high,
        "salary_is_predicted": "1" if is_predicted else chance.choice(["0", 0]),
    }
    if chance.random() < 0.04:
        job["company"] = {"__CLASS__": f"{job_class}::Company"}
    if chance.random() < 0.7:
        job["latitude"], job["longitude"] = place.latitude, place.longitude
    if chance.random() < 0.6:
        is_part_time = opening.employment_type == "PARTTIME"
        job["contract_time"] = "part_time" if is_part_time else "full_time"
    if chance.random() < 0.4 or opening.employment_type == "CONTRACTOR":
        is_contract = opening.employment_type == "CONTRACTOR"
        job["contract_type"] = "contract" if is_contract else "permanent"
    return job


_WRITERS: Mapping[SourceName, Callable[[Listing, int, random.Random], dict[str, Any]]] = {
    "remoteok": _remoteok,
    "jsearch": _jsearch,
    "adzuna": _adzuna,
}


def _title(
    opening: Opening, chance: random.Random, *, on_jsearch: bool = False, on_adzuna: bool = False
) -> str:
    title = opening.full_title
    if opening.level == "Senior" and chance.random() < 0.15:
        title = title.replace("Senior", chance.choice(["Sr.", "Sr"]))
    if opening.country.code == "DE" and chance.random() < 0.5:
        title += chance.choice([" (m/w/d)", " (f/m/d)", " (all genders)"])
    if on_jsearch and opening.remote and chance.random() < 0.2:
        title += chance.choice([" - Remote", " (Remote)"])
    if on_jsearch and chance.random() < 0.05:
        title += f" - {opening.place.city}"
    if on_adzuna and chance.random() < 0.06:
        title = title.upper()
    return title


def _company(opening: Opening, chance: random.Random) -> str:
    employer = opening.company
    return f"{employer.name} {employer.legal_form}" if chance.random() < 0.4 else employer.name


def _stray_blanks(words: str, chance: random.Random) -> str:
    if chance.random() < 0.12:
        return chance.choice([f" {words}", f"{words} ", words.replace(" ", "  ", 1)])
    return words


def _tags(opening: Opening) -> list[str]:
    words = [opening.level.lower(), *opening.title.lower().replace(",", "").split()]
    return [tag for tag in [*(s.lower() for s in opening.skills), *words] if tag]


def _html(sections: list[Section], chance: random.Random) -> str:
    """The sections as an employer's editor writes them; sometimes UTF-8 read as Windows-1252."""
    styled = chance.random() < 0.2
    paragraph = '<p><span style="font-size: 12pt">{}</span></p>' if styled else "<p>{}</p>"
    parts: list[str] = []
    for section in sections:
        if section.heading:
            parts.append(f"<p><b>{html.escape(section.heading)}</b></p>")
        escaped = [html.escape(line).replace(" &amp;", "&nbsp;&amp;") for line in section.lines]
        if section.is_list:
            parts.append("<ul>" + "".join(f"<li>{line}</li>" for line in escaped) + "</ul>")
        else:
            parts.extend(paragraph.format(line) for line in escaped)
        if chance.random() < 0.2:
            parts.append("<p><br></p>")
    whole = "\n".join(parts)
    if chance.random() < 0.08:
        whole = whole.encode().decode("cp1252", errors="replace")
    return whole


def _trailer(listing: Listing) -> str:
    word = v.TRAILER_WORDS[scatter(listing.serial, 12) % len(v.TRAILER_WORDS)]
    tag = "R" + base64.b64encode(f"{listing.serial:012}".encode()).decode()
    return (
        f"<br/><br/>Please mention the word **{word}** and tag {tag} when applying to show you "
        f"read the job post completely (#{tag}). This is a beta feature to avoid spam applicants. "
        "Companies can search these words to find applicants that read this and see they're human."
    )


def _plain(sections: list[Section], chance: random.Random) -> str:
    bullet = chance.choice(["• ", "• ", "- ", "o "])
    parts: list[str] = []
    for section in sections:
        lines = [bullet + line for line in section.lines] if section.is_list else section.lines
        heading = [f"{section.heading}:"] if section.heading else []
        parts.append("\n".join([*heading, *lines]))
    return "\n\n".join(parts)


def _slug(words: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in words.lower()).split())


def _iso_milliseconds(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.000Z}"
