"""The main job: score access, compare proposals, write the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from community_routes.base.columns import LEAST_CHANGE, TableKind
from community_routes.commands.engines import check_engine, engine_of
from community_routes.commands.options import (
    Common,
    Draws,
    EngineChoice,
    EngineKind,
    KeepInputs,
    LeastChange,
    LongTables,
    Maps,
    Pdf,
    Scheduler,
    StudyArgument,
    Template,
    Xlsx,
)
from community_routes.commands.session import opened_study, session


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.")] = Path("out/demo"),
    draws: Draws = 0,
    least_change: LeastChange = 100 * LEAST_CHANGE,
    maps: Maps = True,
    pdf: Pdf = False,
    xlsx: Xlsx = False,
    template: Template = None,
    keep_inputs: KeepInputs = None,
    tables: LongTables = TableKind.AUTO,
    *,
    common: Common,
) -> None:
    """Run the whole main job on the sample borough (invented), and say where the report is."""
    from community_routes.evaluation.case import sample_scenarios, sample_study

    files: dict[str, Any] = {
        "maps": maps,
        "pdf": pdf,
        "workbook": xlsx,
        "templates": template,
        "keep_inputs": keep_inputs,
        "tables": tables,
    }
    searching = (EngineKind.LOCAL, None)
    _run(
        sample_study(),
        sample_scenarios(),
        out,
        files,
        (draws, least_change),
        searching,
        common,
    )


def run(
    study: StudyArgument,
    scenarios: Annotated[
        list[Path] | None, typer.Argument(help="Scenario files to compare with today.", show_default=False)
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.", show_default=False)] = ...,  # type: ignore[assignment]
    draws: Draws = 0,
    least_change: LeastChange = 100 * LEAST_CHANGE,
    maps: Maps = True,
    pdf: Pdf = False,
    xlsx: Xlsx = False,
    template: Template = None,
    keep_inputs: KeepInputs = None,
    tables: LongTables = TableKind.AUTO,
    engine: EngineChoice = EngineKind.LOCAL,
    scheduler: Scheduler = None,
    *,
    common: Common,
) -> None:
    """Score access today, compare the scenarios, write the report and its tables (the main job)."""
    files: dict[str, Any] = {
        "maps": maps,
        "pdf": pdf,
        "workbook": xlsx,
        "templates": template,
        "keep_inputs": keep_inputs,
        "tables": tables,
    }
    searching = (engine, scheduler)
    _run(
        study,
        scenarios or [],
        out,
        files,
        (draws, least_change),
        searching,
        common,
    )


def _run(
    study: Path,
    scenarios: list[Path],
    out: Path,
    files: dict[str, Any],
    counting: tuple[int, float],
    searching: tuple[EngineKind, str | None],
    common: Common,
) -> None:
    from community_routes.base.files import check_replaceable
    from community_routes.evaluation.case import Case
    from community_routes.evaluation.evaluate import evaluate_all, evaluate_case, evaluate_worst
    from community_routes.evaluation.inputs import listed
    from community_routes.evaluation.proposals import read_cases
    from community_routes.evaluation.results import compare
    from community_routes.routing.runner import Runner

    check_engine(*searching, common.cache)
    with session(common, f"reading {study.name}") as console:
        check_replaceable(out)
        watch = console.stopwatch
        opened = opened_study(console, study, common)
        with watch.stage("read"):
            case = Case.of(opened)
            proposals = read_cases(scenarios, case)
        with engine_of(console, *searching, common) as engine:
            runner = Runner(common.threads, engine, watch, console.progress)
            today = evaluate_case(case, runner=runner)
            evaluated = evaluate_all(proposals, today, runner)
            worst = evaluate_worst(case, [one.applied.scenario for one in proposals if one.applied is not None], runner)
        with watch.stage("compare"):
            draws, percent = counting
            drawn: dict[str, Any] = {
                "draws": draws,
                "seed": opened.file.travel.seed,
                "threads": common.threads,
                "least_change": percent / 100,
                "worst": worst,
            }
            comparison = compare(today, *evaluated, **drawn, progress=console.progress)
        console.progress("writing the report")
        page = comparison.write_report(out, **files, stopwatch=watch)
    console.notices(
        [*opened.notices, *(n for e in comparison.evaluations for n in e.notices)], where=str(out / "notices.csv")
    )
    for evaluation in evaluated:
        for effect in evaluation.applied.effects if evaluation.applied is not None else ():
            console.remark(f"{evaluation.scenario}: {effect}")
    if (out / "access.parquet").is_file():
        console.remark("access, comparison and groups are Parquet files; --tables csv writes text")
    if files["keep_inputs"] is not False:
        console.remark(listed(out).words(out))
    console.say(f"report: {page}")
