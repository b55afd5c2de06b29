#!/bin/bash
# The demo's data: the same for a seed, and every record that the reference
# statements make of it holds against the item's schema, without a warning.
# shellcheck disable=SC2154 # `demo-data cast` assigns them
set -u
cd "$(dirname "$0")/../.." || exit 1
prog=$HT_BUILD/prog
command -v sqlite3 >/dev/null || {
	echo "1..0 # SKIP no sqlite3 here; 'make deps' installs it"
	exit 0
}
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
fill() { # department
	"$prog/demo-data" "$1" >"$dir/$1.data" &&
		cat "tests/demo/sql/$1.sql" "$dir/$1.data" |
		sqlite3 -bail "$dir/$1.db"
}
for department in registry population land tax-state tax-local; do
	fill "$department"
	ok "$department is filled"
done
"$prog/demo-data" registry | cmp -s - "$dir/registry.data"
ok "the same seed gives the same data"
! "$prog/demo-data" --seed 7 registry | cmp -s - "$dir/registry.data"
ok "another seed gives others"

# Each key of the query $3 is asked for, as the parameter(s) $4.
served() { # code, department, keys, parameters..., at the end the count
	code=$1 department=$2 keys=$3 parameters=$4 want=$5
	statement=$(cat "tests/demo/sql/statements/$code.sql")
	sqlite3 "$dir/$department.db" "$keys" |
		while IFS='|' read -r a b c d; do
			for name in $parameters; do
				printf '.parameter set :%s "'\''%s'\''"\n' \
				    "$name" "$a"
				a=$b b=$c c=$d
			done
			printf '%s\n;\n' "$statement"
		done >"$dir/ask.sql"
	sqlite3 -json -bail "$dir/$department.db" <"$dir/ask.sql" \
	    >"$dir/rows.json" 2>"$dir/errors" || return 1
	got=$("$prog/check-records" "schemas/items/$code.yaml" \
	    <"$dir/rows.json" 2>"$dir/findings")
	status=$?
	sort "$dir/findings" | uniq -c | head -5 | sed 's/^/# /'
	echo "# $code: $got records"
	[ $status -eq 0 ] && [ "$got" -ge "$want" ]
}
served SCZTDJ registry 'SELECT UNISCID FROM ENT_BASE LIMIT 500' shxydm 500
ok "SCZTDJ"
served SCZTDJ registry "SELECT UNISCID FROM ENT_BASE WHERE REGSTATE <> 'K'" \
	shxydm 100
ok "SCZTDJ of those that ended"
served RKHY population 'SELECT sfzh, xm FROM czrk_jbxx LIMIT 300' 'gmsfhm xm' 300
ok "RKHY"
served BDCDJ land 'SELECT DISTINCT unit_no FROM bdc_case LIMIT 500' bdcdyh 500
ok "BDCDJ"
served QSZM tax-state 'SELECT nsrsbh FROM zx_qszm NATURAL JOIN dj_nsrxx' \
	shxydm 100
ok "QSZM"
served KQYSSSX tax-state 'SELECT nsrsbh FROM kqy_bg NATURAL JOIN dj_nsrxx' \
	nsrsbh 200
ok "KQYSSSX"
served FPCY tax-state 'SELECT fphm, kprq, fpdm,
	CASE zl WHEN "01" THEN je ELSE jshj END FROM fp_zx LIMIT 500' \
	'fphm kprq fpdm fjys' 500
ok "FPCY"
served QSWS tax-local 'SELECT SLH FROM T_QS_YW LIMIT 500' ywslh 500
ok "QSWS"

# The cast plays the parts that its names promise.
eval "$("$prog/demo-data" cast)"
is() { # department, query, what it must say
	[ "$(sqlite3 "$dir/$1.db" "$2")" = "$3" ]
}
is registry "SELECT REGSTATE, ENTNAME FROM ENT_BASE
	WHERE UNISCID = '$ent_open'" "K|$ent_open_name"
ok "the open enterprise is open"
is registry "SELECT REGSTATE FROM ENT_BASE
	WHERE UNISCID IN ('$ent_cancelled', '$ent_revoked')" "X
D"
ok "the cancelled and the revoked have ended"
is registry "SELECT DOMDISTRICT LIKE '9999%' FROM ENT_BASE
	WHERE UNISCID = '$ent_elsewhere'" 0
ok "the one elsewhere lies outside the area of the grants"
is registry "SELECT count(*) FROM ENT_BASE WHERE UNISCID = '$ent_unknown'" 0
ok "nobody knows the unknown one"
is population "SELECT rkzt FROM czrk_jbxx WHERE sfzh = '$person_id'
	AND xm = '$person_name'" 0
ok "the person lives"
is population "SELECT rkzt FROM czrk_jbxx WHERE sfzh = '$person_dead_id'" 1
ok "the dead one does not"
is tax-local "SELECT WSQK FROM T_QS_YW WHERE DYH IN ('$unit_paid',
	'$unit_unpaid') ORDER BY YW_ID" "1
4"
ok "tax is paid on one property, and not on the other"
is tax-state "SELECT jl FROM zx_qszm NATURAL JOIN dj_nsrxx
	WHERE nsrsbh = '$ent_cancelled'" 1
ok "the cancelled enterprise had settled its taxes"
is tax-state "SELECT nsrsbh FROM kqy_bg NATURAL JOIN dj_nsrxx
	WHERE bgbh = '$report_no' AND jyd_qh LIKE '9999%'" "$ent_open"
ok "the open enterprise works across regions"
is tax-state "SELECT jshj, kprq FROM fp_zx WHERE fphm = '$invoice_no'" \
	"$invoice_total|$invoice_date"
ok "the invoice is there"
echo "1..$n"
