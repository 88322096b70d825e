"""Fetches open data for an authority into a folder with a study that is ready to run."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from community_routes.base.errors import UsageError, as_path
from community_routes.base.files import hash_of_file
from community_routes.fetch.build import Town, build_study
from community_routes.fetch.http import Client, FetchError, write_whole
from community_routes.fetch.options import Options
from community_routes.fetch.places import why_not_covered
from community_routes.fetch.sources import Source, read_sources

__all__ = ["FetchError", "Fetched", "Options", "fetch_authority"]

_RECORD = "sources.json"
_STUDY = "study.yaml"
_PUBLISHING = "publishing.txt"
"""The sha256 of the study file that is being moved into place: a kill in that moment leaves it beside the older record."""


@dataclass(frozen=True)
class Fetched:
    """What was written: the study file, the authority, its number of LSOAs, remarks for whoever asked."""

    study: Path
    name: str
    n_areas: int
    remarks: tuple[str, ...]


def fetch_authority(
    authority: str,
    out: str | Path,
    *,
    options: Options | None = None,
    sources: str | Path | None = None,
    cache: str | Path | None = None,
    wait: Callable[[float], None] = time.sleep,
    progress: Callable[[str], None] = lambda text: None,
) -> Fetched:
    """Download open data for an authority of England or Wales, and write a study that can be run.

    Killed or failed half-way, the same call goes on with what it has. Files in ``out`` are replaced only when everything
    is there and has passed its checks; a study file that was changed by hand is never replaced.

    Parameters
    ----------
    authority : str
        Its name as the Office for National Statistics writes it, or its code, such as ``E06000008``.
    out : path
        Folder for the study; one that exists is used if it is empty or was written by this function.
    options : Options, optional
        What to fetch and what to leave out; all of it when left out.
    sources : path, optional
        A file that changes addresses; see :func:`read_sources`.
    cache : path, optional
        Folder in which downloads are kept for the next time; None keeps them only until the study is written.
    wait : callable of float
        Waits so many seconds between attempts.
    progress : callable of str
        Told what is being done.

    Returns
    -------
    Fetched
        The study file, the authority's name, its number of neighbourhoods, and what to know about them.

    Raises
    ------
    UsageError
        No such authority, an option that cannot work, or a folder that holds something else.
    FetchError
        A service failed, or gave less than it should; nothing in ``out`` was changed.
    """
    out, options = as_path(out), options or Options()
    options.check()
    named_by_hand = bool(options.region and options.counties)  # of an authority that the table may not know yet
    if not named_by_hand and (why := why_not_covered(authority)):
        raise UsageError(why)
    table = read_sources(sources)
    work = out.absolute().parent / f".{out.absolute().name}.fetching"
    _check_folder(out, work / _PUBLISHING)
    built = work / "built"
    shutil.rmtree(built, ignore_errors=True)
    built.mkdir(parents=True)
    downloads = work / "downloads" if cache is None else Path(cache) / "fetch"
    client = Client(downloads, work / "journal.json", wait=wait, progress=progress)
    town = Town(client, table, options, built)
    try:
        build_study(town, authority, progress)
    except FetchError as wrong:
        if wrong.unusable:
            client.forget(wrong.unusable)
        raise
    except UsageError:
        if client.is_empty:
            shutil.rmtree(work, ignore_errors=True)
        raise
    write_whole(built / _RECORD, _record(town, table))
    write_whole(work / _PUBLISHING, hash_of_file(built / _STUDY).encode())
    _publish(built, out)
    shutil.rmtree(work, ignore_errors=True)
    return Fetched(out / _STUDY, town.name, len(town.areas), tuple(town.told))


def _check_folder(out: Path, publishing: Path) -> None:
    """Refuse a folder that holds something else than an earlier fetch, or a study that was changed by hand."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; --out needs a folder")
    if not out.is_dir() or not any(out.iterdir()):
        return
    record = out / _RECORD
    try:
        written = json.loads(record.read_text("utf-8"))["written"]
        written = {**written}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(
            f"{out} holds files that `fetch` did not write (it has no {_RECORD} of it); choose another folder"
        ) from None
    study = out / _STUDY
    ours = {written.get(_STUDY), publishing.read_text("utf-8") if publishing.is_file() else None}
    if study.is_file() and hash_of_file(study) not in ours:
        raise UsageError(
            f"{study} was changed since it was fetched, and is not replaced; choose another folder, or rename it and run "
            f"this again"
        )


def _record(town: Town, table: dict[str, Source]) -> bytes:
    """Where everything came from: no clock of this machine, so that the same answers give the same bytes."""
    services = [
        {
            "service": key,
            "title": table[key].title,
            "licence": table[key].licence,
            "downloads": [
                {"address": kept.address, "date": kept.date, "sha256": kept.sha256, "bytes": kept.size} for kept in used
            ],
        }
        for key, used in town.client.used.items()
    ]
    local = {key: {"file": path.name, "sha256": hash_of_file(path)} for key, path in sorted(town.local.items())}
    written = {path.name: hash_of_file(path) for path in sorted(town.folder.iterdir())}
    record = {
        "authority": {"code": town.code, "name": town.name, "areas": len(town.areas), "box": list(town.box)},
        "services": services,
        "own_files": local,
        "written": written,
        "remarks": town.told,
    }
    return (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode()


def _publish(built: Path, out: Path) -> None:
    """Move the files into place, their record last."""
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        built.replace(out)
        return
    names = sorted(path.name for path in built.iterdir())
    earlier = out / _RECORD
    before = json.loads(earlier.read_text("utf-8"))["written"] if earlier.is_file() else {}
    for name in [*(name for name in names if name != _RECORD), _RECORD]:
        (built / name).replace(out / name)
    for name in set(before) - set(names):  # left out this time
        if Path(name).name == name:
            (out / name).unlink(missing_ok=True)
