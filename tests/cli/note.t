#!/bin/sh
# Notes that we sign are checked by openssl and coreutils, and the other way
# round; what one refuses, the other refuses.
set -u
note=$HT_BUILD/prog/note
check=tests/lib/check-note
one=0101010101010101010101010101010101010101010101010101010101010101
two=0202020202020202020202020202020202020202020202020202020202020202
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

n=0
result() { # ok or not ok, name
	n=$((n + 1))
	echo "$1 $n - $2"
}
yes() { # name, note file, vkey: both say yes
	if "$check" "$2" "$3" 2>"$dir/said" &&
		"$note" check "$3" <"$2" 2>>"$dir/said"; then
		result ok "$1"
	else
		result "not ok" "$1"
		sed 's/^/# /' "$dir/said"
	fi
}
no() { # name, note file, vkey: both say no
	if "$check" "$2" "$3" 2>"$dir/said"; then
		result "not ok" "$1: openssl accepts it"
	elif "$note" check "$3" <"$2" 2>"$dir/said"; then
		result "not ok" "$1: we accept it"
	else
		result ok "$1"
	fi
}

wang=$("$note" vkey $one scjg.demo/registry/wang)
li=$("$note" vkey $two scjg.demo/registry/li)

printf 'hutong: grant/v1\nprovider: scjg.demo/registry\n\nnote: 共享\n' \
	>"$dir/text"
"$note" sign $one scjg.demo/registry/wang <"$dir/text" >"$dir/one"
yes "one officer" "$dir/one" "$wang"
no "who did not sign" "$dir/one" "$li"
"$note" add $two scjg.demo/registry/li <"$dir/one" >"$dir/both"
yes "the first of two officers" "$dir/both" "$wang"
yes "the second" "$dir/both" "$li"

sed 's/grant/grand/' "$dir/both" >"$dir/bent"
no "a changed letter" "$dir/bent" "$wang"
no "for either" "$dir/bent" "$li"
sed 's/registry\/li /registry\/wang /' "$dir/both" >"$dir/bent"
no "a line under another name" "$dir/bent" "$li"
{ cat "$dir/text" "$dir/text" && tail -n 3 "$dir/both"; } >"$dir/bent"
no "signatures moved below another text" "$dir/bent" "$wang"
head -n 3 "$dir/text" >"$dir/bent"
no "a text without signatures" "$dir/bent" "$wang"
no "a vkey under another name" "$dir/one" "x${wang#s}"
no "a vkey with another id" "$dir/one" "${wang%%+*}+00000000+${wang##*+}"
no "no vkey" "$dir/one" "wang"

# A note that nobody here made: C2SP's example.
foo=example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k
cat >"$dir/foo" <<'END'
This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
END
yes "the example of the specification" "$dir/foo" "$foo"
echo "1..$n"
