"""What every section of the report is made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup

from community_routes.report import words
from community_routes.report.blocks import Drawn, Heading, Row, Table, Td, Th, element, lettered
from community_routes.report.figures import Figures, strongest
from community_routes.report.lead import Slot
from community_routes.report.maps import svg
from community_routes.report.results import TODAY, Results, ScenarioSummary


@dataclass(frozen=True, eq=False)
class Report:
    """Some results on their way to a page.

    Attributes
    ----------
    figures : Figures
        The tables and quick ways to their cells.
    on_paper : bool
        For a printer: no script, and every drawing stands for itself.
    """

    figures: Figures
    on_paper: bool = False

    @property
    def results(self) -> Results:
        """The results themselves."""
        return self.figures.results

    @cached_property
    def sheet(self) -> svg.Sheet:
        """What all static maps share."""
        return svg.sheet_of(self.results)

    @cached_property
    def strongest(self) -> dict[str, tuple[Slot, str]]:
        """Time of day and kind of place where each proposal changes most."""
        return {scenario.id: strongest(self.figures, scenario.id) for scenario in self.results.scenarios}

    @property
    def first(self) -> tuple[Slot, str]:
        """Time of day and kind of place of what is said of today."""
        return self.figures.slots[0], self.figures.headline_kinds[0]

    @property
    def start(self) -> tuple[Slot, str]:
        """Time of day and kind of place of the map and of the table of neighbourhoods: those of the first verdict."""
        figures = self.figures
        return next(iter(self.strongest.values()), (figures.slots[0], figures.headline_kinds[0]))

    @property
    def has_letters(self) -> bool:
        """There are several proposals, to be told apart by letters."""
        return len(self.results.scenarios) > 1

    def title(self, scenario: ScenarioSummary) -> Markup | str:
        """Title of a proposal, with its letter where there are several."""
        return lettered(self.results.letter(scenario.id) if self.has_letters else "", scenario.title)

    def title_of(self, scenario: str) -> Markup | str:
        """Title of a proposal by its id, with its letter where there are several; "Today"."""
        letter = self.results.letter(scenario) if self.has_letters else ""
        return lettered(letter, self.results.scenario_title(scenario))

    def heading(self, scenario: ScenarioSummary) -> Heading:
        """The title of a proposal over what is said of it."""
        return Heading(self.title(scenario))

    def short_title(self, scenario: str) -> str:
        """ "Today", "proposal A"; the title where there is one proposal."""
        if scenario == TODAY or not self.has_letters:
            return self.results.scenario_title(scenario)
        return f"proposal {self.results.letter(scenario)}"

    def letters(self, *, only_narrow: bool = False) -> list[Drawn]:
        """Which letter stands for which proposal, where there are several; ``only_narrow`` where wide screens show titles."""
        if not self.has_letters:
            return []
        told = [element("span", lettered(self.results.letter(s.id), s.title)) for s in self.results.scenarios]
        style = "letters narrow-only" if only_narrow else "letters"
        return [Drawn(element("p", Markup("").join(told), style=style))]

    def moved(self, letter: str, text: Markup, *, gain: bool) -> Markup:
        """The change with a proposal, below a figure of today."""
        change = element("b", text, style="gain-text" if gain else "loss-text")
        return element("span", lettered(letter, change), style="sub")


def times_table(
    figures: Figures,
    name: str,
    heads: Sequence[str],
    cells: Callable[[Slot, str], Sequence[str | Td]],
    style: str = "times",
) -> Table:
    """A row for each time of day and some columns for each leading kind of place."""
    kinds = figures.headline_kinds
    over = [Th(f"{words.kind_name(kind).capitalize()}{unit_note(figures, kind)}", span=len(heads)) for kind in kinds]
    rows = [Row(figures.when(slot), [cell for kind in kinds for cell in cells(slot, kind)]) for slot in figures.slots]
    return Table(name, ["When", *([*heads] * len(kinds))], rows, over=[Th(""), *over], style=style)


def more_of(amount: Markup, unit: str, kind: str, percent: Markup) -> Markup:
    """ "387 more jobs in employment zones (1.5 %)", "11 ha more of employment zones (2 %)"."""
    if words.unit_name(unit) == "ha":
        return Markup("{} ha more of {}{}").format(amount, words.kind_name(kind), percent)
    return Markup("{} more {}{}").format(amount, counted(unit, kind), percent)


def unit_note(figures: Figures, kind: str) -> str:
    """The unit of a column in brackets, where it is not a number of places."""
    shown = words.unit_name(figures.unit(kind, figures.headline_view))
    return "" if shown in ("", "places") else f" ({shown})"


def counted(unit: str, kind: str) -> str:
    """What a figure counts: the kind of place, with the unit where it is not a number of places."""
    shown = words.unit_name(unit)
    if shown in ("", "places", "opportunities", "count"):
        return words.kind_name(kind)
    return f"{shown} {'of' if shown == 'ha' else 'in'} {words.kind_name(kind)}"
