#!/usr/bin/env bash
# Starts a PostgreSQL of its own in a given folder, on a free loopback port, with fsync on, and prints its connection
# string. Stops on SIGTERM or SIGINT; the folder goes with it. SIGUSR1 stops the server as a crash would and keeps what it
# has on disk, SIGUSR2 starts it again on the same port. Exits 69 where PostgreSQL is not installed.
#   usage: postgres.sh DIR
set -euo pipefail

[ $# -eq 1 ] || { echo "usage: postgres.sh DIR" >&2; exit 2; }
binaries="$(find /usr/lib/postgresql -maxdepth 2 -name bin -type d 2>/dev/null | sort -V | tail -1)"
if [ -z "$binaries" ]; then
    command -v pg_ctl >/dev/null 2>&1 || { echo "no PostgreSQL on this machine (Debian: apt-get install postgresql)" >&2; exit 69; }
    binaries="$(dirname "$(command -v pg_ctl)")"
fi

mkdir -p "$1"
folder="$(cd "$1" && pwd)"
# PostgreSQL refuses to run as root.
as_owner=()
if [ "$(id -u)" -eq 0 ]; then
    as_owner=(runuser -u postgres --)
    chown postgres "$folder"
    # It must be able to walk down to its folder.
    "${as_owner[@]}" test -x "$folder" || { echo "the user postgres cannot enter $folder" >&2; exit 69; }
fi
cd "$folder"

start() {
    "${as_owner[@]}" "$binaries/pg_ctl" -D "$folder/data" -l "$folder/data/log" -w \
        -o "-c listen_addresses=127.0.0.1 -c fsync=on -c unix_socket_directories= -p $1" start >&2
}
halt() {
    "${as_owner[@]}" "$binaries/pg_ctl" -D "$folder/data" -m "$1" -w stop >/dev/null 2>&1 || true
}
stop() {
    halt fast
    rm -rf "${folder:?}/data"
}
trap stop EXIT
trap 'exit 0' TERM INT

"${as_owner[@]}" "$binaries/initdb" --no-instructions --auth=trust --username=postgres -D "$folder/data" >&2
# A port that was free a moment ago may be taken: then the next is tried.
for _ in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 12000))
    if start "$port"; then
        trap 'halt immediate' USR1
        trap 'start "$port" || true' USR2
        echo "host=127.0.0.1 port=$port user=postgres dbname=postgres"
        while :; do
            sleep 3600 &
            wait $! || true
        done
    fi
done
echo "PostgreSQL did not start" >&2
exit 1
