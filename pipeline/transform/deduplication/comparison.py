"""The forms of company, title and place that are compared when postings are deduplicated.

One opening is "Sr. Backend Engineer (Payments) - Remote" of "Acme Inc." at one source and
"Senior Backend Engineer, Payments" of "ACME" at another. A title is read as a *head* (the
occupation, its words in alphabetical order), a *seniority* and a *qualifier* (the team, product
or programme after a dash, a comma or in parentheses), so that each can be compared by its own
rule.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from pipeline.transform.cleaning.text import fold
from pipeline.transform.deduplication.apply_url import apply_targets
from pipeline.transform.deduplication.requisition_number import comparable_number, read_numbers

_LEGAL_FORMS = (
    "inc|incorporated|llc|l l c|ltd|limited|ltd co|corp|corporation|co|company|pbc|pllc|ulc|pc|na"
    "|llp|lp|lllp|plc|cic|public|private|proprietary|pty|pvt|opc|the"
    "|gmbh|mbh|ag|kg|kgaa|ug|haftungsbeschrankt|ev|eg|ek|ohg|gbr|se|sce"
    "|sa|sas|sasu|sarl|eurl|snc|sca|s a|s a s|bv|nv|bvba|srl|sprl|vof|b v|n v"
    "|ab|publ|aktiebolag|oy|oyj|as|asa|aps|a s|hf|ehf|ou|uab|sia"
    "|spa|sapa|srls|s r l|s p a|sl|slu|sll|s l|scp|lda|unipessoal"
    "|sa de cv|sab de cv|sapi de cv|s de rl de cv|srl de cv|de cv|sociedad anonima"
    "|ltda|limitada|eireli|epp"
    "|sp zoo|sp z o o|sp z oo|spolka z oo|sp k|sp j|spk|spj|doo|d o o|dd|dooel|ad|eood|ood|ead"
    "|kft|zrt|nyrt|bt|sro|s r o|spol s ro|spol|vos|ooo|oao|zao|pao|ooд|ооо|ао|оао|зао|пао"
    "|as|a s|anonim sirketi|limited sirketi|sti|ltd sti|san|tic|ve"
    "|kk|gk|yk|kabushiki kaisha|bhd|sdn bhd|tbk|persero|pte|jsc|pjsc|ojsc|cjsc"
    "|fze|fzco|fzc|fz|dmcc|wll|saoc|saog|sal"
)
_LEGAL_FORMS_BEFORE = "pt|uab|sia|ooo|oao|zao|pao|ооо|ао|оао|зао|пао|тов|тоо"
_EASTERN_LEGAL_FORMS = (
    "株式会社|有限会社|合同会社|一般社団法人|㈱|[(（]株[)）]|股份有限公司|有限责任公司|有限責任公司|有限公司"
    "|주식회사|유한회사|㈜|[(（][주유][)）]"
)
"""These are written without a blank, before the name or behind it."""
_DECORATION = (
    r"(?:careers?|jobs?|job board|recruiting|recruitment team|talent|remote|fully remote|hybrid"
    r"|(?:we ?(?:a|')?re |now )?hiring!?|karriere|stellenangebote|empleos?|vagas|emplois?|official"
    r"|(?:yc|y combinator) ?[a-z]{0,2} ?\d{0,4}|ycombinator|[mfwdx](?:/[mfwdx])+|100% remote"
    r"|(?:nasdaq|nyse|lse|asx|tsx|xetra|otc): ?[a-z0-9.]{1,8})"
)
"""What boards and employers put beside a name, in brackets or behind a dash or a bar."""
_BRANCHES = (
    "group|holding|holdings|services|international|global|worldwide|uk|us|usa|eu|emea|deutschland"
    "|germany|france|espana|spain|italia|italy|canada|india|ireland|nederland|netherlands|australia"
    "|polska|poland|austria|schweiz|switzerland|singapore|brasil|brazil|mexico|japan|and|of|careers"
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
    "company_core", "head", "seniority", "qualifier", "wording", "years", "seasons", "numbers",
    "city_core", "state", "area", "apply_keys", "requisitions",
]  # fmt: skip


def with_compared_forms(postings: pl.DataFrame) -> pl.DataFrame:
    """The postings with the columns ``COMPARED``, each from the row alone.

    ``company_core``, ``city_core``, ``state`` and ``area`` are null where unknown; ``area`` is the
    free location text of a posting that has neither city nor country. ``wording`` is head and
    qualifier in their order, as a source that drops the punctuation writes them. ``seniority``
    and ``qualifier`` are empty where the title states none, and so are ``years`` and ``seasons``,
    the words of the title that say when a programme begins. ``numbers`` are the requisition
    numbers that the title states, or that an apply URL shows as employers write them in titles.
    ``apply_keys`` and ``requisitions`` (``SYSTEM:NUMBER``) are those of all addresses that the
    advert can be applied at.
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
        .pipe(_with_addresses)
        .pipe(_with_title_parts)
    )


def same_company(one: str | None, other: str | None) -> bool:
    """Whether two ``company_core`` may name one company: one is unknown, they differ in blanks
    alone, or the words of one stand within the other's ("optio", "optio labs")."""
    if one is None or other is None or one.replace(" ", "") == other.replace(" ", ""):
        return True
    shorter, longer = sorted((one, other), key=len)
    return f" {shorter} " in f" {longer} "


def _with_addresses(postings: pl.DataFrame) -> pl.DataFrame:
    """With what the apply URLs say, and the title read as ``_title`` and ``numbers``."""
    urls = postings.select(
        pl.concat_list(pl.concat_list("apply_url").list.drop_nulls(), "apply_urls").alias("urls")
    )["urls"].to_list()
    keys, requisitions, numbers, titles = [], [], [], []
    for title, targets in zip(postings["title"], apply_targets(urls), strict=True):
        without, said = read_numbers(title)
        named = {comparable_number(target.number) for target in targets if target.number}
        keys.append(sorted({target.key for target in targets if target.key}))
        requisitions.append(
            sorted({f"{target.system}:{target.requisition}" for target in targets if target.system})
        )
        numbers.append(" ".join(sorted(named.union(said))))
        titles.append(without)
    lists = pa.list_(pa.large_string())  # Arrow builds columns of lists several times as fast.
    read = postings.with_columns(
        apply_keys=pl.Series(pa.array(keys, lists)),
        requisitions=pl.Series(pa.array(requisitions, lists)),
        numbers=pl.Series(numbers, dtype=pl.String),
        _title=pl.Series(titles, dtype=pl.String),
    )
    return _with_terms(read)


def _with_terms(postings: pl.DataFrame) -> pl.DataFrame:
    terms = fold(pl.col("_title")).str.extract_all(rf"\b(?:{_TERM})\b").list.join(" ")
    return postings.with_columns(
        years=_sorted_words(terms.str.extract_all(r"20\d\d").list.join(" ")),
        seasons=_sorted_words(
            terms.str.replace_all("autumn", "fall").str.extract_all(_SEASONS).list.join(" ")
        ),
    )


def _with_title_parts(postings: pl.DataFrame) -> pl.DataFrame:
    marks = (
        pl.col("_title")
        .str.replace_all(r"(?i)\b(?:c\+\+)", "cpp")
        .str.replace_all(r"[(\[{]", " | ")
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
        postings.with_columns(_parts=parts, _whole=_plain(pl.col("_title")))
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
        .drop("_title", "_parts", "_whole", "_words", "_place", "_head")
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
    written = (
        company.str.normalize("NFC")
        .str.replace_all("&amp;", "&", literal=True)
        .str.replace_all(r"[®™©℠]", "")
        .str.replace_all(rf"(?i)\s*[(\[]\s*{_DECORATION}\s*[)\]]", "")
        .str.replace(rf"(?i)(?:\s*[|·•–—]\s*|\s+-\s+){_DECORATION}\s*$", "")
        .str.replace(r"(?i)^careers at (.)", "${1}")
        .str.replace(rf"^\s*(?:{_EASTERN_LEGAL_FORMS})|(?:{_EASTERN_LEGAL_FORMS})\s*$", "")
        .str.replace_all(r"(?i)\.(?:com|io|ai|net|org)\b", "")
    )
    name = (
        fold(pl.when(written.str.strip_chars() == "").then(company).otherwise(written))
        .str.replace(r"^the ", "")
        .str.replace(rf"^(?:{_LEGAL_FORMS_BEFORE}) (.)", "${1}")
    )
    without = name.str.replace_all(rf"(?:\s+(?:{_LEGAL_FORMS}|{_BRANCHES}))+$", "")
    return pl.when(without == "").then(name).otherwise(without).replace("", None)


def _renamed(text: pl.Expr, names: dict[str, str], *, whole: bool) -> pl.Expr:
    for name, variants in names.items():
        pattern = rf"^(?:{variants})$" if whole else rf"\b(?:{variants})\b"
        text = text.str.replace_all(pattern, name)
    return text


def _single_blanks(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r" {2,}", " ").str.strip_chars()
