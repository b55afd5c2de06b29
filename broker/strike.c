#include "broker/strike.h"

bool
ht_strike_add(struct ht_strike *strike, uint64_t now_ms)
{
	uint64_t forgotten = (now_ms - strike->at_ms) / HT_STRIKE_MS;

	strike->floods = strike->floods > forgotten
	                     ? strike->floods - (unsigned)forgotten
	                     : 0;
	strike->floods++;
	strike->at_ms = now_ms;
	if (strike->out || strike->floods < HT_STRIKE_OUT)
		return false;
	strike->out = true;
	return true;
}
