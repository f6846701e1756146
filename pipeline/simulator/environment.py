"""The variables that let the pipeline ask the simulator, and nobody else."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.simulator.apis import APIS
from pipeline.sources import SOURCES

_UNLIMITED = "1000000"


def environment(base_url: Callable[[str], str]) -> dict[str, str]:
    """For each source that is played its base URL, keys, and a cadence and quotas that let each
    run ask it. Every other one is switched off: it would be asked on the real internet."""
    variables: dict[str, str] = {}
    for name, source in SOURCES.items():
        variable = source.settings.variable
        if name not in APIS:
            variables[variable("enabled")] = "false"
            continue
        variables |= {
            variable("enabled"): "true",
            variable("base_url"): base_url(name),
            variable("interval_minutes"): "0",
        }
        variables |= dict.fromkeys(source.settings.key_variables(), "demo")
        for period in ("minute", "day", "week", "month"):
            variables[variable(f"quota_per_{period}")] = _UNLIMITED
    return variables
