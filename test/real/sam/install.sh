#!/usr/bin/env bash
# Installs the SAM CLI and cfn-lint, or with the argument `checkov` or `iamprover` that program, into a Python environment
# of its own (they do not agree on their dependencies), and prints its directory on stdout.
# Needs python3 (3.10 or later) with venv, and a Python package index for the first run. Takes about 40 s once for each
# change of the requirements or of Python (checkov: a minute; iamprover: 10 s), and nothing afterwards.
# To raise a version: install aws-sam-cli and wheel, checkov and wheel, or iamprover into an empty environment, and write
# what `pip freeze --all` says, without pip itself, to requirements.txt or requirements-NAME.txt.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
case "${1:-sam}" in
  sam) name=sam requirements="$here/requirements.txt" ;;
  checkov | iamprover) name=$1 requirements="$here/requirements-$1.txt" ;;
  *)
    echo "usage: install.sh [checkov | iamprover]" >&2
    exit 2
    ;;
esac

if ! command -v python3 >/dev/null; then
  echo "The linters of the template need python3; on Debian: apt-get install python3 python3-venv" >&2
  exit 1
fi
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
  echo "The linters of the template need Python 3.10 or later; python3 is $(python3 --version)" >&2
  exit 1
fi
# Debian keeps ensurepip, without which an environment has no pip, in python3-venv.
if ! python3 -c 'import ensurepip' 2>/dev/null; then
  echo "The linters of the template need Python's venv; on Debian: apt-get install python3-venv" >&2
  exit 1
fi

# Wheels differ between Python versions, so both go into the name.
hash=$(python3 -c 'import hashlib, sys
print(hashlib.sha256(sys.version.encode() + open(sys.argv[1], "rb").read()).hexdigest()[:16])' "$requirements")
cache="${XDG_CACHE_HOME:-$HOME/.cache}/eks-secret-relay"
venv="$cache/venv-$name-$hash"
complete="$venv/.complete" # written last, so that an interrupted installation is begun anew

if [ ! -e "$complete" ]; then
  mkdir -p "$cache"
  # Scripts in an environment hold its path, so it can't be made elsewhere and moved; of two at once, one waits.
  exec 9>"$venv.lock"
  if command -v flock >/dev/null; then flock 9; fi
  if [ ! -e "$complete" ]; then
    python3 -m venv --clear "$venv" >&2
    # --no-deps: what is not in requirements.txt is not installed; then the check says whether anything is missing.
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$requirements" >&2
    "$venv/bin/pip" --disable-pip-version-check check >&2
    touch "$complete"
  fi
fi
echo "$venv"
