/*
 * What a broker sends of a snapshot is put together from true pieces and from
 * anything: documents of three snapshots, with each other's lines, cut, twice
 * or not at all, names that are gone, notes that do not belong together.
 * Either it is refused, or the result is one of the three, byte for byte.
 *
 * Input: a byte for snapshot, current and whether it is all; then operations
 * of two bytes (which, and of what), and bytes of their own for some.
 */
#include <string.h>

#include "lib/base/panic.h"
#include "schemas/trust.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/world.h"

#define VERSIONS 3
#define POOL_MAX 64
#define DOCS_MAX 256
#define NOW_MS   UINT64_C(1795491723000)

static struct ht_trust *versions[VERSIONS];
static struct ht_root root;
static size_t n_pool;
static struct piece {
	struct ht_slice line;
	struct ht_slice note;
} pool[POOL_MAX];

/* ---- three snapshots ---- */

static void
grant_like(struct ht_world *w, const char *name, const char *like)
{
	ht_world_put(
	    w, HT_DOC_GRANT, name, ht_world_text(w, HT_DOC_GRANT, like));
	ht_world_edit(w, HT_DOC_GRANT, name, like, name);
}

static void
fill_pool(const struct ht_trust *trust, uint64_t since)
{
	size_t at = 0;

	while (n_pool < POOL_MAX && ht_trust_next_since(trust, since, &at,
	                                &pool[n_pool].line, &pool[n_pool].note))
		n_pool++;
	HT_ASSERT(n_pool < POOL_MAX);
}

/* The second has other grants; the third another item, too. */
static void
set_up(void)
{
	struct ht_world *w;

	HT_ASSERT(ht_keys_init() == HT_OK);
	w = ht_world_new(NOW_MS);
	root = w->root;
	versions[0] = ht_trust_ref(w->trust);
	grant_like(w, "gx.demo/6", "gx.demo/1");
	ht_world_drop(w, HT_DOC_GRANT, "gx.demo/4");
	ht_world_edit(
	    w, HT_DOC_GRANT, "gx.demo/2", "revision: 1", "revision: 2");
	ht_world_renew(w);
	versions[1] = ht_trust_ref(w->trust);
	ht_world_drop(w, HT_DOC_GRANT, "gx.demo/6");
	ht_world_edit(
	    w, HT_DOC_ITEM, "gx.demo/SCZTDJ@1", "revision: 1", "revision: 2");
	ht_world_renew(w);
	versions[2] = ht_trust_ref(w->trust);
	fill_pool(versions[0], 0);
	fill_pool(versions[1], ht_trust_version(versions[0]));
	fill_pool(versions[2], ht_trust_version(versions[1]));
	ht_world_free(&w);
}

/* ---- news of anything ---- */

struct making {
	struct ht_trust_news news;
	struct ht_buf gone;
	struct ht_slice lines[DOCS_MAX], notes[DOCS_MAX];
};

static void
add(struct making *m, struct ht_slice line, struct ht_slice note)
{
	if (m->news.n == DOCS_MAX)
		return;
	m->lines[m->news.n] = line;
	m->notes[m->news.n++] = note;
}

/* "kind name" of its line. */
static void
add_gone(struct making *m, struct ht_slice line)
{
	const uint8_t *end = memchr(line.at, ' ', line.len);

	end = memchr(end + 1, ' ', line.len - (size_t)(end + 1 - line.at));
	ht_buf_add(&m->gone, line.at, (size_t)(end - line.at));
	ht_buf_u8(&m->gone, '\n');
}

static void
operate(struct making *m, uint8_t what, uint8_t which, struct ht_cur *cur)
{
	const struct piece *piece = &pool[which % n_pool];
	const struct piece *next = &pool[(which + 1u) % n_pool];
	size_t left = (size_t)(cur->end - cur->at);
	struct ht_slice raw = HT_SLICE(cur->at, 0);

	if (what % 8 >= 5)
		raw = ht_cur_take(cur, which < left ? which : left);
	switch (what % 8) {
	case 0:
	case 1:
		add(m, piece->line, piece->note);
		break;
	case 2:
		add(m, piece->line, next->note);
		break;
	case 3:
		add(m, piece->line,
		    HT_SLICE(piece->note.at, piece->note.len * what / 256));
		break;
	case 4:
		add_gone(m, piece->line);
		break;
	case 5:
		ht_buf_add(&m->gone, raw.at, raw.len);
		break;
	case 6:
		add(m, raw, pool[0].note);
		break;
	default:
		add(m, pool[0].line, raw);
		break;
	}
}

static void
check(const struct ht_trust *trust)
{
	uint64_t first = ht_trust_version(versions[0]);
	const struct ht_trust *want;
	size_t n = ht_trust_n_docs(trust);

	HT_ASSERT(ht_trust_version(trust) - first < VERSIONS);
	want = versions[ht_trust_version(trust) - first];
	HT_ASSERT(n == ht_trust_n_docs(want));
	for (size_t i = 0; i < n; i++)
		HT_ASSERT(
		    ht_slice_eq(ht_trust_doc(trust, i), ht_trust_doc(want, i)));
}

static void
try_news(struct making *m, const struct ht_trust *before)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	HT_AUTO(ht_trust_unref) struct ht_trust *trust = NULL;
	enum ht_err err =
	    ht_trust_patch(&root, &m->news, before, report, &trust);

	if (err == HT_OK) {
		check(trust);
		return;
	}
	HT_ASSERT(trust == NULL && ht_report_count(report) > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len)
{
	static struct making m;
	struct ht_cur cur = ht_cur(HT_SLICE(in, in_len));
	uint8_t notes = ht_cur_u8(&cur);
	const struct ht_trust *of = versions[0];

	if (of == NULL)
		set_up();
	m.gone = HT_BUF(HT_GONE_MAX);
	of = versions[(notes & 3) % VERSIONS];
	m.news = (struct ht_trust_news){
	    .snapshot = ht_trust_snapshot(of),
	    .current = ht_trust_current(of),
	    .whole = (notes & 4) != 0,
	    .lines = m.lines,
	    .notes = m.notes,
	};
	if ((notes & 8) != 0)
		m.news.current = ht_trust_current(versions[(notes >> 4) % 3]);
	if ((notes & 0x80) != 0)
		m.news.current.len /= 2;
	while (cur.at < cur.end && m.gone.err == HT_OK) {
		uint8_t what = ht_cur_u8(&cur), which = ht_cur_u8(&cur);

		operate(&m, what, which, &cur);
	}
	m.news.gone = ht_buf_slice(&m.gone);
	try_news(&m, versions[0]);
	try_news(&m, NULL);
	ht_buf_fini(&m.gone);
	return 0;
}
