# tests/lib/tap.sh -- for tests of commands: ok, run, exits, says; $dir is a
# fresh folder that goes away.
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0

result() { # status, what
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/#  /' "$dir/out" "$dir/err" 2>/dev/null
	fi
}
# ok WHAT: the status of the command before is the verdict
ok() {
	result $? "$1"
}
# exits WANTED-STATUS WORDS COMMAND...: for ok; it says the words, too
exits() {
	local want=$1 words=$2 got
	shift 2
	"$@" >"$dir/out" 2>"$dir/err" </dev/null
	got=$?
	[ "$got" -eq "$want" ] || {
		echo "# status $got, not $want" >>"$dir/err"
		return 1
	}
	grep -qF -- "$words" "$dir/out" "$dir/err"
}
# run WANTED-STATUS WHAT COMMAND...
run() {
	local want=$1 what=$2 got
	shift 2
	"$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ "$got" -eq "$want" ] || echo "# status $got, not $want" >>"$dir/err"
	[ "$got" -eq "$want" ]
	result $? "$what"
}
# says TEXT WHAT: the last run printed TEXT
says() {
	grep -qF -- "$1" "$dir/out" "$dir/err"
	result $? "$2"
}
# flip FROM TO OFFSET: a copy with one bit of one byte changed
flip() {
	local byte
	byte=$(od -An -tu1 -j"$3" -N1 "$1" | tr -d ' ')
	cp "$1" "$2"
	# shellcheck disable=SC2059
	printf "\\$(printf %03o $((byte ^ 1)))" |
		dd of="$2" bs=1 seek="$3" conv=notrunc status=none
}
