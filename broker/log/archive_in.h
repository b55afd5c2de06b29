/*
 * archive_in.h -- what writing an archive and checking one share.
 */
#ifndef HT_BROKER_LOG_ARCHIVE_IN_H
#define HT_BROKER_LOG_ARCHIVE_IN_H

#include "broker/log/archive.h"

/* What of the vault a volume's entries name, as they come by. */
struct ht_archive_wants {
	struct ht_vault *vault; /* borrowed */
	bool used;
	uint32_t low, high; /* segments */
	size_t n_lists;
	uint64_t *lists; /* ERASE entries that erased parts name, each once */
	uint64_t pieces, erased;
	/* NULL, or HT_OK: the list of @by has the entry; HT_EINTEGRITY. */
	enum ht_err (*listed)(void *arg, uint64_t by, uint64_t seq);
	void *arg;
	struct ht_buf tag, body;
};
/*
 * For ht_volume_check(): each piece is the one of its entry, or erased.
 * HT_EINTEGRITY.
 */
enum ht_err ht_archive_want(
    void *wants, uint64_t seq, const struct ht_volume_entry *entry) HT_MUST_USE;
void ht_archive_wants_fini(struct ht_archive_wants *wants);

/*
 * Of one that is open: its volume and vault, as ht_archive_check() does.  What
 * is wrong goes to the archive's report.  @visit (may be NULL) gets each entry
 * that holds by itself.
 */
struct ht_archive_visit {
	enum ht_err (*each)(
	    void *arg, uint64_t seq, const struct ht_volume_entry *entry);
	void *arg;
};
enum ht_err ht_archive_check_volume(struct ht_archive *archive,
    struct ht_volume *volume, struct ht_vault *vault,
    const struct ht_vkey *vkey, const struct ht_archive_visit *visit,
    struct ht_archive_seen *ret) HT_MUST_USE;

/* A vault's folder, for reading, whatever its last segment is. */
enum ht_err ht_archive_folder(const char *dir,
    const uint8_t env[static HT_ENV_ID_SIZE], struct ht_vault **ret)
    HT_MUST_USE;

#endif
