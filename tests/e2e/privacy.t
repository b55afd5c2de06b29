#!/bin/bash
# Who looked at me, and how what is personal is erased: with real programs.
. "${0%/*}/lib.sh"

ITEM=gx.demo/SCZTDJ
OTHER=91999998MA0000007T

# A log with a past, since only what is over can be erased; the keys are the
# same ones.
make-log "$W" past >/dev/null || exit 1
ADDRESS=tcp://127.0.0.1:$(free_port)
rm -rf "$W/authority" "$W/keys"
# The item hides its looks, but for no time that anybody would notice.
made=$(make-world "$W" "$ADDRESS" 2 0 edit item $ITEM@1 'grace: 24h' \
    'grace: 24h
notify: {subject: delayed, by: 1ms, reason: inquiry}') || exit 1
cat >"$W/broker.yaml" <<-END
	authority: authority
	listen: $ADDRESS
	transport-key: keys/broker.key
	log: {dir: log, key: keys/log.key}
	control: ctl.sock
	audit: audit.sock
END
sqlite3 "$W/register.db" <<-END
	CREATE TABLE T_ENT(UNI TEXT, NAME TEXT, ST TEXT, AREA TEXT);
	INSERT INTO T_ENT VALUES('$CODE','测试有限公司','1','999901');
END
{
	node_conf scjg.demo/registry main registry
	cat <<-END
		sources:
		  register:
		    odbc:
		      connect: "Driver=SQLite3;Database=register.db;NoCreat=1"
		    timeout: 2s
		items:
		  $ITEM:
		    source: register
		    statement: SELECT * FROM T_ENT WHERE UNI = :shxydm
		    columns:
		      shxydm: uni
		      ztmc: name
		      jyzt_dm: st
		      xzqh: area
	END
} >"$W/registry.yaml"
node_conf tax.demo/state shell shell >"$W/state.yaml"
node_conf tax.demo/local main local >"$W/local.yaml"

audit() { # verb, then more
	verb=$1
	shift
	hutong-audit "$verb" --socket "$W/audit.sock" \
	    --key "$W/keys/auditor.key" --why 'complaint 12' \
	    --authority "$W/authority" "$@"
}
subject() { # who, then more
	who=$1
	shift
	audit subject "uscc:$who" --tracker "$W/keys/tracker.key" "$@"
}
draft() { # file, then the scope
	file=$1
	shift
	hutong-audit erase --authority "$W/authority" --order gx.demo/2026-7 \
	    --basis '个人信息保护法 第四十七条' --out "$file" "$@"
}
sign() { # file, officer
	hutong catalog sign "$1" --key "$W/keys/officer-$2.key"
}
ctl() {
	hutong-broker ctl --config "$W/broker.yaml" --json "$@"
}
found() { # hex: how often the bytes stand below the log's folder
	python3 - "$W/log" "$1" <<-'END'
		import pathlib, sys
		need = bytes.fromhex(sys.argv[2])
		print(sum(p.read_bytes().count(need)
		          for p in pathlib.Path(sys.argv[1]).rglob("*") if p.is_file()))
	END
}

ok "the broker goes on with a log that has a past" start_broker
start registry hutong-adapter --config "$W/registry.yaml"
ok "the registry connects" await 15 connected scjg.demo/registry/main

# ---- who looked at me ----

rolled() { # how many ranges have their roll
	audit search --type INDEX_ROOT --format jsonl >"$W/rolls"
	[ "$(wc -l <"$W/rolls")" -eq "$1" ]
}
ok "the broker commits to whom the entries before are about" await 15 rolled 2
ok "... a thousand at a time" grep -q '"from":1024,.*"to":2048' "$W/rolls"
ok "a look, by officer 7" exits 0 hutong query $ITEM "shxydm=$CODE" \
    --config "$W/state.yaml" --officer 7 --case 2026-1 --quiet \
    --opening "$W/opening"
ok "another, by a bureau that keeps to no rule" exits 0 \
    "$HT_BUILD/prog/ask-forced" "$W/local.yaml" $ITEM tax-registration \
    "{\"shxydm\":\"$CODE\"}" 12 $'=1\e\xe2\x80\xae'
ok "... the provider refuses to have that in the log's annex" \
    out_has "REQUEST_INVALID: case has the character U+001B at byte 3"
ok "the registry is put to sleep" signal STOP registry
ok "a look that gets no answer" exits 3 hutong query $ITEM "shxydm=$CODE" \
    --config "$W/state.yaml" --officer 7 --timeout 1s --quiet
signal CONT registry
ok "who looked at this one" exits 0 subject "$CODE"
ok "... three looks, each proven" out_has 'looks      3, from 5 entries'
ok "... who, what, why, on what basis" out_has tax.demo/state tax.demo/local \
    scjg.demo/registry $ITEM tax-registration ZGF-15
ok "... which fields" out_has 'shxydm ztmc jyzt_dm xzqh'
ok "... what came of it" out_has answered
ok "... but not which officer" out_has sealed
ok "... and none was left out" out_has 'proven: no look is missing.'
ok "... and it is logged" out_has 'logged     these 3 questions are entries'
ok "the proof is kept" exits 0 subject "$CODE" -o "$W/looks.answer"
ok "... and verifies with no log at hand" exits 0 hutong-audit verify \
    "$W/looks.answer" --root "$W/authority/root.note"
ok "... to be all" out_has 'matched: 5' 'every look at the subject is here'
ok "with the annex's key" exits 0 subject "$CODE" --format csv \
    --annex "$W/keys/annex.key"
ok "... which officer, and in which case" out_has ',7,2026-1,' ',12,'
ok "... with nothing that a terminal or a spreadsheet obeys" \
    out_has ",12,'=1\\x1b\\u{202e},"
hash_holds() { # the footer's hash is that of what was printed
	out_has "output     sha256 $(sha256sum <"$W/out" | cut -d' ' -f1)"
}
ok "... and the footer has the hash of the rows" hash_holds
ok "... by whom, with what and what was asked" out_has \
    "auditor    gx.demo/auditor-1" 'tool       hutong-audit ' \
    "query      subject uscc:$CODE" 'period     all time' 'range      entries 0 to '
ok "nobody looked at another" exits 1 subject "$OTHER"
ok "nobody looked in a time to come" exits 1 subject "$CODE" --from 2100-01-01
ok "... and the footer says so" out_has "subject uscc:$CODE from=2100-01-01" \
    'period     from 2100-01-01T00:00:00'
who() { # the identity alone
	audit subject "$1" --tracker "$W/keys/tracker.key"
}
ok "an id cut short has no looks to be proven" exits 2 who uscc:9199
ok "... nor has one in small letters" exits 2 who "uscc:${CODE,,}"
ok "... nor one with a wrong check digit" exits 2 who "uscc:${CODE%?}Z"
ok "... nor one of a registry that no item has" exits 2 who foo:123
ok "... and those that are known are told" out_has \
    "no item of --authority is about a 'foo'" 'the registries it knows: uscc'
ok "a search is as careful" exits 2 audit search --subject uscc:9199 \
    --tracker "$W/keys/tracker.key"
ok "... and without documents the format counts" exits 2 hutong-audit pseudonym \
    citizen-id:1 --tracker "$W/keys/tracker.key"
ok "... which says what is wrong" out_has 'no valid citizen-id'
ok "their pseudonym" exits 0 hutong-audit pseudonym "uscc:$CODE" \
    --tracker "$W/keys/tracker.key"
ok "... of the epoch" out_has 'gx.demo/e1 '
ok "... by which a search finds the same" exits 0 audit search \
    --subject "$(cut -d' ' -f2 "$W/out")" --format csv
ok "... entries" test "$(wc -l <"$W/out")" -eq 6
ok "a pseudonym without a key" exits 2 hutong-audit pseudonym "uscc:$CODE"
ok "the wrong kind of key" exits 3 audit subject "uscc:$CODE" \
    --tracker "$W/keys/auditor.key"
ok "no tracker key" exits 2 audit subject "uscc:$CODE"
ok "in the form of the data tracker" exits 0 subject "$CODE" \
    --format tracker --annex "$W/keys/annex.key"
python3 - "$W/out" >"$W/py" 2>&1 <<-'END'
	import json, sys
	report = json.load(open(sys.argv[1]))
	asks, answers = report["dataRequests"], report["dataResponses"]
	assert report["totalUsages"] == report["returnedUsages"] == 5, report
	assert len(asks) == 3 and len(answers) == 2
	assert report["dataProcessings"] == report["internalProcessings"] == []
	keys = {"logTime", "purpose", "initiatorOrg", "initiatorPerson", "target",
	        "queryId", "queryGroupId", "legalBasis", "consentReference",
	        "bulkProcessing", "hiddenUntil", "hiddenReason"}
	for usage in asks:
	    assert set(usage) == keys, usage
	    assert usage["target"] == "scjg.demo/registry"
	    assert usage["legalBasis"] == "ZGF-15"
	assert asks[0]["initiatorPerson"] == "7"
	groups = {usage["queryGroupId"] for usage in asks}
	assert {usage["queryGroupId"] for usage in answers} < groups
END
ok "... which another program reads" test $? -eq 0
ok "JSON lines" exits 0 subject "$CODE" --format jsonl
ok "... a look a line" test "$(wc -l <"$W/out")" -eq 3

# ---- evidence for a court ----

look=$(audit tail -n 2 --type RESPONSE --format csv 2>/dev/null |
    sed -n 2p | cut -d, -f1)
root=$(sed '/^$/,$d' "$W/authority/root.note" | sha256sum | cut -d' ' -f1)
ok "a case, with the content and a field of the annex" exits 0 \
    audit export "$look" --out "$W/case.tar" --annex "$W/keys/annex.key" \
    --show case --opening "$look=$W/opening"
tar -xf "$W/case.tar" -C "$W"
ok "... which proves itself" exits 0 sh "$W/case/verify.sh" "$root"
ok "... all of it" out_has 'Everything holds.'
ok "... what was said" out_has 'that scjg.demo/registry committed to:' \
    '"测试有限公司"' "\"$CODE\""
ok "... in which case" out_has 'case: 2026-1'
ok "... and not by whom" out_lacks 'officer: 7' "subject: uscc:$CODE"
forge() { # file below the case, offset
	python3 - "$W/case" "$1" "$2" <<-'END'
		import hashlib, pathlib, re, sys
		case, name, at = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
		data = bytearray((case / name).read_bytes())
		data[at] ^= 1
		(case / name).write_bytes(data)
		files = (case / "files.sha256").read_text().split("\n")[:-1]
		sums = "".join(
		    f"{hashlib.sha256((case / f[66:]).read_bytes()).hexdigest()}  {f[66:]}\n"
		    for f in files)
		(case / "files.sha256").write_text(sums)
		text = (case / "case.note").read_text().split("\n\n")[0] + "\n"
		(case / "case.note").write_text(re.sub("files: .*", "files: " +
		    hashlib.sha256(sums.encode()).hexdigest(), text))
	END
}
forge "entries/$look/opening" 40
ok "another content fails" exits 1 sh "$W/case/verify.sh" "$root"
ok "... and is named" out_has 'is not the one that scjg.demo/registry committed'

# ---- what the subject may not know yet ----

hide() { # folder, the item's rule
	make-world "$W/$1" "$ADDRESS" 3 "$made" \
	    edit item $ITEM@1 'revision: 1' 'revision: 2' \
	    edit item $ITEM@1 'grace: 24h' "grace: 24h
notify: $2" >/dev/null
}
seen() { # folder of the authority, then more
	folder=$1
	shift
	hutong-audit subject "uscc:$CODE" --socket "$W/audit.sock" \
	    --key "$W/keys/auditor.key" --why 'complaint 12' \
	    --authority "$W/$folder/authority" \
	    --tracker "$W/keys/tracker.key" "$@"
}
hide delayed '{subject: delayed, by: 30d, reason: inquiry}'
hide never '{subject: never, reason: a will}'
hide over '{subject: delayed, by: 1ms, reason: inquiry}'
ok "the subject is shown what is not hidden" exits 0 seen . --for-subject
ok "... all of it" out_has 'looks      3,'
ok "a delayed item: the subject is told how many" \
    exits 0 seen delayed --for-subject
ok "... and until when" out_has 'looks      0,' \
    'hidden     3 looks are hidden from the subject, at the latest until 20'
ok "... and nothing else" out_lacks tax.demo
ok "an item that is never told" exits 0 seen never --for-subject
ok "... has no date" out_has '3 looks are hidden' 'some without a date'
ok "when the time is over it is shown" exits 0 seen over --for-subject
ok "... all of it" out_has 'looks      3,'
ok "an auditor sees all" exits 0 seen delayed --format tracker
ok "... and until when it is hidden" out_has '"hiddenReason":"inquiry"' \
    '"hiddenUntil":"20'
ok "whose rule?" exits 2 hutong-audit subject "uscc:$CODE" \
    --socket "$W/audit.sock" --key "$W/keys/auditor.key" --why x \
    --tracker "$W/keys/tracker.key" --for-subject

# ---- what it may know from now on ----

due() {
	audit search --type DISCLOSE --format jsonl >"$W/due"
	grep -q '"count":1174,.*"item":"gx.demo/SCZTDJ@1"' "$W/due"
}
ok "what was hidden, and is over, is counted by an entry of its own" \
    await 15 due
asked=$(audit search --status 0 --type REQUEST --member tax.demo/local \
    --format jsonl | sed -n '$s/.*"entry":\([0-9]*\).*/\1/p')
show() { # file, then the scope
	file=$1
	shift
	hutong-audit disclose --root "$W/authority/root.note" \
	    --order gx.demo/2026-8 --basis '个人信息保护法 第十八条' \
	    --until 2099-01-01T00:00:00Z --out "$file" "$@"
}
hidden() { # file, who: all that is hidden from the subject
	show "$1" --socket "$W/audit.sock" --key "$W/keys/auditor.key" \
	    --why 'complaint 12' --authority "$W/never/authority" \
	    --tracker "$W/keys/tracker.key" --subject "uscc:${2:-$CODE}"
}
ok "an order to disclose is drafted: all that is hidden from a subject" \
    exits 0 hidden "$W/all.note"
ok "... what to do next" out_has 'nothing is disclosed yet' \
    "hutong-broker ctl disclose $W/all.note"
ok "... three looks" grep -qx 'entries: \[[0-9]*, [0-9]*, [0-9]*\]' "$W/all.note"
ok "... nobody's name" sh -c "! grep -q $CODE '$W/all.note'"
ok "a scope of another order is refused" exits 2 show "$W/x.note" --bodies \
    --entries 1
ok "a subject needs the rules, too" exits 2 show "$W/x.note" --subject uscc:1
ok "... it says so" out_has 'the items say what is hidden'
ok "or one look is named" exits 0 show "$W/show.note" --entries "$asked"
ok "an order to disclose a look: one officer is too few" sign "$W/show.note" 1
ok "... refused" exits 1 ctl disclose "$W/show.note"
ok "... and why" out_has '2 must' 'nothing was disclosed'
sign "$W/show.note" 2 >/dev/null
sed "s/\[$asked\]/[1]/" "$W/show.note" >"$W/other.note"
ok "a changed order is refused" exits 1 ctl disclose "$W/other.note"
ok "an order to erase is none" exits 1 ctl erase "$W/show.note"
ok "... it says so" out_has 'a document of kind disclose'
ok "an order of two officers is taken" exits 0 ctl disclose "$W/show.note"
ok "... and is an entry" out_has '"count":1' '"entry":'
ok "the subject is shown that look" exits 0 seen never --for-subject
ok "... and no other" out_has tax.demo/local 'looks      1,' \
    'disclosed  1 looks before their time, by order' '2 looks are hidden'
ok "... nothing else" out_lacks tax.demo/state
ok "a draft of all that is hidden has it no more" exits 0 hidden "$W/rest.note"
ok "... but the two others" grep -qx 'entries: \[[0-9]*, [0-9]*\]' "$W/rest.note"
ok "the tracker has it, and until when others are hidden" \
    exits 0 seen delayed --format tracker
ok "... of both kinds" out_has '"hiddenUntil":null' '"hiddenUntil":"20'

# ---- an order to erase ----

NUMBER=00000001404040404040404040404040 # of the seven oldest looks
ok "an order, from a search that is logged" exits 0 draft "$W/order.note" \
    --socket "$W/audit.sock" --key "$W/keys/auditor.key" --why 'request 3' \
    --subject $NUMBER
ok "... names entries, and no subject" \
    grep -qx 'entries: \[2, 3, 4, 5, 6, 7, 8\]' "$W/order.note"
ok "... nothing else" sh -c "! grep -q $NUMBER '$W/order.note'"
ok "nobody signed it: refused" exits 1 ctl erase "$W/order.note"
ok "... and why" out_has "nobody has signed it"
ok "one officer signs" exits 0 sign "$W/order.note" 1
ok "one is too few" exits 1 ctl erase "$W/order.note"
ok "... and why" out_has "1 of the officers of gx.demo signed it, 2 must"
ok "an auditor's signature is none that counts" exits 1 \
    hutong catalog sign "$W/order.note" --key "$W/keys/auditor.key"
ok "a second officer signs" exits 0 sign "$W/order.note" 2
sed 's/2, 3, 4/2, 3, 4, 5/' "$W/order.note" >"$W/other.note"
ok "a changed order is refused" exits 1 ctl erase "$W/other.note"
ok "an order about what is still alive" exits 0 draft "$W/live.note" \
    --epoch gx.demo/e1
sign "$W/live.note" 1 >/dev/null && sign "$W/live.note" 2 >/dev/null
ok "... is refused" exits 1 ctl erase "$W/live.note"
ok "... and says when" out_has "life is not over" "hand the order"
ok "bodies are of no epoch" exits 2 draft "$W/bad.note" --epoch gx.demo/e1 \
    --bodies
ok "an order without a scope" exits 2 draft "$W/bad.note"
ok "what is not erased yet is on the disk" test "$(found $NUMBER)" -ge 7

ok "an order of the officers, by the operator's hand" exits 0 \
    ctl erase "$W/order.note"
ok "... is carried out" out_has '"state":"done"' '"count":7'
ok "... and nothing of it is on the disk" test "$(found $NUMBER)" -eq 0
ok "a second time there is nothing to do" exits 1 ctl erase "$W/order.note"
ok "... since it was done" out_has "entry 2 was erased already"
ok "the entry says who ordered it" exits 0 audit search --type ERASE \
    --format jsonl
ok "... and on what basis" out_has '"basis":"个人信息保护法 第四十七条"' \
    '"by":"gx.demo/officer-1, gx.demo/officer-2"' '"scope":"entries"'
ok "an entry without its tag is shown" exits 0 audit show 2
ok "... with the proof that it was erased in order" \
    out_has 'its tag: erased under 个人信息保护法 第四十七条, entry'
ok "... and every check of before" out_has '8 hold, 0 fail'
ok "the roll that they stood on is made anew" await 15 rolled 3
nothing_left() { # by the rolls, once they are found
	rm -f "$W/erased.answer"
	audit search --subject $NUMBER --complete -o "$W/erased.answer" &&
	    hutong-audit verify "$W/erased.answer" \
	        --root "$W/authority/root.note" >"$W/erased" &&
	    grep -q 'matched: 0' "$W/erased" &&
	    grep -q 'rolls: 2, of 2048 entries' "$W/erased"
}
ok "... and proves that nothing of them is left" await 15 nothing_left
ok "what was proven before still is" exits 0 hutong-audit verify \
    "$W/looks.answer" --root "$W/authority/root.note"
ok "whoever asks about a subject is told" exits 0 subject "$CODE"
ok "... what could not be found" \
    out_has 'erased     entry' '7 tags (entries), under 个人信息保护法'
ok "the attempts are acts of the operator" exits 0 audit search --type ADMIN \
    --format jsonl
ok "... each" out_has '"act":"erase"'

# ---- after it ----

ok "the exchange goes on" exits 0 hutong query $ITEM "shxydm=$CODE" \
    --config "$W/state.yaml" --quiet
# A peer's asks are all about one company.
look_often() { # how often, in bundles of at most 64
	printf '%s\n' open hello "ask 64" "ask $(($1 - 64))" |
	    peer "$ADDRESS" tax.demo/state main >"$W/out"
	[ "$(grep -c 'ack OK' "$W/out")" -eq "$1" ]
}
often=91999999000000019D
ok "one more look than an order lists" look_often 101
ok "... they are too many to disclose at once" exits 7 \
    hidden "$W/most.note" $often
ok "... it says so" out_has '101 looks are hidden, and one order lists 100' \
    '--from and --to'
ok "... and nothing is drafted" test ! -e "$W/most.note"
stop TERM registry
stop TERM broker
ok "the log verifies" exits 0 hutong-audit verify --dir "$W/log" \
    --authority "$W/authority"
ok "... and says what is gone" \
    out_has 'erased       of 7 entries, by 1 ERASE entries' \
    'signed by the officers'
ok "... and what was disclosed" out_has 'disclosed    1175 looks, by 2 DISCLOSE'
ok "... and of which roll" out_has 'but for 1 of whose tags'
vkey=$(sed -n 's/^log: \([^ ]*\).*/\1/p' "$W/authority/root.note")
if python3 -c 'import lmdb, nacl, msgpack' 2>/dev/null; then
	ok "another verifier agrees" exits 0 tests/lib/verify-log.py "$W/log" \
	    "$vkey"
fi
ok "a copy made since has nothing of it" test "$(found $NUMBER)" -eq 0
ok "all entries looked at: the list is complete" exits 0 \
    hutong-audit subject "uscc:$CODE" --dir "$W/log" --scan \
    --authority "$W/authority" --tracker "$W/keys/tracker.key"
ok "... and says so" out_has 'every entry of the range was looked at' \
    'looks      4'
list=$(echo "$W"/log/vault/*.erased)
mv "$list" "$W/kept"
ok "without its list an erasure is a destruction" exits 4 \
    hutong-audit verify --dir "$W/log" --authority "$W/authority"
ok "... and said to be one" out_has "BAD: entry 2: its tag was destroyed"
mv "$W/kept" "$list"
ok "it starts again" start_broker
stop TERM broker

# ---- killed at any point ----

# Either the ERASE entry is there, and nothing of what it names; or neither.
whole() {
	if audit search --type ERASE >/dev/null; then
		erasures=$((erasures + 1))
		[ "$(found $NUMBER)" -eq 0 ]
	else
		[ "$(found $NUMBER)" -ge 7 ]
	fi
}
erasures=0
make-log "$W/past" past >/dev/null
for delay in 0 0.002 0.004 0.006 0.008 0.012 0.02 0.04 taken; do
	rm -rf "$W/log" && cp -a "$W/past/log" "$W/log"
	start_broker
	ctl erase "$W/order.note" >/dev/null 2>&1 &
	asking=$!
	# The last one is not left to the clock: it was taken.
	case $delay in
	taken) wait $asking ;;
	*) sleep $delay ;;
	esac
	stop KILL broker
	wait $asking 2>/dev/null
	start_broker
	ok "killed $delay (s) into an erasure: done, or not begun" whole
	stop TERM broker
	ok "... and the log verifies" exits 0 hutong-audit verify \
	    --dir "$W/log" --authority "$W/authority"
done
ok "some were done" test "$erasures" -ge 1

# ---- an order to remove the oldest volume ----

rm -rf "$W/log" "$W/past"
make-log "$W/past" aged >/dev/null
second=$(find "$W/past/log/volumes" -name '*.vol' | sort | sed -n 2p)
begin=$((16#$(basename "$second" .vol)))
last=$((begin - 1))
remove_order() { # file, retention-over
	cat >"$1" <<-END
		hutong: remove/v1
		order: gx.demo/2026-9
		log: gx.demo/log
		basis: "个人信息保护法 第十九条"
		issued: $(date -u +%Y-%m-%dT%H:%M:%SZ)
		until: $(date -u -d '+1 day' +%Y-%m-%dT%H:%M:%SZ)
		first: 0
		last: $last
		retention-over: $2
	END
}
# Either it is gone, with the entry that says so; or all of it is there.
either() {
	if audit search --type REMOVED >"$W/x" 2>&1; then
		removals=$((removals + 1))
		grep -q "removed    the entries below $begin are" "$W/x" &&
			[ ! -e "$W/log/volumes/0000000000000000.vol" ] &&
			[ ! -e "$W/log/vault/0000000000000000.seg" ]
	else
		[ -e "$W/log/volumes/0000000000000000.vol" ] &&
			[ -e "$W/log/vault/0000000000000000.seg" ]
	fi
}
cp -a "$W/past/log" "$W/log"
start_broker
ok "which is the oldest volume" exits 0 ctl volumes
ok "... its first and last entry" out_has "\"oldest\":\"entries 0 to $last\""
remove_order "$W/early.note" 2023-01-01T00:00:00Z
remove_order "$W/remove.note" 2026-11-01T00:00:00Z
ok "nobody signed it: refused" exits 1 ctl remove "$W/remove.note"
sign "$W/remove.note" 1 >/dev/null
ok "one is too few" exits 1 ctl remove "$W/remove.note"
sign "$W/remove.note" 2 >/dev/null
sign "$W/early.note" 1 >/dev/null
sign "$W/early.note" 2 >/dev/null
ok "terms that are not over: refused" exits 1 ctl remove "$W/early.note"
ok "... and says until when" out_has 'has to be kept until 202'
ok "an order to remove is none to erase" exits 1 ctl erase "$W/remove.note"
mkdir "$W/blocked" && mkfifo "$W/blocked/anchor" # a backup waits for it
ctl backup "$W/blocked" >/dev/null 2>&1 &
asking=$!
busy() {
	ctl backup | grep -q '"state":"runs"'
}
await 5 busy
ok "beside a backup: refused" exits 1 ctl remove "$W/remove.note"
ok "... and says so" out_has 'a backup, is going on'
timeout 5 sh -c ": >'$W/blocked/anchor'"
wait $asking
ok "all of it is still there" either
stop TERM broker
removals=0
for delay in 0 0.004 0.008 0.016 taken; do
	rm -rf "$W/log" && cp -a "$W/past/log" "$W/log"
	start_broker
	ctl remove "$W/remove.note" >/dev/null 2>&1 &
	asking=$!
	case $delay in
	taken) wait $asking ;;
	*) sleep $delay ;;
	esac
	stop KILL broker
	wait $asking 2>/dev/null
	start_broker
	ok "killed $delay (s) into a removal: done, or not begun" either
	stop TERM broker
	ok "... and the log verifies" exits 0 hutong-audit verify \
	    --dir "$W/log" --authority "$W/authority"
done
ok "some were done" test "$removals" -ge 1
ok "the orders' signatures are those of officers" out_has \
    '1 of 1 orders are signed by the officers'
ok "fsck finds nothing" exits 0 hutong-audit fsck --dir "$W/log"
start_broker
ok "a count of all there is begins where the log does" exits 0 audit stats
ok "... and says so" out_has "range      entries $begin to" \
    "removed    the entries below $begin"
ok "an entry that is gone is named so" exits 2 audit show 3
ok "... with the entry that says why" out_has \
    "the entries below $begin were removed, by entry"
by=$(audit search --type REMOVED --format jsonl 2>/dev/null |
	sed -n 's/^{"entry":\([0-9]*\),.*/\1/p')
ok "which can be proven" exits 0 audit prove "$by" -o "$W/removed.proof"
ok "a list of looks is whole from there on" exits 1 subject "$CODE"
ok "... and says so, too" out_has "removed    the entries below $begin"
ok "a mirror cannot begin before it" exits 3 audit mirror "$W/mirror"
ok "... and says why" out_has 'were removed from the log'
ok "a second order finds it gone" exits 1 ctl remove "$W/remove.note"
ok "... and names the next" out_has "the oldest closed volume is entries $begin"
ok "an answer is kept with what proves it" exits 0 audit search --complete \
    -o "$W/kept.answer"
ok "... and verifies without the log" exits 0 hutong-audit verify \
    "$W/kept.answer" --authority "$W/authority"
finish
