#!/bin/bash
# tests/cli/volumes.t -- closed volumes: the verbs on a log that has some, a
# volume's file alone, and its archive.
set -u
cd "$(dirname "$0")/../.." || exit 1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
audit=$HT_BUILD/hutong-audit
n=0

result() { # status, what
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/#  /' "$dir/out" "$dir/err" 2>/dev/null
	fi
}
# run WANTED-STATUS WHAT COMMAND...
run() {
	local want=$1 what=$2 got
	shift 2
	"$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ "$got" -eq "$want" ] || echo "# status $got, not $want" >>"$dir/err"
	[ "$got" -eq "$want" ]
	result $? "$what"
}
# says TEXT WHAT: the last run printed TEXT
says() {
	grep -qE -- "$1" "$dir/out" "$dir/err"
	result $? "$2"
}
# flip FILE OFFSET: another bit there
flip() {
	python3 -c '
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[int(sys.argv[2])] ^= 4
open(sys.argv[1], "wb").write(data)' "$1" "$2"
}

"$HT_BUILD/prog/make-log" "$dir" volumes >"$dir/size" || {
	echo 'Bail out! no log'
	exit 1
}
size=$(cat "$dir/size")
log=$dir/log
auth=$dir/authority
root=$auth/root.note
vkey=$(sed -n 's/^log: \([^ ]*\).*/\1/p' "$root")
mapfile -t files < <(ls "$log/volumes")
second=$((16#${files[1]%.vol}))

# --- the verbs, on a log whose entries are in files ---
run 0 'a log with closed volumes verifies' "$audit" verify --dir "$log" \
    --authority "$auth"
says "verified     $size entries" 'all of it'
says 'volumes      3 are closed; [0-9]+ entries are in' 'it says what is in files'
if python3 -c 'import lmdb, nacl, msgpack' 2>/dev/null; then
	run 0 'another verifier agrees' tests/lib/verify-log.py "$log" "$vkey" "$auth"
else
	result 0 'another verifier agrees # SKIP python3-lmdb is not installed'
fi
run 0 'fsck finds nothing' "$audit" fsck --dir "$log"
"$audit" search --dir "$log" --root "$root" --format jsonl >"$dir/indexed" 2>/dev/null
"$audit" search --dir "$log" --root "$root" --format jsonl --scan >"$dir/scanned" 2>/dev/null
[ "$(wc -l <"$dir/scanned")" -eq "$size" ] && cmp -s "$dir/indexed" "$dir/scanned"
result $? 'a search finds every entry, with an index and without'
run 0 'an entry in a file is shown, each check made' "$audit" show \
    --dir "$log" --authority "$auth" 2
run 0 'and proven' "$audit" prove --dir "$log" --root "$root" -o "$dir/proof" 3
run 0 'by a proof that holds' "$audit" verify "$dir/proof" --root "$root" \
    --authority "$auth"
run 0 'a case of it is exported' "$audit" export --dir "$log" \
    --authority "$auth" -o "$dir/case.tar" 2
run 0 'a mirror has it' "$audit" mirror --dir "$log" --root "$root" "$dir/mirror"
run 0 'and verifies' "$audit" verify "$dir/mirror" --root "$root"

# --- a file alone ---
mkdir "$dir/alone" && cp "$log/volumes/"* "$dir/alone/"
file=$dir/alone/${files[1]}
run 0 'a file verifies alone' "$audit" verify "$file" --authority "$auth"
says "verified      a volume of [0-9]+ entries, $second to [0-9]+, root" \
    'it says which entries'
says 'bundles       [0-9]+, each signature holds' 'and that they were signed'
says 'signed by the log.s key' 'by whom its checkpoint is'
run 2 'nor by nobody' "$audit" verify "$file"

# --- asked alone ---
run 0 'a file is searched alone' "$audit" search --volume "$file" \
    --root "$root" --format jsonl
end=$(sed -n 's/^as of *\([0-9]*\) .*/\1/p' "$dir/err")
says "^range +entries $second to $((end - 1))$" 'as far as it goes'
says "^volume .* entries $second to $((end - 1)) of the log; .*" 'which it says'
says "signed by the log.s key" 'and whose word stands for it'
"$audit" search --dir "$log" --root "$root" --format jsonl --start "$second" \
    --at "$end" >"$dir/whole" 2>/dev/null
cmp -s "$dir/out" "$dir/whole"
result $? 'its rows are those of the whole log'
for what in '--type EXPIRED' '--item gx.demo/SCZTDJ --status 0' '--limit 3' \
    '--member scjg.demo/registry --operation query' '--from 2026-11-24T01:02:20Z'; do
	# shellcheck disable=SC2086 # words of it
	"$audit" search --volume "$file" --format csv $what >"$dir/out" 2>"$dir/err"
	# shellcheck disable=SC2086
	"$audit" search --dir "$log" --format csv --start "$second" --at "$end" \
	    $what >"$dir/whole" 2>/dev/null
	cmp -s "$dir/out" "$dir/whole" && [ "$(wc -l <"$dir/out")" -gt 1 ]
	result $? "so with $what"
done
run 1 'what is not in it is not found' "$audit" search --volume "$file" \
    --root "$root" --status refused
run 0 'an exchange is shown' "$audit" show --volume "$file" \
    --authority "$auth" $((second + 1))
says 'ok +signed by key' 'with its signature'
says 'unchecked +its tag' 'and what cannot be checked'
run 1 'what stands before it is not here' "$audit" show --volume "$file" \
    --root "$root" $((second - 1))
says "entries $second to $((end - 1)); ask the log" 'and where it is'
run 1 'nor is what comes after' "$audit" show --volume "$file" \
    --root "$root" "$end"
run 0 'an entry is proven from it' "$audit" prove --volume "$file" \
    --root "$root" -o "$dir/alone.proof" $((second + 2))
run 0 'by a proof that holds' "$audit" verify "$dir/alone.proof" \
    --root "$root" --authority "$auth"
run 2 'subjects are in tags, which it has not' "$audit" search \
    --volume "$file" --subject 00000000000000000000000000000000
says 'give an archive' 'so the archive is asked for'
for what in 'stats --by item,type' 'stats --item gx.demo/SCZTDJ --by member' \
    'report --month 2026-11' 'stats --from 2026-11-24T01:02:20Z --period day'; do
	# shellcheck disable=SC2086 # words of it
	"$audit" $what --volume "$file" --authority "$auth" --format csv \
	    >"$dir/out" 2>"$dir/err"
	from="--start $second"
	[ "${what%% *}" = report ] && from=
	# shellcheck disable=SC2086
	"$audit" $what --dir "$log" --authority "$auth" --format csv $from \
	    --at "$end" >"$dir/whole" 2>/dev/null
	if [ -n "$from" ]; then
		cmp -s "$dir/out" "$dir/whole" && [ "$(wc -l <"$dir/out")" -gt 1 ]
	else # of the log it is of more
		! cmp -s "$dir/out" "$dir/whole" && grep -q '^serves' "$dir/out"
	fi
	result $? "so it is with $what"
done
run 0 'a count of a period says' "$audit" stats --volume "$file" --root "$root" \
    --from 2026-11-24T01:02:20Z
says 'none between them is missing; of the period there$' 'which entries it is of'
says '^ +may be more after this volume' 'and that the log goes on'
run 1 'a period before it' "$audit" report --volume "$file" --month 2026-10
says 'no entry of this volume is in the period; there may be some before it' \
    'is not said to be empty'
run 1 'a log that was smaller' "$audit" stats --volume "$file" --at "$second"
says 'stands before this volume' 'is another volume'
run 0 'a case of it is exported' "$audit" export --volume "$file" \
    --authority "$auth" -o "$dir/alone.tar" $((second + 1))
says "^volume .* entries $second to $((end - 1)) of the log" 'with what it is from'
run 1 'not of an exchange that stands elsewhere' "$audit" export --volume "$file" \
    --authority "$auth" -o "$dir/none.tar" "$end"
says "entries $second to $((end - 1)) of this volume; ask the log" 'and whom to ask'
run 2 'an annex is in a tag' "$audit" export --volume "$file" --authority "$auth" \
    -o "$dir/none.tar" --annex "$dir/keys/annex.key" --show officer $((second + 1))
for verb in fsck tail witness; do
	run 2 "$verb needs a log" "$audit" "$verb" --volume "$file"
	says 'verify FILE|search --volume' 'and what does not is said'
done
for verb in fsck verify search; do
	run 2 "a file is no folder to $verb" "$audit" "$verb" --dir "$file"
	says 'take it as --volume FILE' 'which is said'
done
run 0 'a complete answer' "$audit" search --volume "$file" --root "$root" \
    --item gx.demo/SCZTDJ --complete -o "$dir/answer" --key "$dir/keys/auditor.key"
run 0 'which verifies' "$audit" verify "$dir/answer" --root "$root"
says "^range: $second $end$" 'is of its entries'
says "^part: from entry $second on, 0 unknown" 'and says so'
run 2 'a volume or a log' "$audit" search --volume "$file" --dir "$log"
run 2 'a volume has no index' "$audit" search --volume "$file" --scan \
    --complete -o "$dir/x" --key "$dir/keys/auditor.key"
# --- checkpoints and mirrors, volume by volume ---
first=$dir/alone/${files[0]}
note() { # FILE: the checkpoint of a volume
	"$audit" prove --volume "$1" --root "$root" -o "$dir/last" \
	    "$(($("$audit" search --volume "$1" --root "$root" --format csv 2>&1 >"$dir/rows" |
	        sed -n 's/^as of *\([0-9]*\) .*/\1/p') - 1))" &&
		python3 -c '
import sys
text = open(sys.argv[1]).read()
print(text[text.index("gx.demo/log\n"):], end="")' "$dir/last"
	rm -f "$dir/last"
}
note "$first" >"$dir/1.note"
note "$file" >"$dir/2.note"
run 0 'a volume continues the one before' "$audit" consistency "$dir/1.note" \
    "$dir/2.note" --volume "$file" --root "$root" -o "$dir/1-2.proof"
run 0 'by a proof that holds' "$audit" consistency "$dir/1.note" \
    "$dir/1-2.proof" --root "$root"
run 1 'the one before does not have its tree' "$audit" consistency \
    "$dir/1.note" "$dir/2.note" --volume "$first" --root "$root"
says "2.note is of $end entries, .* trees of 0 to $second entries" 'which is no fork'
run 0 'a mirror is begun by a volume' "$audit" mirror --volume "$first" \
    --root "$root" "$dir/tiles"
run 0 'grows by the next' "$audit" mirror --volume "$file" --root "$root" \
    "$dir/tiles"
run 0 'verifies' "$audit" verify "$dir/tiles" --root "$root"
says "verified +$end entries" 'as far as they go'
run 1 'what is behind it says nothing of it' "$audit" mirror --volume "$first" \
    --root "$root" "$dir/tiles"
says 'the log alone can say' 'which is said'
run 0 'the log continues it' "$audit" mirror --dir "$log" --root "$root" \
    "$dir/tiles"
run 1 'a gap' "$audit" mirror --volume "$file" --root "$root" "$dir/gap"
says 'grows without a gap; first give the volumes before it' 'is not bridged'

flip "$file" 900
run 4 'one bit in it' "$audit" verify "$file" --root "$root"
says "BAD: .*: entry $second" 'is found where it is'
run 4 'and found by a search, which shows nothing' "$audit" search \
    --volume "$file" --root "$root" --type STOP
[ ! -s "$dir/out" ]
result $? 'nor anything of it'
truncate -s -1 "$file"
run 4 'one byte less' "$audit" verify "$file" --root "$root"

# --- its archive ---
run 0 'an archive is written, and verified' "$audit" archive --dir "$log" \
    --root "$root" -o "$dir/a.tar" $((second + 1))
says 'vault         [0-9]+ pieces, each tag and body' 'its tags and bodies, too'
run 3 'over none that is there' "$audit" archive --dir "$log" --root "$root" \
    -o "$dir/a.tar" "$second"
run 0 'it verifies alone' "$audit" verify "$dir/a.tar" --root "$root"
says "verified      an archive of [0-9]+ entries, $second to" 'and says what it is'
run 0 'it is searched alone' "$audit" search --volume "$dir/a.tar" \
    --root "$root" --format jsonl
"$audit" search --dir "$log" --format jsonl --start "$second" --at "$end" \
    >"$dir/whole" 2>/dev/null
cmp -s "$dir/out" "$dir/whole"
result $? 'with the rows of the log'
run 0 'and shows a whole exchange, its tags, too' "$audit" show \
    --volume "$dir/a.tar" --authority "$auth" $((second + 1))
says 'ok +its tag is the header' 'which are in it'
subject=$(sed -n 's/^ *\([0-9a-f]\{32\}\)$/\1/p' "$dir/out" | head -1)
run 0 'so a subject is found' "$audit" search --volume "$dir/a.tar" \
    --root "$root" --subject "$subject"
run 1 'of an entry in no volume there is none' "$audit" archive --dir "$log" \
    --root "$root" -o "$dir/b.tar" $((size - 1))
[ ! -e "$dir/b.tar" ] && [ ! -e "$dir/b.tar.new" ]
result $? 'nor a file'
mkdir "$dir/taken" && tar -xf "$dir/a.tar" -C "$dir/taken" --strip-components=1 &&
	(cd "$dir/taken" && sha256sum --quiet -c SHA256SUMS) >"$dir/out" 2>&1
result $? 'tar and sha256sum take it apart'
for at in 600 $(($(stat -c %s "$dir/a.tar") / 2)) 3000; do
	cp "$dir/a.tar" "$dir/bad.tar" && flip "$dir/bad.tar" "$at"
	run 4 "one bit at $at" "$audit" verify "$dir/bad.tar" --root "$root"
	run 4 'to a search, too' "$audit" search --volume "$dir/bad.tar" \
	    --root "$root"
done
head -c 5120 "$dir/a.tar" >"$dir/bad.tar"
run 4 'one that is cut off' "$audit" verify "$dir/bad.tar" --root "$root"
# Sums made anew by somebody: the tree is not.
(cd "$dir/taken" && flip "volumes/${files[1]}" 900 &&
	sha256sum "volumes/${files[1]}" vault/*.seg >SHA256SUMS) &&
	tar -cf "$dir/bad.tar" --format=ustar -C "$dir/taken" \
	    --transform 's|^|archive/|' "volumes/${files[1]}" \
	    "$(cd "$dir/taken" && echo vault/*.seg)" SHA256SUMS
run 4 'one with sums of its own' "$audit" verify "$dir/bad.tar" --root "$root"
says "entry $second" 'at the entry that was changed'

# --- exchanges that begin in one volume and end in the next ---
"$HT_BUILD/prog/make-log" "$dir/split" split >/dev/null
split=$dir/split/log
auth_of=$dir/split/authority
mapfile -t files_of < <(ls "$split/volumes")
later=$((16#${files_of[1]%.vol}))
file=$split/volumes/${files_of[1]}
run 0 'what only cites a request before' "$audit" stats --volume "$file" \
    --authority "$auth_of" --item gx.demo/SCZTDJ --by type --format csv
grep -q '^EXPIRED,1,' "$dir/out"
result $? 'is of no item'
says '^unknown +2 entries of the range, .* cite a request before this volume' \
    'which is said'
run 0 'so it is with a search' "$audit" search --volume "$file" \
    --authority "$auth_of" --item gx.demo/SCZTDJ --type EXPIRED
says '^unknown +2 entries of the volume' 'which says so, too'
run 0 'a report' "$audit" report --volume "$file" --authority "$auth_of" \
    --month 2026-11 --format jsonl
says '^untimed +4 answers, whose requests stand before' 'says whose times it lacks'
run 0 'kept as a file' "$audit" report --volume "$file" --authority "$auth_of" \
    --month 2026-11 --format jsonl --key "$dir/split/keys/auditor.key" \
    -o "$dir/split.counts"
cp "$dir/out" "$dir/part"
run 0 'it is made again from that' "$audit" verify "$dir/split.counts" \
    --authority "$auth_of" --format jsonl
head -n 2 "$dir/out" | cmp -s - "$dir/part"
result $? 'with the same rows'
says "^query: report .*start=$later" 'of a question that begins with the volume'
says "^part +of a volume that begins with entry $later:" 'which is said'
says '^untimed +4 answers' 'and what it lacks'
says '^part: from entry [0-9]+ on, 2 unknown, 4 untimed$' 'as the auditor signed'
if python3 -c 'import msgpack' 2>/dev/null; then
	run 0 'another verifier counts the same' tests/lib/check-counts \
	    "$dir/split.counts" "$vkey"
fi
run 0 'the log lacks none' "$audit" report --dir "$split" \
    --authority "$auth_of" --month 2026-11 --format jsonl
! grep -qE '^(untimed|unknown|volume)' "$dir/err"
result $? 'and says nothing of it'
run 0 'an answer is exported' "$audit" export --volume "$file" \
    --authority "$auth_of" -o "$dir/split.tar" $((later + 1))
says "^cut off +the requests of 1 entries, first of entry $((later + 1)), stand" \
    'without its request, which is said'
tar -xf "$dir/split.tar" -C "$dir/split" && sh "$dir/split/case/verify.sh" \
    >"$dir/out" 2>"$dir/err"
result $? 'the case holds'
says "OPEN .* entry $((later - 6)), is not in this folder" 'and says what it lacks'

# --- who looked at a firm, of one volume's archive ---
firm=uscc:91999999MA00000079
keys=$dir/split/keys
run 0 'an archive of it' "$audit" archive --dir "$split" --root "$auth_of/root.note" \
    -o "$dir/split.arc" "$later"
run 2 'a file has no tags' "$audit" subject --volume "$file" --authority \
    "$auth_of" "$firm" --tracker "$keys/tracker.key"
says 'give an archive of it' 'so the archive is asked for'
look() { # WANTED-STATUS WHAT OPTION...
	local want=$1 what=$2
	shift 2
	run "$want" "$what" "$audit" subject --volume "$dir/split.arc" \
	    --authority "$auth_of" "$firm" --format csv "$@"
}
look 0 'the looks in it' --tracker "$keys/tracker.key"
end=$(sed -n 's/^as of *\([0-9]*\) .*/\1/p' "$dir/err")
says "^range +entries $later to $((end - 1))$" 'of its entries'
says 'proven: every entry of the range was looked at' 'and none is missing'
says "cut off +the requests of 4 entries, first of entry $((later + 1))," \
    'answers whose requests stand before'
says 'cut off +what became of 7 requests' 'requests that are open where it ends'
! grep -q 'no answer' "$dir/out" && [ "$(grep -c ',open' "$dir/out")" -eq 7 ]
result $? 'are not said to have no answer'
"$audit" subject --dir "$split" --authority "$auth_of" "$firm" --format csv \
    --tracker "$keys/tracker.key" 2>/dev/null | grep answered >"$dir/whole"
# Those of which the request is here, too.
grep ,sealed, "$dir/out" | grep answered >"$dir/part"
[ "$(grep -cxFf "$dir/part" "$dir/whole")" -eq 2 ]
result $? 'what is whole is as the log has it'
look 0 'kept as a proof' --tracker "$keys/tracker.key" \
    --key "$keys/auditor.key" -o "$dir/split.answer"
run 0 'which verifies' "$audit" verify "$dir/split.answer" --authority "$auth_of"
says "^range: $later $end$" 'and says from where to where'
says "^part +of a volume that begins with entry $later:" 'as far as it goes'
if python3 -c 'import msgpack' 2>/dev/null; then
	run 0 'to another verifier, too' tests/lib/check-answer "$dir/split.answer" \
	    "$vkey" "$(sed -n 's/^query: .*subject=\([0-9a-f]*\).*/\1/p' "$dir/out")"
fi
look 1 'conditions hold' --tracker "$keys/tracker.key" --purpose none
# All tags are of an epoch that is not asked for.
"$HT_BUILD/hutong" key new --for tracker --name gx.demo/e2 \
    --out "$dir/other.key" >/dev/null
look 1 'an epoch that is not in it' --tracker "$dir/other.key"
says '^epochs +[0-9]+ tags here are of epochs whose tracker key was not given' \
    'which is said'
run 2 'no order to disclose is made of it' "$audit" disclose --volume "$dir/split.arc" \
    --order x --basis y --subject "$firm" --tracker "$keys/tracker.key"
says 'ask that .--dir, --socket' 'a log is asked for that'

# --- what is erased, by orders that the log has ---
"$HT_BUILD/prog/make-log" "$dir/gone" erased >/dev/null
mapfile -t files_of < <(ls "$dir/gone/log/volumes")
later=$((16#${files_of[1]%.vol} + 2))
root_of=$dir/gone/authority/root.note
# Volumes and vault alone, as beside a broker that writes the rest.
mkdir "$dir/gone/files" && cp -r "$dir/gone/log/volumes" "$dir/gone/log/vault" "$dir/gone/files"
run 0 'an archive of what is erased in part' "$audit" archive \
    --dir "$dir/gone/log" --root "$root_of" -o "$dir/gone/1.tar" "$later"
says 'of 2 something is erased, and on its list' 'says so'
says '1 of 1 lists .* proven to be of ERASE entries in the log$' 'and proves by which order'
run 0 'it verifies alone' "$audit" verify "$dir/gone/1.tar" --vkey "$vkey"
says '1 of 1 lists .* officers signed, NOT CHECKED' 'as far as it is known whom to believe'
run 1 'who was looked at' "$audit" subject --volume "$dir/gone/1.tar" \
    --authority "$dir/gone/authority" "$firm" --tracker "$dir/gone/keys/tracker.key"
says 'the tags of 2 entries here, by orders that stand after .* first entry [0-9]+:' \
    'nobody can tell of what was erased since'
run 2 'so no proof is kept of it' "$audit" subject --volume "$dir/gone/1.tar" \
    --authority "$dir/gone/authority" "$firm" --tracker "$dir/gone/keys/tracker.key" \
    --key "$dir/gone/keys/auditor.key" -o "$dir/gone/answer"
says 'keep one of the log' 'but of the log'
run 0 'one made while the log is being written' flock -x "$dir/gone/log/lock" \
    "$audit" archive --dir "$dir/gone/log" --root "$root_of" \
    -o "$dir/gone/5.tar" 2
says '1 of 1 lists .* proven' 'takes the proof from the volume of the order'
run 0 'one of files alone' "$audit" archive --dir "$dir/gone/files" \
    --root "$root_of" -o "$dir/gone/2.tar" "$later"
says '0 of 1 lists .*' 'has no proof of an entry in the open range'
says 'NOT PROVEN: entry [0-9]+, which the log alone can show' 'and says which'
run 0 'but one of an entry in a closed volume' "$audit" archive \
    --dir "$dir/gone/files" --root "$root_of" -o "$dir/gone/3.tar" 2
says '1 of 1 lists .* proven' 'it has'
proof=$(tar -tf "$dir/gone/3.tar" | grep '\.proof$')
tar -xOf "$dir/gone/3.tar" "$proof" >"$dir/gone/proof"
run 0 'which is a proof like any other' "$audit" verify "$dir/gone/proof" --root "$root_of"
# The proof of another entry, with sums of its own.
mkdir "$dir/gone/taken" && tar -xf "$dir/gone/3.tar" -C "$dir/gone/taken"
"$audit" prove --dir "$dir/gone/log" --root "$root_of" 2 >"$dir/gone/taken/$proof"
(cd "$dir/gone/taken/archive" && sed 's/^[0-9a-f]*  //' SHA256SUMS >../names &&
	xargs sha256sum <../names >../sums && mv ../sums SHA256SUMS)
sed 's|^|archive/|' "$dir/gone/taken/names" >"$dir/gone/members"
echo archive/SHA256SUMS >>"$dir/gone/members"
tar -cf "$dir/gone/4.tar" --format=ustar -C "$dir/gone/taken" -T "$dir/gone/members"
run 4 'that of another entry is false' "$audit" verify "$dir/gone/4.tar" --root "$root_of"
says 'BAD: .* it is of another entry' 'and said to be'

# --- a file that is gone comes back from the archive ---
rm "$log/volumes/${files[1]}"
run 4 'a log that lacks a file' "$audit" verify --dir "$log" --root "$root"
says "volumes/${files[1]}, .* is missing" 'says which'
tar -xf "$dir/a.tar" -C "$log" --strip-components=1 --skip-old-files \
    --exclude SHA256SUMS
run 0 'with its archive unpacked over it it verifies' "$audit" verify \
    --dir "$log" --authority "$auth"

# --- a volume that was removed ---
gone=$dir/removed
"$HT_BUILD/prog/make-log" "$gone" removed >"$dir/size" || exit 1
size=$(cat "$dir/size")
run 0 'a log that a volume was removed from verifies' "$audit" verify \
    --dir "$gone/log" --authority "$gone/authority"
says "verified     $size entries" 'all of it'
says 'removed      the entries below [0-9]+, by entry [0-9]+' 'but for what is gone'
says '[1-9][0-9]* entries cite one of them' 'what cites that is counted'
run 0 'its files fit' "$audit" fsck --dir "$gone/log"
if python3 -c 'import lmdb, nacl, msgpack' 2>/dev/null; then
	run 0 'another verifier agrees on it' tests/lib/verify-log.py \
	    "$gone/log" "$vkey" "$gone/authority"
	says "verified $size entries" 'and on all of it'
else
	result 0 'another verifier agrees on it # SKIP python3-lmdb is not installed'
fi
run 0 'a count begins where the log does' "$audit" stats --dir "$gone/log" \
    --authority "$gone/authority"
says 'removed    the entries below [0-9]+ are not in the log any more' 'and says so'
run 0 'so does an answer that is kept' "$audit" search --dir "$gone/log" \
    --authority "$gone/authority" --key "$gone/keys/auditor.key" --complete \
    -o "$dir/kept"
run 0 'which verifies without the log' "$audit" verify "$dir/kept" \
    --authority "$gone/authority"
python3 - "$dir/kept" <<'END'
import sys
path = sys.argv[1]
data = open(path, "rb").read()
at = data.index(b"hutong: remove/v1")
open(path, "wb").write(data[:at] + b"H" + data[at + 1:])
END
run 4 'and not when what was removed is another' "$audit" verify "$dir/kept" \
    --authority "$gone/authority"
second=$(find "$gone/log/volumes" -name '*.vol' | sort | head -n 1)
mv "$second" "$dir/second"
run 4 'a second one that is missing was not removed' "$audit" verify \
    --dir "$gone/log" --authority "$gone/authority"
says 'is missing or damaged; put it back' 'and is named'
if python3 -c 'import lmdb, nacl, msgpack' 2>/dev/null; then
	run 4 'by another verifier, too' tests/lib/verify-log.py "$gone/log" "$vkey"
fi

echo "1..$n"
