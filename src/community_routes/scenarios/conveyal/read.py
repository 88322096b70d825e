"""Scenario files of Conveyal Analysis (R5) as scenarios of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from community_routes.base.errors import ScenarioError, as_path
from community_routes.base.notices import Notice, errors_in, raise_on_errors
from community_routes.scenarios.change import Change
from community_routes.scenarios.conveyal.changes import CURES, READERS
from community_routes.scenarios.conveyal.parts import Reading, Unreadable
from community_routes.scenarios.file import Scenario, change_of
from community_routes.sources.gtfs.feed import Feed

MAX_BYTES = 20_000_000


def read_conveyal(
    path: str | Path, feed: Feed, *, notices: list[Notice] | None = None, partly: bool = False
) -> Scenario:
    """Read a Conveyal scenario (JSON with ``modifications``) as a scenario.

    ``add-trips``, ``remove-trips`` (of routes), ``reroute`` (between two stops; ``add-stops`` is its older name),
    ``adjust-frequency``, ``adjust-speed``, ``adjust-dwell-time`` and ``remove-stops`` are understood, and what the drawing page
    calls ``add-trip-pattern`` and ``convert-to-frequency``. Ids may have the feed's id and a colon in front.

    Parameters
    ----------
    path : path
    feed : Feed
        The timetable that the scenario is about: which way a template trip goes, and what runs outside new periods, is not in
        the file.
    notices : list, optional
        Receives every finding.
    partly : bool
        Leave out what cannot be said instead of raising; ``notices`` tell what that was.

    Raises
    ------
    ScenarioError
        The file is no such scenario, or holds what cannot be said; all of it at once.
    """
    path = as_path(path)
    reading = Reading(path.name, feed)
    content = _content(path)
    changes: list[Change] = []
    numbers: list[int] = []
    for number, item in enumerate(content["modifications"]):
        reading.number = number
        made = _changes_of(reading, item)
        changes += made
        numbers += [number] * len(made)
    if notices is not None:
        notices.extend(reading.found)
    if not partly:
        raise_on_errors(reading.found, ScenarioError)
    name = "".join(char if (char.isalnum() and char.isascii()) or char in "-_" else "-" for char in path.stem).strip(
        "-_"
    )
    title = str(content.get("description") or content.get("name") or path.stem)
    scenario = Scenario(scenario=name[:64] or "conveyal", title=title, changes=tuple(changes))
    return scenario.from_modifications(path, numbers)


def _changes_of(reading: Reading, item: Any) -> list[Change]:
    """The changes of one modification; none where it cannot be read, with the reason among what was found."""
    if not isinstance(item, Mapping):
        reading.fault("this is no modification")
        return []
    kind = str(item.get("type", ""))
    read = READERS.get(kind)
    if read is None:
        cure = CURES.get(kind, f"{', '.join(READERS)} can")
        reading.fault(f"modifications of the type {kind!r} cannot be read; {cure}", "type")
        return []
    if item.get("activeInVariants") is not None or False in (item.get("variants") or ()):
        reading.note("it belongs to some variants of the scenario only; it is taken in whatever they are", "variants")
    before = len(errors_in(reading.found))
    try:
        made = [change_of(written) for written in read(reading, item)]
    except Unreadable:
        return []
    except ValidationError as fault:
        for error in fault.errors(include_url=False):
            cause = error.get("ctx", {}).get("error")
            reading.fault(f"{kind}: {cause or error['msg']}")
        return []
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as fault:
        reading.fault(f"{kind}: {_what(fault)}; a field is missing or of another kind than expected")
        return []
    return made if len(errors_in(reading.found)) == before else []


def _what(fault: Exception) -> str:
    if isinstance(fault, ArithmeticError):
        return "a number is infinite or beyond reckoning, or 0 where it divides"
    return f"there is no {fault}" if isinstance(fault, KeyError) else f"{type(fault).__name__}: {fault}"


def _content(path: Path) -> Mapping[str, Any]:
    """The JSON object with its list of modifications."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ScenarioError(f"{path.name}: larger than {MAX_BYTES:,} bytes, so it is no scenario")
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as fault:
        raise ScenarioError(f"{path.name}: cannot be read: {fault.strerror or fault}") from None
    except RecursionError:
        raise ScenarioError(f"{path.name}: is nested too deep for a scenario") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as fault:
        raise ScenarioError(f"{path.name}: is no JSON in UTF-8: {fault}") from None
    except ValueError:  # Python makes no number of more than 4,300 digits
        raise ScenarioError(
            f"{path.name}: holds a number of thousands of digits, which no scenario needs; correct it"
        ) from None
    if isinstance(content, list) and content and all(isinstance(item, Mapping) and "type" in item for item in content):
        content = {"modifications": content}
    inner = content.get("scenario", content) if isinstance(content, Mapping) else None
    if not isinstance(inner, Mapping) or not isinstance(inner.get("modifications"), list):
        raise ScenarioError(f"{path.name}: has no list of modifications, so it is no Conveyal scenario")
    return inner


def conveyal_as_yaml(scenario: Scenario, modifications: Sequence[Mapping[str, Any]], notices: Sequence[Notice]) -> str:
    """The scenario file of a Conveyal scenario, with comments that say where each change comes from and what is not in it.

    Parameters
    ----------
    scenario : Scenario
        As :func:`read_conveyal` gives it.
    modifications : sequence of mapping
        As they stand in the file.
    notices : sequence of Notice
        What was found while reading.
    """
    file = scenario.path.name if scenario.path is not None else "a Conveyal scenario"
    lost = errors_in(notices)
    other = [notice for notice in notices if notice.severity != "error"]
    head = [
        f"Read from {file} (Conveyal Analysis): {len(modifications)} modifications, {len(scenario.changes)} changes."
    ]
    for title, found in (("Not carried over:", lost), ("Read in a slightly other sense:", other)):
        if found:
            head += ["", title, *(f"  {notice.field}: {notice.message}" for notice in found)]
    numbers = iter(scenario.modification_numbers)
    lines = []
    for line in scenario.to_yaml().splitlines():
        if line.startswith("  - "):
            lines.append(f"  # {_label(modifications, next(numbers, -1))}")
        lines.append(line)
    return "\n".join([*(f"# {_one_line(text)}".rstrip() for text in head), "", *lines]) + "\n"


def _label(modifications: Sequence[Mapping[str, Any]], number: int) -> str:
    """``modifications[3], adjust-speed: Faster 7``."""
    if not 0 <= number < len(modifications):
        return "a change of its own"
    item = modifications[number]
    name = item.get("name") or item.get("comment")
    return _one_line(f"modifications[{number + 1}], {item.get('type')}{f': {name}' if name else ''}")


def _one_line(text: str) -> str:
    """Without line breaks or unprintable signs, so that a comment stays a comment."""
    return "".join(char if char.isprintable() else " " for char in text)


def read_modifications(path: str | Path) -> list[Mapping[str, Any]]:
    """The modifications of a Conveyal scenario as they stand in its file.

    Raises
    ------
    ScenarioError
        The file is no such scenario.
    """
    return [item if isinstance(item, Mapping) else {} for item in _content(as_path(path))["modifications"]]
