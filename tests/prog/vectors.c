/*
 * vectors -- write tests/vectors/ anew: cosignatures and policies, good and
 * bad, from keys whose seeds are 32 equal bytes.
 *
 *   vectors DIR         DIR/cosignature and DIR/policy must be there
 *
 * tests/cli/vectors.t compares what this writes with what is published, and
 * lets openssl and a page of Python say the same of each.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/quorum.h"
#include "lib/base/fs.h"
#include "lib/base/panic.h"

#define TIME   UINT64_C(1679315147)
#define LABEL  "cosignature/v1\n"
#define ORIGIN "log.example"
#define TEXT   ORIGIN "\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
#define FORK   ORIGIN "\n20852163\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n"
#define EMPTY  ORIGIN "\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"

/* ---- the keys: seed byte, name ---- */

static const struct signer {
	const char *id;   /* in the tables below */
	const char *name; /* the key's */
	uint8_t seed;
	bool witness;
} signers[] = {
    {"log",   ORIGIN,               0x01, false},
    {"log2",  "other.example",      0x02, false},
    {"log3",  ORIGIN,               0x03, false},
    {"alias", "another.example",    0x01, false},
    {"w1",    "witness.example/w1", 0x11, true },
    {"w2",    "witness.example/w2", 0x12, true },
    {"w1as",  "witness.example/wx", 0x11, true },
    {"logw",  "witness.example/l",  0x01, true },
    {"X1",    "witness.example/x1", 0x21, true },
    {"X2",    "witness.example/x2", 0x22, true },
    {"X3",    "witness.example/x3", 0x23, true },
    {"Y1",    "witness.example/y1", 0x31, true },
    {"Y2",    "witness.example/y2", 0x32, true },
    {"Y3",    "witness.example/y3", 0x33, true },
};

static void
must(enum ht_err err, const char *what)
{
	if (err == HT_OK)
		return;
	fprintf(stderr, "vectors: %s: %s\n", what, ht_err_text(err));
	exit(1);
}

static const struct signer *
signer(const char *id, size_t len)
{
	for (size_t i = 0; i < HT_COUNT(signers); i++)
		if (strlen(signers[i].id) == len &&
		    memcmp(signers[i].id, id, len) == 0)
			return &signers[i];
	fprintf(stderr, "vectors: nobody is called %.*s\n", (int)len, id);
	exit(1);
}

static struct ht_key *
key_of(const struct signer *who)
{
	struct ht_key *key = NULL;
	uint8_t seed[32];

	memset(seed, who->seed, sizeof(seed));
	must(ht_key_from_seed(
	         who->witness ? HT_KEY_WITNESS : HT_KEY_LOG, seed, &key),
	    who->id);
	return key;
}

static struct ht_vkey
vkey_as(const struct signer *who, enum ht_vkey_type type)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_of(who);
	struct ht_pub pub = ht_key_pub(key);
	struct ht_vkey vkey;

	must(ht_vkey_make_as(who->name, type, &pub, &vkey), who->id);
	return vkey;
}

static void
add_vkey(const struct signer *who, struct ht_buf *out)
{
	struct ht_vkey vkey =
	    vkey_as(who, who->witness ? HT_VKEY_COSIGN : HT_VKEY_NOTE);
	char text[HT_VKEY_MAX];

	ht_vkey_text(&vkey, text);
	ht_buf_str(out, text);
}

/* ---- lines, right and wrong ---- */

/* What is in a line, where it differs from what ought to be: 0 is "right". */
struct craft {
	const char *by;
	uint64_t time;     /* in the payload; 0: TIME */
	const char *label; /* else cosignature/v1 */
	const char *said;  /* else "time N\n" */
	const char *text;  /* else the note's */
	unsigned len;      /* of the payload behind the id; else 72 */
	unsigned type;     /* of the id; else 4 */
	bool bare;         /* no time in the payload */
	bool zero;         /* the time is 0, said and signed */
};

static void
add_line(const struct craft *c, const char *text, struct ht_buf *out)
{
	const struct signer *who = signer(c->by, strlen(c->by));
	HT_AUTO(ht_key_free) struct ht_key *key = key_of(who);
	HT_AUTO(ht_buf_fini) struct ht_buf said = HT_BUF(1000);
	uint64_t time_s = c->zero ? 0 : c->time != 0 ? c->time : TIME;
	uint8_t blob[4 + HT_COSIG_SIZE + 8] = {0};
	char b64[HT_B64_SIZE(sizeof(blob))];
	size_t at = c->bare ? 4 : 12;
	struct ht_vkey vkey =
	    vkey_as(who, c->type != 0 ? c->type : HT_VKEY_COSIGN);
	struct ht_sig sig;

	if (c->said != NULL)
		ht_buf_str(&said, c->said);
	else
		ht_buf_fmt(&said, "time %" PRIu64 "\n", time_s);
	ht_buf_str(&said, c->text != NULL ? c->text : text);
	must(ht_sign(key, c->label != NULL ? c->label : LABEL,
	         ht_buf_slice(&said), &sig),
	    c->by);
	ht_be32(blob, vkey.id);
	if (!c->bare)
		ht_be64(blob + 4, time_s);
	memcpy(blob + at, sig.at, HT_SIG_SIZE);
	ht_b64(b64, blob, c->len != 0 ? 4 + c->len : at + HT_SIG_SIZE);
	ht_buf_fmt(out, "\xe2\x80\x94 %s %s\n", who->name, b64);
}

static void
add_log_line(const char *text, const char *by, struct ht_buf *out)
{
	const struct signer *who = signer(by, strlen(by));
	HT_AUTO(ht_key_free) struct ht_key *key = key_of(who);

	must(ht_note_sign(ht_slice_str(text), false, who->name, key, out), by);
}

/* ---- cosignatures ---- */

#define MAX_TIME UINT64_C(9223372036854775807)
static const struct cosignature {
	const char *name, *want, *why;
	const char *text; /* else TEXT */
	struct craft lines[3];
} cosignatures[] = {
    {"one",           "valid",  "a log and its witness",                     NULL,  {{.by = "w1"}}           },
    {"first-second",  "valid",  "the least time, no leading zero",           NULL,
     {{.by = "w1", .time = 1}}                                                                               },
    {"last-second",   "valid",  "the greatest time, 2^63 - 1",               NULL,
     {{.by = "w1", .time = MAX_TIME}}                                                                        },
    {"empty-tree",    "valid",  "of size 0",                                 EMPTY, {{.by = "w1"}}           },
    {"two-witnesses", "valid",  "another witness's line before",             NULL,
     {{.by = "w2"}, {.by = "w1"}}                                                                            },
    {"twice",         "valid",  "two lines, the latest counts",              NULL,
     {{.by = "w1"}, {.by = "w1", .time = TIME - 5}}                                                          },
    {"unknown-type",  "valid",  "a line of a type that nobody knows",        NULL,
     {{.by = "w2", .type = 0xfe, .len = 76}, {.by = "w1"}}                                                   },
    {"log-alone",     "absent", "no cosignature at all",                     NULL,  {{.by = NULL}}           },
    {"another",       "absent", "another witness's alone",                   NULL,  {{.by = "w2"}}           },
    {"another-name",  "absent", "the same key by another name",              NULL,
     {{.by = "w1as"}}                                                                                        },
    {"as-type-1",     "absent", "the id of a key that signs texts",          NULL,
     {{.by = "w1", .type = 1, .bare = true, .label = "", .said = ""}}                                        },
    {"plain",         "false",  "the text alone was signed",                 NULL,
     {{.by = "w1", .label = "", .said = ""}}                                                                 },
    {"no-label",      "false",  "time and text were signed",                 NULL,
     {{.by = "w1", .label = ""}}                                                                             },
    {"back-dated",    "false",  "another time was signed than is given",     NULL,
     {{.by = "w1", .time = TIME - 86400, .said = "time 1679315147\n"}}                                       },
    {"leading-zero",  "false",  "the time was signed with a zero before it", NULL,
     {{.by = "w1", .said = "time 01679315147\n"}}                                                            },
    {"another-root",  "false",  "a fork's root was signed",                  NULL,
     {{.by = "w1", .text = FORK}}                                                                            },
    {"no-time",       "false",  "a signature without its time",              NULL,
     {{.by = "w1", .bare = true}}                                                                            },
    {"too-long",      "false",  "a byte too many",                           NULL,  {{.by = "w1", .len = 73}}},
    {"time-0",        "false",  "a witness must say when",                   NULL,
     {{.by = "w1", .zero = true}}                                                                            },
    {"time-2-63",     "false",  "a time past 2^63 - 1",                      NULL,
     {{.by = "w1", .time = MAX_TIME + 1}}                                                                    },
    {"one-false",     "false",  "one good line, one false",                  NULL,
     {{.by = "w1"}, {.by = "w1", .time = TIME + 5, .text = FORK}}                                            },
};

static void
write_file(const char *dir, const char *kind, const char *name,
    const char *ending, const struct ht_buf *bytes)
{
	char path[4096];

	must(bytes->err, name);
	(void)snprintf(
	    path, sizeof(path), "%s/%s/%s%s", dir, kind, name, ending);
	must(ht_fs_replace(path, 0644, ht_buf_slice(bytes)), path);
}

/* The time that a checker must find: the latest of the witness's own. */
static uint64_t
latest(const struct cosignature *c)
{
	uint64_t best = 0;

	for (size_t i = 0; i < 3 && c->lines[i].by != NULL; i++)
		if (strcmp(c->lines[i].by, "w1") == 0) {
			uint64_t t = c->lines[i].time;

			t = t != 0 ? t : TIME;
			best = t > best ? t : best;
		}
	return best;
}

static void
write_cosignatures(const char *dir)
{
	HT_AUTO(ht_buf_fini) struct ht_buf list = HT_BUF(1 << 16);

	for (size_t i = 0; i < HT_COUNT(cosignatures); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(1 << 16);
		const struct cosignature *c = &cosignatures[i];
		const char *text = c->text != NULL ? c->text : TEXT;

		add_log_line(text, "log", &note);
		for (size_t n = 0; n < 3 && c->lines[n].by != NULL; n++)
			add_line(&c->lines[n], text, &note);
		write_file(dir, "cosignature", c->name, ".note", &note);
		ht_buf_fmt(&list, "%s\t%s\t%" PRIu64 "\t", c->name, c->want,
		    strcmp(c->want, "valid") == 0 ? latest(c) : 0);
		add_vkey(signer("w1", 2), &list);
		ht_buf_fmt(&list, "\t%s\n", c->why);
	}
	write_file(dir, "cosignature", "index", ".tsv", &list);
}

/* ---- policies ---- */

/* Checkpoints: who signed them; "!" before a cosigner: falsely. */
static const struct {
	const char *name, *log, *by[5];
} notes[] = {
    {"log",       "log",  {NULL}            },
    {"log2",      "log2", {NULL}            },
    {"log3",      "log3", {NULL}            },
    {"x1",        "log",  {"X1"}            },
    {"y1",        "log",  {"Y1"}            },
    {"x1-y1",     "log",  {"X1", "Y1"}      },
    {"x1-x2",     "log",  {"X1", "X2"}      },
    {"x1-x2-x3",  "log",  {"X1", "X2", "X3"}},
    {"x1-x3-y2",  "log",  {"X1", "X3", "Y2"}},
    {"x1-x1",     "log",  {"X1", "X1"}      },
    {"not-x1-y1", "log",  {"!X1", "Y1"}     },
};

#define SIX                                                                    \
	"witness X1 @X1\nwitness X2 @X2\nwitness X3 @X3\n"                     \
	"witness Y1 @Y1\nwitness Y2 @Y2\nwitness Y3 @Y3\n"
#define TWO "log @log\nwitness X1 @X1\nwitness Y1 @Y1\n"

/* @id is that key; NULL for the length: strlen. */
static const struct policy {
	const char *name, *why, *text;
	unsigned bad_line;        /* of a policy that is none */
	const char *judged[5][2]; /* note, want */
} policies[] = {
    {"example",          "two levels of groups, as in the specification",
     "log @log\n\n" SIX "group X-witnesses 2 X1 X2 X3\n"
        "group Y-witnesses any Y1 Y2 Y3\n\n"
        "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n",                                                                  0,
     {{"x1-x3-y2", "met"}, {"x1-x2-x3", "unmet"}, {"x1-y1", "unmet"},
            {"log", "unmet"}, {"not-x1-y1", "false"}}                                                                                                                                           },
    {"none",             "nobody need cosign, but nobody may do so falsely",
     TWO "quorum none\n",                                                                                                               0,
     {{"log", "met"}, {"x1", "met"}, {"not-x1-y1", "false"},
            {"log2", "false"}}                                                                                                                                                                  },
    {"single",           "one witness by name",                                         TWO "quorum X1\n",                              0,
     {{"x1", "met"}, {"y1", "unmet"}, {"not-x1-y1", "false"}}                                                                                                                                   },
    {"any",              "any of two",                                                  TWO "group g any X1 Y1\nquorum g\n",            0,
     {{"x1", "met"}, {"y1", "met"}, {"x1-x2", "met"}, {"log", "unmet"}}                                                                                                                         },
    {"all",              "all of two",                                                  TWO "group g all X1 Y1\nquorum g\n",            0,
     {{"x1-y1", "met"}, {"x1", "unmet"}, {"x1-x1", "unmet"}}                                                                                                                                    },
    {"outside",          "a witness outside the quorum counts for nothing",
     "log @log\n" SIX "group g 2 X1 X2\nquorum g\n",                                                                                    0,
     {{"x1-x2", "met"}, {"x1-y1", "unmet"}}                                                                                                                                                     },
    {"space",            "comments, empty lines, tabs, addresses, any order of lines",
     "# who we trust\n\n \t\n\twitness  X1\t@X1  https://w.example/x\n"
        "  # indented\nlog\t@log https://log.example \nquorum X1 \n",                                                                   0, {{"x1", "met"}, {"y1", "unmet"}}                     },
    {"names",            "names are bytes: a keyword, a number, Chinese, a key's name",
     "log @log\nwitness all @X1\nwitness 2 @X2\nwitness 税务局 @Y1\n"
        "group any 2 all 2 税务局\nquorum any\n",                                                                                    0, {{"x1-x2", "met"}, {"x1-y1", "met"}, {"x1", "unmet"}}},
    {"two-keys",         "two keys of one log",                                         "log @log\nlog @log3\nquorum none\n",           0,
     {{"log", "met"}, {"log3", "met"}, {"log2", "false"}}                                                                                                                                       },
    {"another-origin",   "the right key by another log's name",
     "log @alias\nquorum none\n",                                                                                                       0, {{"log", "false"}}                                   },
    {"no-log",           "no log is known: a policy, and nothing passes it",
     "witness X1 @X1\nquorum X1\n",                                                                                                     0, {{"x1", "false"}}                                    },

    {"no-quorum",        "no quorum line",                                              TWO,                                            4, {{NULL}}                                             },
    {"empty",            "nothing",                                                     "",                                             1, {{NULL}}                                             },
    {"two-quorums",      "a second quorum line",                                        TWO "quorum X1\nquorum X1\n",                   5,
     {{NULL}}                                                                                                                                                                                   },
    {"quorum-unknown",   "a name that no line gives",                                   TWO "quorum X2\n",                              4,
     {{NULL}}                                                                                                                                                                                   },
    {"quorum-before",    "a name that a later line gives",
     "log @log\nquorum X1\nwitness X1 @X1\n",                                                                                           2, {{NULL}}                                             },
    {"quorum-of-two",    "two names",                                                   TWO "quorum X1 Y1\n",                           4, {{NULL}}                                             },
    {"member-later",     "a member that a later line gives",
     "log @log\nwitness X1 @X1\ngroup g any X1 X2\nwitness X2 @X2\n"
        "quorum g\n",                                                                                                                   3, {{NULL}}                                             },
    {"member-itself",    "a group in itself",                                           TWO "group g any X1 g\nquorum g\n",
     4,                                                                                                                                    {{NULL}}                                             },
    {"member-twice",     "a member twice in a group",
     TWO "group g 2 X1 X1\nquorum g\n",                                                                                                 4, {{NULL}}                                             },
    {"member-of-two",    "a member of two groups",
     TWO "group g any X1 Y1\ngroup h any X1\nquorum g\n",                                                                               5, {{NULL}}                                             },
    {"member-none",      "none is no member",                                           TWO "group g any X1 none\nquorum g\n",
     4,                                                                                                                                    {{NULL}}                                             },
    {"no-member",        "a group of nobody",                                           TWO "group g any\nquorum X1\n",                 4,
     {{NULL}}                                                                                                                                                                                   },
    {"k-0",              "none of them",                                                TWO "group g 0 X1 Y1\nquorum g\n",              4, {{NULL}}                                             },
    {"k-3",              "three of two",                                                TWO "group g 3 X1 Y1\nquorum g\n",              4, {{NULL}}                                             },
    {"k-plus",           "a sign",                                                      TWO "group g +1 X1 Y1\nquorum g\n",             4, {{NULL}}                                             },
    {"k-hex",            "no decimal",                                                  TWO "group g 0x1 X1 Y1\nquorum g\n",            4, {{NULL}}                                             },
    {"k-word",           "no number",                                                   TWO "group g most X1 Y1\nquorum g\n",           4, {{NULL}}                                             },
    {"k-4294967297",     "1, past 32 bits",
     TWO "group g 4294967297 X1 Y1\nquorum g\n",                                                                                        4, {{NULL}}                                             },
    {"name-none",        "a witness called none",
     "log @log\nwitness none @X1\nquorum none\n",                                                                                       2, {{NULL}}                                             },
    {"name-twice",       "a name given twice",
     "log @log\nwitness X1 @X1\nwitness X1 @X2\nquorum X1\n",                                                                           3, {{NULL}}                                             },
    {"group-as-witness", "a group by a witness's name",
     TWO "group X1 any Y1\nquorum X1\n",                                                                                                4, {{NULL}}                                             },
    {"key-twice",        "a witness twice, by two names of its key",
     "log @log\nwitness a @w1\nwitness b @w1as\nquorum a\n",                                                                            3, {{NULL}}                                             },
    {"log-twice",        "a log twice, by two names of its key",
     "log @log\nlog @alias\nquorum none\n",                                                                                             2, {{NULL}}                                             },
    {"log-as-witness",   "the log's key as its own witness",
     "log @log\nwitness l @logw\nquorum l\n",                                                                                           2, {{NULL}}                                             },
    {"type-1-witness",   "a witness's key of a log's type",
     "log @log\nwitness X1 @log2\nquorum X1\n",                                                                                         2, {{NULL}}                                             },
    {"type-4-log",       "a log's key of a witness's type",                             "log @X1\nquorum none\n",
     1,                                                                                                                                    {{NULL}}                                             },
    {"no-key",           "a witness without a key",                                     "log @log\nwitness X1\nquorum X1\n",
     2,                                                                                                                                    {{NULL}}                                             },
    {"bad-key",          "no key",                                                      "log log.example+01020304+AAAA\nquorum none\n", 1,
     {{NULL}}                                                                                                                                                                                   },
    {"word",             "a word that begins no line",                                  TWO "weight X1 2\nquorum X1\n",                 4,
     {{NULL}}                                                                                                                                                                                   },
    {"upper-case",       "words are small",                                             "Log @log\nquorum none\n",                      1, {{NULL}}                                             },
    {"log-of-four",      "a word too many",                                             "log @log a b\nquorum none\n",                  1,
     {{NULL}}                                                                                                                                                                                   },
    {"comment-behind",   "a comment has a line of its own",
     TWO "quorum X1 # ours\n",                                                                                                          4, {{NULL}}                                             },
    {"crlf",             "a carriage return",                                           "log @log\r\nquorum none\r\n",                  1, {{NULL}}                                             },
    {"escape",           "an escape",                                                   "log @log\n# \x1b[2J\nquorum none\n",           2, {{NULL}}                                             },
    {"delete",           "DEL",                                                         "log @log\n# \x7f\nquorum none\n",              2, {{NULL}}                                             },
    {"no-newline",       "the last line does not end",                                  "log @log\nquorum none",                        2,
     {{NULL}}                                                                                                                                                                                   },
};

/* The text with every @id written out. */
static void
expand(const char *text, struct ht_buf *out)
{
	while (*text != '\0') {
		size_t plain = strcspn(text, "@"), id;

		ht_buf_add(out, text, plain);
		text += plain;
		if (*text == '\0')
			return;
		id = strspn(text + 1, "abcdefghijklmnopqrstuvwxyzXY0123456789");
		add_vkey(signer(text + 1, id), out);
		text += 1 + id;
	}
}

static void
write_notes(const char *dir)
{
	for (size_t i = 0; i < HT_COUNT(notes); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf note = HT_BUF(1 << 16);

		add_log_line(
		    strcmp(notes[i].log, "log2") == 0
		        ? "other.example\n1\n"
		          "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs="
		          "\n"
		        : TEXT,
		    notes[i].log, &note);
		for (size_t n = 0; n < 5 && notes[i].by[n] != NULL; n++) {
			const char *by = notes[i].by[n];
			struct craft c = {.by = by, .time = TIME + n};

			if (by[0] == '!')
				c = (struct craft){.by = by + 1, .text = FORK};
			add_line(&c, TEXT, &note);
		}
		write_file(dir, "policy", notes[i].name, ".note", &note);
	}
}

static void
write_policies(const char *dir)
{
	HT_AUTO(ht_buf_fini) struct ht_buf list = HT_BUF(1 << 16);

	write_notes(dir);
	for (size_t i = 0; i < HT_COUNT(policies); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(1 << 16);
		const struct policy *p = &policies[i];

		expand(p->text, &text);
		write_file(dir, "policy", p->name, ".policy", &text);
		if (p->bad_line != 0)
			ht_buf_fmt(&list, "%s\t-\tline %u\t%s\n", p->name,
			    p->bad_line, p->why);
		for (size_t n = 0; n < 5 && p->judged[n][0] != NULL; n++)
			ht_buf_fmt(&list, "%s\t%s\t%s\t%s\n", p->name,
			    p->judged[n][0], p->judged[n][1], p->why);
	}
	write_file(dir, "policy", "index", ".tsv", &list);
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: vectors DIR\n", stderr);
		return 2;
	}
	must(ht_keys_init(), "keys");
	write_cosignatures(argv[1]);
	write_policies(argv[1]);
	return 0;
}
