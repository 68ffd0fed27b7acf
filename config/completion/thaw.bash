# shellcheck shell=bash
# bash completion for thaw: asks `thaw complete` what to offer.

_thaw() {
	local line=${COMP_LINE:0:COMP_POINT} piece kind skip candidate i
	local -a words=() candidates=()

	# bash splits words at "=", ":" and "@" as well: join them again
	for ((i = 0; i <= COMP_CWORD; i++)); do
		piece=${COMP_WORDS[i]}
		if ((i == 0)) || [[ $line == [[:space:]]* ]]; then
			words+=('')
			line=${line#"${line%%[![:space:]]*}"}
		fi
		# the last one ends at the cursor
		((i < COMP_CWORD)) || piece=$line
		words[-1]+=$piece
		line=${line#"$piece"}
	done

	COMPREPLY=()
	{
		read -r kind skip
		case $kind in
		:files | :directories)
			# a name behind "@" would be quoted with it
			[[ $2 == @* ]] || compopt -o filenames 2>/dev/null
			[[ $kind == :files ]] && kind=-f || kind=-d
			mapfile -t candidates < <(compgen "$kind" -- "${words[-1]:skip}")
			;;
		:words)
			while IFS=$'\t' read -r candidate _; do
				candidates+=("$candidate")
			done
			;;
		esac
	} < <("$1" complete -- "${words[@]:1}" 2>/dev/null)
	# bash replaces $2, the end of the word
	for candidate in "${candidates[@]}"; do
		candidate=${words[-1]:0:skip}$candidate
		[[ $candidate == "${words[-1]}"* ]] || continue
		COMPREPLY+=("${candidate:${#words[-1]}-${#2}}")
	done
}

complete -F _thaw thaw
