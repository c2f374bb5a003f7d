"""`hitpoint train`: train a checkpoint."""

from __future__ import annotations

from pathlib import Path

import click


def _weights(_context: click.Context, _parameter: click.Parameter, value: str) -> dict[str, float]:
    """ "band=1,real5=4" -> {"band": 1.0, "real5": 4.0}."""
    try:
        pairs = [item.split("=") for item in value.split(",") if item]
        return {name.strip(): float(weight) for name, weight in pairs}
    except ValueError:
        raise click.BadParameter("write it as NAME=WEIGHT,NAME=WEIGHT") from None


@click.command()
@click.argument("shards", type=click.Path(path_type=Path))
@click.option(
    "--run", type=click.Path(path_type=Path), required=True, help="The run folder; an existing run is continued."
)
@click.option("--config", default="default", show_default=True, help="Which network: default, paper or paper-small.")
@click.option("--steps", type=click.IntRange(1), default=4000, show_default=True, help="Number of updates in all.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="End after so long, the rate fallen to zero.")
@click.option("--from", "start", default="", help="Begin a new run with a checkpoint's weights; `shipped` is ours.")
@click.option("--batch", type=click.IntRange(1), default=8, show_default=True, help="Windows per update.")
@click.option("--length", type=click.IntRange(64), default=1024, show_default=True, help="Rows per window.")
@click.option(
    "--learning-rate",
    type=click.FloatRange(0, 1),
    default=0.02,
    show_default=True,
    help="Learning rate of the matrices.",
)
@click.option("--mix", default="", callback=_weights, help="Weights of data sets: band=1,real5=4.")
@click.option(
    "--last-mix", default="", callback=_weights, help="Weights in the last phase; data set or data set:source."
)
@click.option(
    "--last-share", type=click.FloatRange(0, 1), default=0.2, show_default=True, help="The last phase's share."
)
@click.option(
    "--evaluate-every", type=click.IntRange(1), default=250, show_default=True, help="Updates between validations."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of every random draw.")
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda.")
@click.option("--threads", type=click.IntRange(1), default=None, help="Threads of each process.")
@click.option(
    "--processes", type=click.IntRange(1), default=None, help="Processes that share a batch; on a processor one a core."
)
@click.option(
    "--compile",
    "compiled",
    type=click.Choice(["auto", "on", "off"]),
    default="auto",
    show_default=True,
    help="Compile the network first. auto: on a graphics card, and in long runs where a C++ compiler is installed.",
)
@click.option("--note", default="", help="For the checkpoint's card: whose music, under which licences.")
def command(
    shards: Path, run: Path, config: str, device: str, threads: int | None, processes: int | None, compiled: str,
    note: str, start: str, **rest: object,
) -> None:  # fmt: skip
    """Train on SHARDS (from `hitpoint data build`). Under `torchrun` several processes train together."""
    from hitpoint.model.errors import UsageError
    from hitpoint.model.network.checkpoint import SHIPPED
    from hitpoint.model.network.network import CONFIGS
    from hitpoint.model.training.recipe import Recipe
    from hitpoint.model.training.together import train_together

    if config not in CONFIGS:
        raise UsageError(f"there is no network {config}; choose from {', '.join(CONFIGS)}")
    recipe = Recipe(config=config, **rest)  # type: ignore[arg-type]
    begin = SHIPPED if start == "shipped" else Path(start) if start else None
    path = train_together(
        shards, run, recipe, processes, device=device, threads=threads, note=note, start_from=begin, compiled=compiled,
        say=click.echo,
    )  # fmt: skip
    click.echo(f"wrote {path}")
