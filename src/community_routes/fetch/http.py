"""Downloads files whole or not at all: retries, resumed parts, checks before a name is given, and what came from where."""

from __future__ import annotations

import email.utils
import hashlib
import http.client
import json
import os
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from community_routes.base.errors import MachineError, UsageError
from community_routes.base.files import hash_of_file
from community_routes.fetch.sources import Source

_IDENTITY = "community-routes (open-source transport accessibility tool; one download at a time)"
_CHUNK = 1 << 18
_LONGEST_WAIT_S = 60.0
DOWNLOAD_LIMIT = 8 * 2**30
"""Most bytes of a zip or an extract (all of Great Britain is about 2 GB)."""
TABLE_LIMIT = 128 * 2**20
"""Most bytes of a table, unpacked (all of NaPTAN is about 95 MB, a census table under 10)."""
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that may be others at the next attempt."""


class FetchError(MachineError):
    """A service could not be used. What was downloaded before is kept, and the same command goes on from there.

    Attributes
    ----------
    refused : bool
        The service answered, and said that it has no such thing.
    unusable : str
        Key of the source whose downloads came whole but cannot be used; they must not be taken again.
    """

    def __init__(self, message: str, *, refused: bool = False, unusable: str = "") -> None:
        super().__init__(message)
        self.refused, self.unusable = refused, unusable


def unusable(source: Source, said: str, *, instead: str = "") -> FetchError:
    """An error for downloads of a source that came whole and cannot be used, with the ways out."""
    other = instead or f"give another address with --sources (`{source.key}: https://...`)"
    return FetchError(
        f"{source.title}: {said}. Nothing was replaced. Run the same command again, which downloads this anew, or {other}",
        unusable=source.key,
    )


class PassingError(Exception):
    """A fault that may be gone at the next attempt; ``after_s`` is how long the service asks to be left alone."""

    def __init__(self, message: str, after_s: float = 0.0) -> None:
        super().__init__(message)
        self.after_s = after_s


class BadAnswerError(Exception):
    """An answer that is not what was asked for: the reason, in words."""


@dataclass(frozen=True)
class Kept:
    """A file that was downloaded whole and passed its check; ``date`` is the server's (its last change, else its answer)."""

    address: str
    path: Path
    sha256: str
    size: int
    date: str


Check = Callable[[Path], None]


def whole_number(text: str) -> int | None:
    """A number of plain digits; None for other text, also for digits that only look like some, and for endless ones."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def check_size(size: int, most: int, what: str = "the answer") -> None:
    """Refuse what is larger than anything of its kind, before it is read.

    Raises
    ------
    BadAnswerError
    """
    if size > most:
        raise BadAnswerError(
            f"{what} would take {size / 2**20:,.0f} MB, more than the {most / 2**20:,.0f} MB that it can need"
        )


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)


class Client:
    """Downloads into a folder, and remembers in a journal what this run (also one that was killed) has already.

    Parameters
    ----------
    folder : path
        Where downloads are kept; files of an earlier run are asked after (``If-None-Match``) and used if unchanged.
    journal : path
        What an unfinished run has: that is not asked for again. Whoever finishes the run removes it.
    wait : callable
        Waits so many seconds between attempts.
    progress : callable
        Told what is being done.
    tries : int
        Attempts for each address.
    """

    def __init__(
        self,
        folder: Path,
        journal: Path,
        *,
        wait: Callable[[float], None] = time.sleep,
        progress: Callable[[str], None] = lambda text: None,
        tries: int = 4,
        timeout_s: float = 60.0,
    ) -> None:
        self._folder, self._journal_file = folder, journal
        self._wait, self._progress, self._tries, self._timeout_s = wait, progress, tries, timeout_s
        folder.mkdir(parents=True, exist_ok=True)
        self._journal: dict[str, str] = _read_json(journal)
        self.used: dict[str, list[Kept]] = {}
        # Proxies come from the environment by themselves; certificates also from SSL_CERT_FILE.
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        given = {"cafile": bundle} if bundle and Path(bundle).is_file() else {"capath": bundle} if bundle else {}
        try:
            context = ssl.create_default_context(**given)  # type: ignore[arg-type]
        except (OSError, ssl.SSLError):
            raise UsageError(f"the certificates that REQUESTS_CA_BUNDLE names ({bundle}) cannot be read") from None
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))

    def get(self, source: Source, addresses: Sequence[str], check: Check, *, most: int = DOWNLOAD_LIMIT) -> Kept:
        """The file at the first of the addresses that gives a good one.

        Parameters
        ----------
        check : callable
            Raises `BadAnswerError` where a file is not what was asked for, `PassingError` where the next attempt may be.
        most : int
            Bytes that are taken at most.

        Raises
        ------
        FetchError
            None did; with what was wrong at each address, and what can be done.
        """
        faults: list[FetchError] = []
        for address in addresses:
            try:
                kept = self._known(address, source) or self._attempts(source, address, check, most)
            except FetchError as wrong:
                faults.append(wrong)
                continue
            self.used.setdefault(source.key, []).append(kept)
            return kept
        said = "\n".join(str(fault) for fault in faults)
        cure = (
            f"Nothing was replaced. Try again later with the same command, which goes on from here; if the address has moved, "
            f"put the new one into a file (`{source.key}: https://...`) and name it with --sources"
        )
        raise FetchError(f"{said}\n{cure}", refused=all(fault.refused for fault in faults))

    def forget(self, key: str) -> None:
        """Remove what was downloaded of a source, so that the next run asks for it anew."""
        for kept in self.used.pop(key, []):
            self._journal.pop(kept.address, None)
            _remove(kept.path)
        write_whole(self._journal_file, json.dumps(self._journal, indent=1, sort_keys=True).encode())

    @property
    def is_empty(self) -> bool:
        """Whether this run has nothing that a later one could go on with."""
        return not self._journal

    def _place(self, address: str) -> Path:
        return self._folder / hashlib.sha256(address.encode()).hexdigest()[:32]

    def _known(self, address: str, source: Source) -> Kept | None:
        """What this run has already, if it is still as it was."""
        wanted = self._journal.get(address)
        kept = self._kept(address) if wanted else None
        return kept if kept is not None and kept.sha256 == wanted else None

    def _kept(self, address: str) -> Kept | None:
        path = self._place(address)
        told = _read_json(_beside(path))
        if not path.is_file() or told.get("sha256") != hash_of_file(path):
            return None
        return Kept(address, path, told["sha256"], told["size"], told["date"])

    def _attempts(self, source: Source, address: str, check: Check, most: int) -> Kept:
        host = urllib.parse.urlsplit(address).netloc
        self._progress(f"{source.title} ({host})")
        for attempt in range(1, self._tries + 1):
            try:
                kept = self._once(source, address, check, most)
            except PassingError as wrong:
                if attempt == self._tries:
                    raise FetchError(f"{source.title}: {address}: {wrong} ({attempt} attempts)") from None
                self._progress(f"{source.title}: {wrong}; trying again")
                self._wait(min(_LONGEST_WAIT_S, max(wrong.after_s, 2.0**attempt)))
            except BadAnswerError as wrong:
                raise FetchError(f"{source.title}: {address}: {wrong}") from None
            except _RefusedError as wrong:
                raise FetchError(f"{source.title}: {address}: {wrong}", refused=True) from None
            else:
                self._journal[address] = kept.sha256
                write_whole(self._journal_file, json.dumps(self._journal, indent=1, sort_keys=True).encode())
                return kept
        raise FetchError(f"{source.title}: {address}: no attempt was allowed")

    def _once(self, source: Source, address: str, check: Check, most: int) -> Kept:
        path = self._place(address)
        part = path.with_name(f"{path.name}.part")
        known = self._kept(address)
        started = part.stat().st_size if part.is_file() else 0
        try:
            with (
                _faults_in_words(),
                self._opener.open(_request(source, address, part, path, known), timeout=self._timeout_s) as answer,
            ):
                self._receive(answer, part, started, most)
                told = _told(answer.headers)
        except urllib.error.HTTPError as wrong:
            if wrong.code == 304 and known is not None:
                check(known.path)
                return known
            if wrong.code == 416:
                _remove(part)
                raise PassingError("the part that was here does not fit the file") from None
            raise _refusal(wrong) from None
        try:
            _check_plain(part)
            check(part)
        except (BadAnswerError, PassingError):
            _remove(part)
            raise
        kept = Kept(address, path, hash_of_file(part), part.stat().st_size, told["date"])
        described = {key: value for key, value in asdict(kept).items() if key != "path"}
        # The description goes first: a file without its description, or with another's, is not used.
        write_whole(_beside(path), json.dumps({**described, "ask": told["ask"]}, sort_keys=True).encode())
        part.replace(path)
        _beside(part).unlink(missing_ok=True)
        return kept

    def _receive(self, answer: Any, part: Path, started: int, most: int) -> None:
        """Write the body behind what is there already, or from the start; a cut body is a passing fault."""
        begin, whole = _extent(answer)
        if begin != started or answer.status != 206:
            begin = 0
            if answer.status == 206:
                _remove(part)
                raise PassingError("the server sent another part than was asked for")
        told = _told(answer.headers)
        write_whole(_beside(part), json.dumps({"validator": told["validator"]}).encode())
        try:
            check_size(whole or 0, most)
            with part.open("ab" if begin else "wb") as file:
                while chunk := answer.read(_CHUNK):
                    file.write(chunk)
                    check_size(file.tell(), most)
        except BadAnswerError:
            _remove(part)
            raise
        size = part.stat().st_size
        if whole is not None and size != whole:
            if size > whole or not told["validator"]:
                _remove(part)
            raise PassingError(f"the answer was cut: {size:,} of {whole:,} bytes came")


def _request(source: Source, address: str, part: Path, path: Path, known: Kept | None) -> urllib.request.Request:
    """What is asked: the rest of a part that was begun, else whether the file that is known has changed, else all of it."""
    request = urllib.request.Request(address, headers={"User-Agent": _IDENTITY, "Accept-Encoding": "identity"})
    for name, value in source.headers.items():
        request.add_unredirected_header(name, value)  # a key is for this service alone
    started = part.stat().st_size if part.is_file() else 0
    validator = _read_json(_beside(part)).get("validator", "")
    if started and validator:
        request.add_header("Range", f"bytes={started}-")
        request.add_header("If-Range", validator)
    elif known is not None:
        for header, value in _read_json(_beside(path)).get("ask", {}).items():
            request.add_header(header, value)
    return request


@contextmanager
def _faults_in_words() -> Iterator[None]:
    """What can go wrong on the way to an answer, as a fault that may pass or one that does not; answers are left alone."""
    try:
        yield
    except urllib.error.HTTPError:
        raise
    except http.client.IncompleteRead:
        raise PassingError("the answer was cut") from None
    except (http.client.InvalidURL, ValueError, OverflowError) as wrong:
        # What urllib makes of an address that is none, or of a header that cannot be sent; ours were looked at before.
        said = " ".join(str(wrong).split()) or type(wrong).__name__
        raise BadAnswerError(f"the server sends on to an address that is none ({said})") from None
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as wrong:
        reason = getattr(wrong, "reason", None) or wrong
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise BadAnswerError(
                f"the server's certificate cannot be verified ({reason.verify_message}); behind a proxy that puts its own "
                "in place, name the file of its certificates with SSL_CERT_FILE"
            ) from None
        raise PassingError(f"no connection ({' '.join(str(reason).split()) or type(wrong).__name__})") from None


def _extent(answer: Any) -> tuple[int, int | None]:
    """Where the body begins in the file, and how long the whole file is (None where the server does not say)."""
    length = answer.headers.get("Content-Length")
    if answer.status == 206:
        span = answer.headers.get("Content-Range", "")
        try:
            begin, whole = span.split(" ")[1].split("-")[0], span.split("/")[1]
            return int(begin), int(whole)
        except (IndexError, ValueError):
            return -1, None
    return 0, whole_number(length) if length is not None else None


def _told(headers: Any) -> dict[str, Any]:
    """What the server says of a file: its date, what names this version of it, how to ask whether it has changed."""
    tag, changed = (
        value if (value := headers.get(name, "")).isprintable() else "" for name in ("ETag", "Last-Modified")
    )
    date = ""
    for text in (changed, headers.get("Date", "")):
        try:
            date = date or email.utils.parsedate_to_datetime(text).date().isoformat()
        except (TypeError, ValueError, OverflowError):
            continue
    ask = {"If-None-Match": tag} if tag else {"If-Modified-Since": changed} if changed else {}
    strong = tag if tag and not tag.startswith("W/") else changed
    return {"date": date, "validator": strong, "ask": ask}


def _refusal(wrong: urllib.error.HTTPError) -> Exception:
    said = f"the server answered {wrong.code} {wrong.reason}"
    if wrong.code in PASSING:
        after = wrong.headers.get("Retry-After", "") if wrong.headers else ""
        return PassingError(said, float(whole_number(after) or 0))
    if wrong.code in (401, 403):
        said += "; if it asks for a key, give it as `headers` in a file named with --sources"
    if 300 <= wrong.code < 400:
        said = f"the server sends on without end ({wrong.code})"
    return _RefusedError(said)


class _RefusedError(Exception):
    """An answer that no further attempt changes."""


def _check_plain(path: Path) -> None:
    """What no good answer is: nothing, or a page for a reader."""
    with path.open("rb") as file:
        start = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        raise BadAnswerError("the answer was empty")
    if start.startswith((b"<!doctype html", b"<html", b"<head")):
        raise BadAnswerError("a web page came instead of data (a login, a notice, or a moved address)")


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _remove(part: Path) -> None:
    part.unlink(missing_ok=True)
    _beside(part).unlink(missing_ok=True)


def _read_json(path: Path) -> dict[str, Any]:
    """An object from a JSON file; empty where there is none, or a damaged one."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def with_question(address: str, question: Mapping[str, str]) -> str:
    """An address with the parts of a question behind it."""
    return f"{address}{'&' if '?' in address else '?'}{urllib.parse.urlencode(question)}"
