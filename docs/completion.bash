# shellcheck shell=bash
# Completion for hutong, hutong-adapter, hutong-audit and hutong-broker.
#
# Nothing is listed here: each program is asked for its --help, so verbs,
# options and values are always those of the program that is installed.

# The first words of `hutong help` lines, and the verbs of a usage text.
_hutong_words() { # program, its help on standard input
	sed -nE \
	    -e "s/^(usage:|      ) +$1 +([a-z][a-z-]*).*/\2/p" \
	    -e 's/^  ([a-z][a-z-]*)( .*)?$/\1/p' \
	    -e 's/^commands: (.*)/\1/p' | tr ' ' '\n'
}

# "key new|show ...": the verbs below a verb.
_hutong_below() { # verb, the program's help on standard input
	sed -nE "s/^  $1 ([a-z|-]+) .*/\1/p" | tr '|' '\n'
}

_hutong() {
	local program=${1##*/} now=${COMP_WORDS[COMP_CWORD]}
	local before=${COMP_WORDS[COMP_CWORD-1]} i word verbs=() help words

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		[[ $word == [a-z]* ]] || break
		verbs+=("$word")
	done
	help=$("$1" --help 2>/dev/null)
	if [[ $program == hutong && ${#verbs[@]} -gt 0 ]]; then
		words=$(_hutong_below "${verbs[0]}" <<<"$help")
		if [[ -n $words && ${#verbs[@]} -eq 1 ]]; then
			[[ $now == -* ]] || help=
		else
			[[ -n $words ]] || verbs=("${verbs[0]}")
			help=$("$1" "${verbs[@]:0:2}" --help 2>/dev/null)
		fi
	elif [[ $program == hutong-audit && ${#verbs[@]} -gt 0 ]]; then
		help=$("$1" "${verbs[0]}" --help 2>/dev/null)
	elif [[ ${#verbs[@]} -eq 0 ]]; then
		words=$(_hutong_words "$program" <<<"$help")
	elif [[ ${verbs[0]} == ctl ]]; then
		words=$(sed -n '/^commands: /,$ { s/^commands: //; s/ [A-Z]*,*/ /g; p }' <<<"$help" |
		    tr -s ' ,' '\n' | sort -u)
	fi
	if [[ $before == --* ]]; then
		# "--format table|jsonl|csv": one of these.
		words=$(grep -oE -e "$before [a-z]+(\|[a-z]+)+" <<<"$help" |
		    cut -d' ' -f2 | tr '|' '\n' | awk '!seen[$0]++')
	fi
	if [[ $now == -* ]]; then
		words=$(grep -oE -e '--[a-z][a-z-]*' <<<"$help" | sort -u)
		words+=$'\n'--help
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$now")
}

# Where nothing fits, names of files do.
complete -o bashdefault -o default -F _hutong \
    hutong hutong-adapter hutong-audit hutong-broker
