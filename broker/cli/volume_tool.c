/*
 * volume_tool.c -- hutong-audit archive, and verify of a volume's file and of
 * an archive: with no broker, and no log.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/check/verify.h"
#include "broker/cli/tool.h"
#include "broker/log/archive.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"

static int
say(const struct ht_report *report, const char *path, enum ht_err err)
{
	ht_audit_say_found(report, path, err);
	return err == HT_ENOTFOUND ? HT_AUDIT_NONE : ht_audit_code(err);
}

/* ---- a volume's file ---- */

struct seen {
	const struct ht_trust *trust;
	uint64_t first_us, last_us;
	uint64_t by_type[HT_VERIFY_TYPES];
	uint64_t bundles, signatures, no_key, left_in_vault;
	/* the bundle whose entries come by */
	struct ht_buf evidence;
	struct ht_bundle bundle;
	uint32_t n;
	char why[100];
};

static enum ht_err
wrong(struct seen *s, const char *why)
{
	(void)snprintf(s->why, sizeof(s->why), "%s", why);
	return HT_EINTEGRITY;
}

static enum ht_err
end_bundle(struct seen *s)
{
	const struct ht_keyinfo *key;
	enum ht_err err;

	s->bundles++;
	if (ht_evidence_root(&s->bundle) != HT_OK)
		return wrong(s, "its bundle's left-out hashes do not fit");
	if (s->trust == NULL)
		return HT_OK;
	key = ht_trust_bundle_key(s->trust, &s->bundle);
	if (key == NULL) {
		s->no_key++;
		return HT_OK;
	}
	err = ht_bundle_verify(&s->bundle, &key->pub);
	s->signatures++;
	return err == HT_OK || err == HT_ENOMEM
	           ? err
	           : wrong(s, "the signature of its bundle does not verify");
}

/* Its bundle's entries follow one another; the block they are in may not. */
static enum ht_err
take_bundle(struct seen *s, const struct ht_entry *e,
    const struct ht_volume_entry *stored)
{
	if (stored->evidence.len > 0) {
		if (s->n < s->bundle.n_records)
			return wrong(s, "the bundle before it lacks records");
		ht_buf_reset(&s->evidence);
		ht_buf_add(
		    &s->evidence, stored->evidence.at, stored->evidence.len);
		if (s->evidence.err != HT_OK)
			return s->evidence.err;
		if (ht_evidence_unpack(
		        ht_buf_slice(&s->evidence), &s->bundle) != HT_OK)
			return wrong(s, "its bundle's evidence is malformed");
		s->n = 0;
	}
	if (s->n == s->bundle.n_records ||
	    s->bundle.records[s->n].index != e->bundle_index)
		return wrong(s, "its place in its bundle is another");
	s->bundle.records[s->n++].hash = ht_header_hash(e->payload);
	return s->n == s->bundle.n_records ? end_bundle(s) : HT_OK;
}

static enum ht_err
take_entry(void *arg, uint64_t seq, const struct ht_volume_entry *stored)
{
	struct seen *s = arg;
	struct ht_entry e;

	(void)seq;
	if (ht_entry_decode(stored->leaf, &e) != HT_OK)
		return wrong(s, "its leaf is malformed");
	if (s->first_us == 0)
		s->first_us = e.time_us;
	s->last_us = e.time_us;
	s->by_type[e.type]++;
	s->left_in_vault += e.tag_len > 0 || e.body_len > 0;
	return e.bundle_count > 0 ? take_bundle(s, &e, stored) : HT_OK;
}

static void
print_volume(const struct ht_volume *volume, const struct seen *s,
    const struct ht_audit_judged *judged)
{
	const struct ht_volume_head *head = ht_volume_head(volume);
	char from[HT_TIME_SIZE], to[HT_TIME_SIZE];
	char root[2 * HT_HASH_SIZE + 1];

	for (unsigned type = 1; type < HT_VERIFY_TYPES; type++)
		if (s->by_type[type] > 0)
			printf("%-13s %" PRIu64 "\n", ht_entry_type_text(type),
			    s->by_type[type]);
	ht_time_text(from, s->first_us);
	ht_time_text(to, s->last_us);
	ht_hex(root, judged->cp.root.at, HT_HASH_SIZE);
	printf("\nperiod        %s to %s\n", from, to);
	printf("checkpoint    of %s, %s\n", judged->cp.origin, judged->text);
	if (s->trust == NULL)
		printf("bundles       %" PRIu64
		       "; signatures NOT CHECKED: give --authority\n",
		    s->bundles);
	else if (s->no_key > 0)
		printf("bundles       %" PRIu64 " signatures hold; %" PRIu64
		       " NOT CHECKED: their keys are not in the directory "
		       "given\n",
		    s->signatures, s->no_key);
	else
		printf("bundles       %" PRIu64 ", each signature holds\n",
		    s->bundles);
	printf("vault         NOT CHECKED: tags and bodies of %" PRIu64
	       " entries are not in this file; an archive has them\n",
	    s->left_in_vault);
	printf("verified      a volume of %" PRIu64 " entries, %" PRIu64
	       " to %" PRIu64 ", root %s\n",
	    head->end - head->first, head->first, head->end - 1, root);
}

static int
check_volume(const char *path, struct ht_volume *volume, struct seen *s,
    const struct ht_audit_faith *faith)
{
	struct ht_audit_judged judged;
	uint64_t bad = 0;
	int code = ht_audit_judge(faith, path, ht_volume_note(volume), &judged);
	enum ht_err err;

	if (code != HT_AUDIT_OK)
		return code;
	err = ht_volume_check(volume, NULL, take_entry, s, &bad);
	if (err == HT_OK && s->n < s->bundle.n_records)
		err = wrong(s, "its last bundle lacks records");
	if (err == HT_OK) {
		print_volume(volume, s, &judged);
		return HT_AUDIT_OK;
	}
	if (err != HT_EINTEGRITY) {
		ht_audit_say("%s: %s", path, ht_err_text(err));
		return HT_AUDIT_GONE;
	}
	if (bad == ht_volume_head(volume)->end)
		ht_audit_say("BAD: %s: its entries do not give the root of "
		             "its checkpoint",
		    path);
	else
		ht_audit_say("BAD: %s: entry %" PRIu64 "%s%s", path, bad,
		    s->why[0] != '\0' ? ": "
		                      : " is not the one that was "
		                        "logged",
		    s->why);
	return HT_AUDIT_BAD;
}

int
ht_audit_verify_volume(const char *path, const struct ht_audit_faith *faith)
{
	HT_AUTO(ht_volume_close) struct ht_volume *volume = NULL;
	struct seen *s = calloc(1, sizeof(*s));
	int code = HT_AUDIT_GONE;
	enum ht_err err = ht_volume_open_file(path, 0, 0, &volume);

	if (err == HT_EINTEGRITY) {
		ht_audit_say(
		    "BAD: %s: this is not a volume as it was written", path);
		code = HT_AUDIT_BAD;
	} else if (err == HT_OK && s != NULL) {
		s->trust = faith->trust;
		s->evidence = HT_BUF(HT_EVIDENCE_MAX);
		code = check_volume(path, volume, s, faith);
		ht_buf_fini(&s->evidence);
	} else {
		ht_audit_say("%s: %s", path,
		    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
	}
	free(s);
	return fflush(stdout) == EOF ? HT_AUDIT_GONE : code;
}

/* ---- an archive ---- */

static void
print_orders(const struct ht_audit_orders *orders, bool has_root)
{
	if (orders->lists == 0)
		return;
	printf("orders        %u of %u lists of what is erased are proven to "
	       "be of ERASE entries in the log",
	    orders->proven, orders->lists);
	if (!has_root)
		printf("; whose officers signed, NOT CHECKED: give --root");
	else if (orders->ordered < orders->proven)
		printf("; %u by officers whom this root does not name",
		    orders->proven - orders->ordered);
	if (orders->proven < orders->lists)
		printf(";\n              NOT PROVEN: entry %" PRIu64
		       ", which the log alone can show; an archive that is "
		       "made once\n              its own volume is closed, or "
		       "made of a backup, has the proof",
		    orders->unproven);
	putchar('\n');
}

static void
print_archive(const struct ht_archive_seen *seen,
    const struct ht_audit_orders *orders, const struct ht_audit_faith *faith)
{
	char root[2 * HT_HASH_SIZE + 1];

	ht_hex(root, seen->root.at, HT_HASH_SIZE);
	printf("files         %" PRIu64 ", of %" PRIu64
	       " bytes, each as the list of sums says\n",
	    seen->files, seen->bytes);
	printf("checkpoint    %s\n",
	    faith->has_vkey ? "signed by the log's key"
	                    : "signature NOT CHECKED: give --root or --vkey");
	printf("vault         %" PRIu64 " pieces, each tag and body is its "
	       "entry's",
	    seen->pieces);
	if (seen->erased > 0)
		printf("; of %" PRIu64 " something is erased, and on its list",
		    seen->erased);
	putchar('\n');
	print_orders(orders, faith->root != NULL);
	printf("verified      an archive of %" PRIu64 " entries, %" PRIu64
	       " to %" PRIu64 ", root %s\n",
	    seen->end - seen->first, seen->first, seen->end - 1, root);
}

int
ht_audit_verify_archive(const char *path, const struct ht_audit_faith *faith)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_archive_close) struct ht_archive *archive = NULL;
	struct ht_audit_orders orders;
	struct ht_archive_seen seen;
	enum ht_err err = ht_archive_open(path, report, &archive);
	int code;

	if (err == HT_OK)
		err = ht_archive_check(
		    archive, faith->has_vkey ? &faith->vkey : NULL, &seen);
	if (err != HT_OK)
		return say(report, path, err);
	code = ht_audit_check_orders(archive, path, faith, &orders);
	if (code != HT_AUDIT_OK)
		return code;
	print_archive(&seen, &orders, faith);
	return fflush(stdout) == EOF ? HT_AUDIT_GONE : HT_AUDIT_OK;
}

/* Under another name, verified as it is on that disk; then it has its own. */
static int
write_archive(const struct ht_audit_opts *opts, uint64_t seq,
    const struct ht_audit_faith *faith, const char *fresh)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_mem_free) char *folder = strdup(opts->output);
	struct ht_audit_prover proofs = {opts, faith};
	struct ht_archive_prover prover = {ht_audit_prove_order, &proofs};
	char *slash = folder == NULL ? NULL : strrchr(folder, '/');
	enum ht_err err;
	int code;

	if (folder == NULL)
		return HT_AUDIT_GONE;
	if (slash != NULL)
		slash[slash == folder ? 1 : 0] = '\0';
	err = ht_archive_write(opts->dir, seq, fresh, &prover, report);
	if (err != HT_OK)
		return say(report, fresh, err);
	code = ht_audit_verify_archive(fresh, faith);
	if (code == HT_AUDIT_OK && link(fresh, opts->output) == -1) {
		ht_audit_say("%s: %s", opts->output, strerror(errno));
		code = HT_AUDIT_GONE;
	}
	(void)unlink(fresh);
	if (code == HT_AUDIT_OK &&
	    ht_fs_sync_dir(slash == NULL ? "." : folder) != HT_OK) {
		ht_audit_say("%s: %s", opts->output, strerror(errno));
		code = HT_AUDIT_GONE;
	}
	return code;
}

int
ht_audit_archive(const struct ht_audit_opts *opts, uint64_t seq)
{
	HT_AUTO(ht_mem_free) char *fresh = NULL;
	struct ht_audit_faith faith;
	int code = ht_audit_faith(opts, &faith);

	if (asprintf(&fresh, "%s.new", opts->output) == -1)
		fresh = NULL;
	if (code == HT_AUDIT_OK && access(opts->output, F_OK) == 0) {
		ht_audit_say("%s is there already, and is not written over",
		    opts->output);
		code = HT_AUDIT_GONE;
	}
	if (code == HT_AUDIT_OK)
		code = fresh == NULL ? HT_AUDIT_GONE
		                     : write_archive(opts, seq, &faith, fresh);
	ht_audit_faith_fini(&faith);
	return code;
}
