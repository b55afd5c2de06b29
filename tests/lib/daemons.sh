# tests/lib/port.sh -- free_port, for bash: one that nobody listens on, below
# those that the system gives to connections.  Called as $(free_port) it goes
# by that subshell's number, so tests side by side get different ones.
#
# shellcheck shell=bash

free_port() {
	local port=$((20000 + BASHPID % 12000))

	while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
		port=$((port + 1))
	done
	echo "$port"
}
