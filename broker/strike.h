/*
 * strike.h -- floods of one user, and when they are too many.  Pure.
 *
 * A flood costs all others a reconnect, a second or so.  Two of them within
 * HT_STRIKE_MS are no accident; one every ten minutes is a nuisance that the
 * operator reads of each time, and no reason to leave out, until somebody
 * looks, a node that shared the blame for another's (docs/adr/0002).
 */
#ifndef HT_BROKER_STRIKE_H
#define HT_BROKER_STRIKE_H

#include <stdbool.h>
#include <stdint.h>

#define HT_STRIKE_MS  600000 /* after so long without another one is over */
#define HT_STRIKE_OUT 2

struct ht_strike {
	unsigned floods; /* not forgotten, as of then */
	uint64_t at_ms;
	bool out; /* not admitted until the operator says so */
};
/* One more; true: with it the user is out, and was not before. */
bool ht_strike_add(struct ht_strike *strike, uint64_t now_ms);

#endif
