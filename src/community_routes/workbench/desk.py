"""The desk of a session: a study kept ready, texts of proposals read and tried on it, one question at a time."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Generic, Literal, TypeVar

from community_routes.answers.answer import Answer
from community_routes.answers.figure import Figure
from community_routes.answers.live import Live, live
from community_routes.base.errors import CommunityRoutesError, ScenarioError, UsageError
from community_routes.base.notices import Notice
from community_routes.evaluation.case import TODAY, Case, Study, open_study
from community_routes.scenarios.file import Scenario, read_scenario_text
from community_routes.workbench.catalogue import Catalogue, lead_group
from community_routes.workbench.document import MOST_CHANGES, n_changes
from community_routes.workbench.files import Folder, head_of
from community_routes.workbench.models import Choice, Start

Kept = TypeVar("Kept")
_MOST_LIVES, _MOST_ANSWERS, _MOST_SCENARIOS = 3, 6, 64


class NotReadyError(UsageError):
    """The study is still being read, or could not be."""


class _Recent(Generic[Kept]):
    """The things used last, by a key; what was used longest ago gives way."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """What is kept, or made now."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        made = make()
        self._kept[key] = made
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return made


@dataclass(frozen=True, eq=False)
class Opened:
    """A study that is ready: its headline, and what of it can be chosen."""

    first: Live
    catalogue: Catalogue

    @property
    def case(self) -> Case:
        """Today."""
        return self.first.today.case


class Desk:
    """A study and the folder of its proposals.

    The study is read in a thread of its own (``start``); until then questions are refused with :class:`NotReadyError`.
    Proposals come as texts with each question and are not kept but for speed.

    Attributes
    ----------
    study_file : Path
    folder : Folder
    cache : Path or None
    seed : int or None
    state : str
        ``reading`` the study, ``searching`` today's figures (the study can be looked at), ``ready`` or ``failed``.
    stage : str
        What is being done.
    notices : tuple of Notice
        Why it failed.
    """

    def __init__(
        self,
        study_file: Path,
        folder: Folder,
        *,
        cache: Path | None = None,
        seed: int | None = None,
        first: Live | None = None,
    ) -> None:
        self.study_file, self.folder, self.cache, self.seed = study_file, folder, cache, seed
        self.state: Literal["reading", "searching", "ready", "failed"] = "reading"
        self.stage = f"reading {study_file.name}"
        self.notices: tuple[Notice, ...] = ()
        self._began = time.perf_counter()
        self._took = 0.0
        self._given = first
        self._study: Study | None = None
        self._opened: Opened | None = None
        self._ready = threading.Event()
        self._lives: _Recent[Live] = _Recent(_MOST_LIVES)
        self._answers: _Recent[Answer] = _Recent(_MOST_ANSWERS)
        self._cases: _Recent[Case] = _Recent(_MOST_ANSWERS)
        self._scenarios: _Recent[Scenario] = _Recent(_MOST_SCENARIOS)

    def start(self) -> threading.Thread:
        """Begin to read the study, in a thread that ends with the process."""
        thread = threading.Thread(target=self.open, name="study", daemon=True)
        thread.start()
        return thread

    def open(self) -> None:
        """Read the study and search today's headline; a failure is told by ``state`` and ``notices``."""
        try:
            study = self._given.study if self._given is not None else open_study(self.study_file, cache=self.cache)
            if self.seed is not None:
                study = study.with_seed(self.seed)
            self.stage = "searching today's times"
            self._study, self.state = study, "searching"
            first = self._given or live(study)
            self.stage = "listing what can be chosen"
            self._opened = Opened(first, Catalogue.of(first.today.case))
            self._took = time.perf_counter() - self._began
            self.state, self.stage = "ready", ""
        except Exception as wrong:
            self.state = "failed"
            self.stage = str(wrong) if isinstance(wrong, CommunityRoutesError) else f"{type(wrong).__name__}: {wrong}"
            self.notices = tuple(one for one in getattr(wrong, "notices", ()) if isinstance(one, Notice))
        finally:
            self._ready.set()

    @property
    def title(self) -> str:
        """Of the study; of its file until that is read."""
        return self._study.title if self._study is not None else self.study_file.stem

    @property
    def seconds(self) -> float:
        """Since the beginning, until it was ready."""
        return self._took or time.perf_counter() - self._began

    @property
    def study(self) -> Study:
        """The study, once it is read.

        Raises
        ------
        NotReadyError
        """
        if self._study is None:
            raise self._not_ready()
        return self._study

    @property
    def opened(self) -> Opened:
        """All that is ready.

        Raises
        ------
        NotReadyError
        """
        if self._opened is None:
            raise self._not_ready()
        return self._opened

    def _not_ready(self) -> NotReadyError:
        return NotReadyError(self.stage if self.state == "failed" else f"not ready yet: {self.stage}")

    def wait(self, seconds: float | None = None) -> None:
        """Wait until it is ready, or has failed."""
        self._ready.wait(seconds)

    # -- asking -------------------------------------------------------------------------------------------------------------

    @property
    def first(self) -> Live:
        """The study's headline.

        Raises
        ------
        NotReadyError
        """
        return self.opened.first

    def live(self, choice: Choice) -> Live:
        """The study kept ready for a choice; its parts that are left out are the headline's.

        Raises
        ------
        UsageError
            The study has nothing of that name.
        """
        first = self.first
        figure = first.figure
        asked = choice.model_dump(exclude={"group"}, exclude_none=True)
        if all(getattr(figure, name) == value for name, value in asked.items()):
            return first
        return self._lives.get(tuple(sorted(asked.items())), lambda: first.about(**asked))

    def choice_of(self, figure: Figure, group: str | None = None) -> Start:
        """A choice with all its parts."""
        return Start(
            day=figure.day,
            window=figure.window,
            kind=figure.kind,
            measure=figure.measure,
            cutoff_min=figure.cutoff_min,
            reading=figure.reading,
            group=group or lead_group(self.study.zones.table),
        )

    def scenario(self, files: Mapping[str, str], name: str) -> Scenario:
        """The scenario of a text, with what it builds on.

        Raises
        ------
        ScenarioError
            It has faults, more changes than anybody draws, or names a file outside the folder.
        """
        texts = self.texts(files, name)
        return self._scenarios.get((name, tuple(texts.items())), lambda: self._read(texts, name))

    def answer(self, files: Mapping[str, str], name: str, choice: Choice) -> Answer:
        """What a proposal is worth, or today.

        Raises
        ------
        ScenarioError, StudyError, UsageError
        """
        asked = self.live(choice)
        if name == TODAY:
            return asked.today
        scenario = self.scenario(files, name)
        key = (name, tuple(self.texts(files, name).items()))
        return self._answers.get((*key, asked.figure), lambda: asked.ask(self._case(key, scenario)))

    def _case(self, key: Hashable, scenario: Scenario) -> Case:
        """The proposal applied, for whatever figure it is asked."""
        return self._cases.get(key, lambda: self.first.case_of(scenario))

    def texts(self, files: Mapping[str, str], name: str) -> dict[str, str]:
        """The text of a scenario and those that it builds on, from the question or else the disk.

        Raises
        ------
        UsageError
            One of them is a link that leads out of the folder.
        """
        found: dict[str, str] = {}
        while name and name not in found:
            text = files.get(name)
            text = self.folder.text(name) if text is None else text
            if text is None:
                if not {"/", "\\"} & set(name):
                    self.folder.file(name)  # a link that leads out of the folder is not followed
                break
            found[name] = text
            name = _base_of(text)
        return found

    def _read(self, texts: Mapping[str, str], name: str) -> Scenario:
        if sum(n_changes(text) for text in texts.values()) > MOST_CHANGES:
            raise ScenarioError(
                f"{name} has more than {MOST_CHANGES} changes; the workbench takes no more (`run` does)"
            )
        scenario = read_scenario_text(texts, name, self.folder.path)
        self.folder.check_named(scenario)
        return scenario


@lru_cache(256)
def _base_of(text: str) -> str:
    return head_of(text).get("base", "")
