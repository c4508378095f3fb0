#!/bin/sh
# Says whether an instance of a baked image is as it should be: the image, the units, the scopes,
# the step, the sinks and the socket. One line each; what is wrong says why.
#
#   verify.sh [--wait]
#
# --wait waits for the boot's configuration step first. Exit codes are those of `gild status`:
# 0 ready, 1 failed, 2 in progress, 3 degraded, 4 usage, 5 no daemon. Where the daemon says ready
# and something is wrong all the same, it is 1.
set -u

wait=
for word; do
    case $word in
    --wait) wait=--wait ;;
    *)
        echo 'usage: verify.sh [--wait]' >&2
        exit 4
        ;;
    esac
done

bad=
good() { printf 'ok     %s\n' "$*"; }
note() { printf 'note   %s\n' "$*"; }
wrong() {
    printf 'WRONG  %s\n' "$*"
    bad=yes
}

if ! command -v gild >/dev/null; then
    wrong 'gild: it is not installed'
    exit 5
fi

# Each value of a JSON text on a line of its own, behind the way to it: sinks/log/sent=12. Nothing
# that reads JSON is on every host.
flat() {
    awk '
        function out(value,    at, way) {
            for (at = 1; at <= depth; at++) way = way (at > 1 ? "/" : "") key[at]
            print way "=" value
            if (depth && list[depth]) key[depth]++
        }
        { text = text $0 " " }
        END {
            while (match(text, /^[ \t\r]*("([^"\\]|\\.)*"|[][{},:]|[^][{},:" \t\r]+)/)) {
                token = substr(text, 1, RLENGTH)
                text = substr(text, RLENGTH + 1)
                sub(/^[ \t\r]+/, "", token)
                if (token == "{" || token == "[") {
                    depth++
                    list[depth] = token == "["
                    key[depth] = 0
                    name = token == "{"
                } else if (token == "}" || token == "]") {
                    depth--
                    if (depth && list[depth]) key[depth]++
                    name = 0
                } else if (token == ":") name = 0
                else if (token == ",") name = depth && !list[depth]
                else {
                    if (token ~ /^"/) token = substr(token, 2, length(token) - 2)
                    if (name) key[depth] = token
                    else out(token)
                }
            }
        }'
}

# shellcheck disable=SC2086 # It is one word or none.
answer=$(gild status $wait --json 2>&1)
code=$?
status=$(printf '%s\n' "$answer" | flat)
# The value at a way; empty where there is none.
at() { printf '%s\n' "$status" | awk -v way="$1=" 'index($0, way) == 1 { print substr($0, length(way) + 1); exit }'; }
# What stands right below a way.
below() {
    printf '%s\n' "$status" | awk -v way="$1/" 'index($0, way) == 1 {
        rest = substr($0, length(way) + 1); sub(/[\/=].*/, "", rest)
        if (!seen[rest]++) print rest
    }'
}

image=/usr/lib/gild/image.toml
name=$(sed -n 's/^name *= *"\(.*\)"$/\1/p' "$image" 2>/dev/null)
version=$(sed -n 's/^version *= *"\(.*\)"$/\1/p' "$image" 2>/dev/null)
if [ -n "$name" ] && [ -n "$version" ]; then
    good "image: $name $version"
elif [ -e "$image" ]; then
    wrong "image: $image names no image and no version"
else
    wrong "image: there is no $image; 'gild bake' writes it"
fi

preset=/usr/lib/systemd/system-preset/90-gild.preset
units=$(sed -n 's/^enable //p' "$preset" 2>/dev/null)
[ -n "$units" ] || wrong "units: $preset names none"
for unit in $units; do
    enabled=$(systemctl is-enabled "$unit" 2>/dev/null)
    active=$(systemctl is-active "$unit" 2>/dev/null)
    case $unit/$enabled/$active in
    */enabled/active) good "unit: $unit" ;;
    gild.service/* | gild.socket/* | gild-configured.target/*) wrong "unit: $unit is ${enabled:-unknown} and $active" ;;
    # Whoever made the image may not want it.
    */disabled/inactive) note "unit: $unit is disabled" ;;
    *) wrong "unit: $unit is ${enabled:-unknown} and $active" ;;
    esac
done
for unit in $(systemctl list-units --no-legend --plain --state=failed 'gild*' 2>/dev/null | awk '{ print $1 }'); do
    wrong "unit: $unit has failed; journalctl -u $unit says why"
done

socket=/run/gild/status.sock
if [ ! -S "$socket" ]; then
    wrong "socket: $socket is no socket"
elif [ "$(stat -c %U:%G:%a "$socket")" != root:gild:660 ]; then
    wrong "socket: $socket belongs to $(stat -c '%U:%G, %a' "$socket"), not to root:gild, 660"
else
    gild --socket "$socket" status >/dev/null 2>&1
    if [ $? = 5 ]; then wrong "socket: nobody answers at $socket"; else good "socket: $socket"; fi
fi

if [ "$code" = 5 ] || [ -z "$(at state)" ]; then
    wrong "daemon: $answer"
    exit 5
fi

for index in $(below sources); do
    source="$(at "sources/$index/layer") $(at "sources/$index/source")"
    state=$(at "sources/$index/state")
    case $state in
    fetched | unchanged | kept) good "scope: $source" ;;
    absent) note "scope: $source has no document" ;;
    *) wrong "scope: $source: $state: $(at "sources/$index/error")" ;;
    esac
done
[ -n "$(below sources)" ] || note 'scope: no source of configuration'

outcome=$(at configuration/outcome)
case $outcome in
ready) good 'step: ready' ;;
running | null) note 'step: it is not over yet' ;;
*) wrong "step: $outcome: task $(at configuration/failed_task): $(at configuration/message)" ;;
esac
for index in $(below problems); do
    wrong "configuration: $(at "problems/$index")"
done

for sink in $(below sinks); do
    error=$(at "sinks/$sink/last_error")
    sent=$(at "sinks/$sink/sent")
    if [ "$error" != null ]; then
        wrong "sink: $sink: $error"
    elif [ "$sent" = 0 ]; then
        note "sink: $sink has sent nothing yet"
    else
        good "sink: $sink"
    fi
done
[ -n "$(below sinks)" ] || note 'sink: none is configured'

state=$(at state)
if [ "$code" = 0 ] && [ -n "$bad" ]; then
    echo 'the daemon says ready, and something is wrong'
    exit 1
fi
echo "$state"
exit "$code"
