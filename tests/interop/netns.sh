#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs a command in a network namespace of its own, where each ADDRESS is a host of one machine:
#   netns.sh ADDRESS... -- COMMAND...
# Nothing of the machine's own network is seen there, and all of it is gone when the command ends.
# Exits with the command's code, or with 125 where no namespace can be had.
set -euo pipefail

addresses=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    addresses+=("$1")
    shift
done
if [ ${#addresses[@]} -eq 0 ] || [ $# -lt 2 ]; then
    echo "usage: netns.sh ADDRESS... -- COMMAND..." >&2
    exit 2
fi
shift

inside='
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
while [ "$1" != -- ]; do
    ip address add "$1/32" dev lo
    shift
done
shift
ip link set lo up
exec "$@"'

for way in "unshare --net" "unshare --user --map-root-user --net"; do
    if $way true 2>/dev/null; then
        exec $way bash -c "$inside" netns "${addresses[@]}" -- "$@"
    fi
done

# unshare may be forbidden where `ip netns` is not.
PATH=$PATH:/usr/sbin:/sbin
name=pnr-interop-$$
if ! ip netns add "$name" 2>/dev/null; then
    echo "netns.sh: this system lets us have no network namespace" >&2
    exit 125
fi
trap 'ip netns delete "$name"' EXIT
ip netns exec "$name" bash -c "$inside" netns "${addresses[@]}" -- "$@"
