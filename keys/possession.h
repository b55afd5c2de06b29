/*
 * possession.h -- that who hands in a public key holds the secret half.
 *
 * A key proves itself by a signature line of its own under the text that
 * names it: a member's entry (docs/trust.md, ADR 42).  The text says whose it
 * is and which revision, so a line is good for that text and for no other.
 *
 *   a key that signs    "— " name " " base64(key id, 4 || signature, 64)
 *   an X25519 key       "— " name " " base64(key id, 4 || point, 32 ||
 *                           signature, 64)
 *
 * The first is the line of any note.  In the second the point is the secret
 * scalar times Ed25519's base point, the signature an ordinary Ed25519 one
 * under it, and the point, taken over to Curve25519, is the public key.  Its
 * key id is the first 4 bytes of
 *
 *   SHA-256(name || "\n" || 0xff || "hutong/possession/v1" || public key)
 */
#ifndef HT_KEYS_POSSESSION_H
#define HT_KEYS_POSSESSION_H

#include "keys/note.h"

/*
 * Append to @out the text, or the note, with the line by which @key proves
 * itself under the name @name; a line that it had is replaced.  For every key
 * but a witness's and a tracker key, which are our own mistake.
 * Errors: those of ht_note_sign().
 */
enum ht_err ht_possession_add(struct ht_slice bytes, bool is_note,
    const char *name, const struct ht_key *key, struct ht_buf *out) HT_MUST_USE;

/*
 * Does the note prove that somebody who holds the secret half of @pub signed
 * its text?  Errors: HT_ENOTFOUND, there is no line of it; HT_EBADSIG, there
 * is one, and it is false (made for another text, or by another key).
 */
enum ht_err ht_possession_find(const struct ht_note *note, const char *name,
    enum ht_key_for what, const struct ht_pub *pub) HT_MUST_USE;

#endif
