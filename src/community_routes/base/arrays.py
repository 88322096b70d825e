"""How the flat arrays inside our types are checked and frozen on construction."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

Arrays = TypeVar("Arrays", bound=NamedTuple)


def frozen_array(values: Any, dtype: DTypeLike, name: str, shape: tuple[int | None, ...] = (None,)) -> NDArray[Any]:
    """A read-only, C-ordered array of the dtype and shape asked for (``None`` is any length); a copy only when needed.

    Raises
    ------
    ValueError
        The shape differs.
    """
    array = np.ascontiguousarray(values, dtype=dtype)
    if array.ndim != len(shape) or any(
        want is not None and have != want for have, want in zip(array.shape, shape, strict=True)
    ):
        raise ValueError(f"{name} has the shape {array.shape}, not {shape}")
    if array is values and array.flags.writeable:
        array = array.view()
    array.flags.writeable = False
    return array


def set_frozen(owner: object, name: str, dtype: DTypeLike, shape: tuple[int | None, ...] = (None,)) -> None:
    """In ``__post_init__`` of a frozen dataclass: replace the attribute by its checked, read-only array."""
    object.__setattr__(owner, name, frozen_array(getattr(owner, name), dtype, f"{type(owner).__name__}.{name}", shape))


def check_first(first: NDArray[Any], n_items: int, name: str) -> None:
    """``first`` marks off groups of ``n_items`` things: it starts at 0, never falls, and ends at ``n_items``."""
    if len(first) == 0 or first[0] != 0 or first[-1] != n_items or bool(np.any(np.diff(first) < 0)):
        raise ValueError(f"{name} does not mark off {n_items} items")


def starts_of(sizes: ArrayLike) -> NDArray[np.int64]:
    """Where groups of these sizes begin when they stand one behind the other, and at last where they end: shape (n + 1,)."""
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def starts_by(group: NDArray[Any], n_groups: int) -> NDArray[np.int64]:
    """The same of rows in the order of their groups, which have the numbers 0 to ``n_groups - 1``."""
    return starts_of(np.bincount(group, minlength=n_groups))


def arrays_of(owner: object, kind: type[Arrays]) -> Arrays:
    """The arrays of an object under the names that a kind of named tuple gives them: one argument for a kernel."""
    return kind(*(getattr(owner, name) for name in kind._fields))
