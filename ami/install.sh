#!/bin/sh
# Installs gild on an instance that becomes an image. Nothing is fetched: the packages, and
# SHA256SUMS that names them, are beside this script. A release has both.
#
#   install.sh [IMAGE_LAYER]
#
# IMAGE_LAYER is a document that becomes the image's own configuration.
set -eu

place=$(cd "$(dirname "$0")" && pwd)
layer=${1:-}

fail() {
    echo "install.sh: $*" >&2
    exit 1
}

[ "$(id -u)" = 0 ] || fail 'must run as root'

machine=$(uname -m)
# Which of the two a host has is what it installs from: Debian has the program rpm, too.
if [ -e /etc/debian_version ]; then
    case $machine in
    x86_64) pattern="gild_*_amd64.deb" ;;
    aarch64) pattern="gild_*_arm64.deb" ;;
    *) fail "there is no package for $machine" ;;
    esac
elif command -v rpm >/dev/null; then
    pattern="gild-*.$machine.rpm"
else
    fail 'this host has neither dpkg nor rpm'
fi

package=
for found in "$place"/$pattern; do
    [ -e "$found" ] || fail "there is no $pattern in $place"
    [ -z "$package" ] || fail "there are several of $pattern in $place"
    package=$found
done

name=${package##*/}
# The whole name, behind the two characters that sha256sum puts before it.
sum=$(awk -v name="$name" '{ file = $2; sub(/^\*/, "", file); if (NF == 2 && file == name) print $1 }' \
    "$place/SHA256SUMS") || fail "there is no $place/SHA256SUMS"
[ "${#sum}" = 64 ] || fail "SHA256SUMS does not name $name once"
echo "$sum  $package" | sha256sum -c --quiet - || fail "$name is not what SHA256SUMS says"

case $name in
*.deb) dpkg --install "$package" ;;
# The same version again is no failure, as for dpkg.
*.rpm) rpm --upgrade --replacepkgs "$package" ;;
esac
gild --version

if [ -n "$layer" ]; then
    gild config check "$layer"
    mkdir -p /usr/lib/gild/config.d
    case $layer in
    *.yaml | *.yml) ending=yaml ;;
    *.json) ending=json ;;
    *) ending=toml ;;
    esac
    cp "$layer" "/usr/lib/gild/config.d/10-image.$ending"
    chmod 0644 "/usr/lib/gild/config.d/10-image.$ending"
fi
