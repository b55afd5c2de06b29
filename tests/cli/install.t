#!/bin/sh
# make install puts everything where a packager expects it, and no further.
set -u
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
variant=${HT_BUILD##*/}
san=
case $variant in
san-*)
	set -- "SAN=$(echo "${variant#san-}" | tr - ,)"
	san=-fsanitize=${1#SAN=}
	;;
cov)
	set -- VARIANT=cov
	san=--coverage
	;;
*) set -- "VARIANT=$variant" ;;
esac

n=0
ok() { # name, command...
	n=$((n + 1))
	name=$1
	shift
	if "$@" >"$dir/out" 2>&1; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' "$dir/out"
	fi
}
is_executable() { [ -f "$1" ] && [ -x "$1" ]; }
is_readable() { [ "$(stat -c %a "$1")" = 644 ]; }
nothing_outside() {
	! find "$dir/dest" -type f ! -path "$dir/dest/usr/*" | grep .
}
flags() {
	PKG_CONFIG_PATH=$dir/dest/usr/lib/pkgconfig pkg-config \
		"--define-variable=prefix=$dir/dest/usr" "$@" hutong
}
# A program that knows nothing but pkg-config's answer.
program_builds() {
	printf '%s\n' '#include <hutong.h>' '#include <stdio.h>' \
		'int main(void) { return puts(ht_err_text(HT_OK)) < 0; }' \
		>"$dir/program.c"
	# shellcheck disable=SC2046,SC2086
	${CC:-cc} -std=gnu17 -Wall -Wextra -Werror $san $(flags --cflags) \
		-o "$dir/program" "$dir/program.c" $(flags --libs) &&
		[ "$("$dir/program")" = success ]
}

ok 'make install succeeds' env MAKEFLAGS= \
	make "$@" install "DESTDIR=$dir/dest" PREFIX=/usr
for program in hutong hutong-audit; do
	[ -f "$HT_BUILD/$program" ] || continue
	ok "bin/$program" is_executable "$dir/dest/usr/bin/$program"
done
for program in hutong-broker hutong-adapter; do
	[ -f "$HT_BUILD/$program" ] || continue
	ok "sbin/$program" is_executable "$dir/dest/usr/sbin/$program"
done
ok 'lib/libhutong.a' is_readable "$dir/dest/usr/lib/libhutong.a"
if [ -f adapters/hutong.h ]; then
	ok 'include/hutong/hutong.h' \
		is_readable "$dir/dest/usr/include/hutong/hutong.h"
	ok 'a program builds with it' program_builds
fi
for page in docs/man/*.[1-8]; do
	[ -f "$page" ] || continue
	ok "man page ${page##*/}" is_readable \
		"$dir/dest/usr/share/man/man${page##*.}/${page##*/}"
done
ok 'nothing outside the prefix' nothing_outside
echo "1..$n"
