/* Three administrators: the table, all of it; the signature; the budget. */
#include "tests/lib/test.h"

#include "broker/admin.h"
#include "keys/hash.h"
#include "tests/lib/world.h"

enum { Y = HT_ADMIN_YES, K = HT_ADMIN_NEEDS_KEY, R = HT_ADMIN_NOT_ROLE };

/*
 * The specification.  What each role's key gets at its own socket, and who
 * comes without one: system, security, audit, nobody.
 */
static const struct {
	const char *line;
	int by[HT_ROLES + 1];
} table[] = {
    {"status",        {Y, Y, Y, Y}},
    {"nodes",         {Y, Y, Y, Y}},
    {"witnesses",     {Y, Y, Y, Y}},
    {"erasure",       {Y, Y, Y, Y}},
    {"backup",        {Y, Y, Y, Y}},
    {"backup 17",     {Y, R, R, K}},
    {"volumes",       {Y, Y, Y, Y}},
    {"close-volume",  {Y, R, R, K}},
    {"stop",          {Y, R, R, K}},
    {"front-restart", {Y, R, R, K}},
    {"reload",        {R, Y, R, K}},
    {"resume",        {R, Y, R, K}},
    {"forgive",       {R, Y, R, K}},
    {"erase 4000",    {R, R, Y, K}},
    {"disclose 900",  {R, R, Y, K}},
    {"remove 900",    {R, R, Y, K}},
};

static void
everybody_has_their_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(table); i++) {
		const char *line = table[i].line;

		for (enum ht_role key = 0; key <= HT_ROLES; key++) {
			enum ht_role socket =
			    key < HT_ROLES ? key : HT_ROLE_SYSTEM;
			enum ht_admin_verdict got =
			    ht_admin_decide(true, socket, key, line, NULL);

			if ((int)got != table[i].by[key])
				fail_msg("%s by %s: %d", line,
				    ht_role_text(key), (int)got);
		}
		assert_true(
		    ht_admin_is_act(line) == (table[i].by[HT_ROLES] == K));
	}
}

/* An act has one role; that two could do it would be no separation. */
static void
no_act_has_two_roles(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(table); i++) {
		unsigned may = 0;

		for (enum ht_role key = 0; key < HT_ROLES; key++)
			may += ht_admin_decide(true, key, key, table[i].line,
			           NULL) == HT_ADMIN_YES;
		assert_int_equal(
		    may, ht_admin_is_act(table[i].line) ? 1 : HT_ROLES);
	}
}

static void
a_key_is_of_one_socket(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(table); i++)
		for (enum ht_role key = 0; key < HT_ROLES; key++)
			for (enum ht_role at = 0; at < HT_ROLES; at++)
				if (at != key)
					assert_int_equal(
					    ht_admin_decide(true, at, key,
					        table[i].line, NULL),
					    HT_ADMIN_NOT_SOCKET);
}

static void
one_operator_has_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < HT_COUNT(table); i++) {
		assert_int_equal(ht_admin_decide(false, HT_ROLE_SYSTEM,
		                     HT_ROLES, table[i].line, NULL),
		    HT_ADMIN_YES);
		assert_int_equal(ht_admin_decide(false, HT_ROLE_AUDIT, HT_ROLES,
		                     table[i].line, NULL),
		    HT_ADMIN_NOT_SOCKET);
	}
}

static void
nothing_else_is_a_command(void **state)
{
	static const char *const lines[] = {"", "stop ", "stop now", "erase",
	    "reload 3", "Stop", "statu", "statuss", "backup\t1"};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(lines); i++)
		for (enum ht_role key = 0; key <= HT_ROLES; key++)
			if (ht_admin_decide(true, HT_ROLE_SYSTEM, key, lines[i],
			        NULL) != HT_ADMIN_UNKNOWN)
				fail_msg("'%s'", lines[i]);
}

#define SIG                                                                    \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAA=="

static void
lines_have_one_form(void **state)
{
	static const struct {
		const char *text, *name, *command; /* NULL: malformed; "" */
	} rows[] = {
	    {"status",	                                                                "",          "status"   },
	    {"backup 17",	                                                             "",          "backup 17"},
	    {"",	                                                                      "",          ""         },
	    {"as gx.demo/a " SIG " reload",	                                           "gx.demo/a", "reload"   },
	    {"as gx.demo/a " SIG " erase 9",	                                          "gx.demo/a", "erase 9"  },
	    {"as gx.demo/a " SIG " ",	                                                 "gx.demo/a", ""         },
	    {"as gx.demo/a " SIG,	                                                     NULL,        NULL       },
	    {"as gx.demo/a",	                                                          NULL,        NULL       },
	    {"as ",	                                                                   NULL,        NULL       },
	    {"as  " SIG " reload",	                                                    NULL,        NULL       },
	    {"as gx.demo/a AAAA reload",	                                              NULL,        NULL       },
	    {"as gx.demo/a " SIG "= reload",	                                          NULL,        NULL       },
	    {"0123456789012345678901234567890123456789012345678901234567890123"
	     "0123456789012345678901234567890123456789012345678901234567890123", NULL,        NULL       },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		struct ht_admin_line line = {0};
		enum ht_err err = ht_admin_parse(rows[i].text, &line);

		if ((err == HT_OK) != (rows[i].name != NULL) ||
		    (err == HT_OK &&
		        (strcmp(line.name, rows[i].name) != 0 ||
		            line.is_signed != (rows[i].name[0] != '\0') ||
		            strcmp(line.command, rows[i].command) != 0)))
			fail_msg("'%s'", rows[i].text);
	}
}

/* ---- signatures ---- */

static struct ht_root root;
static struct ht_key *keys[HT_ROLES];

static int
make_root(void **state)
{
	static const enum ht_key_for what[HT_ROLES] = {
	    HT_KEY_SYSTEM_ADMIN, HT_KEY_SECURITY_ADMIN, HT_KEY_AUDIT_ADMIN};

	(void)state;
	assert_ok(ht_keys_init());
	(void)snprintf(root.log.name, sizeof(root.log.name), "gx.demo/log");
	root.parted = true;
	for (enum ht_role r = 0; r < HT_ROLES; r++) {
		struct ht_pub pub;
		char name[64];

		keys[r] = ht_world_key(what[r], "t");
		pub = ht_key_pub(keys[r]);
		(void)snprintf(
		    name, sizeof(name), "gx.demo/%s-1", ht_role_text(r));
		assert_ok(ht_vkey_make(name, &pub, &root.admins[r][0]));
		root.n_admins[r] = 1;
	}
	return 0;
}

static int
drop_root(void **state)
{
	(void)state;
	for (enum ht_role r = 0; r < HT_ROLES; r++)
		ht_key_free(&keys[r]);
	return 0;
}

static struct ht_sig
sign(const char *log, enum ht_role text_role, enum ht_role key,
    const char *challenge, const char *line, const char *body)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(4096);
	struct ht_sig sig;

	ht_admin_text(
	    &text, log, text_role, challenge, line, ht_slice_str(body));
	assert_ok(
	    ht_sign(keys[key], HT_ADMIN_LABEL, ht_buf_slice(&text), &sig));
	return sig;
}

static void
what_is_signed_is_what_is_done(void **state)
{
	static const struct {
		const char *why, *log;
		enum ht_role text_role, key;
		const char *challenge, *line, *body, *name;
		enum ht_err want;
	} rows[] = {
	    {"as it should be",   "gx.demo/log", HT_ROLE_SECURITY,
             HT_ROLE_SECURITY,	                                               "aa", "reload", "x", "gx.demo/security-1",
             HT_OK	                                                                                                                  },
	    {"another command",   "gx.demo/log", HT_ROLE_SECURITY,
             HT_ROLE_SECURITY,	                                               "aa", "resume", "x", "gx.demo/security-1",
             HT_EBADSIG	                                                                                                             },
	    {"another challenge", "gx.demo/log", HT_ROLE_SECURITY,
             HT_ROLE_SECURITY,	                                               "ab", "reload", "x", "gx.demo/security-1",
             HT_EBADSIG	                                                                                                             },
	    {"other bytes",       "gx.demo/log", HT_ROLE_SECURITY, HT_ROLE_SECURITY,
             "aa",	                                                                 "reload", "y", "gx.demo/security-1", HT_EBADSIG  },
	    {"another log",       "hz.demo/log", HT_ROLE_SECURITY, HT_ROLE_SECURITY,
             "aa",	                                                                 "reload", "x", "gx.demo/security-1", HT_EBADSIG  },
	    {"another role",      "gx.demo/log", HT_ROLE_SYSTEM,   HT_ROLE_SECURITY,
             "aa",	                                                                 "reload", "x", "gx.demo/security-1", HT_EBADSIG  },
	    {"another's name",    "gx.demo/log", HT_ROLE_SECURITY,
             HT_ROLE_SECURITY,	                                               "aa", "reload", "x", "gx.demo/system-1",
             HT_EBADSIG	                                                                                                             },
	    {"nobody's name",     "gx.demo/log", HT_ROLE_SECURITY, HT_ROLE_SECURITY,
             "aa",	                                                                 "reload", "x", "gx.demo/officer-1",  HT_ENOTFOUND},
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(rows); i++) {
		struct ht_sig sig = sign(rows[i].log, rows[i].text_role,
		    rows[i].key, rows[i].challenge, rows[i].line, rows[i].body);
		enum ht_role role = HT_ROLES;
		enum ht_err err = ht_admin_signed(&root, rows[i].name, &sig,
		    "aa", "reload", ht_slice_str("x"), &role);

		if (err != rows[i].want ||
		    (err == HT_OK && role != HT_ROLE_SECURITY))
			fail_msg("%s: %s", rows[i].why, ht_err_text(err));
	}
}

static void
a_key_in_hand_has_a_role(void **state)
{
	struct ht_pub nobody = {{1}};

	(void)state;
	for (enum ht_role r = 0; r < HT_ROLES; r++) {
		struct ht_pub pub = ht_key_pub(keys[r]);

		assert_int_equal(ht_admin_role_of(&root, &pub), r);
	}
	assert_int_equal(ht_admin_role_of(&root, &nobody), HT_ROLES);
}

static void
refusals_are_no_weapon(void **state)
{
	struct ht_admin_refusals r = {0};
	uint64_t left = 99;
	unsigned entries = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		entries += ht_admin_refusal(&r, 5000 + i, &left);
	assert_int_equal(entries, HT_ADMIN_REFUSALS);
	assert_int_equal(left, 0);
	assert_false(ht_admin_refusal(&r, 5000 + 59999, &left));
	assert_true(ht_admin_refusal(&r, 5000 + 60000, &left));
	assert_int_equal(left, 1000 - HT_ADMIN_REFUSALS + 1);
	assert_true(ht_admin_refusal(&r, 5000 + 60001, &left));
	assert_int_equal(left, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(everybody_has_their_own),
    cmocka_unit_test(no_act_has_two_roles),
    cmocka_unit_test(a_key_is_of_one_socket),
    cmocka_unit_test(one_operator_has_all),
    cmocka_unit_test(nothing_else_is_a_command),
    cmocka_unit_test(lines_have_one_form),
    cmocka_unit_test(what_is_signed_is_what_is_done),
    cmocka_unit_test(a_key_in_hand_has_a_role),
    cmocka_unit_test(refusals_are_no_weapon),
};

int
main(void)
{
	return cmocka_run_group_tests(tests, make_root, drop_root);
}
