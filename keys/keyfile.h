/*
 * keyfile.h -- secret keys at rest: one key a file, mode 0600, never
 * overwritten.
 *
 *   hutong-key/v1
 *   for: signing
 *   name: demo.tax/state/main
 *   public: <base64, 32 bytes>
 *   created: 2026-11-24T01:02:03Z
 *   secret: <base64, 32 bytes>                           without a passphrase
 *   secret: argon2id 3 262144 <b64 salt 16> <b64 nonce 24> <b64 box 48>
 *
 *   secret: pkcs11:token=LABEL;id=%01?module-path=PATH   in a token (RFC 7512)
 *
 * The second form is libsodium's secretbox under
 *
 *   BLAKE2b-256(key = Argon2id(passphrase, salt; RFC 9106, passes, KiB),
 *       every byte before "secret:")
 *
 * so that a locked key's purpose and name cannot be changed either.  These
 * lines in this order and nothing else, each ended by one newline.  A reader
 * refuses a file that others can read, and follows no symbolic link.
 * keys/README.md tells who holds which key.
 */
#ifndef HT_KEYS_KEYFILE_H
#define HT_KEYS_KEYFILE_H

#include "keys/sign.h"
#include "lib/base/limits.h"
#include "lib/base/report.h"

#define HT_KEY_NAME_MAX (HT_NAME_MAX + HT_NODE_MAX + 2) /* with its NUL */

#define HT_KEY_TOKEN_MAX 33 /* PKCS#11 labels have 32 bytes */

struct ht_keyfile {
	enum ht_key_for what;
	char name[HT_KEY_NAME_MAX]; /* whose: member, member/node, officer */
	struct ht_pub pub;
	uint64_t created_us;
	bool locked; /* a passphrase is needed, or a token's PIN */
	char token[HT_KEY_TOKEN_MAX]; /* the token's label, or "" */
};

/*
 * A path "credential:NAME" is the file NAME of the service's credentials
 * (systemd.exec(5), $CREDENTIALS_DIRECTORY), wherever a key file is read.
 */
bool ht_keyfile_is_credential(const char *path);

/*
 * @name: printable ASCII without space and "+", since it also names the key
 * in notes.  @passphrase may be NULL; an empty one is refused.  With one this
 * takes 256 MiB and the better part of a second.
 * Errors: HT_EINVALID (name, passphrase); HT_EEXISTS; HT_ESYSTEM; HT_ENOMEM.
 */
enum ht_err ht_keyfile_write(const char *path, const char *name,
    const struct ht_key *key, const char *passphrase) HT_MUST_USE;

/*
 * Make a key in a PKCS#11 token, which never gives it away, and a file that
 * says where it is.  @module: the path of the token's library; @label: the
 * token; @id: the CKA_ID, in hex, of a key that is there already, or NULL to
 * make one.  Keys that sign only: the token does the signing.
 * Errors: HT_EINVALID, HT_EDENIED (the PIN), HT_EEXISTS, HT_ENOTFOUND,
 * HT_ESYSTEM, each with a finding; HT_ENOMEM.
 */
enum ht_err ht_keyfile_write_token(const char *path, enum ht_key_for what,
    const char *name, const char *module, const char *label, const char *id,
    const char *pin, struct ht_report *report) HT_MUST_USE;

/*
 * The public facts, without opening the secret.  Errors: HT_ENOTFOUND;
 * HT_ESYSTEM; HT_EINVALID; each with a finding.
 */
enum ht_err ht_keyfile_look(const char *path, struct ht_keyfile *ret,
    struct ht_report *report) HT_MUST_USE;

/*
 * Open a key for one use.  HT_EINVALID with a finding when the file is of
 * another purpose, open to others, or its public half does not fit;
 * HT_EDENIED with a finding for a missing or wrong passphrase.  @ret may be
 * NULL, @report too.
 */
enum ht_err ht_keyfile_read(const char *path, enum ht_key_for what,
    const char *passphrase, struct ht_key **ret_key, struct ht_keyfile *ret,
    struct ht_report *report) HT_MUST_USE;

/*
 * A passphrase for a locked file: the first line of the file that the
 * environment variable HUTONG_PASSPHRASE_FILE names, else of the systemd
 * credential "hutong-passphrase" ($CREDENTIALS_DIRECTORY), else asked on the
 * terminal without echo.  Caller wipes with ht_wipe() and frees.
 * Errors: HT_ENOTFOUND (the file is not there, or there is nobody to ask);
 * HT_EINVALID (open to others, empty, or with a NUL); HT_ETOOBIG; HT_EDENIED
 * (given up with ^C or ^D); HT_ESYSTEM; HT_ENOMEM.
 */
enum ht_err ht_passphrase_get(const char *prompt, char **ret) HT_MUST_USE;

#endif
