#include "schemas/content.h"

#include "schemas/tag.h"
#include "tests/lib/fault.h"
#include "tests/lib/sample.h"
#include "tests/lib/test.h"

/* ---- the frame ---- */

static void
lengths_are_padded(void **state)
{
	static const struct {
		size_t content, fixed, want;
	} cases[] = {
	    {0,       0,    36     },
	    {1,       0,    40     },
	    {4,       0,    40     },
	    {28,      0,    64     },
	    {29,      0,    72     }, /* 65: E 6, S 3: by 8 */
	    {92,      0,    128    },
	    {964,     0,    1024   }, /* 1000: E 9, S 4: by 32 */
	    {989,     0,    1088   },
	    {65500,   0,    65536  },
	    {65501,   0,    67584  }, /* 65537: E 16, S 5: by 2048 */
	    {1032156, 0,    1032192}, /* the longest there is */
	    {1032157, 0,    1048576},
	    {0,       1024, 1024   },
	    {988,     1024, 1024   },
	    {989,     1024, 2048   },
	    {5000,    1024, 8192   },
	    {0,       100,  100    },
	    {100,     100,  200    },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++)
		assert_int_equal(
		    ht_content_padded(cases[i].content, cases[i].fixed),
		    cases[i].want);
	for (size_t len = 0; len < 5000; len++) {
		size_t got = ht_content_padded(len, 0);

		assert_true(got >= len + 36);
		assert_true(got - (len + 36) <= (len + 36) * 12 / 100 + 1);
	}
}

static void
content_comes_back_out_of_its_frame(void **state)
{
	static const size_t lens[] = {0, 1, 100, 988, 1032156};
	HT_AUTO(ht_mem_free) uint8_t *bytes = malloc(1 << 20);

	(void)state;
	memset(bytes, 'c', 1 << 20);
	for (size_t i = 0; i < 2 * HT_COUNT(lens); i++) {
		size_t fixed = i % 2 == 0 || i > 7 ? 0 : 1024;
		struct ht_slice in = HT_SLICE(bytes, lens[i / 2]), r, out;
		HT_AUTO(ht_buf_fini) struct ht_buf plain = HT_BUF(HT_BODY_MAX);
		struct ht_hash commit, again;

		assert_ok(ht_content_wrap(in, fixed, &plain, &commit));
		assert_int_equal(plain.len, ht_content_padded(in.len, fixed));
		assert_true(plain.cap >= plain.len + HT_AEAD_TAG);
		assert_ok(
		    ht_content_unwrap(ht_buf_slice(&plain), &commit, &r, &out));
		assert_true(ht_slice_eq(in, out));
		assert_ptr_equal(out.at, plain.at + HT_CONTENT_OFFSET);
		assert_int_equal(r.len, 32);
		again = ht_content_commit(r.at, in);
		assert_true(ht_hash_eq(&again, &commit));
	}
}

/* Two equal contents look different outside: r is fresh. */
static void
commitments_do_not_repeat(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf a = HT_BUF(1000);
	HT_AUTO(ht_buf_fini) struct ht_buf b = HT_BUF(1000);
	struct ht_hash ca, cb;

	(void)state;
	assert_ok(ht_content_wrap(ht_slice_str("same"), 0, &a, &ca));
	assert_ok(ht_content_wrap(ht_slice_str("same"), 0, &b, &cb));
	assert_false(ht_hash_eq(&ca, &cb));
}

static void
what_is_too_long_is_not_wrapped(void **state)
{
	HT_AUTO(ht_mem_free) uint8_t *bytes = calloc(1, 2 << 20);
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(4 << 20);
	struct ht_hash commit;

	(void)state;
	assert_err(ht_content_wrap(HT_SLICE(bytes, 1032157), 0, &out, &commit),
	    HT_ETOOBIG);
	assert_err(ht_content_wrap(HT_SLICE(bytes, 2 << 20), 0, &out, &commit),
	    HT_ETOOBIG);
	assert_err(
	    ht_content_wrap(HT_SLICE(bytes, 2 << 20), 1024, &out, &commit),
	    HT_ETOOBIG);
	assert_int_equal(out.len, 0);
	assert_ok(out.err);
}

static void
a_frame_that_was_changed_is_refused(void **state)
{
	HT_AUTO(ht_buf_fini) struct ht_buf plain = HT_BUF(1000);
	struct ht_hash commit;
	struct ht_slice r, content;

	(void)state;
	assert_ok(ht_content_wrap(ht_slice_str("hello"), 0, &plain, &commit));
	assert_int_equal(plain.len, 44);
	for (size_t bit = 0; bit < 8 * plain.len; bit++) {
		size_t at = bit / 8;
		bool framing = at >= 32 && (at < 36 || at >= 41);
		enum ht_err err;

		plain.at[at] ^= (uint8_t)(1u << bit % 8);
		err = ht_content_unwrap(
		    ht_buf_slice(&plain), &commit, &r, &content);
		plain.at[at] ^= (uint8_t)(1u << bit % 8);
		/* A length still within the frame is another content. */
		if (framing && err != HT_EMALFORMED)
			assert_true(at == 35 && err == HT_EBADSIG);
		if (!framing)
			assert_err(err, HT_EBADSIG);
	}
	for (size_t len = 0; len < plain.len; len++) {
		enum ht_err want = len < 41 ? HT_EMALFORMED : HT_OK;

		assert_err(ht_content_unwrap(
		               HT_SLICE(plain.at, len), &commit, &r, &content),
		    want);
	}
	plain.at[32] = plain.at[33] = plain.at[34] = plain.at[35] = 0xff;
	assert_err(
	    ht_content_unwrap(ht_buf_slice(&plain), &commit, &r, &content),
	    HT_EMALFORMED);
	assert_err(ht_content_unwrap(HT_SLICE(NULL, 0), &commit, &r, &content),
	    HT_EMALFORMED);
}

/* ---- reasons ---- */

static void
reasons_come_all_at_once(void **state)
{
	struct ht_reasons reasons = {0}, back;
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(100000);
	struct ht_unpack u;

	(void)state;
	ht_reasons_add(&reasons, HT_ST_NO_GRANT, "no grant %s", "gx.demo/9");
	ht_reasons_add(&reasons, HT_ST_PURPOSE, "%s", "");
	ht_reasons_pack(&out, &reasons);
	assert_ok(ht_pack_check(ht_buf_slice(&out), NULL, NULL));
	u = ht_unpack(ht_buf_slice(&out));
	ht_reasons_unpack(&u, &back);
	assert_ok(ht_unpack_end(&u));
	assert_int_equal(back.n, 2);
	assert_int_equal(back.at[0].code, HT_ST_NO_GRANT);
	assert_string_equal(back.at[0].detail, "no grant gx.demo/9");
	assert_int_equal(back.at[1].code, HT_ST_PURPOSE);
	assert_string_equal(back.at[1].detail, "");

	u = ht_unpack(ht_buf_slice(&out));
	ht_unpack_array_of(&u, 2);
	ht_unpack_array_of(&u, 4);
	assert_int_equal(ht_unpack_uint(&u, 9999), 404);
	assert_int_equal(ht_unpack_uint(&u, 9), HT_WHO_CALLER);
	assert_true(ht_slice_is(ht_unpack_str(&u, 999), "no grant gx.demo/9"));
	assert_true(ht_slice_is(
	    ht_unpack_str(&u, 999), ht_status_remedy(HT_ST_NO_GRANT)));
}

static void
too_many_reasons_are_counted(void **state)
{
	struct ht_reasons reasons = {0};

	(void)state;
	for (unsigned i = 0; i < HT_REASONS_MAX + 5; i++)
		ht_reasons_add(&reasons, HT_ST_FIELDS, "field %u", i);
	assert_int_equal(reasons.n, HT_REASONS_MAX);
	assert_string_equal(reasons.at[14].detail, "field 14");
	assert_string_equal(reasons.at[15].detail, "this, and 5 reasons more");
}

/* Names and values of others stand in details: any bytes may come. */
static void
a_detail_is_always_valid_text(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
	    {"\xff",                 "?"    },
	    {"a\xe8\x83z",           "a??z" },
	    {"\xed\xa0\x80",         "???"  },
	    {"互\xe9\x80",          "互??"},
	    {"\xf0\x9f\x8d\xba\x80", "🍺?"},
	};
	char wide[1000] = "x";

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		struct ht_reasons reasons = {0};

		ht_reasons_add(&reasons, HT_ST_FIELDS, "%s", cases[i].in);
		assert_string_equal(reasons.at[0].detail, cases[i].out);
	}
	for (size_t i = 0; i < 100; i++)
		memcpy(wide + 1 + 3 * i, "互", 4);
	for (size_t skip = 0; skip < 3; skip++) {
		struct ht_reasons reasons = {0};
		HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(10000);

		ht_reasons_add(
		    &reasons, HT_ST_FIELDS, "%.*s%s", (int)skip, "xx", wide);
		assert_true(strlen(reasons.at[0].detail) >= 237);
		ht_reasons_pack(&out, &reasons);
		assert_ok(ht_pack_check(ht_buf_slice(&out), NULL, NULL));
	}
}

static void
malformed_reasons_are_refused(void **state)
{
	static const char *const cases[] = {
	    "c0",
	    "9193ccc801a0",
	    "9195ccc801a0a0a0",
	    "9194ce0001000001a0a0",
	    "9194 01 cd0100 a0a0",
	    "9194ccc801c0a0",
	    "9194ccc801a100a0",
	    "9194ccc801a0c0",
	    "9194ff01a0a0",
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(1000);
		struct ht_reasons back;
		struct ht_unpack u;

		ht_sample_hex(&bytes, cases[i]);
		u = ht_unpack(ht_buf_slice(&bytes));
		ht_reasons_unpack(&u, &back);
		assert_int_not_equal(ht_unpack_end(&u), HT_OK);
		assert_int_equal(back.n, 0);
	}
}

/* ---- request and response ---- */

static json_t *
json(const char *text)
{
	json_t *value = NULL;
	const char *why = "";

	if (ht_json_parse(ht_slice_str(text), &value, &why) != HT_OK)
		fail_msg("%s: %s", text, why);
	return value;
}

#define ANNEX                                                                  \
	"{\"entry\":{\"$bin\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="  \
	"\"},\"fields\":{\"case\":\"2025-1\",\"subject\":\"uscc:9999\"}}"

static struct ht_request
sample_request(void)
{
	struct ht_request req = {
	    .annex = json(ANNEX),
	    .claims = json("{\"ztmc\":\"胡同\",\"n\":0.5}"),
	    .fields = json("[\"b\",\"a\"]"),
	    .item = "gx.demo/SCZTDJ",
	    .operation = HT_OP_VERIFY,
	    .params = json("{\"z\":[1,null,{\"y\":true}],\"a\":\"0.10\"}"),
	    .version = 3,
	};

	return req;
}

static void
a_request_comes_back_as_it_went(void **state)
{
	HT_AUTO(ht_request_fini) struct ht_request req = sample_request();
	HT_AUTO(ht_request_fini) struct ht_request back = {0};
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(10000);
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(10000);

	(void)state;
	assert_ok(ht_request_encode(&req, &out));
	assert_ok(ht_request_decode(ht_buf_slice(&out), &back, NULL));
	assert_true(json_equal(req.annex, back.annex));
	assert_true(json_equal(req.claims, back.claims));
	assert_true(json_equal(req.fields, back.fields));
	assert_string_equal(back.item, req.item);
	assert_int_equal(back.operation, HT_OP_VERIFY);
	assert_true(json_equal(req.params, back.params));
	assert_int_equal(back.version, 3);
	assert_ok(ht_request_encode(&back, &again));
	assert_true(ht_slice_eq(ht_buf_slice(&out), ht_buf_slice(&again)));
}

static void
a_request_may_leave_out_what_it_may(void **state)
{
	HT_AUTO(ht_request_fini)
	struct ht_request req = {
	    .item = "a/b", .operation = HT_OP_QUERY, .params = json("{}")};
	HT_AUTO(ht_request_fini) struct ht_request back = {0};
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(10000);

	(void)state;
	assert_ok(ht_request_encode(&req, &out));
	assert_ok(ht_request_decode(ht_buf_slice(&out), &back, NULL));
	assert_null(back.annex);
	assert_null(back.claims);
	assert_null(back.fields);
	assert_int_equal(json_object_size(back.params), 0);
}

static void
a_response_comes_back_as_it_went(void **state)
{
	HT_AUTO(ht_response_fini)
	struct ht_response resp = {
	    .annex = json(ANNEX),
	    .item = "gx.demo/SCZTDJ",
	    .more = true,
	    .operation = HT_OP_QUERY,
	    .records = json("[{\"b\":1,\"a\":\"x\"},{}]"),
	    .results = json("{\"a\":0,\"b\":1,\"c\":2}"),
	    .version = 1,
	};
	HT_AUTO(ht_response_fini) struct ht_response back = {0};
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(10000);
	HT_AUTO(ht_buf_fini) struct ht_buf again = HT_BUF(10000);

	(void)state;
	ht_reasons_add(&resp.reasons, HT_ST_SOURCE_DOWN, "db: %d", 7);
	assert_ok(ht_response_encode(&resp, &out));
	assert_ok(ht_response_decode(ht_buf_slice(&out), &back, NULL));
	assert_true(json_equal(resp.annex, back.annex));
	assert_true(json_equal(resp.records, back.records));
	assert_true(json_equal(resp.results, back.results));
	assert_true(back.more);
	assert_int_equal(back.operation, HT_OP_QUERY);
	assert_int_equal(back.reasons.n, 1);
	assert_string_equal(back.reasons.at[0].detail, "db: 7");
	assert_int_equal(back.version, 1);
	assert_ok(ht_response_encode(&back, &again));
	assert_true(ht_slice_eq(ht_buf_slice(&out), ht_buf_slice(&again)));
}

/* A map of the sample's keys, with one value put in place of another. */
static void
swap_value(
    struct ht_buf *out, struct ht_slice map, const char *key, const char *hex)
{
	struct ht_unpack u = ht_unpack(map);
	uint32_t n = ht_unpack_map(&u, 100);

	ht_pack_map(out, n);
	for (uint32_t i = 0; i < n; i++) {
		struct ht_slice name = ht_unpack_str(&u, 100);
		struct ht_slice raw = ht_unpack_raw(&u);

		ht_pack_str(out, name);
		if (ht_slice_is(name, key))
			ht_sample_hex(out, hex);
		else
			ht_buf_add(out, raw.at, raw.len);
	}
	assert_ok(u.err);
}

static const struct value_case {
	const char *key;
	const char *hex;
	enum ht_err want;
} request_cases[] =
    {
        {"annex",     "80",                       HT_EMALFORMED},
        {"annex",     "90",                       HT_EMALFORMED},
        {"claims",    "90",                       HT_EMALFORMED},
        {"claims",    "81a161cfffffffffffffffff", HT_EINVALID  },
        {"fields",    "80",                       HT_EMALFORMED},
        {"fields",    "9101",                     HT_EMALFORMED},
        {"fields",    "91a100",                   HT_EINVALID  },
        {"item",      "a161",                     HT_EMALFORMED},
        {"item",      "c0",                       HT_EMALFORMED},
        {"operation", "00",                       HT_EMALFORMED},
        {"operation", "06",                       HT_EMALFORMED},
        {"operation", "ff",                       HT_EMALFORMED},
        {"params",    "c0",                       HT_EMALFORMED},
        {"params",    "90",                       HT_EMALFORMED},
        {"params",    "81a42462696ea0",           HT_EINVALID  },
        {"params",    "c1",                       HT_EMALFORMED},
        {"version",   "ff",                       HT_EMALFORMED},
        {"version",   "cf0000000100000000",       HT_EMALFORMED},
},
  response_cases[] = {
      {"annex", "01", HT_EMALFORMED},
      {"item", "a12f", HT_EMALFORMED},
      {"more", "c0", HT_EMALFORMED},
      {"more", "01", HT_EMALFORMED},
      {"operation", "c0", HT_EMALFORMED},
      {"reasons", "c0", HT_EMALFORMED},
      {"reasons", "9190", HT_EMALFORMED},
      {"records", "80", HT_EMALFORMED},
      {"records", "91c0", HT_EMALFORMED},
      {"results", "90", HT_EMALFORMED},
      {"results", "81a16103", HT_EMALFORMED},
      {"results", "81a161ff", HT_EMALFORMED},
      {"results", "81a161c3", HT_EMALFORMED},
      {"version", "c0", HT_EMALFORMED},
};

static void
each_member_of_a_request_is_checked(void **state)
{
	HT_AUTO(ht_request_fini) struct ht_request req = sample_request();
	HT_AUTO(ht_buf_fini) struct ht_buf good = HT_BUF(10000);

	(void)state;
	assert_ok(ht_request_encode(&req, &good));
	for (size_t i = 0; i < HT_COUNT(request_cases); i++) {
		const struct value_case *c = &request_cases[i];
		HT_AUTO(ht_buf_fini) struct ht_buf bad = HT_BUF(10000);
		struct ht_request back = {.version = 99};
		const char *why = "";
		enum ht_err err;

		swap_value(&bad, ht_buf_slice(&good), c->key, c->hex);
		err = ht_request_decode(ht_buf_slice(&bad), &back, &why);
		if (err != c->want || strlen(why) == 0)
			fail_msg("%s %s: %s: %s", c->key, c->hex,
			    ht_err_text(err), why);
		assert_int_equal(back.version, 99);
	}
}

static void
each_member_of_a_response_is_checked(void **state)
{
	HT_AUTO(ht_response_fini)
	struct ht_response resp = {.item = "a/b", .operation = 1};
	HT_AUTO(ht_buf_fini) struct ht_buf good = HT_BUF(10000);

	(void)state;
	assert_ok(ht_response_encode(&resp, &good));
	for (size_t i = 0; i < HT_COUNT(response_cases); i++) {
		const struct value_case *c = &response_cases[i];
		HT_AUTO(ht_buf_fini) struct ht_buf bad = HT_BUF(10000);
		struct ht_response back = {.version = 99};
		const char *why = "";
		enum ht_err err;

		swap_value(&bad, ht_buf_slice(&good), c->key, c->hex);
		err = ht_response_decode(ht_buf_slice(&bad), &back, &why);
		if (err != c->want || strlen(why) == 0)
			fail_msg("%s %s: %s: %s", c->key, c->hex,
			    ht_err_text(err), why);
		assert_int_equal(back.version, 99);
	}
}

static void
content_cut_anywhere_is_refused(void **state)
{
	HT_AUTO(ht_request_fini) struct ht_request req = sample_request();
	HT_AUTO(ht_buf_fini) struct ht_buf good = HT_BUF(10000);

	(void)state;
	assert_ok(ht_request_encode(&req, &good));
	for (size_t len = 0; len < good.len; len++) {
		HT_AUTO(ht_mem_free) uint8_t *cut = malloc(len + 1);
		struct ht_request back;
		struct ht_response other;

		memcpy(cut, good.at, len);
		assert_err(ht_request_decode(HT_SLICE(cut, len), &back, NULL),
		    HT_EMALFORMED);
		assert_err(ht_response_decode(HT_SLICE(cut, len), &other, NULL),
		    HT_EMALFORMED);
	}
}

/* Unknown, missing and doubled keys: a map is exactly what it should be. */
static void
other_maps_are_refused(void **state)
{
	static const char *const cases[] = {"80", "81a16100",
	    "87 a161c0a162c0a163c0a164c0a165c0a166c0a167c0", "97c0c0c0c0c0c0c0",
	    "c0", "dfffffffff", "ddffffffff"};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_buf_fini) struct ht_buf bytes = HT_BUF(1000);
		struct ht_request req;
		struct ht_response resp;

		ht_sample_hex(&bytes, cases[i]);
		assert_err(ht_request_decode(ht_buf_slice(&bytes), &req, NULL),
		    HT_EMALFORMED);
		assert_err(
		    ht_response_decode(ht_buf_slice(&bytes), &resp, NULL),
		    HT_EMALFORMED);
	}
}

static void
a_request_without_sense_is_not_written(void **state)
{
	HT_AUTO(ht_request_fini) struct ht_request req = sample_request();
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(10000);

	(void)state;
	ht_json_free(&req.params);
	assert_err(ht_request_encode(&req, &out), HT_EINVALID);
	req.params = json("[]");
	assert_err(ht_request_encode(&req, &out), HT_EINVALID);
	ht_json_free(&req.params);
	req.params = json("{\"a\":[[[[[[[[[[[]]]]]]]]]]]}"); /* 12; 13 inside */
	assert_err(ht_request_encode(&req, &out), HT_EINVALID);
}

static void *
torture_malloc(size_t size)
{
	return malloc(size); /* ours, so that faults reach jansson */
}

static void
decoding_survives_no_memory(void **state)
{
	HT_AUTO(ht_request_fini) struct ht_request back = {0};
	HT_AUTO(ht_response_fini) struct ht_response answer = {0};
	HT_AUTO(ht_buf_fini) struct ht_buf out = HT_BUF(10000);
	HT_AUTO(ht_buf_fini) struct ht_buf out2 = HT_BUF(10000);
	enum ht_err err = HT_OK;

	(void)state;
	{
		HT_AUTO(ht_request_fini)
		struct ht_request req = sample_request();
		HT_AUTO(ht_response_fini)
		struct ht_response resp = {
		    .annex = json(ANNEX),
		    .item = "a/b",
		    .operation = 1,
		    .records = json("[{\"a\":1,\"b\":[\"x\"]}]"),
		    .results = json("{\"a\":1}"),
		};

		assert_ok(ht_request_encode(&req, &out));
		assert_ok(ht_response_encode(&resp, &out2));
	}
	json_set_alloc_funcs(torture_malloc, free);
	TORTURE(err = ht_request_decode(ht_buf_slice(&out), &back, NULL))
	{
		assert_err(err, HT_ENOMEM);
		assert_null(back.params);
	}
	assert_ok(err);
	TORTURE(err = ht_response_decode(ht_buf_slice(&out2), &answer, NULL))
	{
		assert_err(err, HT_ENOMEM);
		assert_null(answer.records);
	}
	assert_ok(err);
	json_set_alloc_funcs(malloc, free);
}

/* ---- the annex's opening ---- */

static void
an_annex_comes_back_as_it_went(void **state)
{
	struct ht_annex annex = {.subject = "uscc:9999,uscc:8888",
	    .officer = "王",
	    .casefile = "2025-1",
	    .purpose = "tax-registration"};
	HT_AUTO(ht_json_free) json_t *value = NULL;
	struct ht_annex back;
	struct ht_annex_field fields[HT_ANNEX_FIELDS];

	(void)state;
	memset(annex.entry, 7, sizeof(annex.entry));
	value = ht_annex_to_json(&annex);
	assert_non_null(value);
	assert_ok(ht_annex_from_json(value, &back));
	assert_memory_equal(annex.entry, back.entry, sizeof(annex.entry));
	assert_string_equal(back.subject, annex.subject);
	assert_string_equal(back.officer, annex.officer);
	assert_string_equal(back.casefile, annex.casefile);
	assert_string_equal(back.purpose, annex.purpose);
	assert_int_equal(ht_annex_fields(&back, fields), 4);
	assert_true(ht_slice_is(fields[0].name, "case"));
	assert_true(ht_slice_is(fields[0].value, "2025-1"));
	assert_true(ht_slice_is(fields[3].name, "subject"));
	back.officer = NULL;
	assert_int_equal(ht_annex_fields(&back, fields), 3);
	assert_true(ht_slice_is(fields[1].name, "purpose"));
}

#define ENTRY "{\"$bin\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}"

static void
another_annex_is_refused(void **state)
{
	static const char *const cases[] = {"null", "{}", "[]",
	    "{\"entry\":" ENTRY "}", "{\"fields\":{}}",
	    "{\"entry\":" ENTRY ",\"fields\":{},\"x\":1}",
	    "{\"entry\":\"AA==\",\"fields\":{}}",
	    "{\"entry\":{\"$bin\":\"AA==\"},\"fields\":{}}",
	    "{\"entry\":{\"$bin\":1},\"fields\":{}}",
	    "{\"entry\":" ENTRY ",\"fields\":[]}",
	    "{\"entry\":" ENTRY ",\"fields\":{\"subject\":1}}",
	    "{\"entry\":" ENTRY ",\"fields\":{\"unknown\":\"\"}}"};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		HT_AUTO(ht_json_free) json_t *value = json(cases[i]);
		struct ht_annex back;

		if (ht_annex_from_json(value, &back) != HT_EINVALID)
			fail_msg("%s was accepted", cases[i]);
	}
}

static void
an_annex_survives_no_memory(void **state)
{
	struct ht_annex annex = {.subject = "uscc:9999", .officer = "W"};
	json_t *value = NULL;

	(void)state;
	json_set_alloc_funcs(torture_malloc, free);
	TORTURE(value = ht_annex_to_json(&annex))
	{
		assert_null(value);
	}
	assert_non_null(value);
	ht_json_free(&value);
	json_set_alloc_funcs(malloc, free);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(lengths_are_padded),
    cmocka_unit_test(content_comes_back_out_of_its_frame),
    cmocka_unit_test(commitments_do_not_repeat),
    cmocka_unit_test(what_is_too_long_is_not_wrapped),
    cmocka_unit_test(a_frame_that_was_changed_is_refused),
    cmocka_unit_test(reasons_come_all_at_once),
    cmocka_unit_test(too_many_reasons_are_counted),
    cmocka_unit_test(a_detail_is_always_valid_text),
    cmocka_unit_test(malformed_reasons_are_refused),
    cmocka_unit_test(a_request_comes_back_as_it_went),
    cmocka_unit_test(a_request_may_leave_out_what_it_may),
    cmocka_unit_test(a_response_comes_back_as_it_went),
    cmocka_unit_test(each_member_of_a_request_is_checked),
    cmocka_unit_test(each_member_of_a_response_is_checked),
    cmocka_unit_test(content_cut_anywhere_is_refused),
    cmocka_unit_test(other_maps_are_refused),
    cmocka_unit_test(a_request_without_sense_is_not_written),
    cmocka_unit_test(decoding_survives_no_memory),
    cmocka_unit_test(an_annex_comes_back_as_it_went),
    cmocka_unit_test(another_annex_is_refused),
    cmocka_unit_test(an_annex_survives_no_memory),
};
HT_TEST_MAIN(tests)
