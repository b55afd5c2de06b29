#!/bin/bash
# tests/cli/audit-walk.t -- each command of "A FIRST WALK" in hutong-audit(1),
# as it stands there, against a log that is served.
set -u
cd "$(dirname "$0")/../.." || exit 1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
page=$PWD/docs/man/hutong-audit.1
PATH=$HT_BUILD:$PATH
n=0

# The demo's folder, as far as an auditor sees it.
mkdir "$dir/real"
mkfifo "$dir/hold"
"$HT_BUILD/prog/make-log" "$dir/real" serve <"$dir/hold" >"$dir/served" &
server=$!
exec 9>"$dir/hold"
for _ in $(seq 100); do
	grep -q serving "$dir/served" && break
	sleep 0.1
done
mkdir -p "$dir/build/demo/broker" "$dir/build/demo/auditor"
ln -s "$dir/real/audit" "$dir/build/demo/broker/audit.sock"
ln -s "$dir/real/log" "$dir/build/demo/broker/log"
ln -s "$dir/real/authority" "$dir/build/demo/authority"
cp "$dir/real/keys/auditor.key" "$dir/build/demo/auditor/auditor.key"

make() { # of the walk: demo-down
	[ "$1" = demo-down ] || return 1
	exec 9>&-
	wait "$server"
}
date() { # when the log was made
	echo 2026-11
}

# The commands: from "$ " to the end of their lines, as troff prints them.
sed -n '/^\.Sh A FIRST WALK/,/^\.Sh SEE ALSO/p' "$page" |
    sed -n '/^\.Bd/,/^\.Ed/p' | grep -v '^\.' | sed 's/\\e/\\/g' >"$dir/lines"
commands=()
while IFS= read -r line; do
	case $line in
	'$ '*) commands+=("${line#\$ }") ;;
	*) commands[-1]+=$'\n'$line ;;
	esac
done <"$dir/lines"

cd "$dir" || exit 1
for command in "${commands[@]}"; do
	# Nobody is here to press ^C.
	run=${command/#hutong-audit tail -f/timeout --preserve-status -s INT 2 hutong-audit tail -f}
	n=$((n + 1))
	if eval "$run" >"$dir/out" 2>"$dir/err"; then
		echo "ok $n - ${command%%$'\n'*}"
	else
		echo "not ok $n - ${command%%$'\n'*}"
		sed 's/^/# /' "$dir/out" "$dir/err"
	fi
	cp "$dir/out" "$dir/out.$n"
done
n=$((n + 1))
if [ "$n" -gt 12 ] && [ -s "$dir/build/demo/auditor/rows" ] &&
	grep -q '0 fail, 0 could not be made' "$dir"/out.* &&
	grep -q AUDIT_QUERY "$dir"/out.*; then
	echo "ok $n - and it shows what it says"
else
	echo "not ok $n - and it shows what it says"
fi
echo "1..$n"
