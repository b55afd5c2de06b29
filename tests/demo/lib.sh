# lib.sh -- what the demo's scripts share.  Sourced, with D (the demo's folder)
# and HT_BUILD (where the programs are) set.

PATH=$HT_BUILD:$HT_BUILD/prog:$PATH
export PATH

CATALOG=gx.demo

# The first port from 5600 on that nobody listens on.
free_port() {
	port=5600
	while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
		port=$((port + 1))
	done
	echo $port
}
ADDRESS=tcp://127.0.0.1:${HT_DEMO_PORT:-$(free_port)}

# Who takes part: member, Chinese title, English title.  The first five run a
# node; the others are providers that the catalog names.
MEMBERS='scjg.demo/registry|市场监督管理局|Market regulation
gonganju.demo/population|公安局人口管理|Public security, population
zrzy.demo/land|自然资源局不动产登记|Natural resources, land registry
tax.demo/state|税务局(国)|State tax bureau
tax.demo/local|税务局(地)|Local tax bureau
hb.demo/ecology|生态环境局|Ecology and environment
hg.demo/customs|海关|Customs'
SERVING='scjg.demo/registry gonganju.demo/population zrzy.demo/land
tax.demo/state tax.demo/local'

bold= plain= red= green=
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m')
	red=$(printf '\033[31m') green=$(printf '\033[32m')
fi

step_no=0
step() { # title
	step_no=$((step_no + 1))
	printf '\n%s%d. %s%s\n' "$bold" "$step_no" "$1" "$plain"
}
say() {
	printf '   %s\n' "$*"
}
die() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

# Run a command that must succeed; what it printed is shown only if it did not.
quietly() {
	if ! "$@" >"$D/last-output" 2>&1; then
		cat "$D/last-output" >&2
		die "this failed: $*"
	fi
}

# A member's folder.
home() {
	echo "$D/members/$1"
}

# Wait, at most $1 seconds, until the command succeeds.
await() {
	tries=$(($1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

# ---- processes: started here, and only these are ever stopped ----

start() { # name, then the command
	name=$1
	shift
	"$@" >"$D/run/$name.log" 2>&1 &
	echo $! >"$D/run/$name.pid"
}
# A number outlives its process, and a restart of the machine: it may be
# somebody else's by now.
ours() { # process id
	case $(cat "/proc/$1/comm" 2>/dev/null) in
	hutong-*) return 0 ;;
	*) return 1 ;;
	esac
}
stop() { # name
	[ -f "$D/run/$1.pid" ] || return 0
	pid=$(cat "$D/run/$1.pid")
	if ours "$pid" && kill "$pid" 2>/dev/null; then
		tries=100
		while kill -0 "$pid" 2>/dev/null && [ "$tries" -gt 0 ]; do
			tries=$((tries - 1))
			sleep 0.1
		done
		kill -9 "$pid" 2>/dev/null || true
	fi
	rm -f "$D/run/$1.pid"
}
stop_all() {
	for file in "$D"/run/*.pid; do
		[ -e "$file" ] || continue
		name=${file##*/}
		[ "$name" = broker.pid ] || stop "${name%.pid}"
	done
	stop broker
}
