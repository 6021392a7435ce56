#!/bin/sh
# Downloads External Secrets Operator's own Go module, of which the tests on real servers use the custom resource
# definitions (deploy/crds/bundle.yaml) and the examples of its documentation (docs/snippets).
# Needs Go 1.26 or newer, and on the first run the network for 7 MB. Takes seconds, and no time once it is there:
# both are kept in ${XDG_CACHE_HOME:-~/.cache}/eks-secret-relay/external-secrets/, by version.
set -eu

module=github.com/external-secrets/external-secrets
version=v1.3.2
# What go.sum would hold: another download of that version is refused.
sum=h1:u2J8RjlHIeF0oZCqtl92adI/uZWUwOesJIDkfql6LqQ=

folder=${XDG_CACHE_HOME:-$HOME/.cache}/eks-secret-relay/external-secrets/$version
if [ -f "$folder/crds.yaml" ] && [ -d "$folder/snippets" ]; then
  echo "external-secrets: already there, $folder" >&2
  exit 0
fi
if ! command -v go >/dev/null; then
  echo "Go is missing: install it from https://go.dev/dl/ to download ESO's definitions for the tests on real servers." >&2
  exit 1
fi
told=$(cd / && go mod download -json "$module@$version")
field() { printf '%s' "$told" | sed -n "s/^[[:space:]]*\"$1\": \"\(.*\)\",\{0,1\}\$/\1/p"; }
if [ "$(field Sum)" != "$sum" ]; then
  echo "external-secrets: the download is not what it was: $(field Sum) instead of $sum" >&2
  exit 1
fi
# To a name of its own and then moved: an interrupted copy, or two at once, leave no half folder behind.
unfinished=$folder.$$
trap 'rm -rf "$unfinished"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$unfinished"
cp "$(field Dir)/deploy/crds/bundle.yaml" "$unfinished/crds.yaml"
cp -R "$(field Dir)/docs/snippets" "$unfinished/snippets"
chmod -R u+w "$unfinished"
rm -rf "$folder"
mv "$unfinished" "$folder"
echo "external-secrets: there, $folder" >&2
