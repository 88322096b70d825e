"""The page of an optimisation: what to do, where it is felt, what more or less money gives, and how good the answer can be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup

from community_routes.base.version import __version__
from community_routes.evaluation.results import printed_settings
from community_routes.planning.optimising.limits import BUDGETS
from community_routes.planning.optimising.outcome import Kept, Outcome
from community_routes.planning.sheet import change_map, change_view, drawn_routes, study_sheet
from community_routes.report import words
from community_routes.report.blocks import (
    Block,
    Box,
    Fold,
    Items,
    Lead,
    Page,
    Picture,
    Row,
    Section,
    Table,
    Td,
    Text,
    Th,
    code,
    columns,
)
from community_routes.report.frame import page_text, settings_and_sources
from community_routes.report.line_charts import Spot, gain_curve
from community_routes.report.maps import svg
from community_routes.report.pages.context import counted

_RULES = (
    ".what-to-do{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,30rem);gap:2rem;align-items:start}"
    "@media(max-width:60rem){.what-to-do{grid-template-columns:minmax(0,1fr)}}"
    ".lines.curve{max-width:760px}.curve circle.f1{fill:var(--accent)}"
    ".optimise tbody th{min-width:14em;white-space:normal}"
)
"""Changes and their map side by side where there is room."""
_KIND_WORDS = {
    "headways": "more buses in a part of the day",
    "spans": "earlier first and later last buses",
    "sunday": "a Sunday like a Saturday",
    "extensions": "routes that go on beyond their end",
    "links": "new routes",
    "cuts": "fewer buses or none",
    "files": "scenario files of your own",
}


def optimise_html(found: Outcome, how_good: str, settings: dict[str, object]) -> str:
    """The page as text, one HTML file that needs nothing else.

    Parameters
    ----------
    found : Outcome
    how_good : str
        How far from the best of all, in a sentence.
    settings : dict
        What was asked.
    """
    study = found.study
    sections = [_answer(found, how_good)]
    symbols = Markup("")
    if found.kept:
        sheet = study_sheet(study, {found.kept[0].scenario.scenario: _changed_routes(found)})
        symbols = sheet.symbols + svg.HATCHES.format("h-")
        sections += [_changes(found, sheet), _who(found), _frontier(found), _nearly(found)]
    sections += [_how(found, how_good), _everything(found), _unknown(found, settings)]
    page = Page(
        name="optimise",
        title=f"{study.title}: what to do with {found.budget.words}",
        heading=study.title,
        standfirst=f"Which changes to the services of today give most within {found.budget.words}, and how good is the answer?",
        version=__version__,
        sections=[section for section in sections if section is not None],
        facts=[
            *((words.day_name(day), [words.date_text(date)]) for day, date in study.file.dates.items()),
            ("Budget", [found.budget.words]),
            ("Candidates", [f"{len(found.candidates):,}"]),
        ],
        footer=[f"Made with community_routes {__version__}.", *([study.street_credit] if study.street_credit else [])],
        symbols=symbols,
        rules=_RULES,
        invented=study.is_invented,
    )
    return page_text(page, results=found)


def _changed_routes(found: Outcome) -> pd.DataFrame:
    applied = found.answers[0].case.applied
    assert applied is not None
    ids = [*applied.changed_routes, *applied.new_routes]
    return drawn_routes(found.study, applied.feed, found.kept[0].scenario.scenario, ids)


def _gain_words(found: Outcome, percent: float) -> str:
    return words.percent(percent / 100, sign=True) if np.isfinite(percent) else words.MISSING


def _levels(found: Outcome, value: float) -> str:
    figure = found.objective.figure
    shown = words.number(words.in_unit(value, figure.unit))
    return f"{shown} {counted(figure.unit, figure.kind)}"


def _answer(found: Outcome, how_good: str) -> Section:
    group, objective = found.objective.group.name, found.objective
    if not found.kept:
        none = f"None of the {len(found.candidates):,} candidates makes {found.what} better for {group} within "
        blocks = [Text(f"{none}{found.budget.words}.", "sentence"), Text(how_good)]
        return Section("answer", "What to do", blocks, short="Answer")
    before = objective.level(objective.today)
    after = objective.level(np.stack([objective.counted(answer) for answer in found.answers]))
    n = len(found.kept[0].point.chosen)
    spent = "; ".join(found.cost.words()) if found.cost is not None else "nothing is spent"
    said: list[Block] = [
        Text(
            f"{n} {'change' if n == 1 else 'changes'} would take {group} from {_levels(found, before)} to "
            f"{_levels(found, after)} ({found.what}, {found.when}).",
            "sentence",
        ),
        Text(f"What it takes: {spent}."),
        Text(how_good),
        Text(
            Markup(
                "The changes are in {}, a proposal like any other: it runs, exports and opens on the workbench."
            ).format(code(f"{found.kept[0].scenario.scenario}.yaml"))
        ),
    ]
    lead = Lead(Markup(_gain_words(found, found.gain_percent)), f"for {group}: {found.what}, {found.when}", said)
    return Section("answer", "What to do", [lead], short="Answer")


def _changes(found: Outcome, sheet: svg.Sheet) -> Section:
    objective, figure = found.objective, found.objective.figure
    after = np.stack([objective.counted(answer) for answer in found.answers])
    with np.errstate(invalid="ignore"):
        change = np.where(np.isfinite(after) & np.isfinite(objective.today), after - objective.today, np.nan).mean(
            axis=0
        )
    when = found.when
    view = change_view(
        change, figure.kind, figure.unit, scenario=found.kept[0].scenario.scenario, whose="the best set", when=when
    )
    caption = f"{words.sentence_case(counted(figure.unit, figure.kind))}, change; {when}"
    drawn = change_map(
        sheet, view, title=f"Change of {words.kind_name(figure.kind)} with the best set.", caption=caption
    )
    heads: list[str | Th] = [
        "Change", "Bus-hours a year", "Peak vehicles", "Gain alone", "Gain as the last one", "Share of the gain",
    ]  # fmt: skip
    rows = [
        Row(
            str(row["sentence"]),
            [
                _signed_count(row["bus_hours"]),
                _signed_count(row["buses"]),
                _percent_of_today(found, row["gain_alone"]),
                _percent_of_today(found, row["gain_last"]),
                words.percent(row["share_of_gain"]) if np.isfinite(row["share_of_gain"]) else words.MISSING,
            ],
        )
        for _, row in found.changes.iterrows()
    ]
    said = Text(
        "Alone: with nothing else changed. As the last one: with all the others made already. Where the two differ, changes "
        "stand in for one another or need one another. The share is the mean of both ends and adds up to all of it.",
        "cap",
    )
    table = Table("Table: the changes, what each takes and gives", heads, rows)
    warned = _warnings(found)
    left: list[Block] = [said, table, *([Fold("What to look at before it is made", [Items(warned)])] if warned else [])]
    return Section(
        "changes", "The changes, and where they are felt", [Box([Box(left), Box(drawn, "one", "figure")], "what-to-do")],
        short="Changes",
    )  # fmt: skip


def _warnings(found: Outcome) -> list[str]:
    """What applying the best set had to say."""
    said = [str(notice.message) for notice in found.answers[0].case.said]
    return [words.sentence_case(text) + "." for text in dict.fromkeys(said)]


def _signed_count(value: float) -> str:
    if not np.isfinite(value):
        return words.MISSING
    return words.count(value) if value >= 0 else f"{words.MINUS}{words.count(-value)}"


def _percent_of_today(found: Outcome, gain: float) -> str:
    return _gain_words(found, found.objective.gain_in_percent(found.found.nothing + gain))


def _who(found: Outcome) -> Section:
    """Levels of everybody, fifths and groups, before and after, as the mean of the windows."""
    objective = found.objective
    after = np.stack([objective.counted(answer) for answer in found.answers])
    rows = []
    for group in objective.guarded:
        old, new = objective.level(objective.today, group), objective.level(after, group)
        share = (new - old) / abs(old) if old else float("nan")
        worse = (new > old) if objective.is_less_better else (new < old)
        told = words.percent(share, sign=True) if np.isfinite(share) else words.MISSING
        rows.append(
            Row(
                group.name,
                [_number(found, old), _number(found, new), Td(told, "change loss-text" if worse else "change")],
            )
        )
    persons = [(answer, answer.persons) for answer in found.answers]
    people = "residents" if found.study.zones.has_population else "neighbourhoods"
    told_persons = [
        f"{words.sentence_case(words.plain(answer.figure.window))}: {words.count(number.better)} {people} gain, "
        f"{words.count(number.worse)} lose."
        for answer, number in persons
    ]
    unit = counted(objective.figure.unit, objective.figure.kind)
    return Section(
        "who",
        "Who gains and who loses",
        [
            Items(told_persons, "said-list"),
            Table(f"Table: {unit} by group", ["Group", "Today", "With the changes", "Change"], rows,
                  caption=f"{words.sentence_case(unit)} on average, {found.when}"),
        ],
        short="Who gains",
    )  # fmt: skip


def _number(found: Outcome, value: float) -> str:
    return words.number(words.in_unit(value, found.objective.figure.unit))


def _frontier(found: Outcome) -> Section:
    names = {kept.point.chosen: kept for kept in found.kept}
    spots = []
    for point in found.found.frontier:
        gain = found.objective.gain_in_percent(point.value)
        kept = names.get(point.chosen)
        leads = point.chosen == found.found.best.chosen
        name = f"{_gain_words(found, gain)}" if kept is not None else ""
        told = f"{words.count(point.cost)} {BUDGETS[found.budget.of]}: {_gain_words(found, gain)}, {len(point.chosen)} changes"
        spots.append(Spot(point.cost, gain, name, told, leads))
    most = found.most_percent if found.is_bounded else None
    drawing = gain_curve(
        [spot for spot in spots if spot.x >= 0],
        title="Gain against what is spent",
        x_name=BUDGETS[found.budget.of],
        y_name=f"gain of {found.objective.group.name}, % of today",
        most=most,
    )
    below = [] if most is None or most <= 2 * found.gain_percent else [
        Text(f"No set can give more than {_gain_words(found, most)}, which is far above the picture.", "note")
    ]  # fmt: skip
    budgets = [kept for kept in found.kept if "nearly" not in kept.scenario.scenario]
    return Section(
        "frontier",
        "What more or less would give",
        [
            Picture(f"The best sets met for what they take, {found.when}", drawing, below, "frontier"),
            _kept_table(found, budgets, "Table: the best set, and the best for parts of the budget"),
            Text(
                Markup(
                    "Every set on the line is in {}. The search was for the whole budget; for less it met these on its way."
                ).format(code("frontier.csv")),
                "note",
            ),
        ],
        short="Frontier",
    )


def _kept_table(found: Outcome, kept: Sequence[Kept], name: str) -> Table:
    rows = [
        Row(
            Markup("{}").format(code(f"{one.scenario.scenario}.yaml")),
            [
                words.count(one.point.cost),
                _gain_words(found, found.objective.gain_in_percent(one.point.value)),
                Td("; ".join(candidate.sentence for candidate in one.point.chosen), "text"),
            ],
        )
        for one in kept
    ]
    heads: list[str | Th] = ["Proposal", words.sentence_case(BUDGETS[found.budget.of]), "Gain", Th("Changes", "text")]
    return Table(name, heads, rows, style="left")


def _nearly(found: Outcome) -> Section:
    others = [kept for kept in found.kept if "nearly" in kept.scenario.scenario]
    if not others:
        return Section(
            "nearly", "What was nearly as good", [Text("No other set that was met comes within 1 % of the gain.")]
        )
    best = set(found.found.best.chosen)
    rows = []
    for one in others:
        mine = set(one.point.chosen)
        swapped = [f"without: {candidate.sentence}" for candidate in found.found.best.chosen if candidate not in mine]
        swapped += [f"instead: {candidate.sentence}" for candidate in one.point.chosen if candidate not in best]
        lacks = found.found.best.value - one.point.value
        rows.append(
            Row(
                Markup("{}").format(code(f"{one.scenario.scenario}.yaml")),
                [_percent_of_today(found, -lacks), words.count(one.point.cost), Td("; ".join(swapped), "text")],
            )
        )
    said = Text(
        "These come within 1 % of the best set's gain. What separates them is less than other reasons for or against a change "
        "may weigh: choose among them by what the figures here do not count."
    )
    heads: list[str | Th] = [
        "Proposal", "Less than the best", words.sentence_case(BUDGETS[found.budget.of]), Th("What differs", "text"),
    ]  # fmt: skip
    return Section(
        "nearly",
        "What was nearly as good",
        [said, Table("Table: sets nearly as good", heads, rows, style="left")],
        short="Nearly as good",
    )


def _how(found: Outcome, how_good: str) -> Section:
    kinds = pd.Series([candidate.kind for candidate in found.candidates]).value_counts()
    made = [f"{count:,} of {_KIND_WORDS[str(kind)]}" for kind, count in kinds.items()]
    result = found.found
    said: list[Block] = [
        Text(f"Chosen from {len(found.candidates):,} candidates: {words.joined(made)}."),
    ]
    if found.left_out:
        left = [f"{count:,} because {why}" for why, count in found.left_out.items()]
        said.append(Text(f"Left out before the search: {words.joined(left)}."))
    ended = (
        "It ended by itself."
        if result.finished
        else "It was cut short by the time that was given: more time may find more."
    )
    said.append(
        Text(
            f"{result.evaluations:,} sets were tried, each worked out from the whole timetable and none estimated: first "
            "whatever gives most for what it takes, then exchanges of one change for another from several starts, then, where "
            f"there are few, the branches that could still be better. {ended}"
        )
    )
    if found.is_bounded:
        said.append(Text(f"{how_good} {_bound_words(result.bound_from)}"))
    else:
        said.append(Text(how_good))
    return Section("how", "How it was found, and how good it can be", said, short="How good")


def _bound_words(bound_from: str) -> str:
    return {
        "proof": "Every branch was ruled out: all that is left of its candidates, running beside today's buses with nothing "
        "taken away, could not be better.",
        "branches": "The limit is that of the best branch that was left: all that its candidates add, running beside today's "
        "buses with nothing taken away.",
        "root": "The limit is what all candidates together would give, running beside today's buses with nothing taken away, "
        "and whatever they cost: where there is little money for many candidates it lies far above what money can buy.",
    }[bound_from]


def _everything(found: Outcome) -> Section:
    table = found.table.sort_values("gain", ascending=False, kind="stable")
    rows = [
        Row(
            str(row["sentence"]),
            [
                _signed_count(row["bus_hours"]),
                _percent_of_today(found, row["gain"]),
                _per_hours(found, row["gain_per_1000_bus_hours"]),
                "yes" if row["chosen"] else "",
            ],
        )
        for _, row in table.iterrows()
    ]
    heads: list[str | Th] = [
        "Candidate", "Bus-hours a year", "Gain alone", "Gain for each 1,000 bus-hours", "Chosen",
    ]  # fmt: skip
    shown = Table("Table: every candidate by itself", heads, rows, style="left", tall=True)
    return Section("candidates", "Every candidate by itself", [shown], short="Candidates", folded=True)


def _per_hours(found: Outcome, gain: float) -> str:
    return _percent_of_today(found, gain) if np.isfinite(gain) else words.MISSING


def _unknown(found: Outcome, settings: dict[str, object]) -> Section:
    left: list[Block] = [
        Text(
            "Best means best by this figure, for these people, in these hours. It says what can be reached, not how many people "
            "ride; crowding, reliability and what drivers and depots can do are not counted. Clock times of new buses are "
            "assumed: every so often from the beginning of the period."
        ),
        Text(
            Markup("Exact figures: {}, {} and {}; each set is what {} says of its proposal.").format(
                code("changes.csv"), code("frontier.csv"), code("candidates.csv"), code("run")
            )
        ),
    ]
    return Section(
        "unknown",
        "What this says and what it does not",
        [columns(left, settings_and_sources({**settings, **printed_settings(found.study)}, found.study.sources))],
    )
