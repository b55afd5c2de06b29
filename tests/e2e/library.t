#!/bin/bash
# The node library as somebody else's program has it: hutong(3)'s examples,
# compiled with what `make install` gives, run on the demo's exchange.
. "${0%/*}/lib.sh"
. "${0%/*}/../lib/installed.sh"
case $HT_BUILD in */san-*)
	echo "1..0 # SKIP t_node has the library under sanitizers"
	exit 0
	;;
esac
export HT_DEMO_DIR=$W/demo HT_DEMO_PORT
HT_DEMO_PORT=$(free_port)
trap 'tests/demo/run down >/dev/null 2>&1; cleanup' EXIT

asks() { # certificate, payer, amount: as the state tax bureau
	env -C "$W/demo/members/tax.demo/state" "$W/ask" "$@"
}
CERTIFICATE=020120261010000001-L02
PAYER=91999901MA0000007A

ok "make install" exits 0 installed_into "$W/dest"
for program in ask serve; do
	ok "$program.c compiles, with what pkg-config says" exits 0 \
	    installed_cc "$W/dest" \
	    "$W/dest/usr/share/doc/hutong/examples/$program.c" "$W/$program"
done
ok "an exchange is there" exits 0 tests/demo/run up
start serve env -C "$W/demo/members/hg.demo/customs" "$W/serve"
ok "customs connects" await 20 grep -qx ready "$W/serve.log"
ok "asked and answered" exits 0 asks $CERTIFICATE $PAYER 13000.00
ok "... compared" out_has compared '"skje":1' '"zt_dm":1'
ok "... read" out_has '"jkdw_mc":"Demonstration Cement"'
ok "... what is granted, and no more" out_lacks 'Mill parts'
ok "... proven" out_has 'of the log, proven'
ok "another amount" exits 0 asks $CERTIFICATE $PAYER 13000.01
ok "... does not match" out_has '"skje":0' '"zt_dm":1'
ok "no such certificate" exits 0 asks 020120261010000002-L02 $PAYER 1.00
ok "... is unknown" out_has '"skje":2' 'records []'
ok "what breaks the schema is refused" exits 1 asks 1 2 3.00
ok "... with every reason" out_has REQUEST_INVALID /jkshm /jkdw_shxydm \
    "caller must act"
signal TERM serve
wait "$(cat "$W/serve.pid")"
ok "it ends when told to" test $? -eq 0
cp "$W/serve.log" "$W/out"
ok "... and had nothing to complain of" out_lacks "no answer"

finish
