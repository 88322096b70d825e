"""What goes to other programs or comes from them: schemas for editors, scenarios of Conveyal Analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from community_routes.base.errors import UsageError
from community_routes.commands.options import Common, StudyArgument
from community_routes.commands.session import opened_study, session

DONE_IN_PART = 3


def import_conveyal(
    study: StudyArgument,
    file: Annotated[Path, typer.Argument(help="Scenario of Conveyal Analysis (JSON).", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", help="Scenario file to write.", show_default="FILE.yaml beside the JSON")
    ] = None,
    *,
    common: Common,
) -> None:
    """Write a scenario of Conveyal Analysis as a scenario file, with comments on what could not be carried over (exit 3)."""
    from community_routes.base.notices import Notice, errors_in
    from community_routes.report.cells import publish
    from community_routes.scenarios.conveyal.read import conveyal_as_yaml, read_conveyal, read_modifications

    path = out if out is not None else file.with_suffix(".yaml")
    if path.suffix.lower() != ".yaml":
        raise UsageError(f"{path.name}: a scenario is written as a file that ends in .yaml")
    if path.exists():
        raise UsageError(f"{path} is there already; choose another name")
    with session(common, f"reading {study.name}") as console:
        opened = opened_study(console, study, common)
        found: list[Notice] = []
        scenario = read_conveyal(file, opened.feed, notices=found, partly=True)
        scenario = scenario.named(path.stem)
        publish(path, conveyal_as_yaml(scenario, read_modifications(file), found).encode("utf-8"))
    console.log_notices(found)
    for notice in found:
        console.remark(str(notice))
    lost = len({notice.field.partition(".")[0] for notice in errors_in(found)})
    parts = f", {lost} modification{'' if lost == 1 else 's'} not carried over" if lost else ""
    n = len(scenario.changes)
    console.say(f"{path}: {n} change{'' if n == 1 else 's'}{parts}; next: community-routes check {study} {path}")
    if lost:
        raise typer.Exit(DONE_IN_PART)


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
