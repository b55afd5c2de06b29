/*
 * sign_in.h -- inside keys/ only: the secret half of any key.
 */
#ifndef HT_KEYS_SIGN_IN_H
#define HT_KEYS_SIGN_IN_H

#include "keys/sign.h"

#define HT_SEED_SIZE 32

/*
 * The 32 bytes that ht_key_from_seed() was given, whatever the key is for.
 * As ht_key_open(): ht_key_shut() hides them again.
 */
const uint8_t *ht_key_seed_open(const struct ht_key *key);

struct ht_token;
/*
 * A key that lies in a token; takes *token_p on success.  HT_EINVALID: of a
 * purpose that does not sign.
 */
enum ht_err ht_key_from_token(enum ht_key_for what, struct ht_token **token_p,
    struct ht_key **ret) HT_MUST_USE;

#endif
