# authority.sh -- from nothing to a signed directory and catalog.  Sourced.
#
# Each folder below $D is one role's own machine; what passes between them
# here by cp would be carried by hand, or mailed: it is public, and signed.

A=$D/authority

new_key() { # purpose, name, file
	quietly hutong key new --for "$1" --name "$2" --out "$3"
}

make_authority_keys() {
	mkdir -p "$D/officers" "$D/online" "$D/broker" "$D/auditor" "$A" "$D/run"
	chmod 700 "$D/officers" "$D/online" "$D/broker" "$D/auditor"
	for n in 1 2 3; do
		new_key officer $CATALOG/officer-$n "$D/officers/officer-$n.key"
	done
	new_key snapshot $CATALOG/snapshot "$D/online/snapshot.key"
	new_key current $CATALOG/current "$D/online/current.key"
	new_key log $CATALOG/log "$D/broker/log.key"
	new_key transport $CATALOG/broker "$D/broker/transport.key"
	new_key auditor $CATALOG/auditor-1 "$D/auditor/auditor.key"
}

# Two of three officers sign a file in place.  They compare a member's entry
# with the one in the authority's folder: keys that are new must have proven
# that the member holds them.
officers_sign() { # file
	for n in 1 2; do
		quietly hutong catalog sign "$1" \
		    --key "$D/officers/officer-$n.key" --dir "$A"
	done
}

make_root() {
	quietly hutong catalog draft root --catalog $CATALOG --threshold 2 --zone +08:00 \
	    --key "$D/officers/officer-1.key" --key "$D/officers/officer-2.key" \
	    --key "$D/officers/officer-3.key" --key "$D/online/snapshot.key" \
	    --key "$D/online/current.key" --key "$D/broker/log.key" \
	    --key "$D/auditor/auditor.key" \
	    --transport "$D/broker/transport.key" --address "$ADDRESS" \
	    --out "$A/root.note"
	officers_sign "$A/root.note"
}

# A member makes its keys at home; only a signed document leaves.
make_member() { # member, zh, en
	m=$1 h=$(home "$1")
	mkdir -p "$h" && chmod 700 "$h"
	new_key identity "$m" "$h/identity.key"
	new_key officer "$m/officer" "$h/officer.key"
	new_key sealing "$m" "$h/sealing.key"
	keys=
	for node in main shell; do
		new_key signing "$m/$node" "$h/$node-signing.key"
		new_key transport "$m/$node" "$h/$node-transport.key"
		keys="$keys --key $h/$node-signing.key --key $h/$node-transport.key"
	done
	# shellcheck disable=SC2086
	quietly hutong directory new --member "$m" --zh "$2" --en "$3" \
	    --key "$h/identity.key" --key "$h/officer.key" \
	    --key "$h/sealing.key" $keys --for 90d --out "$h/member.note"
	# shellcheck disable=SC2086
	quietly hutong directory prove "$h/member.note" $keys \
	    --key "$h/officer.key" --key "$h/sealing.key"
	quietly hutong directory sign "$h/member.note" --key "$h/identity.key"
	node_conf "$m"
}

# node.yaml: who the shell's node of a member is, for `hutong query`.
node_conf() { # member
	h=$(home "$1")
	cat >"$h/node.yaml" <<-EOF
		root: $A/root.note
		member: $1
		node: shell
		keys:
		  signing: shell-signing.key
		  transport: shell-transport.key
		  sealing: sealing.key
		state: state-shell
		proofs: true
	EOF
}

# The officers of the authority take the member in.
admit_member() { # member
	cp "$(home "$1")/member.note" "$D/run/admit.note"
	officers_sign "$D/run/admit.note"
	mkdir -p "$A/members/${1%/*}"
	mv "$D/run/admit.note" "$A/members/$1.note"
}

each_member() { # function, called with member, zh, en
	printf '%s\n' "$MEMBERS" | while IFS='|' read -r member zh en; do
		"$1" "$member" "$zh" "$en"
	done
}

value_of() { # key, file: the value of a top-level key
	sed -n "s/^$1:[[:space:]]*\([^ #]*\).*/\1/p" "$2" | head -n 1
}

# An item or grant: the provider's officer signs, then the authority's.
publish() { # source, destination
	mkdir -p "${2%/*}"
	cp "$1" "$2"
	quietly hutong note sign "$2" \
	    --key "$(home "$(value_of provider "$1")")/officer.key"
	officers_sign "$2"
}

publish_catalog() {
	for item in "$TOP"/schemas/items/*.yaml; do
		name=$(value_of item "$item")
		publish "$item" "$A/items/$name@$(value_of version "$item").note"
	done
	for grant in "$TOP"/tests/demo/grants/*.yaml; do
		name=$(value_of grant "$grant")
		publish "$grant" "$A/grants/$name.note"
	done
}

publish_epoch() {
	quietly hutong epoch new "$A" --name $CATALOG/e1 \
	    --until "$(date -u -d '+90 days' +%Y-%m-%dT%H:%M:%SZ)" \
	    --key "$D/auditor/auditor.key" --annex "$D/auditor/annex.key" \
	    --tracker "$D/auditor/tracker.key"
}

# What is in force from now on: a snapshot, and a note that says so.
publish_snapshot() {
	quietly hutong catalog snapshot "$A" --key "$D/online/snapshot.key"
	quietly hutong catalog freshen "$A" --key "$D/online/current.key" \
	    --for 12h
}
