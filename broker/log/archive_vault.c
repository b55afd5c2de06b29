/*
 * archive_vault.c -- the pieces of the vault that a volume's entries name:
 * each is its entry's, or on the list of an erasure.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "broker/log/archive_in.h"
#include "broker/log/log.h"
#include "lib/base/fs.h"
#include "schemas/tag.h"

/* ---- pieces ---- */

static enum ht_err
want_list(struct ht_archive_wants *w, uint64_t by, uint64_t seq)
{
	uint64_t *more;
	enum ht_err err =
	    w->listed == NULL ? HT_OK : w->listed(w->arg, by, seq);

	if (err != HT_OK)
		return err;
	for (size_t i = 0; i < w->n_lists; i++)
		if (w->lists[i] == by)
			return HT_OK;
	more = realloc(w->lists, (w->n_lists + 1) * sizeof(*more));
	if (more == NULL)
		return HT_ENOMEM;
	w->lists = more;
	more[w->n_lists++] = by;
	return HT_OK;
}

static enum ht_err
check_erased(struct ht_archive_wants *w, const struct ht_entry *e,
    struct ht_erased *erased)
{
	enum ht_err err = ht_vault_erased(w->vault,
	    (struct ht_vault_place){e->segment, e->offset}, e->tag_len,
	    e->body_len, erased);

	if (err == HT_OK && erased->tag)
		err = want_list(w, erased->tag_by, e->seq);
	if (err == HT_OK && erased->body)
		err = want_list(w, erased->body_by, e->seq);
	if (err == HT_OK && (erased->tag || erased->body))
		w->erased++;
	return err;
}

/* What still stands of it has the hashes of its header. */
static enum ht_err
check_piece(struct ht_archive_wants *w, const struct ht_entry *e)
{
	struct ht_vault_place place = {e->segment, e->offset};
	struct ht_erased erased = {0};
	struct ht_slice tag, body;
	enum ht_err err = check_erased(w, e, &erased);

	ht_buf_reset(&w->tag);
	ht_buf_reset(&w->body);
	if (err == HT_OK)
		err = ht_vault_read(w->vault, place, e->tag_len, e->body_len,
		    erased.tag ? NULL : &w->tag, erased.body ? NULL : &w->body);
	if (err != HT_OK)
		return err;
	tag = ht_buf_slice(&w->tag);
	body = ht_buf_slice(&w->body);
	w->pieces++;
	return ht_entry_check_piece(
	    e, erased.tag ? NULL : &tag, erased.body ? NULL : &body);
}

enum ht_err
ht_archive_want(void *arg, uint64_t seq, const struct ht_volume_entry *entry)
{
	struct ht_archive_wants *w = arg;
	struct ht_entry e;

	(void)seq;
	if (ht_entry_decode(entry->leaf, &e) != HT_OK)
		return HT_EINTEGRITY;
	if (e.tag_len == 0 && e.body_len == 0)
		return HT_OK;
	if (!w->used) {
		w->low = w->high = e.segment;
		w->tag = HT_BUF(HT_TAG_MAX);
		w->body = HT_BUF(HT_BODY_MAX);
	}
	w->used = true;
	w->low = e.segment < w->low ? e.segment : w->low;
	w->high = e.segment > w->high ? e.segment : w->high;
	return check_piece(w, &e);
}

void
ht_archive_wants_fini(struct ht_archive_wants *w)
{
	free(w->lists);
	ht_buf_fini(&w->tag);
	ht_buf_fini(&w->body);
}

/* ---- a folder ---- */

static enum ht_err
in_folder(void *arg, uint32_t segment, int *ret_fd, uint64_t *ret_base)
{
	char name[HT_SEGMENT_NAME];
	HT_AUTO(ht_mem_free) char *path = NULL;

	ht_segment_name(segment, name);
	path = ht_fs_join(arg, name);
	if (path == NULL)
		return HT_ENOMEM;
	*ret_base = 0;
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*ret_fd != -1)
		return HT_OK;
	return errno == ENOENT ? HT_ENOTFOUND : HT_ESYSTEM;
}

enum ht_err
ht_archive_folder(const char *dir, const uint8_t env[static HT_ENV_ID_SIZE],
    struct ht_vault **ret)
{
	struct ht_vault_source source = {in_folder, (void *)(uintptr_t)dir};

	return ht_vault_open_source(env, &source, ret);
}
