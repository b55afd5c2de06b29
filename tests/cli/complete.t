#!/bin/bash
# tests/cli/complete.t -- a complete answer: verified by running the question
# again, here and by Python that shares no code with us; with a row dropped,
# changed or added, or its end cut off, it is refused.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
audit=$HT_BUILD/hutong-audit
make_log=$HT_BUILD/prog/make-log

mkdir "$dir/w"
"$make_log" "$dir/w" >"$dir/size" || { echo 'Bail out! no log'; exit 1; }
size=$(cat "$dir/size")
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
ask() { # name, what is asked
	local name=$1
	shift
	"$audit" search --dir "$log" --complete --key "$key" \
	    -o "$dir/$name.answer" "$@"
}
agrees() { # name, member, counts
	[ -n "$python" ] || return 0
	run 0 'another verifier runs it again, too' \
	    tests/lib/check-answer "$dir/$1.answer" "$vkey" "$2"
	says "complete: $3 entries" 'with the same rows'
}

run 0 'all about a member' ask local --member tax.demo/local
says "2 of $size entries match" 'it says how many'
run 0 'the question is run again' "$audit" verify "$dir/local.answer" \
    --root "$root"
says 'signed by gx.demo/auditor-1' "the auditor's signature is checked"
says "scanned: $size" 'all were looked at'
says 'none is missing' 'it says what that means'
agrees local tax.demo/local "2 of $size"
run 0 'without the root' "$audit" verify "$dir/local.answer" --vkey "$vkey"
says 'auditor    signature NOT CHECKED' 'it says what was not checked'
run 0 'rows for a program' "$audit" verify "$dir/local.answer" --vkey "$vkey" \
    --format jsonl
says '"sender":"tax.demo/local"' 'they are'

# Ends cite requests: within the period, and before it.
run 0 'a period' ask period --member tax.demo/state \
    --from 2026-11-24T01:02:05Z --to 2026-11-24T01:02:12Z
run 0 'it verifies' "$audit" verify "$dir/period.answer" --vkey "$vkey"
says 'EXPIRED' 'with ends whose requests stand before it'
agrees period tax.demo/state \
    "$(sed -n 's/^matched: //p' "$dir/out") of $(sed -n 's/^scanned: //p' "$dir/out")"
run 0 'nothing matches' ask none --item gx.demo/NONE
run 0 'which can be proven as well' "$audit" verify "$dir/none.answer" \
    --vkey "$vkey"
says 'matched: 0' 'it says so'
run 0 'a period without entries' ask never --from 2030-01-01
run 0 'proven by its neighbour' "$audit" verify "$dir/never.answer" \
    --vkey "$vkey"
says 'range: 0 0' 'it says so'
run 0 'the log as it was' ask at --member tax.demo/state --at 40
run 0 'it verifies, too' "$audit" verify "$dir/at.answer" --vkey "$vkey"
says 'scanned: 40' 'of so many'
run 0 'refusals' ask refused --status refused
run 0 'they verify' "$audit" verify "$dir/refused.answer" --vkey "$vkey"
says 'matched: 3' 'three'

# --- what is no complete answer ---
run 2 'without a key' "$audit" search --dir "$log" --complete -o "$dir/x"
run 2 'without a file' "$audit" search --dir "$log" --complete --key "$key"
run 2 'with a limit' ask x --limit 3
run 3 'over a file that is there' ask local --member tax.demo/local

# --- by somebody who would hide something ---
if [ -n "$python" ]; then
	ask first --start 0 --at 30 >"$dir/out"
	ask second --start 40 >"$dir/out"
	cat >"$dir/bend" <<'PY'
import hashlib, msgpack, sys
path, how, out = sys.argv[1:4]
report, data = open(path, "rb").read().split(b"\0", 1)
def pieces(data):
    found = []
    while data:
        n = int.from_bytes(data[:4], "big")
        found.append(data[4:4 + n])
        data = data[4 + n:]
    return found
p = pieces(data)
def frame(i, change):
    value = msgpack.unpackb(p[i], raw=False)
    change(value)
    p[i] = msgpack.packb(value, use_bin_type=True)
def leaf(value):
    row = value[1][5]
    row[1] = row[1][:17] + bytes([row[1][17] ^ 1]) + row[1][18:]
if how == "drop":
    frame(2, lambda v: v[1].pop(16))
elif how == "drop-frame":
    p.pop(2)
elif how == "cut":
    p.pop()
elif how == "add":
    frame(2, lambda v: v[1].insert(17, v[1][16]))
elif how == "leaf":
    frame(2, leaf)
elif how == "cited":
    def forget(value):
        row = next(row for row in value[1] if row[4])
        row[4] = None
    frame(2, forget)
elif how == "begin":
    def begin(value):
        seq, leaf = value[1].pop(0)[:2]
        sha = hashlib.sha256(b"\0" + leaf).digest()
        covers = seq.bit_count()
        while seq & 1:
            covers -= 1
            seq >>= 1
            sha = hashlib.sha256(b"\1" + value[2].pop(covers) + sha).digest()
        value[2].insert(covers, sha)
    frame(2, begin)
elif how == "twice":
    p.append(p[-1])
elif how == "hole":
    p[2:] = p[2:] + pieces(open(sys.argv[4], "rb").read().split(b"\0", 1)[1])[2:]
elif how == "question":
    p[1] = p[1].replace(b"tax.demo/local", b"tax.demo/lacal")
elif how == "report":
    report = report.replace(b"matched: 2", b"matched: 1")
data = b"".join(len(x).to_bytes(4, "big") + x for x in p)
if how != "data":
    lines = report.split(b"\n")
    for i, line in enumerate(lines):
        if line.startswith(b"data: "):
            lines[i] = b"data: " + hashlib.sha256(data).hexdigest().encode()
    report = b"\n".join(lines)
open(out, "wb").write(report + b"\0" + data)
PY
	for how in drop drop-frame cut add leaf twice question report; do
		python3 "$dir/bend" "$dir/local.answer" "$how" "$dir/bent.answer"
		run 4 "$how: refused" "$audit" verify "$dir/bent.answer" \
		    --vkey "$vkey"
		run 4 "$how: and by the other verifier" tests/lib/check-answer \
		    "$dir/bent.answer" "$vkey" tax.demo/local
	done
	# It stands beside the proven row: without it nobody knows whose it was.
	python3 "$dir/bend" "$dir/period.answer" cited "$dir/bent.answer"
	run 4 'without the request that an entry cites' "$audit" verify \
	    "$dir/bent.answer" --vkey "$vkey"
	says 'the request that it cites is missing' 'it says so'
	run 4 'and by the other verifier' tests/lib/check-answer \
	    "$dir/bent.answer" "$vkey" tax.demo/state
	# Proven, and no entry before the period: a volume's may be so, and begins
	# with a VOLUME entry.
	python3 "$dir/bend" "$dir/second.answer" begin "$dir/bent.answer"
	run 4 'without what stands before' "$audit" verify \
	    "$dir/bent.answer" --vkey "$vkey"
	says 'entry 40: the period does not begin here' 'it says so'
	run 4 'and by the other verifier' tests/lib/check-answer \
	    "$dir/bent.answer" "$vkey" ''
	says 'where the period begins cannot be seen' 'it says so, too'
	python3 "$dir/bend" "$dir/first.answer" hole "$dir/bent.answer" \
	    "$dir/second.answer"
	run 4 'two proven halves with a hole between' "$audit" verify \
	    "$dir/bent.answer" --vkey "$vkey"
	says 'entries before it are missing' 'it says so'
	# The auditor's signature is over the report, and the report is over all.
	python3 "$dir/bend" "$dir/local.answer" none "$dir/bent.answer"
	sed 's/^made: 2/made: 3/' "$dir/bent.answer" >"$dir/signed.answer"
	run 4 'a report that the auditor did not sign' "$audit" verify \
	    "$dir/signed.answer" --root "$root"
	says "the auditor's signature is false" 'it says so'
fi
missed=0
length=$(wc -c <"$dir/at.answer")
for ((at = 5; at < length; at += 997)); do
	flip "$dir/at.answer" "$dir/bent.answer" "$at"
	"$audit" verify "$dir/bent.answer" --root "$root" \
	    >"$dir/out" 2>"$dir/err" && missed=1 && echo "# byte $at"
done
result "$missed" "a bit of every 997th of $length bytes is noticed"
head -c 3000 "$dir/local.answer" >"$dir/bent.answer"
run 4 'cut off' "$audit" verify "$dir/bent.answer" --vkey "$vkey"
head -c 200 "$dir/local.answer" >"$dir/bent.answer"
run 4 'cut off in the report' "$audit" verify "$dir/bent.answer" --vkey "$vkey"

# --- all looks at one subject ---
mkdir "$dir/long"
"$make_log" "$dir/long" long >"$dir/size" || echo 'Bail out! no log'
size=$(cat "$dir/size")
one=00000065404040404040404040404040
list() { # name, then what is asked
	local name=$1
	shift
	"$audit" search --dir "$dir/long/log" --complete \
	    --key "$dir/long/keys/auditor.key" -o "$dir/$name.answer" "$@"
}
run 0 'the looks at a subject' list one --subject $one
says "315 of $size entries match" 'it says how many'
run 0 'they verify' "$audit" verify "$dir/one.answer" --root "$root"
says 'rolls: 2, of 2048 entries' 'by rolls'
says "every look at the subject is here, and none is missing" 'it says so'
run 0 'a subject and a member' list both --subject $one \
    --member tax.demo/state --from 2026-11-24T01:03:00Z
run 0 'they verify, too' "$audit" verify "$dir/both.answer" --root "$root"
says 'matched: 63' 'those of the period'
run 0 'nobody looked at this one' list nobody --subject ${one%4040}ffff
run 0 'which can be proven as well' "$audit" verify "$dir/nobody.answer" \
    --root "$root"
says 'matched: 0' 'it says so'
run 0 'without the rolls: every entry' list scan --subject $one --scan
run 0 'it verifies' "$audit" verify "$dir/scan.answer" --root "$root"
says 'rolls: 0, of 0 entries' 'it says so'
run 0 'rolls are made anew' "$audit" verify --dir "$dir/long/log" \
    --authority "$dir/long/authority"
says 'rolls        2, made anew: each is what its tags give' 'it says so'
if [ -n "$python" ]; then
	run 0 'another verifier agrees' tests/lib/check-answer \
	    "$dir/one.answer" "$vkey" $one
	says 'complete: 315 looks, rolls of 2048 entries' 'on every look'
	cat >"$dir/bend-list" <<'PY'
import hashlib, msgpack, sys
path, how, out, other = sys.argv[1:5]
def pieces(path):
    report, data = open(path, "rb").read().split(b"\0", 1)
    found = []
    while data:
        n = int.from_bytes(data[:4], "big")
        found.append(data[4:4 + n])
        data = data[4 + n:]
    return report, found
report, p = pieces(path)
def frame(i, change):
    value = msgpack.unpackb(p[i], raw=False)
    change(value)
    p[i] = msgpack.packb(value, use_bin_type=True)
def proof(change):
    def bend(value):
        roll = msgpack.unpackb(value[3], raw=False)
        change(roll)
        value[3] = msgpack.packb(roll, use_bin_type=True)
    frame(2, bend)
def another(roll):
    roll[1][5][0] = bytes(16)
if how == "drop":
    frame(4, lambda v: v[1].pop(3))
elif how == "drop-roll":
    p.pop(2)
elif how == "drop-in-roll":
    proof(lambda roll: roll[1].pop(5))
elif how == "another-in-roll":
    proof(another)
elif how == "root":
    frame(2, lambda v: v.__setitem__(1, v[1][:-40] + bytes(32) + v[1][-8:]))
elif how == "add":
    frame(4, lambda v: v[1].insert(4, v[1][3]))
elif how == "tag":
    frame(4, lambda v: v[1][3].__setitem__(3, v[1][3][3][:-1] + b"x"))
elif how == "no-tag":
    tagged = [(i, j) for i in range(4, len(p)) for j, row in
              enumerate(msgpack.unpackb(p[i], raw=False)[1])
              if row[3] and row[0] >= 2048]
    i, j = tagged[0]
    frame(i, lambda v: v[1][j].__setitem__(3, None))
elif how == "others":
    p[2:] = pieces(other)[1][2:]
elif how == "cut":
    p.pop()
data = b"".join(len(x).to_bytes(4, "big") + x for x in p)
lines = report.split(b"\n")
for i, line in enumerate(lines):
    if line.startswith(b"data: "):
        lines[i] = b"data: " + hashlib.sha256(data).hexdigest().encode()
open(out, "wb").write(b"\n".join(lines) + b"\0" + data)
PY
	for how in drop drop-roll drop-in-roll another-in-roll root add tag \
	    no-tag others cut; do
		python3 "$dir/bend-list" "$dir/one.answer" "$how" \
		    "$dir/bent.answer" "$dir/nobody.answer"
		run 4 "$how: refused" "$audit" verify "$dir/bent.answer" \
		    --vkey "$vkey"
		run 4 "$how: and by the other verifier" tests/lib/check-answer \
		    "$dir/bent.answer" "$vkey" $one
	done
fi

# --- through the socket ---
mkdir "$dir/live"
mkfifo "$dir/hold"
"$make_log" "$dir/live" serve-long <"$dir/hold" >"$dir/live.out" &
server=$!
exec 9>"$dir/hold"
for _ in $(seq 100); do
	grep -q serving "$dir/live.out" && break
	sleep 0.1
done
run 0 'through the socket' "$audit" search --socket "$dir/live/audit" \
    --key "$dir/live/keys/auditor.key" --why 'case 7' \
    --member tax.demo/local --complete -o "$dir/live.answer"
run 0 'a subject through the socket' "$audit" search \
    --socket "$dir/live/audit" --key "$dir/live/keys/auditor.key" \
    --why 'case 7' --subject $one --complete -o "$dir/list.answer"
exec 9>&-
wait "$server"
run 0 'it verifies' "$audit" verify "$dir/live.answer" --vkey "$vkey"
says 'matched: 2' 'with the same rows'
run 0 'a list' "$audit" verify "$dir/list.answer" --vkey "$vkey"
says 'rolls: 2, of 2048 entries' 'by the same rolls'
says 'matched: 315' 'with the same looks'
echo "1..$n"
