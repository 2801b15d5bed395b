#!/usr/bin/env bash
# Installs the developer's tools that are missing, from crates.io, into a cache outside the checkout, and prints that
# folder: the caller puts it on its PATH. Takes some minutes the first time, nothing afterwards.
#   usage: tools.sh cargo-nextest [cargo-deny …]
set -euo pipefail

cache="${JANGTEO_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/jangteo/tools}"
mkdir -p "$cache"

version_of() {
    case "$1" in
        cargo-nextest) echo 0.9.151 ;;
        cargo-deny) echo 0.20.2 ;;
        *) echo "tools.sh: $1 is not a tool of ours" >&2; return 2 ;;
    esac
}

for tool in "$@"; do
    version="$(version_of "$tool")"
    if command -v "$tool" >/dev/null 2>&1 || [ -x "$cache/bin/$tool" ]; then
        continue
    fi
    echo "installing $tool $version (once, some minutes)" >&2
    # Built for a short wait, not for speed: these tools mostly wait for others.
    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_DEBUG=false \
        CARGO_TARGET_DIR="$cache/target" \
        cargo install --quiet --locked --root "$cache" --version "$version" "$tool" >&2
    rm -rf "$cache/target"
done
echo "$cache/bin"
