#!/bin/bash
# An exchange with real programs: asked, answered, refused, killed, restarted.
. "${0%/*}/lib.sh"

ITEM=gx.demo/SCZTDJ
OTHER=91999998MA00000079
make_world edit grant gx.demo/2 "per-day: 100" "per-day: 4"

# ---- a department's table, as it is ----

sqlite3 "$W/register.db" <<EOF
CREATE TABLE T_ENT(UNI TEXT, NAME TEXT, ST TEXT, BOSS TEXT, AREA TEXT);
INSERT INTO T_ENT VALUES('$CODE','  测试有限公司 ','K','某人','999901');
INSERT INTO T_ENT VALUES('$CODE','测试分公司','X','某人','110101');
EOF
{
	node_conf scjg.demo/registry main registry
	cat <<-EOF
		sources:
		  register:
		    odbc:
		      connect: "Driver=SQLite3;Database=register.db;NoCreat=1"
		      prepare: ["PRAGMA query_only = 1"]
		    timeout: 1s
		items:
		  $ITEM:
		    source: register
		    statement: |
		      SELECT * FROM T_ENT WHERE UNI = :shxydm
		       ORDER BY NAME -- not this: ':x'
		    columns:
		      shxydm: uni
		      ztmc: name
		      jyzt_dm: {column: st, codes: {K: "1", D: "2", X: "4"}}
		      fddbr_xm: boss
		      xzqh: area
	EOF
} >"$W/registry.yaml"
# A statement that never ends.
sed -e 's/ORDER BY NAME.*/AND EXISTS (WITH RECURSIVE c(x) AS (SELECT 1 UNION/' \
    -e '/UNION$/s/$/ ALL SELECT x + 1 FROM c) SELECT x FROM c WHERE x < 0)/' \
    "$W/registry.yaml" >"$W/slow.yaml"
node_conf tax.demo/state shell shell >"$W/state.yaml"
node_conf tax.demo/local main local >"$W/local.yaml"
node_conf police.demo/residents main police >"$W/police.yaml"

query() { # node, more
	node=$1
	shift
	hutong query "$ITEM" "shxydm=$CODE" --config "$W/$node.yaml" "$@"
}
start_registry() { # configuration
	start registry hutong-adapter --config "$W/${1:-registry}.yaml"
	await 15 connected scjg.demo/registry/main
}

held() {
	hutong-broker ctl --config "$W/broker.yaml" --json status |
		grep -q '"open":1'
}

# ---- set up ----

ok "the adapter's configuration is good, fields and all" \
    exits 0 hutong-adapter --check --config "$W/registry.yaml" \
    --trust "$W/authority"
ok "no broker: said, with the address" \
    exits 3 query state --timeout 1s
ok "... and what to do" out_has "nobody listens at $ADDRESS"
ok "the broker starts" start_broker
ok "nobody serves: no answer" exits 3 query state --timeout 1s
ok "the adapter connects" start_registry

# ---- answers ----

ok "a query is answered" exits 0 query state --officer 7 --case 2026-1 \
    --lang en
ok "... with the table's data, mapped and trimmed" \
    out_has 测试有限公司 " 1 " "2 records"
ok "... and what is not granted stays" out_lacks 某人
ok "... proven" out_has "both entries are in the log" "released  shxydm, ztmc"
ok "for programs: CSV" exits 0 query state --format csv --quiet
ok "... with names of fields" out_has "shxydm,ztmc,jyzt_dm,xzqh"
ok "for programs: JSON lines" exits 0 query state --format jsonl \
    --fields ztmc --quiet
ok "... only what is wanted" out_has '{"ztmc":"测试分公司"}'
ok "rows of the grant's area alone" exits 0 query local
ok "... not the others" out_lacks 测试分公司
ok "verify: all match" exits 0 hutong verify $ITEM "shxydm=$CODE" \
    --claim ztmc=测试有限公司 --claim jyzt_dm=1 --config "$W/state.yaml"
ok "verify: one does not" exits 1 hutong verify $ITEM "shxydm=$CODE" \
    --claim ztmc=测试有限公司 --claim jyzt_dm=2 --format jsonl \
    --config "$W/state.yaml"
ok "... which one" out_has '{"jyzt_dm":"no-match","ztmc":"match"}'

# ---- before anything is sent ----

ok "can-i, by the node's own copy: yes" exits 0 hutong can-i \
    --item $ITEM --operation query --config "$W/state.yaml"
ok "... fields, rows, period, basis" out_has "yes, by grant gx.demo/1" \
    "shxydm, ztmc, jyzt_dm, xzqh" "rows      all" "ZGF-15"
ok "... as of when" out_has \
    "decided by snapshot 1 and its current note of 20"
can_i_as() { # purpose, key, more: by a node that holds it
	sed "s|$1: .*|$1: $W/keys/$2|" "$W/state.yaml" >"$W/other.yaml"
	hutong can-i --item $ITEM --operation query \
	    --config "$W/other.yaml" "${@:3}"
}
ok "... the node's own key is looked at" \
    exits 1 can_i_as signing tax.demo/state/main-signing.key
ok "... KEY_UNKNOWN" out_has KEY_UNKNOWN "main-signing.key of node tax.demo"
ok "... its period, too" \
    exits 1 can_i_as signing tax.demo/state/shell-signing.key --at 2099-01-01T00:00:00Z
ok "... KEY_EXPIRED" out_has KEY_EXPIRED "shell-signing.key of node tax.demo" \
    "shell-transport.key of node tax.demo" "no sealing key that is valid"
ok "... another node's transport key: the broker does not let it in" \
    exits 1 can_i_as transport tax.demo/state/main-transport.key
ok "... KEY_UNKNOWN alone" out_has "for 1 reason" KEY_UNKNOWN \
    "transport key" "does not let it in"
ok "... a sealing key that is not the entry's: answers could not be read" \
    exits 1 can_i_as sealing scjg.demo/registry/sealing.key
ok "... SEAL_KEY alone" out_has "for 1 reason" SEAL_KEY "it could not read them"
ok "... a key file that is not there is named" \
    exits 3 can_i_as transport tax.demo/state/nosuch.key
ok "... where, and why" out_has "tax.demo/state/nosuch.key: No such file"
ok "... which documents: not both" exits 2 hutong can-i --item $ITEM \
    --operation query --config "$W/state.yaml" --dir "$W/authority"
ok "... said so" out_has "leave out the one or the others"
ok "... for another: no" exits 1 hutong can-i --from police.demo/residents \
    --item $ITEM --operation query --config "$W/state.yaml"
ok "... NO_GRANT" out_has NO_GRANT "caller" "apply for a grant"

# ---- refusals ----

ok "an officer's name that steers a terminal" exits 2 query state \
    --officer "$(printf 'x\033[31m')"
ok "... where, and what" out_has "--officer has the character U+001B at byte 2"
ok "a case that is turned around, whatever the policy" exits 2 query state \
    --force --case "$(printf '1\342\200\2567')"
ok "... where, and what" out_has "--case has the character U+202E at byte 2"

ok "another purpose: our own node says no" \
    exits 1 query state --purpose tax-audit --grant gx.demo/1
ok "... PURPOSE, not sent" out_has "not sent" PURPOSE
ok "another purpose: the broker says no" \
    exits 1 query state --purpose tax-audit --grant gx.demo/1 --force
ok "... PURPOSE" out_has "the broker refused" PURPOSE "caller must act"
ok "a grant that is over" exits 1 query state --purpose tax-registration \
    --grant gx.demo/4 --force
ok "... GRANT_PERIOD" out_has "the broker refused" GRANT_PERIOD
ok "somebody else's grant" exits 1 query police --grant gx.demo/1 \
    --purpose tax-registration --force
ok "... GRANT_OTHER" out_has "the broker refused" GRANT_OTHER
ok "no such grant" exits 1 query state --grant gx.demo/99 \
    --purpose tax-registration --force
ok "... NO_GRANT" out_has NO_GRANT
ok "no grant at all" exits 1 query police
ok "fields that are not granted: the provider says no" \
    exits 1 query state --fields fddbr_xm --force
ok "... FIELDS" out_has "the provider refused" FIELDS
ok "a request that breaks the schema: every point of it" \
    exits 1 hutong query $ITEM shxydm=1 xzqh=x more=1 --config "$W/state.yaml"
ok "... each" out_has /shxydm /xzqh more
ok "no parameter at all" exits 1 hutong query $ITEM \
    --purpose tax-registration --config "$W/state.yaml"
ok "... which one is missing" out_has "REQUEST_INVALID" \
    "parameter /shxydm: is missing" "mend every point listed"
ok "a purpose that is none" exits 1 query state --purpose "tax audit"
ok "... which ones there are" out_has PURPOSE "it allows tax-registration"
ok "no such item" exits 1 hutong query gx.demo/NO a=b --config "$W/state.yaml"
ok "a command line that makes no sense" \
    exits 2 hutong query $ITEM what --config "$W/state.yaml"

# ---- explained ----

exchange_of() { # of what the last command said
	sed -n 's/^exchange  //p' "$W/out" | head -n 1
}
explain() { # node, more
	node=$1
	shift
	hutong explain "$@" --config "$W/$node.yaml"
}
query state --purpose tax-audit --grant gx.demo/1 >"$W/out" 2>&1
id=$(exchange_of)
ok "what our own node refused is explained" exits 0 explain state "$id"
ok "... what, by which documents of then, signed by whom" \
    out_has "not sent" "query $ITEM version 1, for tax-audit" \
    "gx.demo/1 revision 1, signed by gx.demo/officer-" \
    "scjg.demo/registry/officer"
ok "... why, who must act, how; and now" out_has PURPOSE caller \
    "use it for the purposes granted" \
    "decided again as of then, on snapshot 1: no, for the same reason" \
    "decided now, on snapshot 1: no, for the same reason"
query state --fields fddbr_xm --force >"$W/out" 2>&1
id=$(exchange_of)
ok "what the provider refused" exits 0 explain state "$id"
ok "... by whose key, at which places" out_has "the provider refused" FIELDS \
    "of scjg.demo/registry/main" "request at" "its end at"
ok "... its header was allowed" out_has "its header is allowed, by grant gx"
ok "the provider explains it, too, while it runs" \
    exits 0 explain registry "$id"
ok "... from its side" out_has "refused here, by the provider" FIELDS \
    "of tax.demo/state/shell"
ok "another member knows nothing of it" exits 1 explain police "$id"
ok "... and hears why" out_has "asked or served itself"
query state >"$W/out" 2>&1
id=$(exchange_of)
ok "an answer is explained" exits 0 explain state "$id" --format jsonl
ok "... for programs" out_has '"outcome":"answered"' '"item_revision":1' \
    '"released":"shxydm, ztmc, jyzt_dm, xzqh"' '"now":{"allow":true'
ok "the last ones, in a line each" exits 0 explain state --format csv
ok "... refusals with their codes" out_has "not sent: our own" PURPOSE "$id"
ok "and proven, to anybody: the answer, as a file" \
    exits 0 hutong prove "$id" --config "$W/state.yaml" --out "$W/own.proof"
proof_holds() { # file
	hutong-audit verify "$1" --root "$W/authority/root.note" \
	    --authority "$W/authority"
}
ok "... which holds with no broker" exits 0 proof_holds "$W/own.proof"
ok "... with the signature of its sender" \
    out_has "response of scjg.demo/registry" "in the tree" "signed by key"
ok "the request" exits 0 hutong prove "$id" --request \
    --config "$W/state.yaml" --out "$W/request.proof"
ok "... holds, too" exits 0 proof_holds "$W/request.proof"
ok "... and is the request" out_has "request of tax.demo/state" "signed by key"
ok "of an exchange that is not ours there is none" \
    exits 1 hutong prove "$id" --config "$W/police.yaml"
ok "... it is said who has it" out_has "the auditors can prove"
nothing_of() {
	! grep -rqF -e "$1" "$W/state"
}
ok "nothing of what was asked about stays in any state" nothing_of "$CODE"

# ---- sources that fail ----

mv "$W/register.db" "$W/elsewhere.db"
stop TERM registry
ok "the adapter starts without its database" start_registry
ok "the database is gone" exits 3 query state
ok "... SOURCE_DOWN" out_has "the provider could not answer" SOURCE_DOWN
ok "... and it was not made" test ! -e "$W/register.db"
mv "$W/elsewhere.db" "$W/register.db"
ok "it is back: answered, with no restart" exits 0 query state
sqlite3 "$W/register.db" "UPDATE T_ENT SET ST = 'Z'"
ok "a value the mapping does not know" exits 1 query state
ok "... SOURCE_INVALID names the field" out_has SOURCE_INVALID "field jyzt_dm"
sqlite3 "$W/register.db" "UPDATE T_ENT SET ST = 'K', AREA = 'none'"
ok "a value that breaks the schema" exits 1 query state
ok "... SOURCE_INVALID names the place" out_has SOURCE_INVALID /xzqh
sqlite3 "$W/register.db" "UPDATE T_ENT SET AREA = '999901'"
stop TERM registry
start_registry slow
ok "a statement without end" exits 3 query state --timeout 10s
ok "... SOURCE_SLOW" out_has SOURCE_SLOW
stop TERM registry
ok "no worker is left behind" test -z "$(pgrep -f "$W" -a | grep worker)"

# ---- killed and started again ----

start_registry
stop KILL registry
ok "the provider is killed: no answer" exits 3 query state --timeout 2s
ok "it starts again" start_registry
ok "... and answers" exits 0 query state

# The request is in the log; its provider dies before it has read it.
signal STOP registry
start asking hutong query "$ITEM" "shxydm=$CODE" --timeout 40s \
    --config "$W/state.yaml"
ok "a request is held for a provider that sleeps" await 10 held
stop KILL registry
ok "the provider is killed, and starts again" start_registry
wait "$(cat "$W/asking.pid")"
ok "what was meant for it is answered all the same" test $? -eq 0
rm -f "$W/asking.log"

# The request is in the log, its provider asleep, the broker dies.
signal STOP registry
start asking hutong query "$ITEM" "shxydm=$CODE" --timeout 40s \
    --config "$W/state.yaml"
ok "a request is held" await 10 held
stop KILL broker
ok "the broker starts again" start_broker
signal CONT registry
wait "$(cat "$W/asking.pid")"
ok "what it had accepted is answered all the same" test $? -eq 0
cp "$W/asking.log" "$W/out"
ok "... to the one who asked" out_has 测试有限公司

# ---- rights that change while all of it runs ----

freshen() {
	hutong catalog freshen "$W/authority" --key "$W/keys/current.key" \
	    --for 12h "$@" >/dev/null &&
		hutong-broker ctl --config "$W/broker.yaml" reload >/dev/null
}
ok "a grant is suspended" freshen --suspend gx.demo/1
ok "... and refused at once, by its holder's own node" exits 1 query state
ok "... GRANT_STATE" out_has "not sent" GRANT_STATE
refused=$(sed -n 's/^exchange  //p' "$W/err")
ok "... and by the broker" exits 1 query state --grant gx.demo/1 \
    --purpose tax-registration --force
ok "... GRANT_STATE" out_has "the broker refused" GRANT_STATE
ok "it is resumed" freshen --resume gx.demo/1
ok "... and used again" exits 0 query state
hutong catalog snapshot "$W/authority" --key "$W/keys/snapshot.key" \
    >/dev/null 2>&1
ok "a new snapshot" freshen
ok "... reaches a provider that runs" \
    await 10 grep -q "snapshot 2 is in force" "$W/registry.log"
ok "... which keeps it" \
    await 5 test -f "$W/state/registry/trust-2/snapshot.note"
ok "... and goes on answering" exits 0 query state
kept() { # version: it lies there as the authority has it, and one before
	[ -f "$W/state/registry/trust-$1/snapshot.note" ] &&
		! diff -r "$W/authority" "$W/state/registry/trust-$1" |
		grep -v current.note && [ "$(find "$W/state/registry" \
		-maxdepth 1 -name 'trust-*' | wc -l)" -eq 2 ]
}
next_snapshot() {
	hutong catalog snapshot "$W/authority" --key "$W/keys/snapshot.key" \
		>/dev/null 2>&1 && freshen
}
mv "$W/authority/grants/gx.demo/5.note" "$W/5.note"
ok "a grant leaves" next_snapshot
ok "... also from a node's disk" await 5 kept 3
mv "$W/5.note" "$W/authority/grants/gx.demo/5.note"
ok "... comes back" next_snapshot
ok "... also there, where the one before the last was" await 5 kept 4
ok "... and nothing else happens" next_snapshot
ok "... also there" await 5 kept 5
ok "an older refusal is explained as of then" exits 0 explain state "$refused"
ok "... and as it would be now" out_has GRANT_STATE \
    "suspended by the current note" \
    "decided now, on snapshot 2: its header is allowed, by grant gx.demo/1"

# ---- two versions of an item, side by side ----

sign_all() { # file: officers, then the provider's
	for key in officer-1 officer-2 scjg.demo/registry/officer; do
		hutong catalog sign "$1" --key "$W/keys/$key.key" || return 1
	done
}
# revise FILE REVISION [SED ...]: its text anew, without the old signatures
revise() {
	file=$1 revision=$2
	shift 2
	sed -e '/^$/,$d' -e "s/^revision: .*/revision: $revision/" "$@" \
	    "$file" >"$W/text" && cp "$W/text" "$file"
}
publish() {
	hutong catalog snapshot "$W/authority" --key "$W/keys/snapshot.key" &&
		freshen
}
V1=$W/authority/items/$ITEM@1.note V2=$W/authority/items/$ITEM@2.note
second_version() { # the name of a field changes; one office is granted it
	cp "$V1" "$V2" && revise "$V1" 2 -e "/^revision:/auntil: $1" &&
		revise "$V2" 1 -e 's/^version: 1/version: 2/' -e 's/ztmc/mc/' &&
		hutong catalog draft grant --grant gx.demo/6 --item $ITEM \
		    --version 2 --provider scjg.demo/registry \
		    --consumer tax.demo/local --operations query \
		    --fields shxydm,mc --purposes tax-registration \
		    --basis ZGF-15 --out "$W/authority/grants/gx.demo/6.note" &&
		for one in "$V1" "$V2" "$W/authority/grants/gx.demo/6.note"; do
			sign_all "$one" || return 1
		done && publish
}
# The adapter's entry for version 2 stands beside the one for all others.
sed -n "\\|^  $ITEM:|,\$p" "$W/registry.yaml" |
    sed -e "s|$ITEM:|$ITEM@2:|" -e 's/ztmc/mc/' >"$W/entry"
cat "$W/registry.yaml" "$W/entry" >"$W/both.yaml"
ok "a second version, with another name for a field" \
    exits 0 second_version 2099-01-01T00:00:00Z
ok "... reaches the provider" \
    await 10 grep -q "snapshot 6 is in force" "$W/registry.log"
ok "... whose log tells what its mapping lacks" await 10 \
    grep -q "$ITEM version 2 has no field 'ztmc'" "$W/registry.log"
stop TERM registry
ok "the adapter serves both" exits 0 hutong-adapter --check \
    --config "$W/both.yaml" --trust "$W/authority"
start_registry both
ok "who was granted the old one goes on with it" \
    exits 0 query state --format csv --quiet
ok "... by its names" out_has "shxydm,ztmc,jyzt_dm,xzqh"
ok "who was granted the new one gets that" \
    exits 0 query local --format csv --quiet
ok "... by its names" out_has "shxydm,mc" 测试有限公司
ok "... and may still ask for the old one" \
    exits 0 query local --item-version 1 --format csv --quiet
ok "... by its names" out_has "shxydm,ztmc,xzqh"
ends() { # revision, time
	until=$2
	revise "$V1" "$1" -e "s/^until: .*/until: $until/" && sign_all "$V1" &&
		publish
}
refused() {
	exits 1 query state
}
ok "the last day of the old one comes" \
    exits 0 ends 3 "$(date -u -d '+2 seconds' +%FT%TZ)"
ok "... and then it is refused" await 10 refused
# The end may fall between the node's look and the broker's: ask once more.
ok "... by the holder's own node" exits 1 query state
ok "... ITEM_VERSION" \
    out_has "not sent" ITEM_VERSION "was served until $until; the newest is 2"
ok "... and by the broker" exits 1 query state --item-version 1 \
    --grant gx.demo/1 --purpose tax-registration --force
ok "... ITEM_VERSION" out_has "the broker refused" ITEM_VERSION
ok "the new one is served" exits 0 query local
ok "the day is put off" exits 0 ends 4 2099-01-01T00:00:00Z
ok "... and the old one served again" await 10 hutong query $ITEM \
    "shxydm=$CODE" --config "$W/state.yaml"

# ---- a day's quota ----

turns_soon() { # the day, within the next minutes
	[ $((86400 - $(date +%s) % 86400)) -lt 120 ]
}
over() { # how the broker says so
	out_has "the broker refused" QUOTA "gx.demo/2 allows 4 a day" \
	    "the next day begins"
}
unseen_snapshot() {
	hutong catalog snapshot "$W/authority" --key "$W/keys/snapshot.key" \
	    >/dev/null 2>&1 && hutong catalog freshen "$W/authority" \
	    --key "$W/keys/current.key" --for 12h >/dev/null
}
came() { # how, to the provider; sets version
	version=$(sed -n 's/^version: //p' "$W/authority/snapshot.note")
	await 10 grep -q "snapshot $version: .* came, $1" "$W/registry.log"
}
if turns_soon; then
	echo "# quotas skipped: the day ends within minutes"
else
	ok "a third use of four a day" exits 0 query local --item-version 1
	stop KILL broker
	unseen_snapshot
	ok "the broker is killed, and starts again" start_broker
	await 15 connected scjg.demo/registry/main
	ok "a snapshot made meanwhile comes whole" came "which is all of it"
	ok "the next one is made" next_snapshot
	ok "... and comes as what changed, from a broker that started anew" \
	    came "what changed since snapshot $version"
	ok "the fourth is in the quota" exits 0 query local --item-version 1
	ok "the fifth is not" exits 1 query local --item-version 1
	ok "... QUOTA, and when it goes on" over
	stop TERM broker
	start_broker
	await 15 connected scjg.demo/registry/main
	ok "nor after a restart" exits 1 query local --item-version 1
	ok "... QUOTA" over
	ok "another member has its own" exits 0 query state
fi

# ---- the log ----

cp "$W/authority/current.note" "$W/older.note"
ok "a grant is suspended once more" freshen --suspend gx.demo/1
stop TERM registry
stop TERM broker
cp "$W/authority/current.note" "$W/newest.note"
cp "$W/older.note" "$W/authority/current.note"
ok "a broker does not start on the note before that" exits 1 timeout 20 \
    hutong-broker --config "$W/broker.yaml"
ok "... since it would forget who is suspended" \
    out_has "what is suspended since would be forgotten" "freshen it"
cp "$W/newest.note" "$W/authority/current.note"
ok "the log verifies" exits 0 hutong-audit verify --dir "$W/log" \
    --root "$W/authority/root.note"
cp -a "$W/log" "$W/old-log"
start_broker
ok "... but does on the newest" freshen --resume gx.demo/1
ok "a later exchange" exits 3 query state --timeout 1s
stop TERM broker
checkpoint() { # state, root
	rm -f "$W/seen.note"
	hutong checkpoint "$1" --root "$2" --out "$W/seen.note"
}
ok "the newest checkpoint that a node has seen" \
    exits 0 checkpoint "$W/state/shell" "$W/authority/root.note"
ok "... how far it goes" out_has "gx.demo/log: " "entries, as this node has seen"
ok "... for whoever restores the log from an older copy" exits 4 \
    hutong-broker restore --config "$W/broker.yaml" --from "$W/old-log" \
    --seen "$W/seen.note" "$W/drill"
ok "... who learns that it is behind" out_has BEHIND accept-rollback
ok "not of a folder without one" exits 3 checkpoint "$W/nowhere" \
    "$W/authority/root.note"
mv "$W/log" "$W/new-log" && cp -a "$W/old-log" "$W/log"
start broker hutong-broker --config "$W/broker.yaml"
ok "a log restored from an old copy serves nobody" \
    exits 3 query state --timeout 10s
ok "... the broker stops when a node shows what it has seen" \
    await 5 gone broker
cp "$W/broker.log" "$W/out"
ok "... and says why" out_has "rolled back or replaced" "tax.demo/state/shell"

finish
