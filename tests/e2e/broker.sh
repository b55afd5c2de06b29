# broker.sh -- a broker on a small world, and nodes that do as they are told.
# Sourced by the tests of this folder; they run under bash.  Sets dir, address,
# n (of TAP) and line (the last one that was waited for).
#
# shellcheck shell=bash disable=SC2034

# shellcheck source=tests/lib/daemons.sh
. "${BASH_SOURCE[0]%/*}/../lib/daemons.sh"
B=$HT_BUILD/hutong-broker
dir=$(mktemp -d) || exit 1
n=0
broker_pid=
peer_pids=

finish() {
	for pid in $peer_pids $broker_pid; do
		kill -9 "$pid" 2>/dev/null
	done
	exec 2>/dev/null # what the shell says of the killed
	wait
	rm -rf "$dir"
}
trap finish EXIT

ok() { # text; the status of the command before is the verdict
	local status=$?
	n=$((n + 1))
	if [ $status -eq 0 ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		for file in "$dir"/*.out "$dir/broker.log"; do
			[ -f "$file" ] && tail -n 12 "$file" | sed "s|^|# ${file##*/}: |"
		done
	fi
}

# within SECONDS COMMAND ...: it succeeds at last
within() {
	local until=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || return 1
		nap 0.1
	done
}

world() { # ADDRESS
	address=$1
	"$HT_BUILD/prog/world" "$dir/world" "$address" || exit 1
	cat >"$dir/world/broker.yaml" <<-EOF
		authority: authority
		listen: $address
		transport-key: keys/broker.key
		log: {dir: log, key: keys/log.key, reserve: 1MiB}
		control: ctl.sock
		freshen-every: 200ms
		${2:-}
	EOF
}

ctl() {
	"$B" ctl --config "$dir/world/broker.yaml" --json "$@"
}

start() {
	"$B" --config "$dir/world/broker.yaml" 2>>"$dir/broker.log" &
	broker_pid=$!
	within 10 listening
}
listening() {
	ctl status | grep -q '"ready":true'
}
# The exit code of a broker that ends by itself, or by the signal given.
ended() {
	[ -n "${1:-}" ] && kill "-$1" "$broker_pid"
	wait "$broker_pid" 2>/dev/null
	code=$?
	broker_pid=
	return $code
}

# peer NAME MEMBER NODE: it reads commands from then on
peer() {
	mkfifo "$dir/$1.in"
	"$HT_BUILD/prog/peer" "$address" "$2" "$3" \
	    <"$dir/$1.in" >"$dir/$1.out" 2>&1 &
	peer_pids="$peer_pids $!"
	# Held open: a peer ends when nobody writes to it any more.
	eval "exec {fd_$1}>$dir/$1.in"
	eval "seen_$1=0"
}
say() { # NAME COMMAND
	local fd=fd_$1
	shift
	echo "$*" >&"${!fd}"
}
say_often() {
	for _ in 1 2 3 4 5; do
		say "$@"
	done
}
# sees NAME PATTERN [SECONDS]: a line yet unseen that matches; goes on after it
sees() {
	local seen=seen_$1 until=$((SECONDS + ${3:-8})) lines at
	while :; do
		mapfile -t -s "${!seen}" lines <"$dir/$1.out"
		for at in "${!lines[@]}"; do
			[[ ${lines[at]} =~ $2 ]] || continue
			line=${lines[at]}
			eval "$seen=\$((${!seen} + at + 1))"
			return 0
		done
		[ $SECONDS -lt $until ] || return 1
		nap 0.03
	done
}
# The log, from the files alone.
verify() {
	"$HT_BUILD/hutong-audit" verify --dir "$dir/world/log" \
	    --root "$dir/world/authority/root.note" \
	    --authority "$dir/world/authority" >"$dir/verify.out" 2>&1
}
entries() { # TYPE: how many the last verify found
	grep -E "^$1 " "$dir/verify.out" | awk '{print $2}'
}
