/*
 * export.h -- what the parts of `hutong-audit export` share: one case, being
 * gathered into one file (docs/proofs.md, "A case").
 */
#ifndef HT_BROKER_CLI_EXPORT_H
#define HT_BROKER_CLI_EXPORT_H

#include "broker/cli/tool.h"
#include "schemas/doc.h"

#define HT_CASE_LABEL "hutong-case/v1"
#define HT_CASE_MAX   ((size_t)64 << 20) /* a thousand entries: 15 MiB */
/* Folders of trust documents: one in force now, and those of then. */
#define HT_CASE_TRUSTS (1 + HT_AUDIT_THEN)

/* One snapshot's documents, with the places of its list. */
struct ht_case_trust {
	struct ht_trust *trust;
	struct ht_list_line *lines;
	struct ht_hash *leaves; /* of the lines */
	bool *added;            /* is the document in the case? */
	size_t n;
	bool used; /* its snapshot note is in the case */
};

/* What is in the case so far; names are relative to its folder. */
struct ht_case {
	uint64_t time_s;
	struct ht_buf tar;
	struct ht_buf files; /* "<sha256>  <name>", a line each */
	struct ht_buf checkpoints, snapshots; /* sizes, hashes */
	struct ht_case_trust trusts[HT_CASE_TRUSTS];
	size_t n_trusts;
	size_t n_entries;
	uint64_t *entries; /* in the order they were found */
	size_t n_sizes;
	uint64_t *sizes; /* of checkpoints */
};
void ht_case_fini(struct ht_case *c);

/* A file; each once. */
enum ht_err ht_case_add(struct ht_case *c, struct ht_slice bytes,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * The folder of trust documents in @dir, judged by @root or, without, by its
 * own.  An exit code; says what is wrong.
 */
int ht_case_trust_load(
    struct ht_case *c, const char *dir, const struct ht_root *root);
/*
 * All that says whose keys and what grant stood behind an entry with a
 * header, in force then.  An exit code; says what is missing.
 */
int ht_case_trust_add(struct ht_case *c, const struct ht_entry *e,
    const struct ht_header *h, const struct ht_bundle *bundle);

/* "<hex>\n" for each hash. */
void ht_case_path(
    struct ht_buf *out, const struct ht_hash *path, size_t n_path);

/* verify.sh, line by line; NULL behind the last. */
extern const char *const ht_case_script[];

#endif
