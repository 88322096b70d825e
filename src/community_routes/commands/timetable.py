"""Proposals as files and timetables: a template, the difference in words, the changed timetable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from community_routes.base.errors import UsageError
from community_routes.commands.options import Common, StudyArgument
from community_routes.commands.session import opened_study, session


def new_scenario(
    study: StudyArgument,
    name: Annotated[str, typer.Argument(help="Id of the scenario, which is also the file's name.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write.", show_default="NAME.yaml beside the study")
    ] = None,
    *,
    common: Common,
) -> None:
    """Write a scenario file to start from, with names that exist in the study; every change in it is a comment.

    The schema for editors (scenario.schema.json) is written beside it.
    """
    from community_routes.report.cells import publish
    from community_routes.scenarios.schema import scenario_schema
    from community_routes.scenarios.template import new_scenario_template
    from community_routes.sources.study.yaml import SCENARIO_SCHEMA_NAME, schema_text

    path = out if out is not None else study.parent / f"{name}.yaml"
    if path.stem != name:
        raise UsageError(
            f"a scenario's id is the name of its file: {name!r} is written to {name}.yaml, not {path.name}"
        )
    if path.exists():
        raise UsageError(f"{path} is there already; choose another name")
    with session(common, f"reading {study.name}") as console:
        opened = opened_study(console, study, common)
        text = new_scenario_template(
            name, opened.feed, opened.file.dates, zones=opened.zones, opportunities=opened.opportunities
        )
        publish(path.with_name(SCENARIO_SCHEMA_NAME), schema_text(scenario_schema()).encode("utf-8"))
        publish(path, text.encode("utf-8"))
    console.say(str(path))


def diff(
    study: StudyArgument,
    scenario: Annotated[Path, typer.Argument(help="Scenario file.", show_default=False)],
    *,
    common: Common,
) -> None:
    """Say how the timetable under a scenario differs from today's: routes, departures by period, stops."""
    from community_routes.evaluation.proposals import applied_to, read_scenarios
    from community_routes.scenarios.diff import diff_feeds

    with session(common, f"reading {study.name}") as console:
        opened = opened_study(console, study, common)
        (proposal,) = read_scenarios([scenario], opened)
        found = diff_feeds(opened.feed, applied_to(opened, proposal, []).feed, opened.file.dates)
    for sentence in found.words():
        console.say(sentence)


def export_gtfs(
    study: StudyArgument,
    scenario: Annotated[Path, typer.Argument(help="Scenario file.", show_default=False)],
    file: Annotated[Path, typer.Argument(help="The zip to write.", show_default=False)],
    *,
    common: Common,
) -> None:
    """Write the timetable as a scenario changes it, as a GTFS zip; what it does not touch comes out as it went in."""
    from community_routes.evaluation.proposals import export_timetable, read_scenarios

    if file.suffix.lower() != ".zip" or file.is_dir():
        raise UsageError(f"{file}: a timetable is written as a file that ends in .zip")
    with session(common, f"reading {study.name}") as console:
        opened = opened_study(console, study, common)
        (proposal,) = read_scenarios([scenario], opened)
        applied, left_out = export_timetable(opened, proposal, file)
    for said in [*map(str, applied.effects), *left_out]:
        console.remark(said)
    console.say(str(file))
