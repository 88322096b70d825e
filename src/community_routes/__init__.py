"""How well deprived neighbourhoods reach employment zones and shared spaces, and what a proposed route would change."""

from __future__ import annotations

TYPE_CHECKING = False  # nothing is imported here: whoever starts the command line waits for it
if TYPE_CHECKING:
    from typing import Any

    __version__: str
    from community_routes.catchment import isochrone as isochrone
    from community_routes.cluster.engine import DaskEngine as DaskEngine
    from community_routes.comparison import Comparison as Comparison
    from community_routes.comparison import compare as compare
    from community_routes.errors import CommunityRoutesError as CommunityRoutesError
    from community_routes.errors import FeedError as FeedError
    from community_routes.errors import MachineError as MachineError
    from community_routes.errors import ScenarioError as ScenarioError
    from community_routes.errors import StreetsError as StreetsError
    from community_routes.errors import StudyError as StudyError
    from community_routes.errors import UsageError as UsageError
    from community_routes.evaluation import Evaluation as Evaluation
    from community_routes.evaluation import evaluate as evaluate
    from community_routes.itinerary import Itinerary as Itinerary
    from community_routes.itinerary import journey as journey
    from community_routes.matrix import Matrix as Matrix
    from community_routes.matrix import travel_matrix as travel_matrix
    from community_routes.matrix import travel_times as travel_times
    from community_routes.matrix import write_matrix as write_matrix
    from community_routes.measures.reach import cumulative_opportunities as cumulative_opportunities
    from community_routes.measures.reach import dual_access as dual_access
    from community_routes.measures.reach import gravity as gravity
    from community_routes.measures.reach import n_places as n_places
    from community_routes.measures.reach import nearest as nearest
    from community_routes.network.network import Network as Network
    from community_routes.network.network import assemble_network as assemble_network
    from community_routes.network.network import build_network as build_network
    from community_routes.network.points import Links as Links
    from community_routes.network.points import Points as Points
    from community_routes.network.streets import Streets as Streets
    from community_routes.network.streets import build_streets as build_streets
    from community_routes.network.walks import CrowFly as CrowFly
    from community_routes.network.walks import link_points as link_points
    from community_routes.network.walks import walks_between as walks_between
    from community_routes.notices import Notice as Notice
    from community_routes.over_time.compare import RunComparison as RunComparison
    from community_routes.over_time.compare import compare_runs as compare_runs
    from community_routes.over_time.runs import Run as Run
    from community_routes.over_time.runs import read_run as read_run
    from community_routes.reading import read_scenarios as read_scenarios
    from community_routes.routing.engine import LocalEngine as LocalEngine
    from community_routes.routing.query import Query as Query
    from community_routes.routing.query import Walks as Walks
    from community_routes.routing.travel_times import percentile_times as percentile_times
    from community_routes.routing.travel_times import times_in_blocks as times_in_blocks
    from community_routes.routing.travel_times import travel_times_by_departure as travel_times_by_departure
    from community_routes.sample import sample_scenarios as sample_scenarios
    from community_routes.sample import sample_study as sample_study
    from community_routes.scenarios.changes_apply import apply_scenario as apply_scenario
    from community_routes.scenarios.changes_work import Setting as Setting
    from community_routes.scenarios.scenario import Scenario as Scenario
    from community_routes.scenarios.scenario import read_scenario as read_scenario
    from community_routes.sensitivity import Sweep as Sweep
    from community_routes.sensitivity import sweep as sweep
    from community_routes.sites import assess_sites as assess_sites
    from community_routes.sources.feed import Feed as Feed
    from community_routes.sources.fetch import fetch_authority as fetch_authority
    from community_routes.sources.gtfs import read_feed as read_feed
    from community_routes.sources.gtfs_write import write_feed as write_feed
    from community_routes.sources.opportunities import Opportunities as Opportunities
    from community_routes.sources.opportunities import read_opportunities as read_opportunities
    from community_routes.sources.osm import read_streets as read_streets
    from community_routes.sources.zones import Zones as Zones
    from community_routes.sources.zones import read_zones as read_zones
    from community_routes.study import Study as Study
    from community_routes.study import open_study as open_study
    from community_routes.times import UNREACHED as UNREACHED

_WHERE = {
    "cluster.engine": ("DaskEngine",),
    "comparison": ("Comparison", "Evaluation", "compare", "evaluate"),
    "errors": (
        "CommunityRoutesError",
        "FeedError",
        "MachineError",
        "ScenarioError",
        "StreetsError",
        "StudyError",
        "UsageError",
    ),
    "catchment": ("isochrone",),
    "itinerary": ("Itinerary", "journey"),
    "matrix": ("Matrix", "travel_matrix", "travel_times", "write_matrix"),
    "measures.reach": ("cumulative_opportunities", "dual_access", "gravity", "n_places", "nearest"),
    "network.network": ("Network", "assemble_network", "build_network"),
    "network.points": ("Links", "Points"),
    "network.streets": ("Streets", "build_streets"),
    "network.walks": ("CrowFly", "link_points", "walks_between"),
    "notices": ("Notice",),
    "over_time.compare": ("RunComparison", "compare_runs"),
    "over_time.runs": ("Run", "read_run"),
    "reading": ("read_scenarios",),
    "routing.engine": ("LocalEngine",),
    "routing.query": ("Query", "Walks"),
    "routing.travel_times": ("percentile_times", "times_in_blocks", "travel_times_by_departure"),
    "sample": ("sample_scenarios", "sample_study"),
    "scenarios.changes_apply": ("apply_scenario",),
    "scenarios.changes_work": ("Setting",),
    "scenarios.scenario": ("Scenario", "read_scenario"),
    "sensitivity": ("Sweep", "sweep"),
    "sites": ("assess_sites",),
    "sources.feed": ("Feed",),
    "sources.fetch": ("fetch_authority",),
    "sources.gtfs": ("read_feed",),
    "sources.gtfs_write": ("write_feed",),
    "sources.opportunities": ("Opportunities", "read_opportunities"),
    "sources.osm": ("read_streets",),
    "sources.zones": ("Zones", "read_zones"),
    "study": ("Study", "open_study"),
    "times": ("UNREACHED",),
}
_HOME = {name: module for module, names in _WHERE.items() for name in names}
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
    return sorted([*globals(), *_HOME])
