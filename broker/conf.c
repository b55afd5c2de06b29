#include "broker/conf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "keys/keyfile.h"
#include "lib/base/fs.h"
#include "lib/conf/conf.h"

#define PATH_BYTES    4096
#define ADDRESS_BYTES 255 /* as in a root note */
#define MIB           ((uint64_t)1 << 20)
#define VOLUME_MIN    1000000 /* entries: each volume is an open file */

/* The file being read, and what went wrong besides findings. */
struct reading {
	char *dir; /* the file's folder */
	enum ht_err err;
};

static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return slash == path ? strdup("/")
	                     : strndup(path, (size_t)(slash - path));
}

static void
read_path(struct reading *r, struct ht_yaml *at, char **ret)
{
	const char *path;

	if (!ht_yaml_as_str(at, PATH_BYTES, &path))
		return;
	*ret = path[0] == '/' || strcmp(r->dir, ".") == 0 ||
	               ht_keyfile_is_credential(path)
	           ? strdup(path)
	           : ht_fs_join(r->dir, path);
	if (*ret == NULL)
		r->err = HT_ENOMEM;
}

static void
read_socket(struct reading *r, struct ht_yaml *at, char **ret)
{
	struct sockaddr_un un;

	read_path(r, at, ret);
	if (*ret != NULL && strlen(*ret) >= sizeof(un.sun_path))
		ht_yaml_complain(at,
		    "'%s' is too long for a socket, which may have %zu bytes; "
		    "use a shorter path",
		    *ret, sizeof(un.sun_path) - 1);
}

static void
read_listen(struct reading *r, struct ht_yaml *at, char **ret)
{
	const char *address;

	if (!ht_yaml_as_str(at, ADDRESS_BYTES, &address))
		return;
	if (strncmp(address, "tcp://", 6) != 0 ||
	    strrchr(address, ':') < address + 6) {
		ht_yaml_complain(at,
		    "'listen' must be tcp://ADDRESS:PORT, like "
		    "tcp://0.0.0.0:5600 or tcp://[::]:5600; found '%s'",
		    address);
		return;
	}
	*ret = strdup(address);
	if (*ret == NULL)
		r->err = HT_ENOMEM;
}

static void
read_u32(struct ht_yaml *at, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint64_t value;

	if (ht_yaml_as_u64(at, min, max, &value))
		*ret = (uint32_t)value;
}

/* Both, or either; neither says nothing. */
static void
read_volume(struct ht_yaml *volume, struct ht_volumes_conf *ret)
{
	static const struct ht_word every[] = {
	    {"month", 1},
	    {NULL,    0},
	};
	int month = 0;

	(void)ht_yaml_as_word(ht_yaml_get(volume, "every"), every, &month);
	ret->monthly = month == 1;
	(void)ht_yaml_as_u64(ht_yaml_get(volume, "entries"), VOLUME_MIN,
	    HT_VOLUME_ENTRIES, &ret->entries);
	if (volume != NULL && month == 0 && ret->entries == 0)
		ht_yaml_complain(volume,
		    "'volume' must say when one is closed: every: month, "
		    "entries: a number, or both");
}

static void
read_log(struct reading *r, struct ht_yaml *log, struct ht_broker_conf *conf)
{
	read_path(r, ht_yaml_need(log, "dir"), &conf->log_dir);
	read_path(r, ht_yaml_need(log, "key"), &conf->log_key);
	(void)ht_yaml_as_size(ht_yaml_get(log, "reserve"), 0, UINT64_MAX / 2,
	    &conf->disk_reserve);
	read_volume(ht_yaml_as_map(ht_yaml_get(log, "volume")), &conf->volumes);
}

static void
read_limits(struct ht_yaml *limits, struct ht_broker_conf *conf)
{
	struct ht_lane_conf *lane = &conf->lane;

	read_u32(
	    ht_yaml_get(limits, "remembered"), 1000, 1u << 30, &lane->ids_max);
	read_u32(ht_yaml_get(limits, "open"), 100, 10000000, &lane->open_max);
	read_u32(ht_yaml_get(limits, "open-of-member"), 10, 10000000,
	    &lane->open_member_max);
	read_u32(ht_yaml_get(limits, "refusals-a-minute"), 1, 100000,
	    &lane->refusals_minute);
	/* Slower, a page would last longer than a node waits for it. */
	(void)ht_yaml_as_size(ht_yaml_get(limits, "fetch-rate"), MIB / 4,
	    1024 * MIB, &conf->fetch_rate);
	(void)ht_yaml_as_ms(
	    ht_yaml_get(limits, "away"), 100, HT_LIFE_MS, &lane->away_ms);
}

static uint64_t
cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : (uint64_t)n;
}

static void
read_all(struct reading *r, struct ht_yaml *root, struct ht_broker_conf *conf)
{
	struct ht_yaml *log = ht_yaml_as_map(ht_yaml_need(root, "log"));
	struct ht_yaml *front = ht_yaml_as_map(ht_yaml_get(root, "front"));
	struct ht_yaml *limits = ht_yaml_as_map(ht_yaml_get(root, "limits"));
	struct ht_yaml *witnesses =
	    ht_yaml_as_map(ht_yaml_get(root, "witnesses"));

	read_path(r, ht_yaml_need(root, "authority"), &conf->authority);
	read_path(r, ht_yaml_get(root, "root"), &conf->root);
	read_listen(r, ht_yaml_need(root, "listen"), &conf->listen);
	read_path(r, ht_yaml_need(root, "transport-key"), &conf->transport_key);
	if (log != NULL)
		read_log(r, log, conf);
	read_socket(r, ht_yaml_need(root, "control"), &conf->control);
	read_socket(r, ht_yaml_get(root, "security"), &conf->security);
	read_socket(
	    r, ht_yaml_get(root, "audit-control"), &conf->audit_control);
	read_socket(r, ht_yaml_get(root, "audit"), &conf->audit);
	(void)ht_yaml_as_size(ht_yaml_get(front, "memory"), 64 * MIB,
	    UINT64_C(1) << 40, &conf->front_memory);
	(void)ht_yaml_as_u64(
	    ht_yaml_get(root, "verify-threads"), 1, 256, &conf->verify_threads);
	(void)ht_yaml_as_ms(ht_yaml_get(root, "freshen-every"), 100, HT_LIFE_MS,
	    &conf->freshen_ms);
	/* `cps` keeps one a second; a minute is long to stand alone. */
	(void)ht_yaml_as_ms(ht_yaml_get(witnesses, "every"), 1000, 60000,
	    &conf->witness_every_ms);
	(void)ht_yaml_as_ms(ht_yaml_get(witnesses, "warn-after"), 10000,
	    UINT64_C(7) * 86400000, &conf->witness_warn_ms);
	if (limits != NULL)
		read_limits(limits, conf);
	if (conf->root == NULL && conf->authority != NULL)
		conf->root = ht_fs_join(conf->authority, "root.note");
}

enum ht_err
ht_broker_conf_load(
    const char *path, struct ht_report *report, struct ht_broker_conf *ret)
{
	HT_AUTO(ht_conf_free) struct ht_conf *doc = NULL;
	struct reading r = {.dir = folder_of(path)};
	enum ht_err err = ht_conf_load(path, report, &doc);

	*ret = (struct ht_broker_conf){
	    .disk_reserve = 1024 * MIB,
	    .front_memory = 256 * MIB,
	    .verify_threads = cores(),
	    .freshen_ms = 500, /* within a second */
	    .fetch_rate = 4 * MIB,
	    .witness_every_ms = 5000,
	    .witness_warn_ms = 600000,
	    .lane = HT_LANE_CONF,
	};
	ht_random(ret->lane.secret, sizeof(ret->lane.secret));
	if (r.dir == NULL)
		err = HT_ENOMEM;
	if (err == HT_OK) {
		read_all(&r, ht_yaml_as_map(ht_conf_root(doc)), ret);
		err = ht_conf_done(doc);
	}
	free(r.dir);
	if (r.err != HT_OK)
		err = r.err;
	if (err != HT_OK)
		ht_broker_conf_fini(ret);
	return err;
}

void
ht_broker_conf_fini(struct ht_broker_conf *conf)
{
	free(conf->authority);
	free(conf->root);
	free(conf->listen);
	free(conf->transport_key);
	free(conf->log_key);
	free(conf->log_dir);
	free(conf->control);
	free(conf->security);
	free(conf->audit_control);
	free(conf->audit);
	memset(conf, 0, sizeof(*conf));
}
