#!/bin/bash
# An outage of any length: docs/ceremonies.md, "After a long outage", its blocks
# run as they stand, on systems that were cut off and left until everything
# had ended that ends.
#
# shellcheck disable=SC1090,SC1091,SC2034,SC2154,SC2181
set -u
. "$(dirname "$0")/world.sh"
PAGE=$(dirname "$0")/../../docs/ceremonies.md
base=$dir
node=scjg.demo/registry/adapter.yaml

# ---- a world laid out as the page has it ----

enter() { # NAME
	dir=$base/$1 auth=$base/$1/authority
	conf=$dir/broker/broker.yaml log=$dir/broker/log
	export D=$dir
}
lay_out() {
	mkdir -p "$dir/broker" "$dir/run"
	for folder in officers online auditor members; do
		ln -s keys "$dir/$folder"
	done
	mv "$dir/keys/log.key" "$dir/broker/log.key"
	mv "$dir/keys/broker.key" "$dir/broker/transport.key"
	cat >"$conf" <<-END
		authority: $auth
		listen: $address
		transport-key: transport.key
		log: {dir: log, key: log.key, reserve: 16MiB}
		front: {memory: $front_memory}
		freshen-every: 200ms
		control: ctl.sock
		audit: audit.sock
	END
	node_conf tax.demo/state shell shell.yaml
	make_databases
	# Each in its member's folder, beside its keys.
	sed "s|$dir/keys/tax.demo/state/||" "$dir/shell.yaml" \
	    >"$dir/keys/tax.demo/state/node.yaml"
	sed "s|$dir/keys/scjg.demo/registry/||" "$dir/registry.yaml" \
	    >"$dir/keys/$node"
}
begin() { # NAME SECONDS CHANGE...: current note, epoch and changes end then
	local name=$1 life=$2
	shift 2
	enter "$name"
	rm -rf "$dir" && mkdir -p "$dir"
	made=0
	address=tcp://127.0.0.1:$(free_port)
	end=$((($(date +%s) + life) * 1000))
	publish 1 ends epoch gx.demo/e1 $end \
	    edit item gx.demo/SCZTDJ@1 'grace: 24h' 'grace: 1s' "${@//END/$end}"
	lay_out
	left=$((end / 1000 - 2 - $(date +%s)))
	hutong catalog freshen "$auth" --key "$dir/keys/current.key" \
	    --for $((left > 0 ? left : 1))s >"$dir/out" 2>&1 || bail "not freshened"
}
switch_on() {
	broker
	hutong-adapter --config "$dir/members/$node" \
	    >>"$dir/run/adapter-scjg.demo-registry.log" 2>&1 &
	echo $! >"$dir/run/adapter-scjg.demo-registry.pid"
	pids="$pids $!"
}
switch_off() { # like a power cut
	kill -9 "$broker" "$(cat "$dir/run/adapter-scjg.demo-registry.pid")" \
	    2>/dev/null
	wait "$broker" 2>/dev/null
}
long_pause() {
	while [ "$(date +%s%3N)" -lt $((end + 1000)) ]; do sleep 0.1; done
}
asks() {
	hutong query gx.demo/SCZTDJ shxydm=91999999000000019D --quiet \
	    --purpose tax-registration \
	    --config "$dir/members/tax.demo/state/node.yaml" "$@"
}
# Cut off after one answer.  A slow machine may need more time for that.
live_and_be_cut() { # NAME CHANGE...
	local name=$1 life
	shift
	for life in 6 20 60; do
		begin "$name" "$life" "$@"
		switch_on
		within 20 serves 1 && asks >"$dir/out" 2>"$dir/err"
		local done=$?
		switch_off
		[ "$done" -ne 0 ] || break
	done
	return "$done"
}

# ---- the page ----

awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0; exit } on' "$PAGE" |
    sed '/^ask$/d' >"$base/before.sh"
part() { # N: the N-th block of the section, as it stands
	awk -v want="$1" '/^## / { there = $0 == "## After a long outage" }
	    /^```sh$/ { on = there && ++n == want; next }
	    /^```$/ { on = 0 } on' "$PAGE" >"$base/part.sh"
	[ -s "$base/part.sh" ] || return 1
	echo "set -x" | cat - "$base/part.sh" >"$base/run.sh"
	bash -euc '. "$1"; . "$2"' part "$base/before.sh" "$base/run.sh" \
	    >"$dir/out" 2>"$dir/err"
}
done_part() { # N WHAT
	part "$1"
	result $? "$2"
}

# ---- two exchanges, cut off ----

cut_until_keys_end() {
	local one ends=()
	for one in scjg.demo/registry tax.demo/state tax.demo/local \
	    police.demo/residents; do
		ends+=(ends member "$one" END)
	done
	live_and_be_cut keys "${ends[@]}"
}
live_and_be_cut notes
result $? "an exchange, before the outage"
cut_until_keys_end
result $? "and another, whose keys will be over, too"
long_pause

# ---- notes and the epoch are over, keys are not ----

enter notes
switch_on
within 20 serves 1
result $? "after it broker and node start and meet by themselves"
grep -q "the current note of snapshot 1 ran out" "$dir/broker.log"
result $? "the broker says aloud what ran out"
run 1 POLICY_STALE "and nothing is answered on notes that are over" asks
hutong catalog freshen "$auth" --key "$dir/keys/current.key" --for 12h \
    >"$dir/out" 2>&1
refused_for_the_epoch() {
	asks >"$dir/asked" 2>&1
	grep -q TAG_EPOCH "$dir/asked" && ! grep -q POLICY_STALE "$dir/asked"
}
within 20 refused_for_the_epoch
result $? "a fresh current note is taken by broker and nodes, with no hands"
done_part 1 "what has ended is listed"
grep -q "the epoch gx.demo/e1: none is valid now" "$dir/out"
result $? "... the epoch"
done_part 2 "an auditor makes the next one, and everything goes on"
switch_off
log_is_intact

# ---- and the keys ----

enter keys
switch_on
within 20 grep -q "does not admit this node's transport key" \
    "$dir/run/adapter-scjg.demo-registry.log"
result $? "no node is admitted whose key is over, and it is told which"
grep -q "ALARM: this node's signing key is past its period; configure" \
    "$dir/run/adapter-scjg.demo-registry.log"
result $? "the node says so itself"
grep -q "the sealing key of scjg.demo/registry: none is valid now" \
    "$dir/broker.log"
result $? "and so does the broker, of every member"
run 3 "does not admit this node's transport key" "nothing can be asked" asks --timeout 2s
run 0 "OVER: freshen it" "the tool says that the note is over" \
    hutong catalog verify "$auth" --root "$auth/root.note"
done_part 1 "the list of what has ended"
grep -q "the signing key of tax.demo/state/shell: none is valid" "$dir/out"
result $? "... has the keys"
done_part 3 "new keys are made at home, proven, and signed for, by hand"
# Who has them configured already comes back before they are in force.
adapter_log=$dir/run/adapter-scjg.demo-registry.log
sed -E 's/(signing|transport|sealing): (.*\.key)/\1: new-\2/' \
    "$dir/members/$node" >"$dir/members/${node%.yaml}-new.yaml"
kill "$(cat "$dir/run/adapter-scjg.demo-registry.pid")"
wait "$(cat "$dir/run/adapter-scjg.demo-registry.pid")" 2>/dev/null
old_lines=$(wc -l <"$adapter_log")
new_lines() { tail -n +$((old_lines + 1)) "$adapter_log"; }
hutong-adapter --config "$dir/members/${node%.yaml}-new.yaml" >>"$adapter_log" 2>&1 &
echo $! >"$dir/run/adapter-scjg.demo-registry.pid"
pids="$pids $!"
early() { new_lines | grep -q "by snapshot 1, kept: the directory that this node kept does not list its signing key"; }
within 20 early
result $? "a node with new keys that starts during the outage says what it waits for"
done_part 4 "they are put in force, with a new epoch"
grep -q "police.demo/residents has no sealing key .* left out" "$dir/err"
result $? "who is not back yet is left out, and said"
within 20 serves 1
result $? "that node is admitted as soon as they are, by itself"
within 20 eval 'new_lines | grep -q "snapshot 2 is in force"'
! new_lines | grep "ALARM"
result $? "... takes the snapshot, and raised no alarm about the one it had kept"
done_part 5 "the nodes go over to them, and everything goes on"
switch_off
log_is_intact
dir=$base
echo "1..$n"
