#!/bin/bash
# tests/cli/consistency.t -- does a newer checkpoint continue the one that was
# kept: by a folder, by the socket, by a file alone; and a fork, seen as one.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
audit=$HT_BUILD/hutong-audit
make_log=$HT_BUILD/prog/make-log

# Two logs of one key that part after entry 85: queries are entries, and have
# times of their own.  checkpoint NAME: the newest one of the log in $dir/NAME.
live() { # name
	mkdir "$dir/$1"
	mkfifo "$dir/$1.hold"
	"$make_log" "$dir/$1" serve <"$dir/$1.hold" >"$dir/$1.out" &
	exec {hold}>"$dir/$1.hold"
	for _ in $(seq 100); do
		grep -q serving "$dir/$1.out" && break
		sleep 0.1
	done
}
where() { # name
	echo --socket "$dir/$1/audit" --key "$dir/$1/keys/auditor.key" --why test
}
checkpoint() { # name, file
	# shellcheck disable=SC2046
	"$audit" prove 3 $(where "$1") | sed '1,/^$/d' >"$2"
}
live one
one=$hold
live two
two=$hold
vkey=$(sed -n 's/^log: \([^ ]*\).*/\1/p' "$dir/one/authority/root.note")
for i in 1 2 3 4 5 6 7 8 9; do
	# Nobody asks now: what is copied is a whole log, of fewer entries.
	[ "$i" -ne 4 ] || cp -r "$dir/one/log" "$dir/short"
	checkpoint one "$dir/one.$i"
	checkpoint two "$dir/two.$i"
done
[ "$(sed -n 2p "$dir/one.1") $(sed -n 2p "$dir/one.9")" = '86 94' ]
result $? 'checkpoints of 86 to 94 entries'

# --- through the socket ---
# shellcheck disable=SC2046
{
	run 0 'the newer continues the older' "$audit" consistency \
	    "$dir/one.2" "$dir/one.8" $(where one) --vkey "$vkey" \
	    -o "$dir/2-8.consistency"
	says 'consistent the newer begins with the older' 'it says so'
	run 6 'the other log at the same size' "$audit" consistency \
	    "$dir/one.2" "$dir/two.8" $(where one) --vkey "$vkey"
	says "FORK: $dir/two.8" 'the note of the other log is named'
	run 6 'asked of the other log' "$audit" consistency \
	    "$dir/one.2" "$dir/two.8" $(where two) --vkey "$vkey"
	says "FORK: $dir/one.2" 'the first note is named'
}
exec {one}>&- {two}>&-
wait

# --- with the stopped log ---
run 0 'by the folder' "$audit" consistency "$dir/one.1" "$dir/one.9" \
    --dir "$dir/one/log" --vkey "$vkey" -o "$dir/1-9.consistency"
run 0 'the first with itself' "$audit" consistency "$dir/one.1" "$dir/one.1" \
    --dir "$dir/one/log" --vkey "$vkey"
run 6 'a log that lacks what was signed' "$audit" consistency \
    "$dir/one.1" "$dir/one.9" --dir "$dir/short" --vkey "$vkey"
says 'the log has fewer entries than this checkpoint' 'it says so'
run 2 'the older one goes first' "$audit" consistency "$dir/one.9" \
    "$dir/one.1" --dir "$dir/one/log"

# --- offline ---
run 0 'a file with its proof' "$audit" consistency "$dir/one.2" \
    "$dir/2-8.consistency" --vkey "$vkey"
says "signed by the log's key" 'the signatures were checked'
run 0 'unchecked signatures are said' "$audit" consistency "$dir/one.1" \
    "$dir/1-9.consistency"
says 'NOT CHECKED' 'so they are'
run 4 'the proof of another beginning' "$audit" consistency "$dir/one.3" \
    "$dir/2-8.consistency" --vkey "$vkey"
run 4 'a proof is no word about another log' "$audit" consistency \
    "$dir/two.2" "$dir/2-8.consistency" --vkey "$vkey"
says 'ask the log itself' 'it says what to do'
run 6 'one size, two roots' "$audit" consistency "$dir/one.5" "$dir/two.5" \
    --vkey "$vkey"
says 'two roots were signed for one size' 'it says so'
run 0 'one size, one root' "$audit" consistency "$dir/one.5" "$dir/one.5" \
    --vkey "$vkey"
run 2 'no proof and no log' "$audit" consistency "$dir/one.5" "$dir/one.6" \
    --vkey "$vkey"
sed 's/^old 87$/old 88/' "$dir/2-8.consistency" >"$dir/mixed"
run 4 'a proof from elsewhere' "$audit" consistency "$dir/one.2" "$dir/mixed" \
    --vkey "$vkey"
missed=0
length=$(wc -c <"$dir/2-8.consistency")
for ((at = 0; at < length; at += 7)); do
	flip "$dir/2-8.consistency" "$dir/mixed" "$at"
	"$audit" consistency "$dir/one.2" "$dir/mixed" --vkey "$vkey" \
	    >"$dir/out" 2>"$dir/err" && missed=1 && echo "# byte $at"
done
result "$missed" "a bit of every 7th of $length bytes is noticed"
run 2 'one file alone' "$audit" consistency "$dir/one.2"
run 3 'no such file' "$audit" consistency "$dir/one.2" "$dir/none"
sed '2s/.*/85/' "$dir/one.1" >"$dir/mixed"
run 4 'a checkpoint that nobody signed' "$audit" consistency "$dir/mixed" \
    "$dir/one.1" --vkey "$vkey"
printf 'gx.demo/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n' |
	"$HT_BUILD/prog/note" sign "$(printf '%064d' 1)" gx.demo/log \
	    >"$dir/empty"
run 0 'everything continues nothing' "$audit" consistency "$dir/empty" \
    "$dir/one.4"
echo "1..$n"
