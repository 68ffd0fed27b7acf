#compdef thaw
# zsh completion for thaw: asks `thaw complete` what to offer.

_thaw() {
	local -a lines candidates
	local line kind skip

	lines=("${(@f)$($words[1] complete -- \
		"${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
	read -r kind skip <<<$lines[1]
	# what the word begins with is kept
	((skip)) && compset -p $skip
	case $kind in
	:files)
		_files
		;;
	:directories)
		_files -/
		;;
	:words)
		for line in ${lines[2,-1]}; do
			# a word, and behind a colon its help, if it has any
			candidates+=("${${line//:/\\:}/$'\t'/:}")
		done
		_describe thaw candidates
		;;
	esac
}

if [[ $funcstack[1] == _thaw ]]; then
	_thaw "$@"
else
	compdef _thaw thaw
fi
