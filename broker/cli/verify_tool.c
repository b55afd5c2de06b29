/*
 * verify_tool.c -- hutong-audit verify: the verdict, the first bad entry, and
 * what was and was not checked.
 */
#include <string.h>
#include <unistd.h>

#include "broker/check/verify.h"
#include "broker/cli/tool.h"
#include "lib/base/clock.h"
#include "lib/term/progress.h"
#include "lib/term/table.h"

static void
print_types(const struct ht_verify *v)
{
	static const struct ht_column columns[] = {
	    {"type",    false},
            {"entries", true }
        };
	struct ht_table *table = NULL;

	if (ht_table_new(columns, HT_COUNT(columns), &table) != HT_OK)
		return;
	for (unsigned type = 1; type < HT_VERIFY_TYPES; type++) {
		char count[24];
		struct ht_slice cells[2];

		if (v->by_type[type] == 0)
			continue;
		(void)snprintf(count, sizeof(count), "%llu",
		    (unsigned long long)v->by_type[type]);
		cells[0] = ht_slice_str(ht_entry_type_text(type));
		cells[1] = ht_slice_str(count);
		ht_table_add(table, cells);
	}
	(void)!ht_table_print(table, stdout);
	ht_table_free(&table);
}

static void
print_erasures(const struct ht_verify *v)
{
	if (v->erasures == 0)
		return;
	printf("erased       of %llu entries, by %llu ERASE entries, each "
	       "with its list and order",
	    (unsigned long long)v->erased, (unsigned long long)v->erasures);
	if (v->no_vault)
		printf("; NOT CHECKED: the vault is not in this copy\n");
	else if (v->trust == NULL)
		printf("; the orders' signatures NOT CHECKED: give "
		       "--authority\n");
	else if (v->orders_unknown > 0)
		printf("; %llu orders are NOT SIGNED by officers of the root "
		       "given\n",
		    (unsigned long long)v->orders_unknown);
	else
		printf(", signed by the officers\n");
}

static void
print_volumes(const struct ht_verify *v)
{
	if (v->volumes > 0)
		printf("volumes      %llu are closed; %llu entries are in "
		       "their files\n",
		    (unsigned long long)v->volumes,
		    (unsigned long long)(v->kept - v->begin));
}

/* What cannot be made anew, and why that is in order. */
static void
print_removed(const struct ht_verify *v)
{
	if (v->begin == 0)
		return;
	printf("removed      the entries below %llu, by entry %llu; their "
	       "hashes are here, and %llu entries cite one of them\n",
	    (unsigned long long)v->begin, (unsigned long long)v->removed_by,
	    (unsigned long long)v->cites_gone);
	if (v->trust == NULL)
		printf("             the signatures of the orders were NOT "
		       "CHECKED: give --authority\n");
	else
		printf("             %llu of %llu orders are signed by the "
		       "officers at hand\n",
		    (unsigned long long)v->removals_known,
		    (unsigned long long)v->removals);
}

static void
print_rolls(const struct ht_verify *v)
{
	if (v->rolls == 0)
		return;
	printf("rolls        %llu", (unsigned long long)v->rolls);
	if (v->no_vault)
		printf("; NOT CHECKED: the vault is not in this copy\n");
	else if (v->rolls_gone > 0)
		printf("; made anew, each is what its tags give, but for %llu "
		       "of whose tags some were erased or removed since\n",
		    (unsigned long long)v->rolls_gone);
	else
		printf(", made anew: each is what its tags give\n");
}

static void
print_signatures(const struct ht_verify *v)
{
	unsigned long long bundles = v->bundles;

	if (v->vkey != NULL)
		printf("checkpoints  %llu, each signed by %s and of this "
		       "tree\n",
		    (unsigned long long)v->checkpoints, v->vkey->name);
	else
		printf("checkpoints  %llu of this tree; signatures NOT "
		       "CHECKED: give --vkey, --root or --authority\n",
		    (unsigned long long)v->checkpoints);
	if (v->trust == NULL)
		printf("bundles      %llu; signatures NOT CHECKED: give "
		       "--authority\n",
		    bundles);
	else if (v->no_key > 0)
		printf("bundles      %llu signatures hold; %llu NOT CHECKED: "
		       "their keys are not in the directory given\n",
		    (unsigned long long)v->signatures,
		    (unsigned long long)v->no_key);
	else
		printf("bundles      %llu, each signature holds\n", bundles);
	if (v->no_vault)
		printf("vault        NOT CHECKED: it is not in this copy, and "
		       "%llu entries have a tag or body in it\n",
		    (unsigned long long)v->unseen);
	else
		printf("vault        %llu pieces, each tag and body is its "
		       "header's\n",
		    (unsigned long long)v->pieces);
	if (v->disclosures > 0)
		printf("disclosed    %llu looks, by %llu DISCLOSE entries\n",
		    (unsigned long long)v->disclosed,
		    (unsigned long long)v->disclosures);
	print_volumes(v);
	print_removed(v);
	print_rolls(v);
	print_erasures(v);
}

static void
print_good(const struct ht_verify *v)
{
	char from[HT_TIME_SIZE], to[HT_TIME_SIZE];
	char root[2 * HT_HASH_SIZE + 1];

	print_types(v);
	ht_time_text(from, v->first_us);
	ht_time_text(to, v->last_us);
	if (v->size > 0)
		printf("\nperiod       %s to %s\n", from, to);
	print_signatures(v);
	printf("anchor       %s\n",
	    v->anchored ? "the checkpoint given out last is of this tree"
	                : "none: a log without entries");
	ht_hex(root, v->root.at, HT_HASH_SIZE);
	printf("verified     %llu entries, root %s\n",
	    (unsigned long long)v->size, root);
}

static int
print_bad(const struct ht_audit_opts *opts, const struct ht_verify *v,
    enum ht_err err)
{
	if (ht_audit_is_volume(opts))
		return HT_AUDIT_USAGE;
	if (err == HT_ENOTFOUND) {
		ht_audit_say("%s: there is no log", opts->dir);
		return HT_AUDIT_GONE;
	}
	if (v->bad[0] == '\0')
		ht_audit_say("%s: %s", opts->dir, ht_err_text(err));
	else if (v->has_bad_seq)
		ht_audit_say("BAD: entry %llu: %s",
		    (unsigned long long)v->bad_seq, v->bad);
	else
		ht_audit_say("%s%s",
		    err == HT_EINTEGRITY || err == HT_EROLLBACK ? "BAD: " : "",
		    v->bad);
	if (v->has_bad_seq && v->bad_seq > 0)
		ht_audit_say("entries 0 to %llu hold; keep this copy as it "
		             "is, and compare with a mirror or a backup",
		    (unsigned long long)v->bad_seq - 1);
	if (err == HT_EROLLBACK)
		return HT_AUDIT_OLD;
	return err == HT_EINTEGRITY ? HT_AUDIT_BAD : HT_AUDIT_GONE;
}

int
ht_audit_verify(const struct ht_audit_opts *opts)
{
	HT_AUTO(ht_progress_fini) struct ht_progress bar = {0};
	struct ht_audit_faith faith;
	struct ht_verify v = {.progress = ht_progress_told, .arg = &bar};
	enum ht_err err;
	int code = ht_audit_faith(opts, &faith);

	if (code != HT_AUDIT_OK) {
		ht_audit_faith_fini(&faith);
		return code;
	}
	ht_progress_init(
	    &bar, "verifying entries", 0, STDERR_FILENO, ht_clock_mono_ms());
	v.vkey = faith.has_vkey ? &faith.vkey : NULL;
	v.trust = faith.trust;
	err = ht_verify_log(opts->dir, &v);
	ht_progress_fini(&bar);
	if (err != HT_OK) {
		code = print_bad(opts, &v, err);
	} else {
		print_good(&v);
		code =
		    v.unseen > 0 || v.no_key > 0 ? HT_AUDIT_PART : HT_AUDIT_OK;
	}
	ht_audit_faith_fini(&faith);
	if (fflush(stdout) == EOF)
		return HT_AUDIT_GONE;
	return code;
}
