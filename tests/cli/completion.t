#!/bin/bash
# tests/cli/completion.t -- what <TAB> offers is what the programs say they
# take, and what the manual says, too.
set -u
cd "$(dirname "$0")/../.." || exit 1
PATH=$HT_BUILD:$PATH
n=0

result() { # status, what
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		echo "#  offered: ${COMPREPLY[*]}"
	fi
}

# shellcheck source=docs/completion.bash
. docs/completion.bash
result $? 'it loads'

# offer WORD...: what is offered for the last word of a command line.
offer() {
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_hutong "$1"
}
offers() { # what, then the words that must be offered
	local what=$1 word
	shift
	for word; do
		[[ " ${COMPREPLY[*]} " == *" $word "* ]] || break
		shift
	done
	[ $# -eq 0 ]
	result $? "$what"
}

offer hutong-audit ''
offers 'the verbs of hutong-audit' search tail stats report show verify
offer hutong-audit s
offers 'those that begin so' search stats show
[[ " ${COMPREPLY[*]} " != *' tail '* ]]
result $? 'and no others'
offer hutong-audit search --format ''
offers 'values' table jsonl csv ocsf
offer hutong-audit stats --period ''
[ "${COMPREPLY[*]}" = 'day month' ]
result $? 'of other options, too'
offer hutong-audit stats --
offers 'options of the verb' --by --period --member
[[ " ${COMPREPLY[*]} " != *' --order '* ]]
result $? 'and of no other'
offer hutong ''
offers 'the verbs of hutong' query verify key note catalog epoch
offer hutong key ''
offers 'and those below one' new show
offer hutong key new --
offers 'and their options' --for --name --out --passphrase
offer hutong query gx.demo/SCZTDJ --
offers 'and of a verb with an operand' --purpose --config
offer hutong-broker ''
offers 'hutong-broker: ctl' ctl
offer hutong-broker ctl ''
offers 'and its commands' status reload
offer hutong-audit search --dir ''
[ ${#COMPREPLY[@]} -eq 0 ]
result $? 'where a file is wanted, files are left to the shell'

# Every option of every program's help.
for program in hutong-audit hutong-adapter hutong-broker; do
	offer "$program" --
	mapfile -t wanted < <("$program" --help | grep -oE -e '--[a-z][a-z-]*')
	[ ${#wanted[@]} -gt 2 ]
	result $? "$program has options"
	offers "$program: each of its options" "${wanted[@]}"
done

# The manual and --help know the same options.
options() {
	grep -oE -e '--[a-z][a-z-]*' | sort -u
}
diff <(hutong-audit --help | options) \
    <(sed -nE '/^\.(It|Op|Fl|Nm|Cm|Po|Pq|Ar)? ?/s/Fl -([a-z-]+)/--\1/gp' \
        docs/man/hutong-audit.1 | options | grep -vx -- --for) | sed 's/^/# /'
[ "${PIPESTATUS[0]}" -eq 0 ]
result $? 'hutong-audit(1) has each option, and no other'

# And of each verb: what the manual tells is what VERB --help tells.
tests/lib/manual-verbs.py docs/man/hutong-audit.1 hutong-audit | sed 's/^/# /'
[ "${PIPESTATUS[0]}" -eq 0 ]
result $? 'hutong-audit(1) has the options of each verb, and no other'
echo "1..$n"
