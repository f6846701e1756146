"""The technologies that a posting names, as canonical names ("k8s" is ``Kubernetes``).

The vocabulary is data, in three tables by how far a word can be trusted: ``SKILLS`` (whatever the
case), ``ORDINARY_WORDS`` (only as written here, and only beside skills that are beyond doubt) and
``IN_CONTEXT`` (only where the neighbouring characters or words say so). ``MISLEADING`` phrases are
read first and mean nothing. All of it is one regular expression, so a text is read once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

MAX_SKILLS = 60
"""The most that a posting can have; the ones that it names first are kept."""

CORROBORATION = 2
"""How many undoubted skills a posting must name before an ordinary word counts as one."""

SKILLS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "server language": {
        ".NET": (".net core", ".net framework", "dotnet"),
        "ASP.NET": ("asp.net core",),
        "C#": ("c sharp", "csharp"),
        "Clojure": (),
        "Elixir": (),
        "Erlang": (),
        "F#": (),
        "Go": ("golang", "go-lang"),
        "Groovy": (),
        "Haskell": (),
        "Java": ("java ee", "j2ee"),
        "Kotlin": (),
        "OCaml": (),
        "PHP": (),
        "Python": ("python2", "python3"),
        "Ruby": (),
        "Scala": (),
    },
    "other language": {
        "Assembly": ("assembly language", "x86 assembly"),
        "Bash": ("shell script", "shell scripts", "shell scripting", "bash scripting"),
        "C++": ("cpp", "c ++"),
        "COBOL": (),
        "Fortran": (),
        "JavaScript": ("ecmascript", "java script"),
        "Lua": (),
        "MATLAB": (),
        "Objective-C": ("objective c",),
        "Perl": (),
        "PL/SQL": ("plsql",),
        "PowerShell": (),
        "R": ("rstudio", "r programming", "tidyverse"),
        "SQL": ("t-sql", "tsql"),
        "Solidity": (),
        "Swift": ("swiftui",),
        "TypeScript": (),
        "VHDL": (),
        "Verilog": ("systemverilog",),
        "WebAssembly": ("wasm",),
        "Zig": ("ziglang",),
    },
    "server framework": {
        "ActiveRecord": ("active record",),
        "Akka": (),
        "CakePHP": (),
        "Celery": ("celery workers",),
        "Django": ("django rest framework",),
        "Entity Framework": ("ef core",),
        "Express": ("express.js", "expressjs", "express js"),
        "FastAPI": ("fast api",),
        "Flask": (),
        "gRPC": (),
        "GraphQL": (),
        "Hibernate": (),
        "JPA": (),
        "Laravel": (),
        "Micronaut": (),
        "NestJS": ("nest.js", "nest js"),
        "Node.js": ("nodejs", "node js"),
        "OAuth": ("oauth2", "oauth 2.0"),
        "OpenAPI": ("swagger",),
        "Phoenix": ("phoenix framework", "phoenix liveview", "elixir/phoenix"),
        "Play Framework": (),
        "Protocol Buffers": ("protobuf", "protobufs"),
        "Quarkus": (),
        "REST": ("rest api", "rest apis", "restful", "restful api", "restful apis"),
        "Ruby on Rails": ("ruby/rails",),
        "SQLAlchemy": (),
        "Sidekiq": (),
        "Sinatra": (),
        "Spring": ("spring framework", "spring mvc", "spring cloud", "spring security"),
        "Spring Boot": ("springboot",),
        "Symfony": (),
        "WebSocket": ("websockets", "web sockets"),
    },
    "database": {
        "Apache Hive": ("hiveql",),
        "BigQuery": ("big query",),
        "Cassandra": ("apache cassandra",),
        "ClickHouse": (),
        "CockroachDB": (),
        "Cosmos DB": ("cosmosdb", "azure cosmos"),
        "Couchbase": (),
        "DuckDB": (),
        "DynamoDB": ("dynamo db",),
        "Elasticsearch": ("elastic search",),
        "Firestore": (),
        "InfluxDB": (),
        "MariaDB": (),
        "Memcached": ("memcache",),
        "MongoDB": ("mongo", "mongo db"),
        "MySQL": ("my sql",),
        "Neo4j": (),
        "NoSQL": ("no-sql", "no sql"),
        "OpenSearch": (),
        "Oracle Database": ("oracle db", "oracle sql"),
        "PostgreSQL": ("postgres", "postgre", "postgressql"),
        "Redis": ("valkey",),
        "Redshift": (),
        "ScyllaDB": ("scylla",),
        "Snowflake": (),
        "Solr": (),
        "SQL Server": ("mssql", "ms sql", "ms-sql", "microsoft sql"),
        "SQLite": (),
        "TimescaleDB": ("timescale",),
        "pgvector": (),
    },
    "messaging": {
        "ActiveMQ": (),
        "Amazon SQS": ("aws sqs",),
        "Azure Service Bus": (),
        "Google Pub/Sub": ("pub/sub", "pubsub"),
        "IBM MQ": ("mqseries",),
        "Kafka": ("kafka streams", "kafka connect"),
        "Kinesis": (),
        "MQTT": (),
        "NATS": ("nats.io",),
        "Pulsar": ("apache pulsar",),
        "RabbitMQ": ("rabbit mq",),
        "ZeroMQ": (),
    },
    "cloud": {
        "AWS": ("amazon web services",),
        "AWS Lambda": ("lambda functions",),
        "Amazon EC2": ("ec2",),
        "Amazon RDS": ("aws rds",),
        "Amazon S3": ("aws s3",),
        "Azure": ("microsoft azure", "azure portal", "ms azure"),
        "Cloudflare": (),
        "DigitalOcean": ("digital ocean",),
        "Firebase": (),
        "Google Cloud": ("google cloud platform",),
        "Heroku": (),
        "Hetzner": (),
        "OpenStack": (),
        "Oracle Cloud": ("oracle cloud infrastructure",),
        "VMware": ("vsphere",),
        "Vercel": (),
    },
    "orchestration": {
        "AKS": ("azure kubernetes service",),
        "Amazon ECS": ("aws ecs", "fargate"),
        "Amazon EKS": ("eks",),
        "Docker": ("dockerfile", "dockerfiles", "docker compose", "docker-compose", "docker swarm"),
        "GKE": ("google kubernetes engine",),
        "Helm": ("helm chart", "helm charts"),
        "Istio": (),
        "Knative": (),
        "Kubernetes": ("k8s", "kubernetes clusters"),
        "Linkerd": (),
        "Nomad": ("hashicorp nomad",),
        "OpenShift": (),
        "Podman": (),
        "Rancher": (),
        "containerd": (),
    },
    "infrastructure as code": {
        "AWS CDK": ("cloud development kit",),
        "Ansible": (),
        "Chef": ("chef infra",),
        "CloudFormation": ("cloud formation",),
        "Consul": ("hashicorp consul",),
        "Crossplane": (),
        "OpenTofu": (),
        "Packer": ("hashicorp packer",),
        "Pulumi": (),
        "Puppet": ("puppet enterprise",),
        "Salt": ("saltstack", "salt stack"),
        "Terraform": (),
        "Terragrunt": (),
        "Vagrant": ("hashicorp vagrant",),
        "Vault": ("hashicorp vault",),
    },
    "ci/cd": {
        "Argo CD": ("argocd",),
        "Azure DevOps": ("azure pipelines", "azure devops server"),
        "Bitbucket": ("bitbucket pipelines",),
        "Buildkite": (),
        "CI/CD": (
            "ci / cd", "ci-cd", "ci and cd", "continuous integration", "continuous delivery",
            "continuous deployment",
        ),
        "CircleCI": ("circle ci",),
        "Flux CD": ("fluxcd",),
        "GitHub Actions": (),
        "GitLab CI": ("gitlab ci/cd", "gitlab pipelines"),
        "Jenkins": (),
        "Spinnaker": (),
        "TeamCity": (),
        "Tekton": (),
        "Travis CI": ("travisci",),
    },
    "observability": {
        "AppDynamics": (),
        "CloudWatch": ("aws cloudwatch",),
        "Datadog": ("data dog",),
        "Dynatrace": (),
        "Elastic Stack": ("elk stack", "elastic stack"),
        "Grafana": ("graffana",),
        "Jaeger": (),
        "Kibana": (),
        "Logstash": (),
        "Nagios": (),
        "New Relic": ("newrelic",),
        "OpenTelemetry": ("open telemetry", "otel"),
        "PagerDuty": ("pager duty",),
        "Prometheus": (),
        "Splunk": (),
        "Zabbix": (),
    },
    "operating system": {
        "Debian": (),
        "Linux": ("gnu/linux",),
        "Red Hat Enterprise Linux": ("rhel", "red hat", "redhat", "centos"),
        "Ubuntu": (),
        "Unix": (),
        "Windows Server": (),
        "systemd": (),
    },
    "web server": {
        "HAProxy": (),
        "NGINX": (),
        "Tomcat": ("apache tomcat",),
        "Traefik": (),
    },
    "data": {
        "Airflow": ("apache airflow",),
        "Apache Beam": (),
        "Apache Spark": ("pyspark", "spark streaming", "spark sql"),
        "Dagster": (),
        "Databricks": (),
        "Flink": ("apache flink",),
        "Hadoop": ("hdfs", "mapreduce"),
        "Hugging Face": ("huggingface",),
        "Kubeflow": (),
        "LangChain": (),
        "MLflow": (),
        "NumPy": (),
        "Pandas": ("pandas library",),
        "Polars": (),
        "Power BI": ("powerbi",),
        "PyTorch": (),
        "SageMaker": (),
        "Scikit-learn": ("sklearn",),
        "Tableau": (),
        "TensorFlow": (),
        "Trino": (),
        "dbt": ("dbt core", "dbt cloud"),
    },
    "client": {
        "Android": (),
        "Angular": ("angularjs", "angular.js", "angular js"),
        "CSS": ("css3",),
        "Flutter": ("flutter sdk",),
        "HTML": ("html5",),
        "Next.js": ("nextjs",),
        "Nuxt": ("nuxt.js", "nuxtjs"),
        "React": ("react.js", "reactjs", "react js", "react/redux", "react hooks"),
        "React Native": (),
        "Redux": (),
        "Svelte": ("sveltekit",),
        "Tailwind CSS": ("tailwindcss", "tailwind"),
        "Vue.js": ("vuejs", "vue", "vue js"),
        "Webpack": (),
        "Xamarin": (),
        "iOS": (),
        "jQuery": (),
    },
    "tooling": {
        "Bazel": (),
        "Confluence": (),
        "Cypress": ("cypress.io",),
        "Git": (),
        "GitHub": (),
        "GitLab": (),
        "Gradle": (),
        "JMeter": (),
        "JUnit": (),
        "Jira": (),
        "Maven": ("apache maven",),
        "Playwright": (),
        "Selenium": (),
        "pytest": (),
    },
}  # fmt: skip
"""Kind → canonical name → other spellings. The canonical name is a spelling itself, unless the
same name is in ``ORDINARY_WORDS`` or ``IN_CONTEXT``: then only its other spellings stand here."""

ORDINARY_WORDS: Mapping[str, tuple[str, ...]] = {
    "Amazon ECS": ("ECS",),
    "Amazon RDS": ("RDS",),
    "Amazon S3": ("S3",),
    "Amazon SQS": ("SQS",),
    "Apache Hive": ("Hive",),
    "Apache Spark": ("Spark",),
    "AWS Lambda": ("Lambda", "Lambdas"),
    "Celery": ("Celery",),
    "Chef": ("Chef",),
    "Confluence": ("Confluence",),
    "Consul": ("Consul",),
    "Cypress": ("Cypress",),
    "dbt": ("dbt", "DBT"),
    "Elastic Stack": ("ELK",),
    "Express": ("Express",),
    "Flask": ("Flask",),
    "Flutter": ("Flutter",),
    "Google Cloud": ("GCP", "gcp"),
    "Groovy": ("Groovy",),
    "Helm": ("Helm",),
    "Maven": ("Maven",),
    "NATS": ("NATS",),
    "Nomad": ("Nomad",),
    "Oracle Database": ("Oracle",),
    "Packer": ("Packer",),
    "Pandas": ("Pandas", "pandas"),
    "Phoenix": (),
    "Pulsar": ("Pulsar",),
    "Puppet": ("Puppet",),
    "Rancher": ("Rancher",),
    "React": ("React", "react"),
    "REST": ("REST",),
    "Ruby on Rails": ("Rails", "RoR"),
    "Rust": ("Rust",),
    "Salt": ("Salt",),
    "Sinatra": ("Sinatra",),
    "Solidity": ("Solidity",),
    "Spring": ("Spring",),
    "Swift": ("Swift",),
    "Vagrant": ("Vagrant",),
    "Vault": ("Vault",),
    "Zig": ("Zig",),
}
"""Canonical name → the exact spellings that count beside ``CORROBORATION`` undoubted skills. A
name without a spelling here counts by its other spellings in ``SKILLS`` alone."""

_BEFORE = (
    r"(?:[,/(&|:;•*] ?|\n-? ?|\b(?:in|of|or|and|with|using|e\.g\.|preferably|primarily|like) )"
)
_ROLE = (
    r"(?:(?:[Ss]oftware |[Bb]ack-?end |[Pp]latform |[Ss]ystems? )?"
    r"(?:[Ee]ngineers?|[Dd]evelopers?|[Pp]rogrammers?|[Ll]ead)|[Pp]rogramming|code|services)\b"
)

IN_CONTEXT: Mapping[str, str] = {
    "Go": rf"{_BEFORE}Go\b|\bGo {_ROLE}|\bGo ?[,/] ?|[Dd]eveloper,? Go\b|[Ee]ngineer -? ?Go\b",
    "R": r"[,/(] ?R(?:[,/)]| and | or )|\b(?:Python|SQL|SAS),? (?:and|or) R[,.;/) ]|\bR (?:and"
    r"|or) Python",
    "C": r"\bC/C\+\+|[,/(] ?C, ?C\+\+|\bC (?:and|or|&) C\+\+|\bC, C\+\+|\b(?:ANSI"
    r"|[Ee]mbedded) C\b|[,/(] ?C[,/]",
    "Rust": rf"\bRust {_ROLE}|[Ee]ngineer -? ?Rust\b",
    "Spring": r"\b[Jj]ava(?: ?EE)?[/ ]Spring\b",
    "React": rf"\bReact {_ROLE}",
    "Swift": rf"\bSwift {_ROLE}",
}
"""Canonical name → a pattern of names that are words or single letters, with what must stand
beside them. What else the pattern swallowed is read again."""

MISLEADING = (
    rf"(?:{_BEFORE})?\b[Gg]o[ -](?:to|live|beyond|above|ahead|further|the|out|for|get|green|home"
    rf"|through|"
    r"from|with|on|back|into|over|deep|big|far|forward|hand|where|all)\b",
    r"\bGo!",
    r"\b[Rr]eact (?:to|quickly|fast|appropriately|swiftly|accordingly|calmly|and respond|in"
    r"|when)\b",
    r"\b(?:Veeva|Obsidian) Vault\b",
    r"\bSalt Lake\b",
    r"\bSpring (?:'?\d\d|and|or|[Ss]emester|[Bb]reak|[Tt]erm|[Ii]nternship|[Ss]ummer|Street"
    r"|Health|Valley)",
    r"\bRust Belt\b",
    r"\b(?:Taylor Swift|Swift (?:Transportation|response|action|Current))\b",
    r"\b(?:American|Pony|Holiday Inn|Oracle NetSuite|Federal) Express\b",
    r"\bOracle (?:NetSuite|Fusion|HCM|ERP|EBS|Cloud ERP|Financials)\b",
    r"\b(?:Executive|Sous|Head|Pastry|Private) Chef\b",
    r"\b(?:Honorary|Vice) Consul\b",
    r"\b[Dd]igital [Nn]omads?\b",
    r"\b(?:HTML|CSS) emails?\b",
    r"\bR ?& ?D\b",
    r"\bC[- ](?:level|suite)\b",
)
"""Patterns of phrases that hold the name of a technology and mean something else."""

KINDS: Mapping[str, str] = {name: kind for kind, names in SKILLS.items() for name in names} | {
    "C": "other language",
    "Rust": "server language",
}
"""Canonical name → its kind, for every skill there is."""


def with_skills(postings: pl.LazyFrame) -> pl.LazyFrame:
    """Fill ``skills``: the technologies of the title, the tags and the description, sorted, each
    once, at most :data:`MAX_SKILLS`. The other columns stay as they are."""
    return postings.with_columns(
        skills_in(
            pl.concat_str(
                "title",
                pl.col("tags").list.join(" , "),
                "description",
                separator="\n",
                ignore_nulls=True,
            )
        ).alias("skills")
    )


def skills_in(text: pl.Expr) -> pl.Expr:
    """The canonical names of the technologies in a text: a sorted list, empty for null."""
    return text.str.extract_all(_PATTERN).map_batches(
        _canonical_names, return_dtype=pl.List(pl.String)
    )


def _spelling(text: str) -> str:
    """A literal spelling as a pattern that matches it as a whole word only."""
    start = r"(?-u:\b)" if text[0].isalnum() else ""
    end = r"(?-u:\b)" if text[-1].isalnum() else ""
    return f"{start}{re.escape(text)}{end}"


_WORDS = {spelling for spellings in ORDINARY_WORDS.values() for spelling in spellings}


def _undoubted() -> dict[str, str]:
    ordinary = _WORDS | {"Assembly", "Go", "R"}
    return {
        spelling.lower(): name
        for names in SKILLS.values()
        for name, others in names.items()
        for spelling in (*others, *(() if name in ordinary else (name,)))
    }


_UNDOUBTED = _undoubted()
_ORDINARY = {spelling: name for name, spellings in ORDINARY_WORDS.items() for spelling in spellings}


def _alternatives(spellings: list[str]) -> str:
    return "|".join(_spelling(spelling) for spelling in sorted(spellings, key=len, reverse=True))


_CONTEXT_PATTERN = "|".join(f"(?:{pattern})" for pattern in IN_CONTEXT.values())
_NAMES_PATTERN = f"(?i-u:{_alternatives(list(_UNDOUBTED))})|{_alternatives(list(_ORDINARY))}"
_MISLEADING_PATTERN = "|".join(f"(?:{pattern})" for pattern in MISLEADING)
_PATTERN = re.sub(
    r"(?<!-u:)\\b", r"(?-u:\\b)", f"{_MISLEADING_PATTERN}|{_CONTEXT_PATTERN}|{_NAMES_PATTERN}"
)
"""With ASCII word boundaries: the Unicode ones cost a thousand times as much."""

_read_again = re.compile(_NAMES_PATTERN.replace(r"(?-u:\b)", r"\b").replace("(?i-u:", "(?i:"))
_misleading = re.compile(_MISLEADING_PATTERN)
_in_context = {name: re.compile(pattern) for name, pattern in IN_CONTEXT.items()}


def _canonical_names(matches: pl.Series) -> pl.Series:
    meanings: dict[str, tuple[tuple[str, bool], ...]] = {}
    rows: list[list[str]] = []
    for row in matches.to_list():
        certain: dict[str, None] = {}
        doubtful: dict[str, None] = {}
        for match in row or ():
            meaning = meanings.get(match)
            if meaning is None:
                meaning = meanings[match] = _meaning(match)
            for name, is_certain in meaning:
                (certain if is_certain else doubtful)[name] = None
        if doubtful and len(certain) >= CORROBORATION:
            certain |= doubtful
        rows.append(sorted(list(certain)[:MAX_SKILLS]))
    return pl.Series(matches.name, rows, dtype=pl.List(pl.String))


def _meaning(match: str) -> tuple[tuple[str, bool], ...]:
    """The names that a match stands for, each with whether it is beyond doubt."""
    if _misleading.fullmatch(match):
        return ()
    found: dict[str, bool] = {}
    for name, pattern in _in_context.items():
        if pattern.fullmatch(match):
            found[name] = True
    for spelling in _read_again.findall(match):
        certain = _UNDOUBTED.get(spelling.lower())
        name = certain or _ORDINARY[spelling]
        found[name] = found.get(name, False) or certain is not None
    return tuple(found.items())
