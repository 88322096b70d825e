"""What of a study can be chosen: days, windows, kinds, measures in their cutoffs and readings, groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from community_routes.answers.figure import Figure, chosen_figure, chosen_measure, chosen_slot
from community_routes.base.times import format_time
from community_routes.base.version import __version__
from community_routes.evaluation.case import Case, window_query
from community_routes.evaluation.search import Search
from community_routes.fares.month import Commute
from community_routes.measures.groups import groupings
from community_routes.measures.list import less_is_better
from community_routes.measures.measure import ZoneColumn
from community_routes.report import words
from community_routes.routing.runner import Runner
from community_routes.routing.scan import NEVER
from community_routes.scenarios.cost import PERIODS
from community_routes.scenarios.schema import scenario_schema
from community_routes.workbench.document import MOST_CHANGES
from community_routes.workbench.files import Folder
from community_routes.workbench.guard import MOST_BYTES
from community_routes.workbench.models import (
    MOST_FILES,
    MOST_TEXT,
    Day,
    GroupChoice,
    MeasureChoice,
    Named,
    Period,
    Start,
    StudyAnswer,
    Unit,
    Window,
)

_SHOWN_GROUPINGS = ("all", "local", "group")


@dataclass(frozen=True, eq=False)
class Catalogue:
    """What a study measures, before anything is searched.

    Attributes
    ----------
    rows : DataFrame of kind, measure, reading, cutoff_min, unit
        Every figure of a window.
    headline : Figure
        The one to begin with.
    """

    rows: pd.DataFrame
    headline: Figure

    @classmethod
    def of(cls, case: Case) -> Catalogue:
        """Every figure that the measures of a study give, told from what they say when nothing is reached."""
        day = next(iter(case.networks))
        window = next(iter(case.file.windows_on(day)))
        inputs = Search(case, case.choice, Runner()).before_search(day, window, window_query(case.file, window))
        never = np.full((len(inputs.origins), 1, len(inputs.destinations)), NEVER, np.int16)
        fares = case.fares
        commutes = {need for need in case.choice.needs if isinstance(need, Commute)}
        cutoffs = len(case.file.travel.cutoffs_min)
        inputs = replace(
            inputs,
            time_s=never,
            zone_time_s=np.full((len(inputs.origins), 1, len(inputs.zones)), NEVER, np.int16),
            times_of_budget=dict.fromkeys(fares.budgets if fares is not None else (), never),
            cost_of_commute={
                one: np.full((len(inputs.origins), cutoffs, len(case.opportunities.rows_of(one.key))), np.inf)
                for one in commutes
            },
        )
        lead = chosen_measure(case, None)
        headline = chosen_figure(chosen_slot(case, None, None), _rows(lead.take(inputs)), lead, None, None, None)
        return cls(_rows(column for measure in case.choice.measures for column in measure.take(inputs)), headline)

    def measures(self, currency: str) -> list[MeasureChoice]:
        """The measures, those of reach first."""
        order = {"cumulative_opportunities": 0, "nearest": 1}
        found = []
        for name, rows in sorted(self.rows.groupby("measure", sort=False), key=lambda item: order.get(str(item[0]), 2)):
            cutoffs = sorted({float(one) for one in rows["cutoff_min"].dropna()})
            units = sorted({str(one) for one in rows["unit"]})
            readings = [Named(id=str(one), name=words.reading_name(str(one))) for one in rows["reading"].unique()]
            label = words.view_name(str(name), "mean", None, currency)
            found.append(
                MeasureChoice(
                    id=str(name),
                    label=label,
                    unit=unit_of(units[0]) if len(units) == 1 else None,
                    less_is_better=less_is_better(str(name)),
                    kinds=[str(one) for one in rows["kind"].unique()],
                    cutoffs_min=cutoffs,
                    readings=readings,
                )
            )
        return found

    @property
    def kinds(self) -> list[Named]:
        """Kinds of what is reached."""
        return [
            Named(id=str(one), name=words.sentence_case(words.kind_name(str(one))))
            for one in self.rows["kind"].unique()
        ]


def _rows(columns: Iterable[ZoneColumn]) -> pd.DataFrame:
    """What figures there are, each once, in the order of tables."""
    rows = [(c.kind, c.measure, c.reading, c.cutoff_min, c.unit) for c in sorted(columns, key=lambda c: c.place)]
    table = pd.DataFrame(rows, columns=["kind", "measure", "reading", "cutoff_min", "unit"])
    return table.astype({"cutoff_min": float}).drop_duplicates(ignore_index=True)


def unit_of(unit: str) -> Unit:
    """A unit of the tables, and how it is shown."""
    return Unit(id=unit, name=words.unit_name(unit), factor=words.in_unit(1.0, unit))


def group_choices(zones: pd.DataFrame) -> list[GroupChoice]:
    """Everybody, the fifths by deprivation, and the study's own groups, as far as the study has them."""
    return [
        GroupChoice(id=group_id(grouping.name, group), label=group_label(grouping.name, group))
        for grouping in groupings(zones)
        if grouping.name in _SHOWN_GROUPINGS
        for group in grouping.groups
    ]


def group_id(grouping: str, group: str) -> str:
    """``local:1``."""
    return f"{grouping}:{group}"


def group_label(grouping: str, group: str) -> str:
    """A group in words."""
    return "All residents" if grouping == "all" else words.group_name(grouping, group)


def lead_group(zones: pd.DataFrame) -> str:
    """The most deprived fifth, or everybody where deprivation is unknown."""
    known = [choice.id for choice in group_choices(zones)]
    return next((one for one in known if one == "local:1"), known[0])


def study_answer(case: Case, catalogue: Catalogue, folder: Folder, start: Start) -> StudyAnswer:
    """What can be chosen and opened, of a study and the folder of its proposals."""
    study, file = case.study, case.file
    credits: Mapping[str, None] = dict.fromkeys(str(one) for one in study.sources["credit"] if one)
    return StudyAnswer(
        title=study.title,
        version=__version__,
        read_only=folder.read_only,
        invented=study.is_invented,
        currency=study.currency,
        days=[Day(id=day, name=words.day_name(day), date=date.isoformat()) for day, date in file.dates.items()],
        windows=[
            Window(
                id=name,
                name=words.sentence_case(words.plain(name)),
                start=format_time(window.start_s, with_seconds=False),
                end=format_time(window.end_s, with_seconds=False),
                days=[day for day in file.dates if window.runs_on(day, file.dates)],
            )
            for name, window in file.travel.windows.items()
        ],
        kinds=catalogue.kinds,
        measures=catalogue.measures(study.currency),
        groups=group_choices(case.zones.table),
        start=start,
        scenarios=folder.scenarios(),
        drafts=folder.drafts(),
        credits=list(credits),
        schema_=scenario_schema(),
        periods=[
            Period(
                id=name,
                start=format_time(start_s, with_seconds=False),
                end=format_time(end_s, with_seconds=False),
            )
            for name, (start_s, end_s) in PERIODS.items()
        ],
        limits={"body_bytes": MOST_BYTES, "text_letters": MOST_TEXT, "files": MOST_FILES, "changes": MOST_CHANGES},
    )
