/*
 * keyfile.c -- key files: written once, read strictly.
 *
 * The reader accepts only what the writer would have written: it takes the
 * lines apart, puts the public ones together again and compares the bytes.
 */
#include "keys/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/pkcs11/token.h"
#include "keys/sign_in.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/panic.h"

#define MAGIC      "hutong-key/v1"
#define CREDENTIAL "credential:"
#define SALT_SIZE  crypto_pwhash_SALTBYTES
#define BOX_NONCE  crypto_secretbox_NONCEBYTES
#define B64_MAX    sodium_base64_ENCODED_LEN(BOX_SIZE, 1) /* the longest */
#define BOX_SIZE   (HT_SEED_SIZE + crypto_secretbox_MACBYTES)

_Static_assert(HT_KEY_TOKEN_MAX == HT_TOKEN_LABEL, "one limit, told twice");
_Static_assert(SALT_SIZE == 16 && BOX_NONCE == 24 && BOX_SIZE == 48,
    "as keyfile.h draws the format");

/* A whole file in memory; wiped on every way out. */
struct text {
	char at[HT_KEYFILE_MAX + 1];
	size_t len;
};

static void
text_wipe(struct text *text)
{
	ht_wipe(text, sizeof(*text));
}

/* What stands after "secret: ". */
struct secret {
	bool locked;
	uint8_t seed[HT_SEED_SIZE]; /* not locked */
	uint64_t passes, kib;
	uint8_t salt[SALT_SIZE], nonce[BOX_NONCE], box[BOX_SIZE];
	bool token; /* locked by it, and the secret is not here at all */
	struct ht_token_ref ref;
};

static void
secret_wipe(struct secret *secret)
{
	ht_wipe(secret, sizeof(*secret));
}

/* ---- text out ---- */

static void
add(struct text *text, const char *more)
{
	size_t len = strlen(more);

	/* The longest file is half of that: see the limits of its fields. */
	HT_ASSERT(len < sizeof(text->at) - text->len);
	memcpy(text->at + text->len, more, len + 1);
	text->len += len;
}

/* In constant time, since it may be the secret. */
static void
add_b64(struct text *text, const uint8_t *bytes, size_t len)
{
	char b64[B64_MAX];

	sodium_bin2base64(
	    b64, sizeof(b64), bytes, len, sodium_base64_VARIANT_ORIGINAL);
	add(text, b64);
	ht_wipe(b64, sizeof(b64));
}

/* Everything before "secret:". */
static void
add_head(struct text *text, const struct ht_keyfile *head)
{
	char created[HT_TIME_SIZE];

	ht_time_text(created, head->created_us);
	add(text, MAGIC "\nfor: ");
	add(text, ht_key_for_text(head->what));
	add(text, "\nname: ");
	add(text, head->name);
	add(text, "\npublic: ");
	add_b64(text, head->pub.at, HT_PUB_SIZE);
	add(text, "\ncreated: ");
	add(text, created);
	add(text, "\n");
}

static void
add_secret(struct text *text, const struct secret *secret)
{
	char costs[64], uri[HT_TOKEN_URI];

	add(text, "secret: ");
	if (secret->token) {
		ht_token_uri(&secret->ref, uri);
		add(text, uri);
		add(text, "\n");
		return;
	}
	if (!secret->locked) {
		add_b64(text, secret->seed, HT_SEED_SIZE);
		add(text, "\n");
		return;
	}
	snprintf(costs, sizeof(costs), "argon2id %" PRIu64 " %" PRIu64 " ",
	    secret->passes, secret->kib);
	add(text, costs);
	add_b64(text, secret->salt, SALT_SIZE);
	add(text, " ");
	add_b64(text, secret->nonce, BOX_NONCE);
	add(text, " ");
	add_b64(text, secret->box, BOX_SIZE);
	add(text, "\n");
}

/* ---- the box ---- */

/* Argon2id, then the head's bytes: see keyfile.h. */
static enum ht_err
box_key(const struct secret *secret, const char *passphrase,
    const struct text *head, uint8_t ret[static 32])
{
	uint8_t slow[32];
	struct ht_slice all = HT_SLICE(head->at, head->len);

	if (crypto_pwhash(slow, sizeof(slow), passphrase, strlen(passphrase),
	        secret->salt, secret->passes, (size_t)secret->kib * 1024,
	        crypto_pwhash_ALG_ARGON2ID13) != 0)
		return HT_ENOMEM;
	ht_blake2b_keyed(HT_SLICE(slow, sizeof(slow)), &all, 1, ret, 32);
	ht_wipe(slow, sizeof(slow));
	return HT_OK;
}

static enum ht_err
lock(struct secret *secret, const char *passphrase, const struct text *head)
{
	uint8_t key[crypto_secretbox_KEYBYTES];
	enum ht_err err;

	secret->locked = true;
	secret->passes = HT_ARGON_PASSES;
	secret->kib = HT_ARGON_KIB;
	ht_random(secret->salt, SALT_SIZE);
	ht_random(secret->nonce, BOX_NONCE);
	err = box_key(secret, passphrase, head, key);
	if (err != HT_OK)
		return err;
	crypto_secretbox_easy(
	    secret->box, secret->seed, HT_SEED_SIZE, secret->nonce, key);
	ht_wipe(key, sizeof(key));
	return HT_OK;
}

static enum ht_err
unlock(struct secret *secret, const char *passphrase, const struct text *head)
{
	uint8_t key[crypto_secretbox_KEYBYTES];
	enum ht_err err = box_key(secret, passphrase, head, key);
	int rc;

	if (err != HT_OK)
		return err;
	rc = crypto_secretbox_open_easy(
	    secret->seed, secret->box, BOX_SIZE, secret->nonce, key);
	ht_wipe(key, sizeof(key));
	return rc == 0 ? HT_OK : HT_EDENIED;
}

/* ---- writing ---- */

/* It will name the key in notes, where a space or "+" ends a name. */
static bool
name_ok(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= HT_KEY_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == '+')
			return false;
	return true;
}

static bool
passphrase_ok(const char *passphrase)
{
	return *passphrase != '\0' && strlen(passphrase) <= HT_PASSPHRASE_MAX;
}

enum ht_err
ht_keyfile_write(const char *path, const char *name, const struct ht_key *key,
    const char *passphrase)
{
	HT_AUTO(text_wipe) struct text text = {.len = 0};
	HT_AUTO(secret_wipe) struct secret secret = {.locked = false};
	struct ht_keyfile head = {.what = ht_key_what(key)};
	enum ht_err err;

	if (!name_ok(name) ||
	    (passphrase != NULL && !passphrase_ok(passphrase)))
		return HT_EINVALID;
	memcpy(head.name, name, strlen(name) + 1);
	head.pub = ht_key_pub(key);
	head.created_us = ht_clock_wall_us() / 1000000 * 1000000;
	add_head(&text, &head);

	memcpy(secret.seed, ht_key_seed_open(key), HT_SEED_SIZE);
	ht_key_shut(key);
	if (passphrase != NULL) {
		err = lock(&secret, passphrase, &text);
		if (err != HT_OK)
			return err;
	}
	add_secret(&text, &secret);
	return ht_fs_create(path, 0600, HT_SLICE(text.at, text.len));
}

/* An id for a new key, or the one that was given. */
static enum ht_err
token_ref(const char *path, const char *module, const char *label,
    const char *id, struct ht_report *report, struct ht_token_ref *ret)
{
	ret->id_len = id != NULL ? strlen(id) / 2 : HT_KEYID_SIZE;
	if (module[0] != '/' || strlen(module) >= sizeof(ret->module)) {
		ht_report_add(report, path,
		    "%s: the whole path of the token's library is needed",
		    module);
		return HT_EINVALID;
	}
	if (label[0] == '\0' || strlen(label) >= sizeof(ret->label)) {
		ht_report_add(
		    report, path, "a token's label has 1 to 32 bytes");
		return HT_EINVALID;
	}
	memcpy(ret->module, module, strlen(module) + 1);
	memcpy(ret->label, label, strlen(label) + 1);
	if (id == NULL) {
		ht_random(ret->id, ret->id_len);
		return HT_OK;
	}
	if (ret->id_len == 0 || ret->id_len > HT_TOKEN_ID ||
	    strlen(id) != 2 * ret->id_len ||
	    ht_unhex(id, ret->id, ret->id_len) != HT_OK) {
		ht_report_add(report, path, "%s: an id is 1 to %d bytes in hex",
		    id, HT_TOKEN_ID);
		return HT_EINVALID;
	}
	return HT_OK;
}

/* Asked before a key is made that nobody would find again. */
static bool
is_free(const char *path, struct ht_report *report)
{
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return true;
	ht_report_add(report, path,
	    "exists, and no key is ever overwritten; name another file");
	return false;
}

enum ht_err
ht_keyfile_write_token(const char *path, enum ht_key_for what, const char *name,
    const char *module, const char *label, const char *id, const char *pin,
    struct ht_report *report)
{
	HT_AUTO(ht_token_close) struct ht_token *token = NULL;
	HT_AUTO(text_wipe) struct text text = {.len = 0};
	struct secret secret = {.locked = true, .token = true};
	struct ht_keyfile head = {.what = what};
	enum ht_err err;

	if (!name_ok(name))
		return HT_EINVALID;
	err = token_ref(path, module, label, id, report, &secret.ref);
	if (err == HT_OK && !is_free(path, report))
		err = HT_EEXISTS;
	if (err == HT_OK)
		err = id == NULL ? ht_token_make(&secret.ref, pin, name, path,
		                       report, &token)
		                 : ht_token_open(
		                       &secret.ref, pin, path, report, &token);
	if (err != HT_OK)
		return err;
	memcpy(head.name, name, strlen(name) + 1);
	head.pub = ht_token_pub(token);
	head.created_us = ht_clock_wall_us() / 1000000 * 1000000;
	add_head(&text, &head);
	add_secret(&text, &secret);
	return ht_fs_create(path, 0600, HT_SLICE(text.at, text.len));
}

/* ---- text in ---- */

struct reader {
	const char *path;
	const char *at; /* NUL-ended; NUL is nowhere else */
	unsigned line;
	struct ht_report *report;
};

static enum ht_err
wrong(struct reader *in, const char *what)
{
	char where[512];

	snprintf(where, sizeof(where), "%s:%u", in->path, in->line);
	ht_report_add(in->report, where, "%s", what);
	return HT_EINVALID;
}

/* The rest of the next line, which must begin with @key. */
static enum ht_err
next_value(struct reader *in, const char *key, struct ht_slice *ret)
{
	const char *end = strchr(in->at, '\n');
	size_t len = strlen(key);
	char what[80];

	in->line++;
	if (end != NULL && strncmp(in->at, key, len) == 0) {
		*ret = HT_SLICE(in->at + len, (size_t)(end - in->at) - len);
		in->at = end + 1;
		return HT_OK;
	}
	snprintf(what, sizeof(what), "a line \"%s...\" should stand here%s",
	    key, end == NULL ? "; the file is cut short" : "");
	return wrong(in, what);
}

/*
 * Exactly @len bytes of base64, in constant time.  libsodium 1.0.18 reads any
 * byte past 0x7f as "/": only what encodes back to the same bytes is taken.
 */
static bool
b64_value(struct ht_slice text, uint8_t *ret, size_t len)
{
	char again[B64_MAX];
	size_t got = 0;
	bool same;

	/* Its length says at once whether it can be. */
	if (text.len != (len + 2) / 3 * 4 || text.len >= sizeof(again))
		return false;
	if (sodium_base642bin(ret, len, (const char *)text.at, text.len, NULL,
	        &got, NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    got != len)
		return false;
	sodium_bin2base64(
	    again, sizeof(again), ret, len, sodium_base64_VARIANT_ORIGINAL);
	same = ht_secret_eq(again, text.at, text.len);
	ht_wipe(again, sizeof(again));
	return same;
}

static enum ht_err
read_head(struct reader *in, struct ht_keyfile *head)
{
	struct ht_slice v;

	if (next_value(in, MAGIC, &v) != HT_OK)
		return HT_EINVALID;
	if (v.len != 0)
		return wrong(in, "nothing may stand after \"" MAGIC
		                 "\"; Windows line ends (CRLF) are not taken");
	if (next_value(in, "for: ", &v) != HT_OK)
		return HT_EINVALID;
	if (ht_key_for_parse(v, &head->what) != HT_OK)
		return wrong(in, "no such purpose; hutong key new --help "
		                 "lists them");
	if (next_value(in, "name: ", &v) != HT_OK)
		return HT_EINVALID;
	if (v.len >= sizeof(head->name))
		return wrong(in, "the name is too long");
	memcpy(head->name, v.at, v.len);
	head->name[v.len] = '\0';
	if (!name_ok(head->name))
		return wrong(in, "a name is printable ASCII without spaces "
		                 "and \"+\"");
	if (next_value(in, "public: ", &v) != HT_OK)
		return HT_EINVALID;
	if (!b64_value(v, head->pub.at, HT_PUB_SIZE))
		return wrong(in, "32 bytes of base64 should stand here");
	if (next_value(in, "created: ", &v) != HT_OK)
		return HT_EINVALID;
	if (ht_time_parse(v, &head->created_us) != HT_OK)
		return wrong(in, "a time like 2026-11-24T01:02:03Z should "
		                 "stand here");
	return HT_OK;
}

/* The next word of a line, up to a space or the line's end. */
static struct ht_slice
next_word(struct ht_slice *rest)
{
	const uint8_t *space = memchr(rest->at, ' ', rest->len);
	size_t len = space != NULL ? (size_t)(space - rest->at) : rest->len;
	struct ht_slice word = HT_SLICE(rest->at, len);

	if (space != NULL)
		len++;
	*rest = HT_SLICE(rest->at + len, rest->len - len);
	return word;
}

/* 1 to @max in decimal without leading zeros. */
static bool
cost(struct ht_slice word, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (word.len == 0 || word.len > 9 || word.at[0] == '0')
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (word.at[i] < '0' || word.at[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(word.at[i] - '0');
	}
	*ret = v;
	return v <= max;
}

static enum ht_err
read_secret(struct reader *in, struct secret *secret)
{
	struct ht_slice v, word;

	if (next_value(in, "secret: ", &v) != HT_OK)
		return HT_EINVALID;
	if (v.len > 7 && memcmp(v.at, "pkcs11:", 7) == 0) {
		secret->locked = secret->token = true;
		return ht_token_uri_parse(v, &secret->ref) == HT_OK
		           ? HT_OK
		           : wrong(in,
		                 "a key in a token is written as pkcs11:token="
		                 "LABEL;id=%01?module-path=/PATH");
	}
	if (memchr(v.at, ' ', v.len) == NULL)
		return b64_value(v, secret->seed, HT_SEED_SIZE)
		           ? HT_OK
		           : wrong(in, "32 bytes of base64 should stand here");
	secret->locked = true;
	word = next_word(&v);
	if (!ht_slice_is(word, "argon2id"))
		return wrong(in, "only argon2id is known here");
	if (!cost(next_word(&v), HT_ARGON_PASSES_MAX, &secret->passes) ||
	    !cost(next_word(&v), HT_ARGON_KIB_MAX, &secret->kib) ||
	    secret->kib < 8)
		return wrong(in, "passes (1 to 16) and KiB (8 to 1048576) "
		                 "should stand after argon2id");
	if (!b64_value(next_word(&v), secret->salt, SALT_SIZE) ||
	    !b64_value(next_word(&v), secret->nonce, BOX_NONCE) ||
	    !b64_value(v, secret->box, BOX_SIZE))
		return wrong(in, "salt (16 bytes), nonce (24) and box (48) "
		                 "should end this line, in base64");
	return HT_OK;
}

/* @ret_head gets the bytes before "secret:" as the writer makes them. */
static enum ht_err
parse(const struct text *text, const char *path, struct ht_report *report,
    struct ht_keyfile *head, struct secret *secret, struct text *ret_head)
{
	struct reader in = {path, text->at, 0, report};

	if (strlen(text->at) != text->len) {
		in.line = 1;
		return wrong(&in, "no key file: it has a zero byte");
	}
	if (read_head(&in, head) != HT_OK)
		return HT_EINVALID;
	/* Times have many spellings; one is ours. */
	ret_head->len = 0;
	add_head(ret_head, head);
	if ((size_t)(in.at - text->at) != ret_head->len ||
	    memcmp(text->at, ret_head->at, ret_head->len) != 0)
		return wrong(&in, "a time like 2026-11-24T01:02:03Z should "
		                  "stand here");
	if (read_secret(&in, secret) != HT_OK)
		return HT_EINVALID;
	head->locked = secret->locked;
	if (secret->token)
		memcpy(head->token, secret->ref.label, sizeof(head->token));
	in.line++;
	if (*in.at != '\0')
		return wrong(&in, "nothing may stand after the secret; one "
		                  "key a file");
	return HT_OK;
}

/* ---- reading ---- */

/*
 * A regular file that nobody else can read.  systemd lets a service read its
 * credentials by an ACL, which looks like the group's right to read.
 */
static enum ht_err
check_mode(int fd, const char *path, bool credential, struct ht_report *report)
{
	mode_t others = credential ? 037 : 077;
	struct stat st;

	if (fstat(fd, &st) == -1)
		return HT_ESYSTEM;
	if (!S_ISREG(st.st_mode)) {
		ht_report_add(report, path, "a key is a regular file");
		return HT_EINVALID;
	}
	if ((st.st_mode & others) != 0) {
		ht_report_add(report, path,
		    "others can read or change this secret key (mode %04o): "
		    "chmod 600 it, and replace the key if somebody may have",
		    (unsigned)(st.st_mode & 07777));
		return HT_EINVALID;
	}
	return HT_OK;
}

/* One byte more than the limit is room to notice it. */
static enum ht_err
read_text(int fd, const char *path, struct ht_report *report, struct text *text)
{
	while (text->len < sizeof(text->at)) {
		ssize_t n = read(
		    fd, text->at + text->len, sizeof(text->at) - text->len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return HT_ESYSTEM;
		if (n == 0) {
			text->at[text->len] = '\0';
			return HT_OK;
		}
		text->len += (size_t)n;
	}
	ht_report_add(report, path, "no key file: it has more than %d bytes",
	    HT_KEYFILE_MAX);
	return HT_EINVALID;
}

bool
ht_keyfile_is_credential(const char *path)
{
	return strncmp(path, CREDENTIAL, strlen(CREDENTIAL)) == 0;
}

/* "credential:NAME" is a file in the folder that systemd made for us. */
static enum ht_err
find_file(const char *path, char ret[static PATH_MAX], struct ht_report *report)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	const char *name = path + strlen(CREDENTIAL);

	if (!ht_keyfile_is_credential(path)) {
		if (strlen(path) >= PATH_MAX)
			return HT_ETOOBIG;
		memcpy(ret, path, strlen(path) + 1);
		return HT_OK;
	}
	if (*name == '\0' || *name == '.' || strchr(name, '/') != NULL) {
		ht_report_add(report, path,
		    "a credential's name has no \"/\" and does not begin with "
		    "a dot");
		return HT_EINVALID;
	}
	if (dir == NULL ||
	    snprintf(ret, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX) {
		ht_report_add(report, path,
		    "systemd gave this program no credentials; its unit needs "
		    "LoadCredentialEncrypted=%s, or name a file here",
		    name);
		return HT_ENOTFOUND;
	}
	return HT_OK;
}

static enum ht_err
open_file(const char *path, int *ret, struct ht_report *report)
{
	enum ht_err err;

	/* O_NONBLOCK: a pipe put there must not hang us. */
	*ret = open(
	    path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
	if (*ret != -1)
		return HT_OK;
	if (errno == ELOOP) {
		ht_report_add(
		    report, path, "a symbolic link; name the key file itself");
		return HT_EINVALID;
	}
	err = errno == ENOENT ? HT_ENOTFOUND : HT_ESYSTEM;
	ht_report_add(report, path, "%s", strerror(errno));
	return err;
}

static enum ht_err
read_file(const char *path, struct ht_report *report, struct text *text)
{
	HT_AUTO(ht_fd_close) int fd = -1;
	char file[PATH_MAX];
	enum ht_err err = find_file(path, file, report);

	if (err == HT_OK)
		err = open_file(file, &fd, report);
	if (err != HT_OK)
		return err;
	err = check_mode(fd, path, ht_keyfile_is_credential(path), report);
	if (err == HT_OK)
		err = read_text(fd, path, report, text);
	if (err == HT_ESYSTEM)
		ht_report_add(report, path, "%s", strerror(errno));
	return err;
}

enum ht_err
ht_keyfile_look(
    const char *path, struct ht_keyfile *ret, struct ht_report *report)
{
	HT_AUTO(text_wipe) struct text text = {.len = 0};
	HT_AUTO(text_wipe) struct text head = {.len = 0};
	HT_AUTO(secret_wipe) struct secret secret = {.locked = false};
	struct ht_keyfile file = {.locked = false};
	enum ht_err err = read_file(path, report, &text);

	if (err == HT_OK)
		err = parse(&text, path, report, &file, &secret, &head);
	if (err == HT_OK)
		*ret = file;
	return err;
}

static enum ht_err
open_secret(const char *path, const char *passphrase, const struct text *head,
    struct secret *secret, struct ht_report *report)
{
	enum ht_err err;

	if (!secret->locked || secret->token)
		return HT_OK;
	if (passphrase == NULL) {
		ht_report_add(report, path, "this key needs its passphrase");
		return HT_EDENIED;
	}
	err = unlock(secret, passphrase, head);
	if (err == HT_EDENIED)
		ht_report_add(report, path,
		    "the passphrase is wrong, or the file was changed");
	else if (err == HT_ENOMEM)
		ht_report_add(report, path,
		    "the passphrase takes %" PRIu64 " KiB of memory to check, "
		    "and that much cannot be had",
		    secret->kib);
	return err;
}

static enum ht_err
token_key(const char *path, const struct ht_keyfile *file,
    const struct secret *secret, const char *pin, struct ht_key **ret,
    struct ht_report *report)
{
	HT_AUTO(ht_token_close) struct ht_token *token = NULL;
	enum ht_err err =
	    ht_token_open(&secret->ref, pin, path, report, &token);

	if (err == HT_OK)
		err = ht_key_from_token(file->what, &token, ret);
	if (err == HT_EINVALID && token != NULL)
		ht_report_add(report, path,
		    "a %s key does not sign, and cannot be in a token",
		    ht_key_for_text(file->what));
	return err;
}

/* The key, if it is the one that the public half promises. */
static enum ht_err
make_key(const char *path, const struct ht_keyfile *file,
    const struct secret *secret, const char *pin, struct ht_key **ret,
    struct ht_report *report)
{
	HT_AUTO(ht_key_free) struct ht_key *key = NULL;
	enum ht_err err =
	    secret->token ? token_key(path, file, secret, pin, &key, report)
	                  : ht_key_from_seed(file->what, secret->seed, &key);
	struct ht_pub pub;

	if (err != HT_OK)
		return err;
	pub = ht_key_pub(key);
	if (memcmp(pub.at, file->pub.at, HT_PUB_SIZE) != 0) {
		ht_report_add(report, path,
		    "the public half does not belong to the secret; restore "
		    "the file from its backup");
		return HT_EINVALID;
	}
	*ret = HT_TAKE(key);
	return HT_OK;
}

enum ht_err
ht_keyfile_read(const char *path, enum ht_key_for what, const char *passphrase,
    struct ht_key **ret_key, struct ht_keyfile *ret, struct ht_report *report)
{
	HT_AUTO(text_wipe) struct text text = {.len = 0};
	HT_AUTO(text_wipe) struct text head = {.len = 0};
	HT_AUTO(secret_wipe) struct secret secret = {.locked = false};
	struct ht_keyfile file = {.locked = false};
	enum ht_err err = read_file(path, report, &text);

	if (err == HT_OK)
		err = parse(&text, path, report, &file, &secret, &head);
	if (err == HT_OK && file.what != what) {
		ht_report_add(report, path,
		    "this key is for %s; one for %s is needed here",
		    ht_key_for_text(file.what), ht_key_for_text(what));
		err = HT_EINVALID;
	}
	if (err == HT_OK)
		err = open_secret(path, passphrase, &head, &secret, report);
	if (err == HT_OK)
		err =
		    make_key(path, &file, &secret, passphrase, ret_key, report);
	if (err == HT_OK && ret != NULL)
		*ret = file;
	return err;
}
