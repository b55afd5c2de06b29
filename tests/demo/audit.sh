# audit.sh -- what the auditor sees, and what a changed byte does.  Sourced.

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
	audit show "$exchange" --authority "$A" >"$D/last-show" ||
		die "show failed"
	cat "$D/last-show"
}

# A copy of a log, with one byte of one entry changed: the last of its record's
# id, wherever the store has the entry, for old pages stand in the file as well.
change_one_byte() { # from, to, record id
	rm -rf "$2"
	cp -r "$1" "$2"
	python3 - "$2/evidence/data.mdb" "$3" <<-'EOF'
		import sys
		data, id = open(sys.argv[1], "r+b"), bytes.fromhex(sys.argv[2])
		pages, at = data.read(), -1
		while (at := pages.find(id, at + 1)) >= 0:
		    data.seek(at + len(id) - 1)
		    data.write(bytes([id[-1] ^ 1]))
	EOF
}

# The newest checkpoint, out of the anchor: two slots, at 0 and 4096, each with
# a counter at 16, a length at 64 and the note at 66 (docs/log-format.md).
newest_checkpoint() { # anchor file
	at=0
	[ "$(anchor_number "$1" 16 8)" -gt "$(anchor_number "$1" 4112 8)" ] ||
		at=4096
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
	record=$(sed -n 's/.* record *\([0-9a-f]\{32\}\), request .*/\1/p' \
	    "$D/last-show")
	change_one_byte "$D/broker/log" "$D/spoiled-log" "$record" ||
		die "no entry could be spoiled"
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
