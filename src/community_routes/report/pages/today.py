"""How things stand today: three sentences and a map; and the bounds of a step-free study."""

from __future__ import annotations

from dataclasses import replace

from markupsafe import Markup

from community_routes.report import words
from community_routes.report.blocks import Block, Box, Fold, Heading, Row, Section, Table, Td, Text, Th, article, code
from community_routes.report.figures import Cell, Figures, digits_of, figure, figures_of
from community_routes.report.lead import Slot, View, when
from community_routes.report.pages.context import Report, counted, times_table, unit_note
from community_routes.report.pages.maps import one_map
from community_routes.report.results import TODAY

COVERED = 0.8
"""Share of a group below which it is said how much of it has figures."""


def today(report: Report) -> Section:
    """The sentences on the left, the map of the leading figure on the right."""
    figures = report.figures
    slot, kind = report.first
    said: list[Block] = [Text(sentence, "sentence") for sentence in sentences(figures)]
    said += _figures_behind(figures)
    found: list[Block] = [
        Box([Box(said), Box(one_map(report, TODAY, slot, kind), "today-map", "figure")], "today-body")
    ]
    return Section("today", "How things stand today", [*found, *bounds(figures)], short="Today")


def sentences(figures: Figures) -> list[Markup]:
    """What the most deprived fifth reaches beside the least deprived, by kind of place; and who reaches nothing."""
    told = [sentence for kind in figures.headline_kinds if (sentence := _reached(figures, kind)) is not None]
    nothing = cut_off(figures)
    told += [
        Markup("{} {} reach {} {}.").format(count, figures.people, what, moment) for count, what, moment in nothing
    ]
    view = View("isolated", "mean", figures.headline_view.cutoff_min)
    if not nothing and any(figures.unit(kind, view) for kind in figures.headline_kinds) and not _edge_only(figures):
        what = " or no ".join(words.kind_name(kind) for kind in figures.headline_kinds)
        told.append(Markup("Nobody with figures has no {} {}.").format(what, view.within))
    return told


def _reached(figures: Figures, kind: str) -> Markup | None:
    """ "In the morning peak, residents of the most deprived fifth reach 614 ha ..., those of the least deprived 280"."""
    view, slots, fifths = figures.headline_view, figures.slots, figures.fifths()
    unit = figures.unit(kind, view)
    first = figures.lead_cell("value", TODAY, slots[0], kind) or figures.told("value", TODAY, slots[0], kind)
    if first is None:
        return None

    def covered(fifth: int) -> Markup:
        # Of the first kind alone: who has figures of one kind of place has them of the other.
        return coverage(figures, slots[0], kind, fifth) if kind == figures.headline_kinds[0] else Markup("")

    moment = words.sentence_case(when(slots[0], figures.days, figures.results.windows))
    who = f"{figures.people} of the most deprived fifth" if fifths else figures.people
    sentence = Markup("{}, {} reach {} {} {}{}").format(
        moment, who, figure(first, unit), counted(unit, kind), view.within, covered(0)
    )
    if fifths:
        least = figures.group_cell("value", TODAY, slots[0], kind, view, "local", fifths[-1])
        sentence += Markup(", those of the least deprived {}{}").format(figure(least, unit), covered(-1))
    others = {slot: figures.told("value", TODAY, slot, kind) for slot in slots[1:]}
    known = {slot: cell for slot, cell in others.items() if cell is not None}
    if known:
        low = min(known, key=lambda slot: known[slot].value * (-1 if view.low_is_good else 1))
        whose = "the most deprived reach" if fifths else "they reach"
        sentence += Markup(", and {} {} {}").format(
            when(low, figures.days, figures.results.windows), whose, figure(known[low], unit)
        )
    return sentence + Markup(".")


def coverage(figures: Figures, slot: Slot, kind: str, fifth: int, scenario: str = TODAY) -> Markup:
    """ "(of 78 % of them; the others have no figures)" where that is under 80 % of the fifth; nothing else."""
    fifths = figures.fifths()
    where = ("local", fifths[fifth]) if fifths else ("all", "all")
    cells = [
        figures.group_cell(column, scenario, slot, kind, figures.headline_view, *where)
        for column in ("persons_covered", "persons")
    ]
    if None in cells or not cells[1].value > 0 or cells[0].value / cells[1].value >= COVERED:  # type: ignore[union-attr]
        return Markup("")
    of, whole = (figure(cell, whole=True) for cell in cells)
    return Markup(' <span class="covered">(figures for {} of {})</span>').format(of, whole)


def cut_off(figures: Figures) -> list[tuple[Markup, str, str]]:
    """For each headline kind that somebody does not reach at all: how many, what, and at the worst time of day when.

    Where all of them live at the edge of the streets' coverage they may lack only what lies beyond it: then nothing is said.
    """
    view, told = View("isolated", "mean", figures.headline_view.cutoff_min), []
    if _edge_only(figures):
        return []
    for kind in figures.headline_kinds:
        worst: tuple[float, Slot, Cell, float] | None = None
        for slot in figures.slots:
            share = figures.group_cell("value", TODAY, slot, kind, view, "all", "all")
            covered = figures.group_cell("persons_covered", TODAY, slot, kind, view, "all", "all")
            if share is None or covered is None or not share.value * covered.value >= 1:
                continue
            if worst is None or share.value > worst[0] + 1e-9:
                worst = share.value, slot, share, covered.value
        if worst is not None:
            moment = when(worst[1], figures.days, figures.results.windows)
            count = figure(worst[2], whole=True, times=worst[3])
            told.append((count, f"no {words.kind_name(kind)} within {words.number(view.cutoff_min)} minutes", moment))
    return told


def _edge_only(figures: Figures) -> bool:
    """Whether nobody but neighbourhoods at the edge of the streets' coverage reaches nothing."""
    zones, view = figures.results.zones, View("isolated", "mean", figures.headline_view.cutoff_min)
    if "near_edge" not in zones:
        return False
    edge = zones["near_edge"].to_numpy(bool)
    nothing = [
        values > 0
        for kind in figures.headline_kinds
        for slot in figures.slots
        if (values := figures.zone_values("access", "value", TODAY, slot, kind, view)) is not None
    ]
    found = [zone for zone in nothing if zone.any()]
    return bool(found) and all(bool(edge[zone].all()) for zone in found)


def _figures_behind(figures: Figures) -> list[Block]:
    """Most and least deprived fifth for each leading kind and time of day; nothing where deprivation is not known."""
    if not figures.fifths():
        return []
    told: list[Block] = [_ends(figures, "Today, by deprivation", ["Most deprived", "Least deprived"], "local")]
    if not figures.groups_of("local_income"):
        return told
    because = "because the index of deprivation contains access to services itself"
    income: list[Block] = [
        Text(f"The same by fifths of income alone, {because}", "cap"),
        _ends(figures, "Today, by income", ["Lowest incomes", "Highest incomes"], "local_income"),
    ]
    return [*told, Fold("By income alone", income)]


def _ends(figures: Figures, name: str, heads: list[str], grouping: str) -> Table:
    """The first and the last fifth today."""
    fifths, view = figures.fifths(), figures.headline_view

    def cells(slot: Slot, kind: str) -> list[Cell | None]:
        return [figures.group_cell("value", TODAY, slot, kind, view, grouping, f) for f in (fifths[0], fifths[-1])]

    digits = {
        kind: digits_of((c for slot in figures.slots for c in cells(slot, kind)), figures.unit(kind, view))
        for kind in figures.headline_kinds
    }

    def told(slot: Slot, kind: str) -> list[str | Td]:
        return [figure(cell, figures.unit(kind, view), digits=digits[kind]) for cell in cells(slot, kind)]

    return times_table(figures, name, heads, told, "times compact")


# --- two bounds -------------------------------------------------------------------------------------------------------


def bounds(figures: Figures) -> tuple[Block, ...]:
    """Step-free figures: what is not known of trips and stops taken as accessible, and as not; nothing in another study."""
    results = figures.results
    if not results.mode:
        return ()
    rows = _bound_rows(figures)
    beside = Markup(
        "; the least, where only what is known to be accessible counts, stands beside it here and in the tables as {}"
    ).format(code("step_free_worst"))
    told = Markup("Stairs, escalators, and what is known not to be accessible are left out. {}").format(
        "Only trips and stops known to be accessible count."
        if results.mode.endswith("worst")
        else Markup(
            "Trips and stops of which it is not known are taken as accessible, so that every figure of this page is the most "
            "that can be{}."
        ).format(beside if rows else "")
    )
    found: list[Block] = [Heading("Without steps"), Text(told, "sentence")]
    if rows:
        heads = ["Today", *(scenario.title for scenario in results.scenarios)]
        text = f"What {figures.lead_name} reach {figures.headline_view.within} on average: at best, and at worst"
        found.append(Text(text, "cap"))
        found.append(
            Table(
                "Without steps, at best and at worst",
                ["What, when", *(["At best", "At worst"] * len(heads))],
                rows,
                over=[Th(""), *(Th(head, span=2) for head in heads)],
                style="times",
            )
        )
    return (article(*found),)


def _bound_rows(figures: Figures) -> list[Row]:
    results, view = figures.results, figures.headline_view
    if figures.lead is None or results.worst is None:
        return []
    others = figures_of(results.worst)
    ids = (TODAY, *(scenario.id for scenario in results.scenarios))
    rows = []
    for kind in figures.headline_kinds:
        for slot in figures.slots:
            cells = []
            for scenario in ids:
                cells.append(figure(figures.lead_cell("value", scenario, slot, kind), figures.unit(kind, view)))
                worst = others.group_cell("value", scenario, slot, kind, view, *figures.lead)
                cells.append(figure(_below(worst, len(figures.tables["groups"])), figures.unit(kind, view)))
            name = f"{words.sentence_case(words.kind_name(kind))}, {figures.when(slot)}"
            rows.append(Row(f"{name}{unit_note(figures, kind)}", cells))
    return rows


def _below(cell: Cell | None, n_rows: int) -> Cell | None:
    """The cell where it is written: the worse bound stands below the rows of the better one."""
    return None if cell is None else replace(cell, rows=tuple(row + n_rows for row in cell.rows))
