"""How well deprived neighbourhoods reach employment zones and shared spaces, and what a proposed route would change."""

from __future__ import annotations

TYPE_CHECKING = False  # nothing is imported here: whoever starts the command line waits for it
if TYPE_CHECKING:
    from typing import Any

    __version__: str
    from community_routes.answers.answer import Answer as Answer
    from community_routes.answers.live import Live as Live
    from community_routes.answers.live import live as live
    from community_routes.base.errors import CommunityRoutesError as CommunityRoutesError
    from community_routes.base.errors import FeedError as FeedError
    from community_routes.base.errors import MachineError as MachineError
    from community_routes.base.errors import ScenarioError as ScenarioError
    from community_routes.base.errors import StreetsError as StreetsError
    from community_routes.base.errors import StudyError as StudyError
    from community_routes.base.errors import UsageError as UsageError
    from community_routes.base.notices import Notice as Notice
    from community_routes.base.times import UNREACHED as UNREACHED
    from community_routes.evaluation.case import Study as Study
    from community_routes.evaluation.case import open_study as open_study
    from community_routes.evaluation.case import sample_scenarios as sample_scenarios
    from community_routes.evaluation.case import sample_study as sample_study
    from community_routes.evaluation.evaluate import Evaluation as Evaluation
    from community_routes.evaluation.evaluate import evaluate as evaluate
    from community_routes.evaluation.proposals import read_scenarios as read_scenarios
    from community_routes.evaluation.results import Comparison as Comparison
    from community_routes.evaluation.results import compare as compare
    from community_routes.evaluation.sweep import Sweep as Sweep
    from community_routes.evaluation.sweep import sweep as sweep
    from community_routes.fetch.town import fetch_authority as fetch_authority
    from community_routes.measures.reach import cumulative_opportunities as cumulative_opportunities
    from community_routes.measures.reach import dual_access as dual_access
    from community_routes.measures.reach import gravity as gravity
    from community_routes.measures.reach import n_places as n_places
    from community_routes.measures.reach import nearest as nearest
    from community_routes.network.network import Network as Network
    from community_routes.network.network import assemble_network as assemble_network
    from community_routes.network.network import build_network as build_network
    from community_routes.network.streets.streets import Streets as Streets
    from community_routes.network.streets.streets import build_streets as build_streets
    from community_routes.network.walks.links import CrowFly as CrowFly
    from community_routes.network.walks.links import link_points as link_points
    from community_routes.network.walks.links import walks_between as walks_between
    from community_routes.network.walks.points import Links as Links
    from community_routes.network.walks.points import Points as Points
    from community_routes.over_time.compare import RunComparison as RunComparison
    from community_routes.over_time.compare import compare_runs as compare_runs
    from community_routes.over_time.runs import Run as Run
    from community_routes.over_time.runs import read_run as read_run
    from community_routes.planning.optimising.aim import Aim as Aim
    from community_routes.planning.optimising.limits import Floors as Floors
    from community_routes.planning.optimising.optimise import Among as Among
    from community_routes.planning.optimising.optimise import Optimised as Optimised
    from community_routes.planning.optimising.optimise import Searching as Searching
    from community_routes.planning.optimising.optimise import optimise as optimise
    from community_routes.planning.review import Review as Review
    from community_routes.planning.review import review as review
    from community_routes.routing.cluster.engine import DaskEngine as DaskEngine
    from community_routes.routing.engine import LocalEngine as LocalEngine
    from community_routes.routing.query import Query as Query
    from community_routes.routing.query import Walks as Walks
    from community_routes.routing.travel_times import percentile_times as percentile_times
    from community_routes.routing.travel_times import times_in_blocks as times_in_blocks
    from community_routes.routing.travel_times import travel_times_by_departure as travel_times_by_departure
    from community_routes.scenarios.apply import apply_scenario as apply_scenario
    from community_routes.scenarios.edit.work import Setting as Setting
    from community_routes.scenarios.file import Scenario as Scenario
    from community_routes.scenarios.file import read_scenario as read_scenario
    from community_routes.sites import assess_sites as assess_sites
    from community_routes.sources.gtfs.feed import Feed as Feed
    from community_routes.sources.gtfs.read import read_feed as read_feed
    from community_routes.sources.gtfs.write import write_feed as write_feed
    from community_routes.sources.osm.read import read_streets as read_streets
    from community_routes.sources.places.opportunities import Opportunities as Opportunities
    from community_routes.sources.places.opportunities import read_opportunities as read_opportunities
    from community_routes.sources.places.zones import Zones as Zones
    from community_routes.sources.places.zones import read_zones as read_zones
    from community_routes.travel.isochrone import isochrone as isochrone
    from community_routes.travel.itinerary import Itinerary as Itinerary
    from community_routes.travel.itinerary import journey as journey
    from community_routes.travel.matrix import Matrix as Matrix
    from community_routes.travel.matrix import travel_matrix as travel_matrix
    from community_routes.travel.matrix import travel_times as travel_times
    from community_routes.travel.matrix import write_matrix as write_matrix

_WHERE = {
    "answers.answer": "Answer",
    "answers.live": "Live live",
    "base.errors": "CommunityRoutesError FeedError MachineError ScenarioError StreetsError StudyError UsageError",
    "base.notices": "Notice",
    "base.times": "UNREACHED",
    "evaluation.case": "Study open_study sample_scenarios sample_study",
    "evaluation.proposals": "read_scenarios",
    "evaluation.evaluate": "Evaluation evaluate",
    "evaluation.results": "Comparison compare",
    "evaluation.sweep": "Sweep sweep",
    "fetch.town": "fetch_authority",
    "measures.reach": "cumulative_opportunities dual_access gravity n_places nearest",
    "network.network": "Network assemble_network build_network",
    "network.streets.streets": "Streets build_streets",
    "network.walks.links": "CrowFly link_points walks_between",
    "network.walks.points": "Links Points",
    "over_time.compare": "RunComparison compare_runs",
    "over_time.runs": "Run read_run",
    "planning.optimising.aim": "Aim",
    "planning.optimising.limits": "Floors",
    "planning.optimising.optimise": "Among Optimised Searching optimise",
    "planning.review": "Review review",
    "routing.cluster.engine": "DaskEngine",
    "routing.engine": "LocalEngine",
    "routing.query": "Query Walks",
    "routing.travel_times": "percentile_times times_in_blocks travel_times_by_departure",
    "scenarios.apply": "apply_scenario",
    "scenarios.edit.work": "Setting",
    "scenarios.file": "Scenario read_scenario",
    "sites": "assess_sites",
    "sources.gtfs.feed": "Feed",
    "sources.gtfs.read": "read_feed",
    "sources.gtfs.write": "write_feed",
    "sources.osm.read": "read_streets",
    "sources.places.opportunities": "Opportunities read_opportunities",
    "sources.places.zones": "Zones read_zones",
    "travel.isochrone": "isochrone",
    "travel.itinerary": "Itinerary journey",
    "travel.matrix": "Matrix travel_matrix travel_times write_matrix",
}
_HOME = {name: module for module, names in _WHERE.items() for name in names.split()}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that starting the command line stays quick."""
    from importlib import import_module

    value: Any
    if name == "__version__":
        value = import_module(f"{__name__}.base.version").__version__
    elif name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    else:
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*_HOME, *(name for name in globals() if name.startswith("__"))])
