#!/bin/bash
# What may be done to a log, who notices, and how: the table of
# docs/threat-model.md, played with real processes.
#
# A witness (the registry's adapter) has cosigned the whole log.  Then somebody
# with the files, and somebody with the files and the log's key, changes it.
#
# shellcheck disable=SC1091,SC2154,SC2181
set -u
. "$(dirname "$0")/world.sh"

hutong key new --for witness --name scjg.demo/registry/witness \
    --out "$dir/witness.key" >/dev/null || exit 1
hutong key new --for log --name gx.demo/log --out "$dir/old-log.key" \
    >/dev/null || exit 1
address=tcp://127.0.0.1:$(free_port)
publish_witnessed() { # version
	publish "$1" edit root root 'auditors:' "witnesses:
  - $(hutong key show "$dir/witness.key" --only vkey)
auditors:"
}
publish_witnessed 1
make_conf() {
	cat >"$conf" <<-END
		authority: $auth
		listen: $address
		transport-key: $dir/keys/broker.key
		log: {dir: log, key: $dir/keys/log.key, reserve: 16MiB}
		front: {memory: $front_memory}
		witnesses: {every: 1s}
		control: ctl.sock
	END
	make_databases
	sed -i "s|^keys:|&\n  witness: $dir/witness.key|" "$dir/registry.yaml"
}
make_conf

# ---- a log that is vouched for ----

start_broker
adapter registry.yaml
for act in 1 2 3 4 5 6; do ctl forgive >/dev/null || bail "no act $act"; done
entries=$(value entries)
vouched() {
	[ "$(ctl witnesses | grep -o '"cosigned": *[0-9]*' |
		grep -o '[0-9]*$')" -ge "$entries" ]
}
within 20 vouched || bail "no cosignature"
cp -r "$log" "$dir/backup" # while it is written: an old copy, whole
for act in 7 8 9; do ctl forgive >/dev/null || bail "no act $act"; done
entries=$(value entries)
within 20 vouched
result $? "a witness has cosigned the whole log"
kill -TERM "$adapter" && wait "$adapter" 2>/dev/null
stop_broker
run 0 'verified' "and it verifies" hutong-audit verify --dir "$log" \
    --root "$auth/root.note"
mv "$log" "$dir/true"
cp -r "$dir"/state-registry.yaml "$dir/true-state"

# ---- who notices ----

# The broker does not start: exit 4, and words.
broker_refuses() { # words, attack
	run 4 "$1" "$2: the broker, at start: $1" \
	    timeout 30 hutong-broker --config "$conf"
}
# hutong-audit verify says so, with that exit code.
auditor_sees() { # code, words, attack
	run "$1" "$2" "$3: hutong-audit verify, exit $1: $2" \
	    hutong-audit verify --dir "$log" --root "$auth/root.note"
}
# It starts; then a member connects that has cosigned the true log.
member_stops_it() { # attack
	rm -rf "$dir/state-registry.yaml"
	cp -r "$dir/true-state" "$dir/state-registry.yaml"
	: >"$dir/broker.log"
	start_broker
	adapter registry.yaml
	wait "$broker"
	local code=$?
	kill -TERM "$adapter" 2>/dev/null
	wait "$adapter" 2>/dev/null
	[ "$code" -eq 4 ] && grep -q "rolled back or replaced" "$dir/broker.log"
	result $? "$1: a member's checkpoint stops the broker, exit 4"
	[ -f "$log/ahead" ]
	result $? "$1: and that checkpoint is kept"
	broker_refuses "does not continue it" "$1, once more"
}
put() { # a copy of what
	rm -rf "$log" && cp -r "$1" "$log"
}

# ---- with the files alone ----

# attack, how, entry, who notices in which words
while read -r how at; do
	put "$dir/true"
	spoil raw "$log" "$how" "$at" || bail "not spoilt"
	auditor_sees 4 'BAD' "an entry's bytes: $how $at"
	broker_refuses 'entry .* is not the one that was logged' \
	    "an entry's bytes: $how $at"
done <<-'END'
	alter 3
	drop 3
	cut 2
END

put "$dir/true"
rm -rf "$log/evidence" && cp -r "$dir/backup/evidence" "$log/evidence"
broker_refuses 'it is an older one' "old evidence put back"
auditor_sees 6 'older log was put back' "old evidence put back"

put "$dir/backup"
member_stops_it "an old backup, anchor and all"

# ---- with the log's key as well: every hash and signature fits ----

while read -r how at; do
	rm -rf "$log"
	spoil again "$dir/true" "$log" "$dir/keys/log.key" "$how" "$at" ||
		bail "not spoilt"
	run 0 '' "$how $at, all signed anew: the files alone show nothing" \
	    hutong-audit verify --dir "$log" --root "$auth/root.note"
	member_stops_it "$how $at, all signed anew"
done <<-'END'
	alter 3
	drop 3
	insert 3
	swap 3
	back-date 4
	cut 3
END

# An honest copy is taken: what stops the others is their change.
rm -rf "$log"
spoil again "$dir/true" "$log" "$dir/keys/log.key" keep 0
rm -rf "$dir/state-registry.yaml"
cp -r "$dir/true-state" "$dir/state-registry.yaml"
start_broker
adapter registry.yaml
within 20 serves 1
result $? "the same log, made again without a change, is taken"
kill -TERM "$adapter" && wait "$adapter" 2>/dev/null
stop_broker

rm -rf "$log"
spoil again "$dir/true" "$log" "$dir/old-log.key" keep 0
broker_refuses "not one that this log's key" "signed with another log key"
auditor_sees 4 'BAD' "signed with another log key"

# ---- two brokers with one key: a fork for one member ----

put "$dir/true"
start_broker # the other members' log goes on, unlike this one
ctl forgive >/dev/null
stop_broker
mv "$log" "$dir/fork"
put "$dir/true"
rm -rf "$dir/state-registry.yaml"
cp -r "$dir/true-state" "$dir/state-registry.yaml"
start_broker
adapter registry.yaml
within 20 serves 1 || bail "the adapter did not connect"
entries=$(value entries)
within 20 vouched || bail "no cosignature"
kill -TERM "$adapter" && wait "$adapter" 2>/dev/null
stop_broker
cp -r "$dir/state-registry.yaml" "$dir/forked-state"
put "$dir/fork"
rm -rf "$dir/true-state" && mv "$dir/forked-state" "$dir/true-state"
member_stops_it "a fork, shown to a member that knows the other"

# ---- an operator goes on with the older log ----

size=$(sed -n 2p "$log/ahead")
run 2 'go together' "an act without a reason is none" \
    hutong-broker --config "$conf" --accept-rollback "$size"
run 1 "--accept-rollback $size" "nor one that names another size" \
    hutong-broker --config "$conf" --accept-rollback 7 --why 'disk 2 died'
publish_witnessed 2 # the act is the first entry under it
hutong-broker --config "$conf" --accept-rollback "$size" \
    --why 'disk 2 died' >>"$dir/broker.log" 2>&1 &
broker=$!
pids="$pids $broker"
within 15 ctl status || bail "no broker"
ctl status >"$dir/out"
grep -q "\"given-up\": *$size" "$dir/out" &&
	grep -q '"vouched-for": *false' "$dir/out"
result $? "with size and reason it starts, and status says what was done"
ls "$log"/ahead.* >/dev/null 2>&1 && [ ! -e "$log/ahead" ]
result $? "the checkpoint that was given up is kept"
within 10 grep -q '"admits": *"PAUSED"' <(ctl status)
result $? "nothing new is admitted before witnesses vouch for it"
rm -rf "$dir/state-registry.yaml"
cp -r "$dir/true-state" "$dir/state-registry.yaml"
: >"$dir/registry.log"
adapter registry.yaml
wait "$adapter"
[ $? -eq 4 ] && grep -q "went on with an older copy" "$dir/registry.log" &&
	grep -q "move the folder away" "$dir/registry.log"
result $? "a member that has seen more stops, exit 4, and says what to do"
kill -0 "$broker"
result $? "but the broker goes on"
mv "$dir/state-registry.yaml" "$dir/evidence-of-registry"
adapter registry.yaml
vouched_for() { ctl status | grep -q '"vouched-for": *true'; }
within 20 vouched_for
result $? "its operator put the state aside: it cosigns the log as it is now"
admits() { ctl status | grep -q '"admits": *"yes"'; }
within 5 admits
result $? "and records are admitted again"
kill -TERM "$adapter" && wait "$adapter" 2>/dev/null
stop_broker
run 0 'ROLLBACK_SEEN *1' "the log verifies, and has the act" \
    hutong-audit verify --dir "$log" --root "$auth/root.note"
run 0 'disk 2 died' "whose reason an auditor reads" \
    hutong-audit search --dir "$log" --root "$auth/root.note" \
    --type ROLLBACK_SEEN --format jsonl
start_broker
within 10 admits
result $? "it starts again without the act, which the log remembers"
ctl status >"$dir/out"
says "\"given-up\": *$size" "and status still says so"
stop_broker
run 1 'start without' "with nothing to accept, the option is refused" \
    hutong-broker --config "$conf" --accept-rollback "$size" --why again
echo "1..$n"
