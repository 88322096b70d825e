"""The `credits` part of a study file: whose the data are, and what their licence wants to be said."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatch
from typing import Annotated

from pydantic import Field

from community_routes.sources.study.models import Spec


class Credit(Spec):
    """Publisher and licence of some files of a study.

    ``files`` are names, or patterns such as ``*.csv``. ``words`` is the line that the licence asks for, said on pages and
    pictures; left out, it is the usual one of the Open Government Licence, else publisher and licence.
    """

    files: Annotated[tuple[str, ...], Field(min_length=1)]
    publisher: str = ""
    licence: str = ""
    words: str = ""

    @property
    def line(self) -> str:
        """What is said of the data."""
        if self.words:
            return self.words
        if "open government licence" in self.licence.lower() or self.licence.upper().startswith("OGL"):
            whose = f" of {self.publisher}" if self.publisher else ""
            return f"Contains public sector information{whose} licensed under the {self.licence}"
        return ", ".join(part for part in (self.publisher, self.licence) if part)


def credit_of(name: str, credits: Iterable[Credit]) -> Credit | None:
    """The first credit whose files have this name among them; None where nobody is named."""
    return next((credit for credit in credits if any(fnmatch(name, file) for file in credit.files)), None)
