/*
 * front.h -- the process that strangers reach: sockets, ZAP, the transport
 * key, and nothing else.
 *
 * It can be flooded and it may die; the core starts another.  It learns all
 * it needs from the core, over the stream it is given: address and key file,
 * the list of admitted keys, frames to send.
 */
#ifndef HT_BROKER_FRONT_H
#define HT_BROKER_FRONT_H

/* How a front ends; the core reads it. */
enum ht_front_exit {
	HT_FRONT_DONE = 0,   /* the core closed the stream */
	HT_FRONT_FAILED = 1, /* something broke; try another */
	HT_FRONT_CONF = 2,   /* key file or address: trying again is no use */
	HT_FRONT_FLOOD = 3,  /* too much memory taken by somebody's bytes */
};

/* Run until the stream closes.  The exit code. */
int ht_front_run(int fd);

#endif
