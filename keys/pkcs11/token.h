/*
 * token.h -- a signing key that never leaves its token: a smart card, an HSM,
 * whatever speaks PKCS#11 (v2.40, Ed25519 as CKM_EDDSA).
 *
 * The token's own library is loaded by its path.  Nothing else in the tree
 * knows PKCS#11.  For keys/ alone: others open a key file (keyfile.h) that
 * says where the key is.
 *
 * Thread: one at a time for each token; `struct ht_key` sees to it.
 */
#ifndef HT_KEYS_PKCS11_TOKEN_H
#define HT_KEYS_PKCS11_TOKEN_H

#include "keys/sign.h"
#include "lib/base/report.h"

#define HT_TOKEN_MODULE 256 /* bytes of a path, with its NUL */
#define HT_TOKEN_LABEL  33  /* PKCS#11 pads them to 32 */
#define HT_TOKEN_ID     16  /* bytes of CKA_ID */

/* Where a key is. */
struct ht_token_ref {
	char module[HT_TOKEN_MODULE]; /* an absolute path */
	char label[HT_TOKEN_LABEL];   /* the token's */
	uint8_t id[HT_TOKEN_ID];      /* the key's CKA_ID */
	size_t id_len;
};
/*
 * RFC 7512, in one spelling: "pkcs11:token=LABEL;id=%01%02?module-path=PATH".
 * All but letters, digits and "-._~" (in a path "/" as well) is %XX.
 */
#define HT_TOKEN_URI 1024
void ht_token_uri(
    const struct ht_token_ref *ref, char out[static HT_TOKEN_URI]);
/* HT_EMALFORMED: anything that ht_token_uri() would not write. */
enum ht_err ht_token_uri_parse(struct ht_slice text, struct ht_token_ref *ret)
    HT_MUST_USE;

struct ht_token; /* a session with a key */

/*
 * Open the key that @ref names.  Findings name @where.  Errors: HT_ENOTFOUND
 * (no such library, token, or key), HT_EDENIED (the PIN, or none where one is
 * needed), HT_EINVALID (a key of another kind), HT_ESYSTEM (the token).
 */
enum ht_err ht_token_open(const struct ht_token_ref *ref, const char *pin,
    const char *where, struct ht_report *report, struct ht_token **ret)
    HT_MUST_USE;
/*
 * Make a key pair in the token, which gives the secret half to nobody, under
 * the id in @ref, and open it.  HT_EEXISTS: a key has that id.
 */
enum ht_err ht_token_make(const struct ht_token_ref *ref, const char *pin,
    const char *name, const char *where, struct ht_report *report,
    struct ht_token **ret) HT_MUST_USE;
void ht_token_close(struct ht_token **token_p);

struct ht_pub ht_token_pub(const struct ht_token *token);
/* HT_ESYSTEM: the token is gone, or signs something else. */
enum ht_err ht_token_sign(struct ht_token *token, struct ht_slice message,
    struct ht_sig *ret) HT_MUST_USE;

#endif
