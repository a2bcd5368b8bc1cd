#!/usr/bin/env bash
# Find the programs that tests start for themselves, or install them: PostgreSQL and Chromium.
set -euo pipefail

install() { # PACKAGE
  [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
  echo "installing $1 for the tests" >&2
  apt-get update -qq >&2 &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >&2
}

if ! command -v initdb >/dev/null 2>&1 && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
  install postgresql ||
    echo "PostgreSQL was not found: the storage tests will run on SQLite alone and say so." >&2
fi
if ! command -v chromium >/dev/null 2>&1 && ! command -v google-chrome >/dev/null 2>&1; then
  install chromium ||
    echo "Chromium was not found: tests that need a browser will be skipped and say so." >&2
fi
