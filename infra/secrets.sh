#!/usr/bin/env bash
# Makes the secrets that infra/docker-compose.yml hands to the servers, in infra/secrets/, where there are none yet.
set -euo pipefail
cd "$(dirname "$0")"
# The folder is the owner's; within it the containers' users must be able to read.
mkdir -p secrets && chmod 700 secrets
fresh() { head -c 24 /dev/urandom | base64 | tr -d '=+/\n'; }
[ -s secrets/postgres_password ] || fresh >secrets/postgres_password
if [ ! -s secrets/nats_token ] || [ ! -s secrets/nats_authorization ]; then
    token="$(fresh)"
    printf '%s' "$token" >secrets/nats_token
    printf 'authorization { token: "%s" }\n' "$token" >secrets/nats_authorization
fi
chmod 644 secrets/*
