# Bash completion for rtpwatch(1): its options, their values, and capture files. -*- shell-script -*-

# Options as the program itself lists them, so that this file does not fall behind.
_rtpwatch_options()
{
    "$1" --help 2>/dev/null | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' | grep -oE -- '--?[a-zA-Z][a-z-]*'
}

# Captures and folders; rotated files as well: dialer.pcap0, dialer.pcap-20260831.
_rtpwatch_files()
{
    local file

    compopt -o filenames 2>/dev/null
    while IFS= read -r file; do
        [[ -d $file || $file =~ \.(pcap|pcapng|cap|rtpw)([0-9_-][^/]*|\.[0-9]+)?$ ]] && COMPREPLY+=("$file")
    done < <(compgen -f -- "$1")
}

_rtpwatch()
{
    local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}

    # "--format=js" comes as three words, since "=" breaks words.
    if [[ $word == '=' ]]; then
        word=
    elif [[ $option == '=' && $COMP_CWORD -ge 2 ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    fi

    COMPREPLY=()
    case $option in
    --format) mapfile -t COMPREPLY < <(compgen -W 'text json ndjson' -- "$word") ;;
    --color) mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$word") ;;
    --label) mapfile -t COMPREPLY < <(compgen -W 'X-Campaign X-Account Subject P-Asserted-Identity' -- "$word") ;; # any header will do
    --interface | -i) mapfile -t COMPREPLY < <(compgen -W "any $(ls /sys/class/net 2>/dev/null)" -- "$word") ;;
    --user) mapfile -t COMPREPLY < <(compgen -u -- "$word") ;;
    --syslog) mapfile -t COMPREPLY < <(compgen -W 'local udp:// tcp:// tls://' -- "$word") ;;
    --output | -o | --reduce | --write | -w | --snapshot | --config | --rules | --state | --syslog-ca | --syslog-cert | --syslog-key | --tls-keylog)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        ;;
    --local | --public-ip | --filter | --link-header | --grace | --since | --until | --buffer | -B | --nice | --syslog-sd-id | --explain-rule | --session | --write-size | --write-files) ;;
    --vantage) ;; # of a place the name; behind its "=" come files
    *)
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$(_rtpwatch_options "${COMP_WORDS[0]/#\~/$HOME}")" -- "$word")
            return
        fi
        _rtpwatch_files "$word"
        ;;
    esac
}

complete -F _rtpwatch rtpwatch
