"""Writes the tutorial as a notebook, from the text and code below; a test runs its cells one after the other.

python tools/make_notebook.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "examples" / "tutorial.ipynb"

TEXT = """
# From a study to a proposal

A walk through the library on the sample borough, which is invented. Each cell builds on those above it; the first
evaluation takes some seconds, most of it for compiling.

```python
import community_routes as cr

study = cr.open_study(cr.sample_study())  # the copy inside the package; your own is "my-town/study.yaml"
study
```

## What can be reached today

`evaluate` searches every day and window of the study. Its `access` is a table with a row for each neighbourhood, kind
of place, measure and cutoff; a notebook shows the leading figures and a map.

```python
today = cr.evaluate(study)
today
```

One figure with its shapes, as a GeoDataFrame: jobs within 45 minutes in the morning peak. Decile 1 is the most
deprived.

```python
jobs = today.to_geodataframe(kind="employment", window="morning_peak", cutoff_min=45)
jobs.groupby("deprivation_decile")["value"].mean().round()
```

## One journey, to see whether it is right

```python
journey = cr.journey(study, "Millgate 011G", "Junction 5 Business Park", depart="07:30", day="weekday")
print(journey)
```

## A proposal

A file of ten lines, or the same in Python. Twice as many buses on two routes in the evening:

```python
from community_routes.scenarios.changes.set_headway import SetHeadway

evenings = cr.Scenario(
    scenario="evenings",
    title="Routes 2 and 3 every quarter of an hour in the evening",
    changes=[
        SetHeadway(route="2", weekday={"18:30-22:30": 15}),
        SetHeadway(route="3", weekday={"18:30-22:30": 15}),
    ],
)
print(evenings.to_yaml())
```

```python
proposed = cr.evaluate(study, evenings, base=today)
both = cr.compare(today, proposed)
both
```

Who gains? The most deprived fifth of the borough, by time of day:

```python
fifth = both.groups.query("grouping == 'local' and group == '1' and scenario == 'evenings'")
fifth = fifth.query("kind == 'employment' and measure == 'cumulative_opportunities' and reading == 'mean' and cutoff_min == 45")
fifth[["day", "window", "baseline", "change", "persons_better", "persons_worse"]]
```

Where? The change of every neighbourhood, ready for `plot`, `explore` or a file:

```python
change = both.to_geodataframe(kind="employment", window="evening", cutoff_min=45)
change.sort_values("change", ascending=False)[["name", "baseline", "value", "change"]].head()
```

## The report

Everything on one page that needs no connection, and every number of it in a table beside it.

```python
page = both.write_report("out/tutorial", maps=False)
page
```

From here: your own town ([docs](../docs/own-town.md)), every change that a proposal can make
([docs](../docs/proposals.md)), and the other examples of this folder.
"""


def notebook(text: str) -> str:
    """The notebook as its file holds it: blocks of Python are cells of code, what lies between them is text."""
    cells: list[dict[str, object]] = []
    for number, part in enumerate(
        re.split(r"^```python\n(.*?)^```\n", text.strip() + "\n", flags=re.MULTILINE | re.DOTALL)
    ):
        source = part.strip().splitlines(keepends=True)
        if not source:
            continue
        common: dict[str, object] = {"id": f"cell-{number}", "metadata": {}, "source": source}
        code: dict[str, object] = {"cell_type": "code", "execution_count": None, "outputs": []}
        cells.append({**common, **(code if number % 2 else {"cell_type": "markdown"})})
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return (
        json.dumps(
            {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}, indent=1, ensure_ascii=False
        )
        + "\n"
    )


if __name__ == "__main__":
    PAGE.write_text(notebook(TEXT), encoding="utf-8", newline="\n")
    print(PAGE)
