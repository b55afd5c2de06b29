# story.sh -- what happens on the exchange, told as it happens.  Sourced.

answered=0 refused=0

# Words as one would type them.
typed() {
	for word; do
		case $word in
		*' '*) printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
}

# Ask as a member; the exit code is the program's.
ask() { # member, verb, then its arguments
	who=$1 verb=$2
	shift 2
	printf '\n   %s$ hutong %s%s%s   (as %s)\n' "$bold" "$verb" \
	    "$(typed "$@")" "$plain" "$who"
	hutong "$verb" "$@" --config "$(home "$who")/node.yaml" 2>&1 |
		sed 's/^/   | /'
	# The exit code of the program, not of sed.
	return "${PIPESTATUS[0]}"
}

answers() { # why, then as for ask
	printf '\n   %s' "$1"
	shift
	status=0
	ask "$@" || status=$?
	# A comparison that finds a difference has been answered, too.
	[ "$status" -eq 0 ] || { [ "$2" = verify ] && [ "$status" -eq 1 ]; } ||
		die "this should have been answered (exit $status)"
	answered=$((answered + 1))
}

refuses() { # why, the word that must be in the answer, then as for ask
	printf '\n   %s' "$1"
	want=$2
	shift 2
	if ask "$@" >"$D/last-refusal"; then
		cat "$D/last-refusal"
		die "this should have been refused"
	fi
	cat "$D/last-refusal"
	grep -q "$want" "$D/last-refusal" || die "refused, but not as $want"
	refused=$((refused + 1))
}

# The people and firms asked about: none of them exists.
pick_subjects() {
	cast=$(demo-data cast) || die "demo-data failed"
	eval "$cast"
}

tell_answers() {
	say "(as NAME) stands for: --config $D/members/NAME/node.yaml"
	answers "The state tax bureau looks up a company in the register. The
   grant lets it see 13 of 25 fields; no identity papers among them." \
	    tax.demo/state query gx.demo/SCZTDJ "shxydm=$ent_open" \
	    --purpose tax-registration --officer 'Officer 0712' \
	    --case 'SH-2026-0001'
	answers "The local bureau may not read that register, only compare:
   match, no match or unknown for each field, and nothing else." \
	    tax.demo/local verify gx.demo/SCZTDJ "shxydm=$ent_open" \
	    --claim "fddbr_xm=$ent_open_head" --claim jyzt_dm=4 \
	    --purpose tax-registration
	answers "Public security confirms a name and number for a tax office." \
	    tax.demo/state query gx.demo/RKHY "gmsfhm=$person_id" \
	    "xm=$person_name" "qqr_xm=$officer_name" "qqr_zjhm=$officer_id" \
	    "qqdw_dm=$officer_office" qqyw_dm=SMBS qqyw_lsh=SH-2026-0002 \
	    --purpose SMBS
	answers "Before it registers a transfer, the land registry asks the
   local bureau whether the deed tax is settled." \
	    zrzy.demo/land query gx.demo/QSWS "bdcdyh=$unit_paid" \
	    --purpose property-registration
	answers "Before it strikes a company off, market regulation asks the
   state bureau for its tax clearance: the other direction." \
	    scjg.demo/registry query gx.demo/QSZM "shxydm=$ent_cancelled" \
	    --purpose entity-cancellation
	answers "Two bureaus as peers: who from elsewhere works in our area?" \
	    tax.demo/local query gx.demo/KQYSSSX "nsrsbh=$ent_open" \
	    --purpose cross-region-tax
	answers "And the other way: what was paid on that property?" \
	    tax.demo/state query gx.demo/QSWS "bdcdyh=$unit_paid" \
	    --purpose tax-peer --format jsonl
}

# --force: our own node would not even send what its copy of the catalog
# forbids.  Here it does, so that the exchange itself is seen to refuse.
tell_refusals() {
	refuses "No grant: nobody allowed public security to read the register." \
	    GRANT_OTHER gonganju.demo/population query gx.demo/SCZTDJ \
	    "shxydm=$ent_open" --purpose tax-registration --grant gx.demo/1 \
	    --force
	refuses "A grant that names other purposes." \
	    PURPOSE tax.demo/state query gx.demo/SCZTDJ "shxydm=$ent_open" \
	    --purpose tax-clearance --grant gx.demo/1 --force
	refuses "A grant that ran out." \
	    GRANT_PERIOD zrzy.demo/land query gx.demo/SCZTDJ \
	    "shxydm=$ent_open" --purpose tax-registration --grant gx.demo/12 \
	    --force
	refuses "A request that breaks the item's schema: every point is listed,
   before anything leaves the house." \
	    REQUEST_INVALID tax.demo/state query gx.demo/SCZTDJ \
	    shxydm=91350100M000100Y44 --purpose tax-registration
	tell_stranger
	tell_tampered
	tell_revoked
}

tell_stranger() {
	make_member nobody.demo/stranger 陌生人 Stranger
	refuses "A stranger with keys of its own making: the front does not even
   shake hands." \
	    'does not admit' \
	    nobody.demo/stranger query gx.demo/SCZTDJ "shxydm=$ent_open" \
	    --purpose tax-registration --timeout 2s
}

tell_tampered() {
	printf '\n   A record with one bit changed on its way (a test program
   plays the man in the middle):\n'
	if tamper "$(home tax.demo/state)/node.yaml" "$A" scjg.demo/registry \
	    gx.demo/SCZTDJ gx.demo/1 tax-registration ZGF-15 body \
	    >"$D/last-refusal" 2>&1; then
		die "a tampered record was accepted"
	fi
	grep -q BODY_HASH "$D/last-refusal" || {
		cat "$D/last-refusal"
		die "refused, but otherwise"
	}
	read -r name place detail <"$D/last-refusal"
	printf '\n   | the broker refused: %s: %s\n   | log       request at %s\n' \
	    "$name" "$detail" "$place"
	refused=$((refused + 1))
}

# A new revision of the member's entry, without the key that was lost.
revoke_shell_key() { # member
	note=$A/members/$1.note new=$D/revoked.note
	lost=$(hutong key show "$(home "$1")/shell-signing.key" --only public)
	now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	# The text of a note ends before its last empty line.
	awk '{ line[NR] = $0 } /^$/ { last = NR }
	    END { for (i = 1; i < last; i++) print line[i] }' "$note" |
		awk -v lost="$lost" -v now="$now" '
		/^revision:/ { print "revision:", $2 + 1; next }
		index($0, lost) && sub(/state: active/, "state: revoked, since: " now)
		!index($0, lost) { print }' >"$new"
	quietly hutong note sign "$new" --key "$(home "$1")/identity.key"
	officers_sign "$new"
	mv "$new" "$note"
	publish_snapshot
	quietly hutong-broker ctl --config "$D/broker/broker.yaml" reload
}

tell_revoked() {
	printf '\n   The local bureau reports a lost key. Its entry is signed anew,
   a new snapshot published, the running broker told: no restart.\n'
	revoke_shell_key tax.demo/local
	refuses "The next record signed with that key:" \
	    KEY_REVOKED tax.demo/local query gx.demo/KQYSSSX \
	    "nsrsbh=$ent_open" --purpose cross-region-tax --force
}
