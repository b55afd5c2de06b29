#!/bin/bash
# tests/cli/counts.t -- reports and stats in a file: each figure is made again
# from it, here and by Python that shares no code with us; with a row, an entry,
# a promise or the question changed, it is refused.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
audit=$HT_BUILD/hutong-audit

mkdir "$dir/w"
"$HT_BUILD/prog/make-log" "$dir/w" late >"$dir/size" ||
	{ echo 'Bail out! no log'; exit 1; }
log=$dir/w/log
root=$dir/w/authority/root.note
key=$dir/w/keys/auditor.key
vkey=$(sed -n 's/^log: \([^ ]*\).*/\1/p' "$root")
if python3 -c 'import msgpack' 2>/dev/null; then
	python=yes
else
	python=
	echo '# python3-msgpack is not installed: nobody else looks'
fi
count() { # name, verb, what is asked
	local name=$1 verb=$2
	shift 2
	"$audit" "$verb" --dir "$log" --authority "$dir/w/authority" \
	    --key "$key" -o "$dir/$name.counts" "$@"
}
agrees() { # name, rows and entries
	[ -n "$python" ] || return 0
	run 0 "$1: another verifier makes the same" \
	    tests/lib/check-counts "$dir/$1.counts" "$vkey"
	says "counted: $2" "$1: as many"
}

run 0 'a report is kept' count report report --month 2026-12 --zone +08:00
says "kept       $dir/report.counts: hutong-audit verify" 'it says how to verify it'
run 0 'its figures are made again' "$audit" verify "$dir/report.counts" \
    --root "$root"
says 'Market regulation  gx.demo/SCZTDJ' 'with the names'
says 'query: report month=2026-12 zone=+08:00' 'it says what was asked'
says 'signed by gx.demo/auditor-1' 'who signed'
says 'catalog    snapshot 1, signed by the authority; 4 of 4 entries' \
    'and whose the promises are'
says 'counted again, and none is missing' 'and what that means'
agrees report '3 rows of 4 entries'
run 0 'with the log'"'"'s key alone' "$audit" verify "$dir/report.counts" \
    --vkey "$vkey" --format jsonl
says 'signature NOT CHECKED: give --root or --authority; 4 of 4' \
    'the log vouches for the promises'
says '"promise_ms":5000,"over":2' 'which are these'
"$audit" report --dir "$log" --authority "$dir/w/authority" --month 2026-12 \
    --zone +08:00 --format jsonl 2>/dev/null >"$dir/rows"
: >"$dir/err"
grep -aqF "rows: 3 $(sha256sum "$dir/rows" | cut -d' ' -f1)" "$dir/report.counts"
ok 'sha256sum of the JSON lines is in the report'
"$audit" verify "$dir/report.counts" --root "$root" --format jsonl |
    sed '/^$/,$d' | cmp -s - "$dir/rows"
ok 'which verify prints, too'
sed -z 1q "$dir/report.counts" | tr -d '\000' >"$dir/note"
"$HT_BUILD/hutong" note verify "$dir/note" --vkey \
    "$(sed -n 's/^ *- \(gx.demo.auditor-1+[^ ]*\).*/\1/p' "$root")" \
    >"$dir/out" 2>"$dir/err"
ok 'and the report alone is a note that the auditor signed'
run 0 'a whole month' count month report --month 2026-11 --lang zh
run 0 'in Chinese' "$audit" verify "$dir/month.counts" --root "$root"
says '市场监督管理局' 'with these names'
agrees month '5 rows of 99 entries'
run 0 'one department' count one report --month 2026-11 --member tax.demo/local
agrees one '2 rows of 99 entries'
run 0 'its report' "$audit" verify "$dir/one.counts" --root "$root" --format csv
says 'asks,tax.demo/local,Local tax bureau,gx.demo/SCZTDJ,' 'is in the file'
says ',40,0,0,,,,,,BUDGET 40' 'with the refusals that the log only counts'
run 0 'stats' count stats stats --by member,peer,item,purpose,status \
    --period day --zone -03:30
run 0 'are made again' "$audit" verify "$dir/stats.counts" --root "$root"
agrees stats '10 rows of 99 entries'
run 0 'of what was refused, as the log was' count at stats --status refused \
    --at 90 --by operation,type
run 0 'are, too' "$audit" verify "$dir/at.counts" --root "$root"
agrees at '2 rows of 3 entries'
run 1 'of no entry' count none stats --from 2030-01-01
run 0 'which is a figure as well' "$audit" verify "$dir/none.counts" \
    --root "$root"
agrees none '0 rows of 0 entries'
run 0 'without the documents' "$audit" report --dir "$log" --month 2026-12 \
    --zone +08:00 --vkey "$vkey" --key "$key" -o "$dir/bare.counts"
run 0 'there is no promise' "$audit" verify "$dir/bare.counts" --root "$root"
says 'catalog: none' 'and it says so'
agrees bare '3 rows of 4 entries'

run 2 'without a key' "$audit" report --dir "$log" --month 2026-11 -o "$dir/x"
says "needs the auditor's --key" 'it says what is missing'
run 3 'over a file that is there' count report report --month 2026-11
run 2 'figures are no events' "$audit" verify "$dir/report.counts" \
    --root "$root" --format ocsf

# --- changed, by somebody who makes the sums of the report fit ---
if [ -n "$python" ]; then
	cat >"$dir/bend" <<'PY'
import hashlib, msgpack, re, sys
path, folder, other = sys.argv[1:4]
def pieces(data):
    found = []
    while data:
        n = int.from_bytes(data[:4], "big")
        found.append(data[4:4 + n])
        data = data[4 + n:]
    return found
def packed(parts):
    return b"".join(len(x).to_bytes(4, "big") + x for x in parts)
ROWS, NOTE, QUERY, HOW, PAPERS, FRAME = range(6)
def frame(change):
    value = msgpack.unpackb(p[FRAME], raw=False)
    change(value[1])
    p[FRAME] = msgpack.packb(value, use_bin_type=True)
def packing(at, key, value):
    found = msgpack.unpackb(p[at], raw=False)
    assert found[key] != value
    found[key] = value
    p[at] = msgpack.packb(found, use_bin_type=True)
def leaf(found):
    row = found[1]
    row[1] = row[1][:17] + bytes([row[1][17] ^ 1]) + row[1][18:]
def forget(found):
    row = next(row for row in found if row[4])
    row[4] = None
def swap(old, new, where):
    assert old in where, old
    return where.replace(old, new)
def sha(x):
    return hashlib.sha256(x).digest()
def tree(leaves):
    if len(leaves) == 1:
        return sha(b"\0" + leaves[0])
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\1" + tree(leaves[:k]) + tree(leaves[k:]))
def forge():
    # All fits: note, list, root, snapshot, rows. It is not what was in force.
    import base64
    def text(note):
        return note[:note.rindex(b"\n\n") + 1]
    old = hashlib.sha256(text(papers[item])).hexdigest().encode()
    papers[item] = swap(b"answer-within: 5s", b"answer-within: 1h", papers[item])
    new = hashlib.sha256(text(papers[item])).hexdigest().encode()
    papers[1] = swap(old, new, papers[1])
    root = base64.b64encode(tree(papers[1].split(b"\n")[:-1]))
    papers[0] = re.sub(rb"root: .*", lambda _: b"root: " + root, papers[0])
    for i, row in enumerate(rows):
        rows[i] = row.replace(b'"promise_ms":5000,"over":2',
                              b'"promise_ms":3600000,"over":0')
    global report
    report = re.sub(rb"catalog: 1 .* by \d+", b"catalog: 1 " +
                    hashlib.sha256(text(papers[0])).hexdigest().encode() +
                    b", named by 0", report)
changes = {
    "none": lambda: None,
    "row-drop": lambda: rows.pop(),
    "row-first-drop": lambda: rows.pop(0),
    "row-add": lambda: rows.append(swap(b"tax.demo", b"tex.demo", rows[1])),
    "row-twice": lambda: rows.append(rows[1]),
    "row-order": lambda: rows.reverse(),
    "row-figure": lambda: rows.__setitem__(
        0, swap(b'"answered":2', b'"answered":3', rows[0])),
    "row-over": lambda: rows.__setitem__(
        0, swap(b'"over":2', b'"over":0', rows[0])),
    "row-name": lambda: rows.__setitem__(
        0, swap(b"Market regulation", b"Market regulators", rows[0])),
    "row-no-end": lambda: rows.__setitem__(-1, rows[-1] + b" "),
    "entry-drop": lambda: frame(lambda r: r.pop(1)),
    "entry-before": lambda: frame(lambda r: r.pop(0)),
    "entry-last": lambda: frame(lambda r: r.pop()),
    "entry-twice": lambda: frame(lambda r: r.insert(1, r[1])),
    "entry-bit": lambda: frame(leaf),
    "entry-cited": lambda: frame(forget),
    "frames-cut": lambda: p.pop(),
    "frame-twice": lambda: p.append(p[-1]),
    "month": lambda: packing(HOW, "month", "2026-11"),
    "zone": lambda: packing(HOW, "zone", "+08:01"),
    "lang": lambda: packing(HOW, "lang", "zh"),
    "counts": lambda: packing(HOW, "counts", "stats"),
    "by": lambda: packing(HOW, "by", "member"),
    "from": lambda: packing(QUERY, "from", 1),
    "to": lambda: packing(QUERY, "to", 1796054400000001),
    "start": lambda: packing(QUERY, "start", 96),
    "size": lambda: packing(QUERY, "size", 97),
    "member": lambda: packing(QUERY, "member", "tax.demo/state"),
    "item": lambda: packing(QUERY, "item", "gx.demo/ZXTJ"),
    "limit": lambda: packing(QUERY, "limit", 1),
    "promise": lambda: papers.__setitem__(
        item, swap(b"answer-within: 5s", b"answer-within: 9s", papers[item])),
    "item-gone": lambda: papers.pop(item),
    "member-gone": lambda: papers.pop(item + 1),
    "papers-order": lambda: papers.append(papers.pop(item)),
    "papers-gone": lambda: papers.clear(),
    "papers-more": lambda: papers.append(open(other, "rb").read()),
    "list-line": lambda: papers.__setitem__(
        1, b"\n".join(papers[1].split(b"\n")[1:])),
    "snapshot": lambda: papers.__setitem__(
        0, swap(b"version: 1", b"version: 2", papers[0])),
    "forged": forge,
}
said = {"note-rows": (b"rows: 3", b"rows: 2"),
        "note-counted": (b"counted: 4", b"counted: 5"),
        "note-named": (b"named by 4", b"named by 2"),
        "note-query": (b"month=2026-12", b"month=2026-11")}
def line(name, value):
    global report
    report = re.sub(rb"(?m)^" + name + rb": .*$",
                    lambda _: name + b": " + value, report)
for how in (*changes, *said):
    report, data = open(path, "rb").read().split(b"\0", 1)
    p = pieces(data)
    rows = p[ROWS].split(b"\n")[:-1]
    papers = pieces(p[PAPERS])
    item = next(i for i, x in enumerate(papers) if b"hutong: item" in x)
    changes.get(how, changes["none"])()
    p[ROWS] = b"".join(row + b"\n" for row in rows)
    p[PAPERS] = packed(papers)
    data = packed(p)
    line(b"rows", b"%d %s" % (len(rows),
         hashlib.sha256(p[ROWS]).hexdigest().encode()))
    line(b"data", hashlib.sha256(data).hexdigest().encode())
    if how in said:
        report = swap(*said[how], report)
    open(f"{folder}/{how}", "wb").write(report + b"\0" + data)
    if how not in ("none", "forged"):
        print(how)
PY
	mkdir "$dir/bent"
	python3 "$dir/bend" "$dir/report.counts" "$dir/bent" \
	    "$dir/w/authority/members/police.demo/residents.note" >"$dir/names"
	result $? 'there are forgers'
	cmp -s "$dir/report.counts" "$dir/bent/none"
	ok 'who changes nothing makes the same file'
	while read -r how; do
		run 4 "$how: refused" "$audit" verify "$dir/bent/$how" \
		    --vkey "$vkey"
	done <"$dir/names"
	for how in row-drop row-figure row-over entry-drop entry-bit \
	    entry-cited month promise member-gone papers-more; do
		run 4 "$how: and by the other verifier" \
		    tests/lib/check-counts "$dir/bent/$how" "$vkey"
	done
	run 4 'a row' "$audit" verify "$dir/bent/row-figure" --vkey "$vkey"
	says 'its row 1 is not what its entries give' 'is named'
	run 4 'a document that is missing' "$audit" verify \
	    "$dir/bent/item-gone" --vkey "$vkey"
	says 'gx.demo/SCZTDJ@1 is on the list of its papers, and missing' \
	    'is named'
	# A whole catalog that promises more, with nobody's signature for it.
	run 4 'forged promises, by the root' "$audit" verify \
	    "$dir/bent/forged" --root "$root"
	run 8 'by the log alone nobody vouches for them' "$audit" verify \
	    "$dir/bent/forged" --vkey "$vkey"
	says '0 of 4 entries counted name it' 'and it says so'
fi
sed 's/^made: 2/made: 3/' "$dir/report.counts" >"$dir/bent.counts"
run 4 'a report that the auditor did not sign' "$audit" verify \
    "$dir/bent.counts" --root "$root"
says "the auditor's signature is false" 'it says so'
missed=0
length=$(wc -c <"$dir/report.counts")
for ((at = 5; at < length; at += 1993)); do
	flip "$dir/report.counts" "$dir/bent.counts" "$at"
	"$audit" verify "$dir/bent.counts" --root "$root" \
	    >"$dir/out" 2>"$dir/err" && missed=1 && echo "# byte $at"
done
result "$missed" "a bit of every 1993rd of $length bytes is noticed"
for length in 100 900 3000; do
	head -c "$length" "$dir/report.counts" >"$dir/bent.counts"
	run 4 "cut off after $length bytes" "$audit" verify \
	    "$dir/bent.counts" --vkey "$vkey"
done

# --- through the socket ---
mkdir "$dir/live"
mkfifo "$dir/hold"
"$HT_BUILD/prog/make-log" "$dir/live" serve <"$dir/hold" >"$dir/live.out" &
server=$!
exec 9>"$dir/hold"
for _ in $(seq 100); do
	grep -q serving "$dir/live.out" && break
	sleep 0.1
done
run 0 'through the socket' "$audit" report --socket "$dir/live/audit" \
    --key "$dir/live/keys/auditor.key" --why 'the month' \
    --authority "$dir/live/authority" --month 2026-11 -o "$dir/live.counts"
exec 9>&-
wait "$server"
run 0 'it verifies' "$audit" verify "$dir/live.counts" \
    --root "$dir/live/authority/root.note"
agrees live '4 rows of 86 entries'
echo "1..$n"
