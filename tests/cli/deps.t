#!/bin/bash
# tests/deps, on machines played by a folder of stand-ins for dpkg and apt.
set -u
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
mkdir "$dir/bin"
for tool in sh sed grep env echo printf cat; do
	ln -s "$(command -v $tool)" "$dir/bin/$tool"
done

stand_in() { # name, script
	printf '#!/bin/sh\n%s\n' "$2" >"$dir/bin/$1"
	chmod +x "$dir/bin/$1"
}
# Installed packages stand in a file; apt-get adds to it what it is asked for.
cat >"$dir/dpkg-query" <<'EOF'
[ "$1" = -W ] && shift 2
status=0
case $* in
*' libsodium23') cat "$HERE/sodium"; exit 0 ;;
esac
for name; do
	case $name in -f | '${'*) continue ;; esac
	if grep -qx "$name" "$HERE/installed"; then
		echo "ii |$name"
	else
		status=1
	fi
done
exit $status
EOF
cat >"$dir/apt-get" <<'EOF'
echo "$*" >>"$HERE/asked"
[ ! -f "$HERE/broken" ] || exit 100
for name; do
	case $name in -* | install | update) ;; *) echo "$name" >>"$HERE/installed" ;; esac
done
EOF
stand_in dpkg-query "HERE=$dir; $(cat "$dir/dpkg-query")"
stand_in apt-get "HERE=$dir; $(cat "$dir/apt-get")"
stand_in dpkg "exec $(command -v dpkg) \"\$@\""
stand_in id 'echo 0'

new_machine() {
	rm -f "$dir/asked" "$dir/broken" "$dir/bin/sudo"
	: >"$dir/installed"
	printf '1.0.18-1+deb12u1' >"$dir/sodium"
	stand_in id 'echo 0'
}
deps() {
	env -i "PATH=$dir/bin" tests/deps "$@" >"$dir/out" 2>&1
}
check() { # name, and the status of what came before
	[ "$2" = 0 ] || cat "$dir/asked" >>"$dir/out" 2>/dev/null
	result "$2" "$1"
}

new_machine
deps build
check 'a bare machine gets its packages' $?
grep -q '^-q -y .*install --no-install-recommends gcc .*libsmartcols-dev' \
	"$dir/asked"
check 'without recommended ones, and with no question' $?
rm "$dir/asked"
deps build
check 'a second time' $?
[ ! -s "$dir/out" ] && [ ! -f "$dir/asked" ]
check 'is silent, and asks for nothing' $?
deps build demo test && grep -q 'install.* unixodbc .*libcmocka-dev' "$dir/asked"
check 'a larger set gets the rest' $?

deps databases && grep -q 'install.* odbc-postgresql .*odbc-mariadb' \
	"$dir/asked" && grep -q 'make test-databases' "$dir/out"
check 'database servers are a set of their own, which says what it is for' $?

new_machine
stand_in id 'echo 1000'
deps build
[ $? = 1 ] && grep -q 'neither root nor have sudo' "$dir/out" &&
	grep -q 'apt-get install .*libzmq3-dev' "$dir/out"
check 'without root and sudo the packages are named' $?
[ ! -f "$dir/asked" ]
check 'and apt-get is not tried' $?

new_machine
stand_in id 'echo 1000'
stand_in sudo "echo sudo >>$dir/sudo.log; exec \"\$@\""
deps build && [ "$(wc -l <"$dir/sudo.log")" = 2 ]
check 'sudo is used when not root' $?

new_machine
: >"$dir/broken"
deps build
[ $? = 1 ] && grep -q 'as root, run: .* && apt-get install' "$dir/out"
check 'a failing apt-get ends in what to do' $?

new_machine
deps build
printf '1.0.18-1' >"$dir/sodium"
rm -f "$dir/asked"
deps build
[ $? = 1 ] && grep -q 'CVE-2025-69277' "$dir/out" &&
	grep -q 'install.* libsodium23' "$dir/asked"
check 'an old libsodium is renewed, or refused' $?

new_machine
rm "$dir/bin/dpkg-query"
deps build && grep -q "no Debian system.*nothing" "$dir/out"
check 'elsewhere the names are told, and the build may go on' $?

deps nonsense
[ $? = 2 ]
check 'an unknown set is a mistake' $?
echo "1..$n"
