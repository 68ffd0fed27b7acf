# shellcheck shell=bash disable=SC2034
# snapshot_file.sh - changes bytes of a snapshot's file: snapshot/store/format.h.

# Where a header has them.
at_abi=40
at_architecture=44
at_page_size=48
at_cpu=56 # the mask: 384 bytes
at_key=448
at_manifest_size=480
at_ready_size=488
at_state_size=496
at_memory_size=504
at_hash=520
header_size=552

# bytes FILE OFFSET BYTES: writes them into the file; they are as printf has them.
bytes() {
	# shellcheck disable=SC2059
	printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>noise
}

# number FILE OFFSET: the number there.
number() {
	od -An -tu8 -j "$2" -N 8 "$1" | tr -d ' '
}

# patch FILE OFFSET BYTES: writes them, and makes the hash of all before the memory right again.
patch() {
	local end=$header_size offset chunks hash

	bytes "$@"
	bytes "$1" $at_hash "$(printf '\\0%.0s' {1..32})"
	for offset in $at_manifest_size $at_ready_size $at_state_size; do
		end=$(((end + $(number "$1" "$offset") + 7) & ~7))
	done
	chunks=$(($(number "$1" $at_memory_size) >> 16))
	end=$((((end + 2 * chunks + 7) & ~7) + 32 * chunks))
	hash=$(head -c $end "$1" | b2sum -l 256 | head -c 64 | sed 's/../\\x&/g')
	bytes "$1" $at_hash "$hash"
}
