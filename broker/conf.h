/*
 * conf.h -- hutong-broker.conf(5), read and checked whole.
 */
#ifndef HT_BROKER_CONF_H
#define HT_BROKER_CONF_H

#include "broker/lane.h"
#include "broker/log/volumes.h"
#include "lib/base/report.h"

/* hutong-broker(8), "EXIT STATUS". */
enum ht_broker_exit {
	HT_BROKER_DONE = 0,
	HT_BROKER_REFUSED = 1,     /* configuration or policy is of no use */
	HT_BROKER_USAGE = 2,       /* the command line makes no sense */
	HT_BROKER_UNAVAILABLE = 3, /* address, file or socket cannot be had */
	HT_BROKER_INTEGRITY = 4,   /* the log does not hold, or is behind */
	HT_BROKER_STORE = 5,       /* a commit failed */
};

/* Paths are as seen from the configuration's folder.  All owned. */
struct ht_broker_conf {
	char *authority;     /* folder of trust documents */
	char *root;          /* anchor file; in authority if not given */
	char *listen;        /* "tcp://0.0.0.0:5600" */
	char *transport_key; /* key files */
	char *log_key;
	char *log_dir;
	char *control;  /* sockets: of the system's administrator, */
	char *security; /* and of the two others; NULL: none */
	char *audit_control;
	char *audit;           /* NULL: none */
	uint64_t disk_reserve; /* bytes */
	struct ht_volumes_conf volumes;
	uint64_t front_memory; /* bytes */
	uint64_t verify_threads;
	uint64_t witness_every_ms; /* between two rounds */
	uint64_t witness_warn_ms;  /* no quorum for so long is said aloud */
	uint64_t freshen_ms;       /* how often current.note is looked at */
	uint64_t fetch_rate; /* bytes/s for a node that fetches all of it */
	struct ht_lane_conf lane;
};

/*
 * Read a file.  Every mistake goes to @report.  HT_EINVALID if there is one;
 * others of ht_conf_load().  @ret is then empty.
 */
enum ht_err ht_broker_conf_load(const char *path, struct ht_report *report,
    struct ht_broker_conf *ret) HT_MUST_USE;
void ht_broker_conf_fini(struct ht_broker_conf *conf);

#endif
