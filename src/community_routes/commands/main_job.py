"""The main job: score access, compare proposals, write the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from community_routes.commands.engines import check_engine, engine_of
from community_routes.commands.options import Common, Counting, Files, Searching, StudyArgument
from community_routes.commands.session import expected, opened_study, session


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.")] = Path("out/demo"),
    *,
    counting: Counting,
    files: Files,
    common: Common,
) -> None:
    """Run the whole main job on the sample borough (invented), and say where the report is."""
    from community_routes.evaluation.case import sample_scenarios, sample_study

    _run(sample_study(), sample_scenarios(), out, files, counting, Searching(), common)


def run(
    study: StudyArgument,
    scenarios: Annotated[
        list[Path] | None, typer.Argument(help="Scenario files to compare with today.", show_default=False)
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.", show_default=False)] = ...,  # type: ignore[assignment]
    *,
    counting: Counting,
    files: Files,
    searching: Searching,
    common: Common,
) -> None:
    """Score access today, compare the scenarios, write the report and its tables (the main job)."""
    _run(study, scenarios or [], out, files, counting, searching, common)


def _run(
    study: Path,
    scenarios: list[Path],
    out: Path,
    files: Files,
    counting: Counting,
    searching: Searching,
    common: Common,
) -> None:
    from community_routes.base.files import check_replaceable
    from community_routes.evaluation.case import Case
    from community_routes.evaluation.evaluate import evaluate_all, evaluate_case, evaluate_worst
    from community_routes.evaluation.inputs import listed
    from community_routes.evaluation.proposals import read_cases
    from community_routes.evaluation.results import compare
    from community_routes.report.told import told
    from community_routes.routing.runner import Runner

    check_engine(searching.engine, searching.scheduler, common.cache)
    with session(common, f"reading {study.name}") as console, expected(console, [study, *scenarios], common):
        check_replaceable(out)
        watch = console.stopwatch
        opened = opened_study(console, study, common)
        with watch.stage("read"):
            case = Case.of(opened)
            proposals = read_cases(scenarios, case)
        with engine_of(console, searching.engine, searching.scheduler, common) as engine:
            runner = Runner(common.threads, engine, watch, console.progress)
            today = evaluate_case(case, runner=runner)
            evaluated = evaluate_all(proposals, today, runner)
            worst = evaluate_worst(case, [one.applied.scenario for one in proposals if one.applied is not None], runner)
        with watch.stage("compare"):
            drawn: dict[str, Any] = {
                "draws": counting.draws,
                "seed": opened.file.travel.seed,
                "threads": common.threads,
                "least_change": counting.least_change / 100,
                "worst": worst,
            }
            comparison = compare(today, *evaluated, **drawn, progress=console.progress)
        console.progress("writing the report")
        page = comparison.write_report(
            out, maps=files.maps, pdf=files.pdf, workbook=files.xlsx, templates=files.template,
            keep_inputs=files.keep_inputs, tables=files.tables, stopwatch=watch,
        )  # fmt: skip
    console.notices(
        [*opened.notices, *(n for e in comparison.evaluations for n in e.notices)], where=str(out / "notices.csv")
    )
    for evaluation in evaluated:
        for effect in evaluation.applied.effects if evaluation.applied is not None else ():
            console.remark(f"{evaluation.scenario}: {effect}")
    if (out / "access.parquet").is_file():
        console.remark("access, comparison and groups are Parquet files; --tables csv writes text")
    if files.keep_inputs is not False:
        console.remark(listed(out).words(out))
    for line in told(comparison.results):
        console.remark(line)
    console.say(f"report: {page}")
    if files.show:
        typer.launch(str(page))
