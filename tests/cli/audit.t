#!/bin/bash
# tests/cli/audit.t -- hutong-audit on a stopped log, a broken one, and through
# the audit socket; a verifier that shares no code with us must agree.
set -u
cd "$(dirname "$0")/../.." || exit 1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
audit=$HT_BUILD/hutong-audit
make_log=$HT_BUILD/prog/make-log
n=0

result() { # status, what
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/#  /' "$dir/out" "$dir/err" 2>/dev/null
	fi
}
# run WANTED-STATUS WHAT COMMAND...
run() {
	local want=$1 what=$2 got
	shift 2
	"$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ "$got" -eq "$want" ] || echo "# status $got, not $want" >>"$dir/err"
	[ "$got" -eq "$want" ]
	result $? "$what"
}
# says TEXT WHAT: the last run printed TEXT
says() {
	grep -qF -- "$1" "$dir/out" "$dir/err"
	result $? "$2"
}

"$make_log" "$dir" >"$dir/size" || { echo 'Bail out! no log'; exit 1; }
size=$(cat "$dir/size")
log=$dir/log
auth=$dir/authority
vkey=$(sed -n 's/^log: \([^ ]*\).*/\1/p' "$auth/root.note")

# --- verify ---
run 0 'a whole log verifies' "$audit" verify --dir "$log" --authority "$auth"
says "verified     $size entries, root " 'it says how many entries, and the root'
says 'each signature holds' 'it says that signatures were checked'
root=$(sed -n 's/.* root //p' "$dir/out")
run 0 'with the vkey alone' "$audit" verify --dir "$log" --vkey "$vkey"
says 'bundles      23; signatures NOT CHECKED' 'what was not checked is said'
run 0 'with the root note' "$audit" verify --dir "$log" --root "$auth/root.note"
if python3 -c 'import lmdb, nacl, msgpack' 2>/dev/null; then
	python=yes
	run 0 'another verifier agrees' tests/lib/verify-log.py "$log" "$vkey" "$auth"
	says "verified $size entries, root $root" 'and has the same root'
else
	python=
	for what in 'another verifier agrees' 'and has the same root'; do
		n=$((n + 1))
		echo "ok $n # SKIP $what: python3-lmdb is not installed"
	done
fi
run 3 'no log there' "$audit" verify --dir "$dir/nothing"
run 2 'no folder given' "$audit" verify
other=${vkey%%+*}$(sed -n 's/^current: [^+]*\(+[^ ]*\).*/\1/p' "$auth/root.note")
run 2 'a vkey of another name is no vkey' "$audit" verify --dir "$log" \
    --vkey "$other"

# --- one bit, anywhere it matters ---
# Every copy of the bytes: LMDB leaves old pages behind.
flip() { # file, hex of the bytes, offset in them
	python3 - "$@" <<'EOF'
import sys
path, needle, at = sys.argv[1], bytes.fromhex(sys.argv[2]), int(sys.argv[3])
data = bytearray(open(path, "rb").read())
found, start = 0, data.find(needle)
while start >= 0:
    data[start + at] ^= 0x10
    found += 1
    start = data.find(needle, start + 1)
open(path, "wb").write(data)
sys.exit(0 if found else 1)
EOF
}
# The leaf of entry N begins with version, type, and its number.
entry_hex() { # type, number
	printf '01%02x%016x' "$1" "$2"
}
broken() { # what, entry, offset in leaf
	rm -rf "$dir/copy" && cp -r "$log" "$dir/copy"
	flip "$dir/copy/evidence/data.mdb" "$(entry_hex 1 "$2")" "$3"
	result $? "$1: the bytes are there"
	run 4 "$1: found" "$audit" verify --dir "$dir/copy" --vkey "$vkey"
	says "BAD: entry $2: " "$1: the entry is named"
	if [ -n "$python" ]; then
		run 4 "$1: the other verifier too" \
		    tests/lib/verify-log.py "$dir/copy" "$vkey"
		says "bad entry $2: " "$1: and names it"
	fi
}
broken 'a bit of the time' 3 14
broken 'a bit of the header' 7 150
broken 'a bit of the type' 2 1
run 4 'a search does not show what does not hold' \
    "$audit" search --dir "$dir/copy"

rm -rf "$dir/copy" && cp -r "$log" "$dir/copy"
python3 - "$dir/copy/vault/0000000000000000.seg" <<'EOF'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[-3] ^= 1
open(sys.argv[1], "wb").write(data)
EOF
run 4 'a bit of the last sealed body' "$audit" verify --dir "$dir/copy"
says 'its tag or body in vault segment 0' 'the vault is named'

# Damage below the entries: no crash, and a clear word.
rm -rf "$dir/copy" && cp -r "$log" "$dir/copy"
truncate -s 12288 "$dir/copy/evidence/data.mdb"
raw='handle_segv=0:handle_sigbus=0:handle_abort=0' # the sanitizers stand back
run 4 'a database cut short' env ASAN_OPTIONS="${ASAN_OPTIONS:-}:$raw" \
    TSAN_OPTIONS="${TSAN_OPTIONS:-}:$raw" "$audit" verify --dir "$dir/copy"
says 'damaged' 'it says so'

# --- an older log put back ---
rm -rf "$dir/copy" && cp -r "$log" "$dir/copy"
python3 - "$dir/copy/anchor" <<'EOF'
import hashlib, struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
for at in (0, 4096):
    slot = data[at:at + 1024]
    if slot[:16] == b"hutong-anchor/1\n":
        slot[24:32] = struct.pack(">Q", 1000)
        slot[992:] = hashlib.blake2b(slot[:992], digest_size=32).digest()
        data[at:at + 1024] = slot
open(sys.argv[1], "wb").write(data)
EOF
run 6 'an anchor that is ahead' "$audit" verify --dir "$dir/copy"
says 'an older log was put back' 'it says so'
run 6 'and no search of it' "$audit" search --dir "$dir/copy"

# --- search ---
run 0 'a search' "$audit" search --dir "$log" --authority "$auth" \
    --member tax.demo/local
says "as of      $size entries, root $root" 'the footer says as of when'
says 'rows       2 matched' 'and how many'
says "signed by the log's key" 'and who signed'
run 0 'the same without the index' "$audit" search --dir "$log" --scan \
    --member tax.demo/local
says "2 matched, $size looked at" 'looks at all'
run 1 'nothing found' "$audit" search --dir "$log" --item gx.demo/NONE
run 0 'JSON lines' "$audit" search --dir "$log" --type request --limit 3 \
    --format jsonl
python3 - "$dir/out" >"$dir/py" 2>&1 <<'EOF'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
assert len(rows) == 3, rows
for row in rows:
    assert row["type"] == "REQUEST" and row["sender"] == "tax.demo/state"
    assert len(row["leaf_hash"]) == 64 and row["grant"] == "gx.demo/1"
EOF
result $? 'three objects of the kind asked for'
run 0 'CSV' "$audit" search --dir "$log" --status PURPOSE --format csv
[ "$(wc -l <"$dir/out")" -eq 2 ]
result $? 'heading and one row'
run 0 'a period' "$audit" search --dir "$log" --from 2026-11-24T01:02:03Z \
    --to 2026-11-24T01:02:04Z
says 'rows       2 matched' 'START and SNAPSHOT'
run 0 'a subject by pseudonym' "$audit" search --dir "$log" \
    --subject 00000001404040404040404040404040
says 'rows       7 matched' 'seven looks at one subject'
for bad in '--from never' '--status NOPE' '--type NOPE' '--exchange 12' \
    '--limit x' '--subject zz' '--format xml' '--nope'; do
	# shellcheck disable=SC2086
	run 2 "refused: $bad" "$audit" search --dir "$log" $bad
done
run 2 'neither folder nor socket' "$audit" search

# --- show ---
run 0 'show an entry' "$audit" show 4 --dir "$log" --authority "$auth"
says 'released   shxydm, ztmc' 'fields by name'
says '0 fail, 0 could not be made' 'every check made'
exchange=$("$audit" search --dir "$log" --type EXPIRED --limit 1 \
    --format csv 2>/dev/null | sed -n '2s/.*,\([0-9a-f]*\).*/\1/p')
run 0 'show an exchange' "$audit" show "$exchange" --dir "$log"
says 'EXPIRED' 'and its end'
says 'signature: give --authority' 'what could not be checked is said'
run 1 'no such entry' "$audit" show 99999 --dir "$log"
run 2 'no number' "$audit" show abc --dir "$log"

# --- the socket ---
mkdir "$dir/live"
mkfifo "$dir/hold"
"$make_log" "$dir/live" serve <"$dir/hold" >"$dir/live.out" &
server=$!
exec 9>"$dir/hold"
for _ in $(seq 100); do
	grep -q serving "$dir/live.out" && break
	sleep 0.1
done
socket=$dir/live/audit
keys=$dir/live/keys
run 0 'a search through the socket' "$audit" search --socket "$socket" \
    --key "$keys/auditor.key" --root "$auth/root.note" --why 'case 7' \
    --member tax.demo/local
says 'rows       2 matched' 'the same rows'
says "logged     this query is entry $size, with the salt " 'and it was logged'
run 0 'the query is found' "$audit" search --socket "$socket" \
    --key "$keys/auditor.key" --why 'case 7' --type AUDIT_QUERY --format jsonl
says '"purpose":"case 7"' 'with its purpose'
run 0 'a subject through the socket' "$audit" search --socket "$socket" \
    --key "$keys/auditor.key" --why 'case 8' \
    --subject 00000001404040404040404040404040
run 0 'that query is found' "$audit" search --socket "$socket" \
    --key "$keys/auditor.key" --why 'case 7' --type AUDIT_QUERY --format jsonl
says '"matched":null,"purpose":"case 8","query":"search subject=…"' \
    'and does not say about whom'
run 0 'show through the socket' "$audit" show 4 --socket "$socket" \
    --key "$keys/auditor.key" --authority "$dir/live/authority" --why "case 7"
says '0 fail, 0 could not be made' 'every check made'
run 3 'another kind of key' "$audit" search --socket "$socket" \
    --key "$keys/witness.key" --why 'case 7'
run 2 'no purpose' "$audit" search --socket "$socket" \
    --key "$keys/auditor.key"
run 3 'a log that is being written' "$audit" verify --dir "$dir/live/log"
says 'a broker is writing this log' 'and what to do'
exec 9>&-
wait "$server"
run 0 'the log of the server verifies' "$audit" verify \
    --dir "$dir/live/log" --authority "$auth"
says 'AUDIT_QUERY' 'with the queries'
run 3 'nobody there' "$audit" search --socket "$socket" \
    --key "$keys/auditor.key" --why 'case 7'
run 0 'help' "$audit" --help
run 2 'no verb' "$audit"
echo "1..$n"
