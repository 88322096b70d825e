"""What a batch of sites is asked: its rows, where they are, the standards, the proposals, and the pages that are wanted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes.base.errors import UsageError
from community_routes.base.notices import Notice
from community_routes.base.version import __version__
from community_routes.evaluation.case import Study
from community_routes.evaluation.places import lines_of
from community_routes.evaluation.results import printed_settings
from community_routes.network.store import fingerprint
from community_routes.scenarios.file import Scenario
from community_routes.sites.figures import Scene, on_network, origins_of_borough
from community_routes.sites.judge import Standard, check_kinds, standards_of_study
from community_routes.sites.read import Fault, Site, place_key, points_of, read_sites, site_points
from community_routes.sites.remedies import Proposal, propose
from community_routes.sources.study.yaml import did_you_mean

ALL, FAILED, NONE = "all", "failed", "none"
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Batch:
    """Sites, where they are, and what is to be found out.

    Attributes
    ----------
    study : Study
    sites : list of Site
        Every row of the file; a fault of the network is in it.
    file_name, file_sha256 : str
    standards : tuple of Standard
    today : Scene
        The study, ready to have places judged in it.
    places : dict of str to float64, shape (n_entrances, 2)
        Sites and origins of the borough by the key of the place.
    key_of_site, key_of_origin : list of str
        Empty for those that are not on the network.
    persons : float64, shape (n_origins,)
    proposals : tuple of Proposal
    pages : tuple of str
        ``all``, ``failed``, ``none``, or ids.
    notices : tuple of Notice
        Of sites that are cut off from most streets.
    """

    study: Study
    sites: list[Site]
    file_name: str
    file_sha256: str
    standards: tuple[Standard, ...]
    today: Scene
    places: dict[str, NDArray[np.float64]]
    key_of_site: list[str]
    key_of_origin: list[str]
    persons: FloatArray
    proposals: tuple[Proposal, ...]
    scenario_sources: tuple[dict[str, str], ...]
    pages: tuple[str, ...]
    notices: tuple[Notice, ...] = ()

    @property
    def faults(self) -> list[Fault]:
        """Why sites cannot be judged."""
        return [site.fault for site in self.sites if site.fault is not None]

    @cached_property
    def entrances(self) -> dict[str, NDArray[np.float64]]:
        """The entrances of sites that have several, each a place of its own, by the key of the place."""
        of_sites = [self.places[key] for key in dict.fromkeys(self.key_of_site) if key]
        points = [points[row : row + 1] for points in of_sites if len(points) > 1 for row in range(len(points))]
        return {place_key(point): point for point in points}

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that the result depends on."""
        file = self.study.file
        head = {
            "version": __version__,
            "study": file.study,
            "settings": self.today.settings,
            "sites": [self.file_name, self.file_sha256],
            "standards": file.standards.model_dump(mode="json") if file.standards is not None else None,
            "asked": file.sites.model_dump(mode="json"),
            "printed": printed_settings(self.study),
            "sources": self.study.sources[["name", "sha256"]].to_numpy().tolist(),
            "proposals": [[one.id, one.settings, repr(one.cost), repr(one.bus_hours)] for one in self.proposals],
            "scenarios": [source["sha256"] for source in self.scenario_sources],
            "pages": self.pages,
        }
        return fingerprint(json.dumps(head, sort_keys=True, default=str), self.persons, len(self.study.zones.origins))

    def run(self) -> dict[str, Any]:
        """What ``run.json`` holds."""
        file = self.study.file
        sources = self.study.sources[["name", "kind", "sha256"]].to_dict("records")
        return {
            "program": "community_routes",
            "command": "sites",
            "version": __version__,
            "study": file.study,
            "title": self.study.title,
            "service_dates": {day: date.isoformat() for day, date in file.dates.items()},
            "settings": printed_settings(self.study),
            "standards_source": file.standards.source if file.standards is not None else None,
            "named_places": {name: spot.name for name, spot in self.today.named.items()},
            "persons_per_home": file.sites.persons_per_home,
            "scenarios": [one.id for one in self.proposals],
            "pages": list(self.pages),
            "inputs": [
                {"name": self.file_name, "kind": "sites", "sha256": self.file_sha256},
                *sources,
                *self.scenario_sources,
            ],
            "inputs_sha256": self.fingerprint,
            "counts": {"sites": len(self.sites), "failed": len(self.faults)},
        }


def prepare_batch(
    study: Study, path: Path, scenarios: Sequence[Scenario] = (), pages: Sequence[str] = (FAILED,)
) -> Batch:
    """Read the sites, find out which lie on the network, and what is asked of them.

    Raises
    ------
    StudyError
        The file cannot be read, or a standard or a named place is not of the study.
    ScenarioError
        A proposal cannot be applied to the study.
    UsageError
        The file is not there, or a page is asked for a site that it does not hold.
    """
    standards = standards_of_study(study.file)
    check_kinds(study.file, study.opportunities)
    today = Scene.of(study)
    sites = read_sites(path)
    wanted = _checked_pages(sites, path.name, pages)
    usable = [row for row, site in enumerate(sites) if site.fault is None]
    is_area = [sites[row].shape.geom_type.endswith("Polygon") for row in usable]
    lines = lines_of(study.ground) if any(is_area) else None
    points = site_points([sites[row] for row in usable], lines)
    notices: list[Notice] = []
    there = on_network(study, points_of(points, [sites[row].id for row in usable]), notices)
    key_of_site = [""] * len(sites)
    places: dict[str, NDArray[np.float64]] = {}
    for row, place, linked in zip(usable, points, there.tolist(), strict=True):
        site = sites[row]
        if linked:
            key_of_site[row] = place_key(place)
            places[key_of_site[row]] = place
        else:
            lon, lat = site.point
            fault = Fault(site.line, site.id, "lon", f"lon {lon:.6f} lat {lat:.6f}", "off_network")
            sites[row] = replace(site, fault=fault)
    origins, persons = origins_of_borough(study)
    linked_origins = on_network(study, points_of(origins)).tolist()
    key_of_origin = [place_key(place) if on else "" for place, on in zip(origins, linked_origins, strict=True)]
    places |= {key: place for key, place in zip(key_of_origin, origins, strict=True) if key}
    return Batch(
        study=study,
        sites=sites,
        file_name=path.name,
        file_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        standards=standards,
        today=today,
        places=places,
        key_of_site=key_of_site,
        key_of_origin=key_of_origin,
        persons=persons,
        proposals=tuple(propose(today, scenario) for scenario in scenarios),
        scenario_sources=tuple(_sources(scenarios)),
        pages=wanted,
        notices=tuple(notices),
    )


def _checked_pages(sites: list[Site], file_name: str, pages: Sequence[str]) -> tuple[str, ...]:
    """The pages that are asked for, each once: a word alone, or ids of the file."""
    asked = tuple(dict.fromkeys(pages)) or (FAILED,)
    words = [page for page in asked if page in (ALL, FAILED, NONE)]
    if words and len(asked) > 1:
        raise UsageError(f"--pages {words[0]} stands alone; name either {ALL}, {FAILED} or {NONE}, or the ids of sites")
    if words:
        return asked
    known = {site.id for site in sites}
    for page in asked:
        if page not in known:
            hint = did_you_mean(page, sorted(known), before="; ")
            raise UsageError(
                f"--pages {page}: {file_name} has no site of that id{hint} (or {ALL}, {FAILED} or {NONE} of the pages)"
            )
    return asked


def _sources(scenarios: Sequence[Scenario]) -> list[dict[str, str]]:
    """The files of the proposals and of those that they build on, each once."""
    rows: dict[str, dict[str, str]] = {}
    for scenario in scenarios:
        for part in scenario.chain():
            if part.folder is not None:
                path = part.folder / f"{part.scenario}.yaml"
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                rows[part.scenario] = {"name": path.name, "kind": "scenario", "sha256": digest}
    return [rows[name] for name in sorted(rows)]
