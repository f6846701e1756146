"""The sources that the simulator plays, one file each."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.simulator.apis import adzuna, jsearch, remoteok
from pipeline.simulator.source_api import SourceApi

APIS: Mapping[str, SourceApi] = {
    api.name: api for api in (jsearch.JSearchApi(), adzuna.AdzunaApi(), remoteok.RemoteOkApi())
}
"""By name. Each asks the same chance in turn whether it shows an opening: add one at the end, and
the postings of the others stay as they are. An opening that none shows goes to the first."""
