#!/bin/sh
# The published vectors are what our keys make, and openssl and a page of
# Python say of each what its index says.
set -u
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
tab=$(printf '\t')

n=0
result() { # ok or not ok, name
	n=$((n + 1))
	echo "$1 $n - $2"
}

mkdir "$dir/cosignature" "$dir/policy"
"$HT_BUILD/prog/vectors" "$dir"
if { diff -r tests/vectors/cosignature "$dir/cosignature" &&
	diff -r tests/vectors/policy "$dir/policy"; } >"$dir.said" 2>&1; then
	result ok "the vectors are made again, byte for byte"
else
	result "not ok" "the vectors are made again, byte for byte"
	sed 's/^/# /' "$dir.said"
fi
rm -f "$dir.said"

# Others' word on the files is the same, whatever the compiler was told.
case $HT_BUILD in */san-*)
	echo "1..$n"
	exit 0
	;;
esac
rows=0
while IFS=$tab read -r name want _ vkey why; do
	rows=$((rows + 1))
	said=$(tests/lib/check-note "tests/vectors/cosignature/$name.note" \
		"$vkey" 2>&1)
	case $? in
	0) got=valid ;;
	1) case $said in *"is false") got=false ;; *) got=absent ;; esac ;;
	*) got=$said ;;
	esac
	if [ "$got" = "$want" ]; then
		result ok "cosignature $name: $want: $why"
	else
		result "not ok" "cosignature $name: $why: $got, not $want"
	fi
done <tests/vectors/cosignature/index.tsv

while IFS=$tab read -r name note _; do
	[ "$note" = - ] && note= || note=tests/vectors/policy/$note.note
	echo "tests/vectors/policy/$name.policy $note"
done <tests/vectors/policy/index.tsv | tests/lib/check-policy - >"$dir/said" 2>&1
exec 3<"$dir/said"
while IFS=$tab read -r name note want why; do
	rows=$((rows + 1))
	read -r got <&3 || got=nothing
	if [ "$got" = "$want" ]; then
		result ok "policy $name $note: $want: $why"
	else
		result "not ok" "policy $name $note: $why: $got, not $want"
	fi
done <tests/vectors/policy/index.tsv

if [ "$rows" -ge 80 ]; then
	result ok "$rows vectors were looked at"
else
	result "not ok" "only $rows vectors were looked at"
fi
echo "1..$n"
