# world.sh -- a small exchange of real processes for the tests beside it, and
# their TAP.  Sourced.  Sets: dir, address, log, and functions.
#
# Members (tests/lib/world.h): scjg.demo/registry serves gx.demo/SCZTDJ,
# tax.demo/state serves gx.demo/ZXTJ; tax.demo/state/shell is the well-behaved
# one that asks, tax.demo/local/main the one that misbehaves.

# shellcheck source=tests/lib/daemons.sh
. "${BASH_SOURCE[0]%/*}/../lib/daemons.sh"
PATH=$HT_BUILD:$HT_BUILD/prog:$PATH
# A sanitizer makes all of it slower, and its own memory counts as ours.
case $HT_BUILD in
*san-thread*) patience=6 front_memory=256MiB ;;
*san-*) patience=6 front_memory=768MiB ;;
*) patience=1 front_memory=96MiB ;;
esac
dir=$(mktemp -d) || exit 1
conf=$dir/broker.yaml
log=$dir/log
auth=$dir/authority
pids=

# Only what was started here is ever ended.
finish() {
	local pid
	for pid in $pids; do
		kill -9 "$pid" 2>/dev/null
	done
	exec 2>/dev/null # what the shell says of the killed
	wait
	[ -n "${HT_KEEP:-}" ] || rm -rf "$dir"
}
trap finish EXIT

# ---- TAP ----

n=0
result() { # status, what
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/#  /' "$dir/out" "$dir/err" 2>/dev/null | tail -n 30
		tail -n 5 "$dir"/*.log 2>/dev/null | sed 's/^/#  /'
	fi
}
# run STATUS WORDS WHAT COMMAND...: its exit code, and words that it says
run() {
	local want=$1 words=$2 what=$3 got
	shift 3
	"$@" >"$dir/out" 2>"$dir/err" </dev/null
	got=$?
	[ "$got" -eq "$want" ] || echo "# status $got, not $want" >>"$dir/err"
	[ "$got" -eq "$want" ] && grep -q -- "$words" "$dir/out" "$dir/err"
	result $? "$what"
}
says() { # WORDS WHAT: the last run said them
	grep -q -- "$1" "$dir/out" "$dir/err"
	result $? "$2"
}
bail() {
	echo "Bail out! $*"
	tail -n 30 "$dir"/*.log >&2 2>/dev/null
	cat "$dir/out" "$dir/err" >&2 2>/dev/null
	exit 1
}
# within SECONDS COMMAND...: wait until it succeeds
within() {
	local end=$((SECONDS + $1 * patience))
	shift
	until "$@" >"$dir/out" 2>"$dir/err" </dev/null; do
		[ "$SECONDS" -lt "$end" ] || return 1
		nap 0.1
	done
}

# ---- the exchange ----

publish() { # version, changes
	local version=$1
	shift
	make-world "$dir/next" "$address" "$version" "${made:-0}" "$@" \
	    >"$dir/made" 2>"$dir/err" || bail "make-world failed"
	made=$(cat "$dir/made")
	mkdir -p "$auth" && cp -r "$dir/next/authority/." "$auth" || exit 1
	# The keys are the same each time.
	[ -d "$dir/keys" ] || mv "$dir/next/keys" "$dir/keys"
	rm -rf "$dir/next"
}
node_conf() { # member, node, file
	local keys=$dir/keys/$1
	cat >"$dir/$3" <<-END
		root: $auth/root.note
		member: $1
		node: $2
		keys:
		  signing: $keys/$2-signing.key
		  transport: $keys/$2-transport.key
		  sealing: $keys/sealing.key
		state: state-$3
	END
}
make_world() {
	address=tcp://127.0.0.1:$(free_port)
	publish 1
	cat >"$conf" <<-END
		authority: $auth
		listen: $address
		transport-key: $dir/keys/broker.key
		log: {dir: log, key: $dir/keys/log.key, reserve: 16MiB}
		front: {memory: $front_memory}
		limits: {refusals-a-minute: 10000}
		control: ctl.sock
		audit: audit.sock
	END
	node_conf tax.demo/state shell good.yaml
	node_conf tax.demo/local main local.yaml
	node_conf police.demo/residents main police.yaml
	make_databases
}
make_databases() {
	sqlite3 "$dir/registry.db" <<-'END'
		CREATE TABLE entity(id TEXT PRIMARY KEY, name TEXT, state TEXT, area TEXT);
		INSERT INTO entity VALUES
		  ('91999999000000019D', '某某有限公司', '1', '999900');
	END
	sqlite3 "$dir/statistics.db" <<-'END'
		CREATE TABLE area(area TEXT PRIMARY KEY, n);
		INSERT INTO area VALUES ('999900', 4711), ('999901', 'many'),
		  ('999902', -5), ('999903', NULL), ('999904', x'00ff');
	END
	node_conf scjg.demo/registry main registry.yaml
	adapter_conf registry.yaml "$dir/registry.db" \
	    'SELECT id, name, state, area FROM entity WHERE id = :shxydm' \
	    gx.demo/SCZTDJ 'shxydm: {column: id, as: text}' \
	    'ztmc: {column: name, as: text}' 'jyzt_dm: {column: state, as: text}' \
	    'xzqh: {column: area, as: text}'
	node_conf tax.demo/state main statistics.yaml
	# One area's rows are never all counted.
	adapter_conf statistics.yaml "$dir/statistics.db" \
	    "SELECT area, CASE WHEN area = '999909' THEN
	      (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)
	       SELECT count(*) FROM c) ELSE n END AS n
	     FROM (SELECT area, n FROM area UNION ALL SELECT '999909', 0)
	     WHERE area = :xzqh" \
	    gx.demo/ZXTJ 'xzqh: {column: area, as: text}' \
	    'hs: {column: n, as: integer}'
}
adapter_conf() { # file, database, statement, item, columns
	local file=$1
	{
		cat <<-END
			sources:
			  db:
			    timeout: 2s
			    odbc:
			      connect: "Driver=SQLite3;Database=$2;ReadOnly=1"
			      must-exist: $2
			items:
			  $4:
			    source: db
			    statement: |
		END
		printf '%s\n' "$3" | sed 's/^[[:space:]]*/      /'
		echo '    columns:'
		shift 4
		printf '      %s\n' "$@"
	} >>"$dir/$file"
}
broker() { # the pid is in $broker
	hutong-broker --config "$conf" >>"$dir/broker.log" 2>&1 &
	broker=$!
	pids="$pids $broker"
}
start_broker() {
	broker
	within 15 ctl status || bail "no broker"
}
adapter() { # file; the pid is in $adapter
	hutong-adapter --config "$dir/$1" >>"$dir/${1%.yaml}.log" 2>&1 &
	adapter=$!
	pids="$pids $adapter"
}
start_world() {
	make_world
	start_broker
	adapter registry.yaml
	adapter statistics.yaml
	statistics=$adapter
	within 20 serves 2 || bail "adapters did not connect"
}
ctl() {
	hutong-broker ctl --config "$conf" --json "$@"
}
serves() { # how many nodes are connected that serve
	[ "$(ctl nodes | grep -c '"serves": *true')" -ge "$1" ]
}
value() { # name: a number or word in what `ctl status` says
	ctl status | grep -o "\"$1\": *\"\?[^,\"}]*" | head -n 1 |
	    sed 's/.*: *"\?//'
}
front_pid() {
	ctl status | grep -o '"front": *{"pid": *[0-9]*' | grep -o '[0-9]*$'
}

# ---- asking ----

good() { # the one who behaves asks
	hutong query gx.demo/SCZTDJ shxydm=91999999000000019D \
	    --purpose tax-registration --config "$dir/good.yaml" \
	    --officer 'Officer 1' --case C-1 --format jsonl --timeout 10s "$@"
}
statistics() { # area, then options: the one who misbehaves asks nicely
	local area=$1
	shift
	hutong query gx.demo/ZXTJ "xzqh=$area" --purpose planning \
	    --config "$dir/local.yaml" --format jsonl --timeout 20s "$@"
}
still_serving() { # what came before
	kill -0 "$broker" 2>/dev/null && [ "$(value pid)" = "$broker" ]
	result $? "after $1 the core is the same process"
	run 0 'ztmc' "after $1 others are served" good
}
log_is_intact() {
	run 0 'verified' "the log verifies" hutong-audit verify --dir "$log" \
	    --root "$auth/root.note" --authority "$auth"
}
stop_broker() {
	kill -TERM "$broker"
	wait "$broker"
	[ $? -eq 0 ]
	result $? "the broker stops cleanly"
}
