#!/bin/bash
# docs/operations.md, its blocks run as they stand: backup of a running broker,
# drill, a disk that died, an older log, and one that is full.
#
# shellcheck disable=SC1091,SC2154,SC2181,SC2034
set -u
. "$(dirname "$0")/broker.sh"
PAGE=$(dirname "$0")/../../docs/operations.md
export PATH=$HT_BUILD:$PATH
world tcp://127.0.0.1:$((20000 + $$ % 20000))
export conf=$dir/world/broker.yaml log=$dir/world/log backup=$dir/backup \
    drill=$dir/drill authority=$dir/world/authority \
    root=$dir/world/authority/root.note

section() { # HEADING: its blocks marked sh, as one script
	awk -v want="## $1" '/^## / { there = $0 == want }
	    /^```sh$/ { on = there; next } /^```$/ { on = 0 } on' "$PAGE" \
	    >"$dir/section.sh"
	[ -s "$dir/section.sh" ] && bash -eu "$dir/section.sh" >"$dir/section.out" 2>&1
}
has() {
	grep -qE -- "$1" "$dir/section.out"
}
exchange() { # RECORDS
	say asker ask "$1"
	sees asker "ack OK" || return 1
	say asked next
	sees asked "deliver"
	say asked got
	say asked answer
	say asker next
	sees asked "ack OK" && sees asker "deliver $1"
	say asker got
}
entries_in() { # FOLDER
	hutong-audit verify --dir "$1" --root "$root" --authority "$authority" 2>&1 |
	    sed -n 's/^.* \([0-9][0-9]*\) entries.*/\1/p' | head -n 1
}

start
peer asker tax.demo/state main
peer asked scjg.demo/registry main
say asker open
say asker hello
say asked open
say asked hello serves
sees asker welcome && sees asked welcome && exchange 3
ok "a broker with an exchange in its log"

# --- where to look, backups, the drill ---
section "Where to look first" && has "^admits +yes" &&
	has "^backup +none since the start"
ok "the status says that there is no backup"
section "Back up" && has "^state +done" && has "vault .*each tag and body"
ok "a backup of the running broker verifies without one"
ctl status | grep -q '"backup":{"dir":"'
ok "and its age is in the status"
exchange 2
size=$(stat -c %s "$backup/vault/0000000000000000.seg")
section "Back up" && has "^state +done" &&
	[ "$(stat -c %s "$backup/vault/0000000000000000.seg")" -gt "$size" ]
ok "the next one brings it up to date"
section "Drill" && has "^restored +[0-9]+ entries" && has "^root +[0-9a-f]{64}" &&
	[ ! -e "$drill/restoring" ]
ok "the drill ends in a verified root"
mkdir "$dir/other" && touch "$dir/other/file"
ctl backup "$dir/other" >"$dir/section.out" 2>&1
[ $? -eq 1 ] && has "something else than a backup" &&
	[ "$(ls "$dir/other")" = file ]
ok "a folder with something else in it is left as it was"

# --- the disk dies ---
exchange 1
ended KILL
rm -r "$log/evidence"
section "The disk of the log has died" && has "^BEHIND +a checkpoint of [0-9]+" &&
	has "accept-rollback"
ok "what was given out after the backup is not forgotten"
size=$(sed -nE 's/.*--accept-rollback ([0-9]+).*/\1/p' "$dir/section.out" | head -n 1)
"$B" --config "$conf" >"$dir/section.out" 2>&1
[ $? -eq 4 ] && has "accept-rollback $size"
ok "and no broker starts on it by itself"
"$B" --config "$conf" --accept-rollback "$size" --why "a drill" \
    2>>"$dir/broker.log" &
broker_pid=$!
within 10 listening && ctl status | grep -q "\"given-up\":$size"
ok "with the operator's word it does"
section "Back up" && has "^state +done"
ok "and the backup goes on with it"
ended TERM
verify && [ "$(entries ROLLBACK_SEEN)" -eq 1 ]
ok "the act is in the log, which verifies"

# --- a log, moved: nothing is missing ---
mv "$log" "$dir/moved"
hutong-broker restore --config "$conf" --from "$dir/moved" >"$dir/section.out" 2>&1
ok "a log can be moved to another disk by a restore"
hutong-broker restore --config "$conf" --from "$dir/moved" >"$dir/section.out" 2>&1
[ $? -eq 1 ] && has "nothing is written over it"
ok "but never over one that is there"
start
ok "and the broker goes on with it"

echo "1..$n"
