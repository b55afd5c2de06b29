#!/bin/bash
# An adapter whose disk is full: it refuses, says which disk, and goes on when
# there is room; also when it is killed, and started, meanwhile.
#
# shellcheck disable=SC1091,SC2154,SC2181
set -u
# A disk of our own, in a namespace of our own: gone when the test is.
if [ -z "${may_mount+x}" ] && unshare -rm true 2>/dev/null; then
	may_mount=yes exec unshare -rm "$0" "$@"
fi
. "$(dirname "$0")/world.sh"
make_world
small=$dir/small
mkdir "$small"
if [ -z "${may_mount:-}" ] ||
	! mount -t tmpfs -o size=24m none "$small" 2>/dev/null; then
	echo "1..0 # SKIP a small disk cannot be mounted here"
	exit 0
fi
sed -i "s|^state: .*|state: $small/state|" "$dir/registry.yaml"
serving() {
	serves 1 && good
}
refused() {
	! good && grep -q DISK_FULL "$dir/out" "$dir/err"
}
said() { # words, how often
	[ "$(grep -c "$1" "$dir/registry.log")" -eq "$2" ]
}

start_broker
adapter registry.yaml
within 20 serving
result $? "an adapter on a small disk serves"
dd if=/dev/zero of="$small/fill" bs=64k 2>/dev/null
[ "$(df --output=avail -k "$small" | tail -n 1)" -eq 0 ]
result $? "then somebody leaves no byte of it"
within 30 refused
result $? "when it would have to grow, it refuses"
run 1 "the provider's operator has been told" "the asker reads what to do" good
said "disk of the state folder $small/state is full" 1
result $? "and the operator, which disk it is, once"
kill -0 "$adapter"
result $? "the adapter is the same process"
kill -9 "$adapter"
wait "$adapter" 2>/dev/null
adapter registry.yaml
within 20 serves 1 && within 10 refused
result $? "after kill -9 it starts on the full disk, and refuses"
rm "$small/fill"
within 10 serving
result $? "with room again it goes on by itself"
said 'has room again' 1
result $? "and says so"
kill -TERM "$adapter"
wait "$adapter"
result $? "it ends in order"
stop_broker
log_is_intact
echo "1..$n"
