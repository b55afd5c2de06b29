#!/bin/sh
# make install puts everything where a packager expects it, and no further.
set -u
. "${0%/*}/../lib/installed.sh"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

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
one_hutong_h() {
	[ "$(find "$dir/dest" -name hutong.h | wc -l)" -eq 1 ]
}
# A program that knows nothing but pkg-config's answer.
program_builds() {
	printf '%s\n' '#include <hutong.h>' '#include <stdio.h>' \
		'int main(void) { return puts(ht_err_text(HT_OK)) < 0; }' \
		>"$dir/program.c"
	installed_cc "$dir/dest" "$dir/program.c" "$dir/program" &&
		[ "$("$dir/program")" = success ]
}

# All of it: a binding for another language is a shared object.
shared_object_builds() {
	printf '%s\n' '#include <hutong.h>' \
		'const char *say(void); const char *say(void)' \
		'{ return ht_err_text(HT_OK); }' >"$dir/shared.c"
	whole=-Wl,--whole-archive,$dir/dest/usr/lib/libhutong.a
	installed_cc "$dir/dest" "$dir/shared.c" "$dir/shared.so" \
		-shared -fPIC "$whole,--no-whole-archive"
}

# Only make itself: nothing of this is run.
spaces_are_told() {
	mkdir "$dir/a clone" && cp Makefile "$dir/a clone" &&
		! MAKEFLAGS='' make -C "$dir/a clone" -n check >"$dir/said" 2>&1 &&
		grep -q 'has a space in it.* move the clone' "$dir/said" &&
		MAKEFLAGS='' make -C "$dir/a clone" -n clean
}
ok 'a path with a space is told at once, where scripts would stumble' \
	spaces_are_told

ok 'make install succeeds' installed_into "$dir/dest"

# What an object was made with is known: other flags make it anew, once.
made() { # flags: how often the compiler was called
	(cd "${0%/*}/../.." && MAKEFLAGS='' make VARIANT="flags-$$" "CFLAGS=$1" \
		"build/flags-$$/lib/base/err.o") | grep -c ' CC '
}
made_anew_for_other_flags() {
	said=$({ made -O0; made -O0; made -Og; } | tr '\n' ' ')
	rm -rf "${0%/*}/../../build/flags-$$"
	[ "$said" = '1 0 1 ' ]
}
ok 'other flags make objects anew' made_anew_for_other_flags
for program in hutong hutong-audit; do
	ok "bin/$program" is_executable "$dir/dest/usr/bin/$program"
done
for program in hutong-broker hutong-adapter; do
	ok "sbin/$program" is_executable "$dir/dest/usr/sbin/$program"
done
version=$(sed -n 's/^Version: //p' "$dir"/dest/usr/lib/pkgconfig/hutong.pc)
says_version() { # PROGRAM
	[ "$("$HT_BUILD/$1" --version)" = "$1 $version" ]
}
for program in hutong hutong-adapter hutong-audit hutong-broker; do
	ok "$program says its version, as pkg-config does" says_version "$program"
done
ok 'lib/libhutong.a' is_readable "$dir/dest/usr/lib/libhutong.a"
ok 'include/hutong/hutong.h' \
	is_readable "$dir/dest/usr/include/hutong/hutong.h"
ok '... and no second one' one_hutong_h
ok 'a program builds with it' program_builds
ok '... and a shared object' shared_object_builds
for page in docs/man/*.[1-8]; do
	ok "man page ${page##*/}" is_readable \
		"$dir/dest/usr/share/man/man${page##*.}/${page##*/}"
done
for program in docs/examples/*.c; do
	ok "$program builds" installed_cc "$dir/dest" \
		"$dir/dest/usr/share/doc/hutong/examples/${program##*/}" \
		"$dir/example"
done
for program in hutong hutong-adapter hutong-audit hutong-broker; do
	[ -f "$HT_BUILD/$program" ] || continue
	ok "completion of $program" is_readable \
		"$dir/dest/usr/share/bash-completion/completions/$program"
done
for file in docs/formats/*.json; do
	ok "format ${file##*/}" \
		is_readable "$dir/dest/usr/share/hutong/formats/${file##*/}"
done
ok 'nothing outside the prefix' nothing_outside
echo "1..$n"
