# SPDX-License-Identifier: MIT
# Completion of simnet for bash.

_simnet()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local command= count=0 i
    local options='--nodes --seed --set --pcap --machine --quiet --help --version'
    COMPREPLY=()

    case $prev in
    --report) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
    --pcap) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    --nodes | --seed | --set | --machine | --lookup) return ;;
    esac

    # The words before this one that are neither options nor their values.
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --nodes | --seed | --set | --report | --pcap | --machine | --lookup) ((i++)) ;;
        -*) ;;
        *)
            ((count++))
            [[ $count -eq 1 ]] && command=${COMP_WORDS[i]}
            ;;
        esac
    done

    if [[ $cur == -* ]]; then
        case $command in
        run) options+=' --json --report' ;;
        trace) options+=' --lookup' ;;
        replay) options='--json' ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
        return
    fi

    case $count:$command in
    0:*) mapfile -t COMPREPLY < <(compgen -W 'run trace show replay help' -- "$cur") ;;
    1:run | 1:trace | 1:show)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -X '!*.ini' -- "$cur"; compgen -d -- "$cur")
        ;;
    1:replay) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    esac
}

complete -F _simnet simnet
