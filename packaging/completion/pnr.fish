# SPDX-License-Identifier: MIT
# Completion of pnr for fish.

function __pnr_labels
    pnr -q --timeout 2s key list 2>/dev/null | string split -f 1 ' '
end

function __pnr_publications
    pnr -q --timeout 2s publications 2>/dev/null | string split -f 1 ' '
end

set -l commands resolve watch publish unpublish publications key status clouds peers ping doctor testnet help
set -l keys new list show import export

complete -c pnr -f
complete -c pnr -l control -r -F -d "the daemon's socket"
complete -c pnr -l node -x -d 'node of a testnet'
complete -c pnr -l timeout -x -d 'give up after so long'
complete -c pnr -l json -d 'one JSON object a line'
complete -c pnr -l color -x -a 'auto always never'
complete -c pnr -s q -l quiet -d 'say less'
complete -c pnr -s v -l verbose -d 'say more'
complete -c pnr -s h -l help
complete -c pnr -s V -l version

set -l none "not __fish_seen_subcommand_from $commands"
complete -c pnr -n $none -a resolve -d 'find out what a name stands for'
complete -c pnr -n $none -a watch -d 'show what a name stands for, and each change of it'
complete -c pnr -n $none -a publish -d 'publish a name'
complete -c pnr -n $none -a unpublish -d 'withdraw a name'
complete -c pnr -n $none -a publications -d 'list what is published here'
complete -c pnr -n $none -a key -d 'make, list, show, import and export keys'
complete -c pnr -n $none -a status -d 'how the daemon stands'
complete -c pnr -n $none -a clouds -d 'list the networks taken part in'
complete -c pnr -n $none -a peers -d 'list the DHT nodes known'
complete -c pnr -n $none -a doctor -d 'check what can go wrong'
complete -c pnr -n $none -a ping -d 'ask one DHT node whether it is there'
complete -c pnr -n $none -a testnet -d 'run a whole DHT on this machine'
complete -c pnr -n $none -a help

complete -c pnr -n "__fish_seen_subcommand_from key; and not __fish_seen_subcommand_from $keys" -a "$keys"
complete -c pnr -n '__fish_seen_subcommand_from key; and __fish_seen_subcommand_from show export' -a '(__pnr_labels)'
complete -c pnr -n '__fish_seen_subcommand_from import export' -F
complete -c pnr -n '__fish_seen_subcommand_from resolve watch publish' -a '(__pnr_labels)'
complete -c pnr -n '__fish_seen_subcommand_from unpublish' -a '(__pnr_publications)'
complete -c pnr -n '__fish_seen_subcommand_from watch' -l count -x
complete -c pnr -n '__fish_seen_subcommand_from resolve' -l wait -x -a 'cache first settled all'
complete -c pnr -n '__fish_seen_subcommand_from resolve watch' -l criteria -x -a 'any remote nearest nearest-remote'
complete -c pnr -n '__fish_seen_subcommand_from resolve' -l hint -x
complete -c pnr -n '__fish_seen_subcommand_from resolve' -l max -x
complete -c pnr -n '__fish_seen_subcommand_from resolve' -l trace -d 'tell the lookup hop by hop'
complete -c pnr -n '__fish_seen_subcommand_from publish' -l endpoint -x -d 'tcp:192.0.2.7:443'
complete -c pnr -n '__fish_seen_subcommand_from publish' -l comment -x
complete -c pnr -n '__fish_seen_subcommand_from publish' -l payload -r -F
complete -c pnr -n '__fish_seen_subcommand_from publish' -l payload-type -x -a 'binary string'
complete -c pnr -n '__fish_seen_subcommand_from publish' -l ttl -x
complete -c pnr -n '__fish_seen_subcommand_from testnet' -l listen -x
complete -c pnr -n '__fish_seen_subcommand_from testnet' -l port -x
complete -c pnr -n '__fish_seen_subcommand_from resolve publish unpublish peers' -l cloud -x
complete -c pnr -n '__fish_seen_subcommand_from clouds' -l watch
