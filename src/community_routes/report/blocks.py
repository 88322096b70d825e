"""What pages are made of: a page is a list of sections, a section a list of blocks, and each block writes itself as HTML.

Text in a block is escaped; what is ``Markup`` already, a figure with its source above all, is taken as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from markupsafe import Markup, escape


class Block(Protocol):
    """A part of a page."""

    def html(self) -> Markup:
        """The part as HTML."""
        ...


def element(name: str, content: str = "", **attributes: object) -> Markup:
    """A tag round its content.

    ``style`` is its class, ``_`` in the name of an attribute is ``-``; True gives a name alone, "" and False nothing.
    """
    told = ""
    for key, value in attributes.items():
        if value != "" and value is not False:
            shown = "" if value is True else f'="{escape(value)}"'
            told += f" {'class' if key == 'style' else key.replace('_', '-')}{shown}"
    # Each part is escaped here: to let Markup.format do it takes four times as long, thousands of times a page.
    return Markup(f"<{name}{told}>{escape(content)}</{name}>")


def render(blocks: Iterable[Block]) -> Markup:
    """Blocks one below the other."""
    return Markup("\n").join(block.html() for block in blocks)


def hidden(text: str) -> Markup:
    """Words for people who do not see the page."""
    return element("span", text, style="vh")


def below(text: str, style: str = "sub") -> Markup:
    """Smaller words under those of a cell; nothing where there are none."""
    return element("span", text, style=style) if text else Markup("")


def code(text: str) -> Markup:
    """A name of a file or a command."""
    return element("code", text)


def lettered(letter: str, text: str) -> Markup:
    """A title with the letter of its proposal in front; as it is without a letter."""
    return Markup("{} {}").format(element("span", letter, style="letter"), text) if letter else escape(text)


@dataclass(frozen=True)
class Drawn:
    """A drawing or other markup that is made already."""

    markup: Markup

    def html(self) -> Markup:
        return self.markup


@dataclass(frozen=True)
class Text:
    """A paragraph: ``note`` beside the matter, ``sentence`` in large, ``cap`` above a table, ``sure`` for how sure it is."""

    words: str
    style: str = ""

    def html(self) -> Markup:
        return element("p", self.words, style=self.style)


@dataclass(frozen=True)
class Heading:
    """A heading inside a section, of level 3 or 4."""

    words: str
    level: int = 3

    def html(self) -> Markup:
        return element(f"h{self.level}", self.words)


@dataclass(frozen=True)
class Items:
    """A list; of steps in their order with ``tag="ol"``."""

    items: Sequence[str]
    style: str = ""
    tag: str = "ul"

    def html(self) -> Markup:
        return element(self.tag, Markup("").join(element("li", item) for item in self.items), style=self.style)


@dataclass(frozen=True)
class Pairs:
    """Names and their values."""

    rows: Sequence[tuple[str, str]]

    def html(self) -> Markup:
        rows = (Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(*row) for row in self.rows)
        return element("dl", Markup("").join(rows), style="settings")


@dataclass(frozen=True)
class Box:
    """Blocks that belong together."""

    blocks: Sequence[Block]
    style: str = ""
    tag: str = "div"

    def html(self) -> Markup:
        return element(self.tag, Markup("\n{}\n").format(render(self.blocks)), style=self.style)


def article(*blocks: Block, style: str = "verdict") -> Box:
    """Blocks about one thing, such as one proposal."""
    return Box(blocks, style, "article")


def columns(left: Sequence[Block], right: Sequence[Block]) -> Box:
    """Blocks side by side where there is room."""
    return Box((Box(left), Box(right)), "columns")


@dataclass(frozen=True)
class Picture:
    """A drawing under its title, with what is behind it below; ``name`` is that of the file when it is kept."""

    caption: str
    drawing: Markup
    behind: Sequence[Block] = ()
    name: str = ""

    def html(self) -> Markup:
        inside = (Markup("<figcaption>{}</figcaption>").format(self.caption), self.drawing, render(self.behind))
        return element("figure", Markup("\n{}\n").format(Markup("\n").join(inside)), style="chart", data_name=self.name)


@dataclass(frozen=True)
class Fold:
    """Blocks that are shown when their title is chosen."""

    title: str
    blocks: Sequence[Block]
    style: str = ""
    is_open: bool = False

    def html(self) -> Markup:
        inside = Markup("{}\n{}\n").format(element("summary", self.title), render(self.blocks))
        return element("details", inside, style=self.style, open=self.is_open)


@dataclass(frozen=True)
class Lead:
    """The answer: one figure in large, what it counts, and what is said of it."""

    figure: Markup
    counts: str
    said: Sequence[Block]
    is_loss: bool = False

    def html(self) -> Markup:
        big = element("span", self.figure, style="big loss-text" if self.is_loss else "big")
        lead = element("p", Markup("{} {}").format(big, element("span", self.counts, style="lead-unit")), style="lead")
        return element("div", Markup("\n{}\n{}\n").format(lead, Box(self.said, "said").html()), style="verdict-body")


@dataclass(frozen=True)
class Td:
    """A cell of a table that needs more than its words: a class, more than one column, or its heading where rows are cards."""

    words: str
    style: str = ""
    span: int = 1
    label: str = ""


@dataclass(frozen=True)
class Th:
    """A heading of a column, or over several; ``sort`` ("text", "number") where the table can be sorted by it."""

    words: str
    style: str = ""
    span: int = 1
    sort: str = ""


@dataclass(frozen=True)
class Row:
    """A row: its heading (None where it has none) and its cells."""

    name: str | None
    cells: Sequence[str | Td]
    style: str = ""
    zone: int | None = None

    def html(self) -> Markup:
        start = Markup("") if self.name is None else element("th", self.name, scope="row")
        told = Markup("").join(_td(cell) for cell in self.cells)
        return element("tr", start + told, style=self.style, data_zone="" if self.zone is None else self.zone)


@dataclass(frozen=True)
class Band:
    """A heading inside a table, over the rows that follow it."""

    name: str
    style: str = "block"
    scope: str = "rowgroup"


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes
    ----------
    name : str
        For people who do not see it.
    heads : sequence of str or Th
        One for each column, that of the row headings first.
    rows : sequence of Row or Band
    over : sequence of Th
        Headings above those of the columns, each over several.
    style, id : str
        ``times``, ``fine``, ``left`` ... as in the stylesheet.
    caption, hidden_caption : str
        Above the table, or said only.
    tall : bool
        Scrolls in itself.
    """

    name: str
    heads: Sequence[str | Th]
    rows: Sequence[Row | Band]
    over: Sequence[Th] = ()
    style: str = ""
    id: str = ""
    caption: str = ""
    hidden_caption: str = ""
    tall: bool = False

    def html(self) -> Markup:
        captions = (("cap", self.caption), ("vh", self.hidden_caption))
        parts = [element("caption", text, style=style) for style, text in captions if text]
        over = [*self.over] if self.over else []
        above = Markup("<tr>{}</tr>").format(Markup("").join(_over(head) for head in over)) if over else Markup("")
        heads = Markup("").join(_th(head) for head in self.heads)
        parts.append(Markup("<thead>{}<tr>{}</tr></thead>").format(above, heads))
        parts += self._bodies()
        table = element("table", Markup("\n{}\n").format(Markup("\n").join(parts)), style=self.style, id=self.id)
        scroll = "scroll tall" if self.tall else "scroll"
        return element("div", table, style=scroll, tabindex=0, role="region", aria_label=self.name)

    def _bodies(self) -> list[Markup]:
        bodies: list[list[Markup]] = []
        for row in self.rows:
            if isinstance(row, Band):
                name = element("th", row.name, scope=row.scope, colspan=len(self.heads))
                bodies.append([element("tr", name, style=row.style)])
            else:
                if not bodies:
                    bodies.append([])
                bodies[-1].append(row.html())
        return [element("tbody", Markup("\n").join(rows)) for rows in bodies or [[]]]


def _td(cell: str | Td) -> Markup:
    if isinstance(cell, Td):
        span = "" if cell.span == 1 else cell.span
        return element("td", cell.words, style=cell.style, colspan=span, data_label=cell.label)
    return element("td", cell)


def _th(head: str | Th) -> Markup:
    if isinstance(head, Th):
        return element("th", head.words, scope="col", style=head.style, data_sort=head.sort)
    return element("th", head, scope="col")


def _over(head: Th) -> Markup:
    """A heading over several columns; an empty cell over one."""
    return element("th", head.words, scope="colgroup", colspan=head.span) if head.words else Markup("<td></td>")


@dataclass(frozen=True)
class Section:
    """A part of a page with a heading, and a place in the list at the top.

    Attributes
    ----------
    id : str
        What links to it say.
    title : str
    blocks : sequence of Block
    short : str
        In the list at the top; empty for none.
    style : str
        ``js-only`` for what needs the script.
    folded : bool
        Shown when its heading is chosen.
    """

    id: str
    title: str
    blocks: Sequence[Block]
    short: str = ""
    style: str = ""
    folded: bool = False

    def html(self) -> Markup:
        """The section with its heading."""
        heading = element("h2", self.title, id=f"h-{self.id}")
        inside = Markup("\n{}\n{}\n").format(heading, render(self.blocks))
        if self.folded:
            fold = Markup("\n{}\n{}\n").format(element("summary", heading), render(self.blocks))
            inside = Markup("\n{}\n").format(element("details", fold))
            style = f"folded {self.style}".strip()
            return element("section", inside, id=self.id, style=style, aria_labelledby=f"h-{self.id}")
        return element("section", inside, id=self.id, style=self.style, aria_labelledby=f"h-{self.id}")


@dataclass(frozen=True)
class Page:
    """One HTML file that needs nothing else.

    Attributes
    ----------
    name : str
        Class of its body: ``report``, ``over-time``, ``sweep``, ``site``, ``sites``.
    title, heading, standfirst : str
        Of the window, at the top, and below that.
    version : str
        Of the library.
    sections : sequence of Section
    facts : sequence of (name, values)
        Under the title.
    footer : sequence of str
        Its paragraphs.
    invented : bool
        Said wherever the page is shown.
    has_contents : bool
        The sections are listed at the top.
    symbols : str
        Shapes that the drawings refer to.
    data : object
        What the scripts are given; None for a page without a script.
    rules : str
        Of the page's own, after the stylesheet: colours that a picture has as well.
    on_paper : bool
        For a printer: no script, and every drawing stands for itself.
    """

    name: str
    title: str
    heading: str
    standfirst: str
    version: str
    sections: Sequence[Section]
    facts: Sequence[tuple[str, Sequence[str]]] = ()
    footer: Sequence[str] = ()
    invented: bool = False
    has_contents: bool = True
    symbols: str = ""
    data: object = None
    rules: str = ""
    on_paper: bool = False
