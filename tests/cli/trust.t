#!/bin/bash
# An authority from nothing: keys, directory, catalog, epoch, snapshot, current
# note; then everything that must be refused.
set -u
hutong=$HT_BUILD/hutong
check=$PWD/tests/lib/check-note # openssl and a shell, nothing of ours
supp=$PWD/tests/lsan.supp
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
cd "$dir" || exit 1
key() { # purpose, name, file
	"$hutong" key new --for "$1" --name "$2" --out "$3.key" >out 2>err
}

# every FUNCTION ARGS: for each of them; stops at the first that fails, and
# says so (a loop's `break` would not)
every() {
	local what=$1 each
	shift
	for each; do
		"$what" "$each" || return 1
	done
}

# --- keys ---
key officer gx.demo/officer-1 o1 && key officer gx.demo/officer-2 o2 &&
	key officer gx.demo/officer-3 o3 && key snapshot gx.demo/snapshot snap &&
	key current gx.demo/current cur && key log gx.demo/log log &&
	key auditor gx.demo/auditor-1 aud && key transport gx.demo/broker broker
ok "the authority's keys"
members="scjg.demo/registry tax.demo/state"
member_keys() {
	mkdir -p "$1"
	key identity "$1" "$1/identity" && key officer "$1/wang" "$1/officer" &&
		key sealing "$1" "$1/sealing" && key signing "$1/main" "$1/signing" &&
		key transport "$1/main" "$1/transport"
}
# shellcheck disable=SC2086
every member_keys $members
ok "the members' keys"
[ "$(stat -c %a o1.key)" = 600 ]
ok "a key file is for its owner alone"
before=$(cat o1.key)
exits 1 "no key is ever overwritten" \
	"$hutong" key new --for officer --name gx.demo/x --out o1.key
ok "no key is overwritten"
[ "$before" = "$(cat o1.key)" ]
ok "the old one is as it was"
exits 2 "for a signing key, name the member's node" \
	"$hutong" key new --for signing --name tax.demo/state --out x.key
ok "a signing key is a node's"
exits 2 "there is no such purpose" \
	"$hutong" key new --for everything --name a/b --out x.key
ok "there is no key for everything"
[ ! -e x.key ]
ok "and none was made"
"$hutong" key show o1.key --only vkey >out 2>err &&
	grep -q '^gx.demo/officer-1+[0-9a-f]\{8\}+[A-Za-z0-9+/]*=*$' out
ok "key show gives a verifier key"
exits 2 "a key that signs notes" "$hutong" key show broker.key --only vkey
ok "a transport key has none"
! grep -q "$(grep '^secret' o1.key | cut -d' ' -f2)" out err
ok "nothing secret is shown"

# --- passphrases ---
echo 'correct horse' >pass && echo 'wrong horse' >wrong
exits 1 "chmod 600" env HUTONG_PASSPHRASE_FILE="$PWD/pass" "$hutong" key new \
	--for officer --name gx.demo/locked --passphrase --out locked.key
ok "a passphrase that others can read is none"
chmod 600 pass wrong
HUTONG_PASSPHRASE_FILE=$PWD/pass "$hutong" key new --for officer \
	--name gx.demo/locked --passphrase --out locked.key >out 2>err &&
	grep -q "locked with a passphrase" out
ok "a key can be locked"
printf 'a text\n' >text
HUTONG_PASSPHRASE_FILE=$PWD/pass "$hutong" note sign text --key locked.key \
	--out locked.note >out 2>err && [ -s locked.note ]
ok "and used with its passphrase"
exits 1 "not its passphrase" env HUTONG_PASSPHRASE_FILE="$PWD/wrong" \
	"$hutong" note sign text --key locked.key --out locked2.note &&
	[ ! -e locked2.note ]
ok "and not with another"

# --- tokens ---
# A software token, in a folder of this test's own.
module=$(find /usr/lib -name libsofthsm2.so -print -quit 2>/dev/null)
skipped=
[ -n "$module" ] && command -v softhsm2-util >/dev/null ||
	skipped=" # SKIP no softhsm2 here: tests/deps test"
token() { # what is said of it; the status of the command before is the verdict
	local status=$?
	[ -z "$skipped" ] || status=0
	(exit "$status")
	ok "$1$skipped"
}
hsm() { # COMMAND ...: with the token; nothing is done where there is none
	# Who leaked is told by the whole stack alone.
	[ -n "$skipped" ] || SOFTHSM2_CONF=$PWD/hsm.conf \
		LSAN_OPTIONS=suppressions=$supp:print_suppressions=0 \
		ASAN_OPTIONS=${ASAN_OPTIONS:-}:fast_unwind_on_malloc=0 \
		HUTONG_PASSPHRASE_FILE=$PWD/pin "$@"
}
hsm_exits() { [ -n "$skipped" ] || hsm exits "$@"; }
echo 1234 >pin && echo 4321 >badpin && chmod 600 pin badpin && mkdir hsm
printf 'directories.tokendir = %s/hsm\nlog.level = ERROR\n' "$PWD" >hsm.conf
new_in_token() { # purpose, file
	"$hutong" key new --for "$1" --name gx.demo/officer-9 --out "$2" \
		--token "gx officer" --module "$module"
}
hsm softhsm2-util --init-token --free --label "gx officer" --pin 1234 \
	--so-pin 5678 >out 2>err
hsm_exits 0 "in the token gx officer" new_in_token officer token.key
token "a key is made in a token"
[ -n "$skipped" ] || grep -q '^secret: pkcs11:token=gx%20officer;id=' token.key
token "and the file says where it is, and no more"
hsm "$hutong" note sign text --key token.key --out token.note >out 2>err
[ -n "$skipped" ] || "$check" token.note \
	"$("$hutong" key show token.key --only vkey)" >out 2>err
token "it signs there, and openssl agrees"
[ -n "$skipped" ] || SOFTHSM2_CONF=$PWD/hsm.conf exits 1 "not its passphrase" \
	env HUTONG_PASSPHRASE_FILE="$PWD/badpin" "$hutong" note sign text \
	--key token.key --out token2.note
token "not with another PIN"
hsm_exits 3 "there is no token gx officer" env SOFTHSM2_CONF=/dev/null \
	"$hutong" note sign text --key token.key --out token2.note
token "nor when the token is not there"
[ -n "$skipped" ] || sed 's/^public: .*/public: A6EHv\/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=/' \
	token.key >false.key && chmod 600 false.key 2>/dev/null
hsm_exits 1 "the public half does not belong" \
	"$hutong" note sign text --key false.key --out token2.note
token "nor in another's name"
hsm_exits 2 "cannot be in a token" "$hutong" key new --for sealing \
	--name tax.demo/state --out sealing.key --token "gx officer" \
	--module "$module"
token "a key that opens cannot be in one"
id=$(sed -n 's/.*;id=\(.*\)?.*/\1/p' token.key 2>/dev/null | tr -d %)
hsm_exits 0 "public   $(sed -n 's/^public: //p' token.key 2>/dev/null)" \
	"$hutong" key new --for officer --name gx.demo/officer-9 --out again.key \
	--token "gx officer" --module "$module" --id "$id"
token "a key that is there can be taken"
[ ! -e token2.note ]
token "nothing of that was signed"

# --- notes ---
printf 'a text\nof two lines\n' >text
"$hutong" note sign text --key o1.key --out text.note >out 2>err
ok "any text can be signed"
exits 0 "signed by gx.demo/officer-1" "$hutong" note verify text.note \
	--vkey "$("$hutong" key show o1.key --only vkey)"
ok "and verified"
exits 4 "none of the keys given" "$hutong" note verify text.note \
	--vkey "$("$hutong" key show o2.key --only vkey)"
ok "not by another key"
sed 's/two/ten/' text.note >bad.note
exits 4 "does not verify" "$hutong" note verify bad.note \
	--vkey "$("$hutong" key show o1.key --only vkey)"
ok "nor when it was changed"
exits 1 "no key has two purposes" "$hutong" note sign text --key broker.key
ok "a transport key signs no notes"

# --- the anchor ---
draft_root() { # file
	"$hutong" catalog draft root --catalog gx.demo --threshold 2 --key o1.key \
		--key o2.key --key "officer=$("$hutong" key show o3.key --only vkey)" \
		--key snap.key --key cur.key --key log.key --key aud.key \
		--transport broker.key --address tcp://127.0.0.1:5600 --out "$1"
}
mkdir -p a/members/scjg.demo a/members/tax.demo a/items/gx.demo a/grants/gx.demo
draft_root a/root.note >out 2>err
ok "the root is drafted"
sign() { # document, keys
	local file=$1 k
	shift
	for k; do
		"$hutong" catalog sign "$file" --key "$k.key" >out 2>err || return 1
	done
}
sign a/root.note o1
exits 4 "1 of the officers of gx.demo signed it, 2 must" \
	"$hutong" catalog verify a --root a/root.note
ok "one officer is not enough"
sign a/root.note o1
exits 4 "1 of the officers" "$hutong" catalog verify a --root a/root.note
ok "nor is he twice"
# k of n on separate machines: the file goes from one to the next.
"$hutong" catalog sign a/root.note --key o3.key --out carried.note >out 2>err &&
	mv carried.note a/root.note
ok "another signs on another machine"

# --- members ---
draft_member() {
	"$hutong" directory new --member "$1" --key "$1/identity.key" \
		--key "$1/officer.key" --key "$1/signing.key" \
		--key "$1/transport.key" --key "$1/sealing.key" --zh 部门 \
		--en "A \"department\"" --out "a/members/$1.note" >out 2>err &&
		"$hutong" directory sign "a/members/$1.note" \
			--key "$1/identity.key" >out 2>err
}
# shellcheck disable=SC2086
every draft_member $members
ok "two members draft their entries and sign them"

# Proof of possession: nobody's word that a key is a member's but the key's.
state=a/members/tax.demo/state.note
exits 4 "nobody has proven to hold the transport key $("$hutong" key show \
	tax.demo/state/transport.key --only id) of tax.demo/state/main" \
	"$hutong" directory sign $state --key o1.key
ok "no officer signs for keys that nobody has proven to hold"
exits 1 "an officer signs it with \`hutong directory sign\`" \
	"$hutong" note sign $state --key o1.key
ok "not as a mere text, either"
prove() { # MEMBER FILE
	"$hutong" directory prove "$2" --key "$1/officer.key" \
		--key "$1/signing.key" --key "$1/transport.key" \
		--key "$1/sealing.key" >out 2>err
}
exits 1 "names no such officer key, so there is nothing to prove" \
	prove scjg.demo/registry $state
ok "another member's keys prove nothing there"
cp $state bare.note
exits 0 "proven: the sealing key of tax.demo/state, for tax.demo/state revision 1" \
	prove tax.demo/state $state
ok "each key proves itself"
lines_under() { # FILE WITH LINES, TEXT
	cat "$2" && echo && sed '1,/^$/d' "$1"
}
sed '/^$/,$d; s/^title: .*/title: {zh: 别的, en: Other}/' $state >text.draft
lines_under $state text.draft >moved.note
exits 4 "of tax.demo/state is not for this text: it was taken from elsewhere" \
	"$hutong" directory sign moved.note --key o1.key
ok "its proof is for one text: not when the entry was changed"
sed '/^$/,$d' a/members/scjg.demo/registry.note >text.draft
lines_under $state text.draft >moved.note
exits 4 "nobody has proven to hold the sealing key $("$hutong" key show \
	scjg.demo/registry/sealing.key --only id) of scjg.demo/registry" \
	"$hutong" directory sign moved.note --key o1.key
ok "nor for another member's entry"
prove scjg.demo/registry a/members/scjg.demo/registry.note
exits 0 "scjg.demo/registry: 5 new keys, proven to be held" \
	"$hutong" directory sign a/members/scjg.demo/registry.note --key o1.key \
	--dir a --out x.note
ok "then he signs, and is told of how many"
rm x.note
exits 4 "0 of the officers of gx.demo signed it, 2 must" "$hutong" directory \
	verify a/members/tax.demo/state.note --root a/root.note
ok "an entry needs the officers, too"
sign_member() { sign "a/members/$1.note" o1 o2; }
# shellcheck disable=SC2086
every sign_member $members
exits 0 "tax.demo/state revision 1" "$hutong" directory verify \
	a/members/tax.demo/state.note --root a/root.note
ok "k officers signed the members' entries"
exits 1 "no key has two purposes" "$hutong" directory sign \
	a/members/tax.demo/state.note --key tax.demo/state/signing.key
ok "a node's key signs no entry"
exits 1 "exists and is never overwritten" "$hutong" directory new \
	--member tax.demo/state --key tax.demo/state/identity.key \
	--out a/members/tax.demo/state.note
ok "no draft overwrites a document"
exits 1 "is the key of scjg.demo/registry" "$hutong" directory new \
	--member tax.demo/state --key scjg.demo/registry/identity.key --out x.note
ok "one's own keys only"

# --- an item and a grant ---
cat >a/items/gx.demo/SCZTDJ@1.note <<'END'
hutong: item/v1
item: gx.demo/SCZTDJ
version: 1
revision: 1
title: {zh: 市场主体登记信息, en: Market entity registration}
provider: scjg.demo/registry
share: unconditional
basis:
  - {code: ZGF-15, text: 税收征收管理法 第十五条}
operations: [query]
purposes:
  - {code: tax-registration, zh: 税务登记核验, en: Tax registration}
format: database
methods: [interface]
cycle: {zh: 实时, en: real time}
once:
  - {code: ZTMC, field: ztmc, collector: scjg.demo/registry, valid: 90d}
subject: {param: shxydm, field: shxydm, registry: uscc}
grace: 1h
request:
  type: object
  required: [shxydm]
  properties:
    shxydm: {type: string, format: uscc}
  additionalProperties: false
record:
  type: object
  required: [shxydm]
  properties:
    shxydm: {type: string, format: uscc, x-level: 0, x-bytes: 18, title: 统一社会信用代码}
    ztmc: {type: string, x-level: 0, x-bytes: 300, title: 市场主体名称}
  additionalProperties: false
END
exits 0 "item gx.demo/SCZTDJ@1 revision 1, well formed" \
	"$hutong" catalog check a/items/gx.demo/SCZTDJ@1.note
ok "the item is well formed"
"$hutong" catalog draft grant --grant gx.demo/1 --item gx.demo/SCZTDJ \
	--provider scjg.demo/registry --consumer tax.demo/state \
	--operations query --fields shxydm,ztmc --purposes tax-registration \
	--basis ZGF-15 --out a/grants/gx.demo/1.note >out 2>err
ok "a grant is drafted"
sed -e 's/^consumer/consumr/' -e 's/^revision: 1/revision: one/' \
	a/grants/gx.demo/1.note >slips.note
exits 1 "slips.note:3:11: 'revision' must be a whole number" \
	"$hutong" catalog check slips.note
ok "a slip is told with its place"
grep -q "consumr" err && grep -q "lacks\|missing" err
ok "and so are the others"
narrow() { # FILE, what is left out
	"$hutong" catalog draft grant --grant gx.demo/2 \
		--item gx.demo/SCZTDJ --provider scjg.demo/registry \
		--consumer tax.demo/state --operations query --fields all \
		--level 1 --row-field xzqh --row-area 210000,370200 \
		--row-except "$2" --per-day 100 --per-minute 5 \
		--purposes tax-registration --basis ZGF-15 --out "$1" &&
		"$hutong" catalog check "$1"
}
exits 0 "" narrow narrow.note 210200 &&
	grep -q 'except: \["210200"\]' narrow.note && grep -q "^level: 1" narrow.note
ok "a grant by area, without a city that stands apart"
exits 1 "it lies in none of the rows granted" narrow slip.note 440300
ok "what takes nothing away is a slip"
sign a/items/gx.demo/SCZTDJ@1.note o1 o2 scjg.demo/registry/officer &&
	sign a/grants/gx.demo/1.note o1 o2
ok "they are signed"

# --- the epoch ---
"$hutong" epoch new a --name gx.demo/e1 --until 2099-01-01 --key aud.key \
	--annex annex.key --tracker tracker.key >out 2>err &&
	grep -q "sealed to 2 members" out
ok "an auditor makes an epoch"
! grep -q "$(grep '^secret' tracker.key | cut -d' ' -f2)" a/epochs/gx.demo/e1.note
ok "its tracker key is not in the clear"
exits 1 "is there already" "$hutong" epoch new a --name gx.demo/e1 \
	--until 2099-01-01 --key aud.key --annex annex2.key --tracker tracker2.key
ok "an epoch is made once"
"$hutong" epoch seal a --name gx.demo/e1 --key aud.key --annex annex.key \
	--tracker tracker.key >out 2>err && grep -q '^revision: 2' \
	a/epochs/gx.demo/e1.note
ok "and sealed anew for the members of the day"

# --- snapshot and current ---
exits 4 "an officer of scjg.demo/registry must sign it" \
	"$hutong" catalog snapshot a --key snap.key
ok "no snapshot without the provider's officer"
[ ! -e a/snapshot.note ] && [ ! -e a/snapshot.list ]
ok "and nothing was written"
wrong=tax.demo/state/officer.key
cp a/grants/gx.demo/1.note before.note
exits 1 "those that count: gx.demo/officer-1, gx.demo/officer-2, gx.demo/officer-3, scjg.demo/registry/wang" \
	"$hutong" catalog sign a/grants/gx.demo/1.note --key $wrong --dir a
cmp -s before.note a/grants/gx.demo/1.note
ok "an officer whose signature counts for nothing does not sign"
exits 0 "a signature of tax.demo/state/wang counts for nothing on the grant" \
	"$hutong" catalog sign a/grants/gx.demo/1.note --key $wrong --out wrong.note
ok "... or is warned, where no folder tells"
exits 0 "signed by scjg.demo/registry/wang" "$hutong" catalog sign \
	a/grants/gx.demo/1.note --key scjg.demo/registry/officer.key --dir a
! grep -q nothing err
ok "whose does, signs"
exits 0 "snapshot 1 of gx.demo: 6 documents" \
	"$hutong" catalog snapshot a --key snap.key
ok "the first snapshot"
exits 3 "current.note: cannot be read" \
	"$hutong" catalog verify a --root a/root.note
ok "without a current note it is not in force"
exits 2 "7d is the most" "$hutong" catalog freshen a --key cur.key --for 169h
[ ! -e a/current.note ]
ok "none is signed for longer than a week"
exits 0 "snapshot 1 is in force until" \
	"$hutong" catalog freshen a --key cur.key --for 12h
ok "a current note puts it in force"
exits 0 "snapshot 1 of gx.demo holds: 6 documents" \
	"$hutong" catalog verify a --root a/root.note
ok "and everything holds"
openssl_agrees() {
	"$check" "a/$1.note" "$("$hutong" key show o1.key --only vkey)" >out 2>err
}
every openssl_agrees root members/tax.demo/state items/gx.demo/SCZTDJ@1 \
	grants/gx.demo/1
ok "openssl agrees that an officer signed them"
"$check" a/snapshot.note "$("$hutong" key show snap.key --only vkey)" >out 2>err &&
	"$check" a/current.note "$("$hutong" key show cur.key --only vkey)" >out 2>err
ok "and on snapshot and current note"
exits 1 "no key has two purposes" \
	"$hutong" catalog freshen a --key snap.key --for 12h
ok "the snapshot key cannot freshen"
# The text of a note is what comes before its signatures.
sed '/^$/,$d' a/root.note >root.text
echo "$(awk '$1 == "root" { print $4 }' a/snapshot.list)  root.text" |
	sha256sum -c >out 2>err
ok "sha256sum agrees with the list"

# --- can it be asked? ---
exits 0 "yes, by grant gx.demo/1" "$hutong" can-i --root a/root.note --dir a \
	--from tax.demo/state --item gx.demo/SCZTDJ --operation query \
	--purpose tax-registration
ok "can-i: yes"
can_i() { # more
	"$hutong" can-i --root a/root.note --dir a --from tax.demo/state \
		--item gx.demo/SCZTDJ --operation query "$@"
}
can_i_push() {
	"$hutong" can-i --root a/root.note --dir a --from tax.demo/state \
		--item gx.demo/SCZTDJ --operation push "$@"
}
all_of() { # words: the last run said each of them
	local words
	for words in "$@"; do
		grep -qF -- "$words" out err || return 1
	done
}
all_of "purposes" "ZGF-15" "days left, until" "gx.demo/1 revision 1" \
	"snapshot 1"
ok "... with what exactly"
exits 0 '"allow":true' can_i --format jsonl
all_of '"fields":[' '"basis":"ZGF-15"' '"reasons":[]'
ok "can-i: yes, for programs"
exits 1 "gx.demo/1 does not allow the purpose curiosity" can_i \
	--purpose curiosity
all_of PURPOSE caller "use it for the purposes granted"
ok "can-i: no, why, who must act, and how"
exits 1 "no,tax.demo/state,gx.demo/SCZTDJ,push," can_i_push --format csv
all_of ",403,OPERATION," ",gx.demo/1,,,,,,,,408,GRANT_OPERATION,"
ok "can-i: every reason, as CSV"
exits 1 '"allow":false' "$hutong" can-i --root a/root.note --dir a \
	--from tax.demo/nobody --item gx.demo/NOSUCH --operation query \
	--format jsonl
all_of '"code":201' '"code":400' '"code":404' '"who":"authority"'
ok "can-i: every reason, as JSON"
exits 1 "has no version 7; the newest is 1" can_i --item-version 7
ok "can-i: not in a version there is not"
exits 2 "by which documents?" env -u HUTONG_CONFIG "$hutong" can-i \
	--item gx.demo/SCZTDJ --operation query
ok "can-i: needs documents"
exits 3 "cannot read nowhere/root.note" "$hutong" can-i --root nowhere/root.note \
	--dir a --from tax.demo/state --item gx.demo/SCZTDJ --operation query
ok "can-i: or they are not there"
exits 2 "--format is table, jsonl or csv" can_i --format xml
ok "can-i: no other format"
exits 1 "POLICY_STALE" "$hutong" can-i --root a/root.note --dir a \
	--from tax.demo/state --item gx.demo/SCZTDJ --operation query \
	--at "$(date -u -d '+14 hours' +%Y-%m-%dT%H:%M:%SZ)"
ok "can-i: not when nobody freshens"
exits 1 "there is no such grant or member" "$hutong" catalog freshen a \
	--key cur.key --for 12h --suspend gx.demo/99
ok "what is not there cannot be suspended"
exits 0 "1 suspended" "$hutong" catalog freshen a --key cur.key --for 12h \
	--suspend gx.demo/1
ok "a grant is suspended"
exits 0 "1 suspended" "$hutong" catalog freshen a --key cur.key --for 12h
ok "it stays so when freshened"
exits 1 "suspended by the current note" "$hutong" can-i --root a/root.note \
	--dir a --from tax.demo/state --item gx.demo/SCZTDJ --operation query
ok "can-i: no while suspended"
exits 0 "0 suspended" "$hutong" catalog freshen a --key cur.key --for 12h \
	--resume gx.demo/1
ok "and it is resumed"

# --- tampering, rollback ---
cp -r a old
verify() { # CODE WORDS
	exits "$1" "$2" "$hutong" catalog verify b --root a/root.note
}
again() { rm -rf b && cp -r a b; }
again
sed -i 's/purposes: \["tax-registration"/purposes: ["tax-audit"/' b/grants/gx.demo/1.note
verify 4 "grants/gx.demo/1.note: its text is not the one that the snapshot lists"
ok "a changed grant is found"
exits 4 "its text is not the one that the snapshot lists" "$hutong" can-i \
	--root a/root.note --dir b --from tax.demo/state --item gx.demo/SCZTDJ \
	--operation query
ok "can-i decides nothing on it"
again
sed -i '/^— scjg/d' b/grants/gx.demo/1.note
verify 4 "an officer of scjg.demo/registry must sign it"
ok "so is a signature that was taken away"
again
sed -i 's/ 1 / 2 /' b/snapshot.list
verify 4 "it is not the list that the snapshot was signed over"
ok "so is a changed list"
again
rm b/grants/gx.demo/1.note
verify 3 "grants/gx.demo/1.note: cannot be read"
ok "so is a missing document"
again
sed -i 's/^until: 20/until: 21/' b/current.note
verify 4 "the signature of gx.demo/current does not verify"
ok "so is a longer life of the current note"
again
sed -i "s/^state: active/state: terminated/" a/grants/gx.demo/1.note
sed -i '/^$/,$d' a/grants/gx.demo/1.note
sign a/grants/gx.demo/1.note o1 o2 scjg.demo/registry/officer
exits 1 "give it revision 2" "$hutong" catalog snapshot a --key snap.key
ok "what changes needs a new revision"
sed -i -e 's/^revision: 1/revision: 2/' -e '/^$/,$d' a/grants/gx.demo/1.note
sign a/grants/gx.demo/1.note o1 o2 scjg.demo/registry/officer
exits 0 "snapshot 2 of gx.demo" "$hutong" catalog snapshot a --key snap.key
ok "the next snapshot"
verify 0 "snapshot 1 of gx.demo holds"
ok "a copy of the old one holds by itself"
cp a/snapshot.note a/snapshot.list a/grants/gx.demo/1.note . &&
	cp snapshot.note snapshot.list b/ && cp 1.note b/grants/gx.demo/
verify 1 "it puts snapshot 1 in force"
ok "an old current note does not put the new one in force"
exits 0 "snapshot 2 is in force" \
	"$hutong" catalog freshen a --key cur.key --for 12h
ok "freshened, it is"
exits 1 "GRANT_STATE" "$hutong" can-i --root a/root.note --dir a \
	--from tax.demo/state --item gx.demo/SCZTDJ --operation query
ok "can-i: not by a terminated grant"

# --- one grant more, and the rest not read ---
cp -r a add
sed -e 's/^grant: .*/grant: gx.demo\/2/' -e 's/^revision: .*/revision: 1/' \
	-e 's/^state: .*/state: active/' -e '/^$/,$d' \
	a/grants/gx.demo/1.note >two.note
add() { # files
	local file with=
	for file; do
		with="$with --add $file"
	done
	# shellcheck disable=SC2086
	"$hutong" catalog snapshot add --key snap.key $with
}
exits 4 "two.note: nobody has signed it yet" add two.note
ok "a grant that nobody signed is not added"
sign two.note o1 o2 scjg.demo/registry/officer
mv add/epochs epochs.away
exits 0 "snapshot 3 of gx.demo: 7 documents" add two.note
ok "a signed one is, and what it does not name is not even looked for"
mv epochs.away add/epochs
cmp two.note add/grants/gx.demo/2.note
ok "it lies in its place"
"$hutong" catalog freshen add --key cur.key --for 12h >out 2>err &&
	exits 0 "snapshot 3 of gx.demo holds" \
		"$hutong" catalog verify add --root a/root.note
ok "all of it holds"
exits 1 "only grants are added so, and this is a member" \
	add add/members/tax.demo/state.note
ok "a member's entry takes a whole snapshot"
exits 1 "added twice" add grants/gx.demo/2.note add/grants/gx.demo/2.note
ok "a path is from here, or else from the folder"
exits 1 "added twice" add two.note add/grants/gx.demo/2.note
ok "no grant is added twice at once"
sed -e 's/^until: 20/until: 21/' -e '/^$/,$d' two.note >changed.note
sign changed.note o1 o2 scjg.demo/registry/officer
exits 1 "give it revision 2" add changed.note
ok "no text changes under its revision"
sed -e 's/^item: .*/item: gx.demo\/NONE/' -e 's/^revision: 1/revision: 2/' \
	-e '/^$/,$d' two.note >nowhere.note
sign nowhere.note o1 o2 scjg.demo/registry/officer
exits 1 "there is no such item" add nowhere.note
ok "nor is one added of an item that there is not"
sed -e 's/^revision: 1/revision: 2/' -e '/^$/,$d' two.note >later.note
sign later.note o1 o2 scjg.demo/registry/officer
sed -i 's/^title: .*/title: {en: Another}/' add/members/scjg.demo/registry.note
exits 1 "it is not as snapshot 3 lists it" add later.note
ok "what the snapshot vouches for must lie there unchanged"
cp a/members/scjg.demo/registry.note add/members/scjg.demo/registry.note
sed -i '/^item /d' add/snapshot.list
exits 1 "is not the list that snapshot.note was signed over" add later.note
ok "nor is anything added to a list that was not signed"
rm add/snapshot.note
exits 1 "there is no snapshot yet to add to" add later.note
ok "or to none"
! grep -q "^revision: 2" add/grants/gx.demo/2.note
ok "and nothing of that was written"

# --- in words ---
sed -e 's/^revision: 2/revision: 3/' -e 's/, "ztmc"//; s/ztmc, //; s/, ztmc//' \
	-e '/^$/,$d' a/grants/gx.demo/1.note >fewer.note
exits 0 'may no longer read 1 field of Market entity registration (gx.demo/SCZTDJ): ztmc' \
	"$hutong" catalog diff a/grants/gx.demo/1.note fewer.note --titles a
ok "an officer reads what a draft changes"
grep -q 'A "department" (tax.demo/state)' out
ok "and for whom"
exits 0 "nothing changes" "$hutong" catalog diff a a
ok "or that it changes nothing"
exits 0 "loses the grant for Market entity registration (gx.demo/SCZTDJ): it is terminated" \
	"$hutong" catalog diff old a
ok "two folders are compared, too"
key sealing tax.demo/state tax.demo/state/sealing2
"$hutong" directory amend a/members/tax.demo/state.note \
	--key tax.demo/state/sealing2.key --from 2099-01-01 \
	--revoke "$("$hutong" key show tax.demo/state/signing.key --only id)" \
	--since 2026-01-01 --out amended.note >out 2>err &&
	"$hutong" catalog diff a/members/tax.demo/state.note amended.note >out 2>err &&
	grep -q "has a new sealing key .*, from 2099-01-01" out &&
	grep -q "the signing key .* of tax.demo/state/main is REVOKED" out &&
	[ "$(wc -l <out)" -eq 3 ]
ok "an entry is amended: keys beside the old ones, and revoked"
exits 4 "say --dir with your copy of the authority's folder" \
	"$hutong" directory sign amended.note --key o1.key
ok "who has no folder cannot tell which of its keys are new"
exits 4 "nobody has proven to hold the sealing key $("$hutong" key show \
	tax.demo/state/sealing2.key --only id) of tax.demo/state" \
	"$hutong" directory sign amended.note --key o1.key --dir a
[ "$(wc -l <err)" -eq 1 ]
ok "against the folder it is the one new key, which has proven nothing"
"$hutong" directory prove amended.note --key tax.demo/state/sealing2.key \
	>out 2>err
"$hutong" directory sign amended.note --key tax.demo/state/identity.key \
	>out 2>err
exits 0 "tax.demo/state: 1 new key, proven" \
	"$hutong" directory sign amended.note --key o1.key --dir a
ok "which is proven, and the officers sign the rotation"
sed '/^$/,$d; s/^revision: .*/revision: 1/' amended.note >behind.note
exits 4 "it is revision 1, and revision 1 is in force with another text" \
	"$hutong" directory sign behind.note --key o1.key --dir a
ok "no entry that stands beside the one in force"
"$hutong" directory sign amended.note --key o2.key --dir a >out 2>err
exits 0 "tax.demo/state: 1 new key, proven" "$hutong" directory verify \
	amended.note --root a/root.note --dir a
ok "anybody can check that later: the proofs stay with the entry"
cp -r a rv && "$hutong" directory amend rv/members/tax.demo/state.note --revoke \
	"$("$hutong" key show tax.demo/state/transport.key --only id)" \
	--since 2026-01-01 --out revoked.note >out 2>err &&
	"$hutong" directory sign revoked.note --key tax.demo/state/identity.key 2>>err &&
	"$hutong" directory sign revoked.note --key o1.key --dir rv 2>>err &&
	"$hutong" directory sign revoked.note --key o2.key --dir rv 2>>err &&
	cp revoked.note rv/members/tax.demo/state.note &&
	"$hutong" catalog snapshot rv --key snap.key >out 2>>err &&
	"$hutong" catalog freshen rv --key cur.key --for 12h >out 2>>err &&
	mkdir st && mv rv st/trust-9 && cat >own.yaml <<-END
		root: a/root.note
		member: tax.demo/state
		node: main
		keys:
		  signing: tax.demo/state/signing.key
		  transport: tax.demo/state/transport.key
		  sealing: tax.demo/state/sealing.key
		state: st
	END
exits 1 "KEY_REVOKED" "$hutong" can-i --item gx.demo/SCZTDJ --operation query \
	--config own.yaml && grep -q "transport key tax.demo/state/transport.key" out
ok "can-i: not when the node's own transport key was revoked"
exits 1 "no key of this id" "$hutong" directory amend \
	a/members/tax.demo/state.note --drop 0123456789abcdef --out x.note
ok "which it must have"
exits 2 "for a new identity key" "$hutong" directory amend \
	a/members/tax.demo/state.note --recovered --out x.note
ok "a recovery is of an identity"

rm -rf d && cp -r a d && cp old/grants/gx.demo/1.note d/grants/gx.demo/1.note
exits 1 "where it had revision 2; give it revision 3" \
	"$hutong" catalog snapshot d --key snap.key
ok "no snapshot goes back to an older revision, however well it is signed"

# --- new officers ---
# Twice: who knows the first root alone must find the way to the third.
cp a/root.note anchor1.note
key officer gx.demo/officer-4 o4 && key officer gx.demo/officer-5 o5 &&
	key officer gx.demo/officer-6 o6
next_root() { # revision, file, officers: their root, not signed yet
	local revision=$1 file=$2 k keys=()
	shift 2
	for k; do keys+=(--key "$k.key"); done
	rm -f drafted && "$hutong" catalog draft root --catalog gx.demo \
		--threshold 2 "${keys[@]}" --key snap.key --key cur.key \
		--key log.key --key aud.key --transport broker.key \
		--address tcp://127.0.0.1:5600 --out drafted >out 2>err &&
		sed "s/^revision: 1/revision: $revision/" drafted >"$file"
}
next_root 2 r2 o1 o2 o4 && sign r2 o1 o4
exits 4 "1 of the officers of gx.demo signed it, 2 must" \
	"$hutong" catalog adopt a r2
ok "k of the new officers do not do"
sign r2 o3
exits 0 "the one before is a/root@1.note" "$hutong" catalog adopt a r2
ok "with k of the old ones, a new root is adopted"
exits 4 "does not follow revision 2" "$hutong" catalog adopt a r2
ok "once"
resign() { # documents anew, by these officers
	local file
	for file in a/*/*/*.note; do
		case $file in a/epochs/*) continue ;; esac
		sign "$file" "$@" || return 1
	done
}
publish() {
	"$hutong" catalog snapshot a --key snap.key >out 2>err &&
		"$hutong" catalog freshen a --key cur.key --for 12h >out 2>err
}
resign o4 && publish
ok "it comes into force"
next_root 3 r3 o4 o5 o6 && sign r3 o2 o4 o5 &&
	"$hutong" catalog adopt a r3 >out 2>err && resign o5 o6 && publish
ok "and so does a third one, by other officers"
exits 0 "8 documents, every signature checked" \
	"$hutong" catalog verify a --root anchor1.note
ok "who trusts the first finds the way"
rm -rf b && cp -r a b && mv b/root@2.note . 
sed -i '/^root root@2 /d' b/snapshot.list
exits 4 "not the list that the snapshot was signed over" \
	"$hutong" catalog verify b --root anchor1.note
ok "and nobody can take the way from under him"
rm b/root@1.note b/snapshot.*
exits 4 "root revision 3 does not follow revision 1" bash -c \
	"'$hutong' catalog snapshot b --key snap.key --root b/root.note >/dev/null &&
	'$hutong' catalog freshen b --key cur.key --for 1h >/dev/null &&
	'$hutong' catalog verify b --root anchor1.note"
ok "without it he is told to get a new anchor"
rm -rf c && cp -r a c && rm c/root@2.note
sed -i -e '/^root root@2 /d' -e 's/^root root 3/root root 2/' c/snapshot.list
exits 1 "must be kept as root@2.note" \
	"$hutong" catalog snapshot c --key snap.key
ok "so a snapshot does not forget it"

# --- what runs out ---
due() { "$hutong" catalog due a --root a/root.note "$@"; }
exits 0 "nothing else ends within 28 days" due
ok "nothing runs out yet"
grep -q "^the current note of snapshot [0-9]* ends in 11 hours" out
ok "but the current note, as ever"
exits 1 "catalog freshen" due --within 13h
ok "... which is news to who asks about hours"
exits 0 "nothing else ends within 0 days" due --within 1h
! grep -q current out
ok "... and not yet"
exits 1 "the current note of snapshot 4 ended 20" \
	due --at "$(date -u -d '+2 days' +%Y-%m-%d)"
ok "... or when it has ended"
exits 1 "the sealing key of tax.demo/state ends in " \
	due --at "$(date -u -d '+70 days' +%Y-%m-%d)"
ok "weeks ahead it is said which key does, and what to do"
! grep -q "signing" out && grep -q "hutong key new --for sealing" out
ok "and not of those that last"
exits 1 "the signing key of tax.demo/state/main: none is valid now" \
	due --at "$(date -u -d '+366 days' +%Y-%m-%d)"
ok "or that it has"
exits 0 "nothing else ends within 10 days" due --within 10d
ok "within another time"

# --- looking ---
exits 0 "terminated" "$hutong" catalog show a grants
ok "show lists grants"
exits 0 "scjg.demo/registry" "$hutong" directory show a
ok "show lists members"
exits 0 "hutong: item/v1" "$hutong" catalog show a gx.demo/SCZTDJ
ok "show prints one document"
exits 1 "there is no item, grant, member or epoch" \
	"$hutong" catalog show a gx.demo/NOSUCH
ok "or says that it is not there"
exits 0 "8 documents, all well formed" "$hutong" catalog check a
ok "check looks at a whole folder"
mkdir -p a/grants/gy.demo && cp a/grants/gx.demo/1.note a/grants/gy.demo/1.note
exits 1 "whose place is grants/gx.demo/1.note" "$hutong" catalog check a
ok "every document has its place"
rm -r a/grants/gy.demo

# --- the rules of a catalog ---
v1=a/items/gx.demo/SCZTDJ@1.note
draft() { sed -e '/^$/,$d' "$@" $v1 >item.yaml; }
draft -e 's/^format.*/shared: yes/' && exits 1 "item.yaml:13:1:" \
	"$hutong" catalog check item.yaml
ok "a key that nobody knows is told"
draft -e 's/^share: .*/share: conditional/' -e '/^format/d' &&
	exits 1 "item.yaml:2:7: the entry does not say in which form" \
		"$hutong" catalog check item.yaml
ok "what law asks of an entry is told with line"
grep -q "item.yaml:7:8: .*add 'scope' .scope." err &&
	grep -q "item.yaml:7:8: .* .conditions." err &&
	grep -q "3 rules are broken" err
ok "... every rule with its word"
draft -e 's/x-bytes: 300/x-bytes: 200/' &&
	exits 1 "the values that record ztmc may have were others" \
		"$hutong" catalog check item.yaml --since a
ok "what breaks consumers is told against what was before"
grep -q "it changed, and its revision is 1 where 1 stood before" err
ok "... and that it is no new revision"
draft -e 's/^revision.*/revision: 2/' -e 's/市场/商事/' && exits 0 "well formed" \
	"$hutong" catalog check item.yaml --since a
ok "texts may change"
mkdir -p c/items/gx.demo && cp a/root.note c/ &&
	draft -e 's/SCZTDJ/SCZTDI/' -e 's/collector: [^,}]*/collector: tax.demo\/state/' &&
	cp item.yaml c/items/gx.demo/SCZTDI@1.note &&
	draft -e 's/SCZTDJ/SCZTD1/' && cp item.yaml c/items/gx.demo/SCZTD1@1.note
exits 1 "looks like gx.demo/SCZTD1@1" "$hutong" catalog check c
ok "two codes that look alike are told"
grep -q "items/gx.demo/SCZTDI@1.note:17:5: ZTMC is collected by tax.demo/state here, and by scjg.demo/registry in" err
ok "so is what is collected twice, with its line"
printf 'title: \342\200\256x\n' >>c/items/gx.demo/SCZTD1@1.note
exits 1 "U+202E is not seen" "$hutong" catalog check c
ok "so is text that is turned around"
"$hutong" catalog verify a --root a/root.note >out 2>err
ok "what is in force stays in force"

# --- once only ---
exits 0 "tax.demo/state must not ask a taxpayer for 1 of" "$hutong" once-only \
	--for tax.demo/state --root a/root.note --dir a
ok "once-only: what an office may not ask"
grep -q "ZTMC .*市场主体名称.*scjg.demo/registry.*gx.demo/SCZTDJ@1.*ztmc.*apply.*90d" out
ok "... who collects it, where to obtain it, that a grant is to be applied for"
exits 0 '"grant":"apply"' "$hutong" once-only --for tax.demo/state \
	--root a/root.note --dir a --format jsonl
ok "... for programs"
exits 0 "must not ask a taxpayer for 0 of" "$hutong" once-only \
	--for scjg.demo/registry --root a/root.note --dir a
ok "who collects it may ask"
exits 1 "there is no such member" "$hutong" once-only --for tax.demo/nobody \
	--root a/root.note --dir a
ok "nobody is nobody's office"

# --- it lives on ---
"$hutong" catalog freshen a --key cur.key --for 5s --every 100ms >out 2>err &
pid=$!
for _ in $(seq 100); do
	[ "$(wc -l <out)" -ge 3 ] && break
	sleep 0.05
done
[ "$(wc -l <out)" -ge 3 ]
ok "freshen keeps on"
kill -TERM $pid && wait $pid
ok "until it is told to stop"

# --- files that are none ---
mkdir drafts && sed '/^$/,$d' a/items/gx.demo/SCZTDJ@1.note >drafts/item.yaml
exits 0 "drafts: 1 document, well formed" "$hutong" catalog check drafts
ok "a folder of drafts is checked as it lies there"
mkdir drafts/more && printf 'member: x\nstate: y\n' >drafts/node.yaml &&
	sed -e 's/^item: .*/item: gx.demo\/NEW/' -e 's/type: string/type: strng/' \
		-e 's/x-bytes: 300/x-byte: 300/' drafts/item.yaml >drafts/more/new.yml &&
	sed -e '/^$/,$d' -e 's/ztmc/nofield/' -e 's/^consumer.*/consumer: no.demo\/body/' \
		-e 's/^grant: .*/grant: gx.demo\/9/' a/grants/gx.demo/1.note >drafts/grant.yaml
exits 1 "drafts/more/new.yml:31:37: /record/properties/ztmc/x-byte: the keyword" \
	"$hutong" catalog check drafts --since a --quiet
ok "what cannot be read is told at its line"
grep -q "new.yml:24:20: /request/properties/shxydm/type: expected null" err &&
	grep -q "drafts/node.yaml: passed over" err
ok "... all of it, and what is no document is passed over by name"
grep -q "drafts/grant.yaml:8:11: its consumer no.demo/body has no entry in the directory .parties." err &&
	grep -q "drafts/grant.yaml:10:20: it grants the field nofield.* .offered." err
ok "... and the others are held to the rules, and to the catalog in force"
rm -r drafts/more drafts/grant.yaml
sed -i -e 's/^version: 1/version: 2/' drafts/item.yaml
exits 1 "a/items/gx.demo/SCZTDJ@1.note:3:10: version 2 is there to replace it" \
	"$hutong" catalog check drafts --since a
ok "a new version asks for the last day of the one in force"
exits 0 "item gx.demo/SCZTDJ@2" "$hutong" catalog diff a drafts &&
	! grep -q "member\|grant" out
ok "a folder of drafts is held against the catalog: what is not in it stays"
rm drafts/item.yaml
exits 3 "drafts: there is no document in it" "$hutong" catalog check drafts
ok "a folder without a document is no good catalog"
cp -r a b && rm b/items/gx.demo/SCZTDJ@1.note
exits 1 "a/items/gx.demo/SCZTDJ@1.note:2:7: version 1 of gx.demo/SCZTDJ is there no more" \
	"$hutong" catalog check b --since a
ok "what is gone before its last day is told"
rm -r b
sed '/^$/,$d' a/items/gx.demo/SCZTDJ@1.note >drafts/item.yaml
sed 's/$/\r/' drafts/item.yaml >crlf.yaml
exits 1 "crlf.yaml: its lines end in CR LF" "$hutong" catalog check crlf.yaml
ok "line ends of another system are named"
head -c 300 drafts/item.yaml >cut.yaml && printf x >>cut.yaml
exits 1 "cut.yaml: not a note: the last line has no end" \
	"$hutong" catalog check cut.yaml
ok "so is a last line without an end"
: >none.yaml
exits 1 "none.yaml: not a note: the file is empty" \
	"$hutong" catalog check none.yaml
ok "... and an empty file"
head -c 262145 /dev/zero >large.yaml
exits 1 "large.yaml: larger than the 262144 bytes" \
	"$hutong" catalog check large.yaml
ok "a limit is told with its number"

# --- misuse ---
exits 2 "usage: hutong catalog freshen" "$hutong" catalog freshen a
ok "usage is told"
exits 0 "--suspend NAME" "$hutong" catalog freshen --help
ok "and help, when asked for"
exits 2 "has no verb" "$hutong" catalog nosuch
ok "there is no such verb"
echo "1..$n"
