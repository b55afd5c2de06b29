#!/bin/sh
# Each check of tests/lint is one test.
cd "$(dirname "$0")" || exit 1
set -- boundaries secrets scripts commands cleanups format manual cppcheck
echo "1..$#"
n=0
for check; do
	n=$((n + 1))
	if out=$(./"$check" 2>&1); then
		echo "ok $n - $check"
	else
		echo "not ok $n - $check"
		printf '%s\n' "$out" | sed 's/^/# /'
	fi
done
