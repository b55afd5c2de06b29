/*
 * list.h -- all looks at one subject, and that they are all: rolls that cover
 * the log from its beginning, and every entry that no roll covers
 * (docs/audit-socket.md, "Lists").
 */
#ifndef HT_BROKER_AUDIT_LIST_H
#define HT_BROKER_AUDIT_LIST_H

#include "broker/audit/query.h"

/* More entries that no roll covers are not sent: it would be a copy. */
#define HT_LIST_WHOLE 131072

/* ---- making one ---- */

struct ht_list_make;
/*
 * About entries below @end, proven in the tree of @size.  At most @whole_max
 * that no roll covers: HT_LIST_WHOLE, or more.  HT_EAGAIN: too few rolls are
 * there as yet.
 */
enum ht_err ht_list_make(struct ht_log *log, struct ht_index *index,
    const struct ht_pseudonym *subject, uint64_t end, uint64_t size,
    uint64_t whole_max, struct ht_list_make **ret) HT_MUST_USE;
void ht_list_make_free(struct ht_list_make **make_p);
/*
 * The next frame, appended to @out; *ret_more: there was one.  HT_EAGAIN:
 * something was erased meanwhile.
 */
enum ht_err ht_list_next(
    struct ht_list_make *make, struct ht_buf *out, bool *ret_more) HT_MUST_USE;
/* Rows sent so far. */
uint64_t ht_list_sent(const struct ht_list_make *make);

/* ---- checking one ---- */

struct ht_list;
/* The same; each look, proven, to @each, in order of the log. */
enum ht_err ht_list_new(const struct ht_pseudonym *subject, uint64_t end,
    uint64_t size, const struct ht_hash *root,
    enum ht_err (*each)(void *arg, const struct ht_row *row), void *arg,
    struct ht_list **ret) HT_MUST_USE;
void ht_list_free(struct ht_list **list_p);
/*
 * Of a list that is of a part of the log.  A look that stands before @start is
 * not asked for, so the list may begin with any entry up to it.
 */
struct ht_list_part {
	uint64_t start;
	/* A tag that is not there was erased: its volume's archive says so. */
	bool erased_later;
	/* The epochs asked for; @n 0: tags of others are not counted. */
	const char *const *epochs;
	size_t n;
};
/* Before the first frame; what @part points to is borrowed. */
void ht_list_of_part(struct ht_list *list, const struct ht_list_part *part);
/*
 * Take a frame.  Errors: HT_EMALFORMED; HT_EINTEGRITY (*ret_why says what is
 * wrong, if it is not a proof); HT_ENOMEM; what @each returns.
 */
enum ht_err ht_list_take(struct ht_list *list, struct ht_slice frame,
    const char **ret_why, uint64_t *ret_bad) HT_MUST_USE;
/* No more frames: was that all?  The same errors. */
enum ht_err ht_list_end(
    struct ht_list *list, const char **ret_why, uint64_t *ret_bad) HT_MUST_USE;

struct ht_list_counts {
	uint64_t rolls;  /* that were proven against */
	uint64_t rolled; /* entries that they cover */
	uint64_t whole;  /* entries looked at themselves */
	uint64_t erased; /* of these, without their tags, in order */
	uint64_t from;   /* where the list begins */
	uint64_t later;  /* tags that were erased by orders behind the log */
	uint64_t other;  /* tags of epochs that were not asked for */
};
struct ht_list_counts ht_list_counts(const struct ht_list *list);

#endif
