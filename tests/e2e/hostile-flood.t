#!/bin/bash
# tests/e2e/hostile-flood.t -- an admitted member that sends one message without
# end: the front gives up and comes again, the core never stops, others are
# served again within seconds, and who does it twice is left out until the
# operator forgives.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/world.sh
start_world
within_s=$((5 * patience))

now_ms() {
	echo $(($(date +%s%N) / 1000000))
}
# Until the well-behaved one has an answer again; how long that took.
measure_gap() { # what
	local from
	from=$(now_ms)
	until hutong query gx.demo/SCZTDJ shxydm=91999999000000019D --timeout 2s \
	    --purpose tax-registration --config "$dir/good.yaml" \
	    --officer 'Officer 1' --case C-2 >"$dir/out" 2>"$dir/err"; do
		[ $(($(now_ms) - from)) -lt 60000 ] || break
	done
	gap=$(($(now_ms) - from))
	[ "$gap" -le $((within_s * 1000)) ]
	result $? "$1: others are served again within $within_s s"
	echo "# $1: $gap ms from the front's end to the next answer"
}
flooded() { # how many times so far
	[ "$(value floods)" -ge "$1" ] && [ "$(value starts)" -gt "$1" ] &&
		[ "$(value ready)" = true ]
}

run 0 ztmc 'a good question is answered' good
first=$(front_pid)
# Much more than the front may hold; nothing of it is ever whole.
run 0 '^CLOSED' 'a message in endless parts ends the connection' \
    raw flood "$dir/police.yaml" 6000
measure_gap 'the first flood'
within 10 flooded 1
result $? 'the front was flooded, and another one started'
[ "$(front_pid)" != "$first" ]
result $? 'it is another process'
grep -q 'police.demo/residents/main#.* flood 1' "$dir/broker.log"
result $? 'it is known who did it'
still_serving 'the first flood'
within 20 serves 2
result $? 'all who serve are connected again'

run 0 '^CLOSED' 'the same member, once more' raw flood "$dir/police.yaml" 6000
measure_gap 'the second flood'
within 10 flooded 2
result $? 'and again a new front'
run 0 '^REFUSED' 'who does it twice is not let in again' \
    raw stranger "$dir/police.yaml"
run 1 '^REFUSED' 'not with its good key' \
    raw frames "$dir/police.yaml" 93010805
still_serving 'the second flood'
run 0 'admitted-again": *1' 'the operator forgives' ctl forgive
admitted() {
	raw frames "$dir/police.yaml" 93010805 | grep -q PONG
}
within 10 admitted
result $? 'and it is let in again'
# One that has never said a word has no name in the front but ZAP's; another
# that says none, but from elsewhere, must not share the blame.
mkfifo "$dir/hold"
raw mute "$dir/local.yaml" 127.0.0.2 <"$dir/hold" >"$dir/mute" 2>&1 &
pids="$pids $!"
exec 9>"$dir/hold"
within 20 grep -q MUTE "$dir/mute"
result $? 'one is let in from another address, and is mute'
run 0 '^CLOSED' 'a flood without HELLO' raw mute-flood "$dir/police.yaml" 6000
measure_gap 'a flood without HELLO'
still_serving 'three floods'
# One that speaks on one connection, and floods on another that never did.
run 0 '^CLOSED' 'a flood beside a good connection' \
    raw two-flood "$dir/police.yaml" 6000
measure_gap 'a flood beside a good connection'
run 1 '^REFUSED' 'it is known who did it, and left out' \
    raw frames "$dir/police.yaml" 93010805
[ "$(grep -c 'is shut out' "$dir/broker.log")" -eq 2 ] &&
	! grep 'is shut out' "$dir/broker.log" | grep -qv police
result $? 'and nobody else'
! grep 'tax.demo/local.*: flood' "$dir/broker.log" >/dev/null
result $? 'not even blamed'
exec 9>&-
still_serving 'four floods'

stop_broker
log_is_intact
run 0 'shut-out\|ADMIN' 'that it was left out, and forgiven, is in the log' \
    hutong-audit search --dir "$log" --root "$auth/root.note" --type ADMIN
echo "1..$n"
