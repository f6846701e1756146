"""One opening of the simulated market: every fact of it follows from a seed and its number."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from pipeline.simulator import vocabulary as v
from pipeline.simulator.vocabulary import Country, Discipline, Place

_MASK = (1 << 64) - 1
Revision = Literal["salary", "text"]
Ats = Literal["greenhouse", "lever", "ashby", "own"]


def scatter(*numbers: int) -> int:
    """64 bits that depend on all the numbers: SplitMix64 (https://prng.di.unimi.it/splitmix64.c)
    applied in turn. The same on every platform and version of Python."""
    state = 0
    for number in numbers:
        state = ((state ^ (number & _MASK)) + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


def fraction(*numbers: int) -> float:
    """A number in [0, 1) that depends on all the numbers."""
    return scatter(*numbers) / (_MASK + 1)


@dataclass(frozen=True)
class Company:
    """An invented employer. ``ats`` is the system that its own job pages run on, if any."""

    name: str
    legal_form: str
    slug: str
    ats: Ats | None
    home: Country
    product: str
    product_long: str
    customers: str
    founded: int
    text_seed: int


@dataclass(frozen=True)
class Salary:
    low: int
    high: int
    currency: str
    period: Literal["YEAR", "HOUR"]


@dataclass(frozen=True)
class Opening:
    """A vacancy. ``category`` is what a classifier should find, None where the product leaves it
    out. ``salary`` is None where the employer does not name one; ``estimate`` is what a job board
    would guess. ``ats_url`` is the employer's own page. From ``revised_at`` on (seconds, as all
    times here, since the market's epoch) its adverts show the ``revision``."""

    number: int
    opened_at: int
    closed_at: int
    company: Company
    discipline: Discipline
    title: str
    level: str
    team: str | None
    country: Country
    place: Place
    remote: bool
    employment_type: str
    salary: Salary | None
    estimate: Salary
    skills: tuple[str, ...]
    requisition: str
    ats_url: str | None
    revised_at: int | None
    revision: Revision | None
    text_seed: int

    @property
    def category(self) -> str | None:
        return self.discipline.category

    @property
    def full_title(self) -> str:
        """Level, title and team, as the employer writes them."""
        name = f"{self.level} {self.title}".strip()
        return f"{name} ({self.team})" if self.team else name

    def salary_at(self, at: int) -> Salary | None:
        """The salary that is advertised at a time."""
        if self.salary and self.revision == "salary" and self.revised_at and at >= self.revised_at:
            return replace(
                self.salary, low=_raised(self.salary.low), high=_raised(self.salary.high)
            )
        return self.salary


@dataclass(frozen=True)
class Section:
    """A part of an advert's text: paragraphs, or the items of a list, below a heading."""

    heading: str | None
    lines: tuple[str, ...]
    is_list: bool


def _raised(amount: int) -> int:
    return round(amount * 1.08)


@lru_cache(maxsize=4096)
def company(seed: int, index: int) -> Company:
    """Employer ``index``. Names differ for different indexes up to 96,000."""
    starts, ends, kinds = v.COMPANY_STARTS, v.COMPANY_ENDS, v.COMPANY_KINDS
    chance = random.Random(scatter(seed, index, 1))
    # Stepping all three parts at once keeps neighbours unlike; adding the higher digits of the
    # index makes every combination come exactly once.
    number = index + scatter(seed) % 1000
    start = number % len(starts)
    end = (number // len(starts) + number) % len(ends)
    kind = (number // (len(starts) * len(ends)) + number * 7) % len(kinds)
    name = starts[start] + ends[end] + kinds[kind]
    country = chance.choices(v.COUNTRIES, [c.weight for c in v.COUNTRIES])[0]
    systems: list[Ats | None] = ["greenhouse", "lever", "ashby", "own", None]
    return Company(
        name=name,
        legal_form=chance.choice(v.LEGAL_FORMS[country.code]),
        slug="".join(letter for letter in name.lower() if letter.isalnum()),
        ats=chance.choices(systems, [30, 18, 12, 15, 25])[0],
        home=country,
        product=f"{starts[start]} {chance.choice(['One', 'Core', 'Flow', 'Desk', 'Go', 'Cloud'])}",
        product_long=chance.choice(v.PRODUCTS),
        customers=chance.choice(v.CUSTOMERS),
        founded=chance.randint(1984, 2022),
        text_seed=scatter(seed, index, 8),
    )


def opening(seed: int, companies: int, number: int, opened_at: int, closed_at: int) -> Opening:
    """Opening ``number`` of a market with so many ``companies``."""
    chance = random.Random(scatter(seed, number, 2))
    # The power lets a few employers advertise many openings, as in life.
    employer = company(seed, int(companies * chance.random() ** 1.5))
    discipline = chance.choices(v.DISCIPLINES, [d.weight for d in v.DISCIPLINES])[0]
    country = employer.home
    if chance.random() < 0.25:
        country = chance.choices(v.COUNTRIES, [c.weight for c in v.COUNTRIES])[0]
    has_level = discipline.adzuna_category[0] == "it-jobs"
    level = chance.choices(*zip(*v.LEVELS, strict=True))[0] if has_level else ""
    contract = chance.choices(
        ["FULLTIME", "CONTRACTOR", "PARTTIME", "INTERN"], [84, 10, 4, 2 if level == "Junior" else 0]
    )[0]
    estimate = _salary(chance, country, discipline, level, hourly=contract == "CONTRACTOR")
    identity = scatter(seed, number, 3)
    requisition = f"{identity % 9_000_000 + 1_000_000}"
    revised_at: int | None = None
    revision: Revision | None = None
    if chance.random() < 0.2:
        revised_at = opened_at + round((closed_at - opened_at) * chance.uniform(0.2, 0.8))
        revision = "salary" if chance.random() < 0.5 else "text"
    salary = estimate if chance.random() < 0.55 else None
    if revision and salary is None:
        revision = "text"
    return Opening(
        number=number,
        opened_at=opened_at,
        closed_at=closed_at,
        company=employer,
        discipline=discipline,
        title=chance.choice(discipline.titles),
        level=level,
        team=chance.choice(v.TEAMS) if discipline.has_team and chance.random() < 0.25 else None,
        country=country,
        place=chance.choice(v.PLACES[country.code]),
        remote=has_level and chance.random() < 0.3,
        employment_type=contract,
        salary=salary,
        estimate=estimate,
        skills=tuple(chance.sample(discipline.skills, k=min(len(discipline.skills), 5))),
        requisition=requisition,
        ats_url=_ats_url(employer, identity, number),
        revised_at=revised_at,
        revision=revision,
        text_seed=scatter(seed, number, 4),
    )


def _salary(
    chance: random.Random, country: Country, discipline: Discipline, level: str, *, hourly: bool
) -> Salary:
    usual = country.pay * discipline.pay * v.LEVEL_PAY[level] * chance.uniform(0.85, 1.15)
    if hourly:
        low = max(10, round(usual / 1800))
        return Salary(low, low + chance.randrange(0, max(2, low // 4)), country.currency, "HOUR")
    step = 1000 if usual < 1_000_000 else 50_000
    low = max(step, round(usual / step) * step)
    return Salary(low, low + step * chance.randrange(0, 30), country.currency, "YEAR")


def _ats_url(employer: Company, identity: int, number: int) -> str | None:
    """The opening's page at the employer. The number inside keeps two openings' pages apart."""
    match employer.ats:
        case "greenhouse":
            return f"https://boards.greenhouse.io/{employer.slug}/jobs/{4_000_000_000 + number}"
        case "lever":
            return f"https://jobs.lever.co/{employer.slug}/{_uuid(identity, number)}"
        case "ashby":
            return f"https://jobs.ashbyhq.com/{employer.slug}/{_uuid(identity, number)}"
        case "own":
            return f"https://careers.{employer.slug}.example/openings/{number}"
        case None:
            return None


def _uuid(identity: int, number: int) -> uuid.UUID:
    return uuid.UUID(int=(identity << 64) | scatter(identity, number), version=4)


def text(advertised: Opening, at: int) -> list[Section]:
    """The advert as the employer wrote it, 200 to 450 words, with the revision once it is made."""
    chance = random.Random(advertised.text_seed)
    boilerplate = random.Random(advertised.company.text_seed)
    employer = advertised.company
    is_technical = advertised.discipline.adzuna_category[0] == "it-jobs"

    def filled(fragment: str, of: random.Random = chance) -> str:
        skill, other = of.sample(advertised.skills, 2)
        return fragment.format(
            company=employer.name,
            product=employer.product,
            product_long=employer.product_long,
            customers=employer.customers,
            title=f"{advertised.level} {advertised.title}".strip(),
            team=advertised.team or ("engineering" if is_technical else "regional"),
            skill=skill,
            other=other,
            requisition=advertised.requisition,
            year=employer.founded + of.randrange(3),
            years=of.randint(2, 8),
            count=of.randint(3, 30),
            thousands=of.randint(2, 900),
            people=of.randint(20, 4000),
            days=of.randint(25, 34),
            weeks=of.randint(12, 30),
            budget=of.choice(["1,000", "1,500", "2,000", "3,000"]),
            steps=of.choice(["two", "three", "four"]),
        )

    about = [filled(f, boilerplate) for f in boilerplate.sample(v.ABOUTS, 3)]
    benefits = [filled(f, boilerplate) for f in boilerplate.sample(v.BENEFITS, 6)]
    intro = [filled(fragment) for fragment in chance.sample(v.INTROS, chance.randint(2, 4))]
    objects = advertised.discipline.objects
    duties = [
        filled(f"{verb} {thing} {purpose}")
        for verb, thing, purpose in zip(
            chance.sample(v.VERBS, 8),
            chance.choices(objects, k=8),
            chance.sample(v.PURPOSES, 8),
            strict=True,
        )
    ][: chance.randint(5, 8)]
    needs = [filled(f) for f in chance.sample(v.REQUIREMENTS, chance.randint(5, 8))]
    extras = [filled(f) for f in chance.sample(v.EXTRAS, chance.randint(2, 4))]
    closing = [filled(f) for f in chance.sample(v.CLOSINGS, 3)]
    if advertised.revision == "text" and advertised.revised_at and at >= advertised.revised_at:
        duties.append(filled(f"Help us with {chance.choice(objects)} {chance.choice(v.PURPOSES)}"))
    return [
        Section(None, (" ".join(about),), is_list=False),
        Section("The role", (" ".join(intro),), is_list=False),
        Section("Responsibilities", tuple(duties), is_list=True),
        Section("Requirements", (*needs, f"Stack: {', '.join(advertised.skills)}"), is_list=True),
        Section("Nice to have", tuple(extras), is_list=True),
        Section("What we offer", tuple(benefits), is_list=True),
        Section(None, (" ".join(closing),), is_list=False),
    ]
