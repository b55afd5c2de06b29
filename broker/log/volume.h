/*
 * volume.h -- a closed range of the log as one file that never changes
 * (docs/log-format.md, "Volumes"): entries, the evidence of their bundles, and
 * the checkpoint that proves them whole.
 *
 * Writing is a stream to anywhere; reading is by place, from anywhere, and
 * believes nothing: each block has a sum, and all of it has a root.
 */
#ifndef HT_BROKER_LOG_VOLUME_H
#define HT_BROKER_LOG_VOLUME_H

#include "broker/log/bundles.h"
#include "broker/log/vault.h"

#define HT_VOLUME_LABEL    "hutong-volume/v1\n"
#define HT_VOLUME_BLOCK    32         /* entries read at once */
#define HT_VOLUME_ENTRIES  (1u << 28) /* of one; its table is 200 MB */
#define HT_VOLUME_NOTE_MAX 65536      /* with a thousand cosignatures */
#define HT_VOLUME_BLOCK_MAX                                                    \
	(HT_VOLUME_BLOCK * (2 + HT_LEAF_MAX + 2 + HT_EVIDENCE_MAX))

/* The file of the one that begins at @first: "0000000000000000.vol". */
#define HT_VOLUME_NAME 24
void ht_volume_name(uint64_t first, char out[static HT_VOLUME_NAME]);
/* HT_EMALFORMED: it is no such name. */
enum ht_err ht_volume_name_parse(const char *name, uint64_t *ret) HT_MUST_USE;

struct ht_volume_head {
	uint8_t env[HT_ENV_ID_SIZE];
	uint64_t first, end;       /* entries first ... end - 1 */
	struct ht_frontier before; /* the tree of the entries before */
};

/* One entry; @evidence is that of the bundle it begins, else empty. */
struct ht_volume_entry {
	struct ht_slice leaf, evidence;
};

/* ---- writing ---- */

/* Where the bytes go, in order. */
struct ht_volume_sink {
	enum ht_err (*write)(void *arg, struct ht_slice bytes);
	void *arg;
};
struct ht_volume_writer;
/* HT_EINVALID: an empty range, or one that is too long. */
enum ht_err ht_volume_begin(const struct ht_volume_head *head,
    const struct ht_volume_sink *sink, struct ht_volume_writer **ret)
    HT_MUST_USE;
/* The next entry.  HT_EINVALID: too long, or one too many. */
enum ht_err ht_volume_add(struct ht_volume_writer *writer,
    const struct ht_volume_entry *entry) HT_MUST_USE;
/*
 * The checkpoint of size `end`, and the end of it.  HT_EINVALID: entries are
 * missing; HT_EINTEGRITY: @note is not of the tree that they give.
 */
enum ht_err ht_volume_finish(
    struct ht_volume_writer *writer, struct ht_slice note) HT_MUST_USE;
void ht_volume_writer_free(struct ht_volume_writer **writer_p);

/* ---- reading ---- */

/* Exactly @len bytes from @at on; HT_EINTEGRITY: there are not so many. */
struct ht_volume_source {
	enum ht_err (*read)(void *arg, uint64_t at, void *out, size_t len);
	void (*close)(void *arg); /* may be NULL */
	void *arg;
	uint64_t len;
};
struct ht_volume;
/*
 * Head and foot are read and checked, no entry is.  @source is taken, also
 * when it fails.  HT_EINTEGRITY: it is no volume, or not as it was written.
 */
enum ht_err ht_volume_open(
    const struct ht_volume_source *source, struct ht_volume **ret) HT_MUST_USE;
/*
 * The file at @path, or @len bytes of it from @base on (@len 0: all).
 * HT_ENOTFOUND; HT_EINTEGRITY; HT_ESYSTEM; HT_ENOMEM.
 */
enum ht_err ht_volume_open_file(const char *path, uint64_t base, uint64_t len,
    struct ht_volume **ret) HT_MUST_USE;
void ht_volume_close(struct ht_volume **volume_p);

const struct ht_volume_head *ht_volume_head(const struct ht_volume *volume);
/* As it was signed; its size is `end`. */
struct ht_slice ht_volume_note(const struct ht_volume *volume);
/*
 * An entry's leaf and the evidence it has, appended (either may be NULL).
 * Thread: any.  HT_ENOTFOUND: not in this volume; HT_EINTEGRITY.
 */
enum ht_err ht_volume_read(struct ht_volume *volume, uint64_t seq,
    struct ht_buf *ret_leaf, struct ht_buf *ret_evidence) HT_MUST_USE;
/*
 * All of it: each entry in order to @each (may be NULL), until that returns
 * not HT_OK; dense, in order of time, evidence where a bundle begins and
 * nowhere else, and all of them the tree of its checkpoint, which @vkey signed
 * (NULL: not looked at).  HT_EINTEGRITY, and *ret_bad is the first entry that
 * is wrong, or `end`: the checkpoint; HT_EBADSIG.
 */
enum ht_err ht_volume_check(struct ht_volume *volume,
    const struct ht_vkey *vkey,
    enum ht_err (*each)(
        void *arg, uint64_t seq, const struct ht_volume_entry *entry),
    void *arg, uint64_t *ret_bad) HT_MUST_USE;

/*
 * The bytes of a block of @n entries.  Pure.  HT_EMALFORMED: a length is out
 * of its range, or something follows.
 */
enum ht_err ht_volume_block(struct ht_slice bytes, unsigned n,
    struct ht_volume_entry out[static HT_VOLUME_BLOCK]) HT_MUST_USE;

/* ---- what a VOLUME entry says ---- */

struct ht_volume_said {
	uint64_t first;   /* of the range that ends at this entry */
	uint32_t segment; /* of the vault: the first of the next range */
};
void ht_volume_said_pack(const struct ht_volume_said *said, struct ht_buf *out);
/* HT_EMALFORMED. */
enum ht_err ht_volume_said_decode(
    struct ht_slice payload, struct ht_volume_said *ret) HT_MUST_USE;

#endif
