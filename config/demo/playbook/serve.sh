#!/bin/sh
# Serves a directory on a port of this machine for as long as a process lives.
# Arguments: the directory, the port, the process.
set -eu
directory=$1 port=$2 process=$3

if ! command -v python3 >/dev/null; then
    echo "python3 is not installed, so nothing serves the site and the service will show as down"
    exit 0
fi
python3 -m http.server --bind 127.0.0.1 --directory "$directory" "$port" >/dev/null 2>&1 </dev/null &
server=$!
(
    while kill -0 "$process" 2>/dev/null && kill -0 "$server" 2>/dev/null; do sleep 1; done
    kill "$server" 2>/dev/null
) >/dev/null 2>&1 </dev/null &
echo "serving on port $port"
