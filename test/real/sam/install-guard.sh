#!/usr/bin/env bash
# Gets cfn-guard and the rules of AWS Control Tower, which AWS publishes together as one npm package, and prints their
# directory. Needs npm and a registry for the first run, a few seconds and 36 MB; nothing afterwards.
# The package itself is for the CDK, and would bring that along as a dependency; here only its files are unpacked.
# To raise a version: npm view @cdklabs/cdk-validator-cfnguard version dist.integrity
set -euo pipefail

version=0.0.62
sha512=4a0da4f34ebb07400827cd901522e11d3508ab13984ca001bd5ad31e2c9cea3d2b136347962d9d88862a7fec3e0e4b8328261880c20e81adcead830e1d4c3499

cache="${XDG_CACHE_HOME:-$HOME/.cache}/eks-secret-relay"
place="$cache/cfn-guard-$version"
if [ ! -e "$place/.complete" ]; then
  mkdir -p "$cache"
  work="$(mktemp -d "$cache/cfn-guard.XXXXXX")"
  trap 'rm -rf "$work"' EXIT
  (cd "$work" && npm pack --silent "@cdklabs/cdk-validator-cfnguard@$version" >&2)
  archive=("$work"/*.tgz)
  echo "$sha512  ${archive[0]}" | sha512sum --check --quiet >&2
  tar -xzf "${archive[0]}" -C "$work" package/bin package/rules package/LICENSE
  chmod +x "$work"/package/bin/*/*/cfn-guard
  rm -rf "$place"
  mv "$work/package" "$place"
  touch "$place/.complete" # written last, so that an interrupted installation is begun anew
fi
echo "$place"
