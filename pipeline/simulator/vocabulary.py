"""What the simulated market is made of: places, roles, and the fragments of its adverts.

All companies and products are invented. Salary levels are round figures in the order of what
each country pays; they make the data plausible, not a survey.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Country:
    """A country as its adverts see it. ``pay`` is a usual yearly salary of an engineer in
    ``currency``; ``adzuna_name`` and ``adzuna_host`` are set where Adzuna has an edition."""

    code: str
    name: str
    currency: str
    pay: int
    weight: int
    adzuna_name: str | None = None
    adzuna_host: str | None = None


@dataclass(frozen=True)
class Place:
    city: str
    region: str
    region_code: str
    latitude: float
    longitude: float


COUNTRIES = [
    Country("US", "United States", "USD", 140_000, 44, "US", "www.adzuna.com"),
    Country("GB", "United Kingdom", "GBP", 68_000, 20, "UK", "www.adzuna.co.uk"),
    Country("DE", "Germany", "EUR", 72_000, 8, "Deutschland", "www.adzuna.de"),
    Country("CA", "Canada", "CAD", 115_000, 6, "Canada", "www.adzuna.ca"),
    Country("NL", "Netherlands", "EUR", 70_000, 4, "Nederland", "www.adzuna.nl"),
    Country("FR", "France", "EUR", 58_000, 4, "France", "www.adzuna.fr"),
    Country("AU", "Australia", "AUD", 140_000, 3, "Australia", "www.adzuna.com.au"),
    Country("IN", "India", "INR", 2_600_000, 4, "India", "www.adzuna.in"),
    Country("PL", "Poland", "PLN", 220_000, 3, "Polska", "www.adzuna.pl"),
    Country("ES", "Spain", "EUR", 48_000, 2, "España", "www.adzuna.es"),
    Country("IE", "Ireland", "EUR", 78_000, 2),
]

PLACES = {
    "US": [
        Place("Austin", "Texas", "TX", 30.2672, -97.7431),
        Place("New York", "New York", "NY", 40.7128, -74.006),
        Place("Seattle", "Washington", "WA", 47.6062, -122.3321),
        Place("San Francisco", "California", "CA", 37.7749, -122.4194),
        Place("Chicago", "Illinois", "IL", 41.8781, -87.6298),
        Place("Denver", "Colorado", "CO", 39.7392, -104.9903),
        Place("Atlanta", "Georgia", "GA", 33.749, -84.388),
        Place("Boston", "Massachusetts", "MA", 42.3601, -71.0589),
    ],
    "GB": [
        Place("London", "Greater London", "ENG", 51.5085, -0.1257),
        Place("Manchester", "Greater Manchester", "ENG", 53.4809, -2.2374),
        Place("Leeds", "West Yorkshire", "ENG", 53.7965, -1.5478),
        Place("Edinburgh", "Scotland", "SCT", 55.9521, -3.1965),
        Place("Bristol", "South West England", "ENG", 51.4552, -2.5966),
    ],
    "DE": [
        Place("Berlin", "Berlin", "BE", 52.5244, 13.4105),
        Place("München", "Bayern", "BY", 48.1374, 11.5755),
        Place("Hamburg", "Hamburg", "HH", 53.5753, 10.0153),
        Place("Köln", "Nordrhein-Westfalen", "NW", 50.9333, 6.95),
    ],
    "CA": [
        Place("Toronto", "Ontario", "ON", 43.7001, -79.4163),
        Place("Montréal", "Québec", "QC", 45.5088, -73.5878),
        Place("Vancouver", "British Columbia", "BC", 49.2497, -123.1193),
    ],
    "NL": [
        Place("Amsterdam", "Noord-Holland", "NH", 52.374, 4.8897),
        Place("Utrecht", "Utrecht", "UT", 52.0908, 5.1222),
    ],
    "FR": [
        Place("Paris", "Île-de-France", "IDF", 48.8534, 2.3488),
        Place("Lyon", "Auvergne-Rhône-Alpes", "ARA", 45.7485, 4.8467),
    ],
    "AU": [
        Place("Sydney", "New South Wales", "NSW", -33.8679, 151.2073),
        Place("Melbourne", "Victoria", "VIC", -37.814, 144.9633),
    ],
    "IN": [
        Place("Bengaluru", "Karnataka", "KA", 12.9719, 77.5937),
        Place("Pune", "Maharashtra", "MH", 18.5196, 73.8553),
    ],
    "PL": [
        Place("Kraków", "Małopolskie", "MA", 50.0614, 19.9366),
        Place("Warszawa", "Mazowieckie", "MZ", 52.2298, 21.0118),
    ],
    "ES": [
        Place("Madrid", "Comunidad de Madrid", "MD", 40.4165, -3.7026),
        Place("Barcelona", "Cataluña", "CT", 41.3888, 2.159),
    ],
    "IE": [Place("Dublin", "Leinster", "L", 53.3331, -6.2489)],
}


@dataclass(frozen=True)
class Discipline:
    """A kind of work. ``category`` is the truth that a classifier should find: None where the
    product leaves the opening out. ``pay`` is a factor on the country's usual salary."""

    category: str | None
    weight: int
    titles: tuple[str, ...]
    skills: tuple[str, ...]
    objects: tuple[str, ...]
    adzuna_category: tuple[str, str] = ("it-jobs", "IT Jobs")
    pay: float = 1.0
    has_team: bool = True


DISCIPLINES = [
    Discipline(
        "backend", 26,
        ("Backend Engineer", "Backend Developer", "Software Engineer, Backend", "Back-End Engineer",
         "Python Backend Engineer", "Java Backend Developer", "Go Backend Engineer",
         "Backend Software Engineer", "API Engineer", "Node.js Backend Developer"),
        ("Python", "Go", "Java", "Kotlin", "Rust", "Node.js", "PostgreSQL", "Kafka", "gRPC",
         "Redis", "FastAPI", "Spring Boot", "Django", "GraphQL", "MySQL", "RabbitMQ", "Docker"),
        ("REST and gRPC services", "the data model behind {product}", "asynchronous workers",
         "payment and billing flows", "event-driven pipelines", "public APIs for {product}",
         "queries that stay quick on large tables", "authentication and permissions",
         "the search that customers use every day", "idempotent consumers"),
    ),
    Discipline(
        "devops", 12,
        ("DevOps Engineer", "DevOps Specialist", "AWS DevOps Engineer", "Azure DevOps Engineer",
         "DevOps Consultant", "CI/CD Engineer", "Build and Release Engineer"),
        ("Terraform", "Kubernetes", "Jenkins", "GitLab CI", "Ansible", "Helm", "AWS", "Azure",
         "Docker", "Linux", "Argo CD", "Bash", "Python", "Prometheus", "GitHub Actions"),
        ("delivery pipelines", "infrastructure as code", "build caches and runners",
         "container images", "release automation", "secrets management", "test environments",
         "deployment of {product} to every region", "cost reports", "base images"),
    ),
    Discipline(
        "sre", 8,
        ("Site Reliability Engineer", "SRE", "Production Engineer", "Site Reliability Engineer II",
         "SRE, Observability"),
        ("Kubernetes", "Prometheus", "Grafana", "Go", "Python", "Linux", "OpenTelemetry", "AWS",
         "GCP", "Terraform", "Kafka", "PagerDuty", "eBPF", "Cassandra", "PostgreSQL"),
        ("service level objectives", "incident response", "capacity plans", "alert quality",
         "failover exercises", "the on-call rotation for {product}", "tracing across services",
         "load shedding", "runbooks that a tired colleague can follow", "error budgets"),
    ),
    Discipline(
        "cloud", 9,
        ("Cloud Engineer", "AWS Cloud Engineer", "Azure Cloud Engineer", "GCP Cloud Engineer",
         "Cloud Infrastructure Engineer", "Cloud Architect", "Cloud Operations Engineer"),
        ("AWS", "Azure", "GCP", "Terraform", "CloudFormation", "Kubernetes", "Python", "IAM",
         "Linux", "Lambda", "Pulumi", "Networking", "EKS", "PowerShell", "Docker"),
        ("landing zones", "network topologies", "migrations from our data centre",
         "identity and access policies", "serverless workloads", "backup and recovery",
         "accounts and budgets for forty teams", "private connectivity", "cloud guardrails",
         "the regions in which {product} runs"),
    ),
    Discipline(
        "platform", 9,
        ("Platform Engineer", "Infrastructure Engineer", "Software Engineer, Platform",
         "Kubernetes Platform Engineer", "Developer Platform Engineer",
         "Software Engineer, Infrastructure"),
        ("Kubernetes", "Go", "Terraform", "Backstage", "Helm", "Linux", "Crossplane", "Python",
         "AWS", "Envoy", "Istio", "PostgreSQL", "Argo CD", "Rust", "Docker"),
        ("the internal developer platform", "golden paths", "service templates",
         "multi-tenant clusters", "the service mesh", "self-service databases",
         "paved roads for {product}", "operators and controllers", "quota and scheduling",
         "upgrade automation"),
    ),
    Discipline(
        "frontend", 4,
        ("Frontend Engineer", "React Developer", "UI Engineer", "Vue.js Frontend Developer"),
        ("TypeScript", "React", "CSS", "Vue.js", "Playwright", "GraphQL"),
        ("accessible components", "the design system", "page speed", "the checkout of {product}",
         "visual regression tests"),
    ),
    Discipline(
        "mobile", 2,
        ("iOS Engineer", "Android Developer", "Mobile Engineer"),
        ("Swift", "Kotlin", "React Native", "GraphQL", "Firebase"),
        ("offline screens", "push messages", "the app of {product}", "releases to the stores"),
    ),
    Discipline(
        "fullstack", 2,
        ("Full Stack Engineer", "Full-Stack Developer", "Fullstack Software Engineer"),
        ("TypeScript", "React", "Node.js", "PostgreSQL", "Python", "Docker"),
        ("{product} from the page to the table", "forms and their services", "reports"),
    ),
    Discipline(
        "data_science", 3,
        ("Data Analyst", "Business Intelligence Analyst", "Data Scientist"),
        ("Python", "SQL", "dbt", "Tableau", "R"),
        ("churn models", "dashboards for {product}", "experiments", "forecasts",
         "metrics that the board reads"),
    ),
    Discipline(
        "data_engineering", 2,
        ("Data Engineer", "Analytics Engineer", "Data Warehouse Engineer"),
        ("Python", "SQL", "Spark", "Airflow", "dbt", "Snowflake"),
        ("pipelines into the warehouse", "the data of {product}", "late and broken events"),
    ),
    Discipline(
        "ml_ai", 2,
        ("Machine Learning Scientist", "Machine Learning Engineer", "MLOps Engineer"),
        ("Python", "PyTorch", "MLflow", "Kubernetes", "Spark"),
        ("feature stores", "models that rank {product}", "training runs", "evaluation sets"),
    ),
    Discipline(
        "security", 2,
        ("Security Engineer", "Application Security Engineer", "Penetration Tester"),
        ("Burp Suite", "Python", "Linux", "OpenID Connect", "Wireshark"),
        ("threat models", "findings of audits", "the hardening of {product}"),
    ),
    Discipline(
        "qa", 2,
        ("QA Engineer", "Test Automation Engineer", "SDET"),
        ("Selenium", "Playwright", "Python", "Java", "Cypress"),
        ("regression suites", "test plans for {product}", "flaky tests"),
    ),
    Discipline(
        "embedded", 2,
        ("Embedded Software Engineer", "Firmware Engineer"),
        ("C", "C++", "FreeRTOS", "Zephyr", "Linux"),
        ("drivers", "bootloaders", "power budgets of {product}"),
    ),
    Discipline(
        "management", 2,
        ("Engineering Manager", "Technical Program Manager", "Head of Engineering"),
        ("Jira", "Confluence", "Scrum"),
        ("plans for three teams", "hiring", "the roadmap of {product}"),
        has_team=False,
    ),
    Discipline(
        "support_it", 2,
        ("IT Support Specialist", "Technical Support Engineer", "Helpdesk Technician"),
        ("Windows", "Microsoft 365", "Active Directory", "macOS"),
        ("tickets of colleagues", "laptops and accounts", "questions about {product}"),
        has_team=False,
    ),
    Discipline(
        "other_tech", 2,
        ("Network Engineer", "Database Administrator", "SAP Consultant"),
        ("Cisco", "Oracle Database", "SAP", "Linux", "BGP"),
        ("branch networks", "backups", "interfaces of {product}"),
        has_team=False,
    ),
    Discipline(
        None, 4, ("Product Designer", "UX Designer", "Graphic Designer", "Brand Designer"),
        ("Figma", "Prototyping", "User Research", "Illustration", "Typography"),
        ("user journeys", "the visual language of {product}", "usability studies", "icon sets",
         "campaign artwork", "wireframes"),
        ("creative-design-jobs", "Creative & Design Jobs"), 0.75,
    ),
    Discipline(
        None, 7,
        ("Account Executive", "Sales Development Representative", "Cloud Sales Specialist",
         "Account Manager", "Regional Sales Manager", "Sales Engineer"),
        ("Salesforce", "Negotiation", "Forecasting", "HubSpot", "Prospecting"),
        ("a pipeline of new accounts", "renewals of {product}", "quarterly reviews",
         "partner relations", "demonstrations for cloud platform buyers", "territory plans"),
        ("sales-jobs", "Sales Jobs"), 0.8,
    ),
    Discipline(
        None, 5,
        ("Registered Nurse", "Staff Nurse", "Community Nurse", "Healthcare Assistant"),
        ("Patient Care", "Triage", "Medication Rounds", "First Aid"),
        ("care plans", "medication rounds", "discharge notes", "admissions", "ward handovers"),
        ("healthcare-nursing-jobs", "Healthcare & Nursing Jobs"), 0.5, False,
    ),
    Discipline(
        None, 4,
        ("Delivery Driver", "HGV Class 1 Driver", "Warehouse Operative", "Forklift Driver"),
        ("Driving Licence", "Tachograph", "Route Planning", "Manual Handling"),
        ("deliveries on time", "vehicle checks", "loading and unloading", "paperwork at the dock"),
        ("logistics-warehouse-jobs", "Logistics & Warehouse Jobs"), 0.4, False,
    ),
    Discipline(
        None, 4,
        ("Reliability Maintenance Technician", "Mechanical Engineer", "Electrical Engineer",
         "Offshore Platform Crane Operator"),
        ("PLC", "CAD", "Hydraulics", "Preventive Maintenance", "SolidWorks"),
        ("conveyors and sorters", "preventive maintenance", "spare parts", "safety inspections",
         "the platform crane", "fault reports"),
        ("engineering-jobs", "Engineering Jobs"), 0.6, False,
    ),
]  # fmt: skip

LEVELS = [("", 34), ("Senior", 34), ("Junior", 8), ("Lead", 8), ("Staff", 8), ("Principal", 8)]
LEVEL_PAY = {"": 1.0, "Senior": 1.2, "Junior": 0.7, "Lead": 1.3, "Staff": 1.45, "Principal": 1.6}
TEAMS = [
    "Payments", "Search", "Identity", "Growth", "Observability", "Data Ingestion", "Billing",
    "Messaging", "Marketplace", "Logistics", "Risk", "Core", "Mobile API", "Storage", "Networking",
]  # fmt: skip

COMPANY_STARTS = [
    "Alder", "Amber", "Arbor", "Beacon", "Birch", "Bram", "Calder", "Cedar", "Cinder", "Copper",
    "Corvid", "Dapple", "Dorn", "Ember", "Fallow", "Fen", "Flint", "Frost", "Garnet", "Gable",
    "Glen", "Harrow", "Hazel", "Heron", "Indigo", "Juniper", "Kelp", "Kestrel", "Lark", "Linden",
    "Loam", "Maple", "Marl", "Merle", "Moss", "Nettle", "Oriel", "Osprey", "Peat", "Pebble",
    "Plover", "Quarry", "Quill", "Rook", "Rowan", "Russet", "Sable", "Sedge", "Slate", "Sorrel",
    "Tallow", "Tarn", "Teasel", "Thistle", "Umber", "Vale", "Wick", "Willow", "Wren", "Yarrow",
]  # fmt: skip
COMPANY_ENDS = [
    "bank", "beam", "bridge", "brook", "burst", "cast", "craft", "crest", "dale", "field", "flow",
    "ford", "forge", "gate", "grid", "grove", "guard", "haven", "hub", "lane", "leaf", "line",
    "link", "mark", "mill", "mint", "path", "pay", "point", "port", "quest", "reach", "ridge",
    "scale", "shift", "side", "sync", "stone", "ware", "works",
]  # fmt: skip
COMPANY_KINDS = [
    "", " Labs", " Systems", " Health", " & Partners", " Software", " Analytics", " Mobility",
    " Robotics", " Energy", " Media", " Security", " Logistics", " Commerce", " Finance",
    " & Daughters", " Games", " Insurance", " Networks", " Cloud", " Studio", " Education",
    " Foods", " Travel", " Devices", " Genomics", " Maps", " Retail", " Interactive", " Data",
    " Research", " Ventures", " Marine", " Aerospace", " Telecom", " Legal", " Homes", " Care",
    " Sports", " Rail",
]  # fmt: skip
LEGAL_FORMS = {
    "US": ("Inc", "Inc.", "LLC"), "GB": ("Ltd", "Ltd.", "Limited"), "DE": ("GmbH", "AG"),
    "CA": ("Inc.", "Corp."), "NL": ("B.V.",), "FR": ("SAS",), "AU": ("Pty Ltd",),
    "IN": ("Pvt. Ltd.",), "PL": ("Sp. z o.o.",), "ES": ("S.L.",), "IE": ("Limited",),
}  # fmt: skip
PRODUCTS = [
    "a booking engine", "a ledger for small shops", "a marketplace for spare parts",
    "an energy trading desk", "a learning app", "a clinical records system", "a freight exchange",
    "a fraud detector", "a mapping service", "a subscription billing tool", "a telematics platform",
    "an e-signature service", "a ticketing system", "a recipe box", "a telephone exchange",
    "a claims handler", "a warehouse robot", "a video studio", "a tutoring site", "a loyalty card",
]  # fmt: skip
CUSTOMERS = [
    "hospitals", "small shops", "hauliers", "schools", "insurers", "football clubs", "farmers",
    "city councils", "broadcasters", "airlines", "bakeries", "law firms", "landlords", "museums",
]  # fmt: skip

VERBS = [
    "Design", "Build", "Own", "Improve", "Operate", "Simplify", "Document", "Review", "Automate",
    "Measure", "Extend", "Maintain", "Plan", "Test", "Lead the work on", "Take responsibility for",
]  # fmt: skip
PURPOSES = [
    "so that a release is an ordinary event", "together with two sister teams",
    "from the first sketch to production", "with an eye on cost",
    "and explain your choices in writing", "for {customers} in nine countries",
    "under real load", "and retire what nobody uses", "with the people who use them",
    "before our customers notice a problem", "to the standard that auditors expect",
    "and teach what you learn", "in small, reversible steps", "as we grow from 40 to 90 people",
    "while keeping the pager quiet", "and keep them boring",
]  # fmt: skip
REQUIREMENTS = [
    "{years}+ years of professional experience with {skill}",
    "Solid knowledge of {skill} and {other}", "You have shipped something real in {skill}",
    "Hands-on experience with {skill}, ideally also {other}",
    "A working understanding of {skill}; we can teach you {other}",
    "Confidence in {skill} and curiosity about everything next to it",
    "Practical experience running {skill} in production", "Daily use of {skill} or {other}",
    "Written and spoken English at a professional level",
    "A degree in a relevant subject, or the experience that replaces one",
    "You give and take feedback without drama", "You ask why before you ask how",
    "The patience to find the cause and not only the cure",
]  # fmt: skip
EXTRAS = [
    "Experience with {other}", "Contributions to open-source software", "Another language",
    "Knowledge of the market of {customers}", "Talks or articles that you are proud of",
    "Having worked in a regulated industry", "A certificate in {skill}",
]  # fmt: skip
BENEFITS = [
    "{days} days of paid holiday", "A learning budget of {budget} a year",
    "Private health insurance",
    "Stock options from the first day", "A four-day week in August",
    "Parental leave of {weeks} weeks",
    "A pension plan with employer contribution", "Public transport ticket", "Flexible hours",
    "A laptop of your choice", "Lunch in the office on Tuesdays", "Two volunteering days",
    "Relocation support", "A yearly meeting of the whole company by the sea", "Gym membership",
    "Childcare allowance", "Bicycle leasing", "Paid on-call duty",
]  # fmt: skip
INTROS = [
    "We are looking for a {title} to join our {team} team.",
    "As a {title} you will work with {skill} and {other} every day.",
    "Our {team} team is growing, and with it our need for a {title}.",
    "This is a {title} role for somebody who likes both depth and daylight.",
    "You would be number {count} in the {team} team, next to people with very different pasts.",
    "The role reports to the head of {team} and is open to career changers.",
    "Your first month is for reading, pairing and asking; after that you own a part of {product}.",
    "The team has {count} people, meets on Mondays and writes things down.",
    "Most days you will use {skill}; some days {other}; on a few, a whiteboard.",
]  # fmt: skip
ABOUTS = [
    "{company} makes {product_long} for {customers}.",
    "Founded in {year}, {company} brings {product_long} to {customers} in {count} countries.",
    "At {company} we believe that {customers} deserve better tools.",
    "Every day, more than {thousands},000 people rely on {product}.",
    "We are {people} people of {count} nationalities, profitable since {year}.",
    "Our customers are {customers}; our promise is that {product} works when they need it.",
    "We publish our salaries, our roadmap and our mistakes.",
    "Our headquarters are by the river; many of us work from somewhere else.",
    "We’re backed by patient investors who read the footnotes.",
]  # fmt: skip
CLOSINGS = [
    "{company} is an equal opportunity employer; we hire people, not checklists.",
    "Apply with a CV or a link; a cover letter isn’t needed.",
    "The process has {steps} conversations and takes about two weeks.",
    "If you’re unsure whether you fit, write to us anyway.",
    "All qualified applicants will receive consideration without regard to age, origin, religion, "
    "gender, sexual orientation or disability.",
    "Reference number {requisition}.",
]  # fmt: skip
TRAILER_WORDS = [
    "AMELIORATE", "BUOYANT", "CANDID", "DELIGHT", "EARNEST", "FRUITFUL", "GENIAL", "HEARTEN",
    "INGENUITY", "JUBILANT", "LUCID", "MERRY", "NOBLE", "PLUCKY", "RADIANT", "STELLAR", "VIVID",
]  # fmt: skip
PUBLISHERS = {
    "LinkedIn": "https://www.linkedin.com/jobs/view/{slug}-{serial}",
    "Indeed": "https://www.indeed.com/viewjob?jk={hex}",
    "Glassdoor": "https://www.glassdoor.com/job-listing/j?jl={serial}",
    "ZipRecruiter": "https://www.ziprecruiter.com/c/{company}/Job/{slug}?jid={hex}",
    "BeBee": "https://bebee.com/jobs/{slug}--{hex}",
}
