/*
 * remake.c -- a roll made anew from the entries themselves, to be compared
 * with what an INDEX_ROOT says.
 */
#include "broker/check/verify_in.h"

#include <stdlib.h>
#include <string.h>

#include "broker/log/erase.h"

struct remake {
	struct ht_log *log;
	uint64_t said_by;
	struct ht_roll_row *rows;
	size_t n, cap;
	struct ht_buf tag;
	bool gone;
};

static void
remake_fini(struct remake *m)
{
	free(m->rows);
	ht_buf_fini(&m->tag);
}

static enum ht_err
add_rows(struct remake *m, uint64_t seq, const struct ht_tag *tag)
{
	while (m->n + tag->n_subjects > m->cap) {
		size_t cap = m->cap == 0 ? 1024 : 2 * m->cap;
		struct ht_roll_row *rows =
		    realloc(m->rows, cap * sizeof(*rows));

		if (rows == NULL)
			return HT_ENOMEM;
		m->rows = rows;
		m->cap = cap;
	}
	for (unsigned i = 0; i < tag->n_subjects; i++) {
		struct ht_roll_row *row = &m->rows[m->n++];

		row->subject = tag->subjects[i];
		memcpy(row->salt, tag->salt, sizeof(row->salt));
		row->seq = seq;
	}
	return HT_OK;
}

static enum ht_err
add_entry(void *arg, uint64_t seq, struct ht_slice leaf)
{
	struct remake *m = arg;
	struct ht_erased erased;
	struct ht_entry e;
	struct ht_tag tag;
	enum ht_err err = ht_entry_decode(leaf, &e);

	if (err != HT_OK || e.tag_len == 0)
		return err;
	err = ht_log_erased(m->log, &e, &erased);
	if (err == HT_OK && erased.tag) {
		m->gone |= erased.tag_by > m->said_by;
		return HT_OK;
	}
	ht_buf_reset(&m->tag);
	if (err == HT_OK)
		err = ht_log_read_vault(m->log, &e, &m->tag, NULL);
	if (err != HT_OK ||
	    ht_tag_decode(ht_buf_slice(&m->tag), &tag, NULL) != HT_OK)
		return err;
	return add_rows(m, seq, &tag);
}

enum ht_err
ht_roll_remake(struct ht_log *log, const struct ht_roll_said *said,
    uint64_t said_by, struct ht_roll_said *ret, bool *ret_gone)
{
	HT_AUTO(remake_fini)
	struct remake m = {.log = log, .said_by = said_by};
	enum ht_err err;

	m.tag = HT_BUF(HT_TAG_MAX);
	err = ht_log_walk(log, said->from, said->to, add_entry, &m);
	if (err == HT_OK)
		err = ht_roll_sort(m.rows, m.n);
	*ret = *said;
	ret->count = m.n;
	*ret_gone = m.gone;
	return err == HT_OK ? ht_roll_root(m.rows, m.n, &ret->root) : err;
}
