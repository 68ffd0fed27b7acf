# fish completion for thaw: asks `thaw complete` what to offer.

function __thaw_complete
	set -l words (commandline -opc)
	set -l word (commandline -ct)
	set -l lines ($words[1] complete -- $words[2..] "$word" 2>/dev/null)
	test -n "$lines[1]"; or return
	set -l header (string split ' ' -- $lines[1])
	# what the word begins with is kept
	set -l kept (string sub -l $header[2] -- $word)
	set -l rest (string sub -s (math $header[2] + 1) -- $word)

	switch $header[1]
		case :files
			set lines '' (__fish_complete_path "$rest")
		case :directories
			set lines '' (__fish_complete_directories "$rest")
	end
	for line in $lines[2..]
		echo -- "$kept$line"
	end
end

complete -c thaw -f -a '(__thaw_complete)'
