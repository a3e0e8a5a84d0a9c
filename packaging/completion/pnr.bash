# SPDX-License-Identifier: MIT
# Completion of pnr for bash. Labels and published names are asked of the daemon, briefly; where
# there is none, nothing is offered.

_pnr_ask()
{
    local words=() i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --control | --node) words+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}") ;;
        esac
    done
    pnr "${words[@]}" -q --timeout 2s "$@" 2>/dev/null | cut -d ' ' -f 1
}

_pnr()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local command= sub= count=0 i
    local global='--control --node --timeout --json --color --quiet --verbose --help --version'
    COMPREPLY=()

    case $prev in
    --control | --payload) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    --color) mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur"); return ;;
    --criteria) mapfile -t COMPREPLY < <(compgen -W 'any remote nearest nearest-remote' -- "$cur"); return ;;
    --wait) mapfile -t COMPREPLY < <(compgen -W 'cache first settled all' -- "$cur"); return ;;
    --payload-type) mapfile -t COMPREPLY < <(compgen -W 'binary string' -- "$cur"); return ;;
    --node | --timeout | --endpoint | --comment | --ttl | --listen | --port | --count | --hint | --max) return ;;
    esac

    # The words before this one that are neither options nor their values.
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --control | --node | --timeout | --color | --endpoint | --comment | --payload | \
            --payload-type | --ttl | --wait | --criteria | --hint | --max | --listen | --port | --cloud | --count) ((i++)) ;;
        -*) ;;
        *)
            ((count++))
            case $count in
            1) command=${COMP_WORDS[i]} ;;
            2) sub=${COMP_WORDS[i]} ;;
            esac
            ;;
        esac
    done

    if [[ $cur == -* ]]; then
        case $command in
        resolve) global+=' --wait --criteria --hint --max --trace --cloud' ;;
        unpublish | peers) global+=' --cloud' ;;
        clouds) global+=' --watch' ;;
        publish) global+=' --endpoint --comment --payload --payload-type --ttl --cloud' ;;
        watch) global+=' --criteria --count' ;;
        testnet) global+=' --listen --port' ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "$global" -- "$cur")
        return
    fi

    case $count:$command in
    0:*) mapfile -t COMPREPLY < <(compgen -W \
        'resolve watch publish unpublish publications key status clouds peers ping doctor testnet help' -- "$cur") ;;
    1:key) mapfile -t COMPREPLY < <(compgen -W 'new list show import export' -- "$cur") ;;
    1:help) mapfile -t COMPREPLY < <(compgen -W \
        'resolve watch publish unpublish publications key status clouds peers ping doctor testnet' -- "$cur") ;;
    1:unpublish) mapfile -t COMPREPLY < <(compgen -W "$(_pnr_ask publications)" -- "$cur") ;;
    1:publish | 1:resolve | 1:watch) mapfile -t COMPREPLY < <(compgen -W "$(_pnr_ask key list)" -- "$cur") ;;
    2:key)
        case $sub in
        show | export) mapfile -t COMPREPLY < <(compgen -W "$(_pnr_ask key list)" -- "$cur") ;;
        esac
        ;;
    3:key)
        case $sub in
        import | export) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
        esac
        ;;
    esac
}

complete -F _pnr pnr
