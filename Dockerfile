FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements/run.lock /build/requirements/run.lock
RUN /opt/venv/bin/pip install --require-hashes --requirement /build/requirements/run.lock
COPY pyproject.toml README.md LICENSE /build/
COPY pipeline /build/pipeline
COPY serving /build/serving
RUN /opt/venv/bin/pip install --no-deps /build

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 10001 jobs \
    && mkdir -p /app/data /app/logs \
    && chown -R jobs:jobs /app
COPY --from=build /opt/venv /opt/venv
COPY dagster.yaml workspace.yaml /app/
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 DAGSTER_HOME=/app
WORKDIR /app
USER jobs
VOLUME ["/app/data", "/app/logs"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["job-market"]
CMD ["serve"]
