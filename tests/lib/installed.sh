# installed.sh -- what `make install` gives, for the variant in HT_BUILD, and a
# compiler that knows no more of it than pkg-config says.  Sourced.
#
# shellcheck shell=sh

: "${HT_BUILD:?HT_BUILD names the folder with the programs}"
installed_san=
case ${HT_BUILD##*/} in
san-*)
	installed_how=SAN=$(echo "${HT_BUILD##*/san-}" | tr - ,)
	installed_san=-fsanitize=${installed_how#SAN=}
	;;
cov)
	installed_how=VARIANT=cov
	installed_san=--coverage
	;;
*) installed_how=VARIANT=${HT_BUILD##*/} ;;
esac

installed_into() { # folder: DESTDIR, with PREFIX=/usr
	MAKEFLAGS='' make "$installed_how" install "DESTDIR=$1" PREFIX=/usr
}
installed_flags() { # folder, what to ask
	PKG_CONFIG_PATH=$1/usr/lib/pkgconfig pkg-config \
		"--define-variable=prefix=$1/usr" "$2" hutong
}
installed_cc() { # folder, source, program, more flags
	installed_at=$1 installed_from=$2 installed_to=$3
	shift 3
	# shellcheck disable=SC2046,SC2086
	${CC:-cc} -std=gnu17 -Wall -Wextra -Werror $installed_san "$@" \
		$(installed_flags "$installed_at" --cflags) \
		-o "$installed_to" "$installed_from" \
		$(installed_flags "$installed_at" --libs)
}
