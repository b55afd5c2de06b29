/*
 * cosign.h -- cosignatures of checkpoints (C2SP tlog-cosignature v1.0.1,
 * cosignature/v1, Ed25519).
 *
 * A witness says: at this time, the largest tree I have seen of this log, and
 * it continues all I saw before, has this root.  It is one more signature line
 * of the checkpoint's note:
 *
 *   "— " name " " base64(key id, 4 || time in seconds, 8 || signature, 64)
 *
 * and the signature is over
 *
 *   "cosignature/v1\n" "time " decimal "\n" || the checkpoint's text
 */
#ifndef HT_KEYS_COSIGN_H
#define HT_KEYS_COSIGN_H

#include "keys/note.h"

#define HT_COSIG_SIZE     (8 + HT_SIG_SIZE) /* behind the key id */
#define HT_COSIG_TIME_MAX INT64_MAX         /* C2SP: not past 2^63 - 1 */

/*
 * Append the line by which @key, a witness's, cosigns the checkpoint of this
 * text at @time_s.  Whether it may say so is the caller's to know
 * (keys/witness.h).  Errors: HT_EMALFORMED (no checkpoint, or no key's name);
 * HT_EINVALID (a time of 0 or past the maximum); HT_ENOMEM; HT_ETOOBIG.
 */
enum ht_err ht_cosign(struct ht_slice text, const char *name,
    const struct ht_key *key, uint64_t time_s, struct ht_buf *out) HT_MUST_USE;

/*
 * Check one line that is @witness's (ht_note_by()) under the checkpoint of
 * this text, and give its time.  Errors: HT_EBADSIG, also for a line of
 * another form and a text that is no checkpoint.
 */
enum ht_err ht_cosign_verify(struct ht_slice text,
    const struct ht_note_sig *line, const struct ht_vkey *witness,
    uint64_t *ret_time_s) HT_MUST_USE;

/*
 * When @witness cosigned this note: the latest of its lines.  Errors:
 * HT_ENOTFOUND, it has not; HT_EBADSIG, a line of its is false.
 */
enum ht_err ht_cosign_find(const struct ht_note *note,
    const struct ht_vkey *witness, uint64_t *ret_time_s) HT_MUST_USE;

/*
 * Append to @out the checkpoint's note with what @witness answered: of its
 * lines, in the note and in @lines, the latest alone stays; others' in @lines
 * are ignored, and those in the note are kept unchecked.  Errors:
 * HT_EMALFORMED; HT_ENOTFOUND (@lines has none of its); HT_EBADSIG;
 * HT_ETOOBIG; HT_ENOMEM.  On error @out is as before.
 */
enum ht_err ht_cosign_merge(struct ht_slice note, struct ht_slice lines,
    const struct ht_vkey *witness, struct ht_buf *out) HT_MUST_USE;

#endif
