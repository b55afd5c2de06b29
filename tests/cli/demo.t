#!/bin/bash
# The demo's scripts take and end nothing that is not theirs.
: "${HT_BUILD:?HT_BUILD names the folder with the programs}"
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
export HT_DEMO_DIR=$dir/demo HT_DEMO_PORT=1
sleep 60 &
stranger=$!
trap 'kill $stranger 2>/dev/null; rm -rf "$dir"' EXIT

mkdir "$dir/demo"
touch "$dir/demo/somebody's work"
! tests/demo/run up >"$dir/out" 2>&1
ok "a folder that is no demo's is refused"
grep -q "no demo's folder; name another" "$dir/out"
ok "... with what to do"
[ -f "$dir/demo/somebody's work" ]
ok "... and nothing in it is touched"

# After a restart of the machine the number may be anybody's.
mkdir "$dir/demo/run"
echo $stranger >"$dir/demo/run/broker.pid"
tests/demo/run down >"$dir/out" 2>&1
ok "down succeeds"
kill -0 $stranger
ok "... and leaves a process alone that is none of the demo's"
[ ! -e "$dir/demo/run/broker.pid" ]
ok "... whose number is forgotten"

cp "$(command -v sleep)" "$dir/hutong-broker"
"$dir/hutong-broker" 60 &
echo $! >"$dir/demo/run/broker.pid"
tests/demo/run down >"$dir/out" 2>&1
! kill -0 $! 2>/dev/null
ok "... and ends one that is"
echo "1..$n"
