# audit.sh -- what the auditor sees, and what a flipped bit does.  Sourced.

audit() {
	printf '\n   %s$ hutong-audit%s%s\n' "$bold" "$(typed "$@")" "$plain"
	verb=$1
	shift
	hutong-audit "$verb" --socket "$D/broker/audit.sock" \
	    --key "$D/auditor/auditor.key" --why 'yearly inspection' \
	    --root "$A/root.note" "$@" |
		sed 's/^/   | /'
	return "${PIPESTATUS[0]}"
}

tell_audit() {
	say "The auditor asks the running broker through its audit socket, with a"
	say "key of its own; each question becomes an entry too. Left out below:"
	say "--socket $D/broker/audit.sock --key $D/auditor/auditor.key"
	say "--why 'yearly inspection' --root $A/root.note"
	audit search --limit 12 || die "the audit search failed"
	say ""
	say "Refusals only (what a stranger tried has no name that could be believed):"
	audit search --status refused --limit 12 || die "no refusals found"
	exchange=$(hutong-audit search --socket "$D/broker/audit.sock" \
	    --key "$D/auditor/auditor.key" --why 'yearly inspection' \
	    --root "$A/root.note" --item gx.demo/RKHY --limit 1 --format jsonl \
	    2>"$D/last-output" |
		sed -n 's/.*"exchange":"\([^"]*\)".*/\1/p' | head -n 1)
	say ""
	say "The whole life of one exchange, every signature checked:"
	audit show "$exchange" --authority "$A" || die "show failed"
}

# A copy of a log, with one bit of one entry changed.
flip_one_bit() { # from, to
	rm -rf "$2"
	cp -r "$1" "$2"
	# The item's name stands in headers, as they were received.
	at=$(grep -abo 'gx.demo/RKHY' "$2/evidence/data.mdb" | head -n 1 |
	    cut -d: -f1)
	[ -n "$at" ] || die "no entry found to spoil"
	printf 'X' | dd of="$2/evidence/data.mdb" bs=1 seek="$at" conv=notrunc \
	    status=none
}

# The newest checkpoint, out of the anchor: two slots of 512 bytes, each with a
# counter at 16, a length at 64 and the note at 66 (docs/log-format.md).
newest_checkpoint() { # anchor file
	at=0
	[ "$(anchor_number "$1" 16 8)" -gt "$(anchor_number "$1" 528 8)" ] ||
		at=512
	tail -c +$((at + 67)) "$1" |
		head -c "$(anchor_number "$1" $((at + 64)) 2)"
}
anchor_number() { # file, offset, bytes
	od -An -t "u$3" --endian=big -j "$2" -N "$3" "$1" | tr -d ' '
}

verify_log() { # folder; prints what hutong-audit says
	hutong-audit verify --dir "$1" --root "$A/root.note" --authority "$A"
}

tell_verify() {
	say "The broker is stopped; its log is verified from the files alone."
	verify_log "$D/broker/log" >"$D/verify.txt" 2>&1 ||
		{ cat "$D/verify.txt"; die "the log does not verify"; }
	sed 's/^/   | /' "$D/verify.txt"
	flip_one_bit "$D/broker/log" "$D/spoiled-log"
	say ""
	say "One byte of one entry is changed in a copy ($D/spoiled-log):"
	status=0
	verify_log "$D/spoiled-log" >"$D/spoiled.txt" 2>&1 || status=$?
	sed 's/^/   | /' "$D/spoiled.txt"
	[ "$status" -eq 4 ] ||
		die "the change was not found (exit $status, 4 was expected)"
	say "Found: exit code 4 means that integrity does not hold."
	say ""
	say "The newest checkpoint, and its signature checked by a page of shell"
	say "with openssl, which shares no code with Hutong:"
	newest_checkpoint "$D/broker/log/anchor" >"$D/checkpoint.note"
	sed 's/^/   | /' "$D/checkpoint.note"
	sh "$TOP/tests/lib/check-note" "$D/checkpoint.note" "$(log_vkey)" \
	    >"$D/last-output" 2>&1 ||
		{ cat "$D/last-output"; die "openssl does not agree"; }
	say "openssl agrees: signed by the key that the root names."
}

log_vkey() {
	sed -n 's/^log: *//p' "$A/root.note" | tr -d '"'
}
