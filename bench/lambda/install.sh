#!/usr/bin/env bash
# Installs Lambda's runtime client for Node (aws-lambda-ric) into a cache, and prints its directory.
# It compiles an add-on, so it needs cmake, g++, make, autoconf, automake, libtool, python3 and a package registry. Takes
# about a minute, once per version of package-lock.json and of Node.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
PATH="$here/../../node_modules/.bin:$PATH" # compile the add-on for the benches' Node

missing=()
for tool in cmake g++ make autoconf automake libtoolize python3; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
if ((${#missing[@]} > 0)); then
  echo "The runtime client needs ${missing[*]}; on Debian: apt-get install cmake g++ make autoconf automake libtool python3" >&2
  exit 1
fi

hash=$({ node --version && cat "$here/package-lock.json"; } | sha256sum | cut -c1-16)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/eks-secret-relay"
folder="$cache/lambda-runtime-$hash"
complete="$folder/.complete" # written last, so that an interrupted installation starts over

if [ ! -e "$complete" ]; then
  mkdir -p "$folder"
  cp "$here/package.json" "$here/package-lock.json" "$folder/"
  npm ci --no-audit --no-fund --prefix "$folder" >&2
  touch "$complete"
fi
echo "$folder"
