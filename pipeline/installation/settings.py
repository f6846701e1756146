"""The configuration of the whole product, read once from the environment and ``.env``.

What belongs to one source alone (keys, queries, cadence) is declared in that source's file, as
a subclass of :class:`SourceSettings`. Every variable is documented in ``.env.example``.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import limits
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    HttpUrl,
    SecretStr,
    TypeAdapter,
    ValidationError,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from pipeline.fields import CATEGORIES, SHOWN_CATEGORIES
from pipeline.installation import database_url


class ConfigurationError(Exception):
    """The configuration cannot be used. The message is one sentence for the person at the
    console: it names the variable, says what is wrong and never repeats a secret."""


def _split_commas(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


CommaSeparated = Annotated[list[str], NoDecode, BeforeValidator(_split_commas)]
"""A list written as ``a, b, c`` in the environment."""

_HTTP_URL = TypeAdapter(HttpUrl)

BaseUrl = Annotated[
    str, AfterValidator(lambda url: str(_HTTP_URL.validate_python(url)).rstrip("/"))
]
"""An http or https URL, kept as text without its trailing slash."""


DatabaseUrl = Annotated[
    SecretStr, AfterValidator(lambda url: SecretStr(database_url.normalize(url.get_secret_value())))
]
"""A PostgreSQL URL that every client of the product understands."""


def _categories(names: list[str]) -> list[str]:
    if unknown := sorted(set(names) - {*CATEGORIES, "all"}):
        known = ", ".join(CATEGORIES)
        raise ValueError(f"'{unknown[0]}' is no role; the roles are {known}, or all of them: all")
    return names


def _key_hashes(hashes: list[str]) -> list[str]:
    if not all(re.fullmatch("[0-9a-fA-F]{64}", key) for key in hashes):
        raise ValueError("must be SHA-256 sums of 64 hexadecimal digits, separated by commas")
    return [key.lower() for key in hashes]


KeyHashes = Annotated[CommaSeparated, AfterValidator(_key_hashes)]


def _networks(addresses: list[str]) -> list[str]:
    try:
        return [str(ipaddress.ip_network(address)) for address in addresses]
    except ValueError:
        raise ValueError(
            "must be addresses or networks such as 10.0.0.0/8, separated by commas"
        ) from None


Networks = Annotated[CommaSeparated, AfterValidator(_networks)]


def _host_names(names: list[str]) -> list[str]:
    if not all(re.fullmatch(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:.]+", name) for name in names):
        raise ValueError("must be names or addresses without a port, separated by commas")
    return [name.lower() for name in names]


HostNames = Annotated[CommaSeparated, AfterValidator(_host_names)]


def _rate_limit(rate: str) -> str:
    if rate.strip().lower() != "none":
        try:
            limits.parse(rate)
        except ValueError:
            raise ValueError("must read like '1200/minute', or 'none' for no limit") from None
    return rate.strip()


RateLimit = Annotated[str, AfterValidator(_rate_limit)]


def _even_interval(minutes: int) -> int:
    even = 60 % minutes == 0 if minutes < 60 else minutes % 60 == 0 and 1440 % minutes == 0
    if not even:
        raise ValueError("must divide an hour evenly (5, 10, 15, 20, 30, 60) or a day (120, 240 …)")
    return minutes


class _EnvironmentSettings(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Read the settings.

        Raises:
            ConfigurationError: a value is malformed; the message names the variable.
        """
        try:
            return cls(**overrides)
        except UnicodeDecodeError:
            raise ConfigurationError(
                ".env is not UTF-8 text: save it as UTF-8, or set the variables in the environment."
            ) from None
        except OSError as error:
            raise ConfigurationError(
                f".env cannot be read ({error.strerror}): correct its permissions, or remove it."
            ) from None
        except SettingsError as error:
            raise ConfigurationError(
                f"{cls.__name__} is not usable: {error}. Correct it in the environment or in .env."
            ) from None
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = str(first["loc"][0]) if first["loc"] else cls.__name__
            prefix = cls.model_config.get("env_prefix", "")
            variable = field if field.isupper() else f"{prefix}{field}".upper()
            reason = first["msg"].removeprefix("Value error, ")
            raise ConfigurationError(
                f"{variable} is not usable: {reason}. Correct it in the environment or in .env."
            ) from None


class Settings(_EnvironmentSettings):
    """What every part of the product shares. ``DATABASE_URL`` empty means: run PostgreSQL
    embedded, below :attr:`data_dir`."""

    database_url: DatabaseUrl | None = None
    data_dir: Path = Path("data")
    log_dir: Path = Path("logs")
    environment: Literal["development", "production", "test"] = "development"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    ingestion_interval_minutes: Annotated[int, Field(ge=1), AfterValidator(_even_interval)] = 30
    max_run_minutes: Annotated[int, Field(ge=1, le=1440)] = 60

    exchange_rates_url: Literal["none"] | BaseUrl = (
        "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml"
    )
    """Where the reference rates are renewed once a month; ``none``: the bundled ones stay."""

    advert_half_life_days: Annotated[float, Field(gt=0, le=3_650)] = 30
    """How long after a search last showed a posting half of such postings are gone."""
    closed_retention_days: Annotated[float, Field(ge=0, le=36_500)] = 90
    """How long a closed job stays published."""

    llm_provider: Literal["openai", "anthropic"] | None = None
    """The protocol of the language model that is asked where the rules find no answer."""
    llm_base_url: BaseUrl | None = None
    llm_api_key: SecretStr | None = None
    llm_model: str = ""
    llm_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 20
    llm_seconds_per_run: Annotated[float, Field(ge=0, le=3_600)] = 120
    llm_requests_per_run: Annotated[int, Field(ge=0)] = 200
    llm_tokens_per_run: Annotated[int, Field(ge=0)] = 500_000
    llm_requests_per_day: Annotated[int, Field(ge=0)] = 1_000
    llm_tokens_per_day: Annotated[int, Field(ge=0)] = 2_000_000

    api_host: str = "127.0.0.1"
    api_port: Annotated[int, Field(ge=1, le=65535)] = 8000
    api_url: BaseUrl | None = None
    """Where clients reach the API, for the links of a feed; without it they name no host, as the
    one that a request names may be anybody's."""
    api_key: SecretStr | None = None
    api_key_hashes: KeyHashes = []
    """Further keys, each as the SHA-256 of the key in hexadecimal. Keys are random, so that a
    plain hash does not give them away."""
    default_categories: Annotated[CommaSeparated, AfterValidator(_categories)] = [*SHOWN_CATEGORIES]
    """The roles of a query that names none."""
    cors_origins: CommaSeparated = []
    trusted_proxies: Networks = []
    """Whose ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are believed."""
    api_pool_size: Annotated[int, Field(ge=1, le=200)] = 6
    api_statement_timeout_ms: Annotated[int, Field(ge=100, le=60_000)] = 5_000
    api_cache_megabytes: Annotated[int, Field(ge=0, le=65_536)] = 64
    api_rate_limit: RateLimit = "1200/minute"
    """Requests from one address or with one key, in the words of the library ``limits``."""
    redis_url: SecretStr | None = None
    """Where replicas of the API share cached answers and rate limits; not needed for one."""

    dagster_host: str = "127.0.0.1"
    dagster_port: Annotated[int, Field(ge=1, le=65535)] = 3000
    dagster_key: Annotated[SecretStr, Field(min_length=16)] | None = None
    """What the Dagster UI asks for; needed where it listens beyond this machine."""
    dagster_allowed_hosts: HostNames = []
    """Names in URLs of the Dagster UI, besides those of this machine and of ``dagster_url``."""
    dagster_code_bind: str = "127.0.0.1"
    """The address that the code server listens on."""
    dagster_code_host: str = "127.0.0.1"
    """Where the Dagster webserver and daemon reach the code server."""
    dagster_code_port: Annotated[int, Field(ge=1, le=65535)] = 4000
    run_retention_days: Annotated[int, Field(ge=1)] = 30
    """How long Dagster remembers its runs, with their events and logs."""
    dagster_url: BaseUrl | None = None
    """Where the API reaches the Dagster webserver; by default this machine's ``dagster_port``."""

    @property
    def dagster_database_url(self) -> SecretStr | None:
        """Where Dagster keeps its runs and events: the schema ``dagster`` of the same database."""
        if self.database_url is None:
            return None
        return SecretStr(database_url.in_schema(self.database_url.get_secret_value(), "dagster"))

    @property
    def staging_dir(self) -> Path:
        """The DuckDB files, one a source, that dlt writes."""
        return self.data_dir.absolute() / "staging"

    @property
    def snapshot_dir(self) -> Path:
        """The read-only copies of the staging files that analysts and the transform read."""
        return self.data_dir.absolute() / "snapshots"

    @property
    def search_dir(self) -> Path:
        """The files of the search index, which the pipeline writes and the API maps."""
        return self.data_dir.absolute() / "search"

    @property
    def dagster_graphql_url(self) -> str:
        """The GraphQL endpoint of the Dagster webserver."""
        return f"{self.dagster_url or f'http://127.0.0.1:{self.dagster_port}'}/graphql"


class SourceSettings(_EnvironmentSettings):
    """What the pipeline needs to know of every source. A source's own subclass sets
    ``env_prefix`` (``ADZUNA_``), its defaults, and adds keys and queries.

    The limits hold for one fetch (one visit to the source in one run); the quotas for all
    requests of the period, retries included, across runs and restarts.
    """

    enabled: bool = True
    base_url: BaseUrl
    interval_minutes: Annotated[int, Field(ge=0)] = 30
    """The schedule leaves the source alone until this long after its last fetch."""
    max_megabytes: Annotated[int, Field(ge=1)] = 100
    max_seconds: Annotated[float, Field(gt=0)] = 120.0
    timeout_seconds: Annotated[float, Field(gt=0)] = 20.0
    max_attempts: Annotated[int, Field(ge=1, le=10)] = 4
    max_retry_delay_seconds: Annotated[float, Field(ge=0)] = 30.0
    quota_per_minute: Annotated[int, Field(ge=0)] | None = None
    quota_per_day: Annotated[int, Field(ge=0)] | None = None
    quota_per_week: Annotated[int, Field(ge=0)] | None = None
    quota_per_month: Annotated[int, Field(ge=0)] | None = None

    @property
    def missing_keys(self) -> list[str]:
        """The variables without which the source cannot be asked at all; empty when usable."""
        return []

    @property
    def pages_per_fetch(self) -> int:
        """How many pages one fetch asks for at most."""
        return 1

    @classmethod
    def variable(cls, field: str) -> str:
        """The environment variable of a field: ``ADZUNA_MAX_SECONDS`` of ``max_seconds``."""
        alias = cls.model_fields[field].validation_alias
        return str(alias or f"{cls.model_config.get('env_prefix', '')}{field}".upper())

    @classmethod
    def key_variables(cls) -> list[str]:
        """The environment variables of the secrets."""
        return [
            cls.variable(name)
            for name, field in cls.model_fields.items()
            if "SecretStr" in str(field.annotation)
        ]
