"""Development sites in a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from community_routes.commands.options import (
    DEFAULT_THREADS,
    Cache,
    LogJson,
    Quiet,
    Seed,
    StudyArgument,
    Threads,
    Timings,
    Version,
)
from community_routes.commands.session import opened_study, session
from community_routes.errors import UsageError


def sites(
    study: StudyArgument,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="SITES", help="CSV with id, lon, lat (name, homes, year), or a map with an id.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.", show_default=False)],
    pages: Annotated[str, typer.Option("--pages", help="Pages of single sites: none.")] = "none",
    strict: Annotated[bool, typer.Option("--strict", help="Judge nothing when a site has a fault.")] = False,
    require_pass: Annotated[
        bool, typer.Option("--require-pass", help="Exit with 4 when a site misses a required standard.")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="Say how far the batch is, and do nothing else.")] = False,
    block: Annotated[
        int, typer.Option("--block", min=1, help="Sites judged together and kept; results do not depend on it.")
    ] = 1000,
    threads: Threads = DEFAULT_THREADS,
    seed: Seed = None,
    cache: Cache = None,
    quiet: Quiet = False,
    log_json: LogJson = False,
    timings: Timings = None,
    version: Version = False,
) -> None:
    """Judge a batch of development sites against the study's standards; a run that was killed goes on where it was."""
    from community_routes.sites import assess_sites, sites_status

    if pages != "none":
        raise UsageError(f"--pages {pages}: pages of single sites are not written; leave it out, or write --pages none")
    with session(quiet, log_json, timings, f"reading {study.name}") as console:
        opened = opened_study(console, study, seed, cache)
        if status:
            console.say(str(sites_status(opened, file, out)))
            return
        found = assess_sites(
            opened, file, out, strict=strict, threads=threads, block=block, stopwatch=console.stopwatch,
            progress=console.progress,
        )  # fmt: skip
    console.notices(list(opened.notices))
    console.say(str(found))
    console.say(f"results: {out / 'sites.csv'}")
    if code := found.exit_code(require_pass=require_pass):
        raise typer.Exit(code)
