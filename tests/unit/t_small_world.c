/*
 * All requests of a small world against all sets of its grants, in several
 * orders of its documents: nothing without a grant; one more grant takes no
 * right away, one more suspension gives none; the order of entries does not
 * matter; and can-i says of each what the broker's decision says.
 */
#include "tests/lib/test.h"

#include "schemas/prospect.h"
#include "tests/lib/world.h"

#define NOW_MS UINT64_C(1795491723000) /* 2026-11-24T03:02:03Z */
#define DAY_MS UINT64_C(86400000)

#define GRANTS 5
#define SETS   (1u << GRANTS)
#define ALL    (SETS - 1)
#define ORDERS 3

static struct ht_trust *trusts[ORDERS][SETS];

/* ---- the world ---- */

static const char *const senders[] = {"tax.demo/state", "tax.demo/local",
    "police.demo/residents", "tax.demo/nobody"};
static const char *const recipients[] = {
    "scjg.demo/registry", "tax.demo/state"};
static const char *const items[] = {
    "gx.demo/SCZTDJ", "gx.demo/ZXTJ", "gx.demo/NOSUCH"};
static const unsigned versions[] = {1, 2};
static const unsigned operations[] = {HT_OP_QUERY, HT_OP_VERIFY, HT_OP_PUSH};
static const char *const purposes[] = {
    "tax-registration", "planning", "tax-audit"};
static const char *const bases[] = {"ZGF-15", "TJF-20"};
static const char *const names[] = {"gx.demo/1", "gx.demo/2", "gx.demo/3",
    "gx.demo/4", "gx.demo/5", "gx.demo/6"};

struct ask {
	const char *sender, *recipient, *item, *purpose, *basis, *grant;
	unsigned version, operation;
};

/* Who may what, written down by hand, from world.h's words. */
static const struct right {
	unsigned number;
	const char *sender, *recipient, *item;
	unsigned operations;
	const char *purpose, *basis;
	uint64_t per_day;
} rights[] = {
    {1, "tax.demo/state", "scjg.demo/registry", "gx.demo/SCZTDJ",
     HT_OPS(HT_OP_QUERY) | HT_OPS(HT_OP_VERIFY),                                       "tax-registration",
     "ZGF-15",                                                                                                       0  },
    {2, "tax.demo/local", "scjg.demo/registry", "gx.demo/SCZTDJ",
     HT_OPS(HT_OP_QUERY) | HT_OPS(HT_OP_VERIFY),                                       "tax-registration",
     "ZGF-15",                                                                                                       100},
    {3, "tax.demo/local", "tax.demo/state",     "gx.demo/ZXTJ",   HT_OPS(HT_OP_QUERY),
     "planning",                                                                                           "TJF-20", 0  },
};

/* The right that such a request would be an exercise of; NULL: none. */
static const struct right *
right_of(unsigned set, const struct ask *a)
{
	for (size_t i = 0; i < HT_COUNT(rights); i++)
		if ((set & (1u << (rights[i].number - 1))) != 0 &&
		    strcmp(a->grant, names[rights[i].number - 1]) == 0 &&
		    strcmp(a->sender, rights[i].sender) == 0 &&
		    strcmp(a->recipient, rights[i].recipient) == 0 &&
		    strcmp(a->item, rights[i].item) == 0 && a->version == 1 &&
		    (rights[i].operations & HT_OPS(a->operation)) != 0 &&
		    strcmp(a->purpose, rights[i].purpose) == 0 &&
		    strcmp(a->basis, rights[i].basis) == 0)
			return &rights[i];
	return NULL;
}

/* The i-th of all requests; false past the last. */
static bool
nth_ask(size_t i, struct ask *ret)
{
#define DIGIT(field, values)                                                   \
	do {                                                                   \
		ret->field = (values)[i % HT_COUNT(values)];                   \
		i /= HT_COUNT(values);                                         \
	} while (0)
	DIGIT(sender, senders);
	DIGIT(recipient, recipients);
	DIGIT(item, items);
	DIGIT(version, versions);
	DIGIT(operation, operations);
	DIGIT(purpose, purposes);
	DIGIT(basis, bases);
	DIGIT(grant, names);
#undef DIGIT
	return i == 0;
}
#define ASKS ((size_t)4 * 2 * 3 * 2 * 3 * 3 * 2 * 6)

static void
swap(struct ht_slice *a, struct ht_slice *b)
{
	struct ht_slice was = *a;

	*a = *b;
	*b = was;
}

/* As they were made, from behind, and each with one further on. */
static void
reorder(struct ht_world *w, unsigned order)
{
	size_t n = w->n_docs;

	for (size_t i = 0; order == 1 && i < n / 2; i++)
		swap(&w->notes[i], &w->notes[n - 1 - i]);
	for (size_t i = 0; order == 2 && i < n; i++)
		swap(&w->notes[i], &w->notes[(i * 7 + 3) % n]);
}

static struct ht_trust *
trust_with(unsigned set, unsigned order, const char *suspended)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_world *w = ht_world_new(NOW_MS);
	struct ht_trust *trust = NULL;

	for (unsigned i = 0; i < GRANTS; i++)
		if (!(set & (1u << i)))
			ht_world_drop(w, HT_DOC_GRANT, names[i]);
	w->suspended = suspended;
	ht_world_publish(w);
	reorder(w, order);
	/* world.c names documents by place: names are for findings alone. */
	assert_ok(ht_world_load(w, NULL, report, &trust));
	ht_world_free(&w);
	return trust;
}

/* Made when it is needed first: most of the time goes into signing. */
static const struct ht_trust *
trust_of(unsigned order, unsigned set)
{
	if (trusts[order][set] == NULL)
		trusts[order][set] = trust_with(set, order, NULL);
	return trusts[order][set];
}

/* ---- one decision ---- */

/* All that is not in the request's words. */
struct around {
	enum { TAG_DUE, TAG_MISSING, TAG_OF_NO_EPOCH } tag;
	bool other_key;
	uint64_t used;
	uint64_t later_ms;
};

static struct ht_keyid
seal_key(const struct ht_trust *trust, const struct ask *a)
{
	const struct ht_member *m =
	    ht_trust_member(trust, ht_slice_str(a->recipient));

	return ht_member_seal_key(m, NOW_MS)->id;
}

static void
decide(const struct ht_trust *trust, const struct ask *a,
    const struct around *around, struct ht_verdict *ret)
{
	uint64_t now_ms = NOW_MS + around->later_ms;
	struct ht_header h = {
	    .version = 1,
	    .suite = 1,
	    .kind = HT_KIND_REQUEST,
	    .sender = ht_slice_str(a->sender),
	    .node = ht_slice_str("main"),
	    .recipient = ht_slice_str(a->recipient),
	    .item = ht_slice_str(a->item),
	    .item_version = a->version,
	    .operation = a->operation,
	    .purpose = ht_slice_str(a->purpose),
	    .basis = ht_slice_str(a->basis),
	    .grant = ht_slice_str(a->grant),
	    .created_ms = now_ms,
	    .expires_ms = now_ms + 30000,
	    .seal_key = seal_key(trust, a),
	};
	struct ht_tag tag = {.epoch = ht_slice_str("gx.demo/e1")};
	struct ht_usage usage = {.day_count = around->used};
	bool due = strcmp(a->item, "gx.demo/ZXTJ") != 0;

	if (around->tag == TAG_OF_NO_EPOCH)
		tag.epoch = ht_slice_str("gx.demo/e0");
	h.seal_key.at[0] ^= around->other_key;
	ht_decide_request(trust, &h,
	    due && around->tag != TAG_MISSING ? &tag : NULL, &usage, now_ms,
	    ret);
	assert_int_equal(ret->allow, ret->reasons.n == 0);
}

static bool
may(const struct ht_trust *trust, const struct ask *a)
{
	static const struct around usual;
	struct ht_verdict v;

	decide(trust, a, &usual, &v);
	return v.allow;
}

static void
fail_ask(const char *what, unsigned set, const struct ask *a)
{
	fail_msg("%s: grants %#x: %s asks %s for %s@%u, %s, by %s", what, set,
	    a->sender, a->recipient, a->item, a->version, a->purpose, a->grant);
}

/* ---- the laws ---- */

static void
rights_come_from_grants_alone(void **state)
{
	struct ask ask;
	size_t n = 0, allowed = 0;

	(void)state;
	for (; nth_ask(n, &ask); n++) {
		bool can[SETS];

		for (unsigned set = 0; set < SETS; set++) {
			can[set] = may(trust_of(0, set), &ask);
			allowed += can[set];
			if (can[set] != (right_of(set, &ask) != NULL))
				fail_ask("not as written", set, &ask);
		}
		assert_false(can[0]); /* without a grant, nothing */
		for (unsigned set = 0; set < SETS; set++)
			for (unsigned g = 0; g < GRANTS; g++)
				if (can[set] && !can[set | (1u << g)])
					fail_ask("taken away", set, &ask);
	}
	assert_int_equal(n, ASKS);
	/* Five allowed requests, each under half of the sets. */
	assert_int_equal(allowed, 5 * SETS / 2);
}

static bool
same_reasons(const struct ht_reasons *a, const struct ht_reasons *b)
{
	if (a->n != b->n || a->more != b->more)
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (a->at[i].code != b->at[i].code ||
		    strcmp(a->at[i].detail, b->at[i].detail) != 0)
			return false;
	return true;
}

static void
the_order_of_documents_does_not_matter(void **state)
{
	static const unsigned sets[] = {0, 1, 2, 3, 5, ALL - 1, ALL};
	static const struct around usual;
	struct ht_verdict first, other;
	struct ask ask;

	(void)state;
	for (size_t s = 0; s < HT_COUNT(sets); s++)
		for (size_t n = 0; nth_ask(n, &ask); n++) {
			decide(trust_of(0, sets[s]), &ask, &usual, &first);
			for (unsigned o = 1; o < ORDERS; o++) {
				decide(
				    trust_of(o, sets[s]), &ask, &usual, &other);
				if (!same_reasons(
				        &first.reasons, &other.reasons))
					fail_ask("order", sets[s], &ask);
			}
		}
}

/* Every rule must hold at once: a right that lacks one thing is none. */
static void
a_right_needs_all_the_rest(void **state)
{
	static const uint64_t used[] = {0, 99, 100}, later[] = {0, 2 * DAY_MS};
	struct ht_verdict v;
	struct ask ask;
	size_t allowed = 0;

	(void)state;
	for (size_t n = 0; nth_ask(n, &ask); n++)
		for (size_t i = 0; i < (size_t)3 * 2 * 3 * 2; i++) {
			const struct right *right = right_of(ALL, &ask);
			struct around around = {
			    .tag = i % 3,
			    .other_key = i / 3 % 2 != 0,
			    .used = used[i / 6 % 3],
			    .later_ms = later[i / 18],
			};
			bool tagged = around.tag == TAG_DUE ||
			              strcmp(ask.item, "gx.demo/ZXTJ") == 0;
			bool within =
			    right != NULL && (right->per_day == 0 ||
			                         around.used < right->per_day);

			decide(trust_of(0, ALL), &ask, &around, &v);
			allowed += v.allow;
			if (v.allow != (within && tagged && !around.other_key &&
			                   around.later_ms == 0))
				fail_ask("around it", ALL, &ask);
		}
	/* Grant 1: 2 operations, 3 uses; 2: two uses; 3: whatever the tag. */
	assert_int_equal(allowed, 2 * 3 + 2 * 2 + 3 * 3);
}

static void
a_suspension_gives_no_right(void **state)
{
	static const char *const whom[] = {"gx.demo/1", "gx.demo/2",
	    "tax.demo/state", "tax.demo/local", "scjg.demo/registry"};
	/* Of the five requests that are allowed, those that still are. */
	static const size_t left[] = {3, 3, 2, 2, 1};
	struct ask ask;

	(void)state;
	for (size_t i = 0; i < HT_COUNT(whom); i++) {
		struct ht_trust *trust = trust_with(ALL, 0, whom[i]);
		size_t n_left = 0;

		for (size_t n = 0; nth_ask(n, &ask); n++) {
			bool can = may(trust, &ask);

			n_left += can;
			if (can && !may(trust_of(0, ALL), &ask))
				fail_ask(whom[i], ALL, &ask);
		}
		assert_int_equal(n_left, left[i]);
		ht_trust_unref(&trust);
	}
}

/* ---- before anything is sent ---- */

/* The requests that the broker would allow. */
struct allowed {
	size_t n;
	struct ask at[8];
};

static void
find_allowed(const struct ht_trust *trust, struct allowed *ret)
{
	struct ask ask;

	ret->n = 0;
	for (size_t n = 0; nth_ask(n, &ask); n++)
		if (may(trust, &ask)) {
			assert_true(ret->n < HT_COUNT(ret->at));
			ret->at[ret->n++] = ask;
		}
}

/* Is there one of that kind? */
static bool
some_may(const struct allowed *allowed, const struct ht_prospect *p)
{
	for (size_t i = 0; i < allowed->n; i++) {
		const struct ask *a = &allowed->at[i];

		if (ht_slice_is(p->consumer, a->sender) &&
		    ht_slice_is(p->item, a->item) &&
		    p->operation == a->operation &&
		    (p->purpose.len == 0 ||
		        ht_slice_is(p->purpose, a->purpose)))
			return true;
	}
	return false;
}

static bool
nth_prospect(size_t i, struct ht_prospect *ret)
{
	*ret = (struct ht_prospect){
	    .consumer = ht_slice_str(senders[i % 4]),
	    .item = ht_slice_str(items[i / 4 % 3]),
	    .operation = operations[i / 12 % 3],
	    .purpose =
	        ht_slice_str(i / 36 % 4 == 0 ? "" : purposes[i / 36 % 4 - 1]),
	    .now_ms = NOW_MS,
	};
	return i < (size_t)4 * 3 * 3 * 4;
}

static void
check_prospects(unsigned set)
{
	const struct ht_trust *trust = trust_of(0, set);
	struct allowed allowed;
	struct ht_prospect p;
	struct ht_verdict v, other;

	find_allowed(trust, &allowed);
	for (size_t i = 0; nth_prospect(i, &p); i++) {
		const struct ht_grant *grant = ht_find_grant(trust, &p, &v);

		assert_int_equal(v.allow, v.reasons.n == 0);
		assert_int_equal(v.allow, some_may(&allowed, &p));
		if (v.allow)
			assert_true(grant != NULL && v.item != NULL);
		if (set == 0)
			assert_null(grant);
		(void)ht_find_grant(trust_of(1, set), &p, &other);
		assert_true(same_reasons(&v.reasons, &other.reasons));
	}
	assert_true(set == 0 || set == 16 || allowed.n > 0);
}

static void
can_i_says_what_the_broker_would(void **state)
{
	static const unsigned sets[] = {0, 1, 2, 4, 7, 16, ALL};

	(void)state;
	for (size_t s = 0; s < HT_COUNT(sets); s++)
		check_prospects(sets[s]);
}

/* More grants: never fewer rights, for those who have not named one. */
static void
can_i_only_grows(void **state)
{
	struct ht_prospect p;
	struct ht_verdict v;

	(void)state;
	for (size_t i = 0; nth_prospect(i, &p); i++) {
		bool can[SETS];

		for (unsigned set = 0; set < SETS; set++) {
			(void)ht_find_grant(trust_of(0, set), &p, &v);
			can[set] = v.allow;
		}
		assert_false(can[0]);
		for (unsigned set = 0; set < SETS; set++)
			for (unsigned g = 0; g < GRANTS; g++)
				if (can[set])
					assert_true(can[set | (1u << g)]);
	}
}

static void
check_says(const struct ht_verdict *v, unsigned code, const char *words)
{
	for (unsigned i = 0; i < v->reasons.n; i++)
		if (v->reasons.at[i].code == code &&
		    strstr(v->reasons.at[i].detail, words) != NULL)
			return;
	fail_msg("%s is not said: %s", ht_status_name(code), words);
}

/* What a node would run into, though no grant is to blame. */
static void
can_i_names_what_else_is_missing(void **state)
{
	struct ht_prospect p = {
	    .consumer = ht_slice_str("tax.demo/state"),
	    .item = ht_slice_str("gx.demo/SCZTDJ"),
	    .operation = HT_OP_QUERY,
	    .now_ms = NOW_MS,
	};
	struct ht_verdict v;

	(void)state;
	(void)ht_find_grant(trust_of(0, ALL), &p, &v);
	assert_true(v.allow);
	p.now_ms = NOW_MS + 91 * DAY_MS;
	(void)ht_find_grant(trust_of(0, ALL), &p, &v);
	assert_int_equal(v.reasons.n, 3);
	check_says(&v, HT_ST_SEAL_KEY, "registry has no sealing key in force");
	check_says(&v, HT_ST_TAG_EPOCH, "no epoch of the catalog is in force");
	check_says(&v, HT_ST_POLICY_STALE, "the current note ran out");
	p.now_ms = NOW_MS;
	p.version = 2;
	(void)ht_find_grant(trust_of(0, ALL), &p, &v);
	check_says(&v, HT_ST_ITEM_VERSION, "has no version 2; the newest is 1");
	ht_prospect_judge(trust_of(0, 0), &p, NULL, NULL, &v);
	check_says(&v, HT_ST_NO_GRANT, "tax.demo/state has no grant of");
	p = (struct ht_prospect){.consumer = ht_slice_str("tax.demo/nobody"),
	    .item = ht_slice_str("gx.demo/NOSUCH"),
	    .operation = HT_OP_QUERY,
	    .now_ms = NOW_MS};
	(void)ht_find_grant(trust_of(0, ALL), &p, &v);
	assert_int_equal(v.reasons.n, 3); /* each said once */
}

static int
end_worlds(void **state)
{
	(void)state;
	for (unsigned order = 0; order < ORDERS; order++)
		for (unsigned set = 0; set < SETS; set++)
			ht_trust_unref(&trusts[order][set]);
	return 0;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rights_come_from_grants_alone),
    cmocka_unit_test(the_order_of_documents_does_not_matter),
    cmocka_unit_test(a_right_needs_all_the_rest),
    cmocka_unit_test(a_suspension_gives_no_right),
    cmocka_unit_test(can_i_says_what_the_broker_would),
    cmocka_unit_test(can_i_only_grows),
    cmocka_unit_test(can_i_names_what_else_is_missing),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, NULL, end_worlds);
}
