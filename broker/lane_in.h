/*
 * lane_in.h -- the lane's insides, shared by lane.c (records) and
 * lane_nodes.c (members, nodes, what waits for them).
 */
#ifndef HT_BROKER_LANE_IN_H
#define HT_BROKER_LANE_IN_H

#include <stddef.h>

#include "broker/ids.h"
#include "broker/lane.h"
#include "lib/base/limits.h"
#include "lib/base/map.h"

#define PLACES 65536 /* buckets of held records by place */

/* Records that wait for a node, oldest first. */
struct list {
	struct held *first, *last;
	uint32_t n;
};

/*
 * What one sender has in a node's queue.  The senders take turns, so that who
 * sends much waits for itself and for nobody else.
 */
struct turn {
	struct turn *next;
	struct member *sender;
	struct list list;
};

struct node {
	struct node *next; /* of its member */
	struct member *member;
	char name[HT_NODE_MAX + 1];
	struct ht_conn *conn; /* NULL: not connected */
	bool serves;
	struct turn
	    *turns;       /* not sent, or to be sent again; whose turn it is */
	uint32_t queued;  /* in these */
	struct list sent; /* on the way; GOT takes them off */
	uint64_t sent_bytes;
	uint64_t again;    /* bytes sent again for its sake, as of */
	uint64_t again_ms; /* then; they are forgotten with time */
};

struct member {
	struct member *next; /* of all */
	char name[HT_NAME_MAX + 1];
	struct node *nodes;
	struct list waiting;  /* requests that no node can take now */
	uint64_t serving_ms;  /* when a node last served */
	uint32_t open_asked;  /* its open requests, */
	uint32_t open_served; /* and those made to it */
	uint64_t minute_ms;   /* the refusals of this minute */
	uint32_t refusals;
	uint32_t excess;    /* of which without entry, */
	uint64_t excess_ms; /* since then */
};

/* What an answer is judged by: its request, as it was decoded. */
struct asked {
	struct ht_header header;
	struct ht_slice tag;
	uint8_t bytes[]; /* of header and tag */
};

/* A record that somebody must still get, or answer. */
struct held {
	struct held *prev, *next; /* in a list, */
	struct list *in;          /* this one */
	struct held *next_place;  /* in the table */
	struct rec *rec;          /* its own */
	struct rec *request;      /* a response's: whose answer this is */
	struct node *to;          /* NULL: a request on member->waiting */
	struct member *to_member;
	struct node *asker; /* a request's */
	uint64_t place;
	uint64_t first; /* of its bundle's entries */
	uint32_t bytes;
	uint32_t record; /* in parcel, as long as group is now */
	struct ht_parcel *parcel;
	uint64_t group;
	bool got;
	bool queued;         /* in is a turn's list of its node */
	bool sent;           /* once already: the next time is paid for */
	struct asked *asked; /* a request's, in kept */
	_Alignas(max_align_t) uint8_t kept[];
};

enum state {
	FINAL, /* refused, late, or done with */
	OPEN,  /* a request not ended */
	ENDED, /* a request ended */
	HELD,  /* a response not GOT */
};

/* A record whose id is taken. */
struct rec {
	struct ht_ided ided; /* must be first */
	struct member *sender;
	struct member *recipient; /* of requests */
	uint64_t until_ms;        /* end of its life */
	uint64_t place;
	uint64_t end_place;  /* ENDED not by a response: which entry, */
	uint16_t end_status; /* and why; 0: by a response */
	uint16_t status;
	uint8_t state;
	struct held *held;   /* OPEN, HELD */
	struct held *answer; /* ENDED: the response, while held */
};

/* A grant's accepted requests; of the day and minute of the last one. */
struct usage {
	uint64_t day, day_count;
	uint64_t minute, minute_count;
};

struct ht_lane {
	struct ht_lane_conf conf;
	struct ht_ids *ids;
	struct ht_map *members; /* name -> member */
	struct member *all;
	struct ht_map *usage; /* grant -> struct usage */
	int64_t zone_ms;      /* of the exchange's days */
	struct held *places[PLACES];
	uint64_t next_place;
	uint64_t start_ms, minute_ms;
	uint64_t now_ms; /* of the event at hand */
	uint64_t group;
	uint64_t open;
	struct ht_admission admission;
	uint64_t log_bytes; /* brought from the log in this group, */
	bool starved;       /* which was less than was wanted */
	bool slowed;        /* a node waits for its budget of repeats */
	enum ht_err err;    /* sticky: out of memory */
	struct ht_act *acts;
	size_t n_acts, cap_acts;
	struct ht_lane_stats stats;
	struct ht_verdict verdict; /* large; one is enough */
};

/* A zeroed action with its place in the order; NULL: out of memory. */
struct ht_act *lane_act(struct ht_lane *lane, enum ht_act_type type);

/* Find or make; NULL when out of memory (lane->err is then set). */
struct member *lane_member(struct ht_lane *lane, struct ht_slice name);
struct node *lane_node(
    struct ht_lane *lane, struct member *member, struct ht_slice name);
bool lane_serving(const struct member *member);

/* ---- lane_use.c ---- */

/* Find or make; NULL when out of memory (lane->err is then set). */
struct usage *lane_usage(struct ht_lane *lane, struct ht_slice grant);
/* One more, at the time of its entry: these never go back. */
void lane_use(const struct ht_lane *lane, struct usage *usage, uint64_t at_ms);
struct ht_usage lane_used(
    const struct ht_lane *lane, struct ht_slice grant, uint64_t now_ms);

/* @request: NULL, or what it will be judged by; copied, as is @tag. */
struct held *lane_hold(struct ht_lane *lane, struct rec *rec, uint64_t place,
    const struct ht_header *request, struct ht_slice tag, uint32_t bytes);
/* Off its list and out of the table; frees. */
void lane_unhold(struct ht_lane *lane, struct held *held);
/* Put on the way to a node that serves, or to wait for one. */
void lane_assign(struct ht_lane *lane, struct held *held);
/* The same for a response: to that node and no other. */
void lane_address(struct ht_lane *lane, struct held *held, struct node *to);
/*
 * Not yet GOT: send it once more, at the cost of the node that wants it so.
 * False: it has wanted too much.
 */
bool lane_again(struct ht_lane *lane, struct held *held, struct node *wants);

/* Go on where the bytes of a group, or a node's repeats, had run out. */
void lane_pump_all(struct ht_lane *lane);

void lane_free_members(struct ht_lane *lane);

#endif
