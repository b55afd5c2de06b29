#!/bin/bash
# tests/e2e/hostile-kill.t -- kill -9 of the broker in the middle of its work,
# and of an adapter that has a request: each accepted request ends exactly once,
# a duplicate gets the same answer, and the log verifies.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/world.sh
start_world
many=40

load() { # how
	tamper "$dir/local.yaml" "$auth" tax.demo/state gx.demo/ZXTJ gx.demo/3 \
	    planning TJF-20 "$1"
}
restart_broker() {
	wait "$broker" 2>/dev/null
	start_broker
	within 30 serves 2
	result $? 'the broker is back, and who serves is connected'
}
answers() { # of a load: how many
	[ "$(wc -l <"$dir/$1")" -ge "$2" ]
}
same_places() { # two answers: whoever has one in both has the same
	join <(sort "$dir/$1") <(sort "$dir/$2") >"$dir/out"
	[ "$(awk '$2 != $4 || $3 != $5 || $2 != "OK"' "$dir/out" | wc -l)" -eq 0 ]
}
open_none() {
	[ "$(value open)" = 0 ]
}

# --- the broker, three times, at different moments ---
for moment in 1 12 30; do
	load "many:$dir/kept-$moment:$many" >"$dir/first-$moment" 2>/dev/null &
	loader=$!
	pids="$pids $loader"
	within 20 answers "first-$moment" "$moment"
	kill -9 "$broker"
	# It would wait for the broker to come back, and be answered no more.
	kill "$loader" 2>/dev/null
	wait "$loader" 2>/dev/null
	restart_broker
	load "resend:$dir/kept-$moment" >"$dir/second-$moment" 2>"$dir/err"
	answers "second-$moment" $many && ! grep -qv ' OK ' "$dir/second-$moment"
	result $? "killed after $moment answers: all are accepted after all"
	same_places "first-$moment" "second-$moment"
	result $? 'what was acknowledged before has the same answer'
	load "resend:$dir/kept-$moment" >"$dir/third-$moment" 2>"$dir/err"
	cmp <(sort "$dir/second-$moment") <(sort "$dir/third-$moment") >"$dir/out"
	result $? 'and so has a third sending'
done
within 30 open_none
result $? 'each request has ended'
run 0 ztmc 'a good question is answered' good

# --- an adapter with a request pending ---
statistics 999909 >"$dir/asked" 2>&1 &
asker=$!
pids="$pids $asker"
one_open() {
	[ "$(value open)" = 1 ]
}
within 10 one_open
result $? 'a request is with the adapter'
kill -9 "$statistics"
wait "$statistics" 2>/dev/null
adapter statistics.yaml
wait "$asker"
grep -q SOURCE_SLOW "$dir/asked"
result $? 'killed and started again, the adapter ends the request'
within 10 open_none
result $? 'and none is open'
run 0 4711 'the next one is answered' statistics 999900
still_serving 'all this'

stop_broker
log_is_intact
hutong-audit search --dir "$log" --root "$auth/root.note" --format jsonl \
    --limit 10000 >"$dir/entries" 2>"$dir/err"
requests=$(grep -c '"type": *"REQUEST"' "$dir/entries")
[ "$requests" -ge $((3 * many)) ]
result $? 'every accepted request is in the log'
for type in REQUEST RESPONSE; do
	grep "\"type\": *\"$type\"" "$dir/entries" |
	    grep -o '"exchange": *"[^"]*"' | sort >"$dir/$type"
	[ -z "$(uniq -d "$dir/$type")" ]
	result $? "no exchange has two entries $type"
done
cmp "$dir/REQUEST" "$dir/RESPONSE" >"$dir/out"
result $? 'each request has one end'
echo "1..$n"
