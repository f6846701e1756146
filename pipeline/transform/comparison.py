"""The forms of company, title and place that are compared when postings are deduplicated.

One opening is "Sr. Backend Engineer (Payments) - Remote" of "Acme Inc." at one source and
"Senior Backend Engineer, Payments" of "ACME" at another. A title is read as a *head* (the
occupation, its words in alphabetical order), a *seniority* and a *qualifier* (the team, product
or programme after a dash, a comma or in parentheses), so that each can be compared by its own
rule.
"""

from __future__ import annotations

import polars as pl

from pipeline.transform.apply_url import apply_targets
from pipeline.transform.text import fold

_LEGAL_FORMS = (
    "inc|incorporated|llc|ltd|limited|corp|corporation|co|company|gmbh|mbh|ag|se|sa|sas|sarl|bv|nv"
    "|ab|oy|oyj|as|asa|aps|plc|pty|pvt|private|llp|lp|kg|kgaa|ug|ev|spa|srl|sl|slu|pte|ltda|lda"
    "|kk|sp zoo|sp z o o|doo|kft|zrt|sro|bvba|bhd|sdn bhd|public|the"
)
_BRANCHES = (
    "group|holding|holdings|services|international|global|worldwide|uk|us|usa|eu|emea|deutschland"
    "|germany|france|espana|spain|italia|italy|canada|india|ireland|nederland|netherlands|australia"
    "|polska|poland|austria|schweiz|switzerland|singapore|brasil|brazil|mexico|japan|and|of"
)
"""Words at the end of a name that tell the branch, not the employer. They are dropped only behind
another word, so that "Global Services Ltd" keeps a name."""

_SENIORITY = {
    "intern": "intern(?:ship)?s?|trainees?|apprentices?|werkstudent(?:in)?",
    "co-op": "co op",
    "graduate": "(?:(?:new|recent|college|university) )*(?:graduates?|grads?)",
    "entry": "entry level|early career|early in career",
    "junior": "junior|jr|jnr",
    "mid": "mid|mid level|intermediate|midweight",
    "senior": "senior|sr|snr",
    "staff": "staff",
    "principal": "principal",
    "lead": "lead|tech lead|team lead",
    "manager": "manager|mgr",
    "director": "director|head|vp|vice president|chief",
    "1": "1|i|l1|level 1",
    "2": "2|ii|l2|level 2",
    "3": "3|iii|l3|level 3",
    "4": "4|iv|l4|level 4",
    "5": "5|l5|level 5",
    "6": "6|l6|level 6",
}
_SYNONYMS = {
    "software engineer": r"swe|sde|software dev(?:elopment|eloper)? engineer|software engineering",
    "site reliability engineer": "sre|site reliability engineering",
    "devops": "dev ops",
    "fullstack": "full stack",
    "frontend": "front end",
    "backend": "back end",
    "engineer": "eng|engr",
    "developer": "dev",
    "golang": "go lang",
    "kubernetes": "k8s",
}
_SEASONS = "spring|summer|fall|autumn|winter"
_TERM = rf"(?:(?:{_SEASONS}) )?20[23]\d(?: (?:{_SEASONS}))?|summer"
"""When a programme begins. A season other than summer means one only beside a year: Spring is a
framework."""

_NOISE = (
    "remote(?:ly)?(?: (?:in|from|within|first|only|friendly|ok|work|position|role|job)\\b)*"
    "|hybrid|on ?site|home ?office|work from home|wfh|anywhere|worldwide"
    "|[mfwdxhi](?: [mfwdxhi]){1,3}|all genders|h f|f h|m w d|gn|100|urgent(?:ly)?|hiring|new|wanted"
    "|full ?time|part ?time|permanent|contract(?:or)?|freelance|temporary|immediate start"
    f"|usd|eur|gbp|(?:{_TERM})(?: start)?|start|job|position|opening|\\d{{4,}}"
)
_PLACE_NAMES = {
    "new york": "nyc|new york city|new york ny",
    "san francisco": "sf|san francisco bay area|sf bay area",
    "los angeles": "la",
    "washington": "washington dc|washington d c|dc",
    "munich": "munchen|muenchen",
    "cologne": "koln|koeln",
    "vienna": "wien",
    "zurich": "zuerich",
    "bangalore": "bengaluru",
    "prague": "praha",
    "warsaw": "warszawa",
    "london": "greater london|city of london|london area",
}

WITH_STATES = ["US", "CA"]
"""Countries whose addresses name the state. Elsewhere each source has regions of its own."""

COMPARED = [
    "company_core", "head", "seniority", "qualifier", "wording", "years", "seasons",
    "city_core", "state", "area", "apply_key", "ats", "requisition",
]  # fmt: skip


def with_compared_forms(postings: pl.DataFrame) -> pl.DataFrame:
    """The postings with the columns ``COMPARED``, each from the row alone.

    ``company_core``, ``city_core``, ``state`` and ``area`` are null where unknown; ``area`` is the
    free location text of a posting that has neither city nor country. ``wording`` is head and
    qualifier in their order, as a source that drops the punctuation writes them. ``seniority``
    and ``qualifier`` are empty where the title states none, and so are ``years`` and ``seasons``,
    the words of the title that say when a programme begins.
    """
    return (
        postings.with_columns(
            company_core=_company(pl.col("company")),
            city_core=_renamed(fold(pl.col("city")), _PLACE_NAMES, whole=True).replace("", None),
            state=pl.when(pl.col("country").is_in(WITH_STATES)).then(
                fold(pl.col("region")).replace("", None)
            ),
            area=pl.when(pl.col("city").is_null() & pl.col("country").is_null())
            .then(
                fold(pl.col("location_text"))
                .str.replace_all(rf"\b(?:{_NOISE})\b", " ")
                .pipe(_single_blanks)
                .replace("", None)
            )
            .otherwise(None),
        )
        .pipe(_with_terms)
        .pipe(_with_title_parts)
        .hstack(apply_targets(postings["apply_url"]))
    )


def _with_terms(postings: pl.DataFrame) -> pl.DataFrame:
    terms = fold(pl.col("title")).str.extract_all(rf"\b(?:{_TERM})\b").list.join(" ")
    return postings.with_columns(
        years=_sorted_words(terms.str.extract_all(r"20\d\d").list.join(" ")),
        seasons=_sorted_words(
            terms.str.replace_all("autumn", "fall").str.extract_all(_SEASONS).list.join(" ")
        ),
    )


def _with_title_parts(postings: pl.DataFrame) -> pl.DataFrame:
    raw = (
        pl.col("title")
        .str.replace_all(r"(?i)\b(?:c\+\+)", "cpp")
        .str.replace_all(
            r"(?i)(?:req(?:uisition)?|job|ref)[ .:#-]*(?:id|no)?[ .:#-]*[a-z]{0,4}[-_]?\d{3,}|#\d+",
            " ",
        )
    )
    marks = (
        raw.str.replace_all(r"[(\[{]", " | ")
        .str.replace_all(r"[)\]}]", " | ")
        .str.replace_all(r"\s[-–—:•·/]+\s*|\s*[–—|•,;]\s*|:\s", " | ")
        .str.replace_all(r"(?i)(\p{L}{3,})-(\d)\b", "${1} ${2}")
    )
    parts = (
        marks.str.split("|")
        .list.eval(_plain(pl.element()), parallel=False)
        .list.eval(pl.element().filter(pl.element() != ""))
    )
    return (
        postings.with_columns(_parts=parts, _whole=_plain(pl.col("title")))
        .with_columns(
            _words=pl.col("_parts").list.join(" "),
            _place=pl.concat_list(
                *[fold(pl.col(name)).fill_null("") for name in ("city", "region")], "city_core"
            ).list.drop_nulls(),
        )
        .with_columns(
            seniority=pl.concat_str(
                [
                    pl.when(pl.col("_words").str.contains(rf"\b(?:{words})\b"))
                    .then(pl.lit(f"{level} "))
                    .otherwise(pl.lit(""))
                    for level, words in _SENIORITY.items()
                ]
            ).str.strip_chars(),
            _parts=pl.col("_parts")
            .list.eval(_without_seniority(pl.element()))
            .list.eval(pl.element().filter(pl.element() != ""))
            .list.set_difference("_place"),
        )
        .with_columns(_head=pl.col("_parts").list.first().replace("", None))
        .with_columns(
            head=_sorted_words(pl.coalesce("_head", pl.col("_whole").replace("", None), "title")),
            qualifier=_sorted_words(pl.col("_parts").list.slice(1).list.join(" ")),
            wording=pl.col("_parts").list.join(" ").replace("", None),
        )
        .drop("_parts", "_whole", "_words", "_place", "_head")
    )


def _plain(text: pl.Expr) -> pl.Expr:
    return (
        _renamed(fold(text), _SYNONYMS, whole=False)
        .str.replace_all(rf"\b(?:{_NOISE})\b", " ")
        .pipe(_single_blanks)
    )


def _without_seniority(text: pl.Expr) -> pl.Expr:
    words = "|".join(_SENIORITY.values())
    return text.str.replace_all(rf"\b(?:{words})\b", " ").pipe(_single_blanks)


def _sorted_words(text: pl.Expr) -> pl.Expr:
    return text.str.split(" ").list.unique().list.sort().list.join(" ")


def _company(company: pl.Expr) -> pl.Expr:
    name = fold(
        company.str.replace_all("&amp;", "&", literal=True).str.replace_all(
            r"(?i)\.(?:com|io|ai|net|org)\b", ""
        )
    ).str.replace_all(r"^the ", "")
    without = name.str.replace_all(rf"(?:\s+(?:{_LEGAL_FORMS}|{_BRANCHES}))+$", "")
    return pl.when(without == "").then(name).otherwise(without).replace("", None)


def _renamed(text: pl.Expr, names: dict[str, str], *, whole: bool) -> pl.Expr:
    for name, variants in names.items():
        pattern = rf"^(?:{variants})$" if whole else rf"\b(?:{variants})\b"
        text = text.str.replace_all(pattern, name)
    return text


def _single_blanks(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r" {2,}", " ").str.strip_chars()
