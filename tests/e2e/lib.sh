# lib.sh -- real programs for the tests of this folder.  Sourced by bash.
#
# A world (tests/lib/world.h) in $W: broker, adapters, shells.  Only what was
# started here is ever stopped, by its own process id.

: "${HT_BUILD:?HT_BUILD names the folder with the programs}"
# shellcheck source=tests/lib/daemons.sh
. "${BASH_SOURCE[0]%/*}/../lib/daemons.sh"
PATH=$HT_BUILD:$HT_BUILD/prog:$PATH
W=$(mktemp -d "${TMPDIR:-/tmp}/hutong-e2e-XXXXXX")
STARTED=
CODE=91999999MA00000079 # a well-formed code of a region that does not exist

cleanup() {
	for pid in $STARTED; do
		kill -CONT "$pid" 2>/dev/null
		kill -9 "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	rm -rf "$W"
}
trap cleanup EXIT

# ---- TAP ----

test_no=0 failed=0
ok() { # title, then a command that must succeed
	title=$1
	shift
	test_no=$((test_no + 1))
	if "$@"; then
		echo "ok $test_no - $title"
	else
		failed=$((failed + 1))
		echo "not ok $test_no - $title"
		[ ! -s "$W/out" ] || sed 's/^/# out: /' "$W/out"
		[ ! -s "$W/err" ] || sed 's/^/# err: /' "$W/err"
	fi
}
finish() {
	echo "1..$test_no"
	[ "$failed" -eq 0 ]
}

# Run a command; its exit code must be $1.  Output goes to $W/out and $W/err.
exits() {
	want=$1
	shift
	"$@" >"$W/out" 2>"$W/err"
	rc=$?
	[ "$rc" -eq "$want" ] && return 0
	echo "# exit $rc, not $want: $*"
	return 1
}
out_has() { # words that must stand in what was printed
	for words; do
		grep -qF -- "$words" "$W/out" "$W/err" || {
			echo "# nothing says: $words"
			return 1
		}
	done
}
out_lacks() {
	! grep -qF -- "$1" "$W/out" "$W/err"
}

# Wait, at most $1 seconds, until the command succeeds.
await() {
	tries=$(($1 * 10))
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		nap 0.1
	done
}

# ---- processes ----

start() { # name, then the command; its process id is in $W/NAME.pid
	name=$1
	shift
	"$@" >>"$W/$name.log" 2>&1 &
	echo $! >"$W/$name.pid"
	STARTED="$STARTED $!"
}
signal() { # signal, name
	kill "-$1" "$(cat "$W/$2.pid")" 2>/dev/null
}
gone() { # name
	! kill -0 "$(cat "$W/$1.pid")" 2>/dev/null
}
stop() { # signal, name: and wait for its end
	signal "$1" "$2"
	wait "$(cat "$W/$2.pid")" 2>/dev/null
	return 0
}

# ---- the world ----

make_world() { # changes
	ADDRESS=tcp://127.0.0.1:$(free_port)
	make-world "$W" "$ADDRESS" 1 0 "$@" >/dev/null || exit 1
	cat >"$W/broker.yaml" <<-EOF
		authority: authority
		listen: $ADDRESS
		transport-key: keys/broker.key
		log: {dir: log, key: keys/log.key}
		control: ctl.sock
		audit: audit.sock
	EOF
}

start_broker() {
	start broker hutong-broker --config "$W/broker.yaml"
	await 15 hutong-broker ctl --config "$W/broker.yaml" status || {
		cat "$W/broker.log"
		return 1
	}
}

# Who a node is: the head of its configuration.
node_conf() { # member, node, state folder
	cat <<-EOF
		root: $W/authority/root.note
		member: $1
		node: $2
		keys:
		  signing: $W/keys/$1/$2-signing.key
		  transport: $W/keys/$1/$2-transport.key
		  sealing: $W/keys/$1/sealing.key
		state: $W/state/$3
	EOF
}

connected() { # member/node
	hutong-broker ctl --config "$W/broker.yaml" nodes |
		grep -F "$1" | grep -qv away
}
