"""disk.py -- a trace, and the disk that a power cut could leave of it.

The model is that of POSIX, not of one file system:

- A write is on the disk after an fsync or fdatasync of its file that began
  after it; by a descriptor opened O_DSYNC, when it returns, and then it alone.
  Until then it may be there, or not, or in part: any of its sectors.
- A size that grew may be there without the data (zeroes), and data beyond a
  size that was lost are lost.
- A name (of a new file, a renamed, a removed one) is on the disk after an
  fsync of its folder.  Syncing a file does not sync its name.
- What was not synced may be there in any order, over all files.
"""
import os
import struct

CREATE, WRITE, SIZE, EXTEND, SYNC, DATASYNC, SYNC_DIR, RENAME, UNLINK, MKDIR, \
    MARK, FAULT, ALIEN, LINK = range(1, 15)
HEAD = struct.Struct("=BBHHHQQII")
SECTOR, PAGE = 512, 4096


class Record:
    """One line of a trace (trace.h)."""
    __slots__ = "kind", "durable", "path", "path2", "ino", "offset", "data"

    def __init__(self, kind, durable, path, path2, ino, offset, data):
        self.kind, self.durable = kind, durable
        self.path, self.path2 = path, path2
        self.ino, self.offset, self.data = ino, offset, data

    def copy(self, **changes):
        fields = {name: getattr(self, name) for name in self.__slots__}
        return Record(**{**fields, **changes})


def read_trace(path):
    data, at, records = open(path, "rb").read(), 0, []
    while at < len(data):
        kind, flags, n1, n2, _, ino, offset, n, _ = HEAD.unpack_from(data, at)
        at += HEAD.size
        path1, path2 = data[at:at + n1].decode(), data[at + n1:at + n1 + n2]
        at += n1 + n2
        records.append(Record(kind, bool(flags & 1), path1, path2.decode(),
                              ino, offset, data[at:at + n]))
        at += n
        if kind == ALIEN:
            raise SystemExit(f"the recorder saw what no model knows: "
                             f"{records[-1].data.decode()}")
    return records


class Folder(dict):
    """Name -> Folder or File.  As it is now; `kept`: as it is on the disk."""
    __slots__ = ("kept",)

    def __init__(self):
        super().__init__()
        self.kept = {}


class File:
    """What is on the disk, and what came since, in order."""
    __slots__ = "kept", "size", "late"

    def __init__(self, kept=b""):
        self.kept, self.size, self.late = bytearray(kept), len(kept), []


class Change:
    """Something that is not yet sure to be on the disk."""
    __slots__ = "number", "what", "where", "offset", "data", "names", "durable"

    def __init__(self, number, what, where, offset=0, data=b"", names=()):
        self.number, self.what, self.where = number, what, where
        self.offset, self.data, self.names = offset, data, names
        self.durable = False


def apply(content, change, keep):
    """keep: True; a set of sectors, with None in it if the size grew; or a
    slice of bytes, which no disk is known to do."""
    if change.what == "size":
        del content[change.offset:]
        content.extend(bytes(change.offset - len(content)))
    elif change.what == "extend":
        content.extend(bytes(max(0, change.offset - len(content))))
    elif keep is True:
        place(content, change.offset, change.data)
    elif isinstance(keep, slice):
        place(content, change.offset + keep.start, change.data[keep])
    else:
        end = change.offset + len(change.data)
        if None in keep:
            content.extend(bytes(max(0, end - len(content))))
        for sector in sorted(s for s in keep if s is not None):
            lo = max(change.offset, sector * SECTOR)
            hi = min(end, (sector + 1) * SECTOR)
            place(content, lo, change.data[lo - change.offset:
                                           hi - change.offset])


def place(content, offset, data):
    content.extend(bytes(max(0, offset - len(content))))
    content[offset:offset + len(data)] = data


def snapshot(root):
    """(path, inode, content) of all below a folder, for Disk to begin with."""
    found = []
    for folder, folders, names in os.walk(root):
        for name in folders + names:
            path = os.path.join(folder, name)
            content = None
            if name in names and not os.path.isfile(path):
                continue
            if name in names:
                with open(path, "rb") as file:
                    content = file.read()
            found.append((os.path.relpath(path, root), os.stat(path).st_ino,
                          content))
    return found


class Disk:
    """Records go in one by one; `pending` is what a cut could take away."""

    def __init__(self, base=None):
        self.root, self.inodes, self.pending = Folder(), {}, []
        self.marks = []
        for path, inode, content in base or ():
            folder, name = self._walk(path)
            node = Folder() if content is None else File(content)
            folder[name] = folder.kept[name] = node
            self.inodes[inode] = node

    def _walk(self, path):
        folder = self.root
        *up, name = path.split("/")
        for part in up:
            folder = folder[part]
        return folder, name

    def _folder(self, path):
        folder, name = self._walk(path)
        return folder[name] if name else folder

    # ---- one record ----

    def feed(self, number, r):
        """A Change that is in flight: a cut may come before it is durable."""
        if r.kind in (CREATE, MKDIR):
            folder, name = self._walk(r.path)
            node = folder[name] = Folder() if r.kind == MKDIR else File()
            if r.kind == CREATE:
                self.inodes[r.ino] = node
            return self._add(Change(number, "name", r.path,
                                    names=[(folder, name, node)]))
        if r.kind == UNLINK:
            folder, name = self._walk(r.path)
            del folder[name]
            return self._add(Change(number, "name", r.path,
                                    names=[(folder, name, None)]))
        if r.kind == RENAME:
            return self._rename(number, r)
        if r.kind == LINK:
            (a, old), (b, new) = self._walk(r.path), self._walk(r.path2)
            node = b[new] = a[old]
            return self._add(Change(number, "name", r.path2,
                                    names=[(b, new, node)]))
        if r.kind in (WRITE, SIZE, EXTEND):
            return self._change(number, r)
        if r.kind in (SYNC, DATASYNC):
            self._sync(self.inodes[r.ino])
        elif r.kind == SYNC_DIR:
            self._sync_folder(self._folder(r.path))
        elif r.kind == MARK:
            self.marks.append(r.data.decode())
        return None

    def _add(self, change):
        self.pending.append(change)
        return change

    def _rename(self, number, r):
        (a, old), (b, new) = self._walk(r.path), self._walk(r.path2)
        node = b[new] = a.pop(old)
        return self._add(Change(number, "name", r.path2,
                                names=[(a, old, None), (b, new, node)]))

    def _change(self, number, r):
        file = self.inodes[r.ino]
        what = {WRITE: "write", SIZE: "size", EXTEND: "extend"}[r.kind]
        change = Change(number, what, file, r.offset, r.data)
        end = r.offset + len(r.data)
        file.size = end if r.kind == SIZE else max(file.size, end)
        file.late.append(change)
        self._add(change)
        return change if r.durable else None

    # ---- what becomes durable ----

    def settle(self, change):
        """An O_DSYNC write has returned: it alone is on the disk."""
        change.durable = True
        self.pending.remove(change)
        self._fold(change.where)

    def _sync(self, file):
        for change in file.late:
            change.durable = True
        self._fold(file)
        self.pending = [c for c in self.pending if not c.durable]

    @staticmethod
    def _fold(file):
        while file.late and file.late[0].durable:
            apply(file.kept, file.late.pop(0), True)

    def _sync_folder(self, folder):
        for change in self.pending:
            if change.what == "name" and change.names[-1][0] is folder:
                change.durable = True
                for where, name, node in change.names:
                    put_name(where.kept, name, node)
        self.pending = [c for c in self.pending if not c.durable]

    # ---- after the cut ----

    def files(self, kept):
        """Path -> content; kept: number of a pending change -> True or set."""
        names = {}
        for change in self.pending:
            if change.what == "name" and change.number in kept:
                for folder, name, node in change.names:
                    over = names.setdefault(id(folder), dict(folder.kept))
                    put_name(over, name, node)
        found = {}
        self._collect(self.root, "", names, kept, found)
        return found

    def _collect(self, folder, prefix, names, kept, found):
        for name, node in names.get(id(folder), folder.kept).items():
            path = prefix + name
            if isinstance(node, Folder):
                found[path + "/"] = None
                self._collect(node, path + "/", names, kept, found)
            else:
                found[path] = content_of(node, kept)


def put_name(names, name, node):
    if node is None:
        names.pop(name, None)
    else:
        names[name] = node


def content_of(file, kept):
    content = bytearray(file.kept)
    for change in file.late:
        if change.durable:
            apply(content, change, True)
        elif change.number in kept:
            apply(content, change, kept[change.number])
    return content


def write_files(files, to):
    for path, content in sorted(files.items()):
        if content is None:
            os.makedirs(f"{to}/{path}", exist_ok=True)
        else:
            with open(f"{to}/{path}", "wb") as out:
                out.write(content)
