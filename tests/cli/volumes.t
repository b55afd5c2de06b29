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
flip "$file" 900
run 4 'one bit in it' "$audit" verify "$file" --root "$root"
says "BAD: .*: entry $second" 'is found where it is'
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

# --- a file that is gone comes back from the archive ---
rm "$log/volumes/${files[1]}"
run 4 'a log that lacks a file' "$audit" verify --dir "$log" --root "$root"
says "volumes/${files[1]}, .* is missing" 'says which'
tar -xf "$dir/a.tar" -C "$log" --strip-components=1 --skip-old-files \
    --exclude SHA256SUMS
run 0 'with its archive unpacked over it it verifies' "$audit" verify \
    --dir "$log" --authority "$auth"

echo "1..$n"
