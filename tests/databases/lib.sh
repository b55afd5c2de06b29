# lib.sh -- what the tests of this folder share: a database server of their
# own, and hutong-adapter in front of it.  Sourced, after tests/e2e/world.sh,
# by a script that sets $driver and defines server_start and server_stop.
#
# A server runs in a fresh folder, listens on a Unix socket in it and nowhere
# else, belongs to an unprivileged user, and ends with the test.

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}
# needs WHAT...: commands and files, or nothing is tested
needs() {
	local what
	for what; do
		[ -e "$what" ] || command -v "$what" >/dev/null || skip_all \
		    "no $what; tests/deps databases installs it"
	done
	odbcinst -q -d -n "$driver" >/dev/null 2>&1 || skip_all \
	    "ODBC has no driver '$driver'; tests/deps databases installs it"
}

# Servers refuse to run as root, and should.
server_dir=$(mktemp -d) || exit 1
if [ "$(id -u)" -eq 0 ]; then
	chown nobody "$server_dir"
	as_server() {
		(cd "$server_dir" && exec setpriv --reuid=nobody \
		    --regid=nogroup --clear-groups env HOME="$server_dir" "$@")
	}
else
	as_server() {
		(cd "$server_dir" && exec "$@")
	}
fi
close_all() {
	server_stop >/dev/null 2>&1
	finish
	rm -rf "$server_dir"
}
trap close_all EXIT

# ---- a configuration, and one question to it ----

# conf CONNECT KEYS-OF-THE-SOURCE STATEMENT COLUMNS...: in $dir/try.yaml
conf() {
	local connect=$1 more=$2 statement=$3
	shift 3
	{
		cat <<-END
			root: none.note
			member: scjg.demo/registry
			node: main
			keys: {signing: s.key, transport: t.key, sealing: e.key}
			state: state-try
			sources:
			  db:
			    timeout: 2s
			    odbc:
			      connect: "$connect"
		END
		[ -z "$more" ] || printf '      %s\n' "$more"
		cat <<-END
			items:
			  gx.demo/TRY:
			    source: db
			    statement: |
			      $statement
			    columns:
		END
		printf '      %s\n' "$@"
	} >"$dir/try.yaml"
}
try() {
	hutong-adapter --config "$dir/try.yaml" --try gx.demo/TRY "$@"
}
# gives LINE WHAT: the last run's records are this
gives() {
	[ "$(cat "$dir/out")" = "$1" ] || {
		echo "# wanted: $1" >>"$dir/err"
		false
	}
	result $? "$2"
}
lacks() { # WORDS WHAT: the last run did not say them
	! grep -qF -- "$1" "$dir/out" "$dir/err"
	result $? "$2"
}
# asked STATEMENT JSON WANTED WHAT: through ODBC alone, for values with types
asked() {
	run 0 '' "$4" ask-odbc "$connect" "$1" "$2"
	gives "$3" "... with what was asked for"
}

# ---- the same walk for each server ----

# An item of the exchange, from the server: $connect, and a statement.
serve_from_it() { # statement
	make_world
	sed -i -e "s|connect: .*|connect: \"$connect\"|" -e '/must-exist/d' \
	    -e "s|SELECT id, name, state, area.*|$1|" "$dir/registry.yaml"
	start_broker
	adapter registry.yaml
	within 20 serves 1 || bail "the adapter did not connect"
	run 0 '"ztmc":"某某有限公司"' "an item is served through the exchange" \
	    good
}
# What was kept over a restart of the server is a dead connection.
restart_beneath_it() {
	server_stop >/dev/null 2>&1
	run 3 SOURCE_DOWN "server down: the asker is told" good
	says 'the provider' "... who has to act"
	server_start
	run 0 '"ztmc":"某某有限公司"' "server up: served again" good
	server_stop >/dev/null 2>&1
	server_start
	run 0 '"ztmc":"某某有限公司"' \
	    "a restart between two questions is not noticed" good
}
# idle COMMAND...: it prints how many of our questions run; wait for none
idle() {
	[ "$("$@")" = 0 ]
}
