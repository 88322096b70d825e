"""Commands before the main job: check the inputs, get open data, test the installation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from community_routes.base.errors import MachineError, UsageError
from community_routes.base.files import check_file
from community_routes.commands.options import Common
from community_routes.commands.session import session


def check(
    target: Annotated[Path, typer.Argument(help="A study file, or a bare timetable (FEED.zip).", show_default=False)],
    scenarios: Annotated[
        list[Path] | None, typer.Argument(help="Scenario files to check against the study.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for notices.csv, written even when there are errors.", show_default=False),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings are errors.")] = False,
    map_file: Annotated[
        Path | None,
        typer.Option("--map", help="Write a map of the inputs to this HTML file.", show_default=False),
    ] = None,
    *,
    common: Common,
) -> None:
    """Check every input, and list every error and warning with file, row and field."""
    from community_routes.evaluation.check import check_inputs

    if map_file is not None and target.suffix.lower() == ".zip":
        raise UsageError("--map draws the inputs of a study; a bare timetable has no neighbourhoods or destinations")
    cache = None
    if target.suffix.lower() != ".zip":
        from community_routes.network.kept import cache_folder

        cache = cache_folder(common.cache)
    if map_file is not None:
        check_file(map_file)
    with session(common, f"checking {target.name}") as console:
        result = check_inputs(
            target,
            scenarios or [],
            cache=cache,
            stopwatch=console.stopwatch,
            progress=console.progress,
        )
        if out is not None:
            result.write_notices(out)
        if map_file is not None and result.study is not None and result.reached is not None:
            from community_routes.travel.input_map import write_input_map

            console.progress(f"drawing {map_file.name}")
            write_input_map(map_file, result.study, result.reached)
    console.say(result.text(console.out.width, strict=strict))
    console.log_notices(result.notices)
    if result.failed(strict=strict):
        raise typer.Exit(1)


@dataclass(frozen=True)
class Wanted:
    """What is fetched beside the authority."""

    rail: Annotated[
        Path | None, typer.Option("--rail", help="GTFS zip of trains, which the bus data lacks.", show_default=False)
    ] = None
    jobs: Annotated[
        Path | None, typer.Option("--jobs", help="Table of jobs of your own (id, lon, lat, jobs).", show_default=False)
    ] = None
    deprivation: Annotated[
        Path | None,
        typer.Option("--deprivation", help="Table of deprivation of your own (needed for Wales).", show_default=False),
    ] = None
    imd: Annotated[int, typer.Option("--imd", help="Year of the English index of deprivation: 2025 or 2019.")] = 2025
    county: Annotated[
        list[str] | None,
        typer.Option("--county", help="Extract of streets; may be given again.", show_default="those it lies in"),
    ] = None
    region: Annotated[
        str, typer.Option("--region", help="Region of the bus timetable.", show_default="the one it lies in")
    ] = ""
    buffer_km: Annotated[
        float, typer.Option("--buffer-km", help="How far streets and timetable reach beyond the border.")
    ] = 5.0
    without: Annotated[
        list[str] | None,
        typer.Option("--without", help="Leave out jobs, naptan, ethnicity, cars or deprivation.", show_default=False),
    ] = None


def fetch(
    authority: Annotated[
        str, typer.Argument(help="Name or ONS code of an authority of England or Wales.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the data and the study file.", show_default=False)],
    sources: Annotated[
        Path | None, typer.Option("--sources", help="YAML or JSON file with other addresses.", show_default=False)
    ] = None,
    *,
    wanted: Wanted,
    common: Common,
) -> None:
    """Download open data for an authority, and write a study that is ready to run."""
    from community_routes.fetch.town import Options, fetch_authority
    from community_routes.network.kept import cache_folder

    options = Options(
        counties=tuple(wanted.county or ()), region=wanted.region, rail=wanted.rail, jobs=wanted.jobs,
        deprivation=wanted.deprivation, imd=wanted.imd, buffer_km=wanted.buffer_km, without=frozenset(wanted.without or ()),
    )  # fmt: skip
    with session(common, f"fetching {authority}") as console, console.stopwatch.stage("read"):
        fetched = fetch_authority(
            authority,
            out,
            options=options,
            sources=sources,
            cache=cache_folder(common.cache),
            progress=console.progress,
        )
    for remark in fetched.remarks:
        console.remark(remark)
    console.say(f"{fetched.study}: {fetched.name}, {fetched.n_areas:,} neighbourhoods; next: community-routes check")


def doctor(
    *,
    common: Common,
) -> None:
    """Say whether this installation works: versions, threads, the cache, and a self-test of a few seconds."""
    from community_routes.commands.doctor import examine, told
    from community_routes.network.kept import cache_folder

    with session(common, "testing") as console:
        findings = examine(cache_folder(common.cache))
    console.say(told(findings))
    if not all(finding.good for finding in findings):
        raise typer.Exit(MachineError.exit_code)
