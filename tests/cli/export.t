#!/bin/bash
# tests/cli/export.t -- a case for a court: made from a folder and through the
# socket, and checked by its own verify.sh where there is nothing but sh,
# openssl, coreutils and tar; any part of it changed, and it says so.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
audit=$HT_BUILD/hutong-audit
make_log=$HT_BUILD/prog/make-log

mkdir "$dir/w"
mkfifo "$dir/w/stdin"
"$make_log" "$dir/w" serve <"$dir/w/stdin" >"$dir/size" &
server=$!
exec 9>"$dir/w/stdin"
until [ "$(wc -l <"$dir/size")" -eq 2 ]; do
	kill -0 $server 2>/dev/null || { echo 'Bail out! no log'; exit 1; }
	read -r -t 0.05 <> <(:) || :
done
live=$dir/w/audit
auth=$dir/w/authority
root=$(sed '/^$/,$d' "$auth/root.note" | sha256sum | cut -d' ' -f1)

# --- a place with nothing in it ---
bare=$dir/bare
mkdir -p "$bare"/{bin,dev,tmp}
: >"$bare/dev/null"
for tool in sh openssl tar sha256sum b2sum base64 od tr head tail date cat wc \
    cp mktemp rm dirname; do
	cp "$(command -v $tool)" "$bare/bin/$tool"
	for lib in $(ldd "$bare/bin/$tool" | grep -o '/[^ ]*'); do
		mkdir -p "$bare${lib%/*}"
		[ -e "$bare$lib" ] || cp -L "$lib" "$bare$lib"
	done
done
inside() { # COMMAND...: in a root of its own; else with that PATH alone
	if [ -n "$chroot" ]; then
		env -i PATH=/bin $chroot "$bare" "$@"
	else
		(cd "$bare" && env -i PATH="$bare/bin" "$@")
	fi
}
chroot=
into=$(command -v chroot)
for how in "$into" "unshare -r $into"; do
	[ -n "$chroot" ] || ! $how "$bare" /bin/sh -c : 2>/dev/null || chroot=$how
done
echo "# bare: ${chroot:-PATH alone}"

# --- made through the socket, signed by the auditor ---
run 0 'a case, asked of a broker' "$audit" export 4 --socket "$live" \
    --key "$dir/w/keys/auditor.key" --why 'case 12' --authority "$auth" \
    -o "$bare/live.tar"
says "sh case/verify.sh $root" 'it says how to check it'
run 0 'the question is an entry of the log' "$audit" search --socket "$live" \
    --key "$dir/w/keys/auditor.key" --why 'case 12' --type AUDIT_QUERY \
    --format jsonl
says 'case 12' 'with its purpose'
exec 9>&-
wait $server
size=$(head -n 1 "$dir/size")

run 0 'it is taken apart' inside tar -xf live.tar
mv "$bare/case" "$bare/live"
run 0 'and holds, with nothing of ours' inside sh live/verify.sh "$root"
says 'Everything holds.' 'nothing is left open'
says 'auditor-1 signed the list of its files' 'the auditor answers for it'
says "entry 4 is in the log: its hash leads to the root of the checkpoint of $size" \
    'each entry, and in which tree'
says 'signed by tax.demo/state, node main' 'who sent it'
says 'the grant gx.demo/1 allowed tax.demo/state this item for the purpose tax-registration' \
    'what allowed it'
says 'it answers the request of entry 4' 'what answers it'
run 1 'the root of somebody else' inside sh live/verify.sh \
    "$(printf 'other' | sha256sum | cut -d' ' -f1)"
says 'it is not the root that you named' 'is told'

# --- made from a folder; two exchanges, one of which expired; a refusal ---
run 0 'a case of several, from a copy' "$audit" export --dir "$dir/w/log" \
    --authority "$auth" -o "$bare/copy.tar" 17 7
run 0 'it is taken apart' inside tar -xf copy.tar
run 0 'and holds' inside sh case/verify.sh
says 'REJECT' 'with a refusal'
says 'it is about entry 7' 'and what became of the other'
says 'OPEN    is it the authority' 'without the root named, that is open'
says "SHA-256 $root" 'and what to compare it with'
cmp -s broker/cli/verify.sh "$bare/case/verify.sh"
result $? 'verify.sh is the one of the sources'
run 3 'a file that is there is left alone' "$audit" export 4 --dir \
    "$dir/w/log" --authority "$auth" -o "$bare/copy.tar"
run 1 'no such entry' "$audit" export 4 "$size"000 --dir "$dir/w/log" \
    --authority "$auth" -o "$dir/no.tar"
run 2 'no documents' "$audit" export 4 --dir "$dir/w/log" -o "$dir/no.tar"
run 2 'no entry' "$audit" export --dir "$dir/w/log" --authority "$auth" \
    -o "$dir/no.tar"
head -c 50 /dev/zero >"$dir/opening"
run 4 'a content that is not the one' "$audit" export 4 --dir "$dir/w/log" \
    --authority "$auth" -o "$dir/no.tar" --opening "4=$dir/opening"
says 'is not the content that the record of entry 4 commits to' 'is refused'

# --- the documents of another time ---
cp -r "$auth" "$dir/later"
printf x >>"$dir/later/snapshot.list"
run 4 'documents that are not in order' "$audit" export 4 --dir \
    "$dir/w/log" --authority "$auth" --then "$dir/later" -o "$dir/no.tar"

# --- one byte of any file, as it is ---
cd "$bare" || exit 1
want=$(wc -l <case/files.sha256)
for file in $(cut -c 67- case/files.sha256); do
	cp "case/$file" "$dir/kept"
	flip "$dir/kept" "case/$file" $(($(wc -c <"$dir/kept") / 2))
	(cd case && sha256sum -c --quiet files.sha256) >/dev/null 2>&1 ||
		want=$((want - 1))
	cp "$dir/kept" "case/$file"
done
[ "$want" -eq 0 ]
result $? 'no byte of a file changes unseen'

# What a sh and openssl say of the files that we wrote is the same, whatever
# the compiler was told.
case $HT_BUILD in */san-*)
	echo "1..$n"
	exit 0
	;;
esac

# --- by somebody who makes the list of files anew ---
# Two at a time: each is some hundred processes.
again() { # CASE: the list and its hash, made anew
	(
		cd "$1" || exit
		cut -c 67- files.sha256 | while read -r file; do
			sha256sum "$file"
		done >new && mv new files.sha256
		sum=$(sha256sum <files.sha256 | cut -d' ' -f1)
		sed -i "s/^files: .*/files: $sum/" case.note
	)
}
run 0 'a case of one request' "$audit" export 14 --dir "$dir/w/log" \
    --authority "$auth" -o "$dir/one.tar"
now=$(tar -tf "$dir/one.tar" | grep -o 'checkpoints/[0-9]*' | cut -d/ -f2)
snapshot=$(tar -tf "$dir/one.tar" | grep -o 'trust/[^/]*' | head -n 1)
forge() { # NAME FILE SED-SCRIPT: or a bit flipped at byte SCRIPT
	mkdir "$dir/forged.$1" && tar -xf "$dir/one.tar" -C "$dir/forged.$1"
	local file=$dir/forged.$1/case/$2
	case $3 in
	byte*)
		cp "$file" "$dir/kept"
		flip "$dir/kept" "$file" "${3#byte }"
		;;
	*) sed -i "$3" "$file" ;;
	esac
	again "$dir/forged.$1/case"
}

# --- a later root, by the same officers, with witnesses ---
note=$HT_BUILD/prog/note
seed=$(printf '%064d' 7)
mkdir "$dir/later.case" && tar -xf "$dir/one.tar" -C "$dir/later.case"
case=$dir/later.case/case
{
	sed '/^$/,$d' "$case/root.note" | sed 's/^revision: 1/revision: 2/'
	printf 'witnesses:\n  - %s\nquorum: 1\n' \
	    "$("$note" witness "$seed" tax.demo/state/w)"
} >"$dir/root"
for officer in 1 2; do
	"$HT_BUILD/hutong" catalog sign "$dir/root" \
	    --key "$dir/w/keys/officer-$officer.key" >"$dir/out" 2>"$dir/err"
done
cp "$dir/root" "$case/root.note"
cp "$case/checkpoints/$now.note" "$dir/checkpoint"
"$note" cosign "$seed" tax.demo/state/w 1795482200 <"$dir/checkpoint" \
    >>"$case/checkpoints/$now.note"
again "$dir/later.case/case"
run 0 'a root that came later' sh "$case/verify.sh"
says 'the officers of one signed the other: gx.demo/officer-1 gx.demo/officer-2' \
    'is known by who signed it'
says 'the witness tax.demo/state/w saw it at 2026-11-24T01:03:20Z' \
    'and who cosigned, and when'

names=()
expect=()
expecting() { # NAME FILE WHERE SENTENCE
	forge "$1" "$2" "$3"
	names+=("$1")
	expect+=("$4")
}
m=members/tax.demo/state.note
other='3{s/^0/1/;t;s/^./0/}' # another digit there, whatever stood there
expecting leaf entries/7/leaf 'byte 14' 'is not the one that was logged'
expecting path entries/7/path "$other" \
    'is not the one that was logged'
expecting checkpoint "checkpoints/$now.note" "$other" \
    'the signature of gx.demo/log is false'
expecting bundle entries/7/bundle 'byte 80' 'is not among those that'
expecting signature entries/7/bundle.signature 'byte 3' \
    'the signature of tax.demo/state is false'
expecting officers "$snapshot/$m" '/^— gx.demo.officer-1/d' \
    'only 1 officers of the authority have signed'
expecting identity "$snapshot/$m" '/^— tax.demo.state /d' \
    'is not signed by its own identity key'
expecting grant "$snapshot/grants/gx.demo/1.note" '/^— scjg.demo/d' \
    'no officer of the provider'
expecting snapshot "$snapshot/snapshot.note" 's/^count: ./count: 9/' \
    'is another text than the one whose hash stands in the entries'
expecting root root.note '/^— gx.demo.officer-2/d' 'and it demands 2'
cp -r "$dir/later.case" "$dir/forged.witness"
case=$dir/forged.witness/case
# Still base64: a bit alone could make of it a character that is none.
sed '/^— tax.demo/ { s/A\(.\{8\}\)$/B\1/; t; s/.\(.\{8\}\)$/A\1/ }' \
    "$dir/later.case/case/checkpoints/$now.note" \
    >"$case/checkpoints/$now.note"
again "$case"
names+=(witness)
expect+=('the signature of tax.demo/state/w is false')
printf '%s\n' "${names[@]}" | xargs -P 2 -I{} sh -c \
    'sh "$0/forged.{}/case/verify.sh" >"$0/said.{}" 2>&1; echo $? >>"$0/said.{}"' \
    "$dir"
for i in "${!names[@]}"; do
	grep -v '^  ok' "$dir/said.${names[$i]}" >"$dir/out"
	: >"$dir/err"
	[ "$(tail -n 2 "$dir/out" | tr '\n' ' ')" = \
	    'This folder does not prove what it says. 1 ' ]
	result $? "forged ${names[$i]}: it fails"
	says "${expect[$i]}" "forged ${names[$i]}: and says where"
done

echo "1..$n"
