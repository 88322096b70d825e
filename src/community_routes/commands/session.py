"""What every command does around its own work: a console, progress, the timings, the study opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from community_routes.base.errors import CommunityRoutesError, UsageError
from community_routes.base.starting import work_begins
from community_routes.commands.console import Console
from community_routes.commands.options import Common


@contextmanager
def session(common: Common, text: str) -> Iterator[Console]:
    """A console for one command, progress while it runs, the timings after it."""
    if common.timings is not None and common.timings.is_dir():
        raise UsageError(f"{common.timings} is a folder; name a file with --timings")
    console = Console(quiet=common.quiet, log_json=common.log_json)
    work_begins()
    with console.working(text):
        yield console
    console.write_timings(common.timings)


def opened_study(console: Console, study: Path, common: Common) -> Any:
    """The study of a file, with the seed of the command line where one is given; warnings are printed when it fails."""
    from community_routes.evaluation.case import open_study
    from community_routes.network.kept import cache_folder

    if study.suffix.lower() == ".zip":
        raise UsageError(
            f"{study.name} is a timetable; a study file (YAML) is wanted here (`check` also takes a timetable)"
        )
    console.progress(f"reading {study.name}")
    notices: list[Any] = []
    try:
        opened = open_study(study, notices=notices, cache=cache_folder(common.cache), stopwatch=console.stopwatch)
    except CommunityRoutesError:
        warnings = [notice for notice in notices if notice.severity != "error"]
        console.notices(warnings, where=f"`community-routes check {study} --out DIR`")
        raise
    for notice in opened.notices:
        if notice.code in ("step_free_unknown", "step_free_none"):  # said before anything runs, not only at its end
            console.remark(f"warning: {notice}")
    if common.seed is not None:
        opened = opened.with_seed(common.seed)
    return opened


def whole_numbers(option: str, text: str, example: str) -> list[int]:
    """The whole numbers of an option written with commas, as in ``15,30,45``."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"{option} {text!r}: write whole numbers with commas, as in {example}") from None
