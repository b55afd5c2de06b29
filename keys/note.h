/*
 * note.h -- signed notes (C2SP signed-note v1.0.0) and log checkpoints (C2SP
 * tlog-checkpoint v1.0.0).
 *
 *   text, ending in "\n"
 *   "\n"
 *   "— " key name " " base64(key id, 4 bytes || signature) "\n"     one or more
 *
 * What people and institutions sign is such a note, to be read, diffed, and
 * checked with openssl and a shell.
 */
#ifndef HT_KEYS_NOTE_H
#define HT_KEYS_NOTE_H

#include "keys/sign.h"
#include "lib/base/limits.h"

#define HT_VKEY_MAX      256 /* "name+hash+base64" and NUL */
#define HT_VKEY_NAME_MAX (HT_NAME_MAX + HT_NODE_MAX + 2) /* a node's, NUL */

/* What a key's signatures say; C2SP's numbers. */
enum ht_vkey_type {
	HT_VKEY_NOTE = 0x01,   /* Ed25519 over the note's text */
	HT_VKEY_COSIGN = 0x04, /* Ed25519 cosignature/v1: keys/cosign.h */
};
/* A witness's key cosigns; every other key signs texts. */
enum ht_vkey_type ht_vkey_type_for(enum ht_key_for what);

/* Who may sign: a key name with no Unicode space and no "+", and a key. */
struct ht_vkey {
	char name[HT_VKEY_NAME_MAX];
	enum ht_vkey_type type;
	uint32_t id; /* first 4 bytes of SHA-256(name "\n" type key) */
	struct ht_pub pub;
};

/*
 * "name+1234abcd+base64(type || key)".  The first reads keys that sign texts,
 * the second those of the type asked for.  Errors: HT_EMALFORMED, also for
 * other types of key; HT_EINVALID when the id or the public key is no good.
 */
enum ht_err ht_vkey_parse(struct ht_slice text, struct ht_vkey *ret)
    HT_MUST_USE;
enum ht_err ht_vkey_parse_as(struct ht_slice text, enum ht_vkey_type type,
    struct ht_vkey *ret) HT_MUST_USE;
void ht_vkey_text(const struct ht_vkey *vkey, char out[static HT_VKEY_MAX]);
/* HT_EMALFORMED for a name that cannot be a key's; the key is not checked. */
enum ht_err ht_vkey_make(const char *name, const struct ht_pub *pub,
    struct ht_vkey *ret) HT_MUST_USE;
enum ht_err ht_vkey_make_as(const char *name, enum ht_vkey_type type,
    const struct ht_pub *pub, struct ht_vkey *ret) HT_MUST_USE;

/* A note taken apart; slices point into the caller's bytes. */
struct ht_note_sig {
	struct ht_slice name;
	uint32_t id;
	struct ht_slice sig; /* as it stands: base64 of id || signature */
};
struct ht_note {
	struct ht_slice text; /* with its last "\n" */
	size_t n_sigs;
	struct ht_note_sig sigs[HT_SIGS_MAX];
};

/*
 * Take a note apart, checking its form: valid UTF-8, no control character but
 * "\n" (nor those of U+007F to U+009F, which some terminals obey), the last
 * empty line parts text from signatures, at least one signature line, each
 * well formed.  Errors: HT_EMALFORMED; HT_ETOOBIG (HT_DOC_MAX, HT_SIGS_MAX).
 */
enum ht_err ht_note_parse(struct ht_slice bytes, struct ht_note *ret)
    HT_MUST_USE;

/* Is this line by that key?  Name and id say so; the signature is not tried. */
bool ht_note_by(const struct ht_note_sig *line, const struct ht_vkey *key);
/* Append the line as it stood in the note, with its "\n". */
void ht_note_line(const struct ht_note_sig *line, struct ht_buf *out);

/*
 * Which of the given keys signed (or cosigned).  Unknown keys are ignored; a
 * known key's signature that fails is HT_EBADSIG for the whole note.
 * *ret_signed has bit i set for keys[i]; each counts once however many lines it
 * has.  n <= 64. It may be 0: whoever asks says how many are needed.
 */
enum ht_err ht_note_verify(const struct ht_note *note,
    const struct ht_vkey *keys, size_t n, uint64_t *ret_signed) HT_MUST_USE;

/*
 * Never with a witness's key, which says other things (ht_cosign()).
 * Append to @out: the note with one more signature line.  @bytes is either a
 * bare text (ending in "\n", no signature yet) with @is_note false, or a note.
 * A line by the same key is replaced; the other lines are kept unchecked.
 * Errors: HT_EMALFORMED for text or a key name that cannot stand in a note;
 * HT_ETOOBIG; HT_ENOMEM.
 */
enum ht_err ht_note_sign(struct ht_slice bytes, bool is_note,
    const char *key_name, const struct ht_key *key, struct ht_buf *out)
    HT_MUST_USE;

/* What stands behind a name, id and all, of the longest line we write. */
#define HT_POSSESSION_BLOB (4 + 32 + HT_SIG_SIZE)
/*
 * As ht_note_sign(), with a signature that the caller made: of another kind
 * (keys/possession.h), @sig being what stands behind the id.  A line of this
 * name and id is replaced.
 */
enum ht_err ht_note_add(struct ht_slice bytes, bool is_note, const char *name,
    uint32_t id, struct ht_slice sig, struct ht_buf *out) HT_MUST_USE;

/* A tree's size in decimal, no zero before it.  HT_EMALFORMED. */
enum ht_err ht_tree_size_parse(struct ht_slice text, uint64_t *ret) HT_MUST_USE;

/* A checkpoint: origin "\n" size "\n" base64(root) "\n", no extensions. */
struct ht_checkpoint {
	char origin[HT_NAME_MAX + 64];
	uint64_t size;
	struct ht_hash root;
};
/* Size 0 has SHA-256("") for root.  HT_EMALFORMED. */
enum ht_err ht_checkpoint_parse(struct ht_slice text, struct ht_checkpoint *ret)
    HT_MUST_USE;
void ht_checkpoint_text(const struct ht_checkpoint *cp, struct ht_buf *out);
/*
 * Parse a note, demand @log's signature and origin (= the key's name); give
 * the checkpoint.  Errors: HT_EMALFORMED; HT_ETOOBIG; HT_EBADSIG.
 */
enum ht_err ht_checkpoint_open(struct ht_slice note, const struct ht_vkey *log,
    struct ht_checkpoint *ret) HT_MUST_USE;

#endif
