"""Names of places and companies as they are compared: whatever their case, accents, punctuation
and, of companies, legal form. The functions ``name_key`` and ``company_key`` of PostgreSQL do the
same for people who ask with SQL."""

from __future__ import annotations

import re
from functools import lru_cache

from pipeline.search_index.analyzer import Analyzer

MAX_CHARS = 200
_DROPPED = re.compile(r"['.’]")
_PUNCTUATION = re.compile(
    r"[\s!\"$%(-*,\-/:-@\[-`{-~\u0080-\u00bf\u2000-\u206f\u3000-\u3004\u3008-\u3020\u30fb]+"
)


class Names:
    """Compares names. ``of_name`` and ``of_company`` give equal keys to equal names."""

    def __init__(self, analyzer: Analyzer) -> None:
        rules = analyzer.companies
        asia, letters = "|".join(rules["forms_of_asia"]), rules["letters_of_asia"]
        self._letters = analyzer.letters
        self._behind = re.compile(f"( (and )?({'|'.join(map(re.escape, rules['forms']))}))+$")
        self._front = re.compile(f"^({'|'.join(rules['forms_in_front'])}) (?=.)")
        self._asia_front = re.compile(f"^(({asia}) ?|[{letters}] )(?=.)")
        self._asia_behind = re.compile(f"(?<=.)( ?({asia})| [{letters}])$")
        self.of_name = lru_cache(50_000)(self._of_name)
        self.of_company = lru_cache(50_000)(self._of_company)

    def _of_name(self, name: str) -> str:
        key = _DROPPED.sub("", self._letters(name).replace("&", " and "))
        return (_PUNCTUATION.sub(" ", key).strip() or name.lower())[:MAX_CHARS]

    def _of_company(self, name: str) -> str:
        name = self._of_name(name)
        key = self._front.sub("", self._behind.sub("", name))
        return self._asia_behind.sub("", self._asia_front.sub("", key)) or name
