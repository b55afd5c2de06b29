#include "tests/lib/test.h"

#include "adapters/cli/cli.h"

static struct got {
	bool flag;
	const char *value;
	struct ht_args list;
	struct ht_args args;
} got;

static const struct ht_opt opts[] = {
    {.name = "value",
     .arg = "V",
     .help = "a value",
     .value = &got.value,
     .required = true},
    {.name = "flag",               .help = "a flag",            .flag = &got.flag},
    {.name = "list",  .arg = "L", .help = "again",     .list = &got.list},
};
static const struct ht_usage_of takes = {
    "t [--flag] --value V FILE", opts, HT_COUNT(opts), 1, 2};

static int
run(const char *const *words)
{
	char *argv[16];
	int argc = 0;

	memset(&got, 0, sizeof(got));
	while (words[argc] != NULL) {
		argv[argc] = (char *)(uintptr_t)words[argc];
		argc++;
	}
	argv[argc] = NULL;
	return ht_cli_options(&takes, argc, argv, &got.args);
}

static void
options_are_read(void **state)
{
	(void)state;
	assert_int_equal(HT_CLI_GO,
	    run((const char *[]){"t", "a", "--value", "1", "--list=x", "--list",
	        "y", "--flag", "--", "--b", NULL}));
	assert_true(got.flag);
	assert_string_equal(got.value, "1");
	assert_int_equal(got.list.n, 2);
	assert_string_equal(got.list.at[1], "y");
	assert_int_equal(got.args.n, 2);
	assert_string_equal(got.args.at[0], "a");
	assert_string_equal(got.args.at[1], "--b");
}

static void
misuse_is_told_apart(void **state)
{
	static const struct {
		int want;
		const char *words[8];
	} cases[] = {
	    {HT_EXIT_USAGE, {"t", "a", NULL}                                },
	    {HT_EXIT_USAGE, {"t", "--value", "1", NULL}                     },
	    {HT_EXIT_USAGE, {"t", "--value", "1", "a", "b", "c", NULL}      },
	    {HT_EXIT_USAGE, {"t", "--value", "1", "--value", "2", "a", NULL}},
	    {HT_EXIT_USAGE, {"t", "a", "--value", NULL}                     },
	    {HT_EXIT_USAGE, {"t", "a", "--value", "1", "--nosuch", NULL}    },
	    {HT_EXIT_USAGE, {"t", "a", "--value", "1", "--flag=1", NULL}    },
	    {HT_EXIT_OK,    {"t", "--help", NULL}                           },
	    {HT_CLI_GO,     {"t", "--value", "1", "a", NULL}                },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++)
		if (run(cases[i].words) != cases[i].want)
			fail_msg("case %zu", i);
}

static void
durations_have_units(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms; /* 0: refused */
	} cases[] = {
	    {"250ms",                 250       },
	    {"5s",	            5000      },
	    {"3m",	            180000    },
	    {"12h",                   43200000  },
	    {"90d",                   7776000000},
	    {"",	              0         },
	    {"5",	             0         },
	    {"-5s",                   0         },
	    {" 5s",                   0         },
	    {"5 s",                   0         },
	    {"5ss",                   0         },
	    {"1000000001d",           0         },
	    {"99999999999999999999s", 0         },
	};

	(void)state;
	for (size_t i = 0; i < HT_COUNT(cases); i++) {
		uint64_t ms = 0;
		bool ok = ht_cli_duration(cases[i].text, &ms);

		if (ok != (cases[i].ms != 0) || ms != cases[i].ms)
			fail_msg("\"%s\" is %llu ms", cases[i].text,
			    (unsigned long long)ms);
	}
}

static void
every_error_has_an_exit_code(void **state)
{
	(void)state;
	assert_int_equal(ht_cli_code(HT_OK), HT_EXIT_OK);
	assert_int_equal(ht_cli_code(HT_EINVALID), HT_EXIT_REFUSED);
	assert_int_equal(ht_cli_code(HT_EBADSIG), HT_EXIT_INTEGRITY);
	assert_int_equal(ht_cli_code(HT_EROLLBACK), HT_EXIT_INTEGRITY);
	assert_int_equal(ht_cli_code(HT_ENOTFOUND), HT_EXIT_UNAVAILABLE);
	assert_int_equal(ht_cli_code(HT_ETIMEOUT), HT_EXIT_UNAVAILABLE);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(options_are_read),
    cmocka_unit_test(misuse_is_told_apart),
    cmocka_unit_test(durations_have_units),
    cmocka_unit_test(every_error_has_an_exit_code),
};

HT_TEST_MAIN(tests)
