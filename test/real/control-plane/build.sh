#!/bin/sh
# Builds the etcd, the kube-apiserver and the kube-controller-manager that the tests on real servers start, and the
# programs that tests run, from the Go modules beside this file. `build.sh kubectl` builds that one alone.
# Needs Go 1.26 or newer (older ones fetch it themselves), and on the first run the network for the modules.
# Takes 2.5 to 4 minutes on 2 cores with Go's build cache warm, up to 11 without, and no time once they are built: they
# are kept in ${XDG_CACHE_HOME:-~/.cache}/eks-secret-relay/bin/, by a hash of go.mod, go.sum and what is built of this
# repository. After kube-apiserver, kube-controller-manager takes 118 s of processor time, and 8 s with a warm cache; the
# module sprig takes 16 s, and actionlint 15 s.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/eks-secret-relay/bin

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -c1-16
}

# build MODULE PACKAGE [LINKER FLAGS]. A package of the module itself, ./NAME, is one file.
build() {
  module=$1 package=$2 stamp=${3:-} name=$1 own=
  case $package in ./*) name=${package#./} own=$here/$module/$name/main.go ;; esac
  folder=$cache/$(cat "$here/$module/go.mod" "$here/$module/go.sum" ${own:+"$own"} | sha256)
  binary=$folder/$name
  if [ -x "$binary" ]; then
    echo "$name: already built, $binary" >&2
    return
  fi
  if ! command -v go >/dev/null; then
    echo "Go is missing: install it from https://go.dev/dl/ to build $module for the tests on real servers." >&2
    exit 1
  fi
  echo "$name: building, this takes minutes" >&2
  mkdir -p "$folder"
  # To a name of its own and then moved: an interrupted build, or two at once, leave no half binary behind.
  unfinished=$folder/.$name.$$
  trap 'rm -f "$unfinished"' EXIT
  trap 'exit 130' INT TERM
  (cd "$here/$module" && CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath "-ldflags=-s -w $stamp" -o "$unfinished" "$package")
  mv -f "$unfinished" "$binary"
  echo "$name: built, $binary" >&2
}

# kubectl refuses to say its version unless the linker has stamped it.
version=$(sed -n 's|.*k8s.io/kubernetes \(v[0-9.]*\).*|\1|p' "$here/kubectl/go.mod")
build kubectl k8s.io/kubernetes/cmd/kubectl "-X k8s.io/component-base/version.gitVersion=$version"
if [ "${1:-}" = kubectl ]; then exit; fi
build etcd go.etcd.io/etcd/server/v3
build kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver
build kube-controller-manager k8s.io/kubernetes/cmd/kube-controller-manager
build kube-apiserver ./read-docker-configs
build sprig ./render-go-templates
build actionlint github.com/rhysd/actionlint/cmd/actionlint
