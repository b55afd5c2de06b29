#!/bin/bash
# The broker as real processes: start, exchange, refuse, reload, die and come
# back, stop; and what the log says of it.
#
# shellcheck disable=SC1091,SC2154,SC2181
set -u
. "$(dirname "$0")/broker.sh"
world tcp://127.0.0.1:"$(free_port)"

# --- configuration ---
"$B" --check "$dir/world/broker.yaml" >"$dir/check.out" 2>&1
ok "a good configuration passes the check"

cat >"$dir/world/bad.yaml" <<-EOF
	authority: authority
	listen: somewhere
	log: {dir: log, key: keys/log.key, reserve: lots, volume: {every: week, entries: 9}}
	control: ctl.sock
	front: {memory: 1KiB}
	colour: red
EOF
"$B" --check "$dir/world/bad.yaml" >"$dir/check.out" 2>&1
[ $? -eq 1 ] && grep -q 'bad.yaml:2:' "$dir/check.out" &&
	grep -q "bad.yaml:3:.*reserve" "$dir/check.out" &&
	grep -q "bad.yaml:3:.*month" "$dir/check.out" &&
	grep -q "bad.yaml:3:.*entries" "$dir/check.out" &&
	grep -q "bad.yaml:5:.*memory" "$dir/check.out" &&
	grep -q "bad.yaml:6:.*colour" "$dir/check.out" &&
	grep -q "transport-key" "$dir/check.out"
ok "a bad one is refused with every mistake and its line"

sed 's|keys/broker.key|keys/snapshot.key|' "$dir/world/broker.yaml" \
    >"$dir/world/bad.yaml"
"$B" --check "$dir/world/bad.yaml" >"$dir/check.out" 2>&1
[ $? -eq 1 ] && grep -q "transport key is needed" "$dir/check.out"
ok "a key of another purpose is refused"

cp -r "$dir/world/authority" "$dir/world/broken"
rm "$dir/world/broken/snapshot.note"
sed 's|^authority: .*|authority: broken|' "$dir/world/broker.yaml" \
    >"$dir/world/bad.yaml"
"$B" --config "$dir/world/bad.yaml" >"$dir/check.out" 2>&1
[ $? -eq 1 ] && grep -q "no usable policy" "$dir/check.out" &&
	[ ! -e "$dir/world/log" ]
ok "without a usable policy it does not start"

as_of=$(cat "$dir/world/as-of")
"$HT_BUILD/prog/world" "$dir/later" "$address" 3 tax.demo/local "$as_of" \
    $((as_of + 600000)) || exit 1
cp -r "$dir/later/authority" "$dir/world/later"
sed 's|^authority: .*|authority: later|' "$dir/world/broker.yaml" \
    >"$dir/world/bad.yaml"
"$B" --check "$dir/world/bad.yaml" >"$dir/check.out" 2>&1
[ $? -eq 1 ] && grep -q "issued .*, which is in the future" "$dir/check.out"
ok "nor with a current note of tomorrow, which no newer one could replace"

# --- an exchange ---
start
ok "the broker starts and listens"
"$B" --config "$dir/world/broker.yaml" >"$dir/second.out" 2>&1
[ $? -eq 3 ] && grep -q "another broker" "$dir/second.out"
ok "a second one on the same log does not"

peer asker tax.demo/state main
peer asked scjg.demo/registry main
say asker open
say asker ask 1
sees asker "error HELLO_FIRST"
ok "before HELLO nothing is served"
say asker hello
say asked open
say asked hello serves
sees asker "welcome 2" && sees asked "welcome 2"
ok "nodes are welcomed"
ctl nodes | grep -q '"node":"scjg.demo/registry/main","serves":true'
ok "and listed"

say asker ask 3
say asked next
sees asker "ack OK" && place=${line##* } && sees asker "ack OK" &&
	sees asker "ack OK" && sees asked "deliver 3 $place"
ok "a bundle of three is accepted and delivered as one"
say asked got
say asked answer
say asker next
sees asked "ack OK" && sees asker "deliver 3"
ok "the answers come back as one"
say asker got
say asker again
sees asker "ack OK $place"
ok "a retry has the same answer"
peer third tax.demo/local main
say third open
say third hello
sees third "welcome 2"
say asker prove "$place"
say asked prove "$place"
say third prove "$place"
sees asker "^proof $place [1-9]" && sees asked "^proof $place [1-9]" &&
	sees third "^proof $place 0$"
ok "both sides may have the entry, a third member its proof alone"
say third close

# --- refusals, each with its code ---
refused() { # STATUS MOD...
	local status=$1
	shift
	say asker ask 1 "$@"
	sees asker "(ack|error) $status"
	ok "$status is what $* gets"
}
refused PURPOSE purpose=curiosity
refused NO_GRANT grant=gx.demo/99
refused GRANT_PERIOD grant=gx.demo/4
refused GRANT_OTHER grant=gx.demo/2
refused NO_ITEM item=gx.demo/NOTHING
refused ITEM_VERSION version=9
refused NOT_PROVIDER recipient=tax.demo/local
refused OPERATION op=4
refused TAG_MISSING no-tag
refused SEAL_KEY bad-seal
refused BAD_SIGNATURE bad-sig
refused KEY_UNKNOWN other-key
refused BODY_HASH bad-body
refused TAG_HASH bad-tag
refused NOT_SENDER sender=tax.demo/local
refused CLOCK created=100000
refused CLOCK created=-100000 life=200000
refused EXPIRED created=-30000 life=10000
refused MALFORMED trunc
refused MALFORMED long
refused OPERATION push
say asker ask 1
sees asker "ack OK"
say asker ask 1 same-id
sees asker "ack CONFLICT"
ok "another record under the same id is CONFLICT"

say asked next
sees asked "deliver 1"
say asked answer reply-to-none
sees asked "ack NO_REQUEST"
ok "an answer that cites no request is refused"
say asked answer purpose=other
say asker next
sees asked "ack [A-Z_]+ [1-9]" && sees asker "end [A-Z_]+ [1-9]"
ok "an answer against the rules ends its request, and the asker hears it"
say asker ask 1 life=1000
say asked next
sees asker "ack OK" && sees asked "deliver 1"
say asker next
sees asker "end EXPIRED"
ok "a request nobody answered ends when its life does"
say asked answer
sees asked "ack LATE"
ok "and an answer after that is LATE"

# --- kill -9 ---
say asked close
sleep 0.3
say asker ask 2 life=60000
sees asker "ack OK" && place=${line##* }
ok "a request for a member that has just gone is kept"
ended KILL
start
ok "after kill -9 it starts again"
say asker open
say asker hello
say asker again
sees asker "welcome 2" && sees asker "ack OK $place"
ok "what was acknowledged has the same place"
say asked open
say asked hello serves
say asked next
sees asked "welcome 2" && sees asked "deliver 2 $place"
ok "and what was not delivered is, as the one bundle it was"
say asked answer
sees asked "ack OK" && place=${line##* }
ended KILL
start
say asker open
say asker hello
# Before it, the answers whose GOT the dead one knew of.
say_often asker next 500
sees asker "welcome 2" && sees asker "deliver 2 $place"
ok "an answer that was acknowledged outlives kill -9 as well"

# --- reload ---
next_world() {
	"$HT_BUILD/prog/world" "$dir/next" "$address" 3 tax.demo/local \
	    "$(cat "$dir/world/as-of")" || exit 1
}
next_world
rm "$dir/next/authority/snapshot.list"
mv "$dir/world/authority" "$dir/first" &&
	cp -r "$dir/next/authority" "$dir/world/authority"
ctl reload >"$dir/reload.out" 2>&1
[ $? -eq 1 ] && grep -q "stays so" "$dir/reload.out" &&
	ctl status | grep -q '"snapshot":2'
ok "a broken catalog is refused whole; the old one stays"
rm -r "$dir/world/authority" "$dir/next"
next_world
cp -r "$dir/next/authority" "$dir/world/authority"
ctl reload >"$dir/reload.out" 2>&1
ok "a good one is taken"
say_often asker next 500
sees asker "notice 3"
ok "nodes are told"
peer local tax.demo/local main
say local open
say local hello
say local ask 1 grant=gx.demo/2
sees local "welcome 3" && sees local "(ack|error) MEMBER_SUSPENDED"
ok "and decisions are under the new one"
kill -HUP "$broker_pid"
within 5 grep -q "snapshot 3 is in force, as before" "$dir/broker.log"
ok "SIGHUP reloads too"

# --- the end ---
ended TERM
ok "SIGTERM stops it with exit code 0"
verify
ok "the log verifies, every signature checked"
[ "$(entries START)" -eq 3 ] && [ "$(entries STOP)" -eq 1 ] &&
	[ "$(entries CONFLICT)" -eq 1 ] && [ "$(entries LATE)" -eq 1 ] &&
	[ "$(entries EXPIRED)" -eq 1 ] && [ "$(entries ADMIN)" -ge 3 ] &&
	[ "$(entries REJECT)" -ge 20 ]
ok "and has an entry for everything"

# --- an older policy ---
# refuses WORD: the broker on the older folder
refuses() {
	sed 's|^authority: .*|authority: older|' "$dir/world/broker.yaml" \
	    >"$dir/world/bad.yaml"
	timeout 20 "$B" --config "$dir/world/bad.yaml" >"$dir/older.out" 2>&1
	[ $? -eq 1 ] && grep -q "not starting" "$dir/older.out" &&
		grep -q "$1" "$dir/older.out" &&
		grep -q "above 3" "$dir/older.out"
}
size=$(entries SNAPSHOT)
mv "$dir/first" "$dir/world/older"
refuses "has snapshot 2 .*, and snapshot 3 .* is in force since entry"
ok "a snapshot older than the log's last does not start"
rm -r "$dir/world/older" "$dir/next"
next_world
cp -r "$dir/next/authority" "$dir/world/older"
refuses "has snapshot 3 .*, and snapshot 3 "
ok "nor does another one of the same version"
verify
[ "$(entries SNAPSHOT)" -eq "$size" ] && [ "$(entries START)" -eq 3 ]
ok "and nothing of it is in the log"

# --- rollback ---
cp -r "$dir/world/log" "$dir/old-log"
start
peer witness tax.demo/state shell
say witness open
say witness hello
sees witness "welcome"
say witness ask 1
sees witness "ack OK"
ended TERM
rm -r "$dir/world/log" && mv "$dir/old-log" "$dir/world/log"
start
say witness keep
say witness open
say witness hello
wait "$broker_pid"
code=$?
broker_pid=
[ $code -eq 4 ] && grep -q "rolled back" "$dir/broker.log"
ok "a log behind what a node has seen stops the broker"

echo "1..$n"
