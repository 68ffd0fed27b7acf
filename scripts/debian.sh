# shellcheck shell=bash
#
# debian.sh - Debian packages, for the other scripts to source.
#
# Two ways to get them: packages_install puts what is missing on the machine;
# apt_private_* uses a package index of our own, so that another release or
# another architecture can be fetched without changing the machine's apt
# configuration, and without root.

# say TEXT...: progress goes to standard error.
say() {
	printf '%s\n' "$*" >&2
}

# fail STATUS TEXT...: ends the script with one sentence.
fail() {
	local status=$1

	shift
	say "${0##*/}: $*"
	exit "$status"
}

# How long a command may be silent before with_progress says what it is at.
progress_s=4

# tick LOG: until standard input ends, says again and again how long it has been
# and what LOG has last.
tick() {
	local start=$SECONDS

	while read -r -t "$progress_s"; (($? > 128)); do
		say "  $((SECONDS - start)) s: $(tail -c 400 "$1" | tr '\r' '\n' |
			grep -a '[^[:space:]]' | tail -n 1 | cut -c 1-68)"
	done
}

# with_progress LOG COMMAND...: runs the command with its output behind what LOG
# has, and shows how it gets on. The pipe to tick ends with this process, whatever
# ends it.
with_progress() {
	local log=$1 pipe ticker status=0

	shift
	: >>"$log"
	exec {pipe}> >(tick "$log")
	ticker=$!
	"$@" {pipe}>&- >>"$log" 2>&1 || status=$?
	exec {pipe}>&-
	wait "$ticker" || true
	return "$status"
}

# packages_missing NAME...: prints those that are not installed.
packages_missing() {
	local name installed

	# it fails where a package is not known at all, which is no failure here
	installed=$({ dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' "$@" \
		2>/dev/null || true; } | sed -n 's/^.i *//p')
	for name; do
		grep -qxF "$name" <<<"$installed" || printf '%s\n' "$name"
	done
}

# packages_install NAME...: installs those that are missing, and says which.
packages_install() {
	local missing root=() log

	mapfile -t missing < <(packages_missing "$@")
	((${#missing[@]})) || return 0
	command -v apt-get >/dev/null ||
		fail 7 "install these packages first: ${missing[*]}"
	say "installing Debian packages: ${missing[*]}"
	if ((EUID != 0)); then
		command -v sudo >/dev/null ||
			fail 7 "not root and no sudo: run 'apt-get install" \
				"${missing[*]}' as root first"
		root=(sudo)
	fi
	root+=(env DEBIAN_FRONTEND=noninteractive)
	log=$(mktemp)
	with_progress "$log" packages_get "${missing[@]}" || {
		tail -n 5 "$log" >&2
		rm -f "$log"
		fail 7 "could not install: ${missing[*]}"
	}
	rm -f "$log"
}

# packages_get NAME...: installs them, by the caller's root. The index is
# refreshed only if they cannot be had without.
packages_get() {
	local apt=("${root[@]}" apt-get -y --no-install-recommends install)

	"${apt[@]}" "$@" ||
		{ "${root[@]}" apt-get update && "${apt[@]}" "$@"; }
}

# debian_entry [SUFFIX]: prints "URI RELEASE" of the Debian archive that this
# machine's apt is configured for, however that is written down; with the suffix
# -security, of the archive of its security updates.
# shellcheck disable=SC2016 # apt, not the shell, fills in the names
debian_entry() {
	local codename uri release suffix=${1-}

	codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME-}")
	while read -r uri release; do
		[[ $release == "$codename$suffix" ||
			$release == "stable$suffix" ]] || continue
		printf '%s %s\n' "$uri" "$codename$suffix"
		return 0
	done < <(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' \
		'Created-By: Packages' 'Component: main')
	return 1
}

# apt_private_init DIR TYPE SUITE ARCH: prepares DIR for apt_private and fetches
# the index of the machine's own mirror; TYPE is deb or deb-src, SUITE may be
# "own" for the machine's release. With deb come the suite's security updates, if
# apt has those of the machine's release. Returns non-zero if that fails, with
# apt's words in DIR/log.
apt_private_init() {
	local dir=$1 type=$2 suite=$3 arch=$4 uri own options _
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg

	rm -rf "$dir"
	mkdir -p "$dir"/{lists,cache,etc,state}/partial "$dir/files"
	: >"$dir/state/status"
	options=arch=$arch
	[[ -f $keys ]] && options+=" signed-by=$keys"
	read -r uri own < <(debian_entry) || {
		say "apt on this machine has no entry for Debian's archive" \
			>"$dir/log" 2>&1
		return 1
	}
	[[ $suite != own ]] || suite=$own
	printf '%s [%s] %s %s main\n' "$type" "$options" "$uri" "$suite" \
		>"$dir/sources.list"
	[[ $type == deb ]] && read -r uri _ < <(debian_entry -security) &&
		printf '%s [%s] %s %s-security main\n' "$type" "$options" \
			"$uri" "$suite" >>"$dir/sources.list"
	# The machine's settings (a proxy, for one) hold but for these. Hooks
	# are cleared: they are about the machine's packages.
	cat >"$dir/apt.conf" <<-CONF
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "$dir/etc";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "$dir/etc";
		Dir::State "$dir/state";
		Dir::State::lists "$dir/lists";
		Dir::State::status "$dir/state/status";
		Dir::Cache "$dir/cache";
		APT::Architecture "$arch";
		#clear APT::Architectures;
		APT::Architectures { "$arch"; };
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear DPkg::Post-Invoke;
		APT::Sandbox::User "$(id -un)";
		APT::Update::Error-Mode "any";
		Acquire::Languages "none";
	CONF
	with_progress "$dir/log" apt-get -c "$dir/apt.conf" update
}

# apt_private DIR ARGUMENT...: runs apt-get on the index in DIR; what it
# downloads arrives in DIR/files, what it says in DIR/log.
apt_private() {
	local dir=$1

	shift
	(cd "$dir/files" &&
		with_progress "$dir/log" apt-get -c "$dir/apt.conf" "$@")
}

# stamp_of TEXT FILE...: prints a word that changes with any of them.
stamp_of() {
	local text=$1

	shift
	printf '%s %s\n' "$text" "$(cat -- "$@" | sha256sum | cut -d' ' -f1)"
}

# stamp_holds FILE STAMP: whether FILE says that STAMP was built.
stamp_holds() {
	[[ -f $1 && $(<"$1") == "$2" ]]
}
