#!/bin/bash
# tests/crash/crash.t -- power cuts, failing calls and kill -9, in half a
# minute; `make crash` is the same at length.  See README.md beside this.
set -u
cd "$(dirname "$0")/../.." || exit 1
here=tests/crash
case $HT_BUILD in
*san-*)
	echo '1..0 # SKIP the recorder stands where a sanitizer must stand first'
	exit 0
	;;
esac
if ! /usr/bin/python3 -c 'import lmdb, nacl, msgpack' 2>/dev/null; then
	echo '1..0 # SKIP python3-lmdb, python3-nacl or python3-msgpack is missing'
	exit 0
fi
n=0
holds() { # WHAT COMMAND...: it ends with 0; what it says is shown
	local what=$1 out
	shift
	n=$((n + 1))
	if out=$("$here/$1" "${@:2}" 2>&1); then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
	fi
	printf '%s\n' "$out" | sed 's/^/# /'
}

holds 'no power cut takes what the log gave out' \
    powercut --seed 1 --steps 10 --limit 750
holds 'nor one in what was left by another' \
    powercut --seed 2 --steps 5 --limit 200 --again 2
holds 'nor what a broker told its nodes' \
    powercut --broker --seed 3 --steps 3 --limit 300
holds 'nor one after the index could not be synced at a stop' \
    powercut --fault fdatasync@index:eio:1 --seed 1 --steps 3 --limit 150 \
    --every 0

# A harness that never failed has proved nothing.
for control in early anchor-early nosync lying vault-unsynced \
    names-unsynced index-row; do
	holds "caught: $control" \
	    powercut --control "$control" --seed 4 --steps 4 --limit 60 --show 1
done

# A life with two volumes closed in it.
holds 'no power cut takes a volume that is being closed' \
    powercut --seed 11 --steps 12 --limit 150 --every 20
for control in volume-unnamed volume-unsynced; do
	holds "caught: $control" \
	    powercut --control "$control" --seed 11 --steps 12 --limit 60 --show 1
done

# Backups beside a life with volumes and erasures: cut, restored, gone on with.
holds 'a backup that is cut is restored, or refused in words' \
    powercut --backup --seed 12 --steps 12 --limit 70 --every 20
holds 'caught: a backup that is not synced' \
    powercut --backup --control nosync --seed 1 --steps 6 --limit 30 --every 0 \
    --show 1

holds 'the log stops at the first call that fails, and is whole' \
    faults --seed 5 --limit 90
holds 'so does the broker' faults --broker --seed 6 --steps 2 --limit 4
holds 'a bit that flips on its way is refused' faults --flip
holds 'caught: no read-back' faults --flip --blind
holds 'kill -9 takes nothing that a node was told, nor a volume' \
    kill --seed 7 --loops 5
echo "1..$n"
