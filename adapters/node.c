#include "adapters/node.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "keys/keyfile.h"
#include "keys/witness.h"
#include "lib/base/clock.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/panic.h"

/* ZeroMQ is opened once a process, however many nodes live in it. */
static struct ht_net *shared_net;
static unsigned shared_net_users;

static enum ht_err
net_use(struct ht_net **ret)
{
	enum ht_err err = HT_OK;

	if (shared_net == NULL)
		err = ht_net_open(&shared_net);
	if (err != HT_OK)
		return err;
	shared_net_users++;
	*ret = shared_net;
	return HT_OK;
}

static void
net_drop(void)
{
	HT_ASSERT(shared_net_users > 0);
	if (--shared_net_users == 0)
		ht_net_close(&shared_net);
}

void
node_trouble(struct ht_node *node, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(node->trouble, sizeof(node->trouble), fmt, ap);
	va_end(ap);
}

void
node_break(struct ht_node *node, enum ht_err err, const char *fmt, ...)
{
	va_list ap;

	if (node->phase == NODE_BROKEN)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(node->trouble, sizeof(node->trouble), fmt, ap);
	va_end(ap);
	node->phase = NODE_BROKEN;
	node->broken = err;
	ht_log(HT_ERROR, "node %s: ALARM: %s", node->id, node->trouble);
}

const char *
ht_node_trouble(const struct ht_node *node)
{
	return node->phase == NODE_READY ? "" : node->trouble;
}

bool
ht_node_ready(const struct ht_node *node)
{
	return node->phase == NODE_READY;
}

const struct ht_trust *
ht_node_trust(const struct ht_node *node)
{
	return node->trust;
}

/* ---- opening ---- */

/* A key file, with its passphrase where it has one. */
static enum ht_err
read_named_key(const char *path, enum ht_key_for what, struct ht_report *report,
    struct ht_key **ret, struct ht_keyfile *file)
{
	HT_AUTO(ht_mem_free) char *passphrase = NULL;
	enum ht_err err;

	err = ht_keyfile_look(path, file, report);
	if (err == HT_OK && file->locked) {
		err = ht_passphrase_get(path, &passphrase);
		if (err != HT_OK)
			ht_report_add(report, path,
			    "this key has a passphrase: name a file with it "
			    "in HUTONG_PASSPHRASE_FILE");
	}
	if (err == HT_OK)
		err =
		    ht_keyfile_read(path, what, passphrase, ret, file, report);
	if (passphrase != NULL)
		ht_wipe(passphrase, strlen(passphrase));
	if (err == HT_EDENIED)
		ht_report_add(report, path, "the passphrase is not this key's");
	return err;
}

static enum ht_err
read_key(const char *path, enum ht_key_for what, struct ht_report *report,
    struct ht_key **ret)
{
	struct ht_keyfile file;

	return read_named_key(path, what, report, ret, &file);
}

/* Its name is the witness's in every cosignature. */
static enum ht_err
read_witness(struct ht_node *node, const struct ht_node_conf *conf,
    struct ht_report *report)
{
	struct ht_keyfile file;
	enum ht_err err;

	if (conf->witness == NULL)
		return HT_OK;
	err = read_named_key(
	    conf->witness, HT_KEY_WITNESS, report, &node->witness, &file);
	if (err == HT_OK)
		(void)snprintf(node->witness_name, sizeof(node->witness_name),
		    "%s", file.name);
	return err;
}

static enum ht_err
read_sealing(struct ht_node *node, const struct ht_node_conf *conf,
    struct ht_report *report)
{
	const char *const *more = conf->sealing_more;
	const char *path = conf->sealing;
	enum ht_err err;

	do {
		if (node->n_sealing == NODE_SEALING_MAX) {
			ht_report_add(report, path, "at most %d sealing keys",
			    NODE_SEALING_MAX);
			return HT_EINVALID;
		}
		err = read_key(path, HT_KEY_SEALING, report,
		    &node->sealing[node->n_sealing]);
		if (err != HT_OK)
			return err;
		node->n_sealing++;
		path = more != NULL ? *more++ : NULL;
	} while (path != NULL);
	return HT_OK;
}

/* All of them are tried: every mistake, not the first alone. */
static enum ht_err
read_keys(struct ht_node *node, const struct ht_node_conf *conf,
    struct ht_report *report)
{
	enum ht_err signing =
	    read_key(conf->signing, HT_KEY_SIGNING, report, &node->signing);
	enum ht_err transport = read_key(
	    conf->transport, HT_KEY_TRANSPORT, report, &node->transport);
	enum ht_err sealing = read_sealing(node, conf, report);
	enum ht_err witness = read_witness(node, conf, report);

	if (signing != HT_OK)
		return signing;
	if (transport != HT_OK)
		return transport;
	if (sealing == HT_OK)
		node->signing_id = ht_key_id(node->signing);
	return sealing != HT_OK ? sealing : witness;
}

static enum ht_err
make_maps(struct ht_node *node)
{
	struct ht_map **maps[] = {&node->sealers, &node->openers,
	    &node->by_record, &node->by_hash, &node->servers, &node->calls,
	    &node->calls_by_key};

	for (size_t i = 0; i < HT_COUNT(maps); i++) {
		*maps[i] = ht_map_new();
		if (*maps[i] == NULL)
			return HT_ENOMEM;
	}
	node->in = calloc(1, sizeof(*node->in));
	node->out = calloc(1, sizeof(*node->out));
	return node->in != NULL && node->out != NULL ? HT_OK : HT_ENOMEM;
}

static enum ht_err
set_up(struct ht_node *node, const struct ht_node_conf *conf,
    struct ht_report *report)
{
	enum ht_err err, keys;

	(void)snprintf(node->member, sizeof(node->member), "%s", conf->member);
	(void)snprintf(node->name, sizeof(node->name), "%s", conf->node);
	(void)snprintf(
	    node->id, sizeof(node->id), "%s/%s", conf->member, conf->node);
	node->proofs = conf->proofs;
	node->bundle_max =
	    conf->bundle_max == 0 || conf->bundle_max > HT_BUNDLE_MAX
	        ? HT_BUNDLE_MAX
	        : conf->bundle_max;
	node->history = conf->history;
	node->life_max_ms = HT_LIFE_MS;
	node->frame = HT_BUF(HT_FRAME_MAX);
	node->kept_note = HT_BUF(8192);
	node->seen_note = HT_BUF(8192);
	node->tied_note = HT_BUF(8192);
	node->cosigned_note = HT_BUF(HT_WITNESS_REQUEST);
	node_list_init(&node->waiting);
	err = make_maps(node);
	if (err == HT_OK)
		err = node_load_open(node);
	if (err != HT_OK)
		return err;
	keys = read_keys(node, conf, report);
	err = node_root_read(node, conf->root, report);
	if (err == HT_OK)
		err = keys;
	if (err == HT_OK)
		err = ht_state_open(conf->state, report, &node->state);
	if (err != HT_OK)
		return err;
	if (conf->answers > 0)
		ht_state_bound(node->state, conf->answers);
	node_root_kept(node);
	err = node_root_address(node, conf->address);
	if (err == HT_OK)
		err = node_trust_open(node, report);
	if (err == HT_OK)
		err = node_witness_open(node, report);
	if (err == HT_OK)
		err = node_link_open(node);
	return err;
}

enum ht_err
ht_node_open(const struct ht_node_conf *conf, struct ht_report *report,
    struct ht_node **ret)
{
	struct ht_net *net;
	struct ht_node *node;
	enum ht_err err;

	err = ht_keys_init();
	if (err == HT_OK)
		err = net_use(&net);
	if (err != HT_OK)
		return err;
	node = calloc(1, sizeof(*node));
	if (node == NULL) {
		net_drop();
		return HT_ENOMEM;
	}
	node->net = net;
	node->loader.event_fd = -1;
	err = set_up(node, conf, report);
	if (err != HT_OK) {
		int saved = errno;

		ht_node_close(&node);
		errno = saved;
		return err;
	}
	*ret = node;
	return HT_OK;
}

static void
free_keys(struct ht_node *node)
{
	ht_key_free(&node->signing);
	ht_key_free(&node->transport);
	ht_key_free(&node->tracker);
	ht_key_free(&node->witness);
	for (unsigned i = 0; i < node->n_sealing; i++)
		ht_key_free(&node->sealing[i]);
}

void
ht_node_close(struct ht_node **node_p)
{
	struct ht_node *node = HT_TAKE(*node_p);

	if (node == NULL)
		return;
	ht_dealer_close(&node->dealer);
	node_load_close(node);
	node_trust_close(node);
	node_told_close(node);
	node_ask_fini(node);
	node_serve_fini(node);
	node_out_fini(node);
	node_record_fini(node);
	for (unsigned i = 0; i < node->n_parked; i++)
		ht_buf_fini(&node->parked[i].frame);
	node_fetch_fini(node);
	ht_trust_unref(&node->trust);
	ht_state_close(&node->state);
	free_keys(node);
	ht_buf_fini(&node->frame);
	ht_buf_fini(&node->kept_note);
	ht_buf_fini(&node->seen_note);
	ht_buf_fini(&node->tied_note);
	ht_buf_fini(&node->cosigned_note);
	free(node->address);
	free(node->in);
	free(node->out);
	free(node);
	net_drop();
}

/* ---- the turn ---- */

/* What rests on the disk leaves when it is there. */
static enum ht_err
settle(struct ht_node *node, uint64_t now_ms)
{
	enum ht_err err = ht_state_commit(node->state);

	if (err != HT_OK) {
		node_break(node, err,
		    "the state folder %s cannot be written: %s; make room or "
		    "mend the disk, then start again",
		    ht_state_dir(node->state), ht_err_text(err));
		return err;
	}
	return node_flush(node, now_ms);
}

static enum ht_err
receive(struct ht_node *node)
{
	struct ht_slice frame;
	enum ht_err err = HT_OK;

	for (unsigned i = 0; i < NODE_FRAMES_TURN; i++) {
		err = ht_dealer_recv(node->dealer, &frame);
		if (err != HT_OK)
			break;
		node->heard_ms = ht_clock_mono_ms();
		node_frame(node, frame);
		if (node->phase == NODE_BROKEN)
			return node->broken;
	}
	return err == HT_EAGAIN ? HT_OK : err;
}

static void
sweep(struct ht_node *node, uint64_t now_ms)
{
	if (now_ms - node->swept_ms < NODE_SWEEP_MS)
		return;
	node->swept_ms = now_ms;
	node_watch_turn(node, now_ms);
	node_ask_expire(node, ht_clock_wall_ms());
	node_serve_expire(node, ht_clock_wall_ms());
	if (ht_map_count(node->servers) > 0)
		(void)node_disk_full(node);
	if (ht_state_sweep(node->state, ht_clock_wall_ms(), 1000) != HT_OK ||
	    node_told_sweep(node) != HT_OK)
		node_break(node, HT_ESTORE, "the state folder %s fails",
		    ht_state_dir(node->state));
}

static enum ht_err
turn(struct ht_node *node, struct ht_wait *waits, size_t n, int wait_ms)
{
	size_t ready;
	enum ht_err err;

	err = settle(node, ht_clock_mono_ms());
	if (err != HT_OK)
		return err;
	/* Timers have a second's grain, but a BUSY bundle a finer one. */
	if (wait_ms < 0 || wait_ms > 1000)
		wait_ms = 1000;
	if (node->waiting.head != NULL && wait_ms > 20)
		wait_ms = 20;
	wait_ms = node_fetch_wait_ms(node, wait_ms);
	err = ht_net_wait(waits, n, wait_ms, &ready);
	if (err != HT_OK)
		return err;
	node_link_turn(node, ht_clock_mono_ms());
	err = receive(node);
	if (err != HT_OK)
		return err;
	sweep(node, ht_clock_mono_ms());
	return settle(node, ht_clock_mono_ms());
}

/* @fd: the caller's; or -1. */
enum ht_err
ht_node_step(struct ht_node *node, int fd, int wait_ms, bool *ret_fd)
{
	struct ht_wait waits[3] = {
	    {.dealer = node->dealer, .fd = -1},
	    {.fd = node->loader.event_fd                     },
	    {.fd = fd},
	};
	size_t n = fd >= 0 ? 3 : 2;
	enum ht_err err;

	if (ret_fd != NULL)
		*ret_fd = false;
	if (node->phase == NODE_BROKEN)
		return node->broken;
	if (node->turning)
		return HT_EPROTOCOL; /* from a callback: it returns first */
	node->turning = true;
	err = turn(node, waits, n, wait_ms);
	node->turning = false;
	if (ret_fd != NULL && fd >= 0)
		*ret_fd = waits[2].ready;
	return node->phase == NODE_BROKEN ? node->broken : err;
}
