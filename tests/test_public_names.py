"""The public names and what each is for: one that goes, or can no longer be called as it could, fails with a sentence."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import community_routes as cr

ROOT = Path(__file__).resolve().parents[1]

SIGNATURES = """
apply_scenario(scenario, setting, *, notices=)
assemble_network(feed, date, footpaths, *, slack_s=, phase=, seed=, wheelchair=, span_s=, notices=)
assess_sites(study, path, out, *, scenarios=, pages=, strict=, threads=, block=, stopwatch=, progress=)
build_network(feed, ground, date, *, slack_s=, between_stops_s=, speed_kmh=, link_m=, phase=, seed=, wheelchair=,
    span_s=, notices=)
build_streets(street_map, *, wheelchair=, min_component_m=)
compare(today, *proposals, draws=, seed=, threads=, progress=)
compare_runs(folders, *, labels=, routes=, threads=, cache=, progress=)
cumulative_opportunities(time_s, amounts, *, cutoff_s)
dual_access(time_s, amounts, needed)
evaluate(study, scenario=, *, threads=, stopwatch=, progress=)
fetch_authority(authority, out, *, options=, sources=, cache=, wait=, progress=)
gravity(time_s, amounts, decay)
isochrone(study, place, *, depart=, arrive=, minutes=, day=)
journey(study, origin, destination, *, depart=, arrive=, day=)
link_points(ground, points, *, link_m=, notices=)
live(study, day=, window=, kind=, measure=, cutoff_min=)
n_places(time_s, amounts=, *, cutoff_s)
nearest(time_s, n=, amounts=)
open_study(path, *, notices=, cache=, stopwatch=)
percentile_times(network, query, walks, *, threads=)
read_feed(paths, *, notices=, area=, dates=)
read_opportunities(specs, folder=, osm_places=, notices=)
read_run(folder)
read_scenario(path, *, notices=)
read_scenarios(paths, study=, *, notices=)
read_streets(source, *, area=, places=, notices=)
read_zones(spec, folder=, notices=)
optimise(study, *, bus_hours=, cost=, buses=, aim=, floors=, among=, searching=)
review(study, *, periods=, cost=, least_change=, threads=, stopwatch=, progress=)
sample_scenarios()
sample_study()
sweep(study, scenarios, *, cutoffs_min=, speeds_kmh=, windows=, threads=, stopwatch=, progress=)
times_in_blocks(network, query, walks, *, origins_at_once=, lanes=)
travel_matrix(study, query, day, *, origins=, destinations=, per_departure=, threads=, stopwatch=)
travel_times(study, *, origins=, destinations=, day=, window=, arrive_by=, threads=)
travel_times_by_departure(network, query, walks, *, threads=)
walks_between(ground, start, end, *, limit_s, speed_kmh, threads=)
write_feed(feed, path, *, date_stamp)
write_matrix(study, query, day, path, *, origins=, destinations=, per_departure=, reached_only=, threads=, stopwatch=,
    progress=)
"""
# In order: `=` for those that may be left out, those after `*` by name only. More may be added that may be left out.
FUNCTIONS = {name: " ".join(given.split()) for name, given in re.findall(r"(\w+)\(([^)]*)\)", SIGNATURES)}

MEMBERS = {
    "Aim": "cutoff_min group kind measure windows",
    "Among": "files kinds routes",
    "Answer": "case change cost groups persons reason scenario seconds value",
    "CommunityRoutesError": "exit_code",
    "Comparison": "access comparison evaluations explore groups plot_map study write_report",
    "Evaluation": "access notices query time_s times_between walks",
    "Feed": "active_trips calendar calls routes stops trips",
    "Itinerary": "journeys json message text to_dict",
    "Floors": "at_most keep_last_buses no_group_below no_group_loses",
    "Live": "ask study times try_scenario",
    "Links": "first n_from reversed to walk_s within",
    "Matrix": "destinations origins per_departure query reason to_frame write",
    "Optimised": "best changes cost frontier gain_percent study table text write",
    "Review": "change groups kinds of_periods of_routes services study table text write",
    "Notice": "code field file message row severity value",
    "Opportunities": "keys rows_of table",
    "Points": "n_places single",
    "Query": "arrive_by departures_s max_rides percentiles window_s",
    "Searching": "kept_in minutes runner seed",
    "Run": "access dates folder groups id kept label open_study settings version",
    "RunComparison": "explained inputs neighbourhoods over_time remarks runs timetable_changes write_report",
    "Scenario": "base chain changes cost name on place scenario title to_yaml with_changes",
    "Streets": "from_networkx to_networkx",
    "Study": "feed file is_invented notices opportunities title zones",
    "Walks": "access direct egress mirrored",
    "Zones": "origins table",
}
"""What users read and call of the things they hold. More may be added."""

OTHERS = {
    "CrowFly",
    "DaskEngine",
    "FeedError",
    "LocalEngine",
    "MachineError",
    "Network",
    "ScenarioError",
    "Setting",
    "StreetsError",
    "StudyError",
    "Sweep",
    "UNREACHED",
    "UsageError",
}


def test_every_public_name_is_pinned() -> None:
    """A new name stands here with its signature; a name that went is a promise broken."""
    pinned = FUNCTIONS.keys() | MEMBERS.keys() | OTHERS
    assert pinned - set(cr.__all__) == set(), "public names that went: keep them, or say it in CHANGELOG under Removed"
    assert set(cr.__all__) - pinned == set(), (
        "new public names: pin each here, and give it a place in docs/reference.md"
    )


def parameters(function: Callable[..., object]) -> dict[str, inspect.Parameter]:
    """What a function takes by name; those that it passes on as a typed dictionary of keywords stand at the end."""
    found: dict[str, inspect.Parameter] = {}
    for name, what in inspect.signature(function).parameters.items():
        if what.kind is inspect.Parameter.VAR_KEYWORD:
            (passed_on,) = get_args(get_type_hints(function)[name])
            assert not passed_on.__required_keys__
            kind = inspect.Parameter.KEYWORD_ONLY
            found |= {key: inspect.Parameter(key, kind, default=None) for key in sorted(passed_on.__optional_keys__)}
        else:
            found[name] = what
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_can_be_called_as_it_could(name: str) -> None:
    """Every pinned parameter is there, in its place; what was added since may be left out."""
    found = parameters(getattr(cr, name))
    by_place: list[str] = []
    keyword_only = False
    for text in filter(None, FUNCTIONS[name].split(", ")):
        if text == "*":
            keyword_only = True
            continue
        parameter = text.strip("*=")
        assert parameter in found, f"{name}() no longer takes {parameter!r}: callers that give it fail"
        has_default = found[parameter].default is not inspect.Parameter.empty
        assert not text.endswith("=") or has_default, (
            f"{name}() now needs {parameter!r}: callers that leave it out fail"
        )
        if text.startswith("*"):
            keyword_only = True
        if not keyword_only:
            by_place.append(parameter)
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    places = [parameter for parameter, what in found.items() if what.kind in kinds]
    assert places[: len(by_place)] == by_place, f"{name}() takes its first arguments in another order than {by_place}"
    needed = {
        parameter
        for parameter, what in found.items()
        if what.default is inspect.Parameter.empty and what.kind is not inspect.Parameter.VAR_POSITIONAL
    }
    pinned = {text for text in FUNCTIONS[name].replace("*, ", "").split(", ") if not text.endswith("=")}
    assert needed <= pinned, f"{name}() now needs {sorted(needed - pinned)}, which callers do not give"


@pytest.mark.parametrize("name", MEMBERS)
def test_what_users_hold_has_what_it_had(name: str) -> None:
    """Attributes, properties and methods."""
    kind = getattr(cr, name)
    found = {*dir(kind), *getattr(kind, "__dataclass_fields__", ()), *getattr(kind, "model_fields", ())}
    gone = set(MEMBERS[name].split()) - found
    assert not gone, f"{name} no longer has {sorted(gone)}"


@pytest.mark.parametrize("name", cr.__all__)
def test_a_public_name_says_what_it_is_for(name: str) -> None:
    """A first line; for functions every parameter and, where something comes back, what."""
    thing = getattr(cr, name)
    if not callable(thing):
        return
    text = inspect.getdoc(thing) or ""
    assert text.partition("\n")[0].endswith((".", "?")), f"{name}: the first line of the docstring is a sentence"
    if inspect.isfunction(thing):
        signature = inspect.signature(thing)
        unsaid = [p for p in signature.parameters if not re.search(rf"^[\w*, ]*\b{p}\b", text, re.MULTILINE)]
        assert not unsaid, f"{name}: the docstring does not say what {unsaid} is"
        given_back = str(signature.return_annotation) != "None" and signature.parameters
        said = "Returns\n---" in text or "Yields\n---" in text
        assert said or not given_back, f"{name}: the docstring does not say what comes back"


@pytest.mark.parametrize("name", cr.__all__)
def test_no_module_takes_the_place_of_a_public_name(name: str) -> None:
    """Importing ``community_routes.NAME`` would put the module where users look for the function."""
    assert find_spec(f"community_routes.{name}") is None, f"call the module {name}.py something else"


def test_the_reference_shows_every_public_name() -> None:
    """docs/reference.md renders each from its docstring."""
    page = (ROOT / "docs" / "reference.md").read_text("utf-8")
    shown = {line.rpartition(".")[2] for line in re.findall(r"^::: (.+)$", page, re.MULTILINE)}
    assert set(cr.__all__) - shown == set()
