"""The command that prints JSON schemas, with which editors complete the keys of study and scenario files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from community_routes.commands.options import Common
from community_routes.commands.session import session


def schema(
    kind: Annotated[Literal["study", "scenario"], typer.Argument(help="Which kind of file.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write.", show_default="printed on the terminal")
    ] = None,
    *,
    common: Common,
) -> None:
    """Print the JSON schema of study or scenario files, with which editors complete keys and mark faults."""
    from community_routes.report.cells import publish
    from community_routes.scenarios.schema import scenario_schema
    from community_routes.sources.study.file import study_schema
    from community_routes.sources.study.yaml import schema_text

    with session(common, f"the schema of {kind} files") as console:
        text = schema_text(study_schema() if kind == "study" else scenario_schema())
        if out is not None:
            publish(out, text.encode("utf-8"))
    if out is None:
        typer.echo(text, nl=False)
    else:
        console.say(str(out))
