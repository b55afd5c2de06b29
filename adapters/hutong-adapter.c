/*
 * hutong-adapter.c -- hutong-adapter(8): a member's node that serves items
 * from the systems it has.  The same program, called with --worker, is the
 * process in which a database's driver runs.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "adapters/conf_adapter.h"
#include "adapters/sql/worker.h"
#include "adapters/try.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"
#include "lib/base/process.h"
#include "lib/base/version.h"

enum {
	EXIT_WRONG = 1,
	EXIT_USAGE = 2,
	EXIT_UNAVAILABLE = 3,
	EXIT_INTEGRITY = 4,
};

struct adapter {
	struct ht_conf_adapter conf;
	struct ht_node *node;
	int epoll;
	int signals;
	uint64_t checked; /* snapshot that the mappings were held against */
	bool told_ready;
	bool stop;
};

/* A question that is with a source. */
struct asking {
	struct adapter *adapter;
	const struct ht_conf_item *item;
	uint64_t call;
};

/* ---- serving ---- */

static void
answer(struct adapter *adapter, const struct ht_conf_item *item, uint64_t call,
    const struct ht_found *found)
{
	struct ht_reasons reasons = {0};
	enum ht_err err;

	if (found->status != HT_ST_OK)
		ht_reasons_add(&reasons, found->status, "%s", found->detail);
	if (adapter->node == NULL)
		return;
	err = ht_node_answer(
	    adapter->node, call, found->records, found->more, &reasons);
	if (err != HT_OK && err != HT_ENOTFOUND)
		ht_log(HT_ERROR, "item %s: no answer could be made: %s",
		    item->name, ht_err_text(err));
}

static void
found(void *arg, const struct ht_found *result)
{
	struct asking *asking = arg;

	answer(asking->adapter, asking->item, asking->call, result);
	free(asking);
}

static uint64_t
deadline_for(const struct ht_conf_item *item, const struct ht_call *call)
{
	uint64_t now_ms = ht_clock_wall_ms();
	uint64_t left_ms =
	    call->deadline_ms > now_ms ? call->deadline_ms - now_ms : 0;
	uint64_t ms =
	    item->timeout_ms > 0 ? item->timeout_ms : item->from->timeout_ms;

	return ht_clock_mono_ms() + (ms < left_ms ? ms : left_ms);
}

/* Registered by name, so a version that has no entry comes here as well. */
static void
refuse_version(struct adapter *adapter, const struct ht_call *call)
{
	struct ht_reasons reasons = {0};
	enum ht_err err;

	ht_reasons_add(&reasons, HT_ST_NOT_SERVED,
	    "the adapter's configuration has no entry for version %u of %s",
	    call->item->version, call->item->name);
	ht_log(HT_ERROR,
	    "%s version %u is asked for, and 'items' has no entry for it: add "
	    "%s@%u",
	    call->item->name, call->item->version, call->item->name,
	    call->item->version);
	err = ht_node_answer(adapter->node, call->id, NULL, false, &reasons);
	if (err != HT_OK && err != HT_ENOTFOUND)
		ht_log(HT_ERROR, "item %s: no answer could be made: %s",
		    call->item->name, ht_err_text(err));
}

static void
serve(void *arg, const struct ht_call *call)
{
	struct adapter *adapter = arg;
	const struct ht_conf_item *item = ht_conf_adapter_find(
	    &adapter->conf, call->item->name, call->item->version);
	struct asking *asking;
	uint64_t id = call->id;
	enum ht_err err = HT_ENOMEM;

	if (item == NULL) {
		refuse_version(adapter, call);
		return;
	}
	asking = malloc(sizeof(*asking));
	if (asking != NULL) {
		*asking = (struct asking){adapter, item, id};
		err = item->from->ops->ask(item->from->source, item->query,
		    call->request->params,
		    ht_source_rows(call->item, call->grant),
		    deadline_for(item, call), found, asking);
	}
	if (err != HT_OK) {
		free(asking);
		answer(adapter, item, id,
		    &(struct ht_found){.status = HT_ST_SOURCE_SLOW,
		        .detail = "too many questions are waiting for it"});
	}
}

/* An application or an answer; it is a small file, and answered at once. */
static void
serve_mailbox(void *arg, const struct ht_call *call)
{
	struct adapter *adapter = arg;
	HT_AUTO(ht_json_free) json_t *records = NULL;
	struct ht_reasons reasons = {0};
	bool more = false;
	enum ht_err err;

	ht_mailbox_serve(&adapter->conf.mailbox, ht_node_trust(adapter->node),
	    call->consumer, call->request->params, ht_clock_wall_ms(), &records,
	    &more, &reasons);
	err = ht_node_answer(adapter->node, call->id, records, more, &reasons);
	if (err != HT_OK && err != HT_ENOTFOUND)
		ht_log(HT_ERROR, "applications: no answer could be made: %s",
		    ht_err_text(err));
}

/* ---- the loop ---- */

/* systemd's protocol, in the one line that it takes (sd_notify(3)). */
static void
notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd;

	if (path == NULL || path[0] == '\0' ||
	    strlen(path) >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, strlen(path));
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL,
	    (const struct sockaddr *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
	(void)close(fd);
}

/* A new snapshot may have other fields than the mapping knows. */
static void
check_mappings(struct adapter *adapter)
{
	HT_AUTO(ht_report_free) struct ht_report *report = NULL;
	const struct ht_trust *trust = ht_node_trust(adapter->node);

	if (trust == NULL || ht_trust_version(trust) == adapter->checked)
		return;
	adapter->checked = ht_trust_version(trust);
	report = ht_report_new();
	ht_conf_adapter_check(&adapter->conf, trust, report);
	for (unsigned i = 0; i < ht_report_count(report) && i < HT_FINDINGS_MAX;
	     i++)
		ht_log(HT_ERROR, "%s: %s", ht_report_where(report, i),
		    ht_report_text(report, i));
}

static void
tell_ready(struct adapter *adapter)
{
	if (adapter->told_ready || !ht_node_ready(adapter->node))
		return;
	adapter->told_ready = true;
	ht_log(HT_INFO, "ready: %zu items are served%s", adapter->conf.n_items,
	    adapter->conf.mailbox.item != NULL ? ", and applications" : "");
	notify("READY=1");
}

static void
read_signals(struct adapter *adapter)
{
	struct signalfd_siginfo info;

	while (read(adapter->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			ht_log(HT_INFO, "SIGHUP: the catalog is followed by "
			                "itself; restart for a changed file");
			continue;
		}
		ht_log(HT_INFO, "stopping: signal %u", info.ssi_signo);
		adapter->stop = true;
	}
}

static int
wait_ms(const struct adapter *adapter)
{
	uint64_t now_ms = ht_clock_mono_ms();
	int least = 1000;

	for (size_t i = 0; i < adapter->conf.n_sources; i++) {
		const struct ht_conf_source *s = &adapter->conf.sources[i];
		int ms = s->ops->wait_ms(s->source, now_ms);

		if (ms >= 0 && ms < least)
			least = ms;
	}
	return least;
}

static enum ht_err
turn(struct adapter *adapter)
{
	enum ht_err err;

	err =
	    ht_node_step(adapter->node, adapter->epoll, wait_ms(adapter), NULL);
	read_signals(adapter);
	for (size_t i = 0; i < adapter->conf.n_sources; i++) {
		struct ht_conf_source *s = &adapter->conf.sources[i];

		s->ops->step(s->source, ht_clock_mono_ms());
	}
	check_mappings(adapter);
	tell_ready(adapter);
	return err;
}

static int
run(struct adapter *adapter)
{
	enum ht_err err = HT_OK;

	while (err == HT_OK && !adapter->stop)
		err = turn(adapter);
	notify("STOPPING=1");
	if (err == HT_OK)
		return EXIT_SUCCESS;
	ht_log(HT_ERROR, "%s",
	    ht_node_trouble(adapter->node)[0] != '\0'
	        ? ht_node_trouble(adapter->node)
	        : ht_err_text(err));
	return err == HT_EROLLBACK || err == HT_EINTEGRITY ? EXIT_INTEGRITY
	                                                   : EXIT_UNAVAILABLE;
}

/* ---- starting ---- */

static enum ht_err
watch(struct adapter *adapter)
{
	struct epoll_event event = {.events = EPOLLIN};
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return HT_ESYSTEM;
	adapter->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	adapter->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (adapter->signals < 0 || adapter->epoll < 0 ||
	    epoll_ctl(
	        adapter->epoll, EPOLL_CTL_ADD, adapter->signals, &event) != 0)
		return HT_ESYSTEM;
	for (size_t i = 0; i < adapter->conf.n_sources; i++) {
		const struct ht_conf_source *s = &adapter->conf.sources[i];
		int fd = s->ops->fd(s->source);

		if (fd >= 0 &&
		    epoll_ctl(adapter->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
			return HT_ESYSTEM;
	}
	return HT_OK;
}

static enum ht_err
start(struct adapter *adapter, struct ht_report *report)
{
	enum ht_err err;

	/* Signals are blocked before any thread is born. */
	err = watch(adapter);
	if (err == HT_OK)
		err = ht_node_open(
		    &adapter->conf.node.conf, report, &adapter->node);
	for (size_t i = 0; err == HT_OK && i < adapter->conf.n_items; i++)
		err = ht_node_serve(
		    adapter->node, adapter->conf.items[i].name, serve, adapter);
	if (err == HT_OK && adapter->conf.mailbox.item != NULL)
		err = ht_mailbox_open(&adapter->conf.mailbox, report);
	if (err == HT_OK && adapter->conf.mailbox.item != NULL)
		err = ht_node_serve(adapter->node, adapter->conf.mailbox.item,
		    serve_mailbox, adapter);
	return err;
}

static void
finish(struct adapter *adapter)
{
	ht_conf_adapter_fini(&adapter->conf);
	ht_node_close(&adapter->node);
	ht_fd_close(&adapter->epoll);
	ht_fd_close(&adapter->signals);
}

static int
complain(enum ht_err err, const struct ht_report *report, const char *path)
{
	if (ht_report_count(report) > 0)
		ht_report_print(report, stderr);
	else
		fprintf(stderr, "hutong-adapter: %s: %s\n", path,
		    err == HT_ESYSTEM ? strerror(errno) : ht_err_text(err));
	switch (err) {
	case HT_EINVALID:
	case HT_EMALFORMED:
	case HT_ETOOBIG:
		return EXIT_WRONG;
	case HT_EBADSIG:
	case HT_EROLLBACK:
	case HT_EINTEGRITY:
		return EXIT_INTEGRITY;
	default:
		return EXIT_UNAVAILABLE;
	}
}

/* The mappings against an authority's folder: before the first start. */
static enum ht_err
check_against(const struct ht_conf_adapter *conf, const char *dir,
    struct ht_report *report, struct ht_trust **ret)
{
	HT_AUTO(ht_buf_fini) struct ht_buf text = HT_BUF(HT_DOC_MAX);
	struct ht_trust *trust = NULL;
	struct ht_root *root = malloc(sizeof(*root));
	enum ht_err err = root != NULL ? ht_keys_init() : HT_ENOMEM;

	if (err == HT_OK) {
		err = ht_fs_read(conf->node.root, &text);
		if (err != HT_OK)
			ht_report_add(report, conf->node.root,
			    "the anchor file cannot be read: %s",
			    ht_err_text(err));
	}
	if (err == HT_OK)
		err = ht_root_parse(
		    ht_buf_slice(&text), conf->node.root, report, root);
	if (err == HT_OK)
		err = ht_trust_load_dir(root, dir, NULL, report, &trust);
	if (err == HT_OK) {
		ht_conf_adapter_check(conf, trust, report);
		err = ht_report_count(report) > 0 ? HT_EINVALID : HT_OK;
	}
	if (err == HT_OK)
		*ret = HT_TAKE(trust);
	ht_trust_unref(&trust);
	free(root);
	return err;
}

static int
usage(FILE *out)
{
	fputs(
	    "usage: hutong-adapter --config FILE [--verbose]\n"
	    "       hutong-adapter --config FILE --check [--trust DIR]\n"
	    "       hutong-adapter --config FILE --try ITEM [--trust DIR] "
	    "[NAME=VALUE...]\n"
	    "\n"
	    "  --config FILE  the configuration (hutong-adapter.conf(5))\n"
	    "  --check        tell every mistake in it, and stop\n"
	    "  --try ITEM     ask the item's source once, print its records,\n"
	    "                 and stop; nothing goes to the exchange\n"
	    "  --trust DIR    with --check and --try: hold the mappings, and\n"
	    "                 what is found, against the trust documents in\n"
	    "                 this folder as well\n"
	    "  --verbose      log each message and bundle, too\n"
	    "  --version      say which version this is\n",
	    out);
	return out == stdout ? EXIT_SUCCESS : EXIT_USAGE;
}

struct options {
	const char *config;
	const char *trust;
	const char *try; /* an item */
	struct ht_args words;
	bool check;
	bool verbose;
};

static int
read_options(int argc, char **argv, struct options *ret)
{
	static const struct option longs[] = {
	    {"config",  required_argument, NULL, 'c'},
	    {"check",   no_argument,       NULL, 'k'},
	    {"trust",   required_argument, NULL, 't'},
	    {"try",     required_argument, NULL, 'y'},
	    {"verbose", no_argument,       NULL, 'v'},
	    {"help",    no_argument,       NULL, 'h'},
	    {"version", no_argument,       NULL, 'V'},
	    {NULL,      0,                 NULL, 0  },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			ret->config = optarg;
			break;
		case 'k':
			ret->check = true;
			break;
		case 't':
			ret->trust = optarg;
			break;
		case 'y':
			ret->try = optarg;
			break;
		case 'v':
			ret->verbose = true;
			break;
		case 'h':
			return usage(stdout);
		case 'V':
			puts("hutong-adapter " HT_VERSION);
			return EXIT_SUCCESS;
		default:
			return usage(stderr);
		}
	}
	if (ret->config == NULL || (ret->check && ret->try != NULL) ||
	    (optind != argc && ret->try == NULL) ||
	    argc - optind > HT_ARGS_MAX ||
	    (ret->trust != NULL && !ret->check && ret->try == NULL))
		return usage(stderr);
	while (optind < argc)
		ret->words.at[ret->words.n++] = argv[optind++];
	return -1;
}

/* What stops before anything is connected to the exchange. */
static int
stop_early(const struct ht_conf_adapter *conf, const struct ht_trust *trust,
    const struct options *options)
{
	if (options->try != NULL)
		return ht_try(conf, trust, options->try, &options->words);
	printf("%s: good: %zu sources, %zu items\n", options->config,
	    conf->n_sources, conf->n_items);
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	HT_AUTO(ht_report_free) struct ht_report *report = ht_report_new();
	struct adapter adapter = {.epoll = -1, .signals = -1};
	struct options options = {0};
	struct ht_trust *trust = NULL;
	enum ht_err err;
	int code;

	ht_process_guard();
	if (argc == 3 && strcmp(argv[1], HT_WORKER_OPTION) == 0) {
		ht_log_init("hutong-adapter", HT_INFO);
		return ht_worker_main(atoi(argv[2]));
	}
	code = read_options(argc, argv, &options);
	if (code >= 0)
		return code;
	ht_log_init("hutong-adapter", options.verbose ? HT_DEBUG : HT_INFO);
	err = ht_conf_adapter_load(options.config, report, &adapter.conf);
	if (err == HT_OK && options.trust != NULL)
		err =
		    check_against(&adapter.conf, options.trust, report, &trust);
	if (err == HT_OK && (options.check || options.try != NULL)) {
		code = stop_early(&adapter.conf, trust, &options);
	} else {
		if (err == HT_OK)
			err = start(&adapter, report);
		code = err == HT_OK ? run(&adapter)
		                    : complain(err, report, options.config);
	}
	ht_trust_unref(&trust);
	finish(&adapter);
	return code;
}
