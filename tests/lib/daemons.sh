# tests/lib/daemons.sh -- for tests, in bash, that start daemons: free_port, nap.
#
# shellcheck shell=bash

# One that nobody listens on, below those that the system gives to connections.
# Called as $(free_port) it goes by that subshell's number, so tests side by
# side get different ones.
free_port() {
	local port=$((20000 + BASHPID % 12000))

	while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
		port=$((port + 1))
	done
	echo "$port"
}

# nap SECONDS: between two looks, and no process for it: where all wait for a
# processor, those would be what they wait for.
exec {nap_fd}<> <(:)
nap() {
	read -r -t "$1" -u "$nap_fd" || :
}
