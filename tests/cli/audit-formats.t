#!/bin/bash
# tests/cli/audit-formats.t -- docs/formats/ says what hutong-audit prints.
set -u
cd "$(dirname "$0")/../.." || exit 1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
audit=$HT_BUILD/hutong-audit
n=0

ok() { # name, command...
	local name=$1
	shift
	n=$((n + 1))
	if "$@" >"$dir/said" 2>&1; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' "$dir/said"
	fi
}
fails() {
	! "$@"
}
check() { # schema, file
	tests/lib/check-json.py "docs/formats/$1.schema.json" "$2"
}

"$HT_BUILD/prog/make-log" "$dir" late >/dev/null ||
	{ echo 'Bail out! no log'; exit 1; }
where="--dir $dir/log --authority $dir/authority"
# shellcheck disable=SC2086
print() { # file, then the arguments
	local to=$1
	shift
	"$audit" "$@" $where >"$to" 2>"$dir/err" || cat "$dir/err"
}
print "$dir/rows" search --format jsonl
print "$dir/events" search --format ocsf
print "$dir/stats" stats --format jsonl --period day \
    --by member,peer,item,purpose,operation,type,status
print "$dir/report" report --format jsonl --month 2026-11
ok 'rows' check audit-rows "$dir/rows"
ok 'OCSF events' check audit-ocsf "$dir/events"
ok 'stats' check audit-stats "$dir/stats"
ok 'a report' check audit-report "$dir/report"
ok 'a row is no event' fails check audit-ocsf "$dir/rows"
sed 's/"leaf_hash":"./"leaf_hash":"G/' "$dir/rows" >"$dir/spoiled"
ok 'a spoiled row is found' fails check audit-rows "$dir/spoiled"
sed 's/"entry"/"extra":1,"entry"/' "$dir/rows" >"$dir/spoiled"
ok 'and one that says more' fails check audit-rows "$dir/spoiled"

# lnav: every member of a row has a value, and no other; levels cover types.
cat >"$dir/lnav.py" <<'END'
import json, re, sys
form = json.load(open("docs/formats/hutong-audit.lnav.json"))["hutong_audit"]
rows = json.load(open("docs/formats/audit-rows.schema.json"))["properties"]
assert set(form["value"]) | {"time"} == set(rows), \
    set(form["value"]) ^ set(rows)
for kind in rows["type"]["enum"]:
    fits = [k for k, v in form["level"].items() if re.search(v, kind)]
    assert len(fits) == 1, (kind, fits)
for part in form["line-format"]:
    if isinstance(part, dict) and part["field"] != "__timestamp__":
        assert part["field"] in rows, part
END
ok 'the lnav format knows every member' python3 "$dir/lnav.py"
if command -v lnav >/dev/null; then
	mkdir -p "$dir/home/.lnav/formats/hutong"
	cp docs/formats/hutong-audit.lnav.json "$dir/home/.lnav/formats/hutong/"
	cp "$dir/rows" "$dir/rows.jsonl"
	refusals() {
		[ "$(HOME=$dir/home XDG_CONFIG_HOME=$dir/none lnav -n \
		    -c ";select count(*) as n from hutong_audit
		        where type = 'REJECT'" \
		    -c ':write-csv-to -' "$dir/rows.jsonl" |
		    sed -n '/^n$/{n;p;}')" = 3 ]
	}
	ok 'lnav counts the refusals' refusals
else
	n=$((n + 1))
	echo "ok $n # SKIP lnav is not installed"
fi
echo "1..$n"
