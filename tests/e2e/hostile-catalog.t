#!/bin/bash
# Hostile catalogs and directories, handed to a broker that runs: huge, deep,
# contradictory, with look-alike names, turned text, wrong encodings, broken
# files.  Each is refused with its file (and line) and the rule; the old one
# stays in force and goes on serving.
# shellcheck disable=SC2154
. tests/e2e/world.sh

start_world
within 20 good || bail 'the world does not work'
cp -r "$auth" "$dir/kept"
version=2

# A grant of our own words, published with true signatures: only what it says
# is wrong.  What `make-world` would not sign is spoilt afterwards.
grant=$dir/grant.yaml
cat >"$grant" <<'END'
hutong: grant/v1
grant: gx.demo/9
revision: 1
state: active
item: gx.demo/SCZTDJ
version: 1
provider: scjg.demo/registry
consumer: tax.demo/state
operations: [query]
fields: [shxydm]
purposes: [tax-registration]
basis: ZGF-15
from: 2020-01-01T00:00:00Z
until: 2099-01-01T00:00:00Z
END
note=$auth/grants/gx.demo/9.note
with_grant() { # file: in the next snapshot
	rm -rf "$auth"
	cp -r "$dir/kept" "$auth"
	publish $version put grant gx.demo/9 "${1:-$grant}"
	version=$((version + 1))
}
restore() {
	rm -rf "$auth"
	cp -r "$dir/kept" "$auth"
}
# refused WHAT WORDS ...: the folder as it lies there is not taken, each of the
# words is said, and others are served by what was in force
refused() {
	local what=$1 word
	shift
	run 1 'what was in force stays so' "$what is refused" ctl reload
	for word; do
		says "$word" "... and it says: $word"
	done
	run 0 'ztmc' '... the old one goes on serving' good
	restore
}

# --- huge ---
with_grant
head -c 300000 /dev/zero | tr '\0' 'x' >>"$note"
refused 'a document larger than one may be' \
    'gx.demo/9.note' 'larger than the 262144 bytes'
truncate -s 3G "$auth/snapshot.list"
refused 'a list of gigabytes' 'snapshot.list' 'larger than the'
awk 'BEGIN { h = sprintf("%064d", 0)
	for (i = 100000; i <= 400000; i++) print "grant gx.demo/" i " 1 " h }' \
    >"$auth/snapshot.list"
refused 'a list of more documents than there may be' \
    'snapshot.list' 'more than 300000 documents'
{
	sed '/^purposes/d' "$grant"
	echo "purposes: [$(yes 'tax-registration,' | head -n 5000 |
	    tr -d '\n')x]"
} >"$dir/wide.yaml"
with_grant "$dir/wide.yaml"
refused 'a list of values without end' 'gx.demo/9.note:14' '1 to 100 codes'

# --- deep ---
{
	cat "$grant"
	echo "quota: $(head -c 2000 /dev/zero | tr '\0' '[')$(head -c 2000 \
	    /dev/zero | tr '\0' ']')"
} >"$dir/deep.yaml"
with_grant "$dir/deep.yaml"
refused 'a document without a bottom' 'gx.demo/9.note:15' 'more than 32 maps and lists'

# --- contradictory ---
with_grant
sed -n 's/^\(grant gx.demo\/9 \)1 \(.*\)/&\n\12 \2/p; /gx.demo.9 /!p' \
    "$auth/snapshot.list" >"$dir/list" && mv "$dir/list" "$auth/snapshot.list"
refused 'a grant that is listed twice' 'snapshot.list' \
    'out of order, or names a document again'
with_grant
cp "$auth/grants/gx.demo/1.note" "$note"
refused "another grant under a grant's name" 'gx.demo/9.note' \
    'it is grant gx.demo/1, and the snapshot lists it as grant gx.demo/9'
with_grant
cp "$auth/items/gx.demo/ZXTJ@1.note" "$auth/items/gx.demo/SCZTDJ@1.note"
sed -i "s/^\\(item gx.demo\\/SCZTDJ@1 \\).*/\\11 $(printf '%064d' 7)/" \
    "$auth/snapshot.list"
refused 'an item in the place of another' 'not the list that the snapshot'

# --- names that only look alike, and text that reads otherwise ---
sed 's#^consumer: tax#consumer: t\xd0\xb0x#' "$grant" >"$dir/alike.yaml"
with_grant "$dir/alike.yaml"
refused 'a Cyrillic letter in a name' 'gx.demo/9.note:8' 'name'
sed 's#^basis: .*#basis: "ZGF\xe2\x80\xae51-"#' "$grant" >"$dir/turned.yaml"
with_grant "$dir/turned.yaml"
refused 'text that is turned around' 'gx.demo/9.note:12' 'U+202E'
sed 's#^basis: .*#basis: "ZGF\xe2\x80\x8b-15"#' "$grant" >"$dir/unseen.yaml"
with_grant "$dir/unseen.yaml"
refused 'a character that is not seen' 'gx.demo/9.note:12' 'U+200B'

# --- encodings ---
spoilt() { # WHAT, sed's words, then what is to be said
	local what=$1 how=$2
	shift 2
	with_grant
	sed -i "$how" "$note"
	refused "$what" 'gx.demo/9.note' "$@"
}
spoilt 'GB 18030 where UTF-8 is due' '12s/ZGF/\xcb\xb0\xd5\xf7/' \
    '9.note:12' 'UTF-8'
spoilt 'an overlong form' '12s/ZGF/\xc1\x9aGF/' '9.note:12' 'UTF-8'
spoilt 'a byte order mark' '1s/^/\xef\xbb\xbf/' 'U+FEFF'
spoilt 'a NUL' '12s/ZGF/Z\x00F/' '9.note:12' 'U+0000'
with_grant
iconv -f UTF-8 -t UTF-16 "$dir/kept/grants/gx.demo/1.note" >"$note"
refused 'UTF-16' 'gx.demo/9.note' 'UTF-8'

# --- broken files ---
with_grant
head -c 400 "$note" >"$dir/cut" && mv "$dir/cut" "$note"
refused 'half a document' 'gx.demo/9.note' 'not a note'
with_grant
: >"$note"
refused 'an empty document' 'gx.demo/9.note'
with_grant
rm "$note" && mkdir "$note"
refused 'a folder in its place' 'gx.demo/9.note' 'cannot be read'
head -c 100 "$dir/kept/snapshot.note" >"$auth/snapshot.note"
refused 'half a snapshot' 'snapshot.note' 'not a note'
head -c 200 "$dir/kept/snapshot.list" >"$auth/snapshot.list"
refused 'half a list' 'snapshot.list' 'the last line lacks its end'
: >"$auth/current.note"
refused 'no word on which is in force' 'current.note' 'empty'

# --- and the good one after all of them ---
with_grant
run 0 '"changed": *true' 'a good one is taken' ctl reload
run 0 'shxydm' 'and decided by' good --grant gx.demo/9
grep -q "of [0-9]* documents 2 were read, 2 verified" "$dir/broker.log"
result $? 'nothing but what changed was read: the grant, and the epoch'
still_serving 'hostile catalogs'
stop_broker
log_is_intact
echo "1..$n"
