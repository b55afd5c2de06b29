/*
 * t_keyfile.c -- key files: what is written, and everything that is refused.
 */
#include "tests/lib/test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/keyfile.h"
#include "lib/base/fs.h"
#include "tests/lib/fault.h"

struct place {
	char dir[HT_TEST_PATH_MAX];
	char *path;
	struct ht_report *report;
};

static int
set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -1;
	p->path = ht_fs_join(ht_test_dir(p->dir), "key");
	p->report = ht_report_new();
	*state = p;
	return p->path != NULL && p->report != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	ht_test_dir_remove(p->dir);
	ht_report_free(&p->report);
	free(p->path);
	free(p);
	return 0;
}

static struct ht_key *
key_0_to_31(enum ht_key_for what)
{
	struct ht_key *key;
	uint8_t seed[32];

	for (uint8_t i = 0; i < 32; i++)
		seed[i] = i;
	assert_ok(ht_key_from_seed(what, seed, &key));
	return key;
}

static void
put(const char *path, const char *text, mode_t mode)
{
	assert_ok(ht_fs_replace(path, mode, ht_slice_str(text)));
}

static void
assert_finding(const struct place *p, const char *want)
{
	const char *got;

	assert_int_equal(ht_report_count(p->report), 1);
	got = ht_report_text(p->report, 0);
	if (strstr(got, want) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", got, want);
}

/* The secret is 00 .. 1f. */
#define HEAD                                                                   \
	"hutong-key/v1\n"                                                      \
	"for: signing\n"                                                       \
	"name: demo.tax/state/main\n"                                          \
	"public: A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=\n"               \
	"created: 2026-11-24T01:02:03Z\n"
#define SECRET "secret: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"

/* ---- there and back ---- */

static void
written_keys_are_read(void **state)
{
	static const enum ht_key_for all[] = {
#define HT_KEY_ONE(name, value, text) name,
	    HT_KEY_MAP(HT_KEY_ONE)
#undef HT_KEY_ONE
	};
	struct place *p = *state;

	for (size_t i = 0; i < HT_COUNT(all); i++) {
		HT_AUTO(ht_key_free) struct ht_key *key = NULL;
		HT_AUTO(ht_key_free) struct ht_key *back = NULL;
		struct ht_keyfile file, look;
		struct ht_keyid a, b;
		struct stat st;

		assert_ok(ht_key_new(all[i], &key));
		assert_ok(
		    ht_keyfile_write(p->path, "demo.tax/state", key, NULL));
		assert_int_equal(lstat(p->path, &st), 0);
		assert_int_equal(st.st_mode, S_IFREG | 0600);
		assert_ok(ht_keyfile_read(
		    p->path, all[i], NULL, &back, &file, p->report));
		a = ht_key_id(key);
		b = ht_key_id(back);
		assert_true(ht_keyid_eq(&a, &b));
		assert_string_equal(file.name, "demo.tax/state");
		assert_int_equal(file.what, all[i]);
		assert_false(file.locked);
		assert_true(file.created_us > 0);
		assert_ok(ht_keyfile_look(p->path, &look, p->report));
		assert_memory_equal(&look.pub, &file.pub, sizeof(look.pub));
		assert_int_equal(unlink(p->path), 0);
	}
	assert_int_equal(ht_report_count(p->report), 0);
}

static void
the_format_is_as_drawn(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_SIGNING);
	HT_AUTO(ht_key_free) struct ht_key *back = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_KEYFILE_MAX);
	struct place *p = *state;
	char *created;

	assert_ok(ht_keyfile_write(p->path, "demo.tax/state/main", key, NULL));
	assert_ok(ht_fs_read(p->path, &bytes));
	created = strstr((char *)(uintptr_t)ht_buf_text(&bytes), "created: ");
	assert_non_null(created);
	memcpy(created + 9, "2026-11-24T01:02:03Z", 20); /* a moment ago */
	assert_string_equal((const char *)bytes.at, HEAD SECRET);

	put(p->path, HEAD SECRET, 0600);
	assert_ok(ht_keyfile_read(
	    p->path, HT_KEY_SIGNING, NULL, &back, NULL, p->report));
}

/* Argon2id with 256 MiB: one key, written once, opened a few times. */
static void
a_passphrase_locks(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_OFFICER);
	HT_AUTO(ht_key_free) struct ht_key *back = NULL;
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_KEYFILE_MAX);
	struct place *p = *state;
	struct ht_keyfile file;
	char *word;

	assert_ok(ht_keyfile_write(
	    p->path, "scjg.demo/registry/wang", key, "口令 with spaces"));
	assert_ok(ht_keyfile_look(p->path, &file, p->report));
	assert_true(file.locked);

	assert_ok(ht_fs_read(p->path, &bytes));
	assert_non_null(ht_buf_text(&bytes));
	assert_null(strstr((char *)bytes.at, "AAECAwQFBgcI"));
	assert_non_null(
	    strstr((char *)bytes.at, "\nsecret: argon2id 3 262144 "));

	assert_err(ht_keyfile_read(
	               p->path, HT_KEY_OFFICER, NULL, &back, NULL, p->report),
	    HT_EDENIED);
	assert_finding(p, "needs its passphrase");
	assert_err(
	    ht_keyfile_read(p->path, HT_KEY_OFFICER, "口令", &back, NULL, NULL),
	    HT_EDENIED);
	assert_null(back);
	assert_ok(ht_keyfile_read(
	    p->path, HT_KEY_OFFICER, "口令 with spaces", &back, &file, NULL));
	assert_string_equal(file.name, "scjg.demo/registry/wang");
	ht_key_free(&back);

	/* Its name is locked too. */
	word = strstr((char *)bytes.at, "wang");
	assert_non_null(word);
	memcpy(word, "zhao", 4);
	put(p->path, (char *)bytes.at, 0600);
	assert_err(ht_keyfile_read(p->path, HT_KEY_OFFICER, "口令 with spaces",
	               &back, NULL, NULL),
	    HT_EDENIED);
	assert_null(back);
}

/* ---- what is not written ---- */

static void
nothing_is_overwritten(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_LOG);
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(100);
	struct place *p = *state;

	put(p->path, "precious", 0600);
	assert_err(ht_keyfile_write(p->path, "n", key, NULL), HT_EEXISTS);
	assert_ok(ht_fs_read(p->path, &bytes));
	assert_true(ht_slice_is(ht_buf_slice(&bytes), "precious"));

	/* Nor is a dangling link followed. */
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(symlink("elsewhere", p->path), 0);
	assert_err(ht_keyfile_write(p->path, "n", key, NULL), HT_EEXISTS);
}

static void
bad_names_are_refused(void **state)
{
	static const char *const names[] = {
	    "", "two words", "a+b", "line\nsecret: x", "税务", "tab\t", "\x7f"};
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_LOG);
	struct place *p = *state;
	char name[HT_KEY_NAME_MAX + 1];

	for (size_t i = 0; i < HT_COUNT(names); i++)
		assert_err(ht_keyfile_write(p->path, names[i], key, NULL),
		    HT_EINVALID);
	memset(name, 'a', sizeof(name));
	name[HT_KEY_NAME_MAX] = '\0';
	assert_err(ht_keyfile_write(p->path, name, key, NULL), HT_EINVALID);
	assert_err(ht_keyfile_write(p->path, "n", key, ""), HT_EINVALID);
	assert_int_equal(access(p->path, F_OK), -1);
	name[HT_KEY_NAME_MAX - 1] = '\0';
	assert_ok(ht_keyfile_write(p->path, name, key, NULL));
}

static void
a_missing_folder_is_an_error(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = key_0_to_31(HT_KEY_LOG);
	struct place *p = *state;
	HT_AUTO(ht_mem_free) char *path = ht_fs_join(p->dir, "no/where");
	enum ht_err err;

	err = ht_keyfile_write(path, "n", key, NULL);
	assert_true(err == HT_ENOTFOUND || err == HT_ESYSTEM);
}

/* ---- what is not read ---- */

static void
refused(struct place *p, enum ht_err want, const char *finding)
{
	struct ht_key *key = NULL;
	struct ht_keyfile file = {.name = "untouched"};

	ht_report_free(&p->report);
	p->report = ht_report_new();
	assert_err(ht_keyfile_read(
	               p->path, HT_KEY_SIGNING, NULL, &key, &file, p->report),
	    want);
	assert_null(key);
	assert_string_equal(file.name, "untouched");
	assert_finding(p, finding);
}

static void
open_files_are_refused(void **state)
{
	static const mode_t modes[] = {
	    0640, 0604, 0660, 0666, 0601, 0610, 0620, 0777};
	struct place *p = *state;

	for (size_t i = 0; i < HT_COUNT(modes); i++) {
		struct ht_keyfile file;

		put(p->path, HEAD SECRET, modes[i]);
		refused(p, HT_EINVALID, "chmod 600");
		assert_err(ht_keyfile_look(p->path, &file, NULL), HT_EINVALID);
	}
	put(p->path, HEAD SECRET, 0400);
	assert_ok(ht_keyfile_look(
	    p->path, &(struct ht_keyfile){.locked = true}, NULL));
}

static void
what_is_no_file_is_refused(void **state)
{
	struct place *p = *state;
	HT_AUTO(ht_mem_free) char *real = ht_fs_join(p->dir, "real");

	refused(p, HT_ENOTFOUND, "No such file");
	put(real, HEAD SECRET, 0600);
	assert_int_equal(symlink("real", p->path), 0);
	refused(p, HT_EINVALID, "symbolic link");
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(mkfifo(p->path, 0600), 0);
	refused(p, HT_EINVALID, "regular file"); /* and does not hang */
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(mkdir(p->path, 0700), 0);
	refused(p, HT_EINVALID, "regular file");
}

static const struct {
	const char *why, *text, *finding;
} bad_files[] = {
    {"empty",                            "",                                                          "hutong-key/v1"    },
    {"another program's",                "-----BEGIN PRIVATE KEY-----\n",                             "hutong-key/v1"    },
    {"another version",                  "hutong-key/v2\n",                                           "hutong-key/v1"    },
    {"CRLF",                             "hutong-key/v1\r\nfor: signing\r\n",                         "CRLF"             },
    {"unknown purpose",                  "hutong-key/v1\nfor: singing\n",                             "no such purpose"  },
    {"lines swapped",                    "hutong-key/v1\nname: a\nfor: signing\n",                    "for: "            },
    {"no name",                          "hutong-key/v1\nfor: signing\nname: \n",                     "a name is"        },
    {"name with a space",                "hutong-key/v1\nfor: signing\nname: a b\n",
     "a name is"                                                                                                         },
    {"short public half",
     "hutong-key/v1\nfor: signing\nname: a\npublic: AAAA\n",                                          "32 bytes"         },
    {"no base64",
     "hutong-key/v1\nfor: signing\nname: a\n"
        "public: A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMb_=\n",                                     "32 bytes"         },
    {"stray bits in base64",
     "hutong-key/v1\nfor: signing\nname: a\n"
        "public: A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbh=\n",                                     "32 bytes"         },
    {"no time",
     "hutong-key/v1\nfor: signing\nname: a\n"
        "public: A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=\n"
        "created: yesterday\n",                                                                       "a time like"      },
    {"a date alone",
     "hutong-key/v1\nfor: signing\nname: a\n"
        "public: A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=\n"
        "created: 2026-11-24\n" SECRET,
     "a time like"                                                                                                       },
    {"no secret",                        HEAD,                                                        "cut short"        },
    {"no newline at the end",
     HEAD "secret: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
     "cut short"                                                                                                         },
    {"what libsodium takes for a digit",
     HEAD "secret: AAE\xeb"
             "AwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",                                            "32 bytes"         },
    {"secret too short",                 HEAD "secret: AAECAwQFBgcICQoLDA0ODw==\n",                   "32 bytes"         },
    {"secret too long",
     HEAD "secret: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ==\n",
     "32 bytes"                                                                                                          },
    {"two secrets",                      HEAD SECRET SECRET,                                          "nothing may stand"},
    {"an unknown line",                  HEAD "comment: mine\n" SECRET,                               "secret: "         },
    {"a comment at the end",             HEAD SECRET "# mine\n",                                      "nothing may stand"},
    {"an empty line at the end",         HEAD SECRET "\n",                                            "nothing may stand"},
    {"another lock",                     HEAD "secret: scrypt 1 8 A= A= A=\n",                        "argon2id"         },
    {"no passes",                        HEAD "secret: argon2id 0 262144 A= A= A=\n",                 "passes"           },
    {"many passes",                      HEAD "secret: argon2id 17 262144 A= A= A=\n",                "passes"           },
    {"odd passes",                       HEAD "secret: argon2id 03 262144 A= A= A=\n",                "passes"           },
    {"all the memory",                   HEAD "secret: argon2id 3 1048577 A= A= A=\n",                "passes"           },
    {"more than fits",
     HEAD "secret: argon2id 3 18446744073709551617 A= A= "
             "A=\n",                                                                                  "passes"           },
    {"less than Argon2 needs",           HEAD "secret: argon2id 3 7 A= A= A=\n",
     "passes"                                                                                                            },
    {"no box",                           HEAD "secret: argon2id 3 262144 AAAAAAAAAAAAAAAAAAAAAA==\n",
     "salt"                                                                                                              },
    {"no token's label",                 HEAD "secret: pkcs11:token=;id=%01?module-path=/a\n",
     "pkcs11:token="                                                                                                     },
    {"no id",                            HEAD "secret: pkcs11:token=a;id=?module-path=/a\n",
     "pkcs11:token="                                                                                                     },
    {"a relative library",               HEAD "secret: pkcs11:token=a;id=%01?module-path=a\n",
     "pkcs11:token="                                                                                                     },
    {"an id spelt otherwise",
     HEAD "secret: pkcs11:token=a;id=A?module-path=/a\n",                                             "pkcs11:token="    },
    {"small letters of hex",
     HEAD "secret: pkcs11:token=a;id=%0a?module-path=/a\n",                                           "pkcs11:token="    },
    {"a letter in hex",                  HEAD "secret: pkcs11:token=%41;id=%01?module-path=/a\n",
     "pkcs11:token="                                                                                                     },
    {"a NUL in a label",
     HEAD "secret: pkcs11:token=a%00b;id=%01?module-path=/a\n",
     "pkcs11:token="                                                                                                     },
    {"cut in a %XX",                     HEAD "secret: pkcs11:token=a;id=%01?module-path=/a%4\n",
     "pkcs11:token="                                                                                                     },
    {"a longer label",
     HEAD "secret: pkcs11:token=123456789012345678901234567890123;id=%01"
             "?module-path=/a\n",                                                                     "pkcs11:token="    },
    {"another order",                    HEAD "secret: pkcs11:id=%01;token=a?module-path=/a\n",
     "pkcs11:token="                                                                                                     },
    {"another's public half",
     "hutong-key/v1\nfor: signing\nname: a\n"
        "public: 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
        "created: 2026-11-24T01:02:03Z\n" SECRET,
     "does not belong"                                                                                                   },
};

static void
bad_files_are_refused(void **state)
{
	struct place *p = *state;

	for (size_t i = 0; i < HT_COUNT(bad_files); i++) {
		put(p->path, bad_files[i].text, 0600);
		refused(p, HT_EINVALID, bad_files[i].finding);
	}
}

static void
findings_name_the_line(void **state)
{
	HT_AUTO(ht_mem_free) char *want = NULL;
	struct place *p = *state;

	put(p->path, HEAD "secret: short\n", 0600);
	refused(p, HT_EINVALID, "32 bytes");
	assert_true(asprintf(&want, "%s:6", p->path) > 0);
	assert_string_equal(ht_report_where(p->report, 0), want);
}

static void
any_cut_is_refused(void **state)
{
	static const char whole[] = HEAD SECRET;
	struct place *p = *state;

	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		struct ht_key *key = NULL;

		assert_ok(ht_fs_replace(p->path, 0600, HT_SLICE(whole, len)));
		assert_err(ht_keyfile_read(
		               p->path, HT_KEY_SIGNING, NULL, &key, NULL, NULL),
		    HT_EINVALID);
	}
}

static void
zeros_and_long_files_are_refused(void **state)
{
	static char zero[] = HEAD SECRET;
	char *big = calloc(1, HT_KEYFILE_MAX + 2);
	struct place *p = *state;

	assert_non_null(big);
	zero[40] = '\0';
	assert_ok(
	    ht_fs_replace(p->path, 0600, HT_SLICE(zero, sizeof(zero) - 1)));
	refused(p, HT_EINVALID, "zero byte");
	memset(big, 'x', HT_KEYFILE_MAX + 1);
	put(p->path, big, 0600);
	refused(p, HT_EINVALID, "more than");
	big[HT_KEYFILE_MAX] = '\0';
	put(p->path, big, 0600);
	refused(p, HT_EINVALID, "hutong-key/v1");
	free(big);
}

static void
purposes_are_kept(void **state)
{
	struct place *p = *state;
	struct ht_key *key = NULL;

	put(p->path, HEAD SECRET, 0600);
	assert_err(
	    ht_keyfile_read(p->path, HT_KEY_LOG, NULL, &key, NULL, p->report),
	    HT_EINVALID);
	assert_null(key);
	assert_finding(p, "is for signing; one for log");
}

static void
reading_survives_no_memory(void **state)
{
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	struct place *p = *state;
	enum ht_err err = HT_OK;

	put(p->path, HEAD SECRET, 0600);
	TORTURE(err = ht_keyfile_read(
	            p->path, HT_KEY_SIGNING, NULL, &key, NULL, NULL))
	{
		assert_err(err, HT_ENOMEM);
		assert_null(key);
	}
	assert_ok(err);
}

static void
a_key_in_a_token_is_told_without_it(void **state)
{
	struct place *p = *state;
	struct ht_keyfile file;
	struct ht_key *key = NULL;

	put(p->path,
	    HEAD "secret: pkcs11:token=gx%20officer;id=%01%FF"
	         "?module-path=/no/such/lib%20rary.so\n",
	    0600);
	assert_ok(ht_keyfile_look(p->path, &file, p->report));
	assert_true(file.locked);
	assert_string_equal(file.token, "gx officer");
	assert_err(ht_keyfile_read(
	               p->path, HT_KEY_SIGNING, "1234", &key, NULL, p->report),
	    HT_ENOTFOUND);
	assert_null(key);
	assert_finding(p, "/no/such/lib rary.so");
}

static void
what_does_not_sign_goes_in_no_token(void **state)
{
	struct place *p = *state;

	assert_err(ht_keyfile_write_token(p->path, HT_KEY_LOG, "a/b", "lib.so",
	               "t", NULL, "1234", p->report),
	    HT_EINVALID);
	assert_finding(p, "the whole path");
	ht_report_free(&p->report);
	p->report = ht_report_new();
	assert_err(ht_keyfile_write_token(p->path, HT_KEY_LOG, "a/b", "/lib.so",
	               "t", "0g", "1234", p->report),
	    HT_EINVALID);
	assert_finding(p, "in hex");
	put(p->path, "", 0600);
	assert_err(ht_keyfile_write_token(p->path, HT_KEY_LOG, "a/b", "/lib.so",
	               "t", NULL, "1234", p->report),
	    HT_EEXISTS);
}

/* As systemd hands them out: a folder of its own, and a right to read. */
static void
keys_come_as_credentials(void **state)
{
	struct place *p = *state;
	struct ht_keyfile file;

	put(p->path, HEAD SECRET, 0440);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_err(
	    ht_keyfile_look("credential:key", &file, p->report), HT_ENOTFOUND);
	assert_finding(p, "LoadCredentialEncrypted=key");
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", p->dir, 1), 0);
	assert_ok(ht_keyfile_look("credential:key", &file, p->report));
	assert_int_equal(file.what, HT_KEY_SIGNING);
	/* Under its own name it is a file like others. */
	assert_err(ht_keyfile_look(p->path, &file, p->report), HT_EINVALID);
	assert_err(ht_keyfile_look("credential:../key", &file, p->report),
	    HT_EINVALID);
	assert_err(
	    ht_keyfile_look("credential:none", &file, p->report), HT_ENOTFOUND);
	assert_int_equal(chmod(p->path, 0444), 0);
	assert_err(
	    ht_keyfile_look("credential:key", &file, p->report), HT_EINVALID);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    UNIT(written_keys_are_read),
	    UNIT(the_format_is_as_drawn),
	    UNIT(a_passphrase_locks),
	    UNIT(nothing_is_overwritten),
	    UNIT(bad_names_are_refused),
	    UNIT(a_missing_folder_is_an_error),
	    UNIT(open_files_are_refused),
	    UNIT(what_is_no_file_is_refused),
	    UNIT(bad_files_are_refused),
	    UNIT(a_key_in_a_token_is_told_without_it),
	    UNIT(what_does_not_sign_goes_in_no_token),
	    UNIT(keys_come_as_credentials),
	    UNIT(findings_name_the_line),
	    UNIT(any_cut_is_refused),
	    UNIT(zeros_and_long_files_are_refused),
	    UNIT(purposes_are_kept),
	    UNIT(reading_survives_no_memory),
	};

	if (ht_keys_init() != HT_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
