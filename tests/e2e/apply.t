#!/bin/bash
# Applications: handed in, returned, sent again, extended, approved, granted;
# the grant suspended, resumed, terminated.  Every step is a record of the
# exchange, and every refusal says why.
#
# shellcheck disable=SC1091,SC2154
set -u
. "${0%/*}/world.sh"

app=police.demo/residents.2031-7
auth_at=$dir/applications
hutong apply item --catalog gx.demo --provider scjg.demo/registry \
    --out "$dir/item.yaml" 2>"$dir/err" || bail "no item"
changes=(put item gx.demo/GXSQ@1 "$dir/item.yaml"
	edit item gx.demo/ZXTJ@1 'share: unconditional' 'share: conditional')
number=20
for member in police.demo/residents tax.demo/state tax.demo/local; do
	number=$((number + 1))
	hutong catalog draft grant --grant "gx.demo/$number" \
	    --item gx.demo/GXSQ --provider scjg.demo/registry \
	    --consumer "$member" --operations query --fields all \
	    --purposes application --basis GXTL-20 --out "$dir/g$number" \
	    2>"$dir/err" || bail "no grant"
	changes+=(put grant "gx.demo/$number" "$dir/g$number")
done
make_world
publish 2 "${changes[@]}"

calendar() { # file, years
	local year file=$1
	shift
	printf 'hutong: calendar/v1\nzone: "+08:00"\nyears:\n'
	for year; do
		printf '  - {year: %s, notice: an example, holidays: []}\n' "$year"
	done
}
year=$(date +%Y)
calendar x "$year" $((year + 1)) $((year + 2)) >"$dir/calendar.yaml"
calendar x $((year - 9)) >"$dir/old.yaml"
cat >>"$dir/registry.yaml" <<-END
	applications:
	  item: gx.demo/GXSQ
	  folder: $auth_at
	  calendar: calendar.yaml
	  readers: [tax.demo/local]
END
start_broker
adapter registry.yaml
adapter statistics.yaml
within 20 serves 2 || bail "adapters did not connect"

P=$dir/police.yaml S=$dir/good.yaml # applicant, provider
key() { # member
	echo "$dir/keys/$1/officer.key"
}
draft() { # file, revision, more
	local file=$1 revision=$2
	shift 2
	hutong apply draft --number 2031-7 --revision "$revision" \
	    --applicant police.demo/residents --item gx.demo/ZXTJ \
	    --provider tax.demo/state --basis TJF-20 --scene 规划编制 \
	    --scope 规划科 --purposes planning --fields all \
	    --operations query --out "$dir/$file" "$@"
}
send() { # file, configuration
	hutong apply send "$dir/$1" --config "$2" --timeout 10s
}
fetch() { # folder, configuration
	hutong apply fetch "$dir/$1" --config "$2" --timeout 10s
}
list() { # folder, more
	local folder=$1
	shift
	hutong apply list "$dir/$folder" --calendar "$dir/calendar.yaml" \
	    --catalog "$auth" --format csv "$@"
}
answer() { # file, words
	local file=$1
	shift
	hutong apply answer "$dir/state" "$app" "$@" --out "$dir/$file" &&
	    hutong apply sign "$dir/$file" --key "$(key tax.demo/state)"
}

does() { # WHAT COMMAND...: it may say nothing
	local what=$1
	shift
	"$@" >"$dir/out" 2>"$dir/err" </dev/null
	result $? "$what"
}

# ---- an application ----

run 2 '^hutong: .*--scope, .*--purposes.*: are needed' \
    "all that a draft lacks is told at once" hutong apply draft \
    --number 1 --item gx.demo/ZXTJ --scene x
does "an application is drafted" draft a1 1
run 1 'nobody has signed it' "unsigned it is not sent" send a1 "$P"
run 0 'signed by' "an officer signs it" \
    hutong apply sign "$dir/a1" --key "$(key police.demo/residents)"
run 1 'must hand it in itself' "another member cannot hand it in" \
    send a1 "$S"
run 0 'T[0-9]*\.[0-9]*Z-' "it is handed in, and has a receipt" send a1 "$P"
cp "$dir/out" "$dir/first"
says 'request at' "... which is a record of the log"
does "... and once more" send a1 "$P"
[ "$(cut -f1 "$dir/out" | head -n 1)" = "$(cut -f1 "$dir/first" | head -n 1)" ]
result $? "... has the same receipt"
sed 's/planning/hobby/; s/ZXTJ/NONE/; /^$/,$d' "$dir/a1" >"$dir/bad"
hutong apply sign "$dir/bad" --key "$(key police.demo/residents)" 2>/dev/null
run 1 'no such item' "what the catalog has not is refused" send bad "$P"

# ---- answers ----

run 0 'application police' "the provider fetches it" fetch state "$S"
run 0 'submitted.*tax.demo/state' "... and sees whose turn it is" list state
run 0 '^application' "nothing is overdue" list state --overdue
[ "$(wc -l <"$dir/out")" -eq 1 ]
result $? "... really nothing"
run 0 'yes' "two months later it is" list state --overdue \
    --at "$(date -d '+60 days' +%F)"
run 3 'there is no such folder' "a folder that is not there is not empty" \
    list nosuch
mkdir -p "$dir/state/police.demo/residents.99"
printf 'hutong: applica' \
    >"$dir/state/police.demo/residents.99/20310112T160000.123Z-0123456789abcdef.note"
run 1 'residents.99/.*: not a note' "a damaged note is named" list state
grep -q '^police.demo/residents.*submitted' "$dir/out"
result $? "... and the others are listed"
rm -r "$dir/state/police.demo/residents.99"
run 1 'add the year' "no day is guessed past the calendar's end" \
    hutong apply list "$dir/state" --calendar "$dir/old.yaml" --catalog "$auth"
run 1 'not refused outright' "what is incomplete is not refused outright" \
    answer no refuse --reason "no"
run 2 'names all that is missing' "a return without what is missing is none" \
    answer no return
run 0 'signed by' "it is returned" answer r1 return --missing '使用范围' \
    --missing '使用时限'
run 1 'must hand it in itself' "not by the applicant" send r1 "$P"
run 0 'answer police' "the return travels" send r1 "$S"
run 0 'answer police' "the applicant fetches" fetch police "$P"
run 0 '使用时限' "... all that is missing, at once" \
    hutong apply show "$dir/police" "$app"
run 0 'returned.*police' "... and it is its turn" list police

draft a2 2 --for 30d 2>/dev/null
hutong apply sign "$dir/a2" --key "$(key police.demo/residents)" 2>/dev/null
run 0 'revision 2' "it comes again, completed" send a2 "$P"
run 0 'revision 2' "the provider has it" fetch state "$S"
run 1 'returned once' "it is not returned twice" \
    answer no return --missing more
run 1 'an extension is for 10 days at most' "none is drafted beyond its term" \
    hutong apply extend "$dir/state" "$app" --days 11 --reason x --out "$dir/x0"
[ ! -e "$dir/x0" ]
result $? "... and nothing was written"
does "an extension is drafted" hutong apply extend "$dir/state" "$app" \
    --days 10 --reason 需要协商 --out "$dir/x1"
hutong apply sign "$dir/x1" --key "$(key tax.demo/state)" 2>/dev/null
run 1 'officers of gx.demo signed it' \
    "without the authority's consent there is none" send x1 "$S"
for k in 1 2; do
	hutong apply sign "$dir/x1" --key "$dir/keys/officer-$k.key" 2>/dev/null
done
run 0 'extension police' "with it there is" send x1 "$S"
list state >"$dir/before"
does "the provider fetches its own extension" fetch state "$S"
list state >"$dir/after"
! cmp -s "$dir/before" "$dir/after"
result $? "... and the day it is due is later"
run 1 'extended once' "there is one" hutong apply extend "$dir/state" "$app" \
    --days 1 --reason again --out "$dir/x2"
run 0 'signed by' "it is approved" answer y1 approve --grant gx.demo/40
run 0 'answer police' "... and that travels" send y1 "$S"
fetch state "$S" >/dev/null 2>&1
run 0 'approved.*tax.demo/state' "supply is the provider's turn" list state
run 0 'police' "an auditor may fetch all" fetch audit "$dir/local.yaml"
diff -r "$dir/audit" "$auth_at" >"$dir/out" 2>&1 &&
    diff -r "$dir/audit" "$dir/state" >>"$dir/out" 2>&1
result $? "all have the same notes"

# ---- the grant ----

ask() {
	hutong query gx.demo/ZXTJ xzqh=999900 --purpose planning \
	    --config "$P" --format jsonl --timeout 10s "$@"
}
put_in_force() { # words for freshen
	hutong catalog freshen "$auth" --key "$dir/keys/current.key" --for 12h \
	    "$@" && ctl reload
}
snapshot() {
	hutong catalog snapshot "$auth" --key "$dir/keys/snapshot.key"
}
run 1 'NO_GRANT' "an approval alone is no grant" ask
does "the grant is drafted from what was approved" \
    hutong apply grant "$dir/state" "$app" --out "$dir/grant"
for k in "$(key tax.demo/state)" "$dir"/keys/officer-[12].key; do
	hutong catalog sign "$dir/grant" --key "$k" 2>/dev/null
done
cp "$dir/grant" "$auth/grants/gx.demo/40.note"
does "it is in a snapshot" snapshot
run 0 'ok\|snapshot' "... in force" put_in_force
run 0 '"hs": *4711' "and the next record goes through" ask
run 0 'granted' "the list says so" list state
does "it is suspended" put_in_force --suspend gx.demo/40
run 1 'GRANT_STATE' "... with the next record" ask --force
says 'the broker refused' "... at the broker"
does "it is resumed" put_in_force --resume gx.demo/40
run 0 '"hs": *4711' "... with the next record" ask
sed 's/^state: active/state: terminated/; s/^revision: 1/revision: 2/; /^$/,$d' \
    "$dir/grant" >"$dir/end"
for k in "$(key tax.demo/state)" "$dir"/keys/officer-[12].key; do
	hutong catalog sign "$dir/end" --key "$k" 2>/dev/null
done
cp "$dir/end" "$auth/grants/gx.demo/40.note"
does "it is terminated" snapshot
does "... in force" put_in_force
run 1 'GRANT_STATE' "... with the next record" ask --force
says 'the broker refused' "... at the broker"
run 0 'terminated' "the list says that, too" list state

# ---- withdrawn ----

run 1 'state: terminated' "what is decided is not withdrawn, and it is told" \
    hutong apply withdraw "$dir/state" "$app" --reason late --out "$dir/w0"
app=police.demo/residents.2031-8
sed 's/2031-7/2031-8/' "$dir/a1" | sed '/^$/,$d' >"$dir/b1"
hutong apply sign "$dir/b1" --key "$(key police.demo/residents)" 2>/dev/null
run 0 'revision 1' "another application is handed in" send b1 "$P"
fetch police "$P" >/dev/null 2>&1
fetch state "$S" >/dev/null 2>&1
run 0 'signed by' "and withdrawn" eval \
    'hutong apply withdraw "$dir/police" "$app" --reason 不再需要 \
        --out "$dir/w1" &&
    hutong apply sign "$dir/w1" --key "$(key police.demo/residents)"'
run 1 'must hand it in itself' "not by the provider" send w1 "$S"
run 0 'revision 2' "that travels" send w1 "$P"
run 0 'revision 2' "the provider fetches it" fetch state "$S"
run 0 "$app,.*,withdrawn,[^,]*,,," "the list: withdrawn, nobody's turn, no term" \
    list state
list state --overdue --at "$(date -d '+60 days' +%F)" >"$dir/out" 2>&1
! grep -q "$app" "$dir/out"
result $? "... and never overdue"
run 1 'is withdrawn' "it cannot be answered" answer no accept
run 0 '不再需要' "who looks reads why" hutong apply show "$dir/state" "$app"
run 1 'under another number' "and it does not come back" eval \
    'sed "s/^revision: 2/revision: 3/; /^withdrawn/d; /^\$/,\$d" "$dir/w1" \
        >"$dir/b3" &&
    hutong apply sign "$dir/b3" --key "$(key police.demo/residents)" &&
    send b3 "$P"'
app=police.demo/residents.2031-7

# ---- the end ----

run 1 'approved' "what is answered is not answered again" \
    answer no refuse --reason late
stop_broker
log_is_intact
echo "1..$n"
