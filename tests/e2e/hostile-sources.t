#!/bin/bash
# tests/e2e/hostile-sources.t -- databases that are down, slow, missing or full
# of the wrong things, and configurations full of mistakes: who asks is told
# what is wrong and who must act; the adapter goes on, and so do the others.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/world.sh
start_world

workers() { # the pids of the adapter's workers
	pgrep -P "$statistics"
}
restart() { # with this configuration
	kill -TERM "$statistics"
	wait "$statistics"
	adapter "$1"
	statistics=$adapter
	within 20 serves 2
	result $? 'the adapter is connected'
}

run 0 4711 'a good database answers' statistics 999900
# --- wrong types ---
run 1 'SOURCE_INVALID.*field hs: a whole number' 'text for a number' statistics 999901
says 'provider must act' 'and who must act is said'
run 1 'SOURCE_INVALID.*/hs: is less than 0' 'a number out of bounds' statistics 999902
run 1 'SOURCE_INVALID.*/hs: is missing' 'NULL for what must be' statistics 999903
run 1 'SOURCE_INVALID.*field hs: a whole number' 'bytes for a number' statistics 999904

# --- slow ---
before=$(workers)
run 3 SOURCE_SLOW 'a statement without end is ended at its deadline' statistics 999909
gone() {
	[ -n "$before" ] && ! kill -0 $before 2>/dev/null
}
within 10 gone
result $? 'and its worker was stopped'
run 0 4711 'another worker answers the next' statistics 999900
still_serving 'a slow database'

# --- down: what was a database is none any more ---
mv "$dir/statistics.db" "$dir/kept.db"
head -c 8192 /dev/urandom >"$dir/statistics.db"
restart statistics.yaml
run 1 SOURCE_INVALID 'a file that is no database' statistics 999900
grep -q 'not a database' "$dir/statistics.log"
result $? 'the operator is told why'

# --- missing: nobody ever made it; nothing of ours does ---
rm "$dir/statistics.db"
run 3 SOURCE_DOWN 'a database that is gone' statistics 999900
restart statistics.yaml
run 3 SOURCE_DOWN 'a database that never was' statistics 999900
[ ! -e "$dir/statistics.db" ]
result $? 'asking did not make an empty one'
grep -q "statistics.db" "$dir/statistics.log"
result $? 'the operator is told which file'
mv "$dir/kept.db" "$dir/statistics.db"
answers_again() {
	statistics 999900 | grep -q 4711
}
within 20 answers_again
result $? 'once it is there again, it answers, with no restart'
still_serving 'all this'

# --- a broker's mistakes ---
cat >"$dir/bad.yaml" <<-END
	authority: $auth
	listen: 127.0.0.1:5600
	transport-key: [a, b]
	log:
	  dir: log
	  reserve: much
	control: ctl2.sock
	front: {memory: 1KiB}
	limits:
	  open: -4
	  opne: 5
	verify-threads: 0
	color: red
END
run 1 'bad.yaml:2:9: .*tcp://' 'a broker with mistakes does not start' \
    hutong-broker --config "$dir/bad.yaml"
check_each() { # of what the last run said, each of the places given
	local at
	for at; do
		grep -q "bad.yaml:$at: " "$dir/err" || echo "missed $at" >>"$dir/missed"
	done
	cat "$dir/missed" >>"$dir/err" 2>/dev/null
	[ ! -e "$dir/missed" ]
	result $? "each mistake is named with line and column ($#)"
	rm -f "$dir/missed"
}
check_each 2:9 3:16 4:1 6:12 8:17 10:9 11:3 12:17 13:1
run 1 'bad.yaml:2:9' '--check says the same' hutong-broker --check "$dir/bad.yaml"
for text in 'a: [1, 2' $'a: 1\na: 2' 'a: &x 1' $'\tx: 1' $'a: \xff\xfe' \
    'a: !!int 1' $'a: 1\n---\nb: 2'; do
	printf '%s\n' "$text" >"$dir/bad.yaml"
	run 1 'bad.yaml:[0-9]*:[0-9]*: ' \
	    "what is no YAML of ours: $(printf %q "$text")" \
	    hutong-broker --check "$dir/bad.yaml"
done
sed "s#authority: .*#authority: $dir/nowhere#" "$conf" >"$dir/bad.yaml"
run 1 'nowhere' 'a broker with no policy' hutong-broker --config "$dir/bad.yaml"
says 'there is no usable policy; not starting' 'refuses to start'

# --- an adapter's mistakes ---
cat >"$dir/bad.yaml" <<-END
	root: $auth/root.note
	member: tax.demo
	node: main
	keys:
	  signing: $dir/keys/tax.demo/state/main-signing.key
	  sealing: $dir/keys/tax.demo/state/sealing.key
	state: state-bad
	sources:
	  slow: {timeout: soon, odbc: {connect: x}}
	  none: {timeout: 1s}
	  db: {odbc: {connect: x}}
	items:
	  gx.demo/ZXTJ:
	    source: nosuch
	  gx.demo/SCZTDJ:
	    source: db
	    statement: 'SELECT 1'
	    columns:
	      hs: {column: n, as: colour}
	      xzqh: {colum: n}
	color: red
END
run 1 'bad.yaml:2:9' 'an adapter with mistakes' \
    hutong-adapter --check --config "$dir/bad.yaml"
check_each 2:9 4:1 9:19 10:9 14:13 19:27 20:14 21:1
run 1 'bad.yaml:2:9' 'does not start either' hutong-adapter --config "$dir/bad.yaml"
sed 's/hs: {column: n/nosuch: {column: n/; s/:xzqh/:shi/' "$dir/statistics.yaml" \
    >"$dir/bad.yaml"
run 1 'nosuch' 'a mapping of what the catalog does not have' \
    hutong-adapter --check --trust "$auth" --config "$dir/bad.yaml"
says 'shi' 'and of a parameter that it does not have'
still_serving 'bad configurations'

stop_broker
log_is_intact
echo "1..$n"
