#!/usr/bin/env bash
# Runs the two commands of the README on a machine that has nothing but Debian 12: once
# `make -f Makefile.hpc demo`, once `make -f Makefile.hpc test`, each on a clone of its own in a
# root file system of its own. On request only: it needs root, debootstrap, a package mirror and
# about 3 GB, and takes as long as both commands.
#   tests/fresh_machine/run.sh [demo] [test]       default: both
#   MIRROR=URL   where Debian packages are; default: what this machine's apt uses
#   KEEP=yes     leave the directory with the root file systems behind
# What is tested is the last commit, not the working tree. Exit 0: all passed; 1: something failed;
# 77: cannot run here.
set -euo pipefail

suite=bookworm
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
goals=("$@")
[ "${#goals[@]}" -gt 0 ] || goals=(demo test)

skip() { echo "SKIP: $*" >&2; exit 77; }
say() { printf '[fresh machine %4d s] %s\n' "$SECONDS" "$*"; }

[ "$(id -u)" = 0 ] || skip "needs root"
for tool in debootstrap git unshare chroot; do
  command -v "$tool" >/dev/null || skip "$tool is missing"
done
mirror=${MIRROR:-}
if [ -z "$mirror" ] && command -v apt-get >/dev/null; then
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
             "Codename: $suite" 'Component: main' | sort -u | head -n 1)
fi
[ -n "$mirror" ] || skip "apt knows no mirror with $suite; give one as MIRROR=URL"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/orchard-fresh.XXXXXX")
clean_up() {
  if [ "${KEEP:-no}" = yes ]; then say "left behind: $scratch"; else rm -rf "$scratch"; fi
}
trap clean_up EXIT

# A minimal system plus make; everything else must come from the project's own commands.
make_base() {
  local base=$1 path
  debootstrap --variant=minbase --include=make,ca-certificates "$suite" "$base" "$mirror" \
    >"$scratch/debootstrap.log" 2>&1 || { tail -n 20 "$scratch/debootstrap.log" >&2; return 1; }
  # The machine's own way to its packages: sources, keys and settings such as a proxy.
  rm -rf "$base/etc/apt/sources.list"
  for path in sources.list sources.list.d trusted.gpg trusted.gpg.d keyrings preferences.d; do
    [ ! -e "/etc/apt/$path" ] || cp -a "/etc/apt/$path" "$base/etc/apt/"
  done
  apt-config dump Acquire >"$base/etc/apt/apt.conf.d/99machine"
  for path in /etc/resolv.conf /etc/hosts; do
    [ ! -e "$path" ] || cp -L "$path" "$base$path"
  done
}

# Runs a command in a root file system; the mounts and every process end with the command.
inside() {
  local root=$1 variable keep=()
  shift
  for variable in http_proxy https_proxy no_proxy; do
    [ -z "${!variable:-}" ] || keep+=("$variable=${!variable}")
  done
  unshare --mount --pid --fork --kill-child bash -c '
    set -e
    root=$1; shift
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sys "$root/sys"
    mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
    exec chroot "$root" "$@"' inside "$root" \
    /usr/bin/env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin "${keep[@]}" \
    "$@" </dev/null
}

say "making a Debian $suite root"
make_base "$scratch/base" || { say "FAIL: debootstrap"; exit 1; }

failed=0
for goal in "${goals[@]}"; do
  root=$scratch/$goal
  cp -a "$scratch/base" "$root"
  git -c safe.directory='*' clone -q --no-hardlinks "$repository" "$root/orchard"
  started=$SECONDS
  say "make -f Makefile.hpc $goal"
  if inside "$root" sh -c 'cd /orchard && make -f Makefile.hpc "$1"' sh "$goal"; then
    say "PASS: $goal in $((SECONDS - started)) s"
  else
    say "FAIL: $goal after $((SECONDS - started)) s"
    failed=1
  fi
  [ "${KEEP:-no}" = yes ] || rm -rf "$root"
done
exit "$failed"
