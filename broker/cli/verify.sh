#!/bin/sh
# verify.sh [SHA256-OF-A-ROOT ...] -- does this folder prove what it says?
#
# It needs a Debian (12 or later) with openssl and coreutils, and no program of
# those whose word is in question: read it, it is the whole argument.  What a
# file says of itself counts for nothing here; what counts is what was signed,
# and what was hashed into what was signed (docs/proofs.md, "A case").
#
# Everything rests on the root note: the public keys of the officers, and of
# the log.  Ask the authority, or read in its gazette, the SHA-256 of its root
# note, and give it as an argument.
#
# 0: it proves what is said below.  1: it does not; the last line says why.
# 2: it cannot be run here.
set -efu
export LC_ALL=C
nl='
'
blank=" $nl"
IFS=$blank
cd -- "$(dirname -- "$0")"
for tool in openssl sha256sum b2sum base64 od tr head tail date cat wc cp \
    mktemp; do
	command -v $tool >/dev/null && continue
	echo "verify.sh: $tool is missing: apt install openssl coreutils" >&2
	exit 2
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

part() { printf '\n%s\n' "$*"; }
yes() { printf '  ok      %s\n' "$*"; }
tell() { printf '          %s\n' "$*"; }
unsure=
unchecked() {
	printf '  OPEN    %s\n' "$*"
	unsure=yes
}
no() {
	printf 'FAILED    %s\n' "$*"
	printf '\nThis folder does not prove what it says.\n'
	exit 1
}
have() { [ -f "$1" ] || no "the file $1 is missing"; }

# ---- bytes: hexadecimal in variables, binary in files ----

# hex: of standard input, to standard output
hex() {
	h=
	for byte in $(od -An -v -tx1); do h=$h$byte; done
	printf %s "$h"
}
# unhex HEX: those bytes, to standard output
unhex() {
	todo=$1 escaped=
	while [ -n "$todo" ]; do
		c=$((0x${todo%"${todo#??}"})) todo=${todo#??}
		escaped=$escaped\\$((c >> 6))$((c >> 3 & 7))$((c & 7))
	done
	printf "$escaped"
}
# text_of HEX: the same without what a terminal might obey, in $S
text_of() {
	todo=$1 escaped=
	while [ -n "$todo" ]; do
		c=$((0x${todo%"${todo#??}"})) todo=${todo#??}
		[ $c -ge 32 ] && [ $c -ne 127 ] || continue
		escaped=$escaped\\$((c >> 6))$((c >> 3 & 7))$((c & 7))
	done
	S=$(printf "$escaped")
}
is_hash() { case $1 in *[!0-9a-f]*) return 1 ;; esac && [ ${#1} -eq 64 ]; }
# unbase TEXT: to $work/raw
unbase() {
	printf %s "$1" | base64 -d >"$work/raw" 2>"$work/answer"
}
# Sums of standard input; node LEFT RIGHT: of two hashes, into $D
sha() {
	D=$(sha256sum)
	printf %s "${D%% *}"
}
blake() {
	D=$(b2sum -l 256)
	printf %s "${D%% *}"
}
node() {
	D=$({ printf '\001' && unhex "$1$2"; } | sha256sum)
	D=${D%% *}
}

# take N: the next N bytes of $rest, into $H
take() {
	H=
	n=$1
	[ ${#rest} -ge $((2 * n)) ] || no "$what is cut short"
	while [ "$n" -gt 0 ]; do
		H=$H${rest%"${rest#??}"}
		rest=${rest#??}
		n=$((n - 1))
	done
}
number() { # N: bytes, big-endian, into $N
	take "$1"
	N=$((0x$H))
}

# value: the next of strict msgpack: $T is its type; $V a number, hex, or how
# many values follow
value() {
	take 1
	B=$H V=
	case $B in
	[0-7]?) T=int V=$((0x$B)) ;;
	8?) T=map V=$((0x$B & 15)) ;;
	9?) T=array V=$((0x$B & 15)) ;;
	[ab]?)
		T=str
		take $((0x$B & 31))
		V=$H
		;;
	c0) T=nil ;;
	c2) T=bool V=false ;;
	c3) T=bool V=true ;;
	c4 | c5 | d9 | da | db)
		case $B in c?) T=bin ;; *) T=str ;; esac
		case $B in c4 | d9) number 1 ;; c5 | da) number 2 ;; *) number 4 ;; esac
		take "$N"
		V=$H
		;;
	cb)
		T=float
		take 8
		V=$H
		;;
	cc | cd | ce | cf)
		T=int
		case $B in cc) number 1 ;; cd) number 2 ;; ce) number 4 ;; *) number 8 ;; esac
		V=$N
		;;
	d0) T=int && number 1 && V=$((N - 256)) ;;
	d1) T=int && number 2 && V=$((N - 65536)) ;;
	d2) T=int && number 4 && V=$((N - 4294967296)) ;;
	d3) T=int && number 8 && V=$N ;;
	e? | f?) T=int V=$((0x$B - 256)) ;;
	dc | dd | de | df)
		case $B in dc | dd) T=array ;; *) T=map ;; esac
		case $B in dc | de) number 2 ;; *) number 4 ;; esac
		V=$N
		;;
	*) no "$what holds a byte $B that this format has not" ;;
	esac
}
want() { # TYPE [VALUE]
	value
	[ "$T" = "$1" ] && [ "$V" = "${2-$V}" ] || no "$what has another form"
}
string() { # the next value as text, into $S
	want str
	text_of "$V"
}

# ---- a path in a tree: RFC 9162, 2.1.3.2 ----

# climb HASH INDEX COUNT PATH: by the hashes of PATH to a root, in $R
climb() {
	R=$1 fn=$2 sn=$(($3 - 1))
	[ "$fn" -le "$sn" ] || no "$what: there is no place $fn in a tree of $3"
	for p in $4; do
		is_hash "$p" || no "$what: a hash of its path is not well formed"
		[ "$sn" -gt 0 ] || no "$what: its path is too long"
		if [ $((fn & 1)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
			node "$p" "$R"
			while [ $((fn & 1)) -eq 0 ] && [ "$fn" -gt 0 ]; do
				fn=$((fn >> 1)) sn=$((sn >> 1))
			done
		else
			node "$R" "$p"
		fi
		R=$D fn=$((fn >> 1)) sn=$((sn >> 1))
	done
	[ "$sn" -eq 0 ] || no "$what: its path is too short"
}

# ---- signed notes ----

# note FILE: the signed text to $work/text, its words to $WORDS, the signature
# lines to $LINES; $TEXT is the SHA-256 of the text
note() {
	have "$1"
	LINES=$(cat "$1")
	case $LINES in
	?*"$nl$nl"*) ;;
	*) no "$1 is not signed" ;;
	esac
	WORDS=${LINES%"$nl$nl"*} LINES=${LINES##*"$nl$nl"}
	printf '%s\n' "$WORDS" >"$work/text"
	TEXT=$(sha <"$work/text")
	WORDS=$(tr "[]{},\"'" '       ' <"$work/text")
}

# field KEY: the words below it at the top of the text, in $F
field() {
	F='' inside=
	IFS=$nl
	for line in $WORDS; do
		case $line in
		"$1:"*) inside=yes line=${line#*:} ;;
		[!\ -]*) inside= ;;
		esac
		[ -n "$inside" ] || continue
		IFS=' '
		for word in $line; do
			case $word in
			'#'*) break ;;
			-) ;;
			*) F="$F $word" ;;
			esac
		done
	done
	IFS=$blank F=${F# }
}
# one KEY: exactly one word, in $F
one() {
	field "$1"
	case $F in '' | *' '*) no "$what does not say its $1" ;; esac
}
says() { # KEY WORD
	one "$1"
	[ "$F" = "$2" ] || no "$what says $1 $F, where it must be $2"
}

# der HEX FILE: a key of 32 bytes as openssl wants it, 12 fixed bytes
# (RFC 8410) before it
der() { unhex "302a300506032b6570032100$1" >"$2"; }
# ed25519 DER: over $work/said; the signature is in $work/sig
ed25519() {
	openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$1" \
	    -in "$work/said" -sigfile "$work/sig" >"$work/answer" 2>&1
}

# vkey NAME+ID+BASE64: $name, $id, and the key in $der; its type is in its name
vkey() {
	name=${1%%+*} id=${1#*+}
	key64=${id#*+} id=${id%%+*}
	case $id in *[!0-9a-f]*) no "$what has a key that is none: $1" ;; esac
	for der in "$work/key.01.$id" "$work/key.04.$id"; do
		[ ! -f "$der" ] || [ "$(cat "$der.vkey")" != "$1" ] || return 0
	done
	unbase "$key64" || no "$what has a key that is none: $1"
	[ "$({ printf '%s\n' "$name" && cat "$work/raw"; } | sha | head -c 8)" \
	    = "$id" ] || no "$what has a key whose id is not its own: $1"
	rest=$(hex <"$work/raw")
	[ ${#rest} -eq 66 ] || no "$what has a key that is none: $1"
	take 1
	der=$work/key.$H.$id
	der "$rest" "$der"
	printf %s "$1" >"$der.vkey"
}
# make_vkey NAME BASE64-OF-32-BYTES: the same of a bare key, in $K
make_vkey() {
	unbase "$2" || no "$what has a key that is none: $2"
	{ printf '\001' && cat "$work/raw"; } >"$work/typed"
	K=$1+$({ printf '%s\n' "$1" && cat "$work/typed"; } | sha |
	    head -c 8)+$(base64 -w0 <"$work/typed")
}

# by VKEY: did it sign the note at hand?  A false line of its ends everything;
# $seconds is when, of a witness's.
by() {
	signed=1 seconds=0
	case $nl$LINES in *"$nl— ${1%%+*} "*) ;; *) return 1 ;; esac
	vkey "$1"
	IFS=$nl
	for line in $LINES; do
		IFS=$blank
		case $line in "— $name "*) ;; *) continue ;; esac
		unbase "${line##* }" || no "$what: a signature is not well formed"
		rest=$(hex <"$work/raw")
		take 4
		[ "$H" = "$id" ] || continue
		cp "$work/text" "$work/said"
		if [ "${der##*/key.04*}" = '' ]; then
			number 8
			seconds=$N
			printf 'cosignature/v1\ntime %s\n' "$seconds" |
			    cat - "$work/text" >"$work/said"
		fi
		unhex "$rest" >"$work/sig"
		ed25519 "$der" || no "$what: the signature of $name is false"
		signed=0
	done
	IFS=$blank
	return $signed
}
# count VKEY...: how many of them signed, in $C, and who, in $who_all
count() {
	C=0 who_all=
	for key in "$@"; do
		by "$key" || continue
		C=$((C + 1)) who_all="$who_all $name"
	done
}

# ---- 1. whom you believe ----

part '1. The authority: whose signatures count'
what='the root note'
note root.note
root=$TEXT
[ "$(head -n 1 "$work/text")" = 'hutong: root/v1' ] || no "$what is none"
one threshold && threshold=$F
one log && log=$F
one snapshot && snapshot_key=$F
field officers && officers=$F
field auditors && auditors=$F
field witnesses && witnesses=$F
field quorum && quorum=${F:-2}
case $threshold in '' | 0 | *[!0-9]*) no "$what has no threshold" ;; esac
count $officers
[ "$C" -ge "$threshold" ] || no "only $C of the officers that $what names" \
    "have signed it, and it demands $threshold"
yes "$what is signed by $C of its officers ($threshold must):$who_all"
confirmed=
for given in "$@"; do
	[ "$given" != "$root" ] || confirmed=yes
done
if [ -n "$confirmed" ]; then
	yes "it is the root that you named: $root"
elif [ $# -gt 0 ]; then
	no "it is not the root that you named: its SHA-256 is $root"
else
	unchecked "is it the authority's?  Compare with what the authority" \
	    "publishes: SHA-256 $root"
fi

# ---- 2. what is in the folder ----

part '2. The folder'
what='case.note'
have case.note
if [ "$(tail -n 1 case.note | head -c 4)" = '— ' ]; then
	note case.note
	for key in $auditors; do
		by "$key" || continue
		yes "the auditor $name signed the list of its files"
		C=signed
	done
	[ "$C" = signed ] || no "no auditor of the root signed case.note"
else
	cp case.note "$work/text"
	WORDS=$(cat case.note)
	unchecked "nobody signed for the folder as a whole; what is in it is" \
	    "proven piece by piece below"
fi
[ "$(head -n 1 "$work/text")" = 'hutong-case/v1' ] || no "$what is none"
field entries && entries=$F
[ -n "$entries" ] || no 'it holds no entry'
field checkpoints && checkpoints=$F
field snapshots && snapshots=$F
one files
have files.sha256
[ "$(sha <files.sha256)" = "$F" ] ||
    no 'files.sha256 is not the list that case.note means'
sha256sum --check --strict --quiet files.sha256 >"$work/answer" 2>&1 ||
    no "a file was changed after the case was made, or is missing:" \
        "$(head -n 1 "$work/answer")"
yes 'every file is the one that was put here (SHA-256)'
tell "entries $entries of the log ${log%%+*}"

# ---- 3. checkpoints ----

part '3. The log: what its checkpoints bind'
for size in $checkpoints; do
	what="the checkpoint of $size entries"
	note "checkpoints/$size.note"
	{
		IFS= read -r origin
		IFS= read -r says_size
		IFS= read -r says_root
	} <"$work/text" || no "$what is cut short"
	[ "$origin" = "${log%%+*}" ] || no "$what is of another log: $origin"
	[ "$says_size" = "$size" ] || no "$what says that it is of $says_size"
	unbase "$says_root" || no "$what has no root"
	hex <"$work/raw" >"$work/root.$size"
	is_hash "$(cat "$work/root.$size")" || no "$what has no root"
	by "$log" || no "$what is not signed by the log's key"
	yes "$what is signed by $name"
	tell 'so none of them can be changed, dropped or added without' \
	    'another root'
	cosigned=0
	for key in $witnesses; do
		by "$key" || continue
		cosigned=$((cosigned + 1))
		yes "the witness $name saw it at $(date -u -d "@$seconds" \
		    +%Y-%m-%dT%H:%M:%SZ), and that it continues what it saw before"
	done
	[ -z "$witnesses" ] || [ "$cosigned" -ge "$quorum" ] ||
	    unchecked "$cosigned witnesses cosigned it, and $quorum are asked" \
	        "for: that nobody was shown another log rests on the log's key"
done

# ---- 4. trust documents ----

# in_snapshot DIR FILE KIND NAME: its text stands in the snapshot's list
in_snapshot() {
	have "$1/$2.path"
	one revision
	path=$(cat "$1/$2.path")
	index=${path%%"$nl"*}
	case $index in '' | *[!0-9]*) no "$what has no place in the list" ;; esac
	climb "$({ printf '\000%s %s %s %s' "$3" "$4" "$F" "$TEXT"; } | sha)" \
	    "$index" "$list_count" "${path#"$index"}"
	[ "$R" = "$list_root" ] || no "$what is not in the list of snapshot" \
	    "$version: it was changed, or was not in force then"
}

# k_officers: as many officers as the root of then demands
k_officers() {
	count $then_officers
	[ "$C" -ge "$then_threshold" ] || no "only $C officers of the" \
	    "authority have signed $what, and $then_threshold must"
}

# root_then DIR: the root document of a snapshot, and how it is known
root_then() {
	what="the root of snapshot $version"
	note "$1/root.note"
	then_root=$TEXT
	in_snapshot "$1" root.note root root
	one threshold && then_threshold=$F
	field officers && then_officers=$F
	if [ "$then_root" = "$root" ]; then
		yes "$what is the root of step 1, by its place in the list"
		return
	fi
	k_officers
	count $officers
	if [ "$C" -lt "$threshold" ]; then # is ours a successor of its?
		note root.note
		count $then_officers
		[ "$C" -ge "$then_threshold" ] || no "$what is another than" \
		    "that of step 1, and neither is signed by the other's officers"
	fi
	yes "$what is another than that of step 1, and the officers of one" \
	    "signed the other:$who_all"
}

# member DIR NAME: its entry in the directory, checked once
member() {
	what="the directory entry of $2"
	case $2 in /* | *..*) no "$2 is no member's name" ;; esac
	note "$1/members/$2.note"
	says member "$2"
	one identity
	make_vkey "$2" "$F"
	case $known in *" $1 $2 "*) return ;; esac
	known="$known $1 $2 "
	in_snapshot "$1" "members/$2.note" member "$2"
	k_officers
	officers_said=$who_all
	by "$K" || no "$what is not signed by its own identity key"
	yes "$what: signed by itself and by the officers:$officers_said"
}

# by_provider DIR MEMBER FILE: an officer of the provider signed it
by_provider() {
	by_what=$what
	member "$1" "$2"
	field officers
	what=$by_what
	note "$3"
	count $F
	[ "$C" -gt 0 ] || no "no officer of the provider, $2, signed $what"
}

# signed_once DIR FILE: in the list, and signed by officers and provider; who
# they are, in $who_all.  A document is checked once.
signed_once() {
	case $known in
	*" $1 $2:"*)
		who_all=${known#*" $1 $2:"}
		who_all=${who_all%%;*}
		return
		;;
	esac
	in_snapshot "$1" "$2" "$list_kind" "$list_name"
	k_officers
	said=$who_all
	by_provider "$1" "$provider" "$1/$2"
	who_all=$said$who_all
	known="$known $1 $2:$who_all;"
}

part '4. The trust documents in force then'
known=' '
for snapshot in $snapshots; do
	dir=trust/${snapshot%????????????????????????????????????????????????}
	what="the snapshot $snapshot"
	is_hash "$snapshot" || no "$what has no SHA-256 for a name"
	note "$dir/snapshot.note"
	[ "$TEXT" = "$snapshot" ] || no "$what is another text than the one" \
	    "whose hash stands in the entries"
	one version && version=$F
	one count && list_count=$F
	one root
	unbase "$F" || no "$what has no root"
	list_root=$(hex <"$work/raw")
	by "$snapshot_key" && signer=$name || signer=
	yes "snapshot $version is the text whose SHA-256 the entries name"
	root_then "$dir"
	if [ -z "$signer" ]; then
		note "$dir/root.note"
		one snapshot
		then_key=$F
		what="the snapshot $snapshot"
		note "$dir/snapshot.note"
		by "$then_key" || no "$what is not signed by the snapshot key"
	fi
	yes "snapshot $version is signed by $name"
	printf '%s\n%s\n%s\n%s\n%s\n' "$version" "$list_count" "$list_root" \
	    "$then_threshold" "$then_officers" >"$work/snapshot.$snapshot"
done

# ---- 5. entries ----

type_name() {
	case $1 in
	1) echo REQUEST ;; 2) echo RESPONSE ;; 3) echo PUSH ;; 4) echo EVENT ;;
	5) echo RECEIPT ;; 6) echo REJECT ;; 7) echo EXPIRED ;; 8) echo LATE ;;
	9) echo CONFLICT ;; 10) echo ADMIN ;; 11) echo SNAPSHOT ;;
	12) echo AUDIT_QUERY ;; 13) echo ERASE ;; 15) echo START ;;
	16) echo STOP ;; 17) echo ROLLBACK_SEEN ;; 19) echo REFUSALS ;;
	20) echo VOLUME ;;
	*) echo "type $1" ;;
	esac
}
at_time() { # MICROSECONDS
	date -u -d "@$(($1 / 1000000))" +%Y-%m-%dT%H:%M:%SZ
}
# in_period FROM UNTIL: of a key or a grant, at the entry's time
in_period() {
	[ "$(date -u -d "$1" +%s)" -le "$seconds_then" ] &&
	    [ "$seconds_then" -lt "$(date -u -d "$2" +%s)" ]
}

# The leaf's fields: docs/log-format.md.
read_leaf() {
	rest=$(hex <"$1")
	number 1 && [ "$N" -eq 1 ] || no "$what is of another version"
	number 1 && type=$N
	number 8 && [ "$N" = "$seq" ] || no "$what says that it is entry $N"
	number 8 && us=$N seconds_then=$((N / 1000000))
	take 32 && in_force=$H
	number 2 && status=$N
	number 1 && take "$N" && text_of "$H" && grant=$S
	number 8 && bundle_seq=$N
	number 2 && bundle_index=$N
	number 2 && bundle_count=$N
	number 1 && take "$N" && text_of "$H" && connected=$S
	number 1 && take "$N" && text_of "$H" && connected_node=$S
	number 8 && cites=$N
	take 20
	number 2 && payload=$rest
	[ ${#payload} -eq $((2 * N)) ] || no "$what has bytes at its end"
}

# The record's header: docs/protocol.md, 3.1.
read_header() {
	rest=$payload
	want array 2
	want array 22
	want int 1
	want int 1
	want bin && record=$V
	want bin && exchange=$V
	want int && record_kind=$V
	string && sender=$S
	string && sender_node=$S
	string && recipient=$S
	string && item=$S
	want int && item_version=$V
	want int && operation=$V
	string && purpose=$S
	string && basis=$S
	string && claimed_grant=$S
	want int && created=$V
	want int
	value && reply_to=$V
	value
	value && tag=$V
	want bin && commitment=$V
	value
	want int && answer=$V
}

check_inclusion() {
	have "$at/path"
	path=$(cat "$at/path")
	size=${path%%"$nl"*}
	path=${path#"$size"}
	[ "${size% *}" = size ] || no "$what: its path does not say of which tree"
	size=${size#* }
	case " $checkpoints " in *" $size "*) ;; *)
		no "$what: there is no checkpoint of $size entries here" ;;
	esac
	leaf=$({ printf '\000' && cat "$at/leaf"; } | sha)
	climb "$leaf" "$seq" "$size" "$path"
	[ "$R" = "$(cat "$work/root.$size")" ] || no "$what is not the one that" \
	    "was logged: its hash does not lead to the root that the log signed"
	yes "entry $seq is in the log: its hash leads to the root of the" \
	    "checkpoint of $size"
}

# A bundle: several records of one node under one signature.
check_bundle() {
	have "$at/bundle"
	have "$at/bundle.signature"
	have "$at/bundle.path"
	header_hash=$({ printf '\000' && unhex "$payload"; } | sha)
	climb "$header_hash" "$bundle_index" "$bundle_count" \
	    "$(cat "$at/bundle.path")"
	label=$(printf 'hutong-bundle/v1\n' | hex)
	rest=$(hex <"$at/bundle")
	[ "${rest#"$label"}" != "$rest" ] || no "$what: no text of a bundle"
	rest=${rest#"$label"}
	want array 6
	want int 1
	string && signer=$S
	string && signer_node=$S
	# What was refused may have been refused for just that.
	[ "$status" -ne 0 ] || [ "$signer/$signer_node" = "$sender/$sender_node" ] ||
	    no "$what: $signer, node $signer_node, signed what $sender sent"
	want bin && key_id=$V
	want int "$bundle_count"
	want bin
	[ "$V" = "$R" ] || no "$what: the record is not among those that" \
	    "$signer signed: its hash does not lead to the root in the signed text"
	yes "its record is one of the $bundle_count that the signed text binds"
}

# The node's signing key, by the directory of then: $key64 and its period.
find_key() {
	key64='' node='' section='' from='' until='' state='' since='' match=
	field nodes
	set -- $F
	while [ $# -ge 2 ]; do
		case $1 in
		node:) node=$2 section='' ;;
		signing: | transport:)
			section=$1
			shift
			continue
			;;
		key:)
			match=
			if [ "$node $section" = "$signer_node signing:" ] &&
			    unbase "$2" && [ "$({ printf \
			        'hutong-key/v1\nsigning\n' && cat "$work/raw"; } |
			        sha | head -c 16)" = "$key_id" ]; then
				match=yes key64=$2
			fi
			;;
		from:) [ -z "$match" ] || from=$2 ;;
		until:) [ -z "$match" ] || until=$2 ;;
		state:) [ -z "$match" ] || state=$2 ;;
		since:) [ -z "$match" ] || since=$2 ;;
		esac
		shift 2
	done
}

check_signature() {
	member "$dir" "$signer"
	find_key
	what="entry $seq"
	[ -n "$key64" ] || no "$what: the key $key_id that signed it is not" \
	    "one of $signer's node $signer_node, by the directory of then"
	unbase "$key64"
	der "$(hex <"$work/raw")" "$work/key"
	cp "$at/bundle" "$work/said"
	cp "$at/bundle.signature" "$work/sig"
	ed25519 "$work/key" || no "$what: the signature of $signer is false"
	yes "it is signed by $signer, node $signer_node, with the key" \
	    "$key_id of its directory entry"
	[ "$status" -eq 0 ] || return 0
	in_period "$from" "$until" || no "$what: the key was not valid then"
	[ "$state" = active ] || { [ -n "$since" ] &&
	    [ "$(date -u -d "$since" +%s)" -gt "$seconds_then" ]; } ||
	    no "$what: the key was revoked"
	yes "the key was valid then: from $from until $until"
}

# What was allowed: the catalog's entry and the grant.
check_allowed() {
	case $record_kind in
	2) provider=$sender consumer=$recipient ;;
	*) provider=$recipient consumer=$sender ;;
	esac
	what="the catalog entry $item version $item_version"
	file=items/$item@$item_version.note
	case $item$grant in *..*) no "$what is no name" ;; esac
	note "$dir/$file"
	list_kind=item list_name=$item@$item_version
	says item "$item"
	says version "$item_version"
	says provider "$provider"
	signed_once "$dir" "$file"
	yes "$what was in force, signed by:$who_all"
	what="the grant $grant"
	note "$dir/grants/$grant.note"
	list_kind=grant list_name=$grant
	says grant "$grant"
	says item "$item"
	says version "$item_version"
	says provider "$provider"
	says consumer "$consumer"
	says basis "$basis"
	says state active
	field purposes
	case " $F " in *" $purpose "*) ;; *)
		no "$what is not for the purpose $purpose" ;;
	esac
	one from && from=$F
	one until
	in_period "$from" "$F" || no "$what was not in force at that time"
	signed_once "$dir" "grants/$grant.note"
	yes "$what allowed $consumer this item for the purpose $purpose, on" \
	    "the basis $basis, signed by:$who_all"
	what="entry $seq"
}

check_reply() {
	[ -n "$reply_to" ] || no "$what answers nothing"
	if [ ! -f "$work/request.$((cites - 1))" ]; then
		unchecked "the request that it answers, entry $((cites - 1))," \
		    "is not in this folder"
		return
	fi
	[ "$(cat "$work/request.$((cites - 1))")" = "$reply_to" ] ||
	    no "$what answers another request than entry $((cites - 1))"
	yes "it answers the request of entry $((cites - 1)), by its hash"
}

check_record() {
	read_header
	what="entry $seq"
	check_bundle
	if [ "$status" -eq 0 ]; then
		[ "$sender/$sender_node" = "$connected/$connected_node" ] ||
		    no "$what: it came from $connected, node $connected_node"
	fi
	check_signature
	if [ "$status" -eq 0 ]; then
		[ "$grant" = "$claimed_grant" ] ||
		    no "$what relies on another grant than its record names"
		check_allowed
	else
		tell "status $status: it was not let through, so no grant is shown"
	fi
	case $type in
	1) printf %s "$header_hash" >"$work/request.$seq" ;;
	2 | 8) check_reply ;;
	esac
	tell "exchange $exchange, record $record, made" \
	    "$(at_time $((created * 1000)))"
	tell "$sender to $recipient: $item version $item_version, purpose" \
	    "$purpose, legal basis $basis"
	case $record_kind.$answer in
	2.1) tell 'the provider answered' ;;
	2.2) tell 'the provider refused' ;;
	2.3) tell 'the provider failed' ;;
	esac
}

# ---- what is shown of the contents ----

# print INDENT: one value of msgpack, for reading
print() {
	value
	case $T in
	map | array)
		printf '%s%s of %s\n' "$1" "$T" "$V"
		[ "$T" = array ] || V=$((2 * V))
		set -- "$1  " "$V"
		while [ "$2" -gt 0 ]; do
			print "$1"
			set -- "$1" $(($2 - 1))
		done
		;;
	str)
		text_of "$V"
		printf '%s"%s"\n' "$1" "$S"
		;;
	*) printf '%s%s\n' "$1" "${V:-nil}" ;;
	esac
}

check_opening() {
	[ "$({ printf 'hutong-content/v1\n' && cat "$at/opening"; } | blake)" \
	    = "$commitment" ] || no "$what: the content that is shown is not" \
	    "the one that $sender committed to"
	yes "the content that is shown is the one that $sender committed to:"
	what="the content of entry $seq"
	if [ "$(wc -c <"$at/opening")" -gt 4096 ]; then
		tell "it is long: read $at/opening from its 33rd byte on"
		return
	fi
	rest=$(tail -c +33 "$at/opening" | hex)
	print '            '
	what="entry $seq"
}

check_annex() {
	[ "$({ printf 'hutong-tag/v1\n' && cat "$at/tag"; } | blake)" = "$tag" ] ||
	    no "$what: its tag is not the one in its record"
	rest=$(hex <"$at/tag")
	want array 7
	want int 1
	string
	want bin
	want array
	n_subjects=$V
	while [ "$n_subjects" -gt 0 ]; do
		want bin
		n_subjects=$((n_subjects - 1))
	done
	value
	[ "$T" != array ] || { want int && want bin; }
	want bin && annex_commitment=$V
	want bin
	sealed=$(unhex "$V" | sha)
	: >"$work/parts"
	: >"$work/shown"
	while read -r word field_name salt field_value; do
		if [ "$word" = hidden ]; then
			unbase "$field_name" || no "$what: a hidden field is malformed"
			cat "$work/raw" >>"$work/parts"
			continue
		fi
		unbase "$salt" || no "$what: a salt is malformed"
		cp "$work/raw" "$work/salt"
		unbase "$field_value" || no "$what: a field's value is malformed"
		cp "$work/raw" "$work/value"
		unhex "$({
			printf ht1
			unhex "$(printf %02x ${#field_name})"
			printf %s "$field_name"
			cat "$work/salt"
			unhex "$(printf %08x "$(wc -c <"$work/value")")"
			cat "$work/value"
		} | sha)" >>"$work/parts"
		printf '%s: %s\n' "$field_name" \
		    "$(tr -d '\000-\037\177' <"$work/value")" >>"$work/shown"
	done <"$at/annex"
	[ "$({ printf ht1 && cat "$work/parts" && unhex "$sealed"; } | sha)" \
	    = "$annex_commitment" ] || no "$what: the fields of its annex that" \
	    "are shown are not those that $sender committed to"
	yes "these fields of its annex are those that $sender committed to:"
	while IFS= read -r line; do tell "  $line"; done <"$work/shown"
}

for seq in $entries; do
	case $seq in *[!0-9]*) no "$seq is no entry's number" ;; esac
	at=entries/$seq
	what="entry $seq"
	have "$at/leaf"
	read_leaf "$at/leaf"
	part "5. Entry $seq: $(type_name "$type"), logged $(at_time "$us")"
	check_inclusion
	if [ "$bundle_count" -gt 0 ]; then
		[ -f "$work/snapshot.$in_force" ] || no "$what: the snapshot" \
		    "that was in force, $in_force, is not in this folder"
		{
			read -r version
			read -r list_count
			read -r list_root
			read -r then_threshold
			read -r then_officers
		} <"$work/snapshot.$in_force"
		dir=trust/${in_force%????????????????????????????????????????????????}
		check_record
		[ ! -f "$at/opening" ] || check_opening
		[ ! -f "$at/annex" ] || check_annex
	else
		what="what entry $seq says"
		rest=$payload
		[ -z "$rest" ] || print '          '
		[ "$cites" -eq 0 ] || tell "it is about entry $((cites - 1))"
	fi
done

printf '\n'
if [ -n "$unsure" ]; then
	echo 'Everything that could be checked holds; what is marked OPEN' \
	    'above could not be.'
else
	echo 'Everything holds.'
fi
