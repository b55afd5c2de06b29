#!/bin/bash
# tests/cli/mirror.t -- a log as a folder of tiles: made from a copy and from a
# broker, grown, verified by us and by a reader that shares no code with us;
# anything in it changed, or another history, and it does not go on.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
audit=$HT_BUILD/hutong-audit
make_log=$HT_BUILD/prog/make-log

mkdir "$dir/w"
mkfifo "$dir/w/stdin"
"$make_log" "$dir/w" serve <"$dir/w/stdin" >"$dir/size" &
server=$!
exec 9>"$dir/w/stdin"
until [ "$(wc -l <"$dir/size")" -eq 2 ]; do
	kill -0 $server 2>/dev/null || { echo 'Bail out! no log'; exit 1; }
	read -r -t 0.05 <> <(:) || :
done
auth=$dir/w/authority
vkey=$(sed -n 's/^log: \([^ ]*\).*/\1/p' "$auth/root.note")
ask() { # VERB, then more
	local verb=$1
	shift
	"$audit" "$verb" --socket "$dir/w/audit" --key "$dir/w/keys/auditor.key" \
	    --why mirror --root "$auth/root.note" "$@"
}
at() { sed -n 2p "$1/checkpoint"; }

# --- from a broker, twice ---
run 0 'a mirror of a running log' ask mirror "$dir/m"
says 'mirror     ' 'it says how much'
first=$(at "$dir/m")
cp -r "$dir/m" "$dir/before"
run 0 'another reader takes it' tests/lib/check-tiles "$dir/m" "$vkey"
says "tiles of $first entries" 'all of it'
run 0 'it verifies' "$audit" verify "$dir/m" --vkey "$vkey"
says "verified   $first entries, root " 'and its root'
run 0 'it grows' ask mirror "$dir/m"
says "$((first + 2)) entries, 2 of them new" 'by what came since: the two questions'
run 0 'the other reader goes on' tests/lib/check-tiles "$dir/m" "$vkey"
[ "$(find "$dir/m" -type f | wc -l)" -eq 3 ]
result $? 'what it outgrew is gone'
run 0 'hashes alone, for everybody' ask mirror --hashes "$dir/h"
run 0 'they verify' "$audit" verify "$dir/h" --vkey "$vkey"
says 'by their hashes alone' 'as what they are'
run 0 'and by the other reader' tests/lib/check-tiles "$dir/h" "$vkey"
! grep -rqa 'tax.demo' "$dir/h"
result $? 'nobody stands in them'
run 2 'a mirror of hashes stays one' ask mirror "$dir/h"
exec 9>&-
wait $server

# --- from a copy; an older one; another history ---
log=$dir/w/log
run 0 'from a copy it goes on' "$audit" mirror --dir "$log" --vkey "$vkey" "$dir/m"
run 0 'still a log of tiles' tests/lib/check-tiles "$dir/m" "$vkey"
run 0 'with nothing new' "$audit" mirror --dir "$log" --vkey "$vkey" "$dir/m"
says ' 0 of them new' 'it says so'
mkdir "$dir/older"
"$make_log" "$dir/older" >"$dir/out"
run 6 'an older log' "$audit" mirror --dir "$dir/older/log" --vkey "$vkey" "$dir/m"
mkdir "$dir/other"
"$make_log" "$dir/other" late >"$dir/out"
cp -r "$dir/before" "$dir/forked"
run 6 'another history' "$audit" mirror --dir "$dir/other/log" --vkey "$vkey" \
    "$dir/forked"
says 'another history was put in their' 'is a fork'
cmp -s "$dir/before/checkpoint" "$dir/forked/checkpoint"
result $? 'and the checkpoint stays'

# --- a mirror that is damaged ---
spoilt() { # WHAT FILE OFFSET
	cp -r "$dir/m" "$dir/spoilt.$1"
	local file="$dir/spoilt.$1/$2"
	cp "$file" "$dir/kept"
	flip "$dir/kept" "$file" "$3"
	run 4 "$1: it does not verify" "$audit" verify "$dir/spoilt.$1" --vkey "$vkey"
	run 4 "$1: the other reader agrees" tests/lib/check-tiles "$dir/spoilt.$1" "$vkey"
	[ -n "${4:-}" ] || run 4 "$1: it does not grow" "$audit" mirror --dir "$log" \
	    --vkey "$vkey" "$dir/spoilt.$1"
}
now=$(at "$dir/m")
spoilt hash "tile/0/000.p/$now" 100
spoilt entry "tile/entries/000.p/$now" 300
spoilt checkpoint checkpoint 20
rm "$dir/spoilt.hash/tile/0/000.p/$now"
run 4 'a tile that is missing' "$audit" verify "$dir/spoilt.hash" --vkey "$vkey"
says 'is missing' 'is named'
run 2 'whom to believe?' "$audit" mirror --dir "$log" "$dir/n"
run 2 'no folder' "$audit" mirror --dir "$log" --vkey "$vkey"
mkdir "$dir/empty"
run 3 'no mirror there' "$audit" verify "$dir/empty" --vkey "$vkey"
echo "1..$n"
