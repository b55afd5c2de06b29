#!/bin/bash
# tests/e2e/hostile-records.t -- a node with good keys and bad manners, wrong
# keys, and a catalog that contradicts itself: each is refused with its reason
# and stands in the log, while others are served.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/world.sh
start_world

tampered() { # how, then tamper's middle arguments if not the right ones
	local how=$1 with=${2:-local.yaml}
	shift $(($# > 2 ? 2 : $#))
	[ $# -gt 0 ] || set -- tax.demo/state gx.demo/ZXTJ gx.demo/3 planning TJF-20
	tamper "$dir/$with" "$auth" "$@" "$how"
}

run 0 'ztmc' 'a good question is answered' good
run 0 '^OK ' 'and so is a record that nobody spoiled' tampered none

# --- spoiled ---
run 1 '^BODY_HASH' 'a bit of the body' tampered body
run 1 '^BAD_SIGNATURE' 'a bit of the header' tampered header
run 1 '^BAD_SIGNATURE' 'a bit of the signature' tampered signature
run 1 '^BODY_HASH' "another record's body under this header" tampered moved
run 1 '^NOT_SENDER' "another member's name" tampered sender

# --- time ---
run 1 '^CLOCK' 'made two minutes ago' tampered clock
run 1 '^CLOCK' 'made in two minutes' tampered future
run 1 '^EXPIRED' 'its life is over' tampered expired
run 1 '^LIFE' 'it would live too long' tampered life

# --- again ---
run 0 '^OK ' 'the same record again' tampered replay
[ "$(sort -u "$dir/out" | wc -l)" -eq 1 ] && [ "$(wc -l <"$dir/out")" -eq 2 ]
result $? 'has the same answer, to the place in the log'
run 1 '^CONFLICT' 'another record under the same id' tampered conflict

# --- rights ---
run 1 '^NO_ITEM' 'an item that there is not' \
    tampered none local.yaml tax.demo/state gx.demo/NONE gx.demo/3 planning TJF-20
run 1 '^ITEM_VERSION' 'a version that there is not' tampered version
run 1 '^OPERATION' 'an operation that is not offered' tampered operation
run 1 '^PURPOSE' 'a purpose that is not granted' \
    tampered none local.yaml tax.demo/state gx.demo/ZXTJ gx.demo/3 curiosity TJF-20
run 1 '^NO_GRANT' 'a grant that there is not' \
    tampered none local.yaml tax.demo/state gx.demo/ZXTJ gx.demo/99 planning TJF-20
run 1 '^GRANT_OTHER' "another's grant" \
    tampered none police.yaml tax.demo/state gx.demo/ZXTJ gx.demo/3 planning TJF-20
run 1 '^TAG_MISSING\|^GRANT_OTHER' 'a subject without a tag' \
    tampered none local.yaml scjg.demo/registry gx.demo/SCZTDJ gx.demo/2 \
    tax-registration ZGF-15
run 1 'FIELDS' 'a field outside the grant, by our own node' \
    good --fields shxydm,fddbr_xm
run 1 'FIELDS' 'and by the provider, when our node would let it pass' \
    good --fields shxydm,fddbr_xm --force
run 1 'nosuch' 'a field that there is not' good --fields nosuch --force
still_serving 'all these'

# --- tags: the provider looks whether the one who is asked about is the one
# whom auditors will find ---
tagged() { # how: what the registry answered to it
	tampered "$1" local.yaml scjg.demo/registry gx.demo/SCZTDJ gx.demo/2 \
	    tax-registration ZGF-15
}
outcomes() { # outcome: of how many of the exchanges of local
	"$HT_BUILD/hutong-audit" search --socket "$dir/audit.sock" \
	    --key "$dir/keys/auditor.key" --why test --type RESPONSE \
	    --member tax.demo/local --peer scjg.demo/registry --format csv |
	    grep -c ",$1,"
}
answered() { # outcome, how many there must be
	[ "$(outcomes "$1")" -eq "$2" ]
}
run 0 '^OK ' 'a true tag' tagged tag
within 10 answered answered 1
result $? 'is answered'
refused=0
for how in tag-subject tag-annex tag-field; do
	run 0 '^OK ' "$how: the broker cannot know" tagged $how
	refused=$((refused + 1))
	within 10 answered refused $refused
	result $? "$how: the provider refuses"
done
answered answered 1
result $? 'and answers none of them'

# --- keys ---
hutong key new --for signing --name tax.demo/local/main --out "$dir/new.key" \
    >/dev/null || bail 'no key'
sed "s#signing: .*#signing: $dir/new.key#" "$dir/local.yaml" >"$dir/wrong.yaml"
run 1 '^KEY_UNKNOWN' 'a signing key that nobody published' tampered none wrong.yaml
other=$dir/keys/scjg.demo/registry/main-signing.key
sed "s#signing: .*#signing: $other#" "$dir/local.yaml" >"$dir/others.yaml"
run 1 '^KEY_UNKNOWN' "another member's signing key" tampered none others.yaml
still_serving 'wrong keys'

# --- a catalog that contradicts itself ---
before=$(ctl nodes | grep -c serves)
publish 2 edit item gx.demo/SCZTDJ@1 'required: [shxydm, ztmc]' \
    'required: [shxydm, nosuch]' \
    edit item gx.demo/SCZTDJ@1 'revision: 1' 'revision: 2' \
    edit grant gx.demo/3 'gx.demo/ZXTJ' 'gx.demo/NONE' \
    edit grant gx.demo/3 'revision: 1' 'revision: 2' \
    edit grant gx.demo/1 'ztmc, jyzt_dm' 'nosuch' \
    edit grant gx.demo/1 'revision: 1' 'revision: 2' \
    unsign grant gx.demo/2
run 1 'what was in force stays so' 'a contradictory catalog is refused whole' \
    ctl reload
says 'gx.demo/NONE' 'it names the item that there is not'
says 'nosuch' 'and the field that there is not'
says 'grants/gx.demo/2' 'and the grant that too few have signed'
[ "$(value snapshot)" = 1 ] && [ "$(ctl nodes | grep -c serves)" = "$before" ]
result $? 'the old one is in force, and nobody was cut off'
still_serving 'a bad reload'

publish 3 old tax.demo/local
run 0 '"snapshot": *3' 'the next one is taken' ctl reload
run 1 '^KEY_EXPIRED' 'a signing key whose period is over' tampered none
publish 4 revoked tax.demo/local edit member tax.demo/local 'revision: 2' \
    'revision: 3'
run 0 '"snapshot": *4' 'and the one after it' ctl reload
run 1 '^KEY_REVOKED' 'a signing key that was revoked' tampered none
still_serving 'old keys'

# --- false folders (docs/trust.md, "Attacks on these documents") ---
# The good one, of snapshot 5, is kept, and put back after each.
cp -r "$auth" "$dir/four"
publish 5 edit grant gx.demo/2 'revision: 1' 'revision: 2' \
    revoked tax.demo/local edit member tax.demo/local 'revision: 2' \
    'revision: 3'
run 0 '"snapshot": *5' 'a good folder is taken' ctl reload
cp -r "$auth" "$dir/good"
folder() { # which: the broker's, and what a person looks at
	rm -rf "$auth" && cp -r "$dir/$1" "$auth"
}
false_folder() { # WORDS WHAT: refused by the broker that runs
	run 1 "$1" "$2: the broker: $1" ctl reload
	says 'what was in force stays so' '... and goes on as before'
}
# The tool has nothing but the folder, and the anchor.
false_to_the_tool() { # WORDS WHAT
	run 4 "$1" "$2: the tool: $1" \
	    hutong catalog verify "$auth" --root "$dir/good/root.note"
}
folder four
false_folder 'version 4 is older than version 5' 'rollback'
folder good && cp "$dir/four/current.note" "$auth/"
false_folder 'it puts snapshot 4 in force' "yesterday's current note"
folder good && cp "$dir/four/snapshot.list" "$auth/"
false_folder 'not the list' 'mix and match'
false_to_the_tool 'not the list' 'mix and match'
mkdir "$dir/fork" && folder good
publish 5 edit grant gx.demo/2 'revision: 1' 'revision: 3' \
    revoked tax.demo/local edit member tax.demo/local 'revision: 2' \
    'revision: 3'
false_folder 'another snapshot has the version' 'a fork'
# Of grant gx.demo/2 the officers' first signature alone is left ...
false_grant() { # HOW
	folder good
	publish 6 edit grant gx.demo/2 'revision: 1' 'revision: 4' \
	    unsign grant gx.demo/2 revoked tax.demo/local \
	    edit member tax.demo/local 'revision: 2' 'revision: 3'
	local grant=$auth/grants/gx.demo/2.note
	case $1 in
	twice) grep "gx.demo/officer-1 " "$grant" >>"$grant.line" &&
		cat "$grant.line" >>"$grant" && rm "$grant.line" ;;
	role) hutong key new --for officer --name gx.demo/officer-2 \
	    --out "$dir/role.key" >"$dir/out" &&
		hutong note sign "$grant" --key "$dir/role.key" ;;
	other) hutong note sign "$grant" --key "$dir/keys/snapshot.key" ;;
	esac
	false_folder "1 of the officers of gx.demo signed it, 2 must" "$2"
	false_to_the_tool "1 of the officers of gx.demo signed it, 2 must" "$2"
}
false_grant once 'k - 1 signatures'
false_grant twice 'an officer twice'
false_grant role "an officer's name, and another's key"
false_grant other "the snapshot key's signature for an officer's"
# The officers of nobody, with the snapshot key stolen.
foreign=
for who in 7 8; do
	hutong key new --for officer --name gx.demo/officer-$who \
	    --out "$dir/foreign-$who.key" >"$dir/out" || bail 'no key'
	foreign="$foreign --key $dir/foreign-$who.key"
done
folder good
# shellcheck disable=SC2086
hutong catalog draft root --catalog gx.demo --threshold 2 $foreign \
    --key "$dir/keys/snapshot.key" --key "$dir/keys/current.key" \
    --key "$dir/keys/log.key" --key "$dir/keys/auditor.key" \
    --transport "$dir/keys/broker.key" --address "$address" \
    --out "$dir/foreign.draft" 2>"$dir/err" || bail 'no root'
sed 's/^revision: 1/revision: 2/' "$dir/foreign.draft" >"$auth/root.note"
for who in 7 8; do
	hutong catalog sign "$auth/root.note" --key "$dir/foreign-$who.key" \
	    2>"$dir/err" || bail 'not signed'
done
cp "$dir/good/root.note" "$auth/root@1.note"
# `hutong catalog sign` would refuse them: their keys count for nothing here.
for who in 7 8; do
	seed=$(sed -n 's/^secret: //p' "$dir/foreign-$who.key" | base64 -d |
		od -An -tx1 | tr -d ' \n')
	for note in "$auth"/members/*/* "$auth"/items/*/* "$auth"/grants/*/*; do
		"$HT_BUILD/prog/note" add "$seed" gx.demo/officer-$who <"$note" \
		    >"$dir/signed" || bail 'not signed'
		cp "$dir/signed" "$note"
	done
done
{
	hutong catalog snapshot "$auth" --key "$dir/keys/snapshot.key" &&
		hutong catalog freshen "$auth" --key "$dir/keys/current.key" \
		    --for 1h
} >"$dir/out" 2>"$dir/err" || bail 'no snapshot of it'
false_folder 'root revision 2 does not follow revision 1' \
    "another authority's officers"
false_to_the_tool 'root revision 2 does not follow revision 1' \
    "another authority's officers"
folder good
run 0 '"snapshot": *5' 'the good one is in force all the time' ctl reload
still_serving 'false folders'

stop_broker
log_is_intact
audit() {
	hutong-audit search --dir "$log" --root "$auth/root.note" --limit 100 "$@"
}
for status in BODY_HASH BAD_SIGNATURE NOT_SENDER CLOCK EXPIRED LIFE CONFLICT \
    NO_ITEM ITEM_VERSION OPERATION PURPOSE NO_GRANT GRANT_OTHER KEY_UNKNOWN \
    KEY_EXPIRED KEY_REVOKED; do
	audit --status "$status" >"$dir/out" 2>"$dir/err"
	grep -q "$status" "$dir/out" || echo "$status" >>"$dir/not-logged"
done
cat "$dir/not-logged" >"$dir/out" 2>/dev/null
[ ! -e "$dir/not-logged" ]
result $? 'each reason for a refusal can be found in the log'
echo "1..$n"
