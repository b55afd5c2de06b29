#!/bin/bash
# tests/cli/proof-vectors.t -- the published vectors are what our code makes;
# our tool, and Python that shares no code with it, say of each what its index
# says.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
audit=$HT_BUILD/hutong-audit
kinds='leaf tlog-proof consistency'
rows=0

mkdir "$dir/made"
for kind in $kinds; do
	mkdir "$dir/made/$kind"
done
"$HT_BUILD/prog/proof-vectors" "$dir/made"
for kind in $kinds; do
	run 0 "$kind: made again, byte for byte" \
	    diff -r "tests/vectors/$kind" "$dir/made/$kind"
done

# Python's word on the files is the same, whatever the compiler was told.
case $HT_BUILD in */san-*) others=no ;; *) others=yes ;; esac
theirs() { # as run
	[ $others = no ] || run "$@"
}
status() { # ok or bad
	[ "$1" = ok ] && echo 0 || echo 4
}
while IFS=$'\t' read -r name want hash why; do
	rows=$((rows + 1))
	theirs "$(status "$want")" "leaf $name: $want: $why" \
	    tests/lib/check-leaf "tests/vectors/leaf/$name.leaf"
	[ "$want" = bad ] || [ $others = no ] || says "$hash" 'and its hash'
done <tests/vectors/leaf/index.tsv

while IFS=$'\t' read -r name want vkey why; do
	rows=$((rows + 1))
	file=tests/vectors/tlog-proof/$name.tlog-proof
	run "$(status "$want")" "tlog-proof $name: $want: $why" \
	    "$audit" verify "$file" --vkey "$vkey"
	theirs "$(status "$want")" 'and so says Python' \
	    tests/lib/check-proof "$file" "$vkey"
done <tests/vectors/tlog-proof/index.tsv

while IFS=$'\t' read -r name want vkey why; do
	rows=$((rows + 1))
	file=tests/vectors/consistency/$name
	run "$(status "$want")" "consistency $name: $want: $why" \
	    "$audit" consistency "$file.note" "$file.consistency" --vkey "$vkey"
	theirs "$(status "$want")" 'and so says Python' tests/lib/check-consistency \
	    "$file.note" "$file.consistency" "$vkey"
done <tests/vectors/consistency/index.tsv

[ "$rows" -ge 40 ]
result $? "$rows vectors were looked at"
echo "1..$n"
