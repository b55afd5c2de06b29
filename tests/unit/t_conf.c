#include "lib/conf/conf.h"

#include "lib/base/fs.h"
#include "lib/base/limits.h"
#include "tests/lib/fault.h"
#include "tests/lib/test.h"

/* ---- a reader like those of the programs ---- */

struct settings {
	const char *member, *node, *note;
	uint64_t port, life_ms, size, since_us, ports;
	bool strict;
	int level;
};

static const struct ht_word levels[] = {
    {"debug", 1},
    {"info",  2},
    {"warn",  3},
    {NULL,    0},
};

static void
read_settings(struct ht_conf *conf, struct settings *ret)
{
	struct ht_yaml *root = ht_yaml_as_map(ht_conf_root(conf));
	struct ht_yaml *list, *log;

	ht_yaml_as_name(ht_yaml_need(root, "member"), &ret->member);
	ht_yaml_as_part(ht_yaml_get(root, "node"), &ret->node);
	ht_yaml_as_str(ht_yaml_get(root, "note"), 20, &ret->note);
	ht_yaml_as_u64(ht_yaml_get(root, "port"), 1, 65535, &ret->port);
	ht_yaml_as_ms(
	    ht_yaml_get(root, "life"), 1000, HT_LIFE_MS, &ret->life_ms);
	ht_yaml_as_size(ht_yaml_get(root, "size"), 0, 1 << 20, &ret->size);
	ht_yaml_as_time(ht_yaml_get(root, "since"), &ret->since_us);
	ht_yaml_as_bool(ht_yaml_get(root, "strict"), &ret->strict);
	list = ht_yaml_as_list(ht_yaml_get(root, "ports"));
	for (size_t i = 0; i < ht_yaml_count(list); i++) {
		uint64_t port = 0;

		ht_yaml_as_u64(ht_yaml_at(list, i), 1, 65535, &port);
		ret->ports += port;
	}
	log = ht_yaml_get(root, "log");
	ht_yaml_as_word(ht_yaml_need(log, "level"), levels, &ret->level);
}

/* The report after all was read, as printed; NULL out of memory. */
static char *
verdict(struct ht_slice text)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;
	struct settings settings = {0};
	char *printed = NULL;
	size_t len = 0;
	enum ht_err err;
	FILE *out;

	err = ht_conf_parse(text, "a.yaml", report, &conf);
	if (err == HT_OK) {
		read_settings(conf, &settings);
		err = ht_conf_done(conf);
	}
	assert_int_equal(err == HT_OK, ht_report_count(report) == 0);
	out = open_memstream(&printed, &len);
	assert_non_null(out);
	ht_report_print(report, out);
	assert_int_equal(fclose(out), 0);
	return printed;
}

static void
settings_are_read(void **state)
{
	static const char text[] = "%YAML 1.2\n"
	                           "--- # all of it\n"
	                           "member: tax.sh/first-branch\n"
	                           "node: \"02\"\n"
	                           "note: 税务\n"
	                           "port: 65535\n"
	                           "life: 90s\n"
	                           "size: 64KiB\n"
	                           "since: 1970-01-02\n"
	                           "strict: true\n"
	                           "ports: [1, 20, 300]\n"
	                           "log: {level: warn}\n"
	                           "...\n";
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;
	struct settings s = {0};

	(void)state;
	assert_ok(ht_conf_parse(ht_slice_str(text), "x", report, &conf));
	read_settings(conf, &s);
	assert_ok(ht_conf_done(conf));
	assert_string_equal(s.member, "tax.sh/first-branch");
	assert_string_equal(s.node, "02");
	assert_string_equal(s.note, "税务");
	assert_int_equal(s.port, 65535);
	assert_int_equal(s.life_ms, 90000);
	assert_int_equal(s.size, 65536);
	assert_int_equal(s.since_us, 86400000000);
	assert_true(s.strict);
	assert_int_equal(s.ports, 321);
	assert_int_equal(s.level, 3);
}

static void
defaults_stay_where_nothing_is_written(void **state)
{
	HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;
	struct settings s = {.port = 7, .life_ms = 8, .level = 9};
	static const char text[] = "member: a/b\nport:\nlife: ~\nlog: null\n";

	(void)state;
	assert_ok(ht_conf_parse(ht_slice_str(text), "x", NULL, &conf));
	read_settings(conf, &s);
	assert_ok(ht_conf_done(conf));
	assert_int_equal(s.port, 7);
	assert_int_equal(s.life_ms, 8);
	assert_int_equal(s.level, 9);
}

/* What a person wrote, and every word of the answer. */
/* clang-format off */
static const struct {
	const char *why, *text, *want;
} verdicts[] = {
    {"nothing is missing",
     "member: a/b\n",
     ""},
    {"an empty file",
     "",
     "a.yaml:1:1: there is nothing in it\n"},
    {"only a comment",
     "# soon\n",
     "a.yaml:1:1: there is nothing in it\n"},
    {"a list where the map should be",
     "- a\n"
     "- b\n",
     "a.yaml:1:1: this must be a map (lines of 'key: value'); found a list\n"},
    {"text where the map should be",
     "hello\n",
     "a.yaml:1:1: this must be a map (lines of 'key: value'); found 'hello'\n"},
    {"a key missing",
     "port: 5\n",
     "a.yaml:1:1: the key 'member' is missing; add it\n"},
    {"a key missing further in",
     "member: a/b\n"
     "log:\n"
     "  file: x\n",
     "a.yaml:2:1: 'log' lacks the key 'level'; add it\n"
     "a.yaml:3:3: the key 'file' is unknown here; remove it\n"},
    {"keys with slips",
     "member: a/b\n"
     "prot: 5\n"
     "lief: 3s\n"
     "colour: red\n"
     "size: 1MiB\n",
     "a.yaml:2:1: the key 'prot' is unknown here; did you mean 'port'?\n"
     "a.yaml:3:1: the key 'lief' is unknown here; did you mean 'life'?\n"
     "a.yaml:4:1: the key 'colour' is unknown here; remove it\n"},
    {"several at once",
     "member: tax\n"
     "port: 70000\n"
     "life: 5\n"
     "strict: yes\n",
     "a.yaml:1:9: 'member' must be a name like domain/name (ASCII letters, digits, '.' and '-'; each part at most 64 long); found 'tax'\n"
     "a.yaml:2:7: 'port' must be a whole number from 1 to 65535; found '70000'\n"
     "a.yaml:3:7: 'life' must be from 1s to 1h, a number with its unit, like 500ms, 30s, 5m, 2h or 90d; found '5'\n"
     "a.yaml:4:9: 'strict' must be true or false; found 'yes'\n"},
    {"a key twice",
     "member: a/b\n"
     "port: 1\n"
     "life: 5s\n"
     "port: 2\n",
     "a.yaml:4:1: the key 'port' stands twice in this map, first on line 2; remove one\n"},
    {"a key twice, quoted once",
     "member: a/b\n"
     "port: 1\n"
     "\"port\": 2\n",
     "a.yaml:3:1: the key 'port' stands twice in this map, first on line 2; remove one\n"},
    {"numbers that are none",
     "member: a/b\n"
     "ports: [0, -1, 1.5, 1e3, 0x10, 010, \"80\", 99999999999999999999, {a: 1}, 7]\n",
     "a.yaml:2:9: this must be a whole number from 1 to 65535; found '0'\n"
     "a.yaml:2:12: this must be a whole number from 1 to 65535; found '-1'\n"
     "a.yaml:2:16: this must be a whole number from 1 to 65535; found '1.5'\n"
     "a.yaml:2:21: this must be a whole number from 1 to 65535; found '1e3'\n"
     "a.yaml:2:26: this must be a whole number from 1 to 65535; found '0x10'\n"
     "a.yaml:2:32: this must be a whole number from 1 to 65535; found '010'\n"
     "a.yaml:2:37: this must be a whole number from 1 to 65535; found the text \"80\"\n"
     "a.yaml:2:43: this must be a whole number from 1 to 65535; found '99999999999999999999'\n"
     "a.yaml:2:65: this must be a whole number from 1 to 65535; found a map\n"},
    {"times without a unit, with another, too long",
     "member: a/b\n"
     "life: 30 s\n",
     "a.yaml:2:7: 'life' must be from 1s to 1h, a number with its unit, like 500ms, 30s, 5m, 2h or 90d; found '30 s'\n"},
    {"a time too long",
     "member: a/b\n"
     "life: 2h\n",
     "a.yaml:2:7: 'life' must be from 1s to 1h, a number with its unit, like 500ms, 30s, 5m, 2h or 90d; found '2h'\n"},
    {"a size in another unit",
     "member: a/b\n"
     "size: 64KB\n",
     "a.yaml:2:7: 'size' must be from 0B to 1MiB, a number with its unit, like 512B, 64KiB, 1MiB or 2GiB; found '64KB'\n"},
    {"a size past 64 bits",
     "member: a/b\n"
     "size: 99999999999GiB\n",
     "a.yaml:2:7: 'size' must be from 0B to 1MiB, a number with its unit, like 512B, 64KiB, 1MiB or 2GiB; found '99999999999GiB'\n"},
    {"a date that does not exist",
     "member: a/b\n"
     "since: 2026-02-30\n",
     "a.yaml:2:8: 'since' must be a time in UTC, like 2026-11-24 or 2026-11-24T01:02:03Z; found '2026-02-30'\n"},
    {"truths",
     "member: a/b\n"
     "strict: True\n",
     "a.yaml:2:9: 'strict' must be true or false; found 'True'\n"},
    {"a name that looks right",
     "member: t\320\260x/a\n",
     "a.yaml:1:9: 'member' must be a name like domain/name (ASCII letters, digits, '.' and '-'; each part at most 64 long); found 't\320\260x/a'\n"},
    {"a short name with a slash",
     "member: a/b\n"
     "node: a/b\n",
     "a.yaml:2:7: 'node' must be a short name (ASCII letters, digits, '.' and '-'; at most 64 long); found 'a/b'\n"},
    {"text too long, cut between characters",
     "member: a/b\n"
     "note: 一二三四五六七八九十一二三四五六七八九十\n",
     "a.yaml:2:7: 'note' must be text of 1 to 20 bytes; found '一二三四五六七八九十一二三...'\n"},
    {"text that is nothing",
     "member: a/b\n"
     "note: ''\n",
     "a.yaml:2:7: 'note' must be text of 1 to 20 bytes; found the text \"\"\n"},
    {"a word with a slip",
     "member: a/b\n"
     "log: {level: wran}\n",
     "a.yaml:2:14: 'level' must be one of debug, info, warn (did you mean warn?); found 'wran'\n"},
    {"another word",
     "member: a/b\n"
     "log: {level: 7}\n",
     "a.yaml:2:14: 'level' must be one of debug, info, warn; found '7'\n"},
    {"a list for a word",
     "member: a/b\n"
     "log: {level: [warn]}\n",
     "a.yaml:2:14: 'level' must be one of debug, info, warn; found a list\n"},
    {"a scalar for a map, asked twice",
     "member: a/b\n"
     "log: warn\n",
     "a.yaml:2:6: 'log' must be a map (lines of 'key: value'); found 'warn'\n"},
    {"a map for a scalar, told once",
     "member: a/b\n"
     "port: {a: 1, b: [2]}\n",
     "a.yaml:2:7: 'port' must be a whole number from 1 to 65535; found a map\n"},
    {"a scalar for a list",
     "member: a/b\n"
     "ports: 5\n",
     "a.yaml:2:8: 'ports' must be a list (lines of '- value'); found '5'\n"},
    {"anchors and aliases",
     "member: a/b\n"
     "note: &n hi\n"
     "ports: &l [1]\n"
     "log: &m {level: info}\n"
     "node: *n\n",
     "a.yaml:2:7: anchors (&n) are not allowed; write the value out\n"
     "a.yaml:3:8: anchors (&l) are not allowed; write the value out\n"
     "a.yaml:4:6: anchors (&m) are not allowed; write the value out\n"
     "a.yaml:5:7: aliases (*n) are not allowed; write the value out\n"},
    {"an alias for a key",
     "member: a/b\n"
     "note: &n hi\n"
     "*n : 5\n",
     "a.yaml:2:7: anchors (&n) are not allowed; write the value out\n"
     "a.yaml:3:1: aliases (*n) are not allowed; write the value out\n"},
    {"a bomb of aliases",
     "member: a/b\n"
     "a: &a [x, x]\n"
     "b: &b [*a, *a]\n",
     "a.yaml:2:4: anchors (&a) are not allowed; write the value out\n"
     "a.yaml:3:4: anchors (&b) are not allowed; write the value out\n"
     "a.yaml:3:8: aliases (*a) are not allowed; write the value out\n"
     "a.yaml:3:12: aliases (*a) are not allowed; write the value out\n"
     "a.yaml:2:1: the key 'a' is unknown here; remove it\n"
     "a.yaml:3:1: the key 'b' is unknown here; remove it\n"},
    {"tags",
     "member: a/b\n"
     "port: !!int 5\n"
     "note: !secret x\n"
     "ports: !!seq [1]\n"
     "log: !!map {level: info}\n"
     "node: ! x\n",
     "a.yaml:2:7: tags (tag:yaml.org,2002:int) are not allowed; quote text with \"...\"\n"
     "a.yaml:3:7: tags (!secret) are not allowed; quote text with \"...\"\n"
     "a.yaml:4:8: tags (tag:yaml.org,2002:seq) are not allowed; quote text with \"...\"\n"
     "a.yaml:5:6: tags (tag:yaml.org,2002:map) are not allowed; quote text with \"...\"\n"
     "a.yaml:6:7: tags (!) are not allowed; quote text with \"...\"\n"},
    {"keys that are not text",
     "member: a/b\n"
     "1: a\n"
     "true: b\n"
     "~: c\n"
     "1.5: d\n",
     "a.yaml:2:1: the key '1' is not text; quote it with \"...\"\n"
     "a.yaml:3:1: the key 'true' is not text; quote it with \"...\"\n"
     "a.yaml:4:1: the key '~' is not text; quote it with \"...\"\n"
     "a.yaml:5:1: the key '1.5' is not text; quote it with \"...\"\n"},
    {"keys that are lists and maps",
     "member: a/b\n"
     "[a, b]: c\n"
     "? {d: e}\n"
     ": f\n"
     "note: ok\n",
     "a.yaml:2:1: a key must be text, not a map or a list; quote it if it is text\n"
     "a.yaml:3:3: a key must be text, not a map or a list; quote it if it is text\n"},
    {"a merge key",
     "member: a/b\n"
     "<<: {port: 1}\n",
     "a.yaml:2:1: the key '<<' would merge maps, which is not allowed; write them out\n"},
    {"two documents",
     "member: a/b\n"
     "---\n"
     "member: c/d\n",
     "a.yaml:2:1: a second document begins here; a file holds one\n"},
    {"a NUL in a text",
     "member: a/b\n"
     "note: \"a\\0b\"\n",
     "a.yaml:2:7: the text has a NUL character (\\0) in it; remove it\n"},
    {"a NUL in a key",
     "member: a/b\n"
     "\"po\\0rt\": 5\n",
     "a.yaml:2:1: the key 'po' has a NUL character (\\0) in it; remove it\n"},
    {"a tab",
     "member: a/b\n"
     "log:\n"
     "\tlevel: info\n",
     "a.yaml:3:1: no YAML from here on: a character that cannot begin a value (a tab? indent with spaces; quote text that begins with @ or `), while scanning for the next token that began on line 3\n"},
    {"not closed",
     "member: a/b\n"
     "ports: [1, 2\n",
     "a.yaml:3:1: no YAML from here on: did not find expected ',' or ']', while parsing a flow sequence that began on line 2\n"},
    {"a quote not closed",
     "member: a/b\n"
     "note: \"abc\n",
     "a.yaml:3:1: no YAML from here on: found unexpected end of stream, while scanning a quoted scalar that began on line 2\n"},
    {"badly indented",
     "member: a/b\n"
     "log:\n"
     "   level: info\n"
     "  file: x\n",
     "a.yaml:4:3: no YAML from here on: did not find expected key, while parsing a block mapping that began on line 1\n"},
    {"control characters, shown harmlessly",
     "member: a/b\n"
     "note: \"\\e[2J\"\n"
     "\"\\e[2J\": 1\n",
     "a.yaml:3:1: the key '\\x1b[2J' is unknown here; remove it\n"},
    {"raw control characters",
     "member: a/b\n"
     "note: \001\n",
     "a.yaml:2:7: no YAML from here on: control characters are not allowed\n"},
    {"a directive",
     "%FOO bar\n"
     "---\n"
     "member: a/b\n",
     "a.yaml:1:5: no YAML from here on: found unknown directive name, while scanning a directive that began on line 1\n"},
    {"another version",
     "%YAML 3.0\n"
     "---\n"
     "member: a/b\n",
     "a.yaml:1:1: no YAML from here on: found incompatible YAML document\n"},
    {"Windows line ends",
     "member: a/b\r\n"
     "port: x\r\n",
     "a.yaml:2:7: 'port' must be a whole number from 1 to 65535; found 'x'\n"},
    {"a byte order mark",
     "\357\273\277member: a/b\n"
     "port: x\n",
     "a.yaml:2:7: 'port' must be a whole number from 1 to 65535; found 'x'\n"},
};
/* clang-format on */

static void
every_mistake_is_found_and_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(verdicts); i++) {
		HT_AUTO(ht_mem_free) char *got = NULL;

		got = verdict(ht_slice_str(verdicts[i].text));
		if (strcmp(got, verdicts[i].want) != 0)
			fail_msg("%s: got:\n%swant:\n%s", verdicts[i].why, got,
			    verdicts[i].want);
	}
}

/* ---- limits ---- */

static void
assert_refused(struct ht_buf *text, enum ht_err want, const char *why)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_conf *conf = NULL;

	assert_ok(text->err);
	assert_err(ht_conf_parse(ht_buf_slice(text), "x", report, &conf), want);
	assert_null(conf);
	assert_int_equal(ht_report_count(report), 1);
	if (strstr(ht_report_text(report, 0), why) == NULL)
		fail_msg("%s", ht_report_text(report, 0));
}

static void
a_document_has_limits(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1 << 20);

	(void)state;
	for (int i = 0; i < HT_YAML_DEPTH + 1; i++)
		ht_buf_u8(&text, '[');
	assert_refused(&text, HT_ETOOBIG, "within each other");
	ht_buf_reset(&text);
	for (int i = 0; i < 100000; i++)
		ht_buf_str(&text, "[");
	assert_refused(&text, HT_ETOOBIG, "within each other");
	ht_buf_reset(&text);
	ht_buf_str(&text, "[");
	for (int i = 0; i < HT_YAML_NODES; i++)
		ht_buf_str(&text, "1,");
	ht_buf_str(&text, "1]");
	assert_refused(&text, HT_ETOOBIG, "more than 50000 values");
	ht_buf_reset(&text);
	for (int i = 0; i <= HT_DOC_MAX; i++)
		ht_buf_u8(&text, '#');
	assert_refused(&text, HT_ETOOBIG, "262145 bytes");
	ht_buf_reset(&text);
	ht_buf_str(&text, "ok: 1\n# \xff");
	assert_refused(&text, HT_EMALFORMED, "UTF-8");
}

static void
as_deep_and_wide_as_allowed_is_fine(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1 << 20);
	HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;
	struct ht_yaml *root;

	(void)state;
	for (int i = 0; i < HT_YAML_DEPTH; i++)
		ht_buf_u8(&text, '[');
	for (int i = 0; i < 20000; i++)
		ht_buf_str(&text, "1,");
	for (int i = 0; i < HT_YAML_DEPTH; i++)
		ht_buf_u8(&text, ']');
	assert_ok(ht_conf_parse(ht_buf_slice(&text), "x", NULL, &conf));
	root = ht_conf_root(conf);
	ht_yaml_take(root);
	for (int i = 1; i < HT_YAML_DEPTH; i++)
		root = ht_yaml_at(root, 0);
	assert_int_equal(ht_yaml_count(root), 20000);
	assert_ok(ht_conf_done(conf));
}

static void
a_long_key_is_refused(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(2000);
	HT_AUTO(ht_mem_free) char *got = NULL;
	char key[302];

	(void)state;
	ht_buf_fmt(&text, "member: a/b\n%0257d: 1\n", 0);
	got = verdict(ht_buf_slice(&text));
	assert_non_null(strstr(got, "is longer than 256 bytes; shorten it\n"));
	/* And no key that long is ever found. */
	memset(key, '0', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	{
		HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;

		assert_ok(
		    ht_conf_parse(ht_slice_str("a: 1"), "x", NULL, &conf));
		assert_null(ht_yaml_get(ht_conf_root(conf), key));
	}
}

/* ---- walking ---- */

static const struct {
	const char *text;
	enum ht_yaml_type type;
} types[] = {
    {"~",          HT_YAML_NULL   },
    {"null",       HT_YAML_NULL   },
    {"''",         HT_YAML_TEXT   },
    {"'null'",     HT_YAML_TEXT   },
    {"Null",       HT_YAML_TEXT   },
    {"true",       HT_YAML_BOOL   },
    {"false",      HT_YAML_BOOL   },
    {"'true'",     HT_YAML_TEXT   },
    {"yes",        HT_YAML_TEXT   },
    {"0",          HT_YAML_INT    },
    {"-0",         HT_YAML_INT    },
    {"12",         HT_YAML_INT    },
    {"-12",        HT_YAML_INT    },
    {"'12'",       HT_YAML_TEXT   },
    {"01",         HT_YAML_TEXT   },
    {"-01",        HT_YAML_TEXT   },
    {"+1",         HT_YAML_TEXT   },
    {"--1",        HT_YAML_TEXT   },
    {"1.5",        HT_YAML_DECIMAL},
    {"-0.5e+10",   HT_YAML_DECIMAL},
    {"1E5",        HT_YAML_DECIMAL},
    {"1.",         HT_YAML_TEXT   },
    {".5",         HT_YAML_TEXT   },
    {"1e",         HT_YAML_TEXT   },
    {"1e+",        HT_YAML_TEXT   },
    {"1.5x",       HT_YAML_TEXT   },
    {"1_000",      HT_YAML_TEXT   },
    {"0x1f",       HT_YAML_TEXT   },
    {".inf",       HT_YAML_TEXT   },
    {"2026-11-24", HT_YAML_TEXT   },
    {"[]",         HT_YAML_LIST   },
    {"{}",         HT_YAML_MAP    },
    {"|\n 12\n",   HT_YAML_TEXT   },
};

static void
scalars_are_typed_as_json_would(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(types); i++) {
		HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;

		assert_ok(ht_conf_parse(
		    ht_slice_str(types[i].text), "x", NULL, &conf));
		if (ht_yaml_type(ht_conf_root(conf)) != types[i].type)
			fail_msg("%s has the type %d", types[i].text,
			    (int)ht_yaml_type(ht_conf_root(conf)));
	}
}

static void
a_tree_is_walked_in_order(void **state)
{
	static const char text[] = "z: 01\n"
	                           "a:\n"
	                           "  - one\n"
	                           "  - \"two\"\n";
	HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;
	char where[HT_WHERE_SIZE];
	struct ht_yaml *root, *list;

	(void)state;
	assert_ok(ht_conf_parse(ht_slice_str(text), "f", NULL, &conf));
	root = ht_conf_root(conf);
	assert_int_equal(ht_yaml_count(root), 2);
	assert_string_equal(ht_yaml_key(root, 0), "z");
	assert_string_equal(ht_yaml_key(root, 1), "a");
	assert_true(ht_slice_is(ht_yaml_scalar(ht_yaml_at(root, 0)), "01"));
	list = ht_yaml_at(root, 1);
	assert_int_equal(ht_yaml_count(list), 2);
	assert_false(ht_yaml_quoted(ht_yaml_at(list, 0)));
	assert_true(ht_yaml_quoted(ht_yaml_at(list, 1)));
	ht_yaml_where(ht_yaml_at(list, 1), where);
	assert_string_equal(where, "f:4:5");
	assert_int_equal(ht_yaml_count(ht_yaml_at(list, 1)), 0);
	assert_int_equal(ht_yaml_count(NULL), 0);
	assert_ok(ht_conf_done(conf));
}

static void
what_nobody_took_is_told_once(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;
	static const char text[] = "a: {b: 1, c: 2}\nd: [1, 2]\ne: {f: 1}\n";
	struct ht_yaml *root;

	(void)state;
	assert_ok(ht_conf_parse(ht_slice_str(text), "x", report, &conf));
	root = ht_conf_root(conf);
	assert_non_null(ht_yaml_get(ht_yaml_get(root, "a"), "b"));
	assert_non_null(ht_yaml_at(ht_yaml_get(root, "d"), 0));
	ht_yaml_take(ht_yaml_get(root, "e"));
	ht_yaml_take(ht_yaml_get(root, "g"));
	assert_err(ht_conf_done(conf), HT_EINVALID);
	assert_err(ht_conf_done(conf), HT_EINVALID);
	assert_int_equal(ht_report_count(report), 2);
	assert_string_equal(ht_report_where(report, 0), "x:1:11");
	assert_string_equal(ht_report_where(report, 1), "x:2:8");
}

static void
a_mistake_counts_without_a_report(void **state)
{
	HT_AUTO(ht_conf_free) struct ht_conf *twice = NULL;
	HT_AUTO(ht_conf_free) struct ht_conf *judged = NULL;
	HT_AUTO(ht_report_free) struct ht_report *late = ht_report_new();

	(void)state;
	assert_ok(
	    ht_conf_parse(ht_slice_str("a: 1\na: 2\n"), "x", NULL, &twice));
	ht_yaml_take(ht_conf_root(twice));
	assert_err(ht_conf_done(twice), HT_EINVALID);
	/* The first one stands, should anybody look all the same. */
	assert_true(ht_slice_is(
	    ht_yaml_scalar(ht_yaml_get(ht_conf_root(twice), "a")), "1"));

	assert_ok(ht_conf_parse(ht_slice_str("5"), "x", NULL, &judged));
	ht_conf_set_report(judged, late);
	ht_yaml_complain(NULL, "nowhere");
	assert_ok(ht_conf_done(judged));
	ht_yaml_complain(ht_conf_root(judged), "%d is %s", 5, "odd");
	assert_err(ht_conf_done(judged), HT_EINVALID);
	assert_string_equal(ht_report_text(late, 0), "5 is odd");
}

/* ---- files and options ---- */

static void
a_file_is_loaded_or_named(void **state)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf large = HT_BUF(HT_DOC_MAX + 1);
	HT_AUTO(ht_mem_free) char *path = NULL;
	char dir[HT_TEST_PATH_MAX], where[HT_WHERE_SIZE];

	(void)state;
	path = ht_fs_join(ht_test_dir(dir), "a.yaml");
	assert_err(ht_conf_load(path, report, &conf), HT_ENOTFOUND);
	assert_err(ht_conf_load(dir, report, &conf), HT_ESYSTEM);
	assert_ok(ht_fs_create(path, 0600, ht_slice_str("a: 1\n")));
	assert_int_equal(ht_report_count(report), 2);
	assert_string_equal(ht_report_where(report, 0), path);
	assert_string_equal(
	    ht_report_text(report, 0), "there is no such file; check the path");
	assert_string_equal(
	    ht_report_text(report, 1), "it cannot be read: Is a directory");
	assert_ok(ht_conf_load(path, report, &conf));
	ht_yaml_where(ht_conf_root(conf), where);
	assert_non_null(strstr(where, "/a.yaml:1:1"));
	memset(ht_buf_room(&large, HT_DOC_MAX + 1), '#', HT_DOC_MAX + 1);
	assert_ok(ht_fs_replace(path, 0600, ht_buf_slice(&large)));
	assert_err(ht_conf_load(path, report, &conf), HT_ETOOBIG);
	assert_string_equal(ht_report_text(report, 2),
	    "it has more than 262144 bytes; split it");
	ht_test_dir_remove(dir);
}

static const struct {
	const char *text;
	bool is_size;
	enum ht_err err;
	uint64_t value;
} units[] = {
    {"500ms",                  false, HT_OK,         500       },
    {"0s",                     false, HT_OK,         0         },
    {"90d",                    false, HT_OK,         7776000000},
    {"010m",                   false, HT_OK,         600000    },
    {"2H",                     false, HT_EMALFORMED, 0         },
    {"s",                      false, HT_EMALFORMED, 0         },
    {"",                       false, HT_EMALFORMED, 0         },
    {"-5s",                    false, HT_EMALFORMED, 0         },
    {"1.5h",                   false, HT_EMALFORMED, 0         },
    {"5 s",                    false, HT_EMALFORMED, 0         },
    {"18446744073709551615ms", false, HT_OK,         UINT64_MAX},
    {"18446744073709551616ms", false, HT_ETOOBIG,    0         },
    {"213503982335d",          false, HT_ETOOBIG,    0         },
    {"512B",                   true,  HT_OK,         512       },
    {"64KiB",                  true,  HT_OK,         65536     },
    {"3GiB",                   true,  HT_OK,         3221225472},
    {"64K",                    true,  HT_EMALFORMED, 0         },
    {"64",                     true,  HT_EMALFORMED, 0         },
};

static void
numbers_have_units(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(units); i++) {
		struct ht_slice text = ht_slice_str(units[i].text);
		uint64_t v = 0;
		enum ht_err err = units[i].is_size
		                      ? ht_conf_parse_size(text, &v)
		                      : ht_conf_parse_ms(text, &v);

		if (err != units[i].err || v != units[i].value)
			fail_msg("'%s': %s, %ju", units[i].text,
			    ht_err_text(err), (uintmax_t)v);
	}
}

/* ---- torture ---- */

static enum ht_err
parse_and_read(struct ht_report *report)
{
	HT_AUTO(ht_conf_free) struct ht_conf *conf = NULL;
	static const char text[] = "member: a/b\nports: [1, 2, 3, 4, 5, 6, 7, "
	                           "8, 9]\nlog: {level: info}\nprot: 5\n";
	struct settings settings = {0};
	enum ht_err err;

	err = ht_conf_parse(ht_slice_str(text), "x", report, &conf);
	if (err != HT_OK)
		return err;
	read_settings(conf, &settings);
	err = ht_conf_done(conf);
	/* Hints may be lost for want of memory, mistakes may not. */
	assert_err(err, HT_EINVALID);
	assert_string_equal(settings.member, "a/b");
	assert_int_equal(settings.ports, 45);
	return HT_OK;
}

static void
parsing_survives_no_memory(void **state)
{
	enum ht_err err = HT_OK;

	(void)state;
	TORTURE(err = parse_and_read(NULL))
	{
		assert_true(err == HT_ENOMEM || err == HT_OK);
	}
	assert_ok(err);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(settings_are_read),
    cmocka_unit_test(defaults_stay_where_nothing_is_written),
    cmocka_unit_test(every_mistake_is_found_and_named),
    cmocka_unit_test(a_document_has_limits),
    cmocka_unit_test(as_deep_and_wide_as_allowed_is_fine),
    cmocka_unit_test(a_long_key_is_refused),
    cmocka_unit_test(scalars_are_typed_as_json_would),
    cmocka_unit_test(a_tree_is_walked_in_order),
    cmocka_unit_test(what_nobody_took_is_told_once),
    cmocka_unit_test(a_mistake_counts_without_a_report),
    cmocka_unit_test(a_file_is_loaded_or_named),
    cmocka_unit_test(numbers_have_units),
    cmocka_unit_test(parsing_survives_no_memory),
};

HT_TEST_MAIN(tests)
