/*
 * hutong-broker.c -- the exchange: hutong-broker(8).
 */
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "broker/caller.h"
#include "broker/core.h"
#include "broker/front.h"
#include "broker/log/rollback.h"
#include "broker/restore.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/process.h"
#include "lib/base/text.h"
#include "lib/base/version.h"
#include "lib/term/table.h"
#include "schemas/json.h"

#define DEFAULT_CONFIG "/etc/hutong/broker.yaml"
#define ANSWER_MAX     ((size_t)16 << 20)

static int
usage(FILE *out, int code)
{
	fputs("usage: hutong-broker [--config FILE] "
	      "[--accept-rollback SIZE --why TEXT [--key FILE]]\n"
	      "       hutong-broker --check [FILE]\n"
	      "       hutong-broker ctl [--config FILE] [--json] [--key FILE] "
	      "COMMAND\n"
	      "       hutong-broker restore [--config FILE] --from BACKUP "
	      "[--seen FILE] [DIR]\n"
	      "       hutong-broker --version\n"
	      "commands: status nodes witnesses reload stop resume forgive "
	      "front-restart\n"
	      "          volumes close-volume\n"
	      "          erase FILE, remove FILE, erasure, disclose FILE\n"
	      "          backup DIR, backup\n",
	    out);
	return code;
}

static int
load(const char *path, struct ht_broker_conf *conf)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	enum ht_err err = ht_broker_conf_load(path, report, conf);

	if (err == HT_OK)
		return HT_BROKER_DONE;
	ht_report_print(report, stderr);
	if (ht_report_count(report) == 0)
		fprintf(
		    stderr, "hutong-broker: %s: %s\n", path, ht_err_text(err));
	return HT_BROKER_REFUSED;
}

/* Configuration, and the policy and keys it points at; all mistakes. */
static int
check(const char *path)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct ht_broker_conf conf;
	int code = load(path, &conf);

	if (code != HT_BROKER_DONE)
		return code;
	code = ht_core_check(&conf, report);
	ht_report_print(report, stderr);
	if (code == HT_BROKER_DONE)
		printf("%s: ok\n", path);
	ht_broker_conf_fini(&conf);
	return code;
}

/* Who goes on with an older log, as far as the system knows. */
static void
name_of_user(char out[static 64])
{
	const struct passwd *user = getpwuid(getuid());

	(void)snprintf(out, 64, "uid %u%s%.40s", (unsigned)getuid(),
	    user != NULL ? " " : "", user != NULL ? user->pw_name : "");
}

/* "--accept-rollback SIZE --why TEXT": both, or neither. */
static bool
read_act(const char *size, const char *why, struct ht_rollback *act)
{
	if (size == NULL && why == NULL)
		return true;
	if (size == NULL || why == NULL || why[0] == '\0' ||
	    strlen(why) > HT_WHY_MAX || !ht_utf8_valid(ht_slice_str(why))) {
		fprintf(stderr,
		    "hutong-broker: --accept-rollback SIZE and --why TEXT (of "
		    "%d bytes at most) go together: both stand in the log\n",
		    HT_WHY_MAX);
		return false;
	}
	if (ht_tree_size_parse(ht_slice_str(size), &act->size) != HT_OK ||
	    act->size == 0) {
		fprintf(stderr,
		    "hutong-broker: --accept-rollback: the size of the "
		    "checkpoint that is given up, as the refusal to start "
		    "named it\n");
		return false;
	}
	act->why = why;
	return true;
}

static int
serve(const char *path, const char *size, const char *why, const char *key)
{
	HT_AUTO(ht_caller_close) struct ht_caller caller = {0};
	char user[64], by[HT_VKEY_NAME_MAX + 68];
	struct ht_rollback act = {.by = by};
	struct ht_broker_conf conf;
	int code = HT_BROKER_DONE;

	if (!read_act(size, why, &act))
		return HT_BROKER_USAGE;
	code = load(path, &conf);
	if (code != HT_BROKER_DONE)
		return code;
	name_of_user(user);
	(void)snprintf(by, sizeof(by), "%s", user);
	if (key != NULL) {
		code = ht_caller_open(&conf, key, &caller);
		act.admin = &caller.pub;
		(void)snprintf(by, sizeof(by), "%s (%s)", caller.name, user);
	}
	if (code == HT_BROKER_DONE)
		code = ht_core_run(&conf, act.size != 0 ? &act : NULL);
	ht_broker_conf_fini(&conf);
	return code;
}

/* ---- ctl ---- */

static const char *
value_text(const json_t *value, char out[static 32])
{
	if (json_is_string(value))
		return json_string_value(value);
	if (!json_is_integer(value))
		return json_is_true(value) ? "yes" : "no";
	snprintf(out, 32, "%lld", (long long)json_integer_value(value));
	return out;
}

/* "name  value" a line; what is an object is set in under its name. */
static void
print_object(json_t *object, int indent)
{
	const char *key;
	json_t *value;
	char number[32];

	json_object_foreach(object, key, value)
	{
		printf("%*s%-*s ", indent, "", 18 - indent, key);
		if (json_is_object(value)) {
			printf("\n");
			print_object(value, indent + 2);
		} else {
			printf("%s\n", value_text(value, number));
		}
	}
}

/* Objects of one kind, a row each. */
static void
print_rows(json_t *rows)
{
	HT_AUTO(ht_table_free) struct ht_table *table = NULL;
	struct ht_column columns[16];
	struct ht_slice cells[16];
	char numbers[16][32];
	const char *key;
	json_t *row, *value;
	size_t n = 0, i;

	json_object_foreach(json_array_get(rows, 0), key,
	    value) if (n < HT_COUNT(columns)) columns[n++] =
	    (struct ht_column){key, json_is_integer(value)};
	if (ht_table_new(columns, n, &table) != HT_OK)
		return;
	json_array_foreach(rows, i, row)
	{
		for (size_t c = 0; c < n; c++)
			cells[c] = ht_slice_str(value_text(
			    json_object_get(row, columns[c].name), numbers[c]));
		ht_table_add(table, cells);
	}
	if (ht_table_print(table, stdout) != HT_OK)
		fprintf(stderr, "hutong-broker: cannot print\n");
}

static void
print_lines(char *lines, bool json, bool table)
{
	HT_AUTO(ht_json_free) json_t *rows = json_array();
	char *save = NULL, *line = strtok_r(lines, "\n", &save);

	for (; line != NULL; line = strtok_r(NULL, "\n", &save)) {
		json_t *object = NULL;

		if (json ||
		    ht_json_parse(ht_slice_str(line), &object, NULL) != HT_OK) {
			puts(line);
		} else if (table) {
			(void)json_array_append_new(rows, object);
		} else {
			print_object(object, 0);
			json_decref(object);
		}
	}
	if (json_array_size(rows) > 0)
		print_rows(rows);
}

/* The first line says how it went. */
static int
show(struct ht_buf *answer, bool json, bool table)
{
	const char *text = ht_buf_text(answer);
	HT_AUTO(ht_mem_free) char *copy = text == NULL ? NULL : strdup(text);
	char *rest = copy == NULL ? NULL : strchr(copy, '\n');
	int code = HT_BROKER_DONE;

	if (rest == NULL)
		return HT_BROKER_UNAVAILABLE;
	*rest++ = '\0';
	if (strcmp(copy, "ok") != 0) {
		fprintf(stderr, "hutong-broker: %s\n", copy);
		code = HT_BROKER_REFUSED;
	}
	print_lines(rest, json, table);
	return code;
}

/* The "state" of the JSON line behind the first. */
static bool
still_runs(struct ht_buf *answer)
{
	const char *text = ht_buf_text(answer);

	return text != NULL && strncmp(text, "ok\n", 3) == 0 &&
	       strstr(text, "\"state\":\"runs\"") != NULL;
}

/* Hand in the order, and wait until it was carried out. */
static int
put_order(const struct ht_caller *caller, const char *word, const char *file,
    struct ht_buf *answer)
{
	HT_AUTO(ht_buf_fini) struct ht_buf order = HT_BUF(HT_DOC_MAX);
	char command[64];
	enum ht_err err = ht_fs_read(file, &order);
	int code;

	if (err != HT_OK) {
		fprintf(stderr, "hutong-broker: %s: %s\n", file,
		    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
		return HT_BROKER_REFUSED;
	}
	snprintf(command, sizeof(command), "%s %zu", word, order.len);
	code = ht_caller_put(caller, command, ht_buf_slice(&order), answer);
	while (code == HT_BROKER_DONE && still_runs(answer)) {
		(void)usleep(100000);
		ht_buf_reset(answer);
		code =
		    ht_caller_put(caller, "erasure", HT_SLICE(NULL, 0), answer);
	}
	return code;
}

/* Have a backup made into @dir, as seen from here, and wait for its end. */
static int
put_backup(
    const struct ht_caller *caller, const char *dir, struct ht_buf *answer)
{
	char here[4096], command[64];
	HT_AUTO(ht_mem_free) char *whole = NULL;
	int code;

	if (getcwd(here, sizeof(here)) == NULL)
		here[0] = '\0';
	whole = dir[0] == '/' ? strdup(dir) : ht_fs_join(here, dir);
	if (whole == NULL)
		return HT_BROKER_UNAVAILABLE;
	snprintf(command, sizeof(command), "backup %zu", strlen(whole));
	code = ht_caller_put(caller, command, ht_slice_str(whole), answer);
	while (code == HT_BROKER_DONE && still_runs(answer)) {
		(void)usleep(100000);
		ht_buf_reset(answer);
		code =
		    ht_caller_put(caller, "backup", HT_SLICE(NULL, 0), answer);
	}
	return code;
}

/* What was taken, and could not be carried out. */
static bool
has_failed(struct ht_buf *answer)
{
	const char *text = ht_buf_text(answer);

	return text != NULL && strstr(text, "\"state\":\"failed\"") != NULL;
}

/* It comes with an order, which a thread of the broker's carries out. */
static bool
destroys(const char *word)
{
	return strcmp(word, "erase") == 0 || strcmp(word, "remove") == 0;
}

static int
put(const struct ht_caller *caller, char **words, int n, struct ht_buf *answer)
{
	if (destroys(words[0]) || strcmp(words[0], "disclose") == 0)
		return put_order(caller, words[0], words[1], answer);
	if (strcmp(words[0], "backup") == 0 && n == 2)
		return put_backup(caller, words[1], answer);
	return ht_caller_put(caller, words[0], HT_SLICE(NULL, 0), answer);
}

static int
control(const char *config, const char *key, char **words, int n, bool json)
{
	HT_AUTO(ht_buf_fini) struct ht_buf answer = HT_BUF(ANSWER_MAX);
	HT_AUTO(ht_caller_close) struct ht_caller caller = {0};
	struct ht_broker_conf conf;
	bool erase = destroys(words[0]);
	bool order = erase || strcmp(words[0], "disclose") == 0;
	bool backup = strcmp(words[0], "backup") == 0 && n == 2, failed;
	int code;

	if (n != (order || backup ? 2 : 1))
		return usage(stderr, HT_BROKER_USAGE);
	code = load(config, &conf);
	if (code != HT_BROKER_DONE)
		return code;
	code = ht_caller_open(&conf, key, &caller);
	if (code == HT_BROKER_DONE)
		code = put(&caller, words, n, &answer);
	ht_broker_conf_fini(&conf);
	if (code != HT_BROKER_DONE)
		return code;
	failed = (erase || backup) && has_failed(&answer);
	code = show(&answer, json,
	    strcmp(words[0], "nodes") == 0 ||
	        strcmp(words[0], "witnesses") == 0);
	return failed ? HT_BROKER_REFUSED : code;
}

static int
restore(
    const char *config, const char *from, const char *seen, char **words, int n)
{
	struct ht_broker_conf conf;
	int code;

	if (from == NULL || n > 1)
		return usage(stderr, HT_BROKER_USAGE);
	code = load(config, &conf);
	if (code != HT_BROKER_DONE)
		return code;
	code = ht_restore(&conf, from, n == 1 ? words[0] : NULL, seen);
	ht_broker_conf_fini(&conf);
	return code;
}

/*
 * Frames of a hundred KiB come and go: without this each would be mapped from
 * the system and given back, a page fault for every 4 KiB.  One arena: what one
 * thread makes another frees here, and an arena that is not the first one grows
 * by a system call for every few records.  And huge pages, where the system
 * gives them on request: tables of a day's records are read at random.
 *
 * glibc takes the last of these at a process's start alone, from its
 * environment: so the broker begins once more, with it; `ctl`, which serves
 * nobody, does not.  Who has set the variable is left alone.  Without it, or
 * without glibc, all works the same.
 */
#define TUNABLES "GLIBC_TUNABLES"
static void
keep_memory(char **argv)
{
	static const char tuned[] = "glibc.malloc.mmap_threshold=8388608:"
	                            "glibc.malloc.trim_threshold=33554432:"
	                            "glibc.malloc.top_pad=1048576:"
	                            "glibc.malloc.arena_max=1:"
	                            "glibc.malloc.hugetlb=1";

	if (getenv(TUNABLES) != NULL || setenv(TUNABLES, tuned, 1) != 0)
		return;
	(void)execv("/proc/self/exe", argv);
	ht_log(HT_WARN, "broker: cannot begin again with %s: %s; going on",
	    TUNABLES, strerror(errno));
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"config",          required_argument, NULL, 'c'},
	    {"check",           no_argument,       NULL, 'k'},
	    {"front",           required_argument, NULL, 'f'},
	    {"json",            no_argument,       NULL, 'j'},
	    {"accept-rollback", required_argument, NULL, 'r'},
	    {"why",             required_argument, NULL, 'w'},
	    {"key",             required_argument, NULL, 'K'},
	    {"from",            required_argument, NULL, 'F'},
	    {"seen",            required_argument, NULL, 's'},
	    {"help",            no_argument,       NULL, 'h'},
	    {"version",         no_argument,       NULL, 'V'},
	    {NULL,              0,                 NULL, 0  },
	};
	const char *config = DEFAULT_CONFIG, *size = NULL, *why = NULL;
	const char *from = NULL, *seen = NULL, *key = NULL;
	bool json = false, checking = false;
	int option;

	ht_log_init("hutong-broker", HT_INFO);
	(void)prctl(PR_SET_NAME, "hutong-broker");
	ht_process_guard();
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'c':
			config = optarg;
			break;
		case 'k':
			checking = true;
			break;
		case 'f':
			return ht_front_run(atoi(optarg));
		case 'j':
			json = true;
			break;
		case 'r':
			size = optarg;
			break;
		case 'w':
			why = optarg;
			break;
		case 'K':
			key = optarg;
			break;
		case 'F':
			from = optarg;
			break;
		case 's':
			seen = optarg;
			break;
		case 'h':
			return usage(stdout, HT_BROKER_DONE);
		case 'V':
			puts("hutong-broker " HT_VERSION);
			return HT_BROKER_DONE;
		default:
			return usage(stderr, HT_BROKER_USAGE);
		}
	if (checking && optind + 1 >= argc)
		return check(optind < argc ? argv[optind] : config);
	if (optind == argc) {
		keep_memory(argv);
		return serve(config, size, why, key);
	}
	if (optind + 2 <= argc && strcmp(argv[optind], "ctl") == 0)
		return control(
		    config, key, &argv[optind + 1], argc - optind - 1, json);
	if (strcmp(argv[optind], "restore") == 0)
		return restore(
		    config, from, seen, &argv[optind + 1], argc - optind - 1);
	return usage(stderr, HT_BROKER_USAGE);
}
