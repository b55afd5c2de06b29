/*
 * entry.h -- drafts of a member's entry: from key files, and from the entry
 * that is in force.
 */
#ifndef HT_ADAPTERS_CLI_ENTRY_H
#define HT_ADAPTERS_CLI_ENTRY_H

#include "adapters/cli/cli.h"
#include "keys/keyfile.h"
#include "schemas/doc.h"

/* One key of the entry; officers have a vkey, the others a period. */
struct ht_entry_key {
	enum ht_key_for what;
	char node[HT_NODE_MAX + 1]; /* signing, transport */
	struct ht_keyinfo info;
	struct ht_vkey vkey; /* officers */
	bool gone;           /* taken out */
};

#define HT_ENTRY_KEYS 512 /* 32 nodes with twice four keys, and more */

struct ht_entry_draft {
	char member[HT_NAME_MAX + 1];
	uint64_t revision;
	const char *zh;
	const char *en;
	bool auditor;
	const char *from; /* of new keys; NULL: now */
	const char *life; /* NULL: 365d; sealing keys 90d at most */
	bool has_identity;
	struct ht_pub identity;
	uint64_t recovered_ms; /* or 0 */
	size_t n;
	struct ht_entry_key *keys;
};
void ht_entry_fini(struct ht_entry_draft *draft);

/* Add the keys of these files; an exit code, or HT_CLI_GO. */
int ht_entry_keys(struct ht_entry_draft *draft, const struct ht_args *paths);
/* What stands in an entry; the draft borrows its titles. */
int ht_entry_take(struct ht_entry_draft *draft, const struct ht_member *member);
/* Check it as it will be read, and write it as a new file. */
int ht_entry_write(const struct ht_entry_draft *draft, const char *path);

extern const struct ht_verb ht_directory_amend; /* in amend.c */
extern const struct ht_verb ht_directory_prove; /* in prove.c */

#endif
