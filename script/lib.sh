# shellcheck shell=bash
# shellcheck disable=SC2034 # what is named here is used by the scripts
# What the scripts share: sourced, not run. Stands on nothing but bash and Debian's base system.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

build_packages=(gcc g++ cmake ninja-build pkg-config libgsl-dev libopenblas0 libcjson-dev
	libcairo2-dev libhdf5-dev hdf5-tools libxxhash-dev libsqlite3-dev nettle-dev
	zlib1g-dev check)
test_packages=(python3-h5py python3-pandas python3-onnx)
# Opens the page of a report in its test, which is skipped without it.
browser_packages=(chromium)
clang_packages=(clang libclang-rt-14-dev)
# The optional engine of weir sweep, built by CI where they can be had.
mpi_packages=(openmpi-bin libopenmpi-dev)
style_packages=(clang-format shellcheck)

say() {
	printf '%s\n' "$*"
}

complain() {
	printf '%s\n' "$*" >&2
}

die() {
	complain "$@"
	exit 1
}

# True when a Debian package is installed, or when the program that it is wanted for came another way.
have_package() {
	local state program
	state=$(dpkg-query --show --showformat='${Status}' "$1" 2>/dev/null || true)
	if [[ $state == 'install ok installed' ]]; then
		return 0
	fi
	case $1 in
	ninja-build) program=ninja ;;
	gcc | g++ | cmake | pkg-config | chromium | clang | clang-format | shellcheck) program=$1 ;;
	*) return 1 ;;
	esac
	command -v "$program" >/dev/null
}

# Installs those of the named packages that are missing. With none missing nothing is touched and no
# network is needed. Ends the script when that cannot be done, with the command that would do it.
need_packages() {
	local package missing=() as_root=()
	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		complain "This is not Debian or Ubuntu: if the build stops, install what stands for: $*"
		return 0
	fi
	for package in "$@"; do
		have_package "$package" || missing+=("$package")
	done
	if ((${#missing[@]} == 0)); then
		return 0
	fi
	if ((EUID != 0)); then
		if ! sudo -n true 2>/dev/null; then
			complain "Missing packages: ${missing[*]}"
			complain 'They cannot be installed from here (not root, and sudo asks for a password). Run:'
			die "  sudo apt-get update && sudo apt-get install -y ${missing[*]}"
		fi
		as_root=(sudo -n)
	fi
	say "Installing missing packages: ${missing[*]}"
	local log
	log=$(mktemp)
	# A fresh machine may still be busy with its own updates, which hold the lock.
	if ! { "${as_root[@]}" apt-get update &&
		"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
			install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		complain "apt-get could not install: ${missing[*]}"
		die "  ${as_root[*]:+sudo }apt-get update && ${as_root[*]:+sudo }apt-get install -y ${missing[*]}"
	fi
	rm -f "$log"
}

processors() {
	nproc 2>/dev/null || echo 2
}

# Configures and builds a preset, the named targets or all: build PRESET [TARGET...]. Quiet but for
# what goes wrong; everything said is in build/PRESET.log.
build() {
	local preset=$1 log=$root/build/$1.log
	shift
	local command=(cmake --build --preset "$preset" --parallel "$(processors)")
	if (($# > 0)); then
		command+=(--target "$@")
	fi
	mkdir -p "$root/build"
	if ! (cd "$root" && cmake --preset "$preset" && "${command[@]}") >"$log" 2>&1; then
		# Of a failed build what its failed steps said, without the commands; else the last lines.
		if grep -q '^FAILED: ' "$log"; then
			awk '/^\[[0-9]+\/[0-9]+\]|^ninja: / { shown = 0 } /^FAILED: / { shown = 1; getline; next } shown' \
				"$log" | head -n 100 >&2
		else
			tail -n 30 "$log" >&2
		fi
		complain "Building $preset failed; the whole log is $log"
		return 1
	fi
}
