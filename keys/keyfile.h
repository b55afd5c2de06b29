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
 * The last form holds Argon2id (RFC 9106: passes, KiB) and libsodium's
 * secretbox.  A reader refuses a file that others can read.
 */
#ifndef HT_KEYS_KEYFILE_H
#define HT_KEYS_KEYFILE_H

#include "keys/sign.h"
#include "lib/base/limits.h"
#include "lib/base/report.h"

struct ht_keyfile {
	enum ht_key_for what;
	char name[HT_NAME_MAX + HT_NODE_MAX +
	          2]; /* whose: member, member/node, officer */
	struct ht_pub pub;
	uint64_t created_us;
	bool locked; /* a passphrase is needed */
};

/* Errors: HT_EEXISTS; HT_ESYSTEM.  @passphrase may be NULL. */
enum ht_err ht_keyfile_write(const char *path, const char *name,
    const struct ht_key *key, const char *passphrase) HT_MUST_USE;

/* The public facts, without opening the secret. */
enum ht_err ht_keyfile_look(const char *path, struct ht_keyfile *ret,
    struct ht_report *report) HT_MUST_USE;

/*
 * Open a key for one use.  HT_EINVALID with a finding when the file is of
 * another purpose, open to others, or its public half does not fit;
 * HT_EDENIED for a missing or wrong passphrase.
 */
enum ht_err ht_keyfile_read(const char *path, enum ht_key_for what,
    const char *passphrase, struct ht_key **ret_key, struct ht_keyfile *ret,
    struct ht_report *report) HT_MUST_USE;

/*
 * A passphrase for a locked file: from the environment variable
 * HUTONG_PASSPHRASE_FILE's file, from the systemd credential
 * "hutong-passphrase" ($CREDENTIALS_DIRECTORY), or asked on the terminal
 * without echo.  Caller wipes with ht_wipe() and frees.
 */
enum ht_err ht_passphrase_get(const char *prompt, char **ret) HT_MUST_USE;

#endif
