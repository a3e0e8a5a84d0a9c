# SPDX-License-Identifier: MIT
# Completion of simnet for fish.

set -l commands run trace show replay help
set -l none "not __fish_seen_subcommand_from $commands"
set -l scenario '__fish_seen_subcommand_from run trace show'

complete -c simnet -f
complete -c simnet -n $none -a run -d 'run a scenario and report on it'
complete -c simnet -n $none -a trace -d 'tell the story of one lookup'
complete -c simnet -n $none -a show -d 'print a scenario with every key'
complete -c simnet -n $none -a replay -d 'run again what a pnrd has recorded'
complete -c simnet -n $none -a help
complete -c simnet -n "$scenario" -k -a '(__fish_complete_suffix .ini)'
complete -c simnet -n '__fish_seen_subcommand_from replay' -F
complete -c simnet -n "$scenario" -l nodes -x -d 'so many nodes'
complete -c simnet -n "$scenario" -l seed -x -d 'another seed'
complete -c simnet -n "$scenario" -l set -x -d 'SECTION.KEY=VALUE'
complete -c simnet -n "$scenario" -l pcap -r -F -d 'write what a machine saw'
complete -c simnet -n "$scenario" -l machine -x -d 'the machine'
complete -c simnet -n "$scenario" -s q -l quiet -d 'no progress, and no page'
complete -c simnet -n '__fish_seen_subcommand_from run replay' -l json -d 'the report as JSON'
complete -c simnet -n '__fish_seen_subcommand_from run' -l report -r -F -d 'a folder with plots'
complete -c simnet -n '__fish_seen_subcommand_from trace' -l lookup -x -d 'which one'
complete -c simnet -s h -l help
complete -c simnet -s V -l version
