/*
 * papers.h -- what a count takes from the authority's documents: promises,
 * titles, names.  From a folder at hand, or from a file that brings them, with
 * the list of their snapshot, whose root shows that none was left out
 * (docs/proofs.md, "Figures").
 */
#ifndef HT_BROKER_CLI_PAPERS_H
#define HT_BROKER_CLI_PAPERS_H

#include "schemas/doc.h"

struct ht_papers;

/* @trust is borrowed; NULL: there are none. */
enum ht_err ht_papers_of_trust(
    const struct ht_trust *trust, struct ht_papers **ret) HT_MUST_USE;
/*
 * Of a file; @bytes are borrowed.  That the snapshot is to be believed is the
 * caller's to find out.  Errors: HT_EINTEGRITY with *ret_why; HT_ENOMEM.
 */
enum ht_err ht_papers_open(struct ht_slice bytes, struct ht_papers **ret,
    const char **ret_why) HT_MUST_USE;
void ht_papers_free(struct ht_papers **papers_p);
/* For a file: the snapshot, its list, and what was asked for. */
enum ht_err ht_papers_pack(const struct ht_papers *papers, struct ht_buf *out)
    HT_MUST_USE;

/* The snapshot; NULL: there are no papers. */
const struct ht_doc *ht_papers_snapshot(const struct ht_papers *papers);

/* NULL: the snapshot has none, or an error that sticks. */
const struct ht_item *ht_papers_item(
    struct ht_papers *papers, struct ht_slice name, uint32_t version);
const struct ht_item *ht_papers_item_newest(
    struct ht_papers *papers, struct ht_slice name);
const struct ht_member *ht_papers_member(
    struct ht_papers *papers, struct ht_slice name);
/*
 * What has gone wrong so far; HT_EINTEGRITY, with *ret_what, the document: it
 * is not in the file, or not the one of the list.
 */
enum ht_err ht_papers_err(const struct ht_papers *papers, const char **ret_what)
    HT_MUST_USE;
/* A file's document that nobody has asked for; NULL: there is none. */
const char *ht_papers_unused(const struct ht_papers *papers);

/* The title in the language asked for, or in the other; "": neither. */
const char *ht_papers_title(const char *zh, const char *en, bool chinese);

#endif
