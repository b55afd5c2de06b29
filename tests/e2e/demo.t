#!/bin/bash
# README.md's five minutes: `make demo`, `make demo-up`, `make demo-down`, and
# every command that they print, as it is printed.
. "${0%/*}/lib.sh"
export HT_DEMO_DIR=$W/demo HT_DEMO_PORT
HT_DEMO_PORT=$(free_port)
D=$HT_DEMO_DIR
trap 'tests/demo/run down >/dev/null 2>&1; cleanup' EXIT

# The commands of what was printed last, or of a file: each must end with one
# of the exit codes given.
commands() {
	grep -E '^ +/' "${1:-$W/out}"
}
each_ends() { # exit codes, file
	local codes=$1 line all=0
	commands "$2" >"$W/lines" || return 1
	while read -r line; do
		bash -c "$line" >"$W/out" 2>"$W/err" </dev/null
		rc=$?
		case " $codes " in
		*" $rc "*) ;;
		*)
			echo "# exit $rc: $line"
			all=1
			break
			;;
		esac
	done <"$W/lines"
	return $all
}
running() { # how many of the processes with these numbers
	local n=0 pid
	for pid in $1; do
		! kill -0 "$pid" 2>/dev/null || n=$((n + 1))
	done
	echo $n
}

ok "demo-up" exits 0 tests/demo/run up
ok "... prints commands" test "$(commands | wc -l)" -ge 8
ok "... which stand in README.txt as well" \
    test "$(commands | sort | comm -23 - <(commands "$D/README.txt" | sort) | wc -l)" -eq 0
ok "each of them works: yes, or a refusal" each_ends '0 1' "$D/README.txt"
ok "the refusal is in the log" exits 0 hutong-audit search --status refused \
    --socket "$D/broker/audit.sock" --key "$D/auditor/auditor.key" \
    --why testing --root "$D/authority/root.note"
ok "... by its name" out_has PURPOSE
pids=$(cat "$D"/run/*.pid)
ok "six processes run" test "$(running "$pids")" -eq 6
ok "demo-down" exits 0 tests/demo/run down
cp "$W/out" "$W/down"
ok "... ends all of them" test "$(running "$pids")" -eq 0
ok "... and prints how to verify the log" each_ends 0 "$W/down"
ok "... which holds" out_has 'verified '

ok "demo plays the story" exits 0 tests/demo/run
ok "... to its end" out_has '14 exchanges, 7 refused' 'Found: exit code 4'
ok "... the newest checkpoint is of all of the log" test \
    "$(sed -n 2p "$D/checkpoint.note")" = "$(sed -n \
    's/^verified *\([0-9]*\) entries.*/\1/p' "$D/verify.txt")"
ok "... and nothing is left running" test -z "$(ls "$D"/run/*.pid 2>/dev/null)"
ok "what README.txt says works: yes, or what is wrong" \
    each_ends '0 1 4' "$D/README.txt"
grep spoiled "$D/README.txt" >"$W/spoiled"
ok "... the spoiled log is found out" each_ends 4 "$W/spoiled"
grep -e verify-log -e check-note "$D/README.txt" >"$W/others"
ok "... others agree on the good one" each_ends 0 "$W/others"

finish
