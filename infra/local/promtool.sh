#!/usr/bin/env bash
# Checks infra/prometheus/ with Prometheus's own tool: the settings, the shape of the rules, and that each alert fires when it
# should and otherwise not. Takes promtool from PATH, or out of Debian's package into a cache outside the checkout (nothing is
# installed). Exits 69 where it cannot be had, and says why.
set -euo pipefail
rules="$(cd "$(dirname "$0")/../prometheus" && pwd)"

promtool="$(command -v promtool || true)"
if [ -z "$promtool" ]; then
    cache="${JANGTEO_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/jangteo/tools}"
    promtool="$cache/promtool"
    if [ ! -x "$promtool" ]; then
        command -v apt-get >/dev/null 2>&1 || { echo "no promtool on this machine (Debian: prometheus)" >&2; exit 69; }
        echo "fetching promtool (once, some seconds)" >&2
        scratch="$(mktemp -d)"
        trap 'rm -rf "$scratch"' EXIT
        (cd "$scratch" && apt-get download prometheus >&2 && dpkg-deb -x prometheus_*.deb .) ||
            { echo "Debian's package prometheus cannot be fetched" >&2; exit 69; }
        mkdir -p "$cache"
        # In one step: another test may be at it too.
        mv "$scratch/usr/bin/promtool" "$promtool"
    fi
fi

cd "$rules"
"$promtool" check config prometheus.yml
"$promtool" test rules alerts_test.yml
