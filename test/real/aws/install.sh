#!/usr/bin/env bash
# Installs moto, the server that answers as AWS in the tests on real servers, into a Python environment of its own.
# Needs python3 (3.10 or later) with venv, and a Python package index for the first run. Takes about half a minute
# once for each change of requirements.txt, and nothing when the environment is there already.
# Prints the environment's directory.
set -euo pipefail

requirements="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/requirements.txt"
hash=$(sha256sum "$requirements" | cut -c1-16)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/eks-secret-relay"
venv="$cache/venv-$hash"

# The marker is written last, so an installation that was interrupted starts again.
if [ -e "$venv/.complete" ]; then
  echo "$venv"
  exit 0
fi

if ! command -v python3 >/dev/null; then
  echo "test/real/aws/install.sh needs python3; on Debian: apt-get install python3 python3-venv" >&2
  exit 1
fi
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
  echo "test/real/aws/install.sh needs Python 3.10 or later; python3 is $(python3 --version)" >&2
  exit 1
fi
# Debian keeps ensurepip, without which venv has no pip, in the package python3-venv.
if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
  echo "test/real/aws/install.sh needs Python's venv; on Debian: apt-get install python3-venv" >&2
  exit 1
fi

mkdir -p "$cache"
exec 9>"$cache/venv-$hash.lock"
if command -v flock >/dev/null; then flock 9; fi
if [ ! -e "$venv/.complete" ]; then
  rm -rf "$venv"
  python3 -m venv "$venv" >&2
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2
  touch "$venv/.complete"
fi
echo "$venv"
