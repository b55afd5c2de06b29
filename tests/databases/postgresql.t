#!/bin/bash
# postgresql.t -- PostgreSQL through its ODBC driver: types, text, parameters,
# and what goes wrong.  Not part of `make test`: `make test-databases`.
: "${HT_BUILD:?HT_BUILD names the folder with the programs}"
# shellcheck source=tests/e2e/world.sh
. "$(dirname "$0")/../e2e/world.sh"
driver='PostgreSQL Unicode'
# shellcheck source=tests/databases/lib.sh
. "$(dirname "$0")/lib.sh"

bin=$(find /usr/lib/postgresql/*/bin -maxdepth 0 2>/dev/null | tail -n 1)
needs "${bin:-/usr/lib/postgresql}/postgres" psql
server_start() {
	as_server "$bin/pg_ctl" -D "$server_dir/data" -w \
	    -l "$server_dir/server.log" -o "-F -c listen_addresses= \
	    -k $server_dir" start >/dev/null
}
server_stop() {
	as_server "$bin/pg_ctl" -D "$server_dir/data" -w -m immediate stop
}
db() {
	PGPASSWORD="$password" psql -X -q -A -t -v ON_ERROR_STOP=1 \
	    -h "$server_dir" -U owner -d postgres "$@"
}
# All that a connection string could trip over.
password="a;b}c{d=e 'x"
printf '%s\n' "$password" >"$server_dir/password"
chmod 0644 "$server_dir/password"
as_server "$bin/initdb" -D "$server_dir/data" -U owner -E UTF8 \
    --locale=C.UTF-8 -A scram-sha-256 --pwfile="$server_dir/password" \
    --no-sync >/dev/null 2>"$dir/err" || bail "initdb failed"
server_start || bail "PostgreSQL does not start: $(cat "$server_dir/server.log")"
db <<'END' || bail "no tables"
CREATE TABLE t(id int PRIMARY KEY, n numeric(12,3), big bigint, f8 double
  precision, d date, ts timestamp, tz timestamptz, b bool, bin bytea,
  c char(10), v varchar(20), txt text, m money, u uuid);
INSERT INTO t VALUES (1, 12.5, 9223372036854775807, 0.5, '2024-02-29',
  '2024-02-29 23:30:00', '2024-02-29 23:30:00+08', true, '\x00ff41',
  '示范', '水泥𠮷有限公司', repeat('长文', 10000), 12.34,
  'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
INSERT INTO t(id) VALUES (2);
CREATE TABLE entity(id char(20), name varchar(60), state char(2), area char(6));
INSERT INTO entity VALUES ('91999999000000019D', '某某有限公司', '1', '999900');
END
base="Driver={PostgreSQL Unicode};Server=$server_dir;Database=postgres;UID=owner"
printf %s "$password" >"$dir/password"
secret="password-file: password"
connect="$base;PWD={${password//\}/\}\}}}"

# ---- types ----

conf "$base" "$secret" "SELECT * FROM t ORDER BY id" 'id: id' 'n: n' \
    'big: big' 'f8: f8' 'd: d' 'ts: ts' 'day: {column: ts, as: date}' \
    'b: {column: b, as: boolean}' 'bin: bin' 'c: c' 'v: v' 'u: u'
run 0 '2 records' "a password with all that has a meaning to ODBC" try
gives '{"id":1,"n":"12.500","big":9223372036854775807,"f8":0.5,"d":"2024-02-29","ts":"2024-02-29 23:30:00","day":"2024-02-29","b":true,"bin":"00ff41","c":"示范","v":"水泥𠮷有限公司","u":"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"}
{"id":2}' "numbers, days, bytes, padded and Chinese text, NULL"
conf "$base" "$secret" "SELECT txt FROM t WHERE id = 1" 'txt: txt'
run 0 '1 records' "a long text" try
[ "$(wc -c <"$dir/out")" -eq 60011 ]
result $? "... comes whole"
conf "$base" "$secret" "SELECT tz FROM t WHERE id = 1" \
    'day: {column: tz, as: date}'
sed -i 's|password-file|prepare: [SET TIME ZONE +14]\n      &|' "$dir/try.yaml"
run 0 '"2024-03-01"' "an instant's day is that of the session's zone" try
conf "$base" "$secret" "SELECT m FROM t WHERE id = 1" 'm: m'
run 1 'field m: a number was expected' "money is no number" try
conf "$base" "$secret" "SELECT m::numeric FROM t WHERE id = 1" 'm: m'
run 0 '"12.34"' "... but for the one who says so" try

# ---- parameters ----

asked "SELECT id FROM t WHERE b = ?" '[true]' '[["1"]]' "yes or no"
asked "SELECT id FROM t WHERE id = ? AND n = ?" '[1, 12.5]' '[["1"]]' "numbers"
asked "SELECT id FROM t WHERE id = ? AND n = ?" '["1", "12.5"]' '[["1"]]' \
    "numbers as text"
asked "SELECT id FROM t WHERE d = ? AND v = ?" \
    '["2024-02-29", "水泥𠮷有限公司"]' '[["1"]]' "a day, and Chinese"
asked "SELECT id FROM t WHERE CAST(? AS text) IS NULL OR v = ?" '[null, null]' \
    '[["1"],["2"]]' "an optional one that was not given"
asked "SELECT ? FROM t WHERE id = 1" \
    '["\\ '"'"' \" ; -- /* $1 ? {}"]' '[["\\ '"'"' \" ; -- /* $1 ? {}"]]' \
    "what would be SQL is text"
asked "SELECT id FROM t WHERE v = ?" '["x'"'"' OR '"'1'='1"'"]' '[]' \
    "an injection finds nothing"
run 1 '22P02' "a number that is none is refused" ask-odbc "$connect" \
    "SELECT id FROM t WHERE id = ?" '["1 OR 1=1"]'
lacks '1 OR' "... and not repeated"
asked "WITH x AS (INSERT INTO t(id) VALUES (9) RETURNING id) SELECT id FROM x" \
    '[]' '[["9"]]' "what writes all the same"
asked "SELECT count(*) FROM t" '[]' '[["2"]]' "... is rolled back"

# ---- what goes wrong ----

conf "$base" "$secret" "SELECT id FROM nosuch" 'id: id'
run 1 'relation .nosuch. does not exist' "a table that is not there" try
conf "$base;Port=1" "$secret" "SELECT id FROM t" 'id: id'
run 3 'Is the server running' "no server" try
conf "Driver=Nosuch;UID=owner" "$secret" "SELECT id FROM t" 'id: id'
run 3 "open lib .Nosuch." "no driver" try
conf "$base;PWD=hunter2" "" "SELECT id FROM t" 'id: id'
run 3 'password authentication failed' "a wrong password" try
lacks hunter2 "... is not printed"
echo hunter2 >"$dir/password"
conf "$base" "$secret" "SELECT id FROM t" 'id: id'
run 3 'password authentication failed' "... nor one of a file" try
lacks hunter2 "... either"
printf %s "$password" >"$dir/password"
conf "$base" "$secret" "SELECT pg_sleep(60) AS s" 's: s'
run 3 SOURCE_SLOW "a slow question ends at its deadline" try
within 2 idle db -c "SELECT count(*) FROM pg_stat_activity
    WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
result $? "... in the server, too"

conf "$base" "$secret" "WITH x AS (INSERT INTO t(id) VALUES (9)
        RETURNING id) SELECT id FROM x" 'id: id'
sed -i 's|password-file|prepare: [SET default_transaction_read_only = on]\n      &|' \
    "$dir/try.yaml"
run 1 'in a read-only transaction' "a session that may only read" try

# ---- in the exchange ----

serve_from_it 'SELECT id, name, state, area FROM entity'
restart_beneath_it
echo "1..$n"
