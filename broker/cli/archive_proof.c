/*
 * archive_proof.c -- that what is erased in an archive was erased by orders
 * that stand in the log: each list beside the proof of its ERASE entry.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/cli/tool.h"
#include "broker/log/erase.h"
#include "broker/log/lone.h"
#include "broker/log/volume.h"
#include "lib/base/fs.h"

/* ---- making them ---- */

/* Is it the volume that has entry @by?  One that is damaged has none. */
static bool
has_entry(const char *path, uint64_t by)
{
	HT_AUTO(ht_volume_close) struct ht_volume *volume = NULL;

	return ht_volume_open_file(path, 0, 0, &volume) == HT_OK &&
	       by >= ht_volume_head(volume)->first &&
	       by < ht_volume_head(volume)->end;
}

static enum ht_err
find_volume(const char *folder, uint64_t by, char **ret)
{
	DIR *dir = opendir(folder);
	struct dirent *at;
	uint64_t first;

	*ret = NULL;
	while (dir != NULL && *ret == NULL && (at = readdir(dir)) != NULL) {
		if (ht_volume_name_parse(at->d_name, &first) != HT_OK ||
		    first > by)
			continue;
		*ret = ht_fs_join(folder, at->d_name);
		if (*ret != NULL && !has_entry(*ret, by))
			ht_mem_free(ret);
	}
	if (dir != NULL)
		closedir(dir);
	return *ret == NULL ? HT_ENOTFOUND : HT_OK;
}

/* A log that nobody writes has all entries; else one that is closed will do. */
static enum ht_err
open_source(const char *dir, uint64_t by, struct ht_report *report,
    char **ret_path, struct ht_log **ret)
{
	HT_AUTO(ht_mem_free) char *volumes = ht_fs_join(dir, "volumes");
	enum ht_err err = ht_log_open(dir, NULL, NULL, report, ret);

	if (err == HT_OK || err == HT_ENOMEM || volumes == NULL)
		return volumes == NULL ? HT_ENOMEM : err;
	err = find_volume(volumes, by, ret_path);
	return err == HT_OK ? ht_log_open_lone(*ret_path, report, ret) : err;
}

enum ht_err
ht_audit_prove_order(void *arg, uint64_t by, struct ht_buf *out)
{
	const struct ht_audit_prover *p = arg;
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_mem_free) char *path = NULL;
	HT_AUTO(ht_log_close) struct ht_log *log = NULL;
	struct ht_audit_opts opts = *p->opts;
	enum ht_err err = open_source(p->opts->dir, by, report, &path, &log);

	if (err != HT_OK)
		return err == HT_ENOMEM ? err : HT_ENOTFOUND;
	opts.query = HT_QUERY_ALL;
	opts.dir = NULL;
	opts.log = log;
	return ht_audit_prove_into(&opts, p->faith, by, out) == HT_AUDIT_OK
	           ? HT_OK
	           : HT_ENOTFOUND;
}

/* ---- checking them ---- */

static int
bad(const char *path, uint64_t by, const char *what)
{
	ht_audit_say("BAD: %s: the proof of the ERASE entry %llu: %s", path,
	    (unsigned long long)by, what);
	return HT_AUDIT_BAD;
}

/* By officers whom the root at hand names?  It may be a newer one. */
static void
count_signed(const struct ht_doc *order, const struct ht_audit_faith *faith,
    struct ht_audit_orders *ret)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();

	if (faith->root != NULL &&
	    ht_doc_check_signed(order, faith->root, NULL, report) == HT_OK)
		ret->ordered++;
}

/* The entry that is proven speaks of this list, and of this order. */
static int
compare(struct ht_erasure *list, const struct ht_row *row, const char *path,
    const struct ht_audit_faith *faith, struct ht_audit_orders *ret)
{
	HT_AUTO(ht_doc_unref) struct ht_doc *order = NULL;
	struct ht_erase_said said;
	enum ht_err err;

	if (row->seq != list->by || row->entry.type != HT_ENTRY_ERASE ||
	    ht_erase_said_decode(row->entry.payload, &said) != HT_OK)
		return bad(path, list->by, "it is of another entry");
	err = ht_erase_fits(list, &said, &order);
	if (err == HT_ENOMEM)
		return HT_AUDIT_GONE;
	if (err != HT_OK)
		return bad(path, list->by,
		    "the list in the archive, or its order, is not the one "
		    "that entry names");
	count_signed(order, faith, ret);
	ret->proven++;
	return HT_AUDIT_OK;
}

static int
check_one(struct ht_archive *archive, uint64_t by, const char *path,
    const struct ht_audit_faith *faith, struct ht_audit_orders *ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(HT_PROOF_FILE_MAX);
	HT_AUTO(ht_audit_proven_free) struct ht_audit_proven *c = NULL;
	HT_AUTO(ht_erasure_free) struct ht_erasure *list = NULL;
	enum ht_err err = ht_archive_proof(archive, by, &bytes);
	int code;

	if (err == HT_ENOTFOUND) {
		if (ret->lists == ret->proven + 1)
			ret->unproven = by;
		return HT_AUDIT_OK;
	}
	if (err == HT_OK)
		err = ht_archive_erasure(archive, by, &list);
	if (err != HT_OK)
		return err == HT_EINTEGRITY
		           ? bad(path, by, "it, or its list, is damaged")
		           : HT_AUDIT_GONE;
	code = ht_audit_check_proof(faith, path, ht_buf_slice(&bytes), &c);
	if (code == HT_AUDIT_OK)
		code = compare(list, &c->row, path, faith, ret);
	return code;
}

int
ht_audit_check_orders(struct ht_archive *archive, const char *path,
    const struct ht_audit_faith *faith, struct ht_audit_orders *ret)
{
	uint64_t by;
	int code = HT_AUDIT_OK;

	*ret = (struct ht_audit_orders){0};
	for (size_t i = 0;
	     code == HT_AUDIT_OK && ht_archive_list(archive, i, &by); i++) {
		ret->lists++;
		code = check_one(archive, by, path, faith, ret);
	}
	return code;
}
