#!/bin/bash
# tests/e2e/hostile-greed.t -- an admitted member that asks tens of thousands of
# short questions with long answers, and reads none: it is told to wait, and
# the front that all share is not filled with what it will not take.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/world.sh
start_world

run 0 ztmc 'a good question is answered' good
first=$(front_pid)
busy=$(value busy)
run 0 '^ASKED' 'a member asks for the snapshot 30,000 times' \
    raw greedy "$dir/police.yaml" 30000 2
[ "$(front_pid)" = "$first" ] && [ "$(value starts)" -eq 1 ]
result $? 'the front is the same process'
[ "$(value busy)" -gt "$busy" ]
result $? 'the member was held back'
still_serving 'the greed'
held_back() {
	[ "$(value busy)" -gt "$busy" ]
}
run 0 PONG 'it may ask again, more slowly' \
    raw frames "$dir/police.yaml" 93010805

busy=$(value busy)
run 0 '^ASKED' 'a member says HELLO 40,000 times' \
    raw greeting "$dir/police.yaml" 40000 0
within 20 held_back
result $? 'the member was held back for that, too'
still_serving 'the greetings'

# None asks for more than it may; together they take nothing of a great deal.
# A sanitizer's own memory hides what the front holds: not judged there.
take_nothing() {
	for one in police local good; do
		raw greedy "$dir/$one.yaml" 2000 60 >/dev/null 2>&1 &
		pids="$pids $!"
	done
	within 60 flooded
}
flooded() {
	grep -q '#.*: flood 1' "$dir/broker.log"
}
case $HT_BUILD in
*/san-*)
	n=$((n + 1))
	echo "ok $n - who takes nothing is blamed # skip under a sanitizer"
	;;
*)
	take_nothing
	result $? 'who does not take what it is given is blamed for it'
	;;
esac
stop_broker
log_is_intact
echo "1..$n"
