/*
 * t_note.c -- signed notes: the vectors of C2SP's signed-note page, of a
 * public test log (transparency-dev/tessera, testdata/log) and of Go's
 * sumdb/note; and each rule of the format broken once.
 */
#include "tests/lib/test.h"

#include "keys/note.h"
#include "tests/lib/fault.h"

#define DASH "\xe2\x80\x94 "

static const char foo_vkey[] =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
static const char foo_note[] =
    "This is an example message.\n\n" DASH
    "example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2O"
    "NncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

static const char log_vkey[] = "example.com/log/testdata+33d7b496+"
                               "AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
static const char log_note[] =
    "example.com/log/testdata\n15\n"
    "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n\n" DASH
    "example.com/log/testdata M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEn"
    "iMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/dlPWF74ewI=\n";

/* Two signers; EnochRoot's secret is 32 zero bytes. */
static const char peter_vkey[] =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char enoch_vkey[] =
    "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
#define GO_TEXT                                                                \
	"If you think cryptography is the answer to your problem,\n"           \
	"then you don't know what your problem is.\n"
#define PETER_LINE                                                             \
	DASH "PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGU"  \
	     "gYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
#define ENOCH_LINE                                                             \
	DASH "EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp"  \
	     "+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"

static struct ht_vkey
vkey_of(const char *text)
{
	struct ht_vkey vkey;

	assert_ok(ht_vkey_parse(ht_slice_str(text), &vkey));
	return vkey;
}

static struct ht_key *
enoch(void)
{
	static const uint8_t zero[32];
	struct ht_key *key;

	assert_ok(ht_key_from_seed(HT_KEY_OFFICER, zero, &key));
	return key;
}

/* Parse and verify in one: the first error of the two. */
static enum ht_err
verify(struct ht_slice bytes, const struct ht_vkey *keys, size_t n,
    uint64_t *ret_signed)
{
	struct ht_note note;
	enum ht_err err = ht_note_parse(bytes, &note);

	return err == HT_OK ? ht_note_verify(&note, keys, n, ret_signed) : err;
}

/* ---- the public notes ---- */

static void
public_notes_verify(void **state)
{
	static const struct {
		const char *vkey, *note;
	} all[] = {
	    {foo_vkey,   foo_note                          },
	    {log_vkey,   log_note                          },
	    {peter_vkey, GO_TEXT "\n" PETER_LINE           },
	    {enoch_vkey, GO_TEXT "\n" PETER_LINE ENOCH_LINE},
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(all); i++) {
		struct ht_vkey vkey = vkey_of(all[i].vkey);
		char text[HT_VKEY_MAX];
		uint64_t has = 0;

		assert_ok(verify(ht_slice_str(all[i].note), &vkey, 1, &has));
		assert_int_equal(has, 1);
		ht_vkey_text(&vkey, text);
		assert_string_equal(text, all[i].vkey);
	}
}

static void
any_changed_bit_is_noticed(void **state)
{
	struct ht_vkey vkey = vkey_of(log_vkey);
	char bytes[sizeof(log_note)];
	struct ht_checkpoint cp;

	(void)state;
	for (size_t bit = 0; bit < 8 * (sizeof(log_note) - 1); bit++) {
		memcpy(bytes, log_note, sizeof(log_note));
		bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
		if (ht_checkpoint_open(HT_SLICE(bytes, sizeof(bytes) - 1),
		        &vkey, &cp) == HT_OK)
			fail_msg("a change at bit %zu went unnoticed", bit);
	}
}

static void
any_cut_is_noticed(void **state)
{
	struct ht_vkey vkey = vkey_of(log_vkey);
	struct ht_checkpoint cp;

	(void)state;
	for (size_t len = 0; len < sizeof(log_note) - 1; len++)
		assert_err(
		    ht_checkpoint_open(HT_SLICE(log_note, len), &vkey, &cp),
		    HT_EMALFORMED);
}

/* ---- signing ---- */

static void
signing_is_byte_exact(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = enoch();
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);
	struct ht_vkey vkey;
	struct ht_pub pub = ht_key_pub(key);
	char text[HT_VKEY_MAX];

	(void)state;
	assert_ok(ht_vkey_make("EnochRoot", &pub, &vkey));
	ht_vkey_text(&vkey, text);
	assert_string_equal(text, enoch_vkey);
	assert_ok(
	    ht_note_sign(ht_slice_str(GO_TEXT), false, "EnochRoot", key, &out));
	assert_string_equal(ht_buf_text(&out), GO_TEXT "\n" ENOCH_LINE);
	/* A second signer adds a line and touches nothing else. */
	ht_buf_reset(&out);
	assert_ok(ht_note_sign(ht_slice_str(GO_TEXT "\n" PETER_LINE), true,
	    "EnochRoot", key, &out));
	assert_string_equal(
	    ht_buf_text(&out), GO_TEXT "\n" PETER_LINE ENOCH_LINE);
	/* The same signer again: still one line of theirs. */
	ht_buf_reset(&out);
	assert_ok(ht_note_sign(ht_slice_str(GO_TEXT "\n" ENOCH_LINE PETER_LINE),
	    true, "EnochRoot", key, &out));
	assert_string_equal(
	    ht_buf_text(&out), GO_TEXT "\n" PETER_LINE ENOCH_LINE);
}

static void
texts_with_empty_lines_come_back(void **state)
{
	static const char *const texts[] = {"\n", "\n\n", "a\n\n", "a\n\nb\n",
	    "a\n\n" ENOCH_LINE, "互通：共享目录\n"};
	HT_AUTO(ht_key_free) struct ht_key *key = enoch();
	struct ht_vkey vkey = vkey_of(enoch_vkey);

	(void)state;
	for (size_t i = 0; i < HT_COUNT(texts); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);
		struct ht_note note;
		uint64_t has = 0;

		assert_ok(ht_note_sign(
		    ht_slice_str(texts[i]), false, "EnochRoot", key, &out));
		assert_ok(ht_note_parse(ht_buf_slice(&out), &note));
		assert_true(ht_slice_is(note.text, texts[i]));
		assert_int_equal(note.n_sigs, 1);
		assert_ok(ht_note_verify(&note, &vkey, 1, &has));
		assert_int_equal(has, 1);
	}
}

static void
what_cannot_stand_in_a_note_is_not_signed(void **state)
{
	static const char *const texts[] = {"", "no newline", "a\rb\n",
	    "tab\t\n", "\x1b[2J\n", "\x7f\n", "\xc2\x85\n", "\xc2\x9bJ\n",
	    "\xff\n", "\xc0\xaf\n", "\xed\xa0\x80\n"};
	HT_AUTO(ht_key_free) struct ht_key *key = enoch();
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);
	HT_AUTO(ht_mem_free) char *big = malloc(HT_DOC_MAX + 2);

	(void)state;
	for (size_t i = 0; i < HT_COUNT(texts); i++)
		assert_err(ht_note_sign(ht_slice_str(texts[i]), false,
		               "EnochRoot", key, &out),
		    HT_EMALFORMED);
	assert_err(
	    ht_note_sign(HT_SLICE("a\0b\n", 4), false, "EnochRoot", key, &out),
	    HT_EMALFORMED);
	assert_err(
	    ht_note_sign(ht_slice_str("a\n"), false, "two words", key, &out),
	    HT_EMALFORMED);
	assert_non_null(big);
	memset(big, '\n', HT_DOC_MAX + 2);
	assert_err(ht_note_sign(HT_SLICE(big, HT_DOC_MAX + 1), false,
	               "EnochRoot", key, &out),
	    HT_ETOOBIG);
	out.max = HT_DOC_MAX + 4096;
	assert_err(ht_note_sign(HT_SLICE(big, HT_DOC_MAX), false, "EnochRoot",
	               key, &out),
	    HT_ETOOBIG);
	assert_int_equal(out.len, 0);
}

/* ---- the form ---- */

#define GOOD "a\n\n" ENOCH_LINE
static const struct {
	const char *why;
	struct ht_slice note;
	bool good;
} forms[] = {
#define BYTES(s)                                                               \
	{                                                                      \
		(const uint8_t *)(s), sizeof(s) - 1                            \
	}
    {"a plain note",                       BYTES(GOOD),                                     true },
    {"nothing",                            BYTES(""),                                       false},
    {"no signature",                       BYTES("a\n\n"),                                  false},
    {"no empty line",                      BYTES("a\n" ENOCH_LINE),                         false},
    {"no text",                            BYTES("\n" ENOCH_LINE),                          false},
    {"nothing but an empty line",          BYTES("\n\n"),                                   false},
    {"an empty line as text",              BYTES("\n\n" ENOCH_LINE),                        true },
    {"the last empty line counts",         BYTES("a\n\nb\n\n" ENOCH_LINE),                  true },
    {"an empty line after the signatures", BYTES(GOOD "\n"),                                false},
    {"an empty line between",              BYTES(GOOD "\n" ENOCH_LINE),                     true },
    {"text after the signatures",          BYTES(GOOD "b\n"),                               false},
    {"no newline at the end",              BYTES("a\n\n" DASH "n AAAAAAA="),                false},
    {"an unknown signature of 1 byte",     BYTES("a\n\n" DASH "n AAAAAAA=\n"),
                        true                                                                                        },
    {"a signature of 0 bytes",             BYTES("a\n\n" DASH "n AAAAAA==\n"),              false},
    {"only half an id",                    BYTES("a\n\n" DASH "n AAA=\n"),                  false},
    {"no base64",                          BYTES("a\n\n" DASH "n AAAA*AA=\n"),              false},
    {"base64 with a space",                BYTES("a\n\n" DASH "n AAAA AA=\n"),              false},
    {"base64 with stray bits",             BYTES("a\n\n" DASH "n AAAAAAB=\n"),              false},
    {"base64 without padding",             BYTES("a\n\n" DASH "n AAAAAAA\n"),               false},
    {"no base64 at all",                   BYTES("a\n\n" DASH "n\n"),                       false},
    {"nor after a space",                  BYTES("a\n\n" DASH "n \n"),                      false},
    {"two spaces",                         BYTES("a\n\n" DASH "n  AAAAAAA=\n"),             false},
    {"a space at the end",                 BYTES("a\n\n" DASH "n AAAAAAA= \n"),             false},
    {"an en dash",                         BYTES("a\n\n\xe2\x80\x93 n AAAAAAA=\n"),         false},
    {"no space after the dash",            BYTES("a\n\n\xe2\x80\x94n AAAAAAA=\n"),          false},
    {"a dash alone",                       BYTES("a\n\n\xe2\x80\x94\n"),                    false},
    {"an empty key name",                  BYTES("a\n\n" DASH " AAAAAAA=\n"),               false},
    {"a plus in the name",                 BYTES("a\n\n" DASH "n+m AAAAAAA=\n"),            false},
    {"no-break space in it",               BYTES("a\n\n" DASH "n\xc2\xa0m AAAAAAA=\n"),
                        false                                                                                       },
    {"ogham space",                        BYTES("a\n\n" DASH "n\xe1\x9a\x80m AAAAAAA=\n"), false},
    {"en quad",                            BYTES("a\n\n" DASH "n\xe2\x80\x80m AAAAAAA=\n"), false},
    {"hair space",                         BYTES("a\n\n" DASH "n\xe2\x80\x8am AAAAAAA=\n"), false},
    {"zero-width space is none",
                        BYTES("a\n\n" DASH "n\xe2\x80\x8bm AAAAAAA="
              "\n"),
                        true                                                                                        },
    {"line separator",                     BYTES("a\n\n" DASH "n\xe2\x80\xa8m AAAAAAA=\n"), false},
    {"paragraph separator",                BYTES("a\n\n" DASH "n\xe2\x80\xa9m AAAAAAA=\n"),
                        false                                                                                       },
    {"narrow no-break space",              BYTES("a\n\n" DASH "n\xe2\x80\xafm AAAAAAA=\n"),
                        false                                                                                       },
    {"mathematical space",                 BYTES("a\n\n" DASH "n\xe2\x81\x9fm AAAAAAA=\n"),
                        false                                                                                       },
    {"ideographic space",                  BYTES("a\n\n" DASH "n\xe3\x80\x80m AAAAAAA=\n"),
                        false                                                                                       },
    {"a Chinese name",                     BYTES("a\n\n" DASH "税务局 AAAAAAA=\n"),      true },
    {"a name of four-byte letters",
                        BYTES("a\n\n" DASH "\xf0\x9f\x94\x91 AAAAAAA=\n"),                                     true },
    {"a tab",                              BYTES("a\tb\n\n" ENOCH_LINE),                    false},
    {"a carriage return",                  BYTES("a\r\n\n" ENOCH_LINE),                     false},
    {"CRLF throughout",                    BYTES("a\r\n\r\n" DASH "n AAAAAAA=\r\n"),        false},
    {"a NUL",                              BYTES("a\0b\n\n" ENOCH_LINE),                    false},
    {"an escape",                          BYTES("a\x1b[31mb\n\n" ENOCH_LINE),              false},
    {"DEL",                                BYTES("a\x7f\n\n" ENOCH_LINE),                   false},
    {"a C1 control",                       BYTES("a\xc2\x9b\n\n" ENOCH_LINE),               false},
    {"invalid UTF-8",                      BYTES("a\xff\n\n" ENOCH_LINE),                   false},
    {"a surrogate",                        BYTES("a\xed\xa0\x80\n\n" ENOCH_LINE),           false},
    {"invalid UTF-8 in a line",            BYTES("a\n\n" DASH "n\xff AAAAAAA=\n"),          false},
};

static void
forms_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(forms); i++) {
		struct ht_note note;
		enum ht_err err = ht_note_parse(forms[i].note, &note);

		if (err != (forms[i].good ? HT_OK : HT_EMALFORMED))
			fail_msg("%s: %s", forms[i].why, ht_err_text(err));
	}
}

/* A note with @n unknown signatures. */
static void
many(struct ht_buf *out, size_t n)
{
	ht_buf_str(out, "a\n\n");
	for (size_t i = 0; i < n; i++)
		ht_buf_fmt(out, DASH "key%zu AAAAAAA=\n", i);
}

static void
signatures_have_a_limit(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = enoch();
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(8192);
	HT_AUTO(ht_buf_fini) struct ht_buf more = HT_BUF(8192);
	struct ht_note note;

	(void)state;
	many(&out, HT_SIGS_MAX - 1);
	assert_ok(
	    ht_note_sign(ht_buf_slice(&out), true, "EnochRoot", key, &more));
	assert_ok(ht_note_parse(ht_buf_slice(&more), &note));
	assert_int_equal(note.n_sigs, HT_SIGS_MAX);
	ht_buf_reset(&out);
	ht_buf_reset(&more);
	many(&out, HT_SIGS_MAX);
	assert_ok(ht_note_parse(ht_buf_slice(&out), &note));
	assert_err(
	    ht_note_sign(ht_buf_slice(&out), true, "EnochRoot", key, &more),
	    HT_ETOOBIG);
	assert_int_equal(more.len, 0);
	ht_buf_reset(&out);
	many(&out, HT_SIGS_MAX + 1);
	assert_err(ht_note_parse(ht_buf_slice(&out), &note), HT_ETOOBIG);
}

/* ---- whose signatures count ---- */

static void
known_keys_count(void **state)
{
	static const char both[] = GO_TEXT "\n" PETER_LINE ENOCH_LINE;
	static const char twice[] = GO_TEXT "\n" PETER_LINE PETER_LINE;
	struct ht_vkey keys[3];
	uint64_t has;

	(void)state;
	keys[0] = vkey_of(foo_vkey);
	keys[1] = vkey_of(enoch_vkey);
	keys[2] = vkey_of(peter_vkey);
	assert_ok(verify(ht_slice_str(both), keys, 3, &has));
	assert_int_equal(has, 6);
	assert_ok(verify(ht_slice_str(twice), keys, 3, &has));
	assert_int_equal(has, 4); /* once */
	assert_ok(verify(ht_slice_str(both), keys, 1, &has));
	assert_int_equal(has, 0); /* both unknown */
	assert_ok(verify(ht_slice_str(both), keys, 0, &has));
	assert_int_equal(has, 0);
	assert_err(verify(ht_slice_str(both), keys, 65, &has), HT_ETOOBIG);
	/* Another key by the same name is another key. */
	keys[1].id ^= 1;
	assert_ok(verify(ht_slice_str(both), keys, 3, &has));
	assert_int_equal(has, 4);
}

static void
one_false_signature_spoils_the_note(void **state)
{
	static const char changed[] = "a\n\n" PETER_LINE;
	/* Peter's bytes under Enoch's name and id. */
	static const char lent[] = GO_TEXT
	    "\n" PETER_LINE DASH
	    "EnochRoot rwz+ePZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGU"
	    "gYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
	static const char small[] =
	    GO_TEXT "\n" PETER_LINE DASH "EnochRoot rwz+eAA=\n";
	struct ht_vkey keys[2];
	uint64_t has = 77;

	(void)state;
	keys[0] = vkey_of(peter_vkey);
	keys[1] = vkey_of(enoch_vkey);
	assert_err(verify(ht_slice_str(changed), keys, 1, &has), HT_EBADSIG);
	assert_err(verify(ht_slice_str(lent), keys, 2, &has), HT_EBADSIG);
	assert_err(verify(ht_slice_str(small), keys, 2, &has), HT_EBADSIG);
	assert_int_equal(has, 77);
	/* To whom that key is unknown the line says nothing. */
	assert_ok(verify(ht_slice_str(lent), keys, 1, &has));
	assert_int_equal(has, 1);
}

/* ---- verifier keys ---- */

static const struct {
	const char *why, *text;
	enum ht_err want;
} vkeys[] = {
    {"good",                            foo_vkey,                                                 HT_OK        },
    {"empty",                           "",                                                       HT_EMALFORMED},
    {"no fields",                       "example.com/foo",                                        HT_EMALFORMED},
    {"two fields",                      "example.com/foo+530d903a",                               HT_EMALFORMED},
    {"no name",                         "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
     HT_EMALFORMED                                                                                             },
    {"a space in the name",
     "example.com/f o+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",                     HT_EMALFORMED},
    {"another name",
     "example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",                     HT_EINVALID  },
    {"another id",
     "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",                     HT_EINVALID  },
    {"an id of upper-case digits",
     "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",                     HT_EMALFORMED},
    {"an id of nine digits",
     "example.com/"
        "foo+0530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",                             HT_EMALFORMED},
    {"a short key",                     "example.com/foo+530d903a+AekyeRrm56hApGFk",              HT_EMALFORMED},
    {"a witness's key, type 4",
     "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",                      HT_EMALFORMED},
    {"something after it",
     "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
        "\n",                                                                                     HT_EMALFORMED},
    {"a key with a plus in its base64",
     "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6",                                HT_OK        },
};

static void
vkeys_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(vkeys); i++) {
		struct ht_vkey vkey;
		enum ht_err err =
		    ht_vkey_parse(ht_slice_str(vkeys[i].text), &vkey);

		if (err != vkeys[i].want)
			fail_msg("%s: %s", vkeys[i].why, ht_err_text(err));
	}
}

/* A vkey whose id fits, for a point that is no key. */
static void
vkeys_of_bad_points_are_refused(void **state)
{
	struct ht_pub pub = {{1}}; /* the identity */
	char text[HT_VKEY_MAX];
	struct ht_vkey vkey;

	(void)state;
	assert_ok(ht_vkey_make("a", &pub, &vkey));
	ht_vkey_text(&vkey, text);
	assert_err(ht_vkey_parse(ht_slice_str(text), &vkey), HT_EINVALID);
}

static void
the_longest_name_fits(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = enoch();
	char name[HT_VKEY_NAME_MAX + 1], text[HT_VKEY_MAX];
	struct ht_pub pub = ht_key_pub(key);
	struct ht_vkey vkey, back;

	(void)state;
	memset(name, 'a', sizeof(name));
	name[HT_VKEY_NAME_MAX] = '\0';
	assert_err(ht_vkey_make(name, &pub, &vkey), HT_EMALFORMED);
	name[HT_VKEY_NAME_MAX - 1] = '\0';
	assert_ok(ht_vkey_make(name, &pub, &vkey));
	ht_vkey_text(&vkey, text);
	assert_ok(ht_vkey_parse(ht_slice_str(text), &back));
	assert_string_equal(back.name, name);
}

/* ---- checkpoints ---- */

#define ROOT  "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n"
#define EMPTY "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
static const struct {
	const char *why;
	struct ht_slice text;
	bool good;
} checkpoints[] = {
    {"good",                     BYTES("o\n15\n" ROOT),                      true },
    {"the largest",              BYTES("o\n18446744073709551615\n" ROOT),    true },
    {"one more",                 BYTES("o\n18446744073709551616\n" ROOT),    false},
    {"far more",                 BYTES("o\n99999999999999999999999\n" ROOT), false},
    {"empty tree",               BYTES("o\n0\n" EMPTY),                      true },
    {"empty tree, another root", BYTES("o\n0\n" ROOT),                       false},
    {"a leading zero",           BYTES("o\n015\n" ROOT),                     false},
    {"two zeros",                BYTES("o\n00\n" EMPTY),                     false},
    {"a sign",                   BYTES("o\n+15\n" ROOT),                     false},
    {"a negative size",          BYTES("o\n-15\n" ROOT),                     false},
    {"hexadecimal",              BYTES("o\n0xf\n" ROOT),                     false},
    {"a space before",           BYTES("o\n 15\n" ROOT),                     false},
    {"no size",                  BYTES("o\n\n" ROOT),                        false},
    {"no origin",                BYTES("\n15\n" ROOT),                       false},
    {"an extension line",        BYTES("o\n15\n" ROOT "x\n"),                false},
    {"an empty line after",      BYTES("o\n15\n" ROOT "\n"),                 false},
    {"no newline after",
     BYTES("o\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v3"
              "83cs="),
     false                                                                        },
    {"no root",                  BYTES("o\n15\n"),                           false},
    {"a root of 31 bytes",
     BYTES("o\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383Q==\n"),         false},
    {"a root of 33 bytes",
     BYTES("o\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383csA\n"),         false},
    {"a NUL in the origin",      BYTES("o\0p\n15\n" ROOT),                   false},
    {"nothing",                  BYTES(""),                                  false},
};

static void
checkpoints_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(checkpoints); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(1000);
		struct ht_checkpoint cp;
		enum ht_err err = ht_checkpoint_parse(checkpoints[i].text, &cp);

		if (err != (checkpoints[i].good ? HT_OK : HT_EMALFORMED))
			fail_msg(
			    "%s: %s", checkpoints[i].why, ht_err_text(err));
		if (err != HT_OK)
			continue;
		ht_checkpoint_text(&cp, &again);
		assert_true(
		    ht_slice_eq(ht_buf_slice(&again), checkpoints[i].text));
	}
}

static void
checkpoints_are_opened(void **state)
{
	static const char by_another[] =
	    "example.com/log/testdata\n15\n" ROOT "\n" ENOCH_LINE;
	HT_AUTO(ht_key_free) struct ht_key *key = enoch();
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(1000);
	HT_AUTO(ht_buf_fini) struct ht_buf other = HT_BUF(1000);
	struct ht_vkey log = vkey_of(log_vkey), vkey = vkey_of(enoch_vkey);
	struct ht_checkpoint cp = {.size = 1}, got;

	(void)state;
	assert_ok(ht_checkpoint_open(ht_slice_str(log_note), &log, &got));
	assert_string_equal(got.origin, "example.com/log/testdata");
	assert_int_equal(got.size, 15);
	/* Signed by nobody known, though well formed. */
	assert_err(ht_checkpoint_open(ht_slice_str(by_another), &log, &got),
	    HT_EBADSIG);
	/* Our own, and one for another log signed with the right key. */
	memcpy(cp.origin, "EnochRoot", 10);
	cp.root = ht_leaf_hash(ht_slice_str("leaf"));
	ht_checkpoint_text(&cp, &out);
	assert_ok(
	    ht_note_sign(ht_buf_slice(&out), false, "EnochRoot", key, &other));
	assert_ok(ht_checkpoint_open(ht_buf_slice(&other), &vkey, &got));
	assert_true(ht_hash_eq(&got.root, &cp.root));
	ht_buf_reset(&out);
	ht_buf_reset(&other);
	memcpy(cp.origin, "EnochRoof", 10);
	ht_checkpoint_text(&cp, &out);
	assert_ok(
	    ht_note_sign(ht_buf_slice(&out), false, "EnochRoot", key, &other));
	assert_err(
	    ht_checkpoint_open(ht_buf_slice(&other), &vkey, &got), HT_EBADSIG);
}

static void
signing_survives_no_memory(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = enoch();
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4096);
	enum ht_err err = HT_OK;

	(void)state;
	TORTURE(err = ht_note_sign(
	            ht_slice_str(GO_TEXT), false, "EnochRoot", key, &out))
	{
		assert_err(err, HT_ENOMEM);
		ht_buf_fini(&out);
		out = HT_BUF(4096);
	}
	assert_ok(err);
	assert_string_equal(ht_buf_text(&out), GO_TEXT "\n" ENOCH_LINE);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(public_notes_verify),
	    cmocka_unit_test(any_changed_bit_is_noticed),
	    cmocka_unit_test(any_cut_is_noticed),
	    cmocka_unit_test(signing_is_byte_exact),
	    cmocka_unit_test(texts_with_empty_lines_come_back),
	    cmocka_unit_test(what_cannot_stand_in_a_note_is_not_signed),
	    cmocka_unit_test(forms_are_checked),
	    cmocka_unit_test(signatures_have_a_limit),
	    cmocka_unit_test(known_keys_count),
	    cmocka_unit_test(one_false_signature_spoils_the_note),
	    cmocka_unit_test(vkeys_are_checked),
	    cmocka_unit_test(vkeys_of_bad_points_are_refused),
	    cmocka_unit_test(the_longest_name_fits),
	    cmocka_unit_test(checkpoints_are_checked),
	    cmocka_unit_test(checkpoints_are_opened),
	    cmocka_unit_test(signing_survives_no_memory),
	};

	if (ht_keys_init() != HT_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
