/*
 * vault.h -- tags and sealed bodies in append-only segment files.
 *
 * Written first, synced before the evidence that names their place: what lies
 * beyond the place in the evidence's head is a crash's orphan, and is cut off.
 */
#ifndef HT_BROKER_LOG_VAULT_H
#define HT_BROKER_LOG_VAULT_H

#include "keys/hash.h"
#include "lib/base/report.h"

#define HT_ENV_ID_SIZE 16
#ifndef HT_SEGMENT_MAX              /* tests/crash rolls sooner */
#define HT_SEGMENT_MAX (256u << 20) /* erasing rewrites one: bearable */
#endif
#define HT_SEGMENT_HEAD    32 /* magic and environment id */
#define HT_VAULT_PIECE_MIN 24 /* lengths and check */

/* The file of a segment: "0000000000000000.seg". */
#define HT_SEGMENT_NAME 24
void ht_segment_name(uint32_t segment, char out[static HT_SEGMENT_NAME]);

/* Where the next piece goes. */
struct ht_vault_place {
	uint32_t segment;
	uint64_t offset;
};

struct ht_vault;

/*
 * Open at @place, that of the evidence's head.  With @write the first segment
 * is made if need be, and orphans beyond the place are cut off.  Findings of
 * what is wrong go to @report.  Errors: HT_EINTEGRITY; HT_ESYSTEM; HT_ENOMEM.
 */
enum ht_err ht_vault_open(const char *dir,
    const uint8_t env[static HT_ENV_ID_SIZE], struct ht_vault_place place,
    bool write, struct ht_report *report, struct ht_vault **ret) HT_MUST_USE;
/*
 * One that only reads: @locate opens a segment, and says where in the file it
 * begins.  HT_ENOTFOUND: it has none of that number.
 */
struct ht_vault_source {
	enum ht_err (*locate)(
	    void *arg, uint32_t segment, int *ret_fd, uint64_t *ret_base);
	void *arg;
};
enum ht_err ht_vault_open_source(const uint8_t env[static HT_ENV_ID_SIZE],
    const struct ht_vault_source *source, struct ht_vault **ret) HT_MUST_USE;
void ht_vault_close(struct ht_vault **vault_p);

/* Add a piece; *ret is its place.  Durable after ht_vault_sync() only. */
enum ht_err ht_vault_append(struct ht_vault *vault, struct ht_slice tag,
    struct ht_slice body, struct ht_vault_place *ret) HT_MUST_USE;
enum ht_err ht_vault_sync(struct ht_vault *vault) HT_MUST_USE;
struct ht_vault_place ht_vault_next(const struct ht_vault *vault);
/* What comes next begins a segment of its own. */
enum ht_err ht_vault_part(struct ht_vault *vault) HT_MUST_USE;
/* Bytes free on its disk; and those behind its end, allocated if they are. */
uint64_t ht_vault_room(const struct ht_vault *vault);
bool ht_vault_set_aside(struct ht_vault *vault, uint64_t bytes);
/* Forget what was appended since @place. */
enum ht_err ht_vault_cut(struct ht_vault *vault, struct ht_vault_place place)
    HT_MUST_USE;

/*
 * Append tag and body (either may be NULL) of the synced piece at @place to
 * the buffers.  The lengths are those of the entry; the piece must agree.
 * Errors: HT_EERASED (one of those asked for); HT_EINTEGRITY (no such piece,
 * or not this one); HT_ESYSTEM.  Thread: any.
 */
enum ht_err ht_vault_read(struct ht_vault *vault, struct ht_vault_place place,
    uint32_t tag_len, uint32_t body_len, struct ht_buf *ret_tag,
    struct ht_buf *ret_body) HT_MUST_USE;

/* Which parts of a piece are erased, and the ERASE entries they name. */
struct ht_erased {
	bool tag, body;
	uint64_t tag_by, body_by;
};
/* Errors: HT_EINTEGRITY, also for an erased part that is not all zeros. */
enum ht_err ht_vault_erased(struct ht_vault *vault, struct ht_vault_place place,
    uint32_t tag_len, uint32_t body_len, struct ht_erased *ret) HT_MUST_USE;
/*
 * Overwrite the body of a synced piece, and with @tag its tag: in the name of
 * the ERASE entry @by.  It may have been begun before; durable after
 * ht_vault_erase_sync().  HT_EINVALID for a part too short to hold the name.
 * Thread: one at a time; beside the others.
 */
enum ht_err ht_vault_erase(struct ht_vault *vault, struct ht_vault_place place,
    uint32_t tag_len, uint32_t body_len, bool tag, uint64_t by) HT_MUST_USE;
enum ht_err ht_vault_erase_sync(struct ht_vault *vault) HT_MUST_USE;

/*
 * Copy from the vault's folder @from what lies from *at up to @upto into the
 * folder @to, where all before is; durable when it returns.  A segment that is
 * not there is left out.  *at becomes @upto; @bytes counts.  HT_EINTEGRITY: a
 * segment is too short; HT_ESYSTEM; HT_ENOMEM.
 */
enum ht_err ht_vault_copy(const char *from, const char *to,
    struct ht_vault_place *at, struct ht_vault_place upto, uint64_t *bytes)
    HT_MUST_USE;

#endif
