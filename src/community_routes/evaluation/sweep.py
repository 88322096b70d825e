"""In which settings one proposal beats another: cutoffs, walking speeds and windows varied, every figure worked out anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Unpack

import numpy as np
import pandas as pd

from community_routes.base.columns import LEAST_CHANGE
from community_routes.base.errors import UsageError, as_path
from community_routes.base.files import RUN_FILE, new_folder
from community_routes.base.times import format_window, parse_window
from community_routes.base.timings import Stopwatch
from community_routes.base.version import __version__
from community_routes.evaluation.case import Case, Study
from community_routes.evaluation.draws import is_random
from community_routes.evaluation.evaluate import evaluate_all, evaluate_case
from community_routes.evaluation.proposals import scenario_sources
from community_routes.evaluation.results import check_least_change, counted_from, printed_settings, run_record
from community_routes.evaluation.sweep_tables import (
    MEASURE,
    SETTING,
    WHOM,
    bus_hours_of,
    floor_of,
    gain_rows,
    gains_wide,
    lead_of,
    ordered_rows,
    share_table,
    ways,
    where_words,
)
from community_routes.report.cells import csv_text, publish
from community_routes.report.pages.sweep import SweepView, write_sweep_page, write_sweep_picture
from community_routes.report.words import joined, kind_name, least_change_words, percent, plain
from community_routes.routing.runner import Progress, Runner, Running
from community_routes.scenarios.file import RESERVED, Scenario
from community_routes.sources.study.file import MeasureChoice
from community_routes.sources.study.travel import Window

_MOST_PAIRS = 12


@dataclass(frozen=True, eq=False)
class Sweep:
    """Gains of proposals in every combination of settings.

    Attributes
    ----------
    study : Study
    scenarios : dict of id to title
        In the order given.
    table : DataFrame
        The columns of ``sweep.csv``: one row for each scenario, setting and kind. ``rank`` is 1 for the greatest gain of the
        setting (of the most deprived fifth; of everybody where deprivation is unknown); equal gains share a rank.
    shares : DataFrame
        The columns of ``shares.csv``: in what share of the settings the first proposal gains more, less or as much as the
        other, by the gain itself and by the gain for each further bus-hour; ``other`` may be ``today``.
    settings : dict
        The values that were combined.
    bus_hours : dict of id to float
        Further bus-hours a year; NaN where none can be told.
    assumed : tuple of str
        Ids of proposals with assumed clock times, which these figures take as they are.
    least_change : float
        A change of at most this share of today's figure is no gain and no loss.
    """

    study: Study
    scenarios: Mapping[str, str]
    table: pd.DataFrame
    shares: pd.DataFrame
    settings: Mapping[str, list[float] | dict[str, str]]
    bus_hours: Mapping[str, float]
    assumed: tuple[str, ...] = ()
    sources: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    least_change: float = LEAST_CHANGE

    @property
    def lead(self) -> str:
        """Whose gain decides: ``most_deprived`` where deprivation is known, else ``all``."""
        return lead_of(self.table)

    def __repr__(self) -> str:
        n = len(self.table.drop_duplicates(list(SETTING)))
        return f"Sweep({self.study.file.study}: {', '.join(self.scenarios)}; {n} settings)"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(self.text())}</pre>"

    def text(self) -> str:
        """A summary for a terminal: what was varied, who is first how often, and where the order of a pair turns."""
        lines = [self.settings_words()]
        for kind in dict.fromkeys(self.table["kind"]):
            lines += ["", f"{kind_name(str(kind))}, gain of {WHOM[self.lead]}:"]
            lines += [f"  {line}" for line in self.sentences(str(kind))]
        if self.assumed:
            lines += [
                "",
                f"clock times of {joined(list(self.assumed))} are assumed, and taken as they are here; `run --draws 200` says "
                "whether proposals can be told apart whatever these times are",
            ]
        return "\n".join(lines)

    def settings_words(self) -> str:
        """``18 settings: cutoffs 30, 45, 60 minutes; walking 4, 4.8, 5.6 km/h; windows ...``."""
        n = len(self.table.drop_duplicates(list(SETTING)))
        cutoffs, speeds, windows = (self.settings[key] for key in ("cutoffs_min", "walk_speeds_kmh", "windows"))
        assert isinstance(windows, dict)
        return (
            f"{n} settings: cutoffs {', '.join(f'{value:g}' for value in cutoffs)} minutes; "
            f"walking {', '.join(f'{value:g}' for value in speeds)} km/h; "
            f"windows {', '.join(f'{plain(name)} ({time})' if name != time else name for name, time in windows.items())}"
        )

    def sentences(self, kind: str) -> list[str]:
        """Who is first how often, and for each pair in what share of settings one gains more and where that turns."""
        mine = self.table[self.table["kind"] == kind]
        n = len(mine.drop_duplicates(list(SETTING)))
        said = []
        if len(self.scenarios) > 1:
            firsts = {name: int((mine.loc[mine["scenario"] == name, "rank"] == 1).sum()) for name in self.scenarios}
            named = [f"{name} in {times}" for name, times in sorted(firsts.items(), key=lambda item: -item[1]) if times]
            said.append(f"first: {joined(named)} of {n} settings")
        else:
            (name,) = self.scenarios
            said.append(self._against_today(name, kind))
        pairs = list(combinations(self.scenarios, 2))
        said += [self.pair_sentence(one, other, kind) for one, other in pairs[:_MOST_PAIRS]]
        if len(pairs) > _MOST_PAIRS:
            said.append(f"... and {len(pairs) - _MOST_PAIRS} more pairs in shares.csv")
        return said

    def _against_today(self, name: str, kind: str) -> str:
        row = self._share(name, RESERVED, kind)
        n = int(row["settings"])
        better, worse = round(row["better"] * n), round(row["worse"] * n)
        said = f"{name} gains something in {better} of {n} settings, loses in {worse}, changes nothing in {n - better - worse}"
        if not self.least_change:
            return said
        mine = self.table[(self.table["kind"] == kind) & (self.table["scenario"] == name)]
        base, gain = (mine[f"{part}_{self.lead}"].to_numpy(np.float64) for part in ("baseline", "gain"))
        below = int((ways(base, gain, 0.0) != 0).sum()) - int(np.isnan(base + gain).sum()) - better - worse
        return f"{said} ({least_change_words(self.least_change, str(below))})"

    def pair_sentence(self, one: str, other: str, kind: str) -> str:
        """``A gains more than B in 14 of 18 settings (78 %), less in 4: evening at 30 minutes``."""
        row = self._share(one, other, kind)
        if row["worse"] > row["better"]:
            one, other = other, one
            row = self._share(one, other, kind)
        n = int(row["settings"])
        if n == 0:
            return f"{one} and {other} have no setting in which both have a figure"
        better, worse, same = (round(row[key] * n) for key in ("better", "worse", "same"))
        said = f"{one} gains more than {other} in {better} of {n} settings ({percent(row['better'])})"
        if worse:
            said += f", less in {worse}: {self._where(one, other, kind, -1)}"
        if same:
            said += f", as much in {same}: {self._where(one, other, kind, 0)}"
        return said if worse or same else f"{said}: the order never turns"

    def _share(self, one: str, other: str, kind: str) -> dict[str, float]:
        table = self.shares
        mine = table[(table["kind"] == kind) & (table["whom"] == self.lead) & (table["by"] == "gain")]
        row = mine[(mine["scenario"] == one) & (mine["other"] == other)]
        if len(row):
            return {key: float(row[key].iat[0]) for key in ("settings", "better", "worse", "same")}
        row = mine[(mine["scenario"] == other) & (mine["other"] == one)]
        found = {key: float(row[key].iat[0]) for key in ("settings", "better", "worse", "same")}
        return {**found, "better": found["worse"], "worse": found["better"]}

    def _where(self, one: str, other: str, kind: str, sign: int) -> str:
        """The settings in which the first gains less (-1), as much (0) or more (1) than the other, in words."""
        wide = gains_wide(self.table[self.table["kind"] == kind], f"gain_{self.lead}")
        difference = (wide[one] - wide[other]).to_numpy(np.float64)
        floor = floor_of(self.table, kind)
        hit = np.where(np.abs(difference) <= floor, 0, np.sign(difference)) == sign
        return where_words(wide.index.to_frame(index=False), hit & ~np.isnan(difference))

    def write(self, out: str | Path, *, stopwatch: Stopwatch | None = None) -> Path:
        """Write ``sweep.html``, its picture, ``sweep.csv``, ``shares.csv`` and ``run.json`` into a folder, whole or not at all.

        Parameters
        ----------
        out : path
            Replaced when it is the folder of an earlier run; made when it is not there.
        stopwatch : Stopwatch, optional

        Returns
        -------
        Path
            The page.

        Raises
        ------
        UsageError
            The folder holds something else.
        """
        out = as_path(out)
        with (stopwatch or Stopwatch()).stage("report"), new_folder(out) as made:
            view = self.view()
            publish(made / "sweep.csv", csv_text(self.table).encode("utf-8"))
            publish(made / "shares.csv", csv_text(self.shares).encode("utf-8"))
            for ending in ("png", "svg"):
                write_sweep_picture(view, made / f"sweep.{ending}")
            write_sweep_page(view, made / "sweep.html")
            publish(made / RUN_FILE, self.run_json().encode("utf-8"))
        return out / "sweep.html"

    def view(self) -> SweepView:
        """What the page and the picture show."""
        study = self.study
        kinds = [str(kind) for kind in dict.fromkeys(self.table["kind"])]
        return SweepView(
            title=study.title,
            invented=study.is_invented,
            version=__version__,
            whom=WHOM[self.lead],
            gain=f"gain_{self.lead}",
            baseline=f"baseline_{self.lead}",
            scenarios=dict(self.scenarios),
            table=self.table,
            shares=self.shares[self.shares["whom"] == self.lead],
            words=self.settings_words(),
            sentences={kind: self.sentences(kind) for kind in kinds},
            bus_hours=dict(self.bus_hours),
            assumed=self.assumed,
            settings={**printed_settings(study), **self._varied()},
            sources=self.sources,
            floors={kind: floor_of(self.table, kind) for kind in kinds},
        )

    def _varied(self) -> dict[str, object]:
        """The settings that were varied, in place of the study's own."""
        return {
            "windows": self.settings["windows"],
            "cutoffs_min": self.settings["cutoffs_min"],
            "walk_speed_kmh": self.settings["walk_speeds_kmh"],
            **counted_from(self.least_change),
        }

    def run_json(self) -> str:
        """Version, settings, names and hashes of the inputs, and counts, with sorted keys."""
        return run_record(
            self.study,
            "sweep",
            self._varied(),
            scenarios=[{"id": name, "title": title} for name, title in self.scenarios.items()],
            inputs=self.sources[["name", "kind", "sha256"]].to_dict("records"),
            counts={"rows": {"sweep": len(self.table), "shares": len(self.shares)}},
        )


def sweep(
    study: Study,
    scenarios: Sequence[Scenario],
    *,
    cutoffs_min: Sequence[int] | None = None,
    speeds_kmh: Sequence[float] | None = None,
    windows: Sequence[str] | None = None,
    least_change: float = LEAST_CHANGE,
    **running: Unpack[Running],
) -> Sweep:
    """Compare proposals with today in every combination of cutoff, walking speed and window.

    The figure is that of the report: opportunities reached within the cutoff on average over the departures of the window, and
    its change for the most deprived fifth. Limits on walks are in minutes, so whoever walks more slowly reaches fewer stops.

    Parameters
    ----------
    study : Study
    scenarios : sequence of Scenario
    cutoffs_min : sequence of int, optional
        The study's when left out; at most its ``max_travel_min``.
    speeds_kmh : sequence of float, optional
        Walking speeds; the study's and a sixth less and more when left out.
    windows : sequence of str, optional
        Names of the study's windows, or times such as ``14:00-15:00``, which are asked on every day; all of the study's when
        left out.
    least_change : float
        Changes of at most this share (0.01 is 1 %) of today's figure count as no gain and no loss; 0 counts every change.
    **running : threads, engine, stopwatch, progress
        As in ``evaluate``: they change no byte.

    Returns
    -------
    Sweep

    Raises
    ------
    UsageError
        No scenario, two of one id, or a value that cannot be.
    ScenarioError
        A proposal cannot be applied.
    """
    names, runner = checked_names(scenarios), Runner.of(**running)
    check_least_change(least_change)
    cutoffs, speeds = checked_cutoffs(study, cutoffs_min), checked_speeds(study, speeds_kmh)
    chosen = checked_windows(study, windows)
    tables: list[pd.DataFrame] = []
    hours: dict[str, float] = {}
    assumed: dict[str, None] = {}
    base = Case.of(study)
    for speed in speeds:
        at = replace(runner, tell=_telling(runner.tell, f"walking {speed:g} km/h"))
        asked = case_at(base, speed, cutoffs, chosen)
        # Today is searched once for each speed and shared by all proposals; cutoffs and windows need no other search.
        today = evaluate_case(asked, runner=at)
        proposals = evaluate_all([asked.with_scenario(scenario) for scenario in scenarios], today, at)
        with runner.stage("compare"):
            for proposal in proposals:
                tables.append(gain_rows(today, proposal).assign(walk_speed_kmh=speed))
                hours[proposal.scenario] = bus_hours_of(today, proposal)
                if is_random(proposal.case):
                    assumed[proposal.scenario] = None
    with runner.stage("compare"):
        table = ordered_rows(pd.concat(tables, ignore_index=True), study, names, chosen)
        shares = share_table(table, names, hours, least_change)
    return Sweep(
        study=study,
        scenarios={scenario.scenario: scenario.name for scenario in scenarios},
        table=table,
        shares=shares,
        settings={
            "cutoffs_min": list(cutoffs),
            "walk_speeds_kmh": list(speeds),
            "windows": {name: format_window(window.time) for name, window in chosen.items()},
        },
        bus_hours=hours,
        assumed=tuple(assumed),
        sources=pd.concat([study.sources, scenario_sources(scenarios)], ignore_index=True),
        least_change=least_change,
    )


def _telling(tell: Progress, setting: str) -> Progress:
    return lambda text: tell(f"{text}, {setting}")


def checked_names(scenarios: Sequence[Scenario]) -> list[str]:
    """The ids of proposals.

    Raises
    ------
    UsageError
        There is none, or two of one id.
    """
    names = [scenario.scenario for scenario in scenarios]
    if not names:
        raise UsageError("a sweep compares proposals; name at least one scenario")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"the scenario {twice[0]!r} is given twice")
    return names


def checked_cutoffs(study: Study, cutoffs_min: Sequence[int] | None) -> tuple[int, ...]:
    """The cutoffs in rising order, or the study's.

    Raises
    ------
    UsageError
    """
    travel = study.file.travel
    if cutoffs_min is None:
        return travel.cutoffs_min
    for value in cutoffs_min:
        if not 1 <= value <= travel.max_travel_min:
            raise UsageError(
                f"cutoff {value}: it must be 1 to {travel.max_travel_min} minutes, the study's max_travel_min, beyond which "
                "journeys are not looked for"
            )
    return tuple(sorted(set(cutoffs_min)))


def checked_speeds(study: Study, speeds_kmh: Sequence[float] | None) -> tuple[float, ...]:
    """The walking speeds in rising order, or the study's with a sixth less and more.

    Raises
    ------
    UsageError
    """
    own = study.file.travel.walk.speed_kmh
    values = [round(own * 5 / 6, 1), own, round(own * 7 / 6, 1)] if speeds_kmh is None else list(speeds_kmh)
    for value in values:
        if not 0.5 <= value <= 20:
            raise UsageError(f"walking speed {value:g}: it must be 0.5 to 20 km/h")
    return tuple(sorted(set(map(float, values))))


def checked_windows(study: Study, windows: Sequence[str] | None) -> dict[str, Window]:
    """The windows named, or all of the study's.

    Raises
    ------
    UsageError
    """
    known = study.file.travel.windows
    if windows is None:
        return dict(known)
    chosen: dict[str, Window] = {}
    for text in windows:
        if text in known:
            chosen[text] = known[text]
            continue
        try:
            chosen[text] = Window(time=parse_window(text))
        except ValueError as wrong:
            raise UsageError(
                f"{text!r} is no window of the study ({', '.join(known)}) and no time such as 14:00-15:00: {wrong}"
            ) from None
    if not chosen:
        raise UsageError("no window is named")
    return chosen


def case_at(base: Case, speed_kmh: float, cutoffs_min: Sequence[int], windows: Mapping[str, Window]) -> Case:
    """The same case with another walking speed, cutoffs and windows, and nothing measured but opportunities reached.

    Journeys beyond the longest cutoff are not looked for: none of them counts.
    """
    case = base.with_settings(
        speed_kmh=speed_kmh,
        cutoffs_min=tuple(cutoffs_min),
        windows=dict(windows),
        max_travel_min=max(cutoffs_min),
        percentiles=(50,),
        measures=(MeasureChoice(name=MEASURE),),
    )
    if not any(case.file.windows_on(day) for day in case.file.dates):
        days = ", ".join(f"{day} {date}" for day, date in case.file.dates.items())
        raise UsageError(f"none of the windows {', '.join(windows)} is asked on a day of the study ({days})")
    return case
