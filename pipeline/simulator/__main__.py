"""``python -m pipeline.simulator``: serve the imitated source APIs until Ctrl-C."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from pipeline.simulator.market import Market
from pipeline.simulator.server import SimulatorError, serve


def main(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    seed: Annotated[int, typer.Option(help="Another seed, another market.")] = 1,
    size: Annotated[int, typer.Option(min=1, help="Openings at any time.")] = 2_000,
    speed: Annotated[
        float, typer.Option(min=0.01, max=3600, help="How much faster openings come and go.")
    ] = 1.0,
) -> None:
    """Imitate the sources with generated, changing postings."""
    try:
        with serve(port, Market(seed, size, speed)) as server:
            typer.echo(f"# The simulated sources are at {server.url}. Ctrl-C stops them.")
            for name, value in server.environment.items():
                typer.echo(f"export {name}={value}")
            # Polars' handler of signals restarts a wait for a lock: Ctrl-C would not end it.
            signal.pause()
    except SimulatorError as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    typer.run(main)
