#!/usr/bin/env bash
# Makes what the guest needs from Debian packages and PyPI wheels, in $CACHE; each finished step leaves a stamp.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
CACHE=${CACHE:-$HOME/.cache/anonymizer-e2e}
DRIVERS=${DRIVERS:-"0.12.7 0.15.0"}
BROWSER=${BROWSER-chromium-headless-shell}
PIP=${PIP:-"python3 -m pip"}
mkdir -p "$CACHE"/{debs,stamps}
cd "$CACHE"

step() { # NAME: runs the function of that name once
    [ -e "stamps/$1" ] && return
    echo "building: $1" >&2
    "$1" >"$1.log" 2>&1 || { tail -20 "$1.log" >&2; echo "building $1 failed, see $CACHE/$1.log" >&2; exit 1; }
    touch "stamps/$1"
}

tools() {
    local need=()
    local pair
    for pair in qemu-system-x86:qemu-system-x86_64 mmdebstrap:mmdebstrap kmod:depmod cpio:cpio \
        squashfs-tools:mksquashfs gcc-12:gcc-12 make:make; do
        command -v "${pair#*:}" >/dev/null || need+=("${pair%%:*}")
    done
    [ ${#need[@]} = 0 ] || { apt-get update; DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${need[@]}"; }
}

MIRROR=${MIRROR:-$(sed -n -E 's#^(URIs:|deb) *(https?://[^ /]+)/debian/? *.*#\2#p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -1 || true)}
: "${MIRROR:?no Debian mirror in /etc/apt: set MIRROR}"

private_apt() { # reads bookworm and trixie without touching the host's own apt
    mkdir -p apt/{lists/partial,cache/archives/partial}
    local key='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
    printf 'deb %s %s/debian bookworm main\ndeb %s %s/debian-security bookworm-security main\ndeb %s %s/debian trixie main\n' \
        "$key" "$MIRROR" "$key" "$MIRROR" "$key" "$MIRROR" >apt/sources.list
    printf 'Package: *\nPin: release n=bookworm*\nPin-Priority: 990\n' >apt/preferences
    in_private_apt apt-get update
}

in_private_apt() {
    local tool=$1
    shift
    "$tool" -o Dir::Etc::sourcelist="$CACHE/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferences="$CACHE/apt/preferences" -o Dir::Etc::preferencesparts=/dev/null \
        -o Dir::State::lists="$CACHE/apt/lists" -o Dir::State::status=/dev/null -o Dir::Cache="$CACHE/apt/cache" \
        -o APT::Sandbox::User=root -o APT::Architecture=amd64 "$@"
}

fetch() { (cd debs && in_private_apt apt-get download "$@"); }

kernel() {
    local image version arch package
    image=$(in_private_apt apt-cache show linux-image-amd64/bookworm-security | sed -n 's/^Depends: \(linux-image-[^ ]*\).*/\1/p' | head -1)
    version=${image#linux-image-}
    arch=${version%-amd64}
    echo "$version" >kernel-version
    fetch "linux-image-$version" "linux-headers-$version" "linux-headers-$arch-common" linux-kbuild-6.1 \
        linux-compiler-gcc-12-x86 busybox-static
    rm -rf image headers busybox
    mkdir image headers busybox
    dpkg-deb -x debs/linux-image-"$version"*.deb image
    dpkg-deb -x debs/busybox-static*.deb busybox
    for package in debs/linux-headers* debs/linux-kbuild* debs/linux-compiler*; do dpkg-deb -x "$package" headers; done
    sed -i "s#include /usr/src/#include $CACHE/headers/usr/src/#" "headers/usr/src/linux-headers-$version/Makefile"
    depmod -b image "$version"
}

drivers() { # v4l2loopback against the unpacked headers
    local version driver full source
    version=$(cat kernel-version)
    mkdir -p modules
    for driver in $DRIVERS; do
        full=$(in_private_apt apt-cache madison v4l2loopback-dkms | awk -F'|' '{gsub(/ /, "", $2); print $2}' | grep "^$driver" | head -1)
        [ -n "$full" ] || { echo "no v4l2loopback $driver in the archive"; return 1; }
        fetch "v4l2loopback-dkms=$full"
        rm -rf "source-$driver"
        dpkg-deb -x debs/v4l2loopback-dkms_"${full/:/%3a}"_all.deb "source-$driver"
        source=$(echo "$CACHE/source-$driver"/usr/src/v4l2loopback-*)
        make -C "$CACHE/headers/usr/src/linux-headers-$version" M="$source" CC=gcc-12 modules
        cp "$source/v4l2loopback.ko" "modules/v4l2loopback-$driver.ko"
        strip --strip-debug "modules/v4l2loopback-$driver.ko"
    done
}

root() {
    rm -rf root
    printf 'deb %s/debian bookworm main\ndeb %s/debian-security bookworm-security main\n' "$MIRROR" "$MIRROR" >root.list
    mmdebstrap --variant=essential --include="python3,v4l-utils,kmod,procps${BROWSER:+,$BROWSER}" \
        --aptopt='APT::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' bookworm root root.list
}

wheels() { # what pyproject.toml asks for, without OpenCV's windows, and ffmpeg
    rm -rf root/opt/site
    python3 - "$here/../../../pyproject.toml" >requirements.txt <<'PY'
import sys, tomllib
for line in tomllib.load(open(sys.argv[1], "rb"))["project"]["dependencies"]:
    print(line.replace("opencv-contrib-python", "opencv-python-headless"))
print("imageio-ffmpeg")
PY
    local tags=()
    local minor
    for minor in 17 24 26 27 28; do tags+=(--platform "manylinux_2_${minor}_x86_64"); done
    $PIP install -q --only-binary=:all: --python-version 3.11 --implementation cp --abi cp311 --abi abi3 --abi none \
        "${tags[@]}" --platform manylinux2014_x86_64 --platform any --target root/opt/site -r requirements.txt
    install -m755 root/opt/site/imageio_ffmpeg/binaries/ffmpeg* root/usr/local/bin/ffmpeg
}

image() {
    local version module path
    version=$(cat kernel-version)
    rm -rf root/lib/modules
    mkdir -p "root/lib/modules/$version" root/opt/modules
    for module in videodev vivid; do modprobe -d "$CACHE/image" -S "$version" --show-depends "$module"; done |
        awk '/^insmod/ {print $2}' | sort -u | while read -r path; do
        mkdir -p "root/$(dirname "${path#"$CACHE"/image/}")"
        cp "$path" "root/${path#"$CACHE"/image/}"
    done
    cp "image/lib/modules/$version"/modules.{order,builtin,builtin.modinfo} "root/lib/modules/$version/"
    depmod -b root "$version"
    cp modules/*.ko root/opt/modules/
    mksquashfs root root.squashfs -comp lz4 -quiet -no-progress -noappend
}

initramfs() {
    local tree version path
    version=$(cat kernel-version)
    tree=$(mktemp -d -p .)
    mkdir -p "$tree"/{bin,modules,proc,sys,dev,lower,upper,root}
    install -m755 busybox/bin/busybox "$tree/bin/busybox"
    for module in virtio_pci virtio_blk 9pnet_virtio 9p overlay squashfs; do
        modprobe -d "$CACHE/image" -S "$version" --show-depends "$module" 2>/dev/null | awk '/^insmod/ {print $2}'
    done | awk '!seen[$0]++' | while read -r path; do
        cp "$path" "$tree/modules/"
        basename "$path" >>"$tree/modules/order"
    done
    install -m755 "$here/guest/init" "$tree/init"
    (cd "$tree" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >initramfs.img
    rm -rf "$tree"
    cp "image/boot/vmlinuz-$version" vmlinuz
}

for name in tools private_apt kernel drivers root wheels image initramfs; do step "$name"; done
