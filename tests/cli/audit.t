#!/bin/bash
# tests/cli/audit.t -- hutong-audit on a stopped log, a broken one, and through
# the audit socket; a verifier that shares no code with us must agree.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
audit=$HT_BUILD/hutong-audit
make_log=$HT_BUILD/prog/make-log

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

# --- fsck: every part, to the end, and what to do ---
run 0 'the files of a whole log are in order' "$audit" fsck --dir "$log"
says "entries    $size, and the stored tree" 'entries and tree'
says 'index      439 rows, of the first 86 entries' 'and every row of the index'
spoilt() { # WANTED-STATUS WHAT SAYS...: the copy, and what fsck says of it
	run "$1" "fsck: $2" "$audit" fsck --dir "$dir/copy"
	shift 2
	for words; do
		says "$words" "... $words"
	done
}
copy_log() { rm -rf "$dir/copy" && cp -r "$log" "$dir/copy"; }
change() { # FILE PYTHON: what becomes of its bytes, data
	python3 - "$dir/copy/$1" "$2" <<'EOF'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
exec(sys.argv[2])
open(sys.argv[1], "wb").write(data)
EOF
}
copy_log
flip "$dir/copy/evidence/data.mdb" "$(entry_hex 1 3)" 150
flip "$dir/copy/evidence/data.mdb" "$(entry_hex 1 7)" 150
spoilt 4 'two entries' 'entries: entry 3 is not the one that was logged' \
    'entry 7 is not the one' 'what was logged is damaged'
copy_log
leaf_hash=$("$audit" search --dir "$log" --start 20 --limit 1 --format jsonl \
    2>/dev/null | grep -o '"leaf_hash":"[0-9a-f]*' | cut -d'"' -f4)
python3 - "$dir/copy/evidence/data.mdb" "$leaf_hash" <<'EOF'
import sys
# Behind an entry it follows the leaf; in n0 it stands beside other hashes.
data, h = bytearray(open(sys.argv[1], "rb").read()), bytes.fromhex(sys.argv[2])
at = data.find(h)
while at >= 0:
    if b"tax-registration" not in data[at - 500:at]:
        data[at] ^= 1
    at = data.find(h, at + 1)
open(sys.argv[1], "wb").write(data)
EOF
spoilt 4 'a hash of the tree' 'tree: the stored hash of level 0, number 20, is not'
copy_log
change vault/0000000000000000.seg 'data[-3] ^= 1'
spoilt 4 'a body' 'vault: entry ' 'is not the one of its header'
copy_log
rm -r "$dir/copy/vault"
spoilt 4 'no vault at all' 'vault: the folder vault is not there, and'
run 8 'verify: no vault at all' "$audit" verify --dir "$dir/copy"
says 'vault        NOT CHECKED' 'it says that none of it was checked'
copy_log
change vault/0000000000000000.seg 'data += b"x" * 100'
: >"$dir/copy/vault/notes.txt"
spoilt 1 'what a crash left' '100 bytes behind the last piece' \
    'vault/notes.txt: no file of a log' 'remains of a crash do no harm'
copy_log
touch "$dir/copy/index/boot"
spoilt 0 'an index left open' 'index      none, or left open'
if python3 -c 'import lmdb' 2>/dev/null; then
	copy_log
	python3 - "$dir/copy/index" <<'EOF'
import lmdb, sys
env = lmdb.open(sys.argv[1], max_dbs=16, map_size=1 << 30)
with env.begin(write=True) as txn:
    db = env.open_db(b"by_item", txn=txn)
    with txn.cursor(db) as at:
        at.first()
        txn.put(at.key(), at.value()[:-2], db=db)
EOF
	spoilt 1 'a row of the index less' 'index: by_item is not made of these' \
	    'remove the folder'
	rm -rf "$dir/copy/index"
	spoilt 0 'no index' 'in order'
fi
copy_log
rm "$dir/copy/anchor"
spoilt 4 'no anchor' 'signed: there is no valid anchor'
run 3 'fsck: no log there' "$audit" fsck --dir "$dir/nothing"
run 2 'fsck: no folder given' "$audit" fsck

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
spoilt 6 'an anchor that is ahead' 'an older log was put back'
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
run 0 'an operation' "$audit" search --dir "$log" --operation query \
    --type EXPIRED
says 'operation=query' 'also of what is cited, and the footer says it'
run 1 'an operation nobody used' "$audit" search --dir "$log" \
    --operation verify
"$audit" search --dir "$log" --format csv >"$dir/csv" 2>"$dir/err"
sum=$(sha256sum "$dir/csv" | cut -d' ' -f1)
: >"$dir/out"
says "output     sha256 $sum" 'the footer has the hash of the output'

# --- OCSF: the event proves itself ---
run 0 'OCSF' "$audit" search --dir "$log" --format ocsf
python3 - "$dir/out" >"$dir/py" 2>&1 <<'EOF'
import base64, hashlib, json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
assert len(rows) > 80, len(rows)
for n, row in enumerate(rows):
    assert row["class_uid"] == 6003 and row["category_uid"] == 6
    assert row["type_uid"] == 600300 + row["activity_id"]
    assert row["metadata"]["sequence"] == n
    assert row["metadata"]["profiles"] == ["record_integrity"]
    for need in "actor api src_endpoint severity_id time".split():
        assert row[need], (need, row)
    leaf = hashlib.sha256(b"\0" + base64.b64decode(row["raw_data"])).hexdigest()
    assert row["attestation"]["fingerprint"]["value"] == leaf
    assert row["attestation"]["chain_uid"] == "gx.demo/log"
refused = [row for row in rows if row["unmapped"]["type"] == "REJECT"]
assert refused and all(row["status_id"] == 2 for row in refused)
EOF
result $? 'each event has its class, its place, and a leaf with its hash'

# --- cursors ---
cursor="$dir/cursor"
run 0 'a first page' "$audit" search --dir "$log" --type REQUEST --limit 5 \
    --cursor-file "$cursor" --format csv
cp "$dir/out" "$dir/pages"
while "$audit" search --dir "$log" --type REQUEST --limit 5 \
    --cursor-file "$cursor" --format csv >"$dir/out" 2>"$dir/err"; do
	sed 1d "$dir/out" >>"$dir/pages"
done
"$audit" search --dir "$log" --type REQUEST --format csv >"$dir/whole" \
    2>/dev/null
cmp -s "$dir/pages" "$dir/whole"
result $? 'pages make the whole, and nothing comes twice'
run 1 'then there is nothing new' "$audit" search --dir "$log" --type REQUEST \
    --cursor-file "$cursor"
run 2 'another question' "$audit" search --dir "$log" --type REJECT \
    --cursor-file "$cursor"
says 'belongs to another question' 'is told so'
run 2 'a cursor and a start' "$audit" search --dir "$log" --start 3 \
    --type REQUEST --cursor-file "$cursor"
"$audit" search --dir "$log" --type REQUEST --cursor-file "$dir/again" \
    >/dev/null 2>&1
[ "$(grep ^query "$cursor")" != "$(grep ^query "$dir/again")" ]
result $? 'two files do not tell that they ask the same'
sed "s/^size .*/size $((size + 1)) $root/" "$cursor" >"$dir/ahead"
run 6 'a log that shrank since' "$audit" search --dir "$log" --type REQUEST \
    --cursor-file "$dir/ahead"
sed "s/^size .*/size 40 $root/" "$cursor" >"$dir/forked"
run 6 'another history than the last run saw' "$audit" search --dir "$log" \
    --type REQUEST --cursor-file "$dir/forked"
says 'another history' 'is told'
echo rubbish >"$dir/rubbish"
run 2 'no cursor at all' "$audit" search --dir "$log" --type REQUEST \
    --cursor-file "$dir/rubbish"
run 0 'a pinned size' "$audit" search --dir "$log" --at 40 --type REQUEST \
    --cursor-file "$dir/pinned"
says 'range      entries 0 to 39' 'ends there'
says 'at         40 entries, as asked' 'and it says that it was asked so'
run 2 'a size that is not there' "$audit" search --dir "$log" --at 9999
says "--at 9999: the log has $size entries as yet" 'is told'
run 2 'nor to be counted' "$audit" stats --dir "$log" --at 9999
says "--at 9999: the log has $size entries as yet" 'is told'
grep -q '^next 40$' "$dir/pinned"
result $? 'and the cursor, too'

# --- tail ---
run 0 'the newest entries' "$audit" tail --dir "$log" --format csv
[ "$(sed 1d "$dir/out" | cut -d, -f1 | tr '\n' ' ')" = \
    "$(seq -s ' ' $((size - 10)) $((size - 1))) " ]
result $? 'are ten'
run 0 'the newest of a kind' "$audit" tail -n 2 --dir "$log" --status refused \
    --format csv
[ "$(sed 1d "$dir/out" | cut -d, -f3,8 | tr '\n' ' ')" = \
    'REJECT,BAD_SIGNATURE REJECT,NO_GRANT ' ]
result $? 'are those'
run 2 'a stopped log is not followed' "$audit" tail -f --dir "$log"
run 2 'tail and --limit' "$audit" tail --dir "$log" --limit 3
run 2 'no lines' "$audit" tail -n 0 --dir "$log"
# --- stats ---
run 0 'stats' "$audit" stats --dir "$log" --by type --format csv
[ "$(tr -d '\r' <"$dir/out" | sed -n 's/^REJECT,\(.*\)/\1/p')" = 3,0,0,3,0,0 ]
result $? 'three refusals'
says "complete: none between them is missing" 'and that nothing is missing'
says 'query      stats by=type' 'the footer says what was asked'
run 0 'stats by more' "$audit" stats --dir "$log" --by member,status,item \
    --period month --status refused --format jsonl
python3 - "$dir/out" >"$dir/py" 2>&1 <<'EOF'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
assert [row["status"] for row in rows] == ["BAD_SIGNATURE", "NO_GRANT", "PURPOSE"]
assert all(row["refused"] == 1 and row["period"] == "2026-11" for row in rows)
assert sum(row["entries"] for row in rows) == 3
EOF
result $? 'the filter counts, sorted by key'
run 0 'a day of UTC' "$audit" search --dir "$log" --from 2026-11-24 \
    --to 2026-11-25
run 1 'a day of another zone is over when they come' "$audit" search \
    --to 2026-11-24 --zone +08:00 --from 2026-11-23 --dir "$log"
run 1 'and a day begins later in the west' "$audit" search --dir "$log" \
    --from 2026-11-24 --zone -08:00
run 1 'stats of nothing' "$audit" stats --dir "$log" --from 2030-01-01
says 'no entry is in the period: complete' 'and that this is all'
for bad in '--by nope' '--by type,type' '--by ,' '--period hour' '--limit 3' \
    '--zone 8' '--format ocsf' '--month 2026-11' '--lang fr' \
    '--subject 00000001404040404040404040404040'; do
	# shellcheck disable=SC2086
	run 2 "stats refuses $bad" "$audit" stats --dir "$log" $bad
done
rm -rf "$dir/copy" && cp -r "$log" "$dir/copy"
flip "$dir/copy/evidence/data.mdb" "$(entry_hex 1 7)" 150
run 4 'no count of what does not hold' "$audit" stats --dir "$dir/copy"

# --- report ---
mkdir "$dir/late"
"$make_log" "$dir/late" late >/dev/null || { echo 'Bail out! no log'; exit 1; }
late="--dir $dir/late/log --authority $dir/late/authority"
# shellcheck disable=SC2086
run 0 'a report' "$audit" report $late --month 2026-11 --zone +08:00 \
    --format jsonl
python3 - "$dir/out" >"$dir/py" 2>&1 <<'EOF'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
serves, = [row for row in rows if row["side"] == "serves"]
assert serves["member"] == "scjg.demo/registry", serves
assert serves["title"] == "Market entity registration"
assert serves["requests"] == 46 and serves["answered"] == 15, serves
assert serves["expired"] == 29 and serves["refused"] == 2, serves
assert serves["reasons"] == {"NO_GRANT": 1, "PURPOSE": 1}
# Eleven after a second, four after ten: more than half in one.
assert serves["p50_ms"] <= 1032 and serves["p50_ms"] >= 1000, serves
assert serves["p95_ms"] == serves["max_ms"] == 10000, serves
assert serves["promise_ms"] == 5000 and serves["over"] == 4, serves
asks = {row["member"]: row for row in rows if row["side"] == "asks"}
assert asks["tax.demo/state"]["requests"] == 46
assert asks["tax.demo/local"]["refused"] == 2
assert asks["police.demo/residents"]["reasons"] == {"BAD_SIGNATURE": 1}
EOF
result $? 'volume, reasons, times and the promise'
# Two requests before midnight in Beijing, answered six seconds later.
# shellcheck disable=SC2086
run 0 'answers to questions of the month before' "$audit" report $late \
    --month 2026-12 --zone +08:00 --member scjg.demo/registry --format csv
[ "$(tr -d '\r' <"$dir/out" | sed 1d | cut -d, -f6,7,13,15,16,17)" = \
    0,2,6000,6000,5000,2 ]
result $? 'have their time'
# shellcheck disable=SC2086
run 0 'in UTC they are all of November' "$audit" report $late --month 2026-11 \
    --member scjg.demo/registry --format csv
[ "$(tr -d '\r' <"$dir/out" | sed 1d | cut -d, -f6,7)" = 46,17 ]
result $? 'and counted there'
# shellcheck disable=SC2086
run 0 'in Chinese' "$audit" report $late --month 2026-11 --lang zh
says '共享交换情况通报  2026-11' 'with its title'
says '超出承诺' 'its headings'
says '市场主体登记信息' 'and names'
says "complete: none between them is missing" 'complete'
for bad in '' '--month 2026-13' '--month 2026-11 --from 2026-11-02' \
    '--month 2026-11 --status refused' '--month 2026-11 --by item'; do
	# shellcheck disable=SC2086
	run 2 "report refuses $bad" "$audit" report --dir "$log" $bad
done

for bad in '--operation nope' '--from never' '--status NOPE' '--type NOPE' '--exchange 12' \
    '--limit x' '--subject zz' '--format xml' '--nope'; do
	# shellcheck disable=SC2086
	run 2 "refused: $bad" "$audit" search --dir "$log" $bad
done
run 2 'neither folder nor socket' "$audit" search
run 2 'what a verb does not use is refused' "$audit" report --dir "$log" \
    --month 2026-11 --complete -o "$dir/x"
says 'report takes no --complete; it is for search --complete' 'and what uses it is told'
run 2 'a format that a verb does not have' "$audit" show 4 --dir "$log" --format csv
says 'show has no --format csv; it has: table jsonl' 'and those it has are told'
run 2 'a key that would sign nothing' "$audit" search --dir "$log" --key x
run 2 'a period that ends before it begins' "$audit" search --dir "$log" \
    --from 2026-11-25 --to 2026-11-24
run 0 'an entry, for programs' "$audit" show 4 --dir "$log" --format jsonl
grep -q '^{"entry":4,.*}$' "$dir/out"
result $? 'one line of JSON'

# --- show ---
run 0 'show an entry' "$audit" show 4 --dir "$log" --authority "$auth"
says 'released   shxydm, ztmc' 'fields by name'
says '0 fail, 0 could not be made' 'every check made'
exchange=$("$audit" search --dir "$log" --type EXPIRED --limit 1 \
    --format csv 2>/dev/null | sed -n 2p | cut -d, -f9)
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
run 0 'in a table' "$audit" search --socket "$socket" \
    --key "$keys/auditor.key" --why 'case 7' --type AUDIT_QUERY --format csv
says ',AUDIT_QUERY,gx.demo/auditor-1,,,case 7,,,"search member=tax.demo/local, 2 rows"' \
    'it says who asked what, and why'
run 2 'of a size that is not there yet' "$audit" search --socket "$socket" \
    --key "$keys/auditor.key" --why 'case 7' --at 99999
says 'it asks for what is not there: the log has ' 'the broker says how many there are'
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
run 0 'a cursor through the socket' "$audit" search --socket "$socket" \
    --key "$keys/auditor.key" --why 'case 8' --type AUDIT_QUERY \
    --cursor-file "$dir/live-cursor"
run 0 'goes on' "$audit" search --socket "$socket" \
    --key "$keys/auditor.key" --why 'case 8' --type AUDIT_QUERY \
    --cursor-file "$dir/live-cursor" --format jsonl
[ "$(grep -c '"purpose":"case 8"' "$dir/out")" -eq 1 ]
result $? 'with its own last question alone'

# What an auditor wrote must not steer another one's terminal.
trick=$(printf 'a\033[2Jb\342\200\256c')
for format in table csv jsonl ocsf; do
	run 0 "a purpose with tricks" "$audit" search --socket "$socket" \
	    --key "$keys/auditor.key" --why "$trick" --limit 1
	run 0 "shown as $format" "$audit" tail -n 1 --type AUDIT_QUERY \
	    --socket "$socket" --key "$keys/auditor.key" --why 'case 9' \
	    --format "$format"
	! LC_ALL=C grep -q "$(printf '\033\|\342\200\256')" "$dir/out" "$dir/err"
	result $? "$format: no tricks"
done
says '"purpose":"a\u001B[2Jb\u202ec"' 'JSON keeps them, escaped'

# --- tail -f ---
"$audit" tail -f -n 1 --socket "$socket" --key "$keys/auditor.key" \
    --why 'watching' --type AUDIT_QUERY --format jsonl \
    --cursor-file "$dir/follow-cursor" >"$dir/followed" 2>"$dir/followed.err" &
follower=$!
for _ in $(seq 100); do
	[ -s "$dir/followed" ] && break
	sleep 0.1
done
run 0 'a question beside a follower' "$audit" search --socket "$socket" \
    --key "$keys/auditor.key" --why 'case 10' --limit 1
for _ in $(seq 100); do
	grep -q 'case 10' "$dir/followed" && break
	sleep 0.1
done
kill -INT "$follower"
wait "$follower"
status=$?
cp "$dir/followed.err" "$dir/err"
cp "$dir/followed" "$dir/out"
[ "$status" -eq 0 ]
result $? 'who is interrupted ends well'
[ "$(grep -c '"purpose":"watching"' "$dir/followed")" -eq 1 ]
result $? 'a follower sees its own beginning once'
[ "$(grep -c '"purpose":"case 10"' "$dir/followed")" -eq 1 ]
result $? 'and what others ask'
says "output     sha256 $(sha256sum "$dir/followed" | cut -d' ' -f1)" \
    'with a footer'
run 0 'the end is in the log' "$audit" tail -n 1 --socket "$socket" \
    --key "$keys/auditor.key" --why 'case 11' --type AUDIT_QUERY --format jsonl
says '"query":"end of entry ' 'as an entry'
! grep -q 'with the salt 0*$' "$dir/followed.err"
result $? 'and a salt of its own'
says '"matched":3,' 'with the rows that were seen'
# Without a reader it ends; else this would take the hour that a follower may.
timeout 20 bash -c '"$0" tail -f -n 1 "${@}" 2>/dev/null | head -n 1 >/dev/null' \
    "$audit" --socket "$socket" --key "$keys/auditor.key" --why 'case 12'
result $? 'nobody reads any more: it ends'
for what in '--to 2027-01-01' '--at 3' '--start 4'; do
	# shellcheck disable=SC2086
	run 2 "-f and $what" "$audit" tail -f $what --socket "$socket" \
	    --key "$keys/auditor.key" --why x
done
# --- counts through the socket, and a broker that leaves rows out ---
ask="--key $keys/auditor.key --root $auth/root.note --why monthly"
# shellcheck disable=SC2086
run 0 'stats through the socket' "$audit" stats --socket "$socket" $ask \
    --by status --to 2026-11-25 --format csv
"$audit" stats --dir "$log" --by status --to 2026-11-25 --format csv \
    >"$dir/want" 2>/dev/null
cmp -s "$dir/out" "$dir/want"
result $? 'give the same'
says 'complete: none between them is missing' 'complete'
# shellcheck disable=SC2086
run 0 'a report through the socket' "$audit" report --socket "$socket" $ask \
    --month 2026-11 --member tax.demo/state --format csv
[ "$(tr -d '\r' <"$dir/out" | sed 1d | cut -d, -f6,7)" = 40,11 ]
result $? 'counts the same'
# shellcheck disable=SC2086
run 0 'it is one question' "$audit" search --socket "$socket" $ask \
    --type AUDIT_QUERY --format jsonl
[ "$(grep -c '"query":"read ' "$dir/out")" -eq 2 ]
result $? 'an entry each'
for at in 0 1 -1; do
	tests/lib/drop-rows.py "$dir/liar$at" "$socket" $at >"$dir/liar.out" &
	liar=$!
	for _ in $(seq 100); do
		grep -q serving "$dir/liar.out" && break
		sleep 0.1
	done
	# shellcheck disable=SC2086
	run 4 "rows left out ($at)" "$audit" stats --socket "$dir/liar$at" $ask
	says 'do not rely on this answer' 'are missed'
	kill "$liar"
	wait "$liar" 2>/dev/null
done

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
says 'hutong-audit witness status|note' 'of all verbs'
verbs=$("$audit" --help | sed -nE 's/^.{6} hutong-audit ([a-z]+) .*/\1/p')
helped=0
for verb in $verbs; do
	"$audit" "$verb" --help >"$dir/out" && [ "$(sed -nE \
	    's/^.{6} hutong-audit ([a-z]+) .*/\1/p' "$dir/out")" = "$verb" ] &&
	    helped=$((helped + 1))
done
run 0 'help of each verb is its own' [ "$helped" -eq 17 ]
run 0 'and its own options' "$audit" fsck --help
says 'usage: hutong-audit fsck    --dir DIR' 'fsck: one line'
run 2 'help of what is no verb' "$audit" frobnicate --help
says 'the verbs are search, tail,' 'these are'
run 2 'no verb' "$audit"
echo "1..$n"
