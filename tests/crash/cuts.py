"""cuts.py -- which states a power cut could leave, at each point of a trace."""
import disk
from disk import PAGE, SECTOR


MANY = 40


class Cut:
    """After record `point` (`flight`: in the middle of it) these are kept."""
    __slots__ = "point", "flight", "kept", "marks", "kind"

    def __init__(self, point, flight, kept, marks, kind):
        self.point, self.flight, self.kept = point, flight, kept
        self.marks, self.kind = marks, kind

    def name(self):
        return f"{self.point}{'~' if self.flight else ''}/{self.kind}"


def sectors(change):
    last = change.offset + len(change.data) - 1
    return range(change.offset // SECTOR, last // SECTOR + 1)


def tears(change, rng):
    """Ways in which one write is there in part."""
    if change.what != "write" or not change.data:
        return
    every = list(sectors(change))
    if change.offset + len(change.data) > len(change.where.kept):
        yield "size", {None}
        yield "no-size", {s for s in every
                          if s * SECTOR < len(change.where.kept)}
    if len(every) > 1:
        half = len(every) // 2
        yield "torn", set(every[:half]) | {None}
        yield "torn", set(every[half:]) | {None}
        yield "torn", {s for s in every if rng.random() < .5} | {None}
    if len(every) > PAGE // SECTOR:
        first = rng.randrange(every[0] // 8, every[-1] // 8 + 1)
        yield "page", {s for s in every if s // 8 != first} | {None}
        yield "page", {s for s in every if s // 8 == first} | {None}


def subsets(pending, rng, thorough):
    """(kind, kept) of what is pending: in full, or in part."""
    numbers = [c.number for c in pending]
    # Only a disk that lies leaves so much open; then some are enough.
    some = pending if len(pending) <= MANY else rng.sample(pending, MANY)
    yield "none", {}
    if not pending:
        return
    whole = dict.fromkeys(numbers, True)
    yield "all", whole
    if 1 < len(numbers) <= (8 if thorough else 4):
        for bits in range(1, 2 ** len(numbers) - 1):
            yield "subset", {n: True for i, n in enumerate(numbers)
                             if bits >> i & 1}
    else:
        for c in some:
            yield "dropped", {m: True for m in numbers if m != c.number}
            yield "only", {c.number: True}
        for _ in range(20 if thorough else 4):
            yield "random", {n: True for n in numbers if rng.random() < .5}
    for change in some:
        for kind, kept in tears(change, rng):
            yield kind, {change.number: kept}
            yield kind, {**whole, change.number: kept}
    for _ in range(20 if thorough else 2):
        yield "mixed", mixture(pending, rng)


def mixture(pending, rng):
    kept = {}
    for change in pending:
        ways = [None, True] + [k for _, k in tears(change, rng)]
        way = rng.choice(ways)
        if way is not None:
            kept[change.number] = way
    return kept


class Seen:
    """States that are the same bytes, with the same promises, are one."""

    def __init__(self, rng):
        self.rng, self.codes, self.base, self.keys = rng, {}, 0, set()
        self.pending = set()

    def code(self, number):
        if number not in self.codes:
            self.codes[number] = self.rng.getrandbits(64)
        return self.codes[number]

    def settle(self, pending):
        now = {c.number for c in pending}
        for number in self.pending - now:
            self.base ^= self.code(number)
        self.pending = now

    def new(self, kept, marks):
        key, torn = self.base, []
        for number, way in kept.items():
            if way is True:
                key ^= self.code(number)
            else:
                torn.append((number, frozenset(way)))
        key = (key, frozenset(torn), marks)
        if key in self.keys:
            return False
        self.keys.add(key)
        return True


def cuts(records, base, rng, thorough):
    """Every Cut of the trace that is unlike the ones before."""
    model, seen = disk.Disk(base), Seen(rng)

    def here(point, flight):
        seen.settle(model.pending)
        for kind, kept in subsets(model.pending, rng, thorough):
            if seen.new(kept, len(model.marks)):
                yield Cut(point, flight, kept, len(model.marks), kind)

    for point, record in enumerate(records):
        flying = model.feed(point, record)
        flying = flying if record.durable else None
        if record.kind not in (disk.FAULT,):
            yield from here(point, flying is not None)
        if flying is not None:
            model.settle(flying)
            yield from here(point, False)


def inside(records, base, rng):
    """A small write by O_DSYNC (LMDB's meta) torn amid a sector.

    No disk is known to do that, and no contract forbids it.  The transaction's
    number stands last, so the beginning alone must do no harm; the end alone
    does, and is only counted.
    """
    model = disk.Disk(base)
    for point, record in enumerate(records):
        flying = model.feed(point, record)
        if not record.durable or flying is None:
            continue
        size = len(record.data)
        for _ in range(4 if 1 < size < SECTOR else 0):
            at = rng.randrange(1, size)
            for kind, part in (("head", slice(0, at)),
                               ("tail", slice(at, size))):
                yield Cut(point, True, {flying.number: part},
                          len(model.marks), kind)
        model.settle(flying)


class Player:
    """A disk that goes forward from cut to cut."""

    def __init__(self, records, base):
        self.records, self.model = records, disk.Disk(base)
        self.fed, self.flying = 0, None

    def at(self, cut):
        """Path -> content, after the cut."""
        while self.fed <= cut.point:
            self._land()
            record = self.records[self.fed]
            change = self.model.feed(self.fed, record)
            self.flying = change if record.durable else None
            self.fed += 1
        if not cut.flight:
            self._land()
        return self.model.files(cut.kept)

    def _land(self):
        if self.flying is not None:
            self.model.settle(self.flying)
            self.flying = None


# ---- controls: what a careless log, or a lying disk, would have done ----

def paths_of(records, base):
    """Inode -> path when it was made."""
    paths = {inode: path for path, inode, _ in base or ()}
    paths.update((r.ino, r.path) for r in records if r.kind == disk.CREATE)
    return paths


def is_sync_of(record, paths, part):
    return (record.kind in (disk.SYNC, disk.DATASYNC)
            and part in paths.get(record.ino, ""))


def move_before_sync(records, paths, chosen):
    """Each chosen record goes to before the evidence's last sync."""
    out = []
    for r in records:
        if not chosen(r):
            out.append(r)
            continue
        at = len(out)
        for i in range(len(out) - 1, -1, -1):
            if r.kind == disk.WRITE and out[i].ino == r.ino:
                break
            if is_sync_of(out[i], paths, "evidence"):
                at = i
                break
        out.insert(at, r)
    return out


def early(records, paths):
    return move_before_sync(records, paths, lambda r: r.kind == disk.MARK)


def anchor_early(records, paths):
    return move_before_sync(
        records, paths, lambda r: r.kind == disk.WRITE
        and paths.get(r.ino, "").endswith("anchor"))


def nosync(records, paths):
    return [r.copy(durable=False)
            if "evidence" in paths.get(r.ino, "") else r
            for r in records if not is_sync_of(r, paths, "evidence")]


def lying(records, paths):
    return [r for r in records if r.kind != disk.DATASYNC]


def vault_unsynced(records, paths):
    return [r for r in records if not is_sync_of(r, paths, "vault")]


def names_unsynced(records, paths):
    return [r for r in records if r.kind != disk.SYNC_DIR]


def volume_unsynced(records, paths):
    return [r for r in records if not is_sync_of(r, paths, "volumes/")]


def volume_unnamed(records, paths):
    """Rows are deleted before the rename of the file is durable."""
    return [r for r in records
            if not (r.kind == disk.SYNC_DIR and "volumes" in r.path)]


CONTROLS = {
    "early": early,                   # acknowledged before the commit
    "anchor-early": anchor_early,     # signed and anchored before durable
    "nosync": nosync,                 # MDB_NOSYNC
    "lying": lying,                   # fdatasync does nothing
    "vault-unsynced": vault_unsynced,
    "names-unsynced": names_unsynced,
    "volume-unsynced": volume_unsynced,
    "volume-unnamed": volume_unnamed,
}
