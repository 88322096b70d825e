"""Options that every command has, described once."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer
import typer.models

from community_routes.base.columns import TableKind
from community_routes.base.version import __version__


def print_version(wanted: bool) -> None:
    """Print the version and leave, where it is wanted."""
    if wanted:
        typer.echo(f"community-routes {__version__}")
        raise typer.Exit


StudyArgument = Annotated[Path, typer.Argument(help="The study file (YAML).", show_default=False)]
Threads = Annotated[
    int,
    typer.Option(
        "--threads", min=1, help="Threads of the search; results do not depend on it.", show_default="all cores"
    ),
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", min=0, help="Seed of whatever is drawn at random.", show_default="that of the study"),
]
Cache = Annotated[
    str | None,
    typer.Option(
        "--cache", help="Folder for what is kept between runs, or `none`.", show_default="the user's cache folder"
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print results and faults only.")]
LogJson = Annotated[bool, typer.Option("--log-json", help="Log to standard error, one JSON object a line.")]
Timings = Annotated[
    Path | None,
    typer.Option("--timings", help="Write the seconds of each stage to this JSON file.", show_default=False),
]
Version = Annotated[
    bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.", hidden=True)
]


class EngineKind(StrEnum):
    """Who works on the blocks of a search."""

    LOCAL = "local"
    DASK = "dask"


EngineChoice = Annotated[
    EngineKind,
    typer.Option(
        "--engine",
        help="Who searches: `local` (threads of this machine) or `dask` (workers, also of other machines; needs the extra"
        " cluster).",
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        help="Address of a dask scheduler, as in tcp://10.0.0.5:8786.",
        show_default="workers of this machine",
    ),
]
Draws = Annotated[
    int,
    typer.Option(
        "--draws", min=0, help="Joint draws for intervals where clock times are assumed; at least 200, or 0 for none."
    ),
]
LeastChange = Annotated[
    float,
    typer.Option(
        "--least-change",
        min=0,
        max=50,
        help="Percent of today's figure up to which a change counts as none where gains and losses are counted.",
    ),
]
Maps = Annotated[bool, typer.Option("--maps/--no-maps", help="Write maps/ (PNG and SVG) for other documents.")]
Pdf = Annotated[bool, typer.Option("--pdf", help="Write report.pdf as well (needs the extra pdf).")]
Xlsx = Annotated[bool, typer.Option("--xlsx", help="Write tables.xlsx as well (needs the extra xlsx).")]
KeepInputs = Annotated[
    bool | None,
    typer.Option(
        "--keep-inputs/--no-keep-inputs",
        help="Copy all inputs into inputs/, for `compare` in later years.",
        show_default="unless they hold more than 500 MB",
    ),
]
LongTables = Annotated[
    TableKind,
    typer.Option(
        "--tables",
        help="Write access, comparison and groups as `csv` or `parquet`; `auto` is parquet above a million rows.",
    ),
]
Template = Annotated[
    Path | None,
    typer.Option("--template", help="Folder whose files stand in for the report's own: name, colours, logo, wording."),
]
_VALUES: dict[Any, str] = {int: "N", float: "NUMBER", str: "TEXT"}


@dataclass(frozen=True)
class Common:
    """The options that every command has, gathered."""

    threads: Threads = os.cpu_count() or 1
    seed: Seed = None
    cache: Cache = None
    quiet: Quiet = False
    log_json: LogJson = False
    timings: Timings = None


def as_command(function: Callable[..., None]) -> Callable[..., None]:
    """A function as Typer takes it: with the options that every command has in the place of its parameter ``common``.

    What its options take is said in words (FILE, DIR, N), its arguments stand in capitals, for `--help`.
    """
    everybody = get_type_hints(Common, include_extras=True)
    hints = {**get_type_hints(function, include_extras=True), **everybody, "version": Version}
    own = [part for part in inspect.signature(function).parameters.values() if part.name != "common"]
    added = {part.name: part.default for part in fields(Common)} | {"version": False}
    everywhere = (
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value) for name, value in added.items()
    )
    signature = inspect.Signature([part.replace(annotation=hints[part.name]) for part in (*own, *everywhere)])

    @wraps(function)
    def command(**given: Any) -> None:
        del given["version"]
        function(
            **{part.name: given[part.name] for part in own}, common=Common(**{name: given[name] for name in everybody})
        )

    for name, hint in hints.items():
        for info in getattr(hint, "__metadata__", ()):
            if isinstance(info, typer.models.ParameterInfo) and info.metavar is None:
                kind = getattr(hint, "__origin__", hint)
                info.metavar = _metavar(name, info, {kind, *get_args(kind)})
    command.__signature__ = signature  # type: ignore[attr-defined]
    command.__annotations__ = {name: hint for name, hint in hints.items() if name != "common"}
    return command


def _metavar(name: str, info: Any, kinds: set[Any]) -> str | None:
    """How the value of a parameter is called; None leaves it to Typer."""
    several = any(get_origin(kind) is list or kind is list for kind in kinds)
    if isinstance(info, typer.models.ArgumentInfo):
        return (name.removesuffix("s") if several else name).upper()
    inside = {part for kind in kinds for part in (get_args(kind) or (kind,))}
    if (info.help or "").startswith("Folder"):
        return "DIR"
    if Path in inside:
        return "FILE"
    return next((word for kind, word in _VALUES.items() if kind in inside), None)
