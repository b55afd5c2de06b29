/*
 * fsck_tool.c -- hutong-audit fsck: what is wrong with a log's files, and what
 * to do about it.
 */
#include <unistd.h>

#include "broker/check/fsck.h"
#include "broker/cli/tool.h"
#include "lib/base/clock.h"
#include "lib/term/progress.h"

static void
found(void *arg, enum ht_fsck_part part, const char *what)
{
	(void)arg;
	ht_audit_say("BAD: %s: %s", ht_fsck_text(part), what);
}

/* What is to be done, by the gravest that was found. */
static int
remedy(const struct ht_audit_opts *opts, const struct ht_fsck *f)
{
	const uint64_t *n = f->findings;

	for (unsigned part = 0; part < HT_FSCK_PARTS; part++)
		if (n[part] > HT_FSCK_SHOWN)
			ht_audit_say("%s: and %llu more", ht_fsck_text(part),
			    (unsigned long long)(n[part] - HT_FSCK_SHOWN));
	if (f->rolled_back) {
		ht_audit_say("restore the newer log; to go on with this one is "
		             "an act of the operator: hutong-broker(8)");
		return HT_AUDIT_OLD;
	}
	if (n[HT_FSCK_ENTRIES] + n[HT_FSCK_VAULT] + n[HT_FSCK_TREE] +
	        n[HT_FSCK_HEAD] + n[HT_FSCK_SIGNED] >
	    0) {
		ht_audit_say("what was logged is damaged: keep %s as it is, "
		             "run verify, which says how far it can be "
		             "believed, and restore a good copy",
		    opts->dir);
		return HT_AUDIT_BAD;
	}
	if (n[HT_FSCK_INDEX] > 0)
		ht_audit_say("only the index is wrong, and what was logged is "
		             "whole: remove the folder %s/index, and the "
		             "broker makes it anew; until then search with "
		             "--scan",
		    opts->dir);
	if (n[HT_FSCK_REMAINS] > 0)
		ht_audit_say("remains of a crash do no harm: the broker clears "
		             "them away when it starts on this log");
	return n[HT_FSCK_INDEX] + n[HT_FSCK_REMAINS] > 0 ? HT_AUDIT_NONE
	                                                 : HT_AUDIT_OK;
}

static void
print_counts(const struct ht_fsck *f)
{
	printf("entries    %llu, and the stored tree, head, checkpoints and "
	       "anchor that belong to them\n",
	    (unsigned long long)f->size);
	if (f->no_vault)
		printf("vault      not looked at: it is not here, or cannot "
		       "be read\n");
	else
		printf("vault      %llu pieces, each tag and body hashed\n",
		    (unsigned long long)f->pieces);
	if (f->no_index)
		printf("index      none, or left open by a crash: a search "
		       "looks at the entries\n");
	else
		printf("index      %llu rows, of the first %llu entries\n",
		    (unsigned long long)f->rows,
		    (unsigned long long)f->indexed);
}

int
ht_audit_fsck(const struct ht_audit_opts *opts)
{
	HT_AUTO(ht_progress_fini) struct ht_progress bar = {0};
	struct ht_fsck f = {
	    .progress = ht_progress_told, .found = found, .arg = &bar};
	enum ht_err err;
	int code;

	ht_progress_init(
	    &bar, "checking files", 0, STDERR_FILENO, ht_clock_mono_ms());
	err = ht_fsck_log(opts->dir, &f);
	ht_progress_fini(&bar);
	if (err != HT_OK && ht_audit_is_volume(opts))
		return HT_AUDIT_USAGE;
	if (err != HT_OK) {
		ht_audit_say("%s: %s", opts->dir,
		    err == HT_ENOTFOUND ? "there is no log"
		    : err == HT_EAGAIN  ? "a broker is writing this log; stop "
		                          "it first, or look at a backup"
		                        : ht_err_text(err));
		return HT_AUDIT_GONE;
	}
	print_counts(&f);
	code = remedy(opts, &f);
	if (code == HT_AUDIT_OK)
		printf("in order   every part fits the entries; whether those "
		       "are to be believed, verify says\n");
	return fflush(stdout) == EOF ? HT_AUDIT_GONE : code;
}
