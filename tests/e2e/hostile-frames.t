#!/bin/bash
# tests/e2e/hostile-frames.t -- bytes that no node of ours would send, and
# clients that are none: each ends in an error that says where and why, or in a
# closed connection; core, front and the other members go on.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/world.sh
start_world
front=$(front_pid)

# frame WORDS WHAT FRAME: after HELLO; and the connection lives on, or is
# made anew: a PING is answered
frame() {
	run 0 "$1" "$2" raw frames "$dir/local.yaml" "$3" 93010805
	[ "$(tail -n 1 "$dir/out")" = PONG ]
	result $? '- and the next message is served'
}

run 0 '^PONG' 'a good frame is answered' raw frames "$dir/local.yaml" 93010805
# --- the form ---
frame '^MALFORMED offset' 'an empty frame' ''
frame '^MALFORMED offset' 'a truncated one' 930108
frame '^MALFORMED offset' 'one with a byte too many' 9301080500
frame '^MALFORMED offset' 'an integer that is longer than need be' 930108cc05
frame '^MALFORMED offset' 'text that is no UTF-8' 930108a2c328
frame '^MALFORMED offset' 'a map with a key twice' 93010882a16101a16102
frame '^MALFORMED offset' 'keys out of order' 93010882a16201a16102
frame '^MALFORMED offset' 'a type that the profile lacks' 930108ca3f800000
frame '^MALFORMED offset' 'a thousand arrays in each other' '930108+91*1000+c0'
frame '^MALFORMED offset' 'sixteen thousand maps' '930108+81a161*16000+c0'
for type in 'dd an_array' 'df a_map' 'c6 bytes' 'db text' 'c9 an_extension'; do
	frame '^MALFORMED offset' "${type#* } that claims 4 GiB" \
	    "930108${type% *}ffffffff"
done
frame '^MALFORMED offset' 'a frame that claims to be 4 GiB' ddffffffff
frame '^MALFORMED' 'more than one frame' 93010805/93010805
frame '^MALFORMED' 'three frames, empty ones' 93010805//00
frame '^TOO_BIG' 'a PING of 70 kB' '930108+c500ff+00*255+00*70000'
frame '^CLOSED' 'a frame above the limit' '930103+00*1409100'

# --- bundles, which go another way ---
frame '^MALFORMED' 'a bundle cut off' 94010307
frame '^MALFORMED' 'a bundle of other things' 94010307c0
frame '^MALFORMED' 'a bundle that claims 4 GiB' 94010307ddffffffff
frame '^MALFORMED' 'a bundle as deep as can be' '940103+07+91*5000+c0'
frame '^MALFORMED' 'a bundle of a megabyte of nothing' '94010307+c0*1000000'
frame '^MALFORMED\|^VERSION' 'a bundle of a suite not known' \
    '94010307+98+63+a161+a162+c408+00*8+01+c440+00*64+90+90'

# --- what it says ---
frame '^UNKNOWN_TYPE' 'a type that there is not' 93016305
frame '^UNKNOWN_TYPE\|^MALFORMED' "the broker's own message" '940111+00+01'
frame '^VERSION' 'another version of the protocol' 93020805
frame '^MALFORMED' 'a proof from beyond the log' '94010c+05+cf7fffffffffffffff+00'
frame '^MALFORMED' 'a consistency proof of nothing' '94010e+05+cf7fffffffffffffff+00'
# To a GOT nothing is answered: the PING after it is.
run 0 '^PONG' 'a GOT of what was never sent' raw frames "$dir/local.yaml" \
    '!940106+00+93+00+02+cf7fffffffffffffff' 93010805
early() {
	run 0 "$1" "$2" raw early "$dir/local.yaml" "$3"
}
early '^HELLO_FIRST' 'a BUNDLE before HELLO' 94010307c0
early '^HELLO_FIRST' 'a PING before HELLO' 93010805
name=$(printf tax.demo/state/main | od -An -v -tx1 | tr -d ' \n')
early '^NOT_SENDER' "HELLO in another's name" \
    "99010105+9101+b3$name+c000c2c2"
name=$(printf tax.demo/local/main | od -An -v -tx1 | tr -d ' \n')
early '^VERSION' 'HELLO with no version that is spoken' \
    "99010105+9163+b3$name+c000c2c2"
still_serving 'bad frames'

# --- who connects ---
run 0 '^REFUSED' 'a key that ZAP does not know' raw stranger "$dir/local.yaml"
run 0 '^CLOSED' 'CURVE with another server key' raw wrong-server "$dir/local.yaml"
run 0 '^MISMATCH\|^CLOSED' 'no CURVE at all' raw null "$dir/local.yaml"
run 0 '^MISMATCH\|^CLOSED' 'a name and a password' raw plain "$dir/local.yaml"
for id in 00 0000000001 00ffffffff 006b8b4567 '00*255' '41*255'; do
	run 0 '^PONG' "a routing id of its own: $id" \
	    raw id "$dir/local.yaml" "$id" 93010805
done
# libzmq's own ids are 00 and a counter, which begins at rand(): unseeded, here.
mkfifo "$dir/hold"
raw ids "$dir/local.yaml" 6b8b4567 100 <"$dir/hold" >"$dir/ids" 2>&1 &
pids="$pids $!"
exec 7>"$dir/hold"
within 20 grep -q PONG "$dir/ids"
result $? 'a hundred ids that one might guess, and one of them twice'
run 0 ztmc 'others connect meanwhile' good
exec 7>&-

# --- bytes that are no ZMTP ---
port=${address##*:}
garbage() {
	exec 8<>"/dev/tcp/127.0.0.1/$port" || return 1
	# In a shell of its own: the broker may close first, and SIGPIPE ends it.
	("$@" >&8 2>/dev/null)
	timeout 0.2 cat <&8 >/dev/null 2>&1
	exec 8>&- 8<&-
	return 0
}
garbage head -c 200000 /dev/urandom
garbage printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
garbage printf '\xff\0\0\0\0\0\0\0\1\x7f\3\1CURVE\0\0\0'
garbage printf '\xff\0\0\0\0\0\0\0\1\x7f\3\1CURVE\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\6\xff\xff\xff\xff\xff\xff\xff\xff'
garbage printf '\1\0\377\377\377\377'
still_serving 'garbage'
[ "$(front_pid)" = "$front" ] && [ "$(value starts)" = 1 ]
result $? 'the front is the one that began'

stop_broker
log_is_intact
hutong-audit search --dir "$log" --root "$auth/root.note" --limit 200 \
    --status MALFORMED >"$dir/out" 2>"$dir/err"
[ "$(grep -c MALFORMED "$dir/out")" -ge 20 ]
result $? 'the refusals are in the log'
echo "1..$n"
