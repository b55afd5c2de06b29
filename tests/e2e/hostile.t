#!/bin/bash
# Peers with bad manners at the front door: strangers, revoked keys, chosen
# routing ids, garbage, messages of many frames, messages without end.  The
# others are served on, and the core never stops.
#
# shellcheck disable=SC1091,SC2154,SC2181
set -u
. "$(dirname "$0")/broker.sh"
case $HT_BUILD in # a sanitizer's own memory counts as well
*san-*) memory=512MiB flood=1000 patience=4 ;;
*) memory=96MiB flood=400 patience=1 ;;
esac
world tcp://127.0.0.1:"$(free_port)" "front: {memory: $memory}"
start
ok "the broker starts"
core=$broker_pid
front() {
	ctl status | sed 's/.*"front":{"pid":\([0-9]*\),.*/\1/'
}

peer good tax.demo/state shell
peer asked scjg.demo/registry main
peer bad tax.demo/local main
say good open
say good hello
say asked open
say asked hello serves
sees good "welcome" && sees asked "welcome"
ok "good nodes are connected"
served() { # SECONDS: a whole exchange goes through
	say asked next
	say good ask 1
	sees good "ack OK" "$1" || return 1
	sees asked "deliver 1" "$1" || return 1
	say asked got
	say asked answer
	say good next
	sees asked "ack OK" "$1" && sees good "deliver 1" "$1" || return 1
	say good got
}
served 8
ok "and served"

# --- strangers ---
say bad key random
say bad open
say bad ping
sees bad "nothing" 9
ok "a key that nobody knows gets no word in"

# --- routing ids ---
say bad key tax.demo/local main
say bad open 0012345678
say bad hello
sees bad "welcome"
ok "a routing id of the socket's own kind does no harm"
say bad open 61
say bad hello
sees bad "welcome"
say asked ping
sees asked "pong"
ok "nor does another, and nobody loses a connection by it"

# --- garbage ---
for size in 0 1 3 100 5000 1265664; do
	say bad random 5 $size
done
say bad frame 94010300c1
say bad frame ddffffffff
say bad frame c6ffffffff
say bad frame 9f
say bad frame 940163c0c0
say bad drain 1000
sees bad "error MALFORMED" && sees bad "drained (2[5-9]|3[0-9])"
ok "garbage is refused, each time"
say bad ping
sees bad "pong" && served 8
ok "and costs nothing more than that"

# --- one message, many frames ---
say bad parts 3 100
say bad drain 500
sees bad "error MALFORMED.*one frame"
ok "a message of several frames is refused"
say bad parts 20000 10
say bad drain 500
say bad ping
sees bad "pong" && served 8
ok "also one of twenty thousand"

# --- too large ---
say bad random 1 1265665
say bad sleep 500
say bad ping
served 8
ok "a frame too large ends its own connection only"

# --- messages without end ---
starts() {
	ctl status | sed 's/.*"starts":\([0-9]*\),.*/\1/'
}
flooded() { # how many fronts there were before
	[ "$(starts)" -gt "$1" ] && listening
}
before=$(starts)
say bad open
say bad hello
sees bad "welcome"
say bad flood $flood
within $((60 * patience)) flooded "$before"
ok "an endless message ends the front, and another is there"
since=$SECONDS
say good hello
say asked hello serves
sees good "welcome" 5 && sees asked "welcome" 5 && served 5 &&
	[ $((SECONDS - since)) -le 5 ]
ok "within 5 s the others are served"
[ "$broker_pid" = "$core" ] && kill -0 "$core"
ok "and the core never stopped"
sees bad "flooded" $((20 * patience))
before=$(starts)
say bad open
say bad hello
sees bad "welcome" 8
say bad flood $flood
within $((60 * patience)) flooded "$before"
within 5 grep -q "tax.demo/local/main.* is shut out" "$dir/broker.log"
ok "after the second flood its node is shut out"
sees bad "flooded" $((20 * patience))
say bad open
say bad ping
say good hello
say asked hello serves
sees good "welcome" 5 && sees asked "welcome" 5 && served 5
ok "the others are served again"
sees bad "nothing" 9
ok "it is not"
ctl forgive | grep -q '"admitted-again":1'
say bad open
say bad hello
sees bad "welcome"
ok "until the operator forgives it"

# --- the front dies of something else ---
kill -9 "$(front)"
within 5 grep -q "ended by signal 9" "$dir/broker.log"
within 5 listening
say good hello
say asked hello serves
sees good "welcome" 5 && sees asked "welcome" 5 && served 5
ok "killed, it is there again, and the exchange goes on"

ended TERM
ok "the broker stops as it should"
verify
ok "the log verifies"
[ "$(entries REJECT)" -ge 10 ] && [ "$(entries ADMIN)" -eq 2 ]
ok "and has the refusals, the shut-out and the pardon"

echo "1..$n"
