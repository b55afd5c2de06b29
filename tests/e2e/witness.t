#!/bin/bash
# Witnesses as real processes: two adapters cosign the broker's checkpoints,
# exchanges never wait for them, and everybody can read how far they vouch.
#
# shellcheck disable=SC1091,SC2154,SC2181
set -u
. "$(dirname "$0")/world.sh"

key_of() { # member: its witness key, made once; prints the verifier key
	local file=$dir/witness-${1//\//-}.key
	[ -f "$file" ] || hutong key new --for witness --name "$1/witness" \
	    --out "$file" >/dev/null || exit 1
	hutong key show "$file" --only vkey
}
registry=$(key_of scjg.demo/registry)
statistics=$(key_of tax.demo/state)

address=tcp://127.0.0.1:$(free_port)
publish 1 edit root root 'auditors:' "witnesses:
  - $registry
  - $statistics
quorum: 2
auditors:"
make_rest() {
	cat >"$conf" <<-END
		authority: $auth
		listen: $address
		transport-key: $dir/keys/broker.key
		log: {dir: log, key: $dir/keys/log.key, reserve: 16MiB}
		front: {memory: $front_memory}
		witnesses: {every: 1s, warn-after: 10s}
		control: ctl.sock
		audit: audit.sock
	END
	node_conf tax.demo/state shell good.yaml
	make_databases
	for node in registry:scjg.demo-registry statistics:tax.demo-state; do
		sed -i "s|^keys:|&\n  witness: $dir/witness-${node#*:}.key|" \
		    "$dir/${node%%:*}.yaml"
	done
}
make_rest

met() { ctl status | grep -q '"quorum-met": *true'; }
cosigned() { # how many witnesses have cosigned something
	ctl witnesses | grep -c '"cosigned": *[1-9]'
}

start_broker
ctl status | grep -q '"quorum-met": *false'
result $? "with no witness there is no quorum, and the broker says so"
adapter registry.yaml
first=$adapter
within 20 serves 1 || bail "the adapter did not connect"
one() { [ "$(cosigned)" -eq 1 ]; }
within 10 one
one && ! met
result $? "one of two cosigns: no quorum yet"
run 0 'ztmc' "and exchanges do not wait for it" good
adapter statistics.yaml
second=$adapter
within 20 met
result $? "the second cosigns: quorum met"
ctl status >"$dir/out"
grep -q '"needed": *2' "$dir/out" && grep -q '"age-s": *[0-9]' "$dir/out"
result $? "status says how many, how far and since when"

# What stands in the log, for openssl to check.
run 0 'ztmc' "an exchange lets the log grow" good
entries=$(value entries)
enough() { # cosigned up to the newest
	[ "$(ctl witnesses | grep -o '"cosigned": *[0-9]*' |
		grep -o '[0-9]*$' | sort -n | head -n 1)" -ge "$entries" ]
}
within 15 enough
result $? "and the witnesses follow"

kill -TERM "$second"
wait "$second" 2>/dev/null
run 0 'ztmc' "without a quorum exchanges go on" good
within 20 grep -q "no checkpoint was cosigned by 2 of the 2" "$dir/broker.log"
result $? "but the broker warns when it stays away"
adapter statistics.yaml
second=$adapter
entries=$(value entries)
within 20 enough
result $? "a witness that comes back goes on from where it was"

# ---- what an auditor hears of the running broker ----

live=(--socket "$dir/audit.sock" --key "$dir/keys/auditor.key")
run 0 'quorum of 2 met up to' "witness status --socket: the quorum, live" \
    hutong-audit witness status "${live[@]}" --root "$auth/root.note" --why "a test"
says 'tax.demo/state/witness  *[1-9]' "and each witness, how far and when"
run 2 'needs --why' "not without a purpose, which is logged" \
    hutong-audit witness status "${live[@]}" --root "$auth/root.note"

stop_broker
log_is_intact

# ---- what an auditor reads of the files ----

run 0 'quorum of 2 met up to' "witness status: the quorum" \
    hutong-audit witness status --dir "$log" --root "$auth/root.note"
says 'tax.demo/state/witness  *[1-9]' "and each witness, how far and when"
run 0 '— tax.demo/state/witness' "witness note prints the checkpoint" \
    hutong-audit witness note --dir "$log" --root "$auth/root.note"
cp "$dir/out" "$dir/cosigned.note"
for vkey in "$registry" "$statistics"; do
	tests/lib/check-note "$dir/cosigned.note" "$vkey" 2>"$dir/err"
	result $? "openssl checks the cosignature of ${vkey%%+*}"
done
printf 'log %s\nwitness a %s\nwitness b %s\ngroup g all a b\nquorum g\n' \
    "$(hutong key show "$dir/keys/log.key" --only vkey)" "$registry" \
    "$statistics" >"$dir/policy"
run 0 '^met' "and a policy of both is met, says the page of Python" \
    tests/lib/check-policy "$dir/policy" "$dir/cosigned.note"
# ---- an older log put back, and an operator who does not wait ----

kill -TERM "$first" "$second"
wait "$first" "$second" 2>/dev/null
cp -r "$log/evidence" "$dir/old"
start_broker
stop_broker
rm -r "$log/evidence"
mv "$dir/old" "$log/evidence"
run 4 'accept-rollback' "an older log is not gone on with" \
    timeout 20 hutong-broker --config "$conf"
size=$(grep -ohE 'accept-rollback [0-9]+' "$dir/out" "$dir/err" | head -n 1)
size=${size##* }
hutong-broker --config "$conf" --accept-rollback "$size" --why 'a drill' \
    >>"$dir/broker.log" 2>&1 &
broker=$!
pids="$pids $broker"
within 15 ctl status || bail "no broker"
run 0 'PAUSED' "put back by the operator, it waits for its witnesses" ctl status
ctl resume >"$dir/out" 2>"$dir/err"
result $? "the operator does not wait"
admits() { ctl status | grep -q '"admits": *"yes"'; }
within 5 admits
result $? "... and records are admitted"
stop_broker
start_broker
admits
result $? "... after a restart, too"
stop_broker

publish 2 >/dev/null
run 5 'lists no witnesses' "without witnesses in the root: exit 5" \
    hutong-audit witness status --dir "$log" --root "$auth/root.note"
echo "1..$n"
