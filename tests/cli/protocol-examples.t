#!/bin/sh
# tests/cli/protocol-examples.t -- the pages say what the code does, and
# somebody who has only the pages, and another language, comes to the same.
cd "$(dirname "$0")/../.." || exit 1
protocol=${HT_BUILD:?}/prog/protocol
echo "1..18"
if "$protocol" examples | cmp -s - docs/protocol-examples.md; then
	echo "ok 1 - the examples are those of this code"
else
	echo "not ok 1 - the examples are those of this code"
	echo "# run 'make examples', and look at what changed in git diff:"
	echo "# other bytes mean another protocol"
fi
in_page=$(sed -n '/^<!-- codes -->$/,/^<!-- end -->$/{/^<!--/d;p;}' \
	docs/protocol.md)
if [ "$("$protocol" codes)" = "$in_page" ]; then
	echo "ok 2 - the table of codes is that of schemas/status.h"
else
	echo "not ok 2 - the table of codes is that of schemas/status.h"
	echo "# run 'make examples'"
fi
if ! /usr/bin/python3 -c 'import nacl, msgpack' 2>/dev/null; then
	for n in 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do
		echo "ok $n # SKIP python3-nacl or python3-msgpack is missing"
	done
	exit 0
fi
exec /usr/bin/python3 tests/lib/check-examples docs/protocol-examples.md
