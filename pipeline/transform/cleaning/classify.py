"""Which postings are for backend, DevOps, SRE, cloud or platform roles, and why.

The rules are data. ``EXCLUSIONS`` name the occupations that are another's, whatever technology
stands beside them; ``RULES`` are tried in order, and the first that fits gives the category and
the reason. Patterns are regular expressions over the folded title (lower case, no accents, no
punctuation but ``+`` and ``#``: ``Back-End`` is ``back end``, ``Node.js`` is ``nodejs``, ``.NET``
is ``net``). ``docs/roles.md`` says the same in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import polars as pl

from pipeline.fields import CATEGORIES
from pipeline.transform.cleaning.skills import KINDS, skills_in
from pipeline.transform.cleaning.text import fold
from pipeline.transform.derived import with_derived

SHORT_DESCRIPTION_CHARS = 800
"""Below this a description is a teaser that has no room for a list of technologies."""

SHOWN_EVIDENCE = 6
"""How many technologies a reason names."""

SERVER_KINDS = frozenset({
    "server language", "server framework", "database", "messaging", "cloud", "orchestration",
    "infrastructure as code", "ci/cd", "observability",
})  # fmt: skip
OPERATIONS_KINDS = frozenset({
    "cloud", "orchestration", "infrastructure as code", "ci/cd", "observability",
})  # fmt: skip

NOT_EVIDENCE = frozenset({"Firebase", "Firestore", "SQLite", "GraphQL", "Azure DevOps"})
"""Technologies of those kinds that client developers and analysts name as often."""


@dataclass(frozen=True)
class Exclusion:
    """An occupation that is out of scope: ``pattern`` in the title, unless ``unless`` is too."""

    name: str
    pattern: str
    unless: str | None = None


@dataclass(frozen=True)
class Rule:
    """One way to be relevant.

    Attributes:
        name: what ``docs/roles.md`` calls it.
        category: one of :data:`pipeline.fields.CATEGORIES`.
        pattern: what the folded title must hold; the words that match are the reason.
        unless: what the folded title must not hold.
        unless_described: what the description must not hold (as written, case ignored).
        evidence: the kinds of skills that the tags and the description must show; empty when the
            title is enough.
        needed: how many different ones; in a short description, ``needed_if_short``.
    """

    name: str
    category: str
    pattern: str
    unless: str | None = None
    unless_described: str | None = None
    evidence: frozenset[str] = frozenset()
    needed: int = 0
    needed_if_short: int = 0


_ROLE = (
    r"(?:\w*engineer(?:s|ing)?|dev|developers?|devs?|programmers?|administrators?|admin|architekt"
    r"|architects?|consultant|swe|sde|member of technical staff|specialist|technical staff"
    r"|tech lead"
    r"|\w*entwickler(?:in)?|\w*ontwikkelaar|developpeu(?:r|se)|desarrollador[ae]?"
    r"|desenvolvedor[ae]?"
    r"|programador[ae]?|programista|programmatore|sviluppatore|sviluppatrice|utvecklare|udvikler"
    r"|ingenieu?r(?:e|o|a|in)?|ingegnere|inzynier|engenheir[oa]|arquitect[oa]|arquitet[oa]"
    r"|architecte|administrador|administrateur|\w*administrator)"
)


def _role_with(words: str) -> str:
    """The words and the name of an engineering role, in either order."""
    word = rf"\b(?:{words})(?: |$)"
    return rf"{word}(?:.* )?{_ROLE}\b|\b{_ROLE} (?:.* )?{word}"


_SOFTWARE_ROLE = (
    r"\b(?:back ?end|software|dev ?ops|site reliability|full ?stack|java|python|golang|net|php)"
    r" (?:software )?(?:engineer|developer)s?\b"
)
"""What says that the rest of the title is the field of the product and not of the work."""

EXCLUSIONS: Sequence[Exclusion] = (
    Exclusion(
        "sales and recruiting people",
        r"\b(?:account (?:executive|manager|director)|recruit(?:er|ers|ment)|sourcer|headhunter)\b"
        r"|\b(?:sales|talent) (?:manager|lead|rep|representative|specialist|executive|engineer)\b"
        r"|\bpre ?sales\b|\bbusiness development\b|\bcustomer success\b|\bgo to market\b",
    ),
    Exclusion(
        "commerce",
        r"\bsales\b|\brecruiting\b|\btalent\b|\bmarket(?:ing|er)\b|\bsocial media\b"
        r"|\bpartners?\b|\bcustomer (?:support|service)\b",
        unless=_SOFTWARE_ROLE,
    ),
    Exclusion(
        "products, projects and programmes",
        r"\b(?:product|project|program|programme|delivery|facilities) (?:manager|owner|lead"
        r"|director)\b"
        r"|\bscrum master\b|\bagile coach\b|\brelease train\b",
    ),
    Exclusion(
        "teaching and writing",
        r"\b(?:instructor|trainer|teacher|tutor|mentors?|writer|author|advocate|evangelist)\b"
        r"|\b(?:developer|dev) relations\b",
    ),
    Exclusion(
        "analysis and finance",
        r"\banalyst\b|\baccountant\b|\btrad(?:er|ing)\b",
        unless=rf"{_SOFTWARE_ROLE}|\b(?:programmer|developer) analyst\b|\banalyst programmer\b",
    ),
    Exclusion(
        "research and data science",
        r"\bscientists?\b|\bresearch(?:er)?\b",
        unless=_SOFTWARE_ROLE,
    ),
    Exclusion(
        "data engineering",
        r"\bdata engineers?\b|\betl\b",
        r"\bdeveloper\b|\bdata platform|\bback ?end\b|\bdev ?ops\b",
    ),
    Exclusion("design", r"\b(?:ux|ui|designer|artist)\b", r"\bfull ?stack\b|\bback ?end\b"),
    Exclusion(
        "testing", r"\b(?:qa|quality assurance|sdet|tester|test (?:engineer|automation)|in test)\b"
    ),
    Exclusion(
        "client development",
        r"\bfront ?end\b|\bios\b|\bandroid\b|\bmobile\b|\breact native\b|\bflutter\b",
        r"\bfull ?stack\b|\bback ?end\b",
    ),
    Exclusion(
        "devices and low-level software",
        r"\b(?:embedded|firmware|hardware|fpga|kernel|robot\w*|avionics|plc)\b",
    ),
    Exclusion("desktops", r"\bdesktop\b|\bgui\b|\bswing\b|\bhelp ?desk\b"),
    Exclusion("games", r"\bunity\b|\bunreal\b|\bgameplay\b"),
    Exclusion(
        "business suites",
        r"\b(?:salesforce|sap|servicenow|workday|netsuite|dynamics|sharepoint|power platform"
        r"|wordpress|shopify)\b",
    ),
    Exclusion(
        "trades and plants",
        r"\b(?:hgv|driver|kitchen|chef|barista|waiter|technician|mechanic\w*|maintenance|lift"
        r"|drilling|offshore|oil|aerial|mou?lding|rail|highways?|road|water|drainage|civil"
        r"|structural|electrical|building|construction|facilities|ferry|chimney|rotating"
        r"|jewellery|automotive|radar)\b",
        unless=_SOFTWARE_ROLE,
    ),
)

_SERVER_LANGUAGES = (
    r"golang|java|j2ee|python|php|laravel|symfony|ruby|rails|scala|kotlin|elixir|erlang|clojure"
    r"|rust|node js|nodejs|nestjs|django|flask|fastapi|spring(?: boot)?|c#|asp ?net|dotnet|net core"
)
_GO = (
    r"\bgo (?:software |back ?end |platform |systems? )?(?:engineers?|developers?|programmers?)\b"
    r"|\b(?:engineer|developer|programmer) go$|\b(?:python|java|rust) or go\b"
    r"|\bgo (?:or|and) (?:python|java|rust)\b"
)

RULES: Sequence[Rule] = (
    Rule(
        "site reliability",
        "sre",
        r"\bsite ?reliability\b.*?(?:engineer\w*|$)|\bsre\b|\bfiabilite des sites\b"
        r"|\bobservability engineer\b"
        r"|\b(?:cloud|databases?|systems?|infrastructure|network|service|production|platform"
        r"|software) reliability engineer\w*",
    ),
    Rule(
        "devops",
        "devops",
        r"\bdev ?(?:sec ?)?ops(?: \w*engineer\w*)?\b|\bsec ?dev ?ops\b|\bgit ?ops\b|\bml ?ops\b"
        r"|\bllm ?ops\b|\bdata ?ops\b"
        r"|\b(?:build and release|release|ci cd) engineer\w*|\bci cd\b|\bbuild engineer\b"
        r"|\bengineer build$",
    ),
    Rule(
        "backend by name",
        "backend",
        _role_with(r"back ?end|server ?side") + r"|\bback ?end (?:\w+ )?lead\b",
    ),
    Rule(
        "full stack",
        "backend",
        r"\bfull ?stack\b(?:.*?\b(?:engineer|developer)s?\b)?|\b(?:mern|mean|lamp) stack\b",
    ),
    Rule(
        "server language",
        "backend",
        f"{_GO}|{_role_with(_SERVER_LANGUAGES)}"
        r"|\bnet developer\b",
        unless=r"\b(?:machine learning|ml|ai|quant\w*|games?|data scien\w+|cross platform"
        r"|cloud engineer|platform engineer)\b",
    ),
    Rule("game server", "backend", r"\bgame server (?:developer|engineer)\b"),
    Rule(
        "distributed systems",
        "backend",
        _role_with(
            r"distributed(?: \w+)? (?:systems?|software|storage|caching|databases?"
            r"|computing)|microservices?|distributed storage"
        )
        + r"|\bdistributed software engineer\b|\bapi (?:developer|engineer)\b",
    ),
    Rule(
        "cloud",
        "cloud",
        _role_with(r"cloud|clouds|aws|azure|gcp|openstack|fin ?ops|nube")
        + r"|\bcloud (?:architect|operations) \w+",
        unless=r"\b(?:marketing cloud|point cloud|machine learning|ai engineer|power bi)\b",
    ),
    Rule(
        "platform",
        "platform",
        _role_with(r"platforms?|plattform|plateforme"),
        unless=r"\b(?:cross platform|platform (?:operator|specialist)|trust and safety|games?)\b",
        unless_described=r"civil engineering|scaffold|drilling|offshore platform|hydraulic|autocad",
    ),
    Rule(
        "infrastructure",
        "platform",
        _role_with("infrastructure"),
        unless=r"\b(?:network infrastructure|design engineer|transport\w*|bridge|ev charging)\b",
        unless_described=r"civil engineering|highways|drainage|autocad|revit|chartered engineer",
    ),
    Rule(
        "developer productivity",
        "platform",
        r"\bdevelop(?:er|ment) (?:experience|productivity|platform|tooling|infrastructure)\b"
        r"|\bengineering productivity\b",
    ),
    Rule(
        "cluster and configuration tools",
        "devops",
        _role_with("kubernetes|k8s|openshift|terraform|ansible"),
    ),
    Rule(
        "linux operations",
        "devops",
        _role_with("linux|unix"),
        unless=r"\b(?:support|drivers?|ubuntu|packaging|graphics|networking)\b",
    ),
    Rule(
        "operations title with evidence",
        "devops",
        r"\b(?:systems? (?:engineer|administrator)|sys ?admin|automation engineer"
        r"|operations engineer|it engineer|systemadministrator)\b",
        evidence=OPERATIONS_KINDS,
        needed=4,
        needed_if_short=2,
    ),
    Rule(
        "reliability title with evidence",
        "sre",
        r"\b(?:production|reliability) engineer\b",
        evidence=OPERATIONS_KINDS,
        needed=3,
        needed_if_short=2,
    ),
    Rule(
        "software title with evidence",
        "backend",
        r"\bsoftware (?:development |dev )?(?:engineer|developer)s?\b|\b(?:swe|sde)\b"
        r"|\bproduct engineer\b"
        r"|\b(?:staff|principal|lead|senior) (?:software )?engineer\b|\b(?:web|application"
        r"|javascript|typescript) developer\b"
        r"|\bmember of technical staff\b|\bsoftware ?entwickler(?:in)?\b|\bdeveloppeur\b"
        r"|\bdesarrollador\b|\bprogrammer\b",
        unless=r"\b(?:machine learning|ml|ai|data|security|support|games?|graphics|vision|hpc"
        r"|network|manager|angular|react)\b",
        evidence=SERVER_KINDS,
        needed=3,
        needed_if_short=1,
    ),
)
"""In the order in which they are tried: "DevOps" before "backend", because it is the narrower
word, and both before "cloud" and "platform", which often name the product and not the work."""


def classify(postings: pl.LazyFrame) -> pl.LazyFrame:
    """Keep the postings of the roles in scope and add ``category`` and ``category_reason``.

    ``Posting`` → ``RelevantPosting``. The reason names the field and the words that decided, for
    example ``title: backend engineer`` or ``title: software engineer; tags and description:
    Kubernetes, Terraform``. A row's result depends on that row alone.
    """
    title = pl.col("_title")
    decided = pl.coalesce(
        pl.when(title.str.contains(rule.pattern) & _allows(rule)).then(pl.lit(number, pl.Int32))
        for number, rule in enumerate(RULES)
    )
    return (
        postings.with_columns(fold(pl.col("title")).alias("_title"))
        .filter(~_is_excluded())
        .with_columns(decided.alias("_rule"))
        .filter(pl.col("_rule").is_not_null())
        .with_columns(_evidence().alias("_evidence"))
        .filter(_has_enough_evidence())
        .with_columns(
            _by_rule([rule.category for rule in RULES]).cast(pl.Enum(CATEGORIES)).alias("category"),
            _reason().alias("category_reason"),
        )
        .drop("_title", "_rule", "_evidence")
        .pipe(with_derived)
    )


def _allows(rule: Rule) -> pl.Expr:
    allowed = pl.lit(value=True)
    if rule.unless is not None:
        allowed = allowed & ~pl.col("_title").str.contains(rule.unless)
    if rule.unless_described is not None:
        contradicted = pl.col("description").str.contains(f"(?i){rule.unless_described}")
        allowed = allowed & ~contradicted.fill_null(value=False)
    return allowed


def _is_excluded() -> pl.Expr:
    def excluded(exclusion: Exclusion) -> pl.Expr:
        matches = pl.col("_title").str.contains(exclusion.pattern)
        if exclusion.unless is not None:
            matches = matches & ~pl.col("_title").str.contains(exclusion.unless)
        return matches

    return reduce(lambda one, other: one | other, map(excluded, EXCLUSIONS))


def _by_rule(values: Sequence[str | int]) -> pl.Expr:
    return pl.col("_rule").replace_strict(list(range(len(RULES))), list(values))


def _numbers_with_evidence() -> list[int]:
    return [number for number, rule in enumerate(RULES) if rule.evidence]


def _evidence() -> pl.Expr:
    """The skills of the rule's kinds; read only where the rule asks for them."""
    text = pl.concat_str(
        pl.col("tags").list.join(" , "), "description", separator="\n", ignore_nulls=True
    )
    asked = pl.col("_rule").is_in(_numbers_with_evidence())
    skills = skills_in(pl.when(asked).then(text))
    found = pl.lit([], pl.List(pl.String))
    for number in _numbers_with_evidence():
        kinds = RULES[number].evidence
        names = [name for name, kind in KINDS.items() if kind in kinds and name not in NOT_EVIDENCE]
        kept = skills.list.filter(pl.element().is_in(names))
        found = pl.when(pl.col("_rule") == number).then(kept).otherwise(found)
    return found


def _has_enough_evidence() -> pl.Expr:
    length = pl.col("description").str.len_chars().fill_null(0)
    needed = (
        pl.when(length < SHORT_DESCRIPTION_CHARS)
        .then(_by_rule([rule.needed_if_short for rule in RULES]))
        .otherwise(_by_rule([rule.needed for rule in RULES]))
    )
    return pl.col("_evidence").list.len() >= needed


def _reason() -> pl.Expr:
    words = _by_rule([""] * len(RULES))
    for number, rule in enumerate(RULES):
        matched = pl.col("_title").str.extract(f"({rule.pattern})", 1)
        words = pl.when(pl.col("_rule") == number).then(matched).otherwise(words)
    shown = pl.col("_evidence").list.head(SHOWN_EVIDENCE).list.join(", ")
    return pl.concat_str(
        pl.lit("title: "),
        words,
        pl.when(pl.col("_evidence").list.len() > 0)
        .then(pl.lit("; tags and description: ") + shown)
        .otherwise(pl.lit("")),
    )
