#!/bin/bash
# tests/cli/prove.t -- one entry's proof: made from a folder and through the
# socket, verified with no log, and by a verifier that shares no code with us;
# any byte of it changed, and it proves nothing.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
audit=$HT_BUILD/hutong-audit
make_log=$HT_BUILD/prog/make-log

mkdir "$dir/w"
"$make_log" "$dir/w" >"$dir/size" || { echo 'Bail out! no log'; exit 1; }
size=$(cat "$dir/size")
log=$dir/w/log
auth=$dir/w/authority
vkey=$(sed -n 's/^log: \([^ ]*\).*/\1/p' "$auth/root.note")

# --- every kind of entry, first and last ---
for entry in 0 1 4 10 14 16 17 $((size - 1)); do
	run 0 "prove entry $entry" \
	    "$audit" prove "$entry" --dir "$log" -o "$dir/$entry.tlog-proof"
	run 0 'it verifies with the vkey alone' \
	    "$audit" verify "$dir/$entry.tlog-proof" --vkey "$vkey"
	says "entry $entry " 'and says which entry it is'
	says "as of      $size entries" 'and of which tree'
	run 0 'another verifier agrees' \
	    tests/lib/check-proof "$dir/$entry.tlog-proof" "$vkey"
	says "proven: entry $entry of $size, root " 'about all of it'
done
proof=$dir/4.tlog-proof
run 0 'with the keys of the directory' "$audit" verify "$proof" \
    --authority "$auth"
says 'signed by key ' 'who sent it is checked'
says '4 hold, 0 fail, 1 could not be made' 'all but the tag, which is not in it'
run 0 'an entry without a header' "$audit" verify "$dir/14.tlog-proof" \
    --authority "$auth"
says 'EXPIRED' 'it says what it is'
run 0 'to standard output' "$audit" prove 4 --dir "$log"
cmp -s "$dir/out" "$proof"
result $? 'the same bytes'
run 3 'a file that is there is left alone' \
    "$audit" prove 5 --dir "$log" -o "$proof"
says 'never overwritten' 'it says why'

# --- what there is not ---
run 1 'no such entry' "$audit" prove "$size" --dir "$log"
run 2 'no number' "$audit" prove 4x --dir "$log"
run 2 'no log' "$audit" prove 4
run 2 'nobody to believe' "$audit" verify "$proof"
says 'whose signature counts' 'it says so'
run 3 'no such file' "$audit" verify "$dir/none" --vkey "$vkey"
run 4 'not one of our files' "$audit" verify "$auth/root.note" --vkey "$vkey"
other=$(sed -n 's/^current: \([^ ]*\).*/\1/p' "$auth/root.note")
run 4 'the key of somebody else' "$audit" verify "$proof" --vkey "$other"
run 4 'the other verifier too' tests/lib/check-proof "$proof" "$other"

# --- the proof of one entry with another entry in it, and at another place ---
sed "2s/.*/$(sed -n 2p "$dir/10.tlog-proof" | sed 's/[/&]/\\&/g')/" "$proof" \
    >"$dir/mixed"
run 4 'another entry in it' "$audit" verify "$dir/mixed" --vkey "$vkey"
sed 's/^index 4/index 5/' "$proof" >"$dir/mixed"
run 4 'another place' "$audit" verify "$dir/mixed" --vkey "$vkey"
says 'does not stand in the tree' 'it says so'
sed '/^extra/d' "$proof" >"$dir/mixed"
run 4 'no entry in it' "$audit" verify "$dir/mixed" --vkey "$vkey"
says 'the entry is not in it' 'it says so'
sed '4d' "$proof" >"$dir/mixed"
run 4 'a hash less' "$audit" verify "$dir/mixed" --vkey "$vkey"
run 4 'the other verifier too' tests/lib/check-proof "$dir/mixed" "$vkey"

# --- witnesses ---
note=$HT_BUILD/prog/note
seed=$(printf '%064d' 7)
seed2=$(printf '%064d' 8)
sed '1,/^$/d' "$proof" >"$dir/checkpoint"
{
	cat "$proof"
	"$note" cosign "$seed" w.demo/w1 1795482200 <"$dir/checkpoint"
} >"$dir/cosigned"
policy() { # k
	cat <<POLICY
log $vkey
witness w1 $("$note" witness "$seed" w.demo/w1)
witness w2 $("$note" witness "$seed2" w.demo/w2)
group all $1 w1 w2
quorum all
POLICY
}
policy 1 >"$dir/policy1"
policy 2 >"$dir/policy2"
run 0 'a policy of one' "$audit" verify "$dir/cosigned" --policy "$dir/policy1"
says 'cosigned by w.demo/w1 at 2026-11-24T01:03:20Z' 'it says by whom, and when'
run 0 'the other verifier does not mind' \
    tests/lib/check-proof "$dir/cosigned" "$vkey"
run 5 'a policy of two' "$audit" verify "$dir/cosigned" --policy "$dir/policy2"
says 'too few witnesses' 'it says so'
run 5 'a policy of one, and none' "$audit" verify "$proof" \
    --policy "$dir/policy1"
{
	cat "$proof"
	"$note" cosign "$seed2" w.demo/w1 1795482200 <"$dir/checkpoint"
} >"$dir/mixed"
run 0 'a line by a key that nobody knows is no line' "$audit" verify \
    "$dir/mixed" --vkey "$vkey"
run 5 'nor by the policy' "$audit" verify "$dir/mixed" --policy "$dir/policy1"
last=$(wc -c <"$dir/cosigned")
flip "$dir/cosigned" "$dir/mixed" "$((last - 9))"
run 4 'a false line of a known witness' "$audit" verify "$dir/mixed" \
    --policy "$dir/policy2"
run 2 'no policy' "$audit" verify "$proof" --policy "$auth/root.note"
run 3 'no file of a policy' "$audit" verify "$proof" --policy "$dir/none"
run 5 'a search with a policy' "$audit" search --dir "$log" \
    --policy "$dir/policy1"

# --- one bit, anywhere ---
length=$(wc -c <"$proof")
missed=0
for ((at = 3; at < length; at += 41)); do
	flip "$proof" "$dir/flipped" "$at"
	if "$audit" verify "$dir/flipped" --authority "$auth" \
	    >"$dir/out" 2>"$dir/err"; then
		echo "# byte $at may be changed"
		missed=1
	fi
done
result "$missed" "a bit of every 41st of $length bytes is noticed"

# --- through the socket ---
mkdir "$dir/live"
mkfifo "$dir/hold"
"$make_log" "$dir/live" serve <"$dir/hold" >"$dir/live.out" &
server=$!
exec 9>"$dir/hold"
for _ in $(seq 100); do
	grep -q serving "$dir/live.out" && break
	sleep 0.1
done
run 0 'prove through the socket' "$audit" prove 7 \
    --socket "$dir/live/audit" --key "$dir/live/keys/auditor.key" \
    --root "$dir/live/authority/root.note" --why 'case 7' \
    -o "$dir/live.tlog-proof"
run 1 'no such entry' "$audit" prove 4000 \
    --socket "$dir/live/audit" --key "$dir/live/keys/auditor.key" --why 'case 7'
exec 9>&-
wait "$server"
run 0 'it verifies' "$audit" verify "$dir/live.tlog-proof" --authority "$auth"
run 0 'and so the other verifier says' \
    tests/lib/check-proof "$dir/live.tlog-proof" "$vkey"
echo "1..$n"
