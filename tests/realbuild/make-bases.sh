#!/usr/bin/env bash
# Makes local stand-ins for popular base images, under their real names, in the engine of $DOCKER_HOST.
#   make-bases.sh [BASE ...]       without a name: all; a base that another one stands on is made with it
# A base that is there, was made by this very script and is younger than a week is kept. Downloads stay in
# $DFOPT_REALBUILD_HOME/bases. Such images carry this machine's package sources and certificates: they stay local.
#   PYTHON: an interpreter that has pip (for alpine, python-alpine and node)
set -euo pipefail
# What each base stands on, and its names; the first is the one that is made. In this order they are made.
declare -A parents=(
  [busybox]=- [debian]=- [debian-slim]=- [alpine]=- [python]=debian-slim [python-full]=python [python-alpine]=-
  [golang]=debian [gcc]=debian [rust]=debian-slim [node-slim]=debian-slim [node]=node-slim [node-alpine]=alpine
  [jre]=debian-slim [jdk]=jre [maven]=jdk [gradle]=jdk [nginx]=debian-slim [nginx-unprivileged]=nginx
  [nginx-alpine]=nginx [nginx-alpine-unprivileged]=nginx-alpine [ruby-slim]=debian-slim [ruby]=ruby-slim
  [php]=debian-slim [composer]=php [dnf]=debian-slim [distroless-static]=debian [distroless-base]=distroless-static
  [distroless-cc]=distroless-base [cuda-runtime]=debian-slim [cuda-devel]=cuda-runtime
)
declare -A names=(
  [busybox]='busybox:latest busybox:1.37 busybox:1.36'
  [debian]='debian:trixie debian:13 debian:latest debian:stable'
  [debian-slim]='debian:trixie-slim debian:13-slim debian:stable-slim'
  [alpine]='alpine:3.22 alpine:3.22.1 alpine:3 alpine:latest'
  [python]='python:3.13-slim python:3-slim python:slim python:3.13-slim-trixie'
  [python-full]='python:3.13 python:3 python:latest python:3.13-trixie'
  [python-alpine]='python:3.12-alpine python:3.12-alpine3.22'
  [golang]='golang:1.24 golang:1 golang:latest golang:1.24-trixie golang:1-trixie'
  [gcc]='gcc:14 gcc:latest'
  [rust]='rust:1.85-slim rust:1.85 rust:1 rust:slim rust:latest'
  [node-slim]='node:22-slim node:22-trixie-slim node:lts-slim'
  [node]='node:22 node:22-trixie node:lts'
  [node-alpine]='node:22-alpine node:lts-alpine'
  [jre]='eclipse-temurin:21-jre'
  [jdk]='eclipse-temurin:21 eclipse-temurin:21-jdk'
  [maven]='maven:3.9-eclipse-temurin-21 maven:3.9 maven:3'
  [nginx]='nginx:1.26 nginx:1 nginx:stable nginx:latest'
  [nginx-unprivileged]='nginxinc/nginx-unprivileged:1.26 nginxinc/nginx-unprivileged:stable nginxinc/nginx-unprivileged:latest'
  [nginx-alpine]='nginx:stable-alpine-slim nginx:alpine-slim'
  [nginx-alpine-unprivileged]='nginxinc/nginx-unprivileged:stable-alpine-slim nginxinc/nginx-unprivileged:alpine-slim'
  [ruby-slim]='ruby:3.3-slim ruby:3-slim ruby:slim'
  [ruby]='ruby:3.3 ruby:3 ruby:latest'
  [php]='php:8.4-cli php:8-cli php:cli php:8.4'
  [composer]='composer:2 composer:latest'
  [gradle]='gradle:8-jdk21'
  [dnf]='dfopt/dnf:4'
  [distroless-static]='gcr.io/distroless/static-debian13:latest gcr.io/distroless/static:latest'
  [distroless-base]='gcr.io/distroless/base-debian13:latest gcr.io/distroless/base:latest'
  [distroless-cc]='gcr.io/distroless/cc-debian13:latest gcr.io/distroless/cc:latest'
  [cuda-runtime]='nvidia/cuda:12.4.1-runtime-ubuntu22.04 nvidia/cuda:12.4.1-base-ubuntu22.04'
  [cuda-devel]='nvidia/cuda:12.4.1-devel-ubuntu22.04'
)
# Made in this order: what others stand on, then two lists at the same time. Wheels are fetched by `first` and `left` alone.
first=(busybox debian debian-slim alpine)
left=(python-alpine node-slim node node-alpine gcc jre jdk maven gradle distroless-static distroless-base distroless-cc)
right=(python python-full golang rust nginx nginx-unprivileged nginx-alpine nginx-alpine-unprivileged ruby-slim ruby php
       composer dnf)
rare=(cuda-runtime cuda-devel)   # by name alone: a gigabyte to download, too much for CI
order=("${first[@]}" "${left[@]}" "${right[@]}" "${rare[@]}")
wanted=" ${*:-${first[*]} ${left[*]} ${right[*]}} "
for base in $wanted; do
  [ -n "${names[$base]-}" ] || { echo "make-bases.sh: no base '$base': ${order[*]}" >&2; exit 2; }
  while base=${parents[$base]}; [ "$base" != - ]; do wanted+="$base "; done
done
: "${DOCKER_HOST:?the address of the engine to fill}"
here=$(dirname "$(realpath "$0")")
work=${DFOPT_REALBUILD_HOME:-${HOME:-/root}/.cache/dfopt-realbuild}/bases
mkdir -p "$work/stamps"
cd "$work"
# Descriptors below 10 stay free, and none is inherited: mmdebstrap has dash write to one that it opens, and dash knows
# no number of two digits.
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- 200>lock
flock -w 900 200 || { echo "make-bases.sh: another run holds $work/lock" >&2; exit 1; }
path=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
bundle=/etc/ssl/certs/ca-certificates.crt
[ -s $bundle ] || { echo "make-bases.sh: $bundle is missing: install ca-certificates" >&2; exit 1; }

# --- what a base takes from this machine -----------------------------------------------------------------------------
# The archive's address for a suite, as this machine's apt has it; `mirror+file:` lists give their first line.
targets=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages')
archive() {
  local uri
  uri=$(awk -v suite="$1" '$1 == suite {print $2; exit}' <<<"$targets")
  case $uri in mirror+file:*) uri=$(awk '!/^#/ && NF {print $1; exit}' "${uri#mirror+file:}") ;; esac
  echo "${uri%/}"
}
# Files that every Debian base gets: package sources, apt settings, this machine's own certificate authorities.
overlay() {
  local main security
  main=$(archive trixie) security=$(archive trixie-security)
  [ -n "$main" ] || { echo "make-bases.sh: apt knows no archive of trixie here: run 'apt-get update'" >&2; exit 1; }
  rm -rf overlay && mkdir -p overlay/etc/{apt/{sources.list.d,apt.conf.d},dpkg/dpkg.cfg.d} overlay/usr/local/share/ca-certificates
  { printf 'Types: deb\nURIs: %s\nSuites: trixie%s\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
      "$main" "$([ -z "$(archive trixie-updates)" ] || echo ' trixie-updates')"
    [ -z "$security" ] || printf '\nTypes: deb\nURIs: %s\nSuites: trixie-security\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' "$security"
  } >overlay/etc/apt/sources.list.d/debian.sources
  # Debian's official images are set up in this way: no sync after each file; no package files and no binary caches
  # are kept after apt ran.
  echo force-unsafe-io >overlay/etc/dpkg/dpkg.cfg.d/docker-apt-speedup
  local clean='"rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"'
  printf 'DPkg::Post-Invoke { %s; };\nAPT::Update::Post-Invoke { %s; };\nDir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n' \
    "$clean" "$clean" >overlay/etc/apt/apt.conf.d/docker-clean
  echo 'Acquire::GzipIndexes "true";' >overlay/etc/apt/apt.conf.d/docker-gzip-indexes
  echo 'Acquire::Languages "none";' >overlay/etc/apt/apt.conf.d/docker-no-languages
  echo 'APT::AutoRemove::SuggestsImportant "false";' >overlay/etc/apt/apt.conf.d/docker-autoremove-suggests
  # How this machine reaches its archive (proxy, dates): a build must reach it in the same way.
  { echo 'Acquire::Retries "5";'; apt-config dump | grep -E '^Acquire::(Check-|https?::)' || true; } >overlay/etc/apt/apt.conf.d/99machine
  cp /usr/local/share/ca-certificates/*.crt overlay/usr/local/share/ca-certificates/ 2>/dev/null || true
}
overlay
recipe=$({ cat $bundle; find overlay -type f -print0 | sort -z | xargs -0 cat; } | sha256sum | cut -d ' ' -f 1)

# --- keeping and naming ----------------------------------------------------------------------------------------------
id() { docker image inspect --format '{{.Id}}' "$1" 2>/dev/null || true; }
recipe_of() { # recipe_of FUNCTION...: a digest of what they do, and of all that they put in
  { echo "$recipe $node ${alpine_layers[*]}"; declare -f import image wheel debian_rootfs java distroless nonroot node_tree "$@"; } |
    sha256sum | cut -d ' ' -f 1
}
fresh() { # fresh BASE TAG: made by this recipe, from this parent, within a week, and still there
  [ -n "$(find "stamps/$1" -mtime -7 2>/dev/null)" ] && [ "$(cat "stamps/$1")" = "$(recipe_of "make_${1//-/_}") $parent $(id "$2")" ]
}
import() { # import TAG CHANGE... <rootfs.tar
  local tag=$1 changes=(); shift
  for change; do changes+=(-c "$change"); done
  docker import "${changes[@]}" - "$tag" >/dev/null
}

debian_rootfs() { # a minimal trixie as a tar: 15 to 20 s, so it is kept for a week too
  local suites=() suite uri own
  own=$(recipe_of debian_rootfs)
  [ -n "$(find debian.tar -mtime -7 2>/dev/null)" ] && [ "$(cat debian.tar.recipe 2>/dev/null)" = "$own" ] && return
  for suite in trixie trixie-updates trixie-security; do
    uri=$(archive $suite); [ -z "$uri" ] || suites+=("deb $uri $suite main")
  done
  mmdebstrap --verbose --variant=minbase --aptopt="$PWD/overlay/etc/apt/apt.conf.d/99machine" \
    --customize-hook='rm -f "$1/etc/apt/sources.list" "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/etc/hostname" "$1/etc/resolv.conf"' \
    --customize-hook='copy-in overlay/etc overlay/usr /' trixie new.debian.tar "${suites[@]}" 2>new.debian.log ||
    { cat new.debian.log >&2; return 1; }
  mv new.debian.tar debian.tar
  echo "$own" >debian.tar.recipe
}

make_busybox() {
  rm -rf bb && mkdir -p bb/{bin,etc,home,tmp,root,usr/bin,var}
  cp /bin/busybox bb/bin/
  for applet in $(/bin/busybox --list); do [ "$applet" = busybox ] || ln -s busybox "bb/bin/$applet"; done
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n' >bb/etc/passwd
  printf 'root:x:0:\nnobody:x:65534:\n' >bb/etc/group
  chmod 1777 bb/tmp
  tar -C bb --owner=0 --group=0 --numeric-owner -c . | import "$1" "ENV $path" 'CMD ["sh"]'
}
make_debian() {
  debian_rootfs
  import "$1" "ENV $path" 'CMD ["bash"]' <debian.tar
}
make_debian_slim() {
  debian_rootfs
  # As the official slim variant: the same packages without manuals, locales and documents, now and later.
  rm -rf slim && mkdir -p slim/etc/dpkg/dpkg.cfg.d
  local rules=(path-exclude=/usr/share/man/'*' path-exclude=/usr/share/locale/'*' path-exclude=/usr/share/info/'*'
               path-exclude=/usr/share/doc/'*' path-include=/usr/share/doc/'*'/copyright)
  printf '%s\n' "${rules[@]}" >slim/etc/dpkg/dpkg.cfg.d/docker
  mmtarfilter "${rules[@]/#/--}" <debian.tar >slim.tar
  tar -C slim --owner=0 --group=0 --numeric-owner -rf slim.tar ./etc/dpkg/dpkg.cfg.d/docker
  import "$1" "ENV $path" 'CMD ["bash"]' <slim.tar
  rm -f slim.tar
}
# A wheel of PyPI as a directory, kept: wheel DIRECTORY NAME==VERSION [PLATFORM]
wheel() {
  [ -d "$1" ] && return
  rm -rf wheel && mkdir wheel
  "${PYTHON:-python3}" -m pip download -q --no-deps ${3:+--only-binary=:all: --platform "$3"} -d wheel "$2"
  "${PYTHON:-python3}" -m zipfile -e wheel/*.whl wheel/out
  mv wheel/out "$1" && rm -rf wheel
}
# The genuine layers of alpine 3.22.1 and python 3.12-alpine, which the flashvm wheel carries.
flashvm_blobs() { wheel flashvm flashvm==0.1.3; echo flashvm/flashvm/data/oci/blobs/sha256; }
alpine_layers=(df603300ccbcc1523bc2760b1bd7133a04e098190156de2f216bc808a68a73a9
               d9dcf90b1211120648a1e2a2a6b6a3f66f5727b67f15c759b6c547a949b5ea47
               a738260f1313692e8eb0b03f3c45446da1d6725d5d4f001a91c2c32fc0a84268
               740873f52108333da8ea343b8e849a057f6913f9db8cfa3f0780f6029db93f21)
make_alpine() { import "$1" "ENV $path" 'CMD ["/bin/sh"]' <"$(flashvm_blobs)/${alpine_layers[0]}"; }

image() { # image TAG CONTEXT <Dockerfile: a base on top of another one; pip, npm and others must trust what this machine trusts
  mkdir -p "$2" && cp $bundle "$2/ca.crt"
  docker build -q --no-cache --network=host -t "$1" -f - "$2" >/dev/null
}
install='apt-get update && apt-get install -y --no-install-recommends'
clean='rm -rf /var/lib/apt/lists/*'

. "$here/toolchains.sh"

make_wanted() { # make_wanted BASE...: those that are wanted and not fresh
  local base parent old start tag tags
  for base; do
    case $wanted in *" $base "*) ;; *) continue ;; esac
    read -ra tags <<<"${names[$base]}"
    parent=${parents[$base]}
    if [ "$parent" != - ]; then parent=$(id "${names[$parent]%% *}"); fi
    fresh "$base" "${tags[0]}" && continue
    old=$(id "${tags[0]}") start=$(date +%s%N)
    "make_${base//-/_}" "${tags[0]}"
    for tag in "${tags[@]:1}"; do docker tag "${tags[0]}" "$tag"; done
    [ -z "$old" ] || [ "$old" = "$(id "${tags[0]}")" ] || docker image rm "$old" >/dev/null 2>&1 || true   # has no name now
    echo "$(recipe_of "make_${base//-/_}") $parent $(id "${tags[0]}")" >"stamps/$base"
    echo "make-bases.sh: $base made in $(( ($(date +%s%N) - start) / 1000000 )) ms" >&2
  done
}
make_wanted "${first[@]}"
make_wanted "${left[@]}" & pids=($!)
make_wanted "${right[@]}" "${rare[@]}" & pids+=($!)
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
exit $failed
