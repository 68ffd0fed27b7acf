#!/usr/bin/env bash
#
# fresh.sh [--keep] [--in DIR] [RELEASE]... [-- PART...] - the two commands on
# machines that have nothing yet.
#
# Makes a minimal root of each release (bookworm and trixie: Debian 12 and 13) with
# debootstrap: sudo, git, ca-certificates, and a user who may use sudo and
# /dev/kvm. That user has this checkout, with what was changed in it, and calls
# ./run.sh, the tour of README.md and ./test.sh (its parts, if some are named).
# Packages come from where this machine's apt gets them. Takes an hour and 10 GB
# for each release. The roots are in build/fresh, or DIR; they go in the end but
# for --keep, or where something failed. Nothing stays mounted or running.
#
# Prints each as "pass: WHAT", "FAIL: WHAT" or "skip: WHAT: REASON", and indented
# what it says. Exit status 1 if any failed.

# Functions are called by name, which shellcheck does not see.
# shellcheck disable=SC2317

set -uo pipefail

# shellcheck source=scripts/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/setup.sh"

usage='usage: fresh.sh [--keep] [--in DIR] [bookworm|trixie]... [-- PART...]'
user=ada
releases=()
keep=false
place=$top/build/fresh
while (($#)) && [[ $1 != -- ]]; do
	case $1 in
	--keep) keep=true ;;
	--in)
		place=${2:?$usage}
		shift
		;;
	bookworm | trixie) releases+=("$1") ;;
	*) fail 2 "$usage" ;;
	esac
	shift
done
(($# == 0)) || shift
parts=$*
((${#releases[@]})) || releases=(bookworm trixie)

# What is missing here, or nothing.
lacks() {
	local program

	((EUID == 0)) || echo 'only root can make a root'
	for program in debootstrap unshare ip; do
		command -v "$program" >/dev/null || echo "there is no $program"
	done
	[[ -c /dev/kvm ]] || echo 'there is no /dev/kvm'
	debian_entry >/dev/null || echo "apt has no entry for Debian's archive"
}

# make_root RELEASE TREE: with the archive of this machine's apt, and what it has
# been told of how to fetch.
make_root() {
	local release=$1 tree=$2 uri _

	read -r uri _ < <(debian_entry)
	rm -rf --one-file-system "$tree"
	mkdir -p "$tree"
	debootstrap --variant=minbase --include=sudo,git,ca-certificates \
		"$release" "$tree" "$uri" || return
	printf 'deb %s %s main\n' "$uri" "$release" \
		>"$tree/etc/apt/sources.list"
	read -r uri _ < <(debian_entry -security) &&
		printf 'deb %s %s-security main\n' "$uri" "$release" \
			>>"$tree/etc/apt/sources.list"
	apt-config dump | grep '^Acquire::' >"$tree/etc/apt/apt.conf.d/99host"
	cp /etc/resolv.conf /etc/hosts "$tree/etc/"
	chroot "$tree" apt-get update &&
		chroot "$tree" groupadd --system kvm &&
		chroot "$tree" useradd --create-home --shell /bin/bash \
			--groups sudo,kvm "$user" &&
		printf '%%sudo ALL=(ALL:ALL) NOPASSWD: ALL\n' \
			>"$tree/etc/sudoers.d/fresh"
}

# check_out TREE: this checkout, with what is not committed yet, as the user's.
check_out() {
	local home=$1/home/$user

	git clone --quiet --no-hardlinks "$top" "$home/thaw" &&
		git -C "$top" diff --binary HEAD |
		git -C "$home/thaw" apply --allow-empty &&
		chown -R --reference="$home" "$home/thaw"
}

# What a machine has in /dev, as mknod wants it.
devices='
null     c 1 3
zero     c 1 5
full     c 1 7
random   c 1 8
urandom  c 1 9
tty      c 5 0
kvm      c 10 232
'

# enter TREE COMMAND: runs a command of the shell as the user, in the checkout.
# Mounts what a machine has mounted: to be called in a namespace of its own.
enter() {
	local tree=$1 name numbers

	mount -t proc proc "$tree/proc"
	mount --rbind --make-rslave /sys "$tree/sys"
	mount -t tmpfs -o mode=755 run "$tree/run"
	mount -t tmpfs -o mode=755 dev "$tree/dev"
	while read -r name numbers; do
		# shellcheck disable=SC2086
		[[ ! $name ]] || mknod -m 666 "$tree/dev/$name" $numbers
	done <<<"$devices"
	chmod 660 "$tree/dev/kvm"
	chroot "$tree" chgrp kvm /dev/kvm
	mkdir "$tree/dev/pts" "$tree/dev/shm"
	mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 pts \
		"$tree/dev/pts"
	mount -t tmpfs -o mode=1777 shm "$tree/dev/shm"
	ln -s pts/ptmx "$tree/dev/ptmx"
	ln -s /proc/self/fd "$tree/dev/fd"
	ln -s /proc/self/fd/0 "$tree/dev/stdin"
	ln -s /proc/self/fd/1 "$tree/dev/stdout"
	ln -s /proc/self/fd/2 "$tree/dev/stderr"
	ip link set lo up
	exec chroot "$tree" su - "$user" -c "cd thaw || exit; $2"
}

# inside TREE COMMAND [OPTION-OF-UNSHARE...]: the same where its mounts and its
# processes end with it.
inside() {
	local tree=$1 command=$2

	shift 2
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --kill-child "$@" bash -euc '
		'"$(declare -p devices user; declare -f enter)"'
		enter "$@"' enter "$tree" "$command" </dev/null 2>&1
}

# verdict NAME COMMAND...: runs it, and says whether it succeeded.
verdict() {
	local name=$1

	shift
	printf '== fresh: %s\n' "$name"
	if "$@" 2>&1 | sed -u 's/^/  /'; then
		printf 'pass: %s\n' "$name"
		return
	fi
	printf 'FAIL: %s\n' "$name"
	return 1
}

# ./run.sh, which has all it needs, without a network, until it is interrupted.
# shellcheck disable=SC2016
serves='./run.sh & server=$!
for i in $(seq 120); do
	curl -s http://127.0.0.1:8080/function/hello -d "{\"name\":\"Ada\"}" \
		>reply && break
	sleep 1
done
cat reply; echo
kill $server; wait $server && grep -q "Hello, Ada!" reply; status=$?
rm reply; exit $status'

# test_release RELEASE
test_release() {
	local release=$1 tree=$place/$1

	verdict "$release: a minimal root" make_root "$release" "$tree" &&
		verdict "$release: a checkout" check_out "$tree" &&
		verdict "$release: ./run.sh samples" \
			inside "$tree" './run.sh samples' &&
		verdict "$release: ./run.sh without a network" \
			inside "$tree" "$serves" --net &&
		verdict "$release: README.md's tour" \
			inside "$tree" 'tests/cli/readme.sh build/release' &&
		verdict "$release: ./test.sh${parts:+ $parts}" \
			inside "$tree" "./test.sh $parts" && return
	say "what failed is in $tree"
	return 1
}

why=$(lacks)
failed=0
for release in "${releases[@]}"; do
	if [[ $why ]]; then
		printf 'skip: %s: %s\n' "$release" "${why%%$'\n'*}"
	else
		test_release "$release" || {
			failed=1
			continue
		}
		$keep || rm -rf --one-file-system "${place:?}/$release"
	fi
done
exit "$failed"
