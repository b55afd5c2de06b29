#!/usr/bin/python3
"""verify-log.py LOGDIR VKEY [AUTHORITY [MARKS]] -- does this log hold?

Written from docs/log-format.md and RFC 6962 with none of our code: python3
with lmdb, nacl and msgpack.  Prints "verified N entries, root HEX", or "bad
entry N: ..." and ends with 4.  MARKS is a file with a line "SIZE ROOT" for each
checkpoint that somebody was given: the log must be of the same tree.
"""
import base64
import hashlib
import re
import struct
import sys
from pathlib import Path

try:
    import lmdb
    import msgpack
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey
except ImportError as missing:
    sys.exit(f"verify-log.py: {missing}; Debian has it in python3-lmdb, "
             "python3-msgpack, python3-nacl")


class Bad(Exception):
    pass


def sha(data):
    return hashlib.sha256(data).digest()


def leaf_hash(data):
    return sha(b"\0" + data)


def node_hash(left, right):
    return sha(b"\1" + left + right)


def tree_root(leaves):
    """RFC 6962 2.1: split at the largest power of two below n."""
    n = len(leaves)
    if n == 0:
        return sha(b"")
    if n == 1:
        return leaves[0]
    k = 1
    while k * 2 < n:
        k *= 2
    return node_hash(tree_root(leaves[:k]), tree_root(leaves[k:]))


def sparse_root(lo, hi, known, left):
    """The root of [lo, hi) from known leaves and, in order, whole gaps."""
    size = hi - lo
    inside = [i for i in known if lo <= i < hi]
    perfect = size & (size - 1) == 0
    if not inside and perfect:
        return left.pop(0)
    if size == 1:
        return known[lo]
    k = 1
    while k * 2 < size:
        k *= 2
    a = sparse_root(lo, lo + k, known, left)
    return node_hash(a, sparse_root(lo + k, hi, known, left))


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        part = self.data[self.at:self.at + n]
        if len(part) != n:
            raise Bad("its leaf is cut off")
        self.at += n
        return part

    def num(self, n):
        return int.from_bytes(self.take(n), "big")


def parse_leaf(data):
    c = Cursor(data)
    e = {"version": c.num(1), "type": c.num(1), "seq": c.num(8),
         "time": c.num(8), "snapshot": c.take(32), "status": c.num(2)}
    e["grant"] = c.take(c.num(1))
    e["bundle"] = (c.num(8), c.num(2), c.num(2))
    e["member"] = c.take(c.num(1)).decode("ascii")
    e["node"] = c.take(c.num(1)).decode("ascii")
    e["cites"] = c.num(8)
    e["vault"] = (c.num(4), c.num(8), c.num(4), c.num(4))
    e["payload"] = c.take(c.num(2))
    if e["version"] != 1 or c.at != len(data):
        raise Bad("its leaf has another form")
    return e


def note_parts(note, vkey):
    """The text of a note, once VKEY's signature on it has verified."""
    name, ident, key = vkey.split("+", 2)
    key = base64.b64decode(key)
    text, _, sigs = note.rpartition(b"\n\n")
    text += b"\n"
    if sha(name.encode() + b"\n" + key)[:4].hex() != ident:
        raise Bad("the vkey's id is not its key's")
    for line in sigs.decode().splitlines():
        dash, who, blob = line.split(" ")
        blob = base64.b64decode(blob)
        if dash == "\u2014" and who == name and blob[:4].hex() == ident:
            VerifyKey(key[1:]).verify(text, blob[4:])
            return text
    raise Bad("the log did not sign its checkpoint")


def check_checkpoint(note, vkey, leaves, at):
    try:
        origin, size, root = note_parts(note, vkey).decode().split("\n")[:3]
    except BadSignatureError:
        raise Bad("the checkpoint's signature is false")
    if origin != vkey.split("+")[0] or int(size) != at:
        raise Bad(f"the checkpoint of size {at} is another's")
    if base64.b64decode(root) != tree_root(leaves[:at]):
        raise Bad(f"the checkpoint of size {at} is of another tree")


def signing_keys(authority):
    """Key id -> public key, of every node of every member."""
    keys = {}
    for path in Path(authority).glob("members/*/*.note"):
        # One key on the line, or a list of them on the lines below it.
        for part in re.findall(r"\bsigning:(.*(?:\n +- *\{.*)*)",
                               path.read_text()):
            for b64 in re.findall(r"key: ([\w+/=]+)", part):
                pub = base64.b64decode(b64)
                keys[sha(b"hutong-key/v1\nsigning\n" + pub)[:8]] = pub
    return keys


def check_bundle(first, evidence, entries, keys):
    suite, sender, node, key, count, sig, indexes, left = msgpack.unpackb(
        evidence, raw=False)
    known = {}
    for i, index in enumerate(indexes):
        e = entries[first + i]
        if e["bundle"] != (first, index, count):
            raise Bad(f"bad entry {first + i}: it is not in its bundle")
        known[index] = leaf_hash(e["payload"])
    root = sparse_root(0, count, known, left)
    if left:
        raise Bad(f"bad entry {first}: too many left-out hashes")
    text = b"hutong-bundle/v1\n" + msgpack.packb(
        [suite, sender, node, key, count, root], use_bin_type=True)
    if key not in keys:
        raise Bad(f"bad entry {first}: nobody in AUTHORITY has the key "
                  f"{key.hex()} that signed its bundle")
    try:
        VerifyKey(keys[key]).verify(text, sig)
    except BadSignatureError:
        raise Bad(f"bad entry {first}: its bundle's signature is false")


def read_lists(log):
    """ERASE entry -> (what, seqs, hash of the order's text)."""
    lists = {}
    for path in (log / "vault").glob("*.erased"):
        c = Cursor(path.read_bytes())
        if hashlib.blake2b(c.data[:-32], digest_size=32).digest() != \
                c.data[-32:] or c.take(18) != b"hutong-erasure/v1\n":
            raise Bad(f"the list {path.name} is damaged")
        c.take(24)
        what = c.num(1)
        seqs = [c.num(8) for _ in range(c.num(4))]
        order = c.take(c.num(4))
        text = order.rpartition(b"\n\n")[0] + b"\n"
        lists[int(path.stem, 16)] = (what, seqs, sha(text))
    return lists


def check_erasures(lists, entries, gone):
    """Each list is its entry's, and all that it names is gone."""
    for by, (what, seqs, order) in lists.items():
        if by >= len(entries) or entries[by]["type"] != 13:
            raise Bad(f"a list of entry {by}, which is no erasure")
        said = msgpack.unpackb(entries[by]["payload"], raw=False)
        root = tree_root([leaf_hash(struct.pack(">Q", s)) for s in seqs])
        if said["list"] != root or said["count"] != len(seqs) or \
                said["order"] != order or \
                said["what"] != {1: "tags", 2: "bodies"}[what]:
            raise Bad(f"bad entry {by}: its list is another")
        for seq in seqs:
            if entries[seq] and (seq, what) not in gone:
                raise Bad(f"bad entry {by}: of entry {seq} nothing is erased")


def erased(part, what, seq, lists, gone):
    """A part that was overwritten: is it on the list of the entry it names?"""
    by = struct.unpack(">Q", part[:8])[0]
    if part[8:].strip(b"\0") or by not in lists or seq not in lists[by][1]:
        raise Bad(f"bad entry {seq}: destroyed, and no erasure names it")
    gone.add((seq, what))


def check_vault(log, e, seq, lists, gone):
    segment, offset, tag_len, body_len = e["vault"]
    if tag_len + body_len == 0:
        return
    data = (log / "vault" / f"{segment:016x}.seg").read_bytes()
    at = offset + 24
    tag = data[at:at + tag_len]
    body = data[at + tag_len:at + tag_len + body_len]
    if data[offset] & 0x80:
        erased(tag, 1, seq, lists, gone)
        tag_len = 0
    if data[offset + 4] & 0x80:
        erased(body, 2, seq, lists, gone)
        body_len = 0
    envelope, seal = msgpack.unpackb(e["payload"], raw=False)
    if tag_len and envelope[18] != hashlib.blake2b(
            b"hutong-tag/v1\n" + tag, digest_size=32).digest():
        raise Bad(f"bad entry {seq}: its tag is another")
    if body_len and seal[5] != hashlib.blake2b(
            body, digest_size=32).digest():
        raise Bad(f"bad entry {seq}: its body is another")


def tag_of(log, e):
    """The bytes of its tag; or the entry that erased it."""
    segment, offset, tag_len, _ = e["vault"]
    data = (log / "vault" / f"{segment:016x}.seg").read_bytes()
    tag = data[offset + 24:offset + 24 + tag_len]
    if data[offset] & 0x80:
        return struct.unpack(">Q", tag[:8])[0]
    return tag


def check_roll(log, entries, seq):
    """Its root is over every tag of its range that stood when it was made."""
    said = msgpack.unpackb(entries[seq]["payload"], raw=False)
    if sorted(said) != ["count", "from", "root", "to"] or \
            not said["from"] < said["to"] <= seq:
        raise Bad(f"bad entry {seq}: its payload is another")
    if entries[said["from"]] is None:
        return  # some of it was removed
    rows = []
    for at in range(said["from"], said["to"]):
        e = entries[at]
        tag = tag_of(log, e) if e["vault"][2] else b""
        if isinstance(tag, int):
            if tag > seq:
                return
        elif tag:
            _, _, salt, subjects = msgpack.unpackb(tag, raw=False)[:4]
            rows += [(s, at, salt) for s in subjects]
    leaves = [leaf_hash(sha(b"hutong-roll/v1\n" + subject + salt) +
                        struct.pack(">Q", at))
              for subject, at, salt in sorted(rows)]
    if said["count"] != len(leaves) or said["root"] != tree_root(leaves):
        raise Bad(f"bad entry {seq}: its roll is not what the tags give")


def check_anchor(log, vkey, leaves):
    data = (log / "anchor").read_bytes()
    best = None
    for at in (0, 4096):
        slot = data[at:at + 1024]
        whole = hashlib.blake2b(slot[:992], digest_size=32).digest()
        if slot[:16] == b"hutong-anchor/1\n" and whole == slot[992:]:
            counter, size = struct.unpack(">QQ", slot[16:32])
            length = struct.unpack(">H", slot[64:66])[0]
            if best is None or counter > best[0]:
                best = (counter, size, slot[66:66 + length])
    if best is None:
        raise Bad("no slot of the anchor is valid")
    if best[1] > len(leaves):
        raise Bad(f"an older log: {best[1]} entries were signed")
    check_checkpoint(best[2], vkey, leaves, best[1])


def check_marks(marks, leaves):
    for size, root in marks:
        if size > len(leaves):
            raise Bad(f"{size} entries were given out, {len(leaves)} are left")
        if tree_root(leaves[:size]).hex() != root:
            raise Bad(f"the checkpoint of {size} given out is of another tree")


def check_stored_tree(txn, db, leaves, frontier):
    """n0 and nup hold each perfect subtree of levels 0, 4, 8, ... once."""
    level, hashes, perfect = 0, leaves, {}
    while True:
        if level % 4 == 0:
            check_chunks(txn, db, level, hashes)
        if len(leaves) >> level & 1:
            perfect[level] = hashes[-1]
        if len(hashes) < 2:
            break
        hashes = [node_hash(*hashes[i:i + 2])
                  for i in range(0, len(hashes) - 1, 2)]
        level += 1
    if frontier != [perfect[bit] for bit in sorted(perfect)]:
        raise Bad("head's frontier is not that of the entries")


def check_chunks(txn, db, level, hashes):
    for chunk in range(0, (len(hashes) + 15) // 16):
        if level == 0:
            found = txn.get(struct.pack("=Q", chunk), db=db["n0"])
        else:
            found = txn.get(struct.pack(">BQ", level, chunk), db=db["nup"])
        if found != b"".join(hashes[16 * chunk:16 * chunk + 16]):
            raise Bad(f"stored hashes of level {level}, chunk {chunk}, are "
                      "others")


def u64(key):
    return struct.unpack("=Q", key)[0]


def perfect_subtrees(leaves):
    """Of a tree, low bit first."""
    found, end = [], len(leaves)
    for bit in range(64):
        if len(leaves) >> bit & 1:
            found.append(tree_root(leaves[end - (1 << bit):end]))
            end -= 1 << bit
    return found


def read_volume(path, env, vkey, leaves):
    """Leaves and evidence of a closed volume, after all @leaves before it."""
    data = path.read_bytes()
    if len(data) < 44:
        raise Bad(f"{path.name} is cut off")
    c = Cursor(data)
    if c.take(17) != b"hutong-volume/v1\n" or c.take(16) != env:
        raise Bad(f"{path.name} is no volume of this log")
    first, end = c.num(8), c.num(8)
    if first != len(leaves) or int(path.stem, 16) != first or end <= first:
        raise Bad(f"{path.name} is of another range")
    for subtree in perfect_subtrees(leaves):
        if c.take(32) != subtree:
            raise Bad(f"{path.name} stands on another tree")
    head, table, note_len = c.at, *struct.unpack(">QI", data[-44:-32])
    note = data[-44 - note_len:-44]
    if hashlib.blake2b(data[:head] + note + data[-44:-32],
                       digest_size=32).digest() != data[-32:]:
        raise Bad(f"{path.name}: its foot is another")
    found, evidence, at = [], {}, table
    for seq in range(first, end):
        if (seq - first) % 32 == 0:
            begin = c.at
        found.append(c.take(c.num(2)))
        part = c.take(c.num(2))
        if part:
            evidence[seq] = part
        if (seq - first) % 32 == 31 or seq == end - 1:
            want = hashlib.blake2b(
                env + struct.pack(">QQ", first, (seq - first) // 32) +
                data[begin:c.at], digest_size=16).digest()
            if data[at:at + 24] != struct.pack(">Q", begin) + want:
                raise Bad(f"{path.name}: the block of entry {seq} is another")
            at += 24
    if c.at != table or at != len(data) - 44 - note_len:
        raise Bad(f"{path.name} has more in it than it says")
    check_checkpoint(note, vkey, leaves + [leaf_hash(x) for x in found], end)
    return found, evidence


def stored_hashes(txn, n0, n):
    """The hashes of the first n leaves, as the stored tree has them."""
    found = b"".join(txn.get(struct.pack("=Q", chunk), db=n0) or b""
                     for chunk in range((n + 15) // 16))
    hashes = [found[i:i + 32] for i in range(0, len(found), 32)][:n]
    if len(hashes) != n:
        raise Bad("hashes of what was removed are missing")
    return hashes


def read_volumes(log, txn, state, n0, env, vkey):
    """What there is below `kept`, and the evidence of bundles; of entries
    that were removed the hashes alone; then `first`, `begin` and `removed`."""
    row, found, evidence = txn.get(b"volumes", db=state), [], {}
    if row is None:
        return [], found, evidence, (0, 0, 0)
    if row[0] not in (1, 2) or hashlib.blake2b(row[:-32], digest_size=32).digest() \
            != row[-32:]:
        raise Bad("the checksum of state/volumes does not hold")
    kept, last = struct.unpack(">QQ", row[1:17])
    begin, by = struct.unpack(">QQ", row[17:33]) if row[0] == 2 else (0, 0)
    hashes = stored_hashes(txn, n0, begin)
    while len(hashes) < kept:
        path = log / "volumes" / f"{len(hashes):016x}.vol"
        if not path.exists():
            raise Bad(f"bad entry {len(hashes)}: {path.name} is missing")
        more, parts = read_volume(path, env, vkey, hashes)
        found += more
        hashes += [leaf_hash(x) for x in more]
        evidence.update(parts)
    if len(hashes) != kept:
        raise Bad("`kept` is no border of volumes")
    return hashes[:begin], found, evidence, (last, begin, by)


def check_removed(entries, leaves, begin, by, log_name):
    """REMOVED entries say, one after the other, what is not here."""
    end = None
    newest = 0
    for seq in range(begin, len(entries)):
        if entries[seq]["type"] != 21:
            continue
        said = msgpack.unpackb(entries[seq]["payload"], raw=False)
        if sorted(said) != ["end", "first", "order", "root"] or \
                not said["first"] < said["end"] <= min(begin, seq) or \
                said["first"] != (said["first"] if end is None else end) or \
                said["root"] != tree_root(leaves[:said["end"]]):
            raise Bad(f"bad entry {seq}: it says that something else is gone")
        order = dict(line.split(": ", 1) for line in
                     said["order"].decode().split("\n\n")[0].splitlines())
        if order["hutong"] != "remove/v1" or order["log"] != log_name or \
                int(order["first"]) != said["first"] or \
                int(order["last"]) != said["end"] - 1:
            raise Bad(f"bad entry {seq}: its order is about something else")
        end, newest = said["end"], seq
    if (end or 0) != begin or newest != by:
        raise Bad(f"entries below {begin} are not here, and no entry says why")


def check_ranges(entries, begin, last):
    """Each VOLUME closes what is before it; no segment is of two volumes."""
    first, low, high = 0, 0, None
    if begin:  # the one that closed what was removed
        said = msgpack.unpackb(entries[begin]["payload"], raw=False)
        first = said["first"]
    for seq, e in enumerate(entries):
        if seq < begin:
            continue
        segment, _, tag_len, body_len = e["vault"]
        if tag_len + body_len:
            if segment < low:
                raise Bad(f"bad entry {seq}: in an earlier volume's segment")
            high = max(high or 0, segment)
        if e["type"] == 20:
            said = msgpack.unpackb(e["payload"], raw=False)
            if sorted(said) != ["first", "segment"] or \
                    said["first"] != first or said["segment"] < low or \
                    (high is not None and said["segment"] <= high):
                raise Bad(f"bad entry {seq}: it closes another range")
            first, low, high = seq, said["segment"], None
    if first != last:
        raise Bad(f"the open range begins at {first}, not at {last}")


def verify(log, vkey, authority, marks=()):
    env = lmdb.open(str(log / "evidence"), readonly=True, lock=False,
                    max_dbs=16)
    db = {name: env.open_db(name.encode(), integerkey=number, create=False)
          for name, number in (("entries", True), ("bundles", True),
                               ("cps", True), ("state", False), ("n0", True),
                          ("nup", False))}
    entries, leaves = [], []
    with env.begin() as txn:
        env_id = txn.get(b"head", db=db["state"])[1:17]
        gone, kept, evidence, (last, begin, by) = read_volumes(
            log, txn, db["state"], db["n0"], env_id, vkey)
        entries, leaves = [None] * begin, list(gone)
        rows = [(u64(key), value) for key, value in txn.cursor(db["entries"])
                if u64(key) >= begin + len(kept)]
        for at, value in [(begin + i, leaf + leaf_hash(leaf))
                          for i, leaf in enumerate(kept)] + rows:
            seq = len(entries)
            if at != seq:
                raise Bad(f"bad entry {seq}: it is missing")
            leaf, stored = value[:-32], value[-32:]
            if leaf_hash(leaf) != stored:
                raise Bad(f"bad entry {seq}: its leaf hash is another")
            try:
                e = parse_leaf(leaf)
            except Bad as why:
                raise Bad(f"bad entry {seq}: {why}")
            before = entries[-1] if entries else None
            if e["seq"] != seq or (before and e["time"] < before["time"]):
                raise Bad(f"bad entry {seq}: its seq or time is another")
            entries.append(e)
            leaves.append(stored)
        head = txn.get(b"head", db=db["state"])
        size, root = struct.unpack(">Q32s", head[17:57])
        if hashlib.blake2b(head[:-32], digest_size=32).digest() != head[-32:]:
            raise Bad("head's checksum does not hold")
        if size != len(entries) or root != tree_root(leaves):
            raise Bad("head has another size or root than the entries")
        frontier = head[66:-44]
        check_stored_tree(txn, db, leaves, [
            frontier[i:i + 32] for i in range(0, len(frontier), 32)])
        for key, note in txn.cursor(db["cps"]):
            check_checkpoint(note, vkey, leaves, u64(key))
        if authority:
            keys = signing_keys(authority)
            evidence.update((u64(key), value)
                            for key, value in txn.cursor(db["bundles"])
                            if u64(key) >= begin + len(kept))
            for first, value in evidence.items():
                check_bundle(first, value, entries, keys)
        check_ranges(entries, begin, last)
        check_removed(entries, leaves, begin, by, vkey.split("+")[0])
    lists, gone = read_lists(log), set()
    for seq in range(begin, len(entries)):
        e = entries[seq]
        check_vault(log, e, seq, lists, gone)
        if e["type"] == 18:
            check_roll(log, entries, seq)
    check_erasures(lists, entries, gone)
    check_anchor(log, vkey, leaves)
    check_marks(marks, leaves)
    return len(entries), root


def read_marks(path):
    lines = [line.split() for line in Path(path).read_text().splitlines()]
    return [(int(size), root) for size, root in lines]


def main():
    log, vkey = Path(sys.argv[1]), sys.argv[2]
    authority = sys.argv[3] if len(sys.argv) > 3 else None
    marks = read_marks(sys.argv[4]) if len(sys.argv) > 4 else ()
    try:
        size, root = verify(log, vkey, authority, marks)
    except Bad as why:
        print(why)
        sys.exit(4)
    print(f"verified {size} entries, root {root.hex()}")


if __name__ == "__main__":
    main()
