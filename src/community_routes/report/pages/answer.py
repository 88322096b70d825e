"""The verdict across the proposals: which gives most to the most deprived fifth, at what cost, and who would lose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from community_routes.report import words
from community_routes.report.blocks import Block, Row, Section, Table, Td, Text, Th, below, element
from community_routes.report.figures import Cell, Figures, cost_figure, digits_of, figure
from community_routes.report.lead import Slot, when
from community_routes.report.pages.context import Report, counted, more_of
from community_routes.report.pages.today import coverage
from community_routes.report.results import MISSING_COST, ScenarioSummary

_NOISE = 1e-9
_RATES = {
    "per_bus_hour": "bus-hour",
    "per_km": "km",
    "per_peak_vehicle_year": "bus and year",
}


def answer(report: Report) -> Section | None:
    """A few sentences, and a row for each proposal; None without proposals."""
    if not report.results.scenarios:
        return None
    first, *more = sentences(report)
    said: list[Block] = [Text(first, "sentence verdict-lead"), *(Text(words_, "sentence small") for words_ in more)]
    return Section("answer", "The verdict", [*said, table(report), *notes(report)], short="Verdict")


@dataclass(frozen=True)
class Judged:
    """A proposal at the time of day by which it is judged.

    Attributes
    ----------
    scenario : ScenarioSummary
    slot : Slot
    gain : float
        Change of the leading group's figure, more is better; NaN where nothing is known.
    """

    scenario: ScenarioSummary
    slot: Slot
    gain: float


def judged(figures: Figures) -> list[Judged]:
    """The proposals, the one that gives the leading group most first."""
    found = []
    for scenario in figures.results.scenarios:
        row, change = figures.leader(scenario.id), figures.told("change", scenario.id)
        slot = figures.slots[0]
        if row is not None:
            slot = Slot(str(figures.summary["day"][row]), str(figures.summary["window"][row]))
        value = change.value if change is not None else np.nan
        found.append(Judged(scenario, slot, -value if figures.headline_view.low_is_good else value))
    return sorted(found, key=lambda one: -one.gain if np.isfinite(one.gain) else np.inf)


# --- sentences --------------------------------------------------------------------------------------------------------


def sentences(report: Report) -> list[Markup]:
    """The verdict in words, the leading sentence first."""
    order = judged(report.figures)
    found = [_most(report, order), _cheapest(report, order), _losers(report, order), _nothing(report, order)]
    found += _told_apart(report)
    return [sentence for sentence in found if sentence]


def letter_of(report: Report, scenario: str) -> Markup:
    """The letter of a proposal; nothing where there is one proposal."""
    return element("span", report.results.letter(scenario), style="letter") if report.has_letters else Markup("")


def _name(report: Report, one: Judged) -> Markup:
    """What a proposal is called inside a sentence."""
    return letter_of(report, one.scenario.id) or Markup("The proposal")


def _who(figures: Figures) -> str:
    return "the most deprived fifth" if figures.fifths() else f"all {figures.people}"


def _moment(figures: Figures, slot: Slot) -> str:
    return when(slot, figures.days, figures.results.windows)


def gain_words(report: Report, one: Judged) -> Markup:
    """ "11 more ha of employment zones (2 %) within 45 minutes in the evening: 561 instead of 550"."""
    figures, view, kind = report.figures, report.figures.headline_view, report.figures.headline_kinds[0]
    unit = figures.unit(kind, view)
    cells = {name: figures.told(name, one.scenario.id) for name in ("baseline", "value", "change", "change_percent")}
    change, share = cells["change"], cells["change_percent"]
    if change is None or not np.isfinite(change.value):
        return Markup("no figure could be worked out")
    size = figure(change, unit)
    percent = Markup("")
    if share is not None and np.isfinite(share.value):
        percent = Markup(" ({} %)").format(figure(share))
    amount = more_of(size, unit, kind, percent)
    if change.value < 0:
        amount = Markup("a change by {} {}{}").format(size, counted(unit, kind), percent)
    return Markup("{} {} {}: {} instead of {}{}").format(
        amount,
        view.within,
        _moment(figures, one.slot),
        figure(cells["value"], unit),
        figure(cells["baseline"], unit),
        coverage(figures, one.slot, kind, 0, one.scenario.id),
    )


def _most(report: Report, order: list[Judged]) -> Markup:
    """Who gives most, or that nobody gives anything."""
    figures, best = report.figures, order[0]
    who = _who(figures)
    gives = f"{who} {'gains' if figures.fifths() else 'gain'}"
    if not best.gain > _NOISE:
        kind = counted(figures.unit(figures.headline_kinds[0], figures.headline_view), figures.headline_kinds[0])
        if all(abs(one.gain) <= _NOISE for one in order):
            subject = "The proposal changes" if len(order) == 1 else "None of the proposals changes"
            return Markup("{} nothing for {}: they reach as many {} as today.").format(subject, who, kind)
        if len(order) == 1:
            return Markup("{} loses: {}.").format(words.sentence_case(who), gain_words(report, best))
        return Markup("No proposal gives {} more {}.").format(who, kind)
    cost = figures.told("cost_per_year", best.scenario.id)
    paid = Markup("")
    if cost is not None and np.isfinite(cost.value):
        paid = Markup(", for {} a year").format(cost_figure(cost, report.results.currency))
        if cost.value <= 0:
            paid = Markup(", and {} a year").format(cost_figure(cost, report.results.currency))
    if len(order) == 1:
        return Markup("{}: {}{}.").format(words.sentence_case(gives), gain_words(report, best), paid)
    return Markup("{} gives {} most: {}{}.").format(report.title(best.scenario), who, gain_words(report, best), paid)


def _cheapest(report: Report, order: list[Judged]) -> Markup:
    """Where a further resident who gains costs least."""
    figures = report.figures
    cells = {one.scenario.id: figures.told("cost_per_person_better", one.scenario.id) for one in order}
    known = {key: cell for key, cell in cells.items() if cell is not None and np.isfinite(cell.value)}
    saved = [
        one
        for one in order
        if (cost := figures.told("cost_per_year", one.scenario.id)) is not None and cost.value < 0 and one.gain > _NOISE
    ]
    said = Markup("")
    if saved:
        names = _joined(_name(report, one) for one in saved)
        said = Markup("{} would save money and still give something. ").format(names)
    if not known:
        return said.rstrip()
    by_id = {one.scenario.id: one for one in order}
    least = min(known, key=lambda key: known[key].value)
    most = max(known, key=lambda key: known[key].value)
    currency, singular = report.results.currency, figures.people.removesuffix("s")
    if len(known) == 1:
        told = Markup("{} costs {} a year for each {} who gains.").format(
            _name(report, by_id[least]), cost_figure(known[least], currency), singular
        )
    else:
        told = Markup("A {} who gains costs least with {}: {} a year; most with {}: {}.").format(
            singular,
            _name(report, by_id[least]),
            cost_figure(known[least], currency),
            _name(report, by_id[most]),
            cost_figure(known[most], currency),
        )
    return said + told


def _losers(report: Report, order: list[Judged]) -> Markup:
    """Who would lose, with the reason where it is known."""
    figures = report.figures
    losing = [(one, *worst) for one in order if (worst := _worst(figures, one.scenario)) is not None]
    if not losing:
        return Markup("Nobody would lose.")
    told = []
    for one, slot, cell in sorted(losing, key=lambda pair: -pair[2].value):
        with_it = Markup(" with {}").format(_name(report, one)) if report.has_letters else ""
        told.append(
            Markup("{} {}{} {}{}").format(
                figure(cell, whole=True), figures.people, with_it, _moment(figures, slot), _because(one.scenario)
            )
        )
    rest = len(order) - len(losing)
    nobody = "; nobody with the others" if rest > 1 else "; nobody with the other" if rest == 1 else ""
    return Markup("Would lose: {}{}.").format(Markup("; ").join(told), nobody)


def _worst(figures: Figures, scenario: ScenarioSummary) -> tuple[Slot, Cell] | None:
    """When most lose in what can be reached of the leading kind, and how many; None where nobody does."""
    cells = [(slot, figures.told("persons_worse", scenario.id, slot)) for slot in figures.slots]
    there = [(slot, cell) for slot, cell in cells if cell is not None and cell.value > 0]
    return max(there, key=lambda pair: pair[1].value) if there else None


def _because(scenario: ScenarioSummary) -> str:
    """Why a proposal has losers: what it takes away, and what runs at other times."""
    parts = []
    if scenario.withdrawn:
        parts.append(f"buses of {_routes(scenario.withdrawn)} are taken away")
    if scenario.retimed:
        run = "runs" if len(scenario.retimed) == 1 else "run"
        parts.append(f"{_routes(scenario.retimed)} {run} at other minutes than today")
    return f", because {' and '.join(parts)}" if parts else ""


def _routes(names: tuple[str, ...]) -> str:
    return f"route{'s' if len(names) > 1 else ''} {words.joined(list(names))}"


def _nothing(report: Report, order: list[Judged]) -> Markup:
    """Who would be left with nothing of the leading kind within reach, and who would newly reach something."""
    figures, kind = report.figures, report.figures.headline_kinds[0]
    told = []
    for one in order:
        for column, text in (
            ("persons_left_with_nothing", "{} leaves {} {} without any {} {} {}"),
            ("persons_newly_reaching", "{} brings {} {} who have none today some {} {} {}"),
        ):
            cell = figures.told(column, one.scenario.id)
            if cell is not None and cell.value >= 1:
                count = figure(cell, whole=True)
                what, moment = words.kind_name(kind), _moment(figures, one.slot)
                within = figures.headline_view.within
                told.append(Markup(text).format(_name(report, one), count, figures.people, what, within, moment))
    return Markup("{}.").format(Markup("; ").join(told)) if told else Markup("")


def _told_apart(report: Report) -> list[Markup]:
    """Which proposals cannot be told apart, and of which nobody knows, once."""
    figures = report.figures
    table = figures.tables.get("ranking")
    said = []
    if table is not None and "same_as_next" in table and report.has_letters:
        mine = table[table["kind"].astype(str) == figures.headline_kinds[0]]
        alike = [
            _joined(letter_of(report, str(one)) for one in pair)
            for pair, same in zip(
                zip(mine["scenario"], mine["scenario"].shift(-1), strict=True), mine["same_as_next"], strict=True
            )
            if same is True or same is np.True_
        ]
        if alike:
            said.append(
                Markup("By what a further bus-hour brings, {} cannot be told apart.").format(Markup("; ").join(alike))
            )
    undrawn = undrawn_proposals(figures)
    if undrawn:
        names = _joined(letter_of(report, scenario.id) for scenario in undrawn) or "The proposal"
        verb = "assumes" if len(undrawn) == 1 else "assume"
        said.append(
            Markup(
                "{} {} departure times that nobody has written yet; how much hangs on them was not worked out."
            ).format(names, verb)
        )
    return said


def undrawn_proposals(figures: Figures) -> list[ScenarioSummary]:
    """Proposals with assumed departure times of which no draws were made."""
    table = figures.tables["groups"]
    drawn = set(map(str, table["scenario"][table["low"].notna()].unique()))
    return [scenario for scenario in figures.results.scenarios if scenario.is_random and scenario.id not in drawn]


def _joined(names: object) -> Markup:
    """ "A, B and C" of marked up names."""
    found = [escape(name) for name in names]  # type: ignore[attr-defined]
    if len(found) < 2:
        return found[0] if found else Markup("")
    return Markup("{} and {}").format(Markup(", ").join(found[:-1]), found[-1])


# --- a row for each proposal ------------------------------------------------------------------------------------------


def table(report: Report) -> Table:
    """What each proposal gives, whom, and what it costs, the one that gives most first."""
    figures, results, view = report.figures, report.results, report.figures.headline_view
    kind, order = figures.headline_kinds[0], judged(report.figures)
    unit = figures.unit(kind, view)
    digits = digits_of((figures.told("change", one.scenario.id) for one in order), unit)
    shares = digits_of(figures.told("change_percent", one.scenario.id) for one in order)
    shown = words.unit_name(unit)
    gained = f"Change{f', {shown}' if shown not in ('', 'places') else ''}"
    has_cost = any(scenario.cost for scenario in results.scenarios)
    heads = ["Proposal, and when it acts", gained, "%", "Gain", "Lose", below_floor(report)]
    heads += ["Cost a year", "For each who gains"] if has_cost else []
    rows = []
    for one in order:
        told = {name: figures.told(name, one.scenario.id) for name in _SHOWN}
        change = told["change"]
        style = "change" + (" gain-text" if one.gain > _NOISE else " loss-text" if one.gain < -_NOISE else "")
        now = Markup("{} instead of {}").format(figure(told["value"], unit), figure(told["baseline"], unit))
        bounds = interval(told["low"], told["high"], unit)
        cells: list[str | Td] = [
            Td(figure(change, unit, sign=True, digits=digits) + bounds + below(now), style, label=gained),
            Td(figure(told["change_percent"], sign=True, digits=min(shares, 1)), style, label="%"),
            Td(figure(told["persons_better"], whole=True), label="Gain"),
            Td(figure(told["persons_worse"], whole=True), label="Lose"),
            Td(figure(told["persons_below"], whole=True), label=heads[5]),
        ]
        if has_cost:
            cells += [
                Td(_cost(report, one.scenario, told["cost_per_year"]), label="Cost a year"),
                Td(cost_figure(told["cost_per_person_better"], results.currency), label="For each who gains"),
            ]
        title = report.title(one.scenario)
        rows.append(Row(Markup("{}{}").format(title, below(figures.when(one.slot))), cells))
    people = figures.people.capitalize()
    over = [Th(""), Th(f"{words.sentence_case(_who(figures))}: {counted('', kind)} {view.within}", span=2)]
    over += [Th(f"{people}, of all", span=3)] + ([Th("Further cost", span=2)] if has_cost else [])
    return Table("Table: the verdict", heads, rows, over=over, style="times verdicts cards")


_SHOWN = (
    "change",
    "change_percent",
    "low",
    "high",
    "value",
    "baseline",
    "persons_better",
    "persons_worse",
    "persons_below",
    "cost_per_year",
    "cost_per_person_better",
)


def below_floor(report: Report) -> str:
    """Heading of the column of those whose change is too small to count."""
    share = report.results.settings.get("least_change")
    return f"Under {100 * share:g} %" if share else "Too little to count"


def interval(low: Cell | None, high: Cell | None, unit: str, *, times: float = 1.0) -> Markup:
    """ "0.5 to 1.5" below a figure; nothing where it is exact."""
    if low is None or high is None or not low.value < high.value:
        return Markup("")
    ends = (figure(cell, unit, sign=True, times=times) for cell in (low, high))
    return below(Markup("{} to {}").format(*ends), "interval")


def _cost(report: Report, scenario: ScenarioSummary, cell: Cell | None) -> Markup:
    """The cost of a year, with the proposal's own rates where they are not those of the study."""
    if MISSING_COST in (scenario.cost or {}):
        return element("span", "not known", style="reason")
    told = cost_figure(cell, report.results.currency)
    if scenario.own_rates and not _one_basis(report):
        told += below("own rates")
    return told


def _one_basis(report: Report) -> bool:
    """All proposals that cost anything have the same rates."""
    rates = [tuple(sorted(s.rates.items())) for s in report.results.scenarios if s.cost]
    return len(set(rates)) <= 1


def rate_words(scenario: ScenarioSummary, currency: str) -> str:
    """ "£48 / bus-hour, £1.10 / km"; that nothing has a price where that is so."""
    found = []
    for key, name in _RATES.items():
        if rate := scenario.rates.get(key, 0.0):
            found.append(f"{words.money(rate, currency).removesuffix('.00')} / {name}")
    return ", ".join(found) or "nothing has a price"


def notes(report: Report) -> list[Block]:
    """What the table means, once: from when on a change counts, what costs stand on, how sure it is."""
    figures, results = report.figures, report.results
    said = []
    share = results.settings.get("least_change")
    if share:
        said.append(
            f"Gains and losses are counted from a change of {100 * share:g} % on of what a neighbourhood reaches today; "
            "the column beside them says how many lie below it."
        )
    costed = [scenario for scenario in results.scenarios if scenario.cost]
    if costed and any(scenario.rates for scenario in costed):
        if _one_basis(report):
            said.append(f"Costs: {rate_words(costed[0], results.currency)}.")
        else:
            said += _rates_apart(report, costed)
    said.append(sure(figures))
    return [Text(" ".join(said), "note")]


def _rates_apart(report: Report, costed: list[ScenarioSummary]) -> list[str]:
    """The rates of the study, and those of each proposal that states its own, once for all that state the same."""
    results = report.results
    by_rates: dict[str, list[str]] = {}
    for scenario in costed:
        whose = results.letter(scenario.id) if scenario.own_rates else "the others"
        by_rates.setdefault(rate_words(scenario, results.currency), []).append(whose)
    told = [f"{rates} ({words.joined(list(dict.fromkeys(whose)))})" for rates, whose in by_rates.items()]
    return [f"Costs stand on different rates: {'; '.join(told)}."]


def sure(figures: Figures) -> str:
    """How sure the changes are, in a sentence."""
    scenarios = figures.results.scenarios
    if not any(scenario.is_random for scenario in scenarios):
        return "Every change is exact for this timetable."
    if undrawn_proposals(figures):
        return "Changes are exact for the timetables as they are or as they are assumed."
    return "Below a change stands the interval of 95 in 100 draws of the departure times that are assumed."
