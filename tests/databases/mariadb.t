#!/bin/bash
# mariadb.t -- MariaDB through its ODBC driver: types, text in UTF-8 and GBK,
# parameters, and what goes wrong.  Not part of `make test`:
# `make test-databases`.
: "${HT_BUILD:?HT_BUILD names the folder with the programs}"
# shellcheck source=tests/e2e/world.sh
. "$(dirname "$0")/../e2e/world.sh"
driver='MariaDB Unicode'
# shellcheck source=tests/databases/lib.sh
. "$(dirname "$0")/lib.sh"

PATH=$PATH:/usr/sbin
needs mariadbd mariadb mariadb-install-db
password="a;b}c{d=e 'x"
db() {
	mariadb --no-defaults -S "$server_dir/s" -u root -N \
	    --default-character-set=utf8mb4 "$@"
}
server_start() {
	as_server mariadbd --no-defaults --datadir="$server_dir/data" \
	    --socket="$server_dir/s" --skip-networking --loose-innodb-fast-shutdown=2 \
	    --pid-file="$server_dir/pid" >>"$server_dir/server.log" 2>&1 &
	server=$!
	within 20 db -e 'SELECT 1'
}
server_stop() { # the one that was started here, by what it says it is
	[ ! -s "$server_dir/pid" ] || kill "$(cat "$server_dir/pid")"
	wait "$server"
}
as_server mariadb-install-db --no-defaults --datadir="$server_dir/data" \
    --auth-root-authentication-method=normal --skip-test-db >/dev/null \
    2>"$dir/err" || bail "mariadb-install-db failed"
server_start || bail "MariaDB does not start: $(cat "$server_dir/server.log")"
db <<'END' || bail "no tables"
CREATE USER owner@localhost IDENTIFIED BY 'a;b}c{d=e ''x';
CREATE DATABASE u CHARACTER SET utf8mb4;
CREATE DATABASE g CHARACTER SET gbk;
GRANT ALL ON u.* TO owner@localhost;
GRANT ALL ON g.* TO owner@localhost;
USE u;
CREATE TABLE t(id int PRIMARY KEY, n decimal(12,3), big bigint, f8 double,
  d date, ts datetime, b bool, bt bit(1), bin varbinary(10), bl blob,
  c char(10), v varchar(20), txt longtext, y year);
INSERT INTO t VALUES (1, 12.5, 9223372036854775807, 0.5, '2024-02-29',
  '2024-02-29 23:30:00', true, 1, x'00ff41', x'00ff41', '示范',
  '水泥𠮷有限公司', repeat('长文', 10000), 2024);
INSERT INTO t(id) VALUES (2);
CREATE TABLE old(d date);
SET sql_mode = '';
INSERT INTO old VALUES ('0000-00-00');
CREATE TABLE entity(id char(20), name varchar(60), state char(2), area char(6));
INSERT INTO entity VALUES ('91999999000000019D', '某某有限公司', '1', '999900');
USE g;
CREATE TABLE t(id int, c char(10), v varchar(200));
INSERT INTO t VALUES (1, '示范', '水泥有限公司镕囍');
END
[ "$(db -e 'SELECT hex(c) FROM g.t')" = CABEB7B6 ]
result $? "the second database is in GBK"
base="Driver={MariaDB Unicode};Socket=$server_dir/s;UID=owner;Database="
printf %s "$password" >"$dir/password"
secret="password-file: password"
secret_words="PWD={${password//\}/\}\}}}"
connect="${base}u;$secret_words"

# ---- types ----

conf "${base}u" "$secret" "SELECT * FROM t ORDER BY id" 'id: id' 'n: n' \
    'big: big' 'f8: f8' 'd: d' 'ts: ts' 'day: {column: ts, as: date}' \
    'b: {column: b, as: boolean}' 'bt: bt' 'bin: bin' 'bl: bl' 'c: c' 'v: v' \
    'y: y'
run 0 '2 records' "a password with all that has a meaning to ODBC" try
gives '{"id":1,"n":"12.500","big":9223372036854775807,"f8":0.5,"d":"2024-02-29","ts":"2024-02-29 23:30:00","day":"2024-02-29","b":true,"bt":true,"bin":"00ff41","bl":"00ff41","c":"示范","v":"水泥𠮷有限公司","y":2024}
{"id":2}' "numbers, days, bits, bytes, padded and Chinese text, NULL"
conf "${base}u" "$secret" "SELECT txt FROM t WHERE id = 1" 'txt: txt'
run 0 '1 records' "a long text" try
[ "$(wc -c <"$dir/out")" -eq 60011 ]
result $? "... comes whole"
conf "${base}u" "$secret" "SELECT d FROM old" 'd: d'
run 1 'field d: no such day' "0000-00-00 is no day" try
conf "${base}u" "$secret" "SELECT NULLIF(d, 0) AS d FROM old" 'd: d'
run 0 '1 records' "... and absent where one says so" try

# ---- GBK ----

gbk='{"c":"示范","v":"水泥有限公司镕囍"}'
conf "${base}g" "$secret" "SELECT c, v FROM t WHERE v = :name" 'c: c' 'v: v'
run 0 '1 records' "GBK, translated by the server" try name=水泥有限公司镕囍
gives "$gbk" "... whole"
conf "${base}g;CHARSET=gbk" "$secret" "SELECT c, v FROM t WHERE v = :name" \
    'c: c' 'v: v'
sed -i 's|password-file|charset: gb18030\n      &|' "$dir/try.yaml"
run 0 '1 records' "GBK as it is, with charset: gb18030" try \
    name=水泥有限公司镕囍
gives "$gbk" "... whole"
conf "${base}g;CHARSET=gbk" "$secret" "SELECT c FROM t" 'c: c'
run 1 'not UTF-8 text: see .charset.' "... and an error without" try

# ---- parameters ----

asked "SELECT id FROM t WHERE b = ? AND bt = ?" '[true, true]' '[["1"]]' \
    "yes or no"
asked "SELECT id FROM t WHERE id = ? AND n = ?" '[1, 12.5]' '[["1"]]' "numbers"
asked "SELECT id FROM t WHERE d = ? AND v = ?" \
    '["2024-02-29", "水泥𠮷有限公司"]' '[["1"]]' "a day, and Chinese"
asked "SELECT id FROM t WHERE ? IS NULL OR v = ?" '[null, null]' \
    '[["1"],["2"]]' "an optional one that was not given"
asked "SELECT ? FROM t WHERE id = 1" \
    '["\\ '"'"' \" ; -- /* $1 ? {}"]' '[["\\ '"'"' \" ; -- /* $1 ? {}"]]' \
    "what would be SQL is text"
asked "SELECT id FROM t WHERE v = ?" '["x'"'"' OR '"'1'='1"'"]' '[]' \
    "an injection finds nothing"

# ---- what goes wrong ----

conf "${base}u" "$secret" "SELECT id FROM nosuch" 'id: id'
run 1 "nosuch' doesn't exist" "a table that is not there" try
conf "Driver={MariaDB Unicode};Socket=$server_dir/none" "" "SELECT 1 AS id" \
    'id: id'
run 3 "Can't connect" "no server" try
conf "${base}u;PWD=hunter2" "" "SELECT id FROM t" 'id: id'
run 3 'Access denied' "a wrong password" try
lacks hunter2 "... is not printed"
conf "${base}u" "$secret" "SELECT sleep(60) AS s" 's: s'
run 3 SOURCE_SLOW "a slow question ends at its deadline" try
within 2 idle db -e "SELECT count(*) FROM information_schema.processlist
    WHERE user = 'owner'"
result $? "... in the server, too"

conf "${base}u" "$secret" "SELECT sleep(60) AS s FROM t, t AS t2" 's: s'
sed -i 's|password-file|prepare: [SET SESSION TRANSACTION READ ONLY, SET SESSION max_statement_time = 0.5]\n      &|' \
    "$dir/try.yaml"
run 3 SOURCE_SLOW "the server's own limit" try
says max_statement_time "... is told as what it is"

# ---- in the exchange ----

serve_from_it 'SELECT id, name, state, area FROM entity'
restart_beneath_it
echo "1..$n"
