"""The page of a review: which services would be missed most, why, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from community_routes.base.version import __version__
from community_routes.evaluation.results import counted_from, printed_settings
from community_routes.planning.result import Missed
from community_routes.planning.services import ALL_WEEK
from community_routes.planning.sheet import change_map, change_view, drawn_routes, study_sheet
from community_routes.report import words
from community_routes.report.blocks import (
    Block,
    Box,
    Fold,
    Heading,
    Items,
    Page,
    Row,
    Section,
    Table,
    Text,
    Th,
    article,
    code,
    columns,
)
from community_routes.report.frame import page_text, settings_and_sources
from community_routes.report.maps import svg
from community_routes.report.pages.context import counted

MOST_SHOWN = 12
"""Services told in words; all others stand in the table below."""
MOST_MAPS = 6
_FEW = 1e-9
_RULES = (
    ".missed{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,28rem);gap:2rem}"
    "@media(max-width:60rem){.missed{grid-template-columns:minmax(0,1fr)}}"
)
"""Reasons and a map side by side where there is room."""


def review_html(review: Missed) -> str:
    """The page as text, one HTML file that needs nothing else."""
    sheet = _sheet(review)
    study = review.study
    page = Page(
        name="review",
        title=f"{study.title}: which services would be missed most",
        heading=study.title,
        standfirst="Each bus and train service of today's timetable was taken away by itself. Who would lose what, and what "
        "would it save?",
        version=__version__,
        sections=[
            _answer(review),
            _needed(review, sheet),
            _whole_routes(review),
            _not_missed(review),
            _everything(review),
            _questions(review),
            _unknown(review),
        ],
        facts=[
            *((words.day_name(day), [words.date_text(date)]) for day, date in study.file.dates.items()),
            ("Services", [f"{len(review.services):,}"]),
        ],
        footer=[f"Made with community_routes {__version__}.", *([study.street_credit] if study.street_credit else [])],
        symbols=sheet.symbols + svg.HATCHES.format("h-"),
        rules=_RULES,
        invented=study.is_invented,
    )
    return page_text(page, results=review)


def whose(review: Missed) -> str:
    """Whose loss decides, in words."""
    ranked = review.study.zones.table[["deprivation_rank", "deprivation_decile"]]
    known = ranked.astype(float).notna().to_numpy().any()
    return "the most deprived fifth" if known else "all residents"


def _answer(review: Missed) -> Section:
    kind, table = review.kinds[0], review.of_periods(review.kinds[0])
    lost = table["lost_percent_most_deprived"].to_numpy(np.float64)
    some = table[lost > _FEW]
    persons = "residents" if review.study.zones.has_population else "neighbourhoods"
    said: list[Block] = []
    if len(some):
        first = some.iloc[0]
        told = (
            "<strong>{}</strong> would be missed most: without it {} would reach {} fewer {} within {:g} minutes than today "
            "in those hours, and {} {} would lose."
        )
        said.append(
            Text(
                Markup(told).format(
                    service_words(first),
                    whose(review),
                    percent_words(first["lost_percent_most_deprived"]),
                    counted(str(first["unit"]), kind),
                    first["cutoff_min"],
                    words.count(first["persons_worse"]),
                    persons,
                ),
                "sentence",
            )
        )
    else:
        said.append(Text(f"No single service takes {words.kind_name(kind)} from {whose(review)}.", "sentence"))
    n_none = len(table) - len(some)
    said.append(
        Text(
            f"{len(table):,} services of a route in a period were taken away, one at a time. {len(some):,} of them take "
            f"something from {whose(review)}; {n_none:,} take nothing of what is counted here, because another service does the "
            "same or because places are walked to."
        )
    )
    stranded = table[table["persons_left_without"] > 0]
    if len(stranded):
        worst = stranded.sort_values("persons_left_without", ascending=False, kind="stable").iloc[0]
        said.append(
            Text(
                f"{len(stranded):,} services are the last way to any of the {words.kind_name(kind)} for somebody: without "
                f"{service_words(worst)} {words.count(worst['persons_left_without'])} {persons} would reach none at all in those "
                "hours."
            )
        )
    return Section("answer", "What would be missed most", said, short="Answer")


def service_words(row: Mapping[str, Any] | pd.Series[Any]) -> str:
    """``1 (Millgate Buses), weekday evening``."""
    operator = f" ({row['operator']})" if row["operator"] else ""
    return f"{row['route']}{operator}, {period_words(str(row['period']))}"


def period_words(period: str) -> str:
    """``saturday`` is "Saturday"; other periods stand as they are."""
    return " ".join(word.capitalize() if word in ("saturday", "sunday") else word for word in period.split(" "))


def counted_words(value: float, one: str, several: str) -> str:
    """``1 neighbourhood``, ``3 neighbourhoods``."""
    return f"{words.count(value)} {one if round(value) == 1 else several}"


def percent_words(value: float) -> str:
    """A share in percent for reading."""
    return words.percent(value / 100)


def reasons(row: Mapping[str, Any] | pd.Series[Any], kind: str, *, persons: str) -> list[str]:
    """Why a service is missed or not, in plain sentences; each is a figure of review.csv."""
    name = words.kind_name(kind)
    said = []
    if row["persons_left_without"] > 0:
        said.append(
            f"{words.count(row['persons_left_without'])} {persons} would reach no {name} at all in those hours."
        )
    if row["persons_worse"] > 0:
        left = (
            ""
            if np.isnan(row["share_left"])
            else f"; what is left to them is {words.percent(row['share_left'])} of today's"
        )
        said.append(f"{words.count(row['persons_worse'])} {persons} would reach fewer {name}{left}.")
    if row["places_cut_off"]:
        said.append(f"{words.count(row['places_cut_off'])} of the {name} could not be reached by anybody any more.")
    if row["last_of_neighbourhoods"]:
        said.append(
            "It is the only service within a walk of "
            + counted_words(row["last_of_neighbourhoods"], "neighbourhood", "neighbourhoods")
            + (f" with {words.count(row['persons_in_last_of'])} residents." if persons == "residents" else ".")
        )
    if row["last_of_stops"]:
        said.append(f"Nothing else leaves from {words.count(row['last_of_stops'])} of its stops in those hours.")
    if row["best_other"]:
        said.append(
            f"The best other service is {row['best_other']}: it calls at {words.percent(row['best_other_stops'])} of its stops, "
            f"{words.number(row['best_other_per_hour'])} times an hour."
        )
    else:
        said.append("No other service calls at any of its stops.")
    hours = row["bus_hours_saved"]
    if np.isfinite(hours):
        per = row["lost_per_1000_bus_hours"]
        unit = words.unit_name(str(row["unit"]))
        beside = ""
        if np.isfinite(per) and per > 0:
            amount = words.number(words.in_unit(per, str(row["unit"])))
            beside = f"; {amount} {unit or 'places'} fewer in reach for each thousand of them"
        said.append(f"It takes {words.count(hours)} bus-hours a year{beside}.")
    return said


def _persons(review: Missed) -> str:
    return "residents" if review.study.zones.has_population else "neighbourhoods"


def _needed(review: Missed, sheet: svg.Sheet) -> Section:
    """The services that would be missed most, each with its reasons, the first ones with a map."""
    kind = review.kinds[0]
    table = review.of_periods(kind)
    table = table[table["lost_percent_most_deprived"] > _FEW].head(MOST_SHOWN)
    number = {service.id: service.number for service in review.services}
    found: list[Block] = []
    for place, (_, row) in enumerate(table.iterrows()):
        told: list[Block] = [
            Heading(
                f"{int(row['rank'])}. {service_words(row)}: {words.MINUS}{percent_words(row['lost_percent_most_deprived'])}"
            ),
            Items(reasons(row, kind, persons=_persons(review)), "said-list"),
        ]
        if place < MOST_MAPS:
            drawn = _map(review, sheet, number[row["service"]], row, kind)
            told = [told[0], Box([Box([told[1]]), Box(drawn, "one", "figure")], "missed")]
        found.append(article(*told))
    if not found:
        found.append(Text("None: whatever is taken away, the others and walks replace it."))
    return Section("needed", "The services that would be missed most, and why", found, short="Most missed")


def _heads(review: Missed, kind: str) -> list[str | Th]:
    return [
        Th("Service", sort="text"),
        Th("Rank", sort="number"),
        Th(f"{words.sentence_case(words.kind_name(kind))} lost, {whose(review)}", sort="number"),
        Th(f"{words.sentence_case(_persons(review))} who lose", sort="number"),
        Th("left with none", sort="number"),
        Th("Only service of neighbourhoods", sort="number"),
        Th("Bus-hours a year", sort="number"),
        Th("Rank by loss for each bus-hour", sort="number"),
    ]


def _rows(table: pd.DataFrame) -> list[Row]:
    return [
        Row(
            service_words(row),
            [
                "" if pd.isna(row["rank"]) else str(int(row["rank"])),
                percent_words(row["lost_percent_most_deprived"]),
                words.count(row["persons_worse"]),
                words.count(row["persons_left_without"]),
                words.count(row["last_of_neighbourhoods"]),
                words.count(row["bus_hours_saved"]) if np.isfinite(row["bus_hours_saved"]) else words.MISSING,
                "" if pd.isna(row["rank_per_bus_hour"]) else str(int(row["rank_per_bus_hour"])),
            ],
        )
        for _, row in table.iterrows()
    ]


def _whole_routes(review: Missed) -> Section:
    kind = review.kinds[0]
    table = review.of_routes(kind)
    said = Text(
        "A route taken away altogether, as it is felt in the hours in which it is missed most. Routes that cannot be told apart "
        "share a rank.",
        "cap",
    )
    return Section(
        "routes",
        "Whole routes",
        [
            said,
            Table(
                "Table: whole routes by what would be lost", _heads(review, kind), _rows(table), style="left", tall=True
            ),
        ],
        short="Whole routes",
    )


def nobody_misses(review: Missed) -> pd.DataFrame:
    """The first row of each service in a period that takes nothing from anybody, of any kind, and is alone at no stop."""
    table = review.table[review.table["period"] != ALL_WEEK]
    columns = ["persons_worse", "persons_left_without", "places_cut_off", "last_of_stops"]
    lost = table.groupby("service", sort=False)[columns].sum()
    nobody = lost.index[(lost == 0).all(axis=1)]
    return table[table["service"].isin(nobody)].drop_duplicates("service")


def _not_missed(review: Missed) -> Section:
    """What nobody would miss by any figure of this page, and what it takes."""
    rows = nobody_misses(review)
    hours = float(rows["bus_hours_saved"].sum())
    if not len(rows):
        return Section("spare", "What nobody would miss", [Text("Every service is missed by somebody.")])
    listed = [
        f"{service_words(row)}: {words.count(row['bus_hours_saved'])} bus-hours a year" for _, row in rows.iterrows()
    ]
    told = (
        f"{len(rows):,} services take nothing away from anybody by these figures, and are not alone at any stop; together "
        f"they take {words.count(hours)} bus-hours a year. That does not make them needless: crowding, short waits, "
        "school trips and journeys outside the area are not counted here, and each was taken away by itself, with "
        "all the others still there."
    )
    return Section("spare", "What nobody would miss", [Text(told), Fold("Which they are", [Items(listed)])])


def _everything(review: Missed) -> Section:
    folds: list[Block] = [
        Fold(
            f"All services by what is lost of {words.kind_name(kind)}",
            [Table(f"Table: all services, {words.kind_name(kind)}", _heads(review, kind), _rows(review.of_periods(kind)),
                   style="left", tall=True)],
        )
        for kind in review.kinds
    ]  # fmt: skip
    return Section("all", "All services", folds, short="All services")


def _questions(review: Missed) -> Section:
    """Which figures support which question of those who must list the services that a community cannot do without."""
    persons = _persons(review)
    rows = [
        Row("Who relies on it to reach work, learning, shops, care and company?",
            [Markup("{} of each kind of place; {} by fifth, ward and group").format(code("persons_worse"),
             code("review_groups.csv"))]),
        Row("Would anybody be left with nothing?",
            [Markup("{}, {}").format(code("persons_left_without"), code("places_cut_off"))]),
        Row("Is there another way?",
            [Markup("{}, {}, {}").format(code("share_left"), code("best_other"), code("last_of_neighbourhoods"))]),
        Row("Does it bear most on the most deprived?",
            [Markup("{} beside {}").format(code("change_most_deprived"), code("change"))]),
        Row("What does it take to run?",
            [Markup("{}, {}, {}").format(code("bus_hours_saved"), code("cost_saved"), code("lost_per_1000_bus_hours"))]),
    ]  # fmt: skip
    said = Text(
        "In England the Bus Services Act 2025 asks authorities with an enhanced partnership to list the local services that are "
        f"socially necessary. Which {persons} need which service is for the authority to decide; these figures are evidence for "
        "the questions that such a decision asks."
    )
    return Section(
        "questions",
        "Which figures answer which question",
        [
            said,
            Table(
                "Table: questions and the figures that support an answer",
                ["Question", "In review.csv"],
                rows,
                style="left",
            ),
        ],
        short="Which figure for which question",
    )


def _unknown(review: Missed) -> Section:
    left: list[Block] = [
        Text(
            "Each service was taken away alone: two that replace one another are each missed little, and both together much. "
            "Levels are opportunities reached within the middle cutoff, on average over the departures of the hours; they "
            "say what can be reached, not how many people ride."
        ),
        Text(
            Markup("Exact figures: {} and {}; each row is what {} says of that proposal.").format(
                code("review.csv"), code("review_groups.csv"), code("withdraw_route")
            )
        ),
    ]
    settings = {**printed_settings(review.study), **counted_from(review.least_change)}
    return Section(
        "unknown",
        "What this says and what it does not",
        [columns(left, settings_and_sources(settings, review.study.sources))],
    )


def _sheet(review: Missed) -> svg.Sheet:
    """What all maps of the page share: the services that would be missed most, dashed."""
    study = review.study
    wanted = review.of_periods(review.kinds[0]).head(MOST_MAPS)["service"].tolist()
    route_of = {service.id: service.route_id for service in review.services}
    return study_sheet(
        study, {name: drawn_routes(study, study.feed, name, [route_of[name]]).assign(withdrawn=True) for name in wanted}
    )


def _map(
    review: Missed, sheet: svg.Sheet, number: int, row: Mapping[str, Any] | pd.Series[Any], kind: str
) -> list[Block]:
    """Where the loss falls, with the service dashed, and the classes below."""
    unit, name = str(row["unit"]), service_words(row)
    view = change_view(
        review.change[number, kind],
        kind,
        unit,
        scenario=str(row["service"]),
        whose=name,
        when=str(row["period"]),
        withdrawn=True,
    )
    caption = f"{words.sentence_case(counted(unit, kind))} within {row['cutoff_min']:g} minutes, change"
    return change_map(sheet, view, title=f"Change of {words.kind_name(kind)} without {name}.", caption=caption)
