#!/bin/sh
# tests/cli/msgpack.t -- our msgpack against Python's: what they pack of values
# we can say is what we pack, and each reads what the other wrote.
if ! /usr/bin/python3 -c 'import msgpack' 2>/dev/null; then
	echo "1..0 # SKIP python3-msgpack is not installed"
	exit 0
fi
exec /usr/bin/python3 - "${HT_BUILD:?}/prog/pack" <<'END'
import json, random, subprocess, sys
import msgpack

PACK = sys.argv[1]
rng = random.Random(20261124)
print("1..6")

def ok(n, good, what):
    print(("ok" if good else "not ok"), n, "-", what)

def ours(verb, lines):
    done = subprocess.run([PACK, verb], input="".join(l + "\n" for l in lines),
                          capture_output=True, text=True, check=True)
    return done.stdout.splitlines()

def text():
    chars = "abz09 \t\"\\/é\x7f中文互通🍺"
    return "".join(rng.choice(chars) for _ in range(rng.randrange(40)))

def number():
    bits = rng.randrange(64)
    return rng.choice([1, -1]) * rng.randrange(2 ** bits)

def value(depth):
    kind = rng.randrange(9 if depth < 5 else 6)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind in (1, 2):
        return number()
    if kind == 3:
        v = rng.choice([rng.uniform(-1, 1), rng.uniform(-1e300, 1e300)])
        return v if not v.is_integer() or abs(v) > 2 ** 53 else 0.5
    if kind in (4, 5):
        return text()
    if kind in (6, 7):
        return [value(depth + 1) for _ in range(rng.randrange(20))]
    pairs = {text(): value(depth + 1) for _ in range(rng.randrange(20))}
    return dict(sorted(pairs.items(), key=lambda kv: kv[0].encode()))

values = [value(0) for _ in range(600)]
theirs = [msgpack.packb(v, use_bin_type=True).hex() for v in values]
checked = ours("check", theirs)
ok(1, checked == ["ok"] * len(values), "we accept what Python packs")
packed = ours("from-json", [json.dumps(v) for v in values])
ok(2, packed == theirs, "we pack what Python packs, byte for byte")
spoken = ours("to-json", theirs)
ok(3, [json.loads(j) for j in spoken] == values, "we read it as Python does")
back = [msgpack.unpackb(bytes.fromhex(h), raw=False, strict_map_key=True)
        for h in packed]
ok(4, back == values, "Python reads ours as it was meant")

# Whatever bytes we accept, Python reads, and packs again to the same.
bits = []
for h in theirs[:400]:
    raw = bytearray.fromhex(h)
    for _ in range(20):
        at = rng.randrange(len(raw))
        mutated = bytearray(raw)
        mutated[at] ^= 1 << rng.randrange(8)
        bits.append(mutated.hex())
said = ours("check", bits)
accepted = [b for b, s in zip(bits, said) if s == "ok"]
again = [msgpack.packb(msgpack.unpackb(bytes.fromhex(b), raw=False),
                       use_bin_type=True).hex() for b in accepted]
ok(5, len(accepted) > 100 and again == accepted,
   "what we accept of %d mutants (%d), Python packs to the same bytes"
   % (len(bits), len(accepted)))

unsorted = [msgpack.packb({"b": 1, "a": 2}).hex(),
            msgpack.packb(0.5, use_single_float=True).hex(),
            msgpack.packb(b"x", use_bin_type=False).hex().replace("78", "ff"),
            msgpack.packb(msgpack.ExtType(1, b"x")).hex(),
            msgpack.packb(3.0).hex(), msgpack.packb({1: 2}).hex()]
said = ours("check", unsorted)
ok(6, all(s.startswith("no ") for s in said), "other dialects are refused")
END
