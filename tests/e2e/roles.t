#!/bin/bash
# Three administrators: each has the commands, the key and the socket of one
# role; every act and every refusal is an entry of the log.
#
# shellcheck disable=SC1091,SC2154
set -u
. "${0%/*}/world.sh"

vkeys=
for role in system security audit; do
	hutong key new --for "$role-admin" --name "gx.demo/$role-1" \
	    --out "$dir/$role.key" >/dev/null 2>&1 || bail "no key"
	vkeys="$vkeys$role: [$(hutong key show "$dir/$role.key" --only vkey)], "
done
root=(edit root root 'broker:' "administrators: {${vkeys%, }}
broker:")
twice=("${root[@]}" edit root root 'auditors:' "auditors:
  - $(hutong key show "$dir/audit.key" --only vkey)")
does() { # WHAT COMMAND...: it may say nothing
	local what=$1
	shift
	"$@" >"$dir/out" 2>"$dir/err" </dev/null
	result $? "$what"
}

make_world
publish 2 "${root[@]}"
run 1 "give 'security' and 'audit-control'" \
    "a root with administrators needs their sockets" \
    hutong-broker --check "$conf"
printf 'security: sec.sock\naudit-control: aud.sock\n' >>"$conf"
run 0 'ok' "with them it is fine" hutong-broker --check "$conf"
start_broker

by() { # role, command
	local role=$1
	shift
	ctl --key "$dir/$role.key" "$@"
}
run 0 'entries' "reading needs no key" ctl status
run 1 'security administrator.s: sign it' "an act does" ctl reload
for command in reload resume forgive; do
	run 1 "it is the security administrator's, and no other's" \
	    "the system's may not: $command" by system "$command"
done
run 1 "it is the security administrator's" "nor the audit's" by audit reload
run 1 "it is the system administrator's" "security may not stop it" \
    by security stop
run 1 "it is the system administrator's" "nor may audit" by audit stop
echo x >"$dir/order"
run 1 "it is the audit administrator's" "security may not erase" \
    by security erase "$dir/order"
run 1 "nothing was erased" "audit may, with an order that holds" \
    by audit erase "$dir/order"
run 0 'changed' "security may reload" by security reload
does "system may restart the front" by system front-restart

# ---- keys that are of no use ----

hutong key new --for security-admin --name gx.demo/security-1 \
    --out "$dir/false.key" >/dev/null 2>&1
run 1 'not the signature of an administrator' \
    "another key under a name that counts does not" \
    ctl --key "$dir/false.key" reload
run 1 'an administrator.s is needed' "an officer is no administrator" \
    ctl --key "$dir/keys/officer-1.key" reload
sed 's/^control: .*/control: sec.sock/; s/^security: .*/security: ctl.sock/' \
    "$conf" >"$dir/crossed.yaml"
run 1 'another role than this socket' "a key is of one socket" \
    hutong-broker ctl --config "$dir/crossed.yaml" \
    --key "$dir/security.key" reload

kill -HUP "$broker"
within 5 grep -q 'refused to SIGHUP' "$dir/broker.log"
result $? "a signal is nobody's signature"

# ---- one key in two roles ----

publish 3 "${twice[@]}" edit root root 'revision: 1' 'revision: 2'
run 1 'two offices' "a key with two offices is refused" ctl --key \
    "$dir/security.key" reload
publish 2 "${root[@]}"

# ---- the end, and the account of it ----

does "system may stop it" by system stop
wait "$broker"
back() { # more: start once more, with an older log
	hutong-broker --config "$conf" --accept-rollback 99 --why 'a test' "$@"
}
run 1 'only a security administrator' "not everybody may go on with an old log" \
    back
run 1 'only a security administrator' "nor the system's administrator" \
    back --key "$dir/system.key"
run 1 'behind nothing' \
    "the security's may, if it were one" back --key "$dir/security.key"
hutong-audit search --dir "$log" --root "$auth/root.note" --type ADMIN \
    --format jsonl >"$dir/acts" 2>"$dir/err"
entry() { # WHAT WORDS...: one line has them all
	local what=$1 word
	shift
	cp "$dir/acts" "$dir/lines"
	for word; do
		grep -F -- "$word" "$dir/lines" >"$dir/fewer"
		mv "$dir/fewer" "$dir/lines"
	done
	cp "$dir/acts" "$dir/out"
	[ -s "$dir/lines" ]
	result $? "$what"
}
entry "who reloaded stands in the log" reload 'gx.demo/security-1 (uid'
entry "who stopped it, too" stop 'gx.demo/system-1 (uid'
entry "who was refused what, and where" refused 'gx.demo/audit-1 (uid' \
    'audit socket: stop'
entry "whoever had no key is there by the user's number" refused 'reload'
log_is_intact
echo "1..$n"
