#!/bin/bash
# docs/operations.md, its blocks run as they stand: backup of a running broker,
# drill, a disk that died, an older log, and one that is full.
#
# shellcheck disable=SC1091,SC2154,SC2181,SC2034
set -u
# A disk of our own, in a namespace of our own: gone when the test is.
if [ -z "${may_mount+x}" ] && unshare -rm true 2>/dev/null; then
	may_mount=yes exec unshare -rm "$0" "$@"
fi
may_mount=${may_mount:-}
. "$(dirname "$0")/broker.sh"
PAGE=$(dirname "$0")/../../docs/operations.md
export PATH=$HT_BUILD:$PATH
world tcp://127.0.0.1:"$(free_port)" "audit: audit.sock"
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
ctl status | grep -q '"same-disk":true' &&
	grep -q "on the log's own disk" "$dir/broker.log"
ok "and that it lies on the log's own disk, here"
exchange 2
size=$(stat -c %s "$backup/vault/0000000000000000.seg")
section "Back up" && has "^state +done" &&
	[ "$(stat -c %s "$backup/vault/0000000000000000.seg")" -gt "$size" ]
ok "the next one brings it up to date"
section "Volumes" && has "^state +(being|all) written"
ok "a volume is closed at the operator's word"
written() {
	ctl volumes | grep -q '"files":1.*"state":"all written"'
}
within 10 written && exchange 1 && [ -s "$log/volumes/0000000000000000.vol" ]
ok "its file is written while the exchange goes on"
hutong-audit search --socket "$dir/world/audit.sock" --root "$root" \
    --key "$dir/world/keys/auditor.key" --why drill --limit 3 --from 2020-01-01 \
    >"$dir/section.out" 2>&1 && has START
ok "its entries are found"
section "Back up" && has "^volumes +1 are closed; [0-9]+ entries" &&
	cmp "$log/volumes/0000000000000000.vol" "$backup/volumes/0000000000000000.vol"
ok "and a backup has its file"
section "Drill" && has "^restored +[0-9]+ entries" && has "^root +[0-9a-f]{64}" &&
	[ ! -e "$drill/restoring" ]
ok "the drill ends in a verified root"
mkdir "$dir/other" && touch "$dir/other/file"
ctl backup "$dir/other" >"$dir/section.out" 2>&1
[ $? -eq 1 ] && has "something else than a backup" &&
	[ "$(ls "$dir/other")" = file ]
ok "a folder with something else in it is left as it was"

# --- the folder, damaged where nobody looks ---
section "Once a day: could it start?"
ok "beside the running broker it is checked that it could start again"
damaged=$authority/members/tax.demo/state.note
cp "$damaged" "$dir/whole.note" && sed -i 's/^title: /title:  /' "$damaged"
ctl reload >"$dir/section.out" 2>&1 && has '"changed":false'
ok "a file that is damaged since harms nothing while it runs"
! section "Once a day: could it start?" &&
	has "members/tax.demo/state.note: its text is not the one"
ok "and is named by the check, before the next start"
cp "$dir/whole.note" "$damaged"

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
: >"$dir/nothing-seen"
hutong-broker restore --config "$conf" --from "$dir/moved" \
    --seen "$dir/nothing-seen" "$dir/held" >"$dir/section.out" 2>&1
[ $? -eq 1 ] && has "is empty, and no checkpoint" && ! [ -e "$dir/held" ]
ok "nor held up to a checkpoint that is an empty file"
start
ok "and the broker goes on with it"

# --- the disk is full: a small one of its own, where we may mount it ---
ended TERM
small_disk() {
	mkdir -p "$dir/world/small" &&
		mount -t tmpfs -o size=40m none "$dir/world/small" 2>/dev/null
}
if [ -z "$may_mount" ] || ! small_disk; then
	echo "# a small disk cannot be mounted here: the rest is left out"
	echo "1..$n"
	exit 0
fi
free() { # MIB: fill the disk until so much is left
	local now
	rm -f "$dir/world/small/fill"
	now=$(df --output=avail -k "$dir/world/small" | tail -n 1)
	fallocate -l $((now - $1 * 1024))KiB "$dir/world/small/fill"
}
sed -i 's|log: {dir: log,|log: {dir: small/log,|; s|reserve: 1MiB|reserve: 8MiB|' \
    "$conf"
log=$dir/world/small/log
start
for peer in asker asked; do
	say $peer open
	say $peer hello serves
	sees $peer welcome
done
exchange 1
ok "a broker on a small disk"
say asker ask 1
sees asker "ack OK" && say asked next && sees asked deliver
free 4
within 5 eval 'ctl status | grep -q PAUSED' &&
	section "The disk is full" && has "^because +the disk .* nearly full" &&
	has "^disk-free-mib +[34]"
ok "below the reserve it says what is wrong"
say asker ask 1
sees asker "ack PAUSED"
ok "nothing new is admitted, and the asker is told so"
say asked got
say asked answer
sees asked "ack OK" && say asker next && sees asker "deliver 1"
ok "what was under way is answered"
free 0
dd if=/dev/zero of="$dir/world/small/last" bs=4k 2>/dev/null
[ "$(df --output=avail -k "$dir/world/small" | tail -n 1)" -eq 0 ]
ok "then there is no byte left"
ctl reload >/dev/null
ok "an act is logged still"
hutong-audit search --socket "$dir/world/audit.sock" --root "$root" \
    --key "$dir/world/keys/auditor.key" --why drill --limit 5 \
    >"$dir/section.out" 2>&1 && has RESPONSE
ok "and an auditor reads what was acknowledged"
ended KILL
paused() {
	ctl status | grep -q '"admits":"PAUSED","because":"the disk'
}
start && within 5 paused
ok "it can be started on the full disk"
rm "$dir/world/small/fill" "$dir/world/small/last"
within 5 eval 'ctl status | grep -q "\"admits\":\"yes\""'
ok "and goes on by itself when there is room"
ended TERM
hutong-audit verify --dir "$log" --root "$root" --authority "$authority" \
    >"$dir/section.out" 2>&1
ok "the log verifies"

echo "1..$n"
