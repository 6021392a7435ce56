#!/usr/bin/env bash
# Installs LocalStack 4.14, the last version that runs without an account, into a Python environment of its own, and
# prints its directory on stdout.
# Needs Python 3.13 with venv, on PATH or in pyenv, and a Python package index for the first run. Takes about a minute
# and 500 MB once for each change of requirements.txt, and nothing afterwards.
set -euo pipefail

requirements="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/requirements.txt"
hash=$(sha256sum "$requirements" | cut -c1-16)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/eks-secret-relay"
venv="$cache/venv-localstack-$hash"
complete="$venv/.complete" # written last, so that an interrupted installation is begun anew

# A command of this name in pyenv only works in a version that pyenv has selected, so each one is tried.
find_python() {
  local candidate
  for candidate in python3.13 python3 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
}

if [ ! -e "$complete" ]; then
  python=$(find_python)
  if [ -z "$python" ]; then
    echo "The tests on an AWS emulator need LocalStack, and it needs Python 3.13 with venv. None was found on PATH or in pyenv." >&2
    echo "Install it, for example with: pyenv install 3.13" >&2
    exit 1
  fi
  mkdir -p "$cache"
  # Scripts in an environment hold its path, so it can't be made elsewhere and moved; of two at once, one waits.
  exec 9>"$venv.lock"
  if command -v flock >/dev/null; then flock 9; fi
  if [ ! -e "$complete" ]; then
    "$python" -m venv --clear "$venv" >&2
    # --no-deps: what is not in requirements.txt is not installed; then the check says whether anything is missing.
    if ! "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$requirements" >&2; then
      echo "LocalStack could not be installed: the Python package index lacks a package, or does not answer." >&2
      exit 1
    fi
    "$venv/bin/pip" --disable-pip-version-check check >&2
    touch "$complete"
  fi
fi
echo "$venv"
