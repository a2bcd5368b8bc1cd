#!/usr/bin/env bash
# Find the PostgreSQL server programs that the storage tests start for themselves, or install them.
set -euo pipefail

found() {
  command -v initdb >/dev/null 2>&1 || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

if found; then exit 0; fi
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing PostgreSQL for the storage tests" >&2
  apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends postgresql >&2 && exit 0
fi
echo "PostgreSQL was not found: the storage tests will run on SQLite alone and say so." >&2
