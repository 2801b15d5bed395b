#!/usr/bin/env bash
# Checks what infra/ says to containers, on a machine that has no engine to run them: prints the canonical model of
# docker-compose.yml as JSON, made by Compose's own library (a misspelt key fails), and lets NATS and haproxy check their own
# files. Installs the two Go tools into a cache outside the checkout. Exits 69 where there is no Go, and says why.
set -euo pipefail
infra="$(cd "$(dirname "$0")/.." && pwd)"

command -v go >/dev/null 2>&1 || { echo "no Go on this machine (Debian: golang)" >&2; exit 69; }
cache="${JANGTEO_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/jangteo/tools}/go"
compose="github.com/compose-spec/compose-go/v2/cmd@v2.16.0"
if [ ! -x "$cache/compose-model" ]; then
    echo "installing $compose (once, some seconds)" >&2
    scratch="$(mktemp -d)"
    GOBIN="$scratch" go install "$compose" >&2 || { rm -rf "$scratch"; echo "Go cannot install $compose" >&2; exit 69; }
    mkdir -p "$cache" && mv "$scratch/cmd" "$cache/compose-model" && rm -rf "$scratch"
fi

# NATS looks for its secret beside its folder, as in the container.
root="$(mktemp -d)"
trap 'rm -rf "$root"' EXIT
nats="$(find "$cache/.." -maxdepth 1 -name 'nats-server-*' -type f -perm -u+x | head -1)"
if [ -n "$nats" ]; then
    mkdir -p "$root/etc/nats" "$root/run/secrets" "$root/data"
    echo 'authorization { token: "checked" }' >"$root/run/secrets/nats_authorization"
    sed "s#store_dir: /data#store_dir: $root/data#" "$infra/nats/nats.conf" >"$root/etc/nats/nats.conf"
    "$nats" -t -c "$root/etc/nats/nats.conf" >&2
else
    echo "nats.conf is unchecked: infra/local/nats.sh has not built NATS yet" >&2
fi
if command -v haproxy >/dev/null 2>&1; then
    # Without the network of the containers their names lead nowhere: said, and no mistake.
    haproxy -q -c -f "$infra/haproxy/haproxy.cfg" >&2
else
    echo "haproxy.cfg is unchecked: no haproxy on this machine" >&2
fi
cd "$infra" && "$cache/compose-model" -format json docker-compose.yml
