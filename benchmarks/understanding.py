"""How much of what postings say is understood: ``python -m benchmarks.understanding FOLDER``.

``FOLDER`` holds labelled postings: ``corpus.ndjson`` in the form that ``job-market understand``
takes, and ``labels.ndjson`` with one object a posting: ``id``, ``role`` and ``role_alt``,
``seniority``, ``workplace``, ``remote_eligibility``, ``country``, ``city``, ``employment_type``,
``salary``, ``deadline``, ``years_experience``, ``visa_sponsorship``, ``clearance_required``,
``skills``; the flags ``*_ambiguous`` mark labels that another reader could dispute.

Prints precision, recall and accuracy of the product beside two baselines in the same run: plain
words (:mod:`benchmarks.understanding_baselines`), and the rules of python-jobspy for salary and
remote work, which are installed into an environment of their own (``--without-jobspy`` leaves them
out). ``--errors FILE`` writes every disagreement, ``--speed`` how fast it goes on plain bodies.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import understanding_baselines as baselines
from pipeline.commands.understand import understood
from pipeline.fields import SHOWN_CATEGORIES
from pipeline.simulator.market import Market
from pipeline.transform.schema import MappedPosting
from pipeline.transform.understanding.skills import KINDS, spellings
from pipeline.transform.understanding.understand import understand

Row = Mapping[str, Any]
FULL = "full"
_EMPLOYMENT = {
    "FULLTIME": "full_time", "PARTTIME": "part_time", "CONTRACT": "contract",
    "TEMPORARY": "contract", "INTERN": "internship",
}  # fmt: skip
_SAYS_WORKPLACE = re.compile(r"remote|t[ée]l[ée]travail|hybrid|on-?site|office|homeoffice", re.I)
_TOLERANCE = 0.01
SEEN = datetime(2026, 2, 6, 12, tzinfo=UTC)


@dataclass
class Score:
    """Right, wrong and missed findings; or right ones of all, where ``of_all``."""

    of_all: bool = False
    right: int = 0
    wrong: int = 0
    missed: int = 0

    def add(self, found: Iterable[Any], wanted: Iterable[Any], soft: Iterable[Any] = ()) -> bool:
        """Count a posting's findings; ``soft`` ones are neither right nor wrong. Whether they are
        what was wanted."""
        have, want = set(found), set(wanted)
        self.right += len(have & want)
        self.wrong += len(have - want - set(soft))
        self.missed += len(want - have)
        return have - set(soft) == want

    def judge(self, is_right: bool) -> None:
        self.right += is_right
        self.wrong += not is_right

    def __str__(self) -> str:
        if self.of_all:
            return f"{_share(self.right, self.right + self.wrong)}"
        precision = _share(self.right, self.right + self.wrong)
        recall = _share(self.right, self.right + self.missed)
        both = 2 * self.right + self.wrong + self.missed
        return f"P {precision} R {recall} F1 {_share(2 * self.right, both)}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "  -  "


@dataclass
class Report:
    """The scores of one way to understand, by the name of the measure, and what was wrong."""

    scores: dict[str, Score] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)

    def score(self, name: str, *, of_all: bool = False) -> Score:
        return self.scores.setdefault(name, Score(of_all))

    def fault(self, measure: str, posting: Row, label: Any, got: Any) -> None:
        self.errors.append(
            {"measure": measure, "id": posting["id"], "title": posting.get("title"),
             "location": posting.get("location_text"), "label": label, "got": got}
        )  # fmt: skip


def judge(postings: Sequence[Row], labels: Mapping[str, Row], found: Mapping[str, Row]) -> Report:
    """The scores of ``found``: rows as ``job-market understand`` prints them, by id."""
    report = Report()
    for posting in postings:
        label, row = labels[posting["id"]], found.get(posting["id"], {})
        for measure in _MEASURES:
            measure(report, posting, label, row)
    return report


def _role(report: Report, posting: Row, label: Row, row: Row) -> None:
    category = row.get("category")
    roles = [label["role"], *label.get("role_alt", ())]
    shown = category in SHOWN_CATEGORIES
    is_wanted = label["role"] in SHOWN_CATEGORIES
    if label["role"] != "fullstack":
        names = ["in scope, strict"]
        if posting.get("kind") == "title_only":
            names.append("in scope, title only")
        for name in names:
            report.score(name).add(["shown"] * shown, ["shown"] * is_wanted)
    # Full stack is between the two, so that either answer is forgiven.
    forgiven = (*SHOWN_CATEGORIES, "fullstack")
    kept = category in forgiven
    may = any(role in forgiven for role in roles)
    must = all(role in forgiven for role in roles)
    report.score("in scope, disputable forgiven").add(
        ["kept"] * kept, ["kept"] * (must or (may and kept))
    )
    if is_wanted and shown:
        for name in SHOWN_CATEGORIES:
            report.score(f"category {name}").add(
                [name] * (category == name), [name] * (label["role"] == name)
            )
    is_right = (category or "not_tech") in roles
    report.score("role of all", of_all=True).judge(is_right)
    if not is_right:
        report.fault("role", posting, roles, [category, row.get("category_reason")])


def _skills(report: Report, posting: Row, label: Row, row: Row) -> None:
    if label.get("skills") is None:
        return
    names = {spelling.lower(): name for spelling, name in spellings().items()}
    names |= {name.lower(): name for name in KINDS}
    wanted, soft = set(), set()
    for skill in label["skills"]:
        known = [names.get(str(skill[key]).lower()) for key in ("name", "matched")]
        wanted.add(next(filter(None, known), f"? {skill['name']}"))
        # Of a longer name its parts are neither right nor wrong.
        words = re.split(r"[\s/-]+", str(skill["matched"]).lower())
        soft |= {names[word] for word in words if word in names}
    got = row.get("skills") or []
    soft |= {name for name in got if KINDS.get(name) == "ci/cd" or name not in KINDS}
    where = "full bodies" if posting.get("kind") == FULL else "snippets and titles"
    if not report.score(f"skills, {where}").add(got, wanted, soft - wanted):
        report.fault("skills", posting, sorted(wanted - set(got)), sorted(set(got) - wanted))


def _workplace(report: Report, posting: Row, label: Row, row: Row) -> None:
    wanted, got = label["workplace"], row.get("workplace") or "unknown"
    if not label.get("workplace_ambiguous") and wanted != "unknown":
        report.score("workplace, three ways", of_all=True).judge(got == wanted)
    outside = f"{posting.get('location_text')} {posting.get('title')}"
    if not _SAYS_WORKPLACE.search(outside) and posting.get("remote_flag") is None:
        report.score("workplace, body only").add({got} - {"unknown"}, {wanted} - {"unknown"})
    if got != wanted:
        report.fault("workplace", posting, wanted, got)


def _lists(report: Report, posting: Row, label: Row, row: Row) -> None:
    wanted, got = label.get("remote_eligibility") or [], row.get("remote_eligibility") or []
    if not report.score("remote eligibility").add(got, wanted):
        report.fault("remote eligibility", posting, wanted, got)


def _places(report: Report, posting: Row, label: Row, row: Row) -> None:
    if len(label["country"]) == 1:
        is_right = row.get("country") == label["country"][0]
        report.score("country", of_all=True).judge(is_right)
        if not is_right:
            report.fault("country", posting, label["country"], row.get("country"))
    if len(label["city"]) == 1:
        is_right = _is_city(row.get("city"), label["city"][0])
        report.score("city", of_all=True).judge(is_right)
        if not is_right:
            report.fault("city", posting, label["city"][0]["name"], row.get("city"))


def _is_city(name: str | None, label: Row) -> bool:
    got = _plain(name or "")
    return bool(got) and any(
        got == wanted or (min(len(got), len(wanted)) > 3 and (got in wanted or wanted in got))
        for wanted in (_plain(label["name"]), _plain(label["matched"]))
    )


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l").replace("ø", "o"))
    return re.sub(r"[^a-z0-9 ]", "", text).strip()


def _employment(report: Report, posting: Row, label: Row, row: Row) -> None:
    if not (wanted := label["employment_type"]):
        return
    is_right = _EMPLOYMENT.get(row.get("employment_type") or "") in wanted
    report.score("employment type", of_all=True).judge(is_right)
    if not posting.get("employment_type"):
        report.score("employment type, text only", of_all=True).judge(is_right)
    if not is_right:
        report.fault("employment type", posting, wanted, row.get("employment_type"))


def _pay(report: Report, posting: Row, label: Row, row: Row) -> None:
    wanted = label["salary"]
    if wanted == "not_labelled":
        return
    ends = row.get("salary_min"), row.get("salary_max")
    is_shown = any(ends) and not row.get("salary_is_predicted")
    is_right = bool(
        wanted
        and is_shown
        and all(
            end is None or (got is not None and abs(got - end) <= _TOLERANCE * end + 1)
            for end, got in zip((wanted["min"], wanted["max"]), ends, strict=True)
        )
        and (row.get("salary_period") or wanted["period"]).lower() == wanted["period"]
        and wanted["currency"] in (None, row.get("salary_currency"))
    )
    # A wrong amount is wrong and leaves the right one missed.
    report.score("pay as stated").add(
        ["right" if is_right else "wrong"] * is_shown, ["right"] * bool(wanted)
    )
    if is_shown != bool(wanted) or (wanted and not is_right):
        got = [*ends, row.get("salary_currency"), row.get("salary_period")]
        report.fault("pay", posting, wanted and wanted["quote"], got)


def _deadline(report: Report, posting: Row, label: Row, row: Row) -> None:
    wanted, got = label["deadline"], str(row.get("deadline") or "")[:10]
    if wanted is None or wanted["source"] == "text":
        dates = [wanted["date"]] if wanted else []
        report.score("deadline in the text").add([got] * bool(got), dates)
    if wanted is None and label.get("deadline_distractors"):
        report.score("deadline, lookalikes without one", of_all=True).judge(not got)
    if got != (wanted["date"] if wanted else ""):
        report.fault("deadline", posting, wanted and [wanted["date"], wanted["quote"]], got)


def _level_and_terms(report: Report, posting: Row, label: Row, row: Row) -> None:
    if not label.get("seniority_ambiguous"):
        got = row.get("seniority") or "unknown"
        report.score("seniority", of_all=True).judge(got == label["seniority"])
        if got != label["seniority"]:
            report.fault("seniority", posting, label["seniority"], got)
    years = (label.get("years_experience") or {}).get("min")
    terms = {
        "years": (row.get("years_experience_min"), years),
        "visa sponsorship": (row.get("visa_sponsorship"), _stated(label["visa_sponsorship"])),
        "clearance": (row.get("clearance_required"), _stated(label["clearance_required"])),
    }
    for name, (got, wanted) in terms.items():
        if name == "years" and wanted is None and label.get("depth") != "deep":
            continue  # who read such a posting did not look for them
        if not report.score(name).add({got} - {None}, {wanted} - {None}):
            report.fault(name, posting, wanted, got)


def _stated(value: str | None) -> str | None:
    return None if value == "unstated" else value


_MEASURES: Sequence[Callable[[Report, Row, Row, Row], None]] = (
    _role, _skills, _workplace, _lists, _places, _employment, _pay, _deadline, _level_and_terms,
)  # fmt: skip


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def _speed() -> None:
    """Print the postings a second of CPU time, cleaning included, of simulated plain adverts."""
    adverts = list(Market(size=4_000).postings("jsearch", SEEN))
    for octets, count in ((2_000, 8_000), (1_000, 4_000), (100_000, 100)):
        rows = [generated(number, octets, adverts) for number in range(count)]
        schema = {name: column.dtype for name, column in MappedPosting.columns().items()}
        mapped = pl.DataFrame([dict.fromkeys(schema) | row for row in rows], schema)
        understand(mapped[:10])
        begin = time.process_time()
        understand(mapped)
        seconds = time.process_time() - begin
        print(f"{octets:7,} characters: {count / seconds:8,.0f} postings a second of CPU, "
              f"{1e6 * seconds / count:8,.0f} µs each")  # fmt: skip


def generated(number: int, octets: int, adverts: Sequence[Row]) -> dict[str, Any]:
    """A posting whose text is as long as that, of adverts in their order."""
    advert = adverts[number % len(adverts)]
    texts, place = [f"{number}"], number
    while sum(map(len, texts)) < octets:
        texts.append(adverts[place % len(adverts)]["job_description"])
        place += 1
    return {
        "source": "file", "source_id": str(number), "title": advert["job_title"],
        "company": advert["employer_name"], "location_text": advert.get("job_location"),
        "tags": [], "description": "\n\n".join(texts)[:octets], "first_seen_at": SEEN,
        "last_seen_at": SEEN, "run_id": "", "load_id": "", "raw": "{}",
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--errors", type=Path, help="write every disagreement here (NDJSON)")
    parser.add_argument("--without-jobspy", action="store_true")
    parser.add_argument("--speed", action="store_true")
    arguments = parser.parse_args()
    if arguments.speed:
        _speed()
    if arguments.folder is None:
        return
    postings = _rows(arguments.folder / "corpus.ndjson")
    labels = {row["id"]: row for row in _rows(arguments.folder / "labels.ndjson")}
    postings = [posting for posting in postings if posting["id"] in labels]
    lines = [json.dumps(posting).encode() for posting in postings]
    ways: dict[str, dict[str, Row]] = {
        "ours": {row["id"]: row for row in understood(lines)},
        "plain words": {posting["id"]: baselines.plain_words(posting) for posting in postings},
    }
    if not arguments.without_jobspy:
        ways["python-jobspy"] = baselines.jobspy(postings)
    reports = {name: judge(postings, labels, found) for name, found in ways.items()}
    print(f"{len(postings)} postings\n")
    print(f"{'':34}" + "".join(f"{name:34}" for name in ways))
    for measure in reports["ours"].scores:
        cells = (
            "" if name == "python-jobspy" and measure not in baselines.JOBSPY_MEASURES
            else str(reports[name].scores[measure])
            for name in ways
        )  # fmt: skip
        print(f"{measure:34}" + "".join(f"{cell:34}" for cell in cells).rstrip())
    if arguments.errors:
        text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in reports["ours"].errors)
        arguments.errors.write_text(text, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
