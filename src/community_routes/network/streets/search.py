"""Bounded shortest walks over a street network: the compiled search from many places, and one path with its course.

The queue is one of buckets (Dial; Denardo and Fox, *Shortest-route methods: reaching, pruning, and buckets*, 1979): a
junction waits in the bucket of its distance so far, and is looked at again should that fall while its bucket is open, so
that distances are exact whatever the width of a bucket.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from community_routes.base.kernels import kernel, step
from community_routes.network.streets.graph import Edges, Steps

_BUCKET_M = 16.0
_SHELF = 5
"""Ends stand on shelves of two to the power of this, so that those that were reached are found in their order."""


class Starts(NamedTuple):
    """Places from which walks begin, by their points on edges.

    Attributes
    ----------
    first : int64, shape (n_places + 1,)
        The points of place ``i`` are ``row[first[i]:first[i + 1]]``.
    row : int32
        Rows of the arrays that follow.
    edge : int32
    position_m, link_m : float64
        Metres along the edge from its start, and to it.
    """

    first: NDArray[np.int64]
    row: NDArray[np.int32]
    edge: NDArray[np.int32]
    position_m: NDArray[np.float64]
    link_m: NDArray[np.float64]


class Ends(NamedTuple):
    """Places at which walks end: by the junctions from which they are reached, and by the edges that they lie on.

    Attributes
    ----------
    limit_m : float64, shape (n_places,)
        The longest walk to each place.
    node_first : int32, shape (n_nodes + 1,)
    node_place : int32; node_m : float64
        Place and metres to it, by junction.
    edge_first : int32, shape (n_edges + 1,)
    edge_place : int32; edge_position_m, edge_link_m : float64
        Place, metres along the edge and metres from it, by edge.
    """

    limit_m: NDArray[np.float64]
    node_first: NDArray[np.int32]
    node_place: NDArray[np.int32]
    node_m: NDArray[np.float64]
    edge_first: NDArray[np.int32]
    edge_place: NDArray[np.int32]
    edge_position_m: NDArray[np.float64]
    edge_link_m: NDArray[np.float64]


class Spots(NamedTuple):
    """Spots on edges from which a walk begins, each with its own clock.

    Attributes
    ----------
    edge : int32
    position_m, link_m : float64
        Metres along the edge from its start, and to it.
    begin_s : float64
        Seconds that have passed when the walk begins.
    """

    edge: NDArray[np.int32]
    position_m: NDArray[np.float64]
    link_m: NDArray[np.float64]
    begin_s: NDArray[np.float64]


class _Queue(NamedTuple):
    """The junctions of a search in buckets of their distance.

    Attributes
    ----------
    distance, done : float64, shape (n_nodes,)
        Metres so far, and those for which the junction was looked at last; infinite between searches.
    touched : int32, shape (n_nodes,)
        The junctions reached.
    head : int32, shape (n_buckets,)
        The newest link of each bucket, -1 for none.
    waiting, following : int32
        Junction of each link, and the link after it.
    """

    distance: NDArray[np.float64]
    done: NDArray[np.float64]
    touched: NDArray[np.int32]
    head: NDArray[np.int32]
    waiting: NDArray[np.int32]
    following: NDArray[np.int32]


@step
def _queue(n_nodes: int, limit_m: float, room: int) -> _Queue:
    head = np.empty(int(limit_m / _BUCKET_M) + 2, np.int32)
    for bucket in range(len(head)):
        head[bucket] = -1
    touched, waiting, following = np.empty(n_nodes, np.int32), np.empty(room, np.int32), np.empty(room, np.int32)
    return _Queue(_infinite(n_nodes), _infinite(n_nodes), touched, head, waiting, following)


@step
def _infinite(n: int) -> NDArray[np.float64]:
    """``np.full(n, np.inf)``, which takes longer to compile."""
    values = np.empty(n)
    for i in range(n):
        values[i] = np.inf
    return values


@step
def _begin(
    edge: int, position_m: float, link_m: float, limit_m: float, edges: Edges, queue: _Queue, n_waiting: int
) -> int:
    """Put the ends of an edge that can be walked to from a spot on it into the queue; gives the number that wait.

    A point at the very end of its edge stands on the junction, whatever the direction of the edge.
    """
    ahead_m, back_m = link_m + (edges.metres[edge] - position_m), link_m + position_m
    if (edges.flags[edge] & 1 > 0 or position_m >= edges.metres[edge]) and ahead_m <= limit_m:
        n_waiting = _put(edges.to[edge], ahead_m, queue, n_waiting)
    if (edges.flags[edge] & 2 > 0 or position_m <= 0.0) and back_m <= limit_m:
        n_waiting = _put(edges.start[edge], back_m, queue, n_waiting)
    return n_waiting


@step
def _put(node: int, metres: float, queue: _Queue, n_waiting: int) -> int:
    """Put a junction into the queue at a distance, if that is the shortest so far; gives the number that wait."""
    if metres < queue.distance[node]:
        queue.distance[node] = metres
        bucket = int(metres / _BUCKET_M)
        queue.waiting[n_waiting], queue.following[n_waiting] = node, queue.head[bucket]
        queue.head[bucket] = n_waiting
        return n_waiting + 1
    return n_waiting


@step
def _spread(limit_m: float, steps: Steps, queue: _Queue, n_waiting: int) -> int:
    """Shortest distances from the junctions that wait in the queue, up to the limit; gives the number of those reached.

    -1 where the queue has no room for all that would have to wait: it is of no use then. (To make its arrays longer in
    here would keep the compiler from holding their addresses, and take twice as long.)

    ``waiting`` and ``following`` are the links of the buckets' lists. A junction whose distance falls is put in again; the
    older link is passed over when it is met, because ``done`` holds the distance for which it was looked at last. All of
    it stands in one loop: the search is run a million times, and calls in it would take as long as the work.
    """
    first, to, metres = steps
    distance, done, touched, head, waiting, following = queue
    n_touched = 0
    for bucket in range(len(head)):
        link = head[bucket]
        while link >= 0:
            head[bucket] = following[link]
            here = waiting[link]
            so_far = distance[here]
            if done[here] != so_far:
                if done[here] == np.inf:
                    touched[n_touched] = here
                    n_touched += 1
                done[here] = so_far
                for leg in range(first[here], first[here + 1]):
                    there = to[leg]
                    further = so_far + metres[leg]
                    if further < distance[there] and further <= limit_m:
                        distance[there] = further
                        if n_waiting == len(waiting):
                            return -1
                        into = int(further / _BUCKET_M)
                        waiting[n_waiting], following[n_waiting] = there, head[into]
                        head[into] = n_waiting
                        n_waiting += 1
            link = head[bucket]
    return n_touched


@kernel
def reach_places(
    low: int, high: int, limit_m: float, steps: Steps, edges: Edges, starts: Starts, ends: Ends, room_a_junction: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Shortest walks from places ``low`` to ``high - 1`` to all ends, each within its limit.

    Parameters
    ----------
    limit_m : float
        The longest of the limits.
    steps : Steps
        From each junction.
    room_a_junction : int
        Room in the queue to begin with; it is doubled, and the search of a start begun again, where that is too little.

    Returns
    -------
    first, to, metres : arrays
        Grouped by start, ``to`` rising within a group.
    """
    flags = edges.flags
    node_first, node_place, node_m = ends.node_first, ends.node_place, ends.node_m
    edge_first, edge_place = ends.edge_first, ends.edge_place
    edge_position, edge_link = ends.edge_position_m, ends.edge_link_m
    end_limit_m = ends.limit_m
    n_nodes, n_ends = len(steps.first) - 1, len(end_limit_m)
    queue = _queue(n_nodes, limit_m, room_a_junction * n_nodes + 2 * len(starts.row) + 16)
    best = _infinite(n_ends)
    some_near = np.zeros((n_ends >> _SHELF) + 1, np.bool_)  # whether any place of each shelf has been reached
    out_first = np.zeros(high - low + 1, np.int64)
    out_to = np.empty(1024, np.int32)
    out_m = np.empty(1024)
    filled = 0
    start = low
    while start < high:
        n_waiting = np.int64(0)
        n_reached = 0
        for at in range(starts.first[start], starts.first[start + 1]):
            row = starts.row[at]
            edge, position, link = starts.edge[row], starts.position_m[row], starts.link_m[row]
            n_waiting = _begin(edge, position, link, limit_m, edges, queue, n_waiting)
            for k in range(edge_first[edge], edge_first[edge + 1]):
                along = edge_position[k] - position
                if (along >= 0.0 and flags[edge] & 1 > 0) or (along <= 0.0 and flags[edge] & 2 > 0):
                    place, metres = edge_place[k], link + abs(along) + edge_link[k]
                    if metres < best[place] and metres <= end_limit_m[place]:
                        if best[place] == np.inf:
                            some_near[place >> _SHELF] = True
                            n_reached += 1
                        best[place] = metres
        n_touched = _spread(limit_m, steps, queue, n_waiting)
        if n_touched < 0:
            queue = _queue(n_nodes, limit_m, 2 * len(queue.waiting))
            best = _infinite(n_ends)
            continue
        for i in range(n_touched):
            node = queue.touched[i]
            so_far = queue.distance[node]
            for k in range(node_first[node], node_first[node + 1]):
                place, metres = node_place[k], so_far + node_m[k]
                if metres < best[place] and metres <= end_limit_m[place]:
                    if best[place] == np.inf:
                        some_near[place >> _SHELF] = True
                        n_reached += 1
                    best[place] = metres
            queue.distance[node] = np.inf
            queue.done[node] = np.inf
        if filled + n_reached > len(out_to):
            wider_to = np.empty(2 * (filled + n_reached), np.int32)
            wider_m = np.empty(2 * (filled + n_reached))
            for i in range(filled):  # a slice would be copied as fast, and its compiling takes seconds
                wider_to[i], wider_m[i] = out_to[i], out_m[i]
            out_to, out_m = wider_to, wider_m
        for shelf in range(len(some_near)):  # in order without sorting, whose compiling takes a second and a half
            if some_near[shelf]:
                some_near[shelf] = False
                for place in range(shelf << _SHELF, min((shelf + 1) << _SHELF, n_ends)):
                    if best[place] < np.inf:
                        out_to[filled], out_m[filled] = place, best[place]
                        filled += 1
                        best[place] = np.inf
        start += 1
        out_first[start - low] = filled
    return out_first, out_to[:filled].copy(), out_m[:filled].copy()


class _Heap(NamedTuple):
    """Junctions by their distance, then by their number, the first at the top. (``heapq`` takes a second to compile.)"""

    metres: NDArray[np.float64]
    node: NDArray[np.int64]


@step
def _push(heap: _Heap, size: int, metres: float, node: int) -> int:
    """Put a junction in; gives how many there are then."""
    at = size
    while at > 0:
        above = (at - 1) >> 1
        if heap.metres[above] < metres or (heap.metres[above] == metres and heap.node[above] <= node):
            break
        heap.metres[at], heap.node[at] = heap.metres[above], heap.node[above]
        at = above
    heap.metres[at], heap.node[at] = metres, node
    return size + 1


@step
def _drop_first(heap: _Heap, size: int) -> int:
    """Take the first out; gives how many there are then."""
    size -= 1
    metres, node = heap.metres[size], heap.node[size]
    at = 0
    while 2 * at + 1 < size:
        below = 2 * at + 1
        right = below + 1
        if right < size and (
            heap.metres[right] < heap.metres[below]
            or (heap.metres[right] == heap.metres[below] and heap.node[right] < heap.node[below])
        ):
            below = right
        if metres < heap.metres[below] or (metres == heap.metres[below] and node <= heap.node[below]):
            break
        heap.metres[at], heap.node[at] = heap.metres[below], heap.node[below]
        at = below
    heap.metres[at], heap.node[at] = metres, node
    return size


@kernel
def one_path(
    graph: Steps,
    sources: NDArray[np.int64],
    source_m: NDArray[np.float64],
    targets: NDArray[np.int64],
    target_m: NDArray[np.float64],
    limit_m: float,
) -> tuple[float, int, NDArray[np.int64]]:
    """The shortest path from any source to any target, each with metres before and after it.

    Returns
    -------
    metres : float
        Infinite where there is none within the limit.
    target : int
        Which of the targets it ends at, -1 for none.
    steps : int64
        Rows of ``graph`` (steps) in order; the path starts at the junction that the first step leaves.
    """
    first, to, metres = graph
    n = len(first) - 1
    distance = _infinite(n)
    came_by, came_from = np.empty(n, np.int64), np.empty(n, np.int64)
    for node in range(n):
        came_by[node] = came_from[node] = -1
    room = len(to) + len(sources)  # each step is taken once at most
    heap = _Heap(np.empty(room), np.empty(room, np.int64))
    size = 0
    for i in range(len(sources)):
        if source_m[i] < distance[sources[i]]:
            distance[sources[i]] = source_m[i]
            size = _push(heap, size, source_m[i], sources[i])
    least = np.inf
    for i in range(len(targets)):
        least = min(least, target_m[i])
    best, best_target = np.inf, -1
    while size > 0:
        so_far, here = heap.metres[0], heap.node[0]
        size = _drop_first(heap, size)
        if so_far + least >= best or so_far > limit_m:
            break
        if so_far > distance[here]:
            continue
        for i in range(len(targets)):
            if targets[i] == here and so_far + target_m[i] < best:
                best, best_target = so_far + target_m[i], i
        for leg in range(first[here], first[here + 1]):
            there, further = np.int64(to[leg]), so_far + metres[leg]
            if further < distance[there]:
                distance[there] = further
                came_by[there] = leg
                came_from[there] = here
                size = _push(heap, size, further, there)
    if best_target < 0 or best > limit_m:
        return np.inf, -1, np.zeros(0, np.int64)
    count = 0
    here = targets[best_target]
    while came_by[here] >= 0:
        count += 1
        here = came_from[here]
    steps = np.empty(count, np.int64)
    here = targets[best_target]
    while came_by[here] >= 0:
        count -= 1
        steps[count] = came_by[here]
        here = came_from[here]
    return best, best_target, steps


@kernel
def earliest_times(
    steps: Steps, edges: Edges, spots: Spots, second_a_metre: float, walk_m: float, last_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """When each junction is reached on foot from any of several spots, each with its own clock.

    Parameters
    ----------
    walk_m : float
        The longest walk, the link included.
    last_s : float
        What is reached later is not looked at.

    Returns
    -------
    seconds : float64, shape (n_nodes,)
        Infinite where not reached.
    left_m : float64, shape (n_nodes,)
        How much farther one may walk from there.
    """
    n_nodes = len(steps.first) - 1
    seconds = np.full(n_nodes, np.inf)
    left = np.zeros(n_nodes)
    queue = _queue(n_nodes, max(0.0, walk_m), 2 * n_nodes + 16)
    i = 0
    while i < len(spots.edge):
        limit_m = min(walk_m, (last_s - spots.begin_s[i]) / second_a_metre)
        none = np.int64(0)
        n_waiting = _begin(spots.edge[i], spots.position_m[i], spots.link_m[i], limit_m, edges, queue, none)
        n_touched = _spread(limit_m, steps, queue, n_waiting)
        if n_touched < 0:
            queue = _queue(n_nodes, max(0.0, walk_m), 2 * len(queue.waiting))
            continue
        for k in range(n_touched):
            node = queue.touched[k]
            at_s = spots.begin_s[i] + queue.distance[node] * second_a_metre
            if at_s < seconds[node]:
                seconds[node] = at_s
                left[node] = walk_m - queue.distance[node]
            queue.distance[node] = np.inf
            queue.done[node] = np.inf
        i += 1
    return seconds, left
