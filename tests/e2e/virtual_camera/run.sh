#!/usr/bin/env bash
# run.sh [v4l2loopback version ...]: boots the guest once a version and shows its lines; 1 on any FAIL.
# CACHE, ONLY (checks whose name this finds), LIMIT (seconds a boot), KVM=1 where /dev/kvm works, MEMORY, CORES,
# PYTHON (one that has the package's dependencies: it computes the networks for the guest).
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export CACHE=${CACHE:-$HOME/.cache/anonymizer-e2e}
bash "$here/build.sh" || exit 2
failed=0
for version in "${@:-0.12.7}"; do
    out=$CACHE/out/$version
    rm -rf "$out"
    mkdir -p "$out" "$CACHE/kept"
    share=$(mktemp -d -p "$CACHE")
    cp -a "$here/guest" "$here/../../../anonymizer" "$share/" # a copy: edits cannot reach a guest that runs
    mkdir -p "$share/tests/e2e/virtual_camera"
    cp -a "$here/guest" "$share/tests/e2e/virtual_camera/" # by the name under which its files import each other
    rm -rf "$CACHE/kept/networks"
    (cd "$here/../../.." && exec "${PYTHON:-python3}" -m tests.e2e.virtual_camera.host_networks "$CACHE/kept/networks") &
    networks=$!
    until [ -d "$CACHE/kept/networks" ]; do kill -0 $networks || exit 2; sleep 1; done
    # without AVX: numpy's code for it crashed and hung under QEMU 7.2 (float32 with gaps, np.maximum)
    accel=(-accel tcg,thread=multi -cpu max,avx=off,avx2=off,fma=off,f16c=off)
    [ "${KVM:-0}" = 1 ] && accel=(-accel kvm -cpu host)
    timeout "${LIMIT:-3600}" qemu-system-x86_64 "${accel[@]}" -M q35 -smp "${CORES:-2}" -m "${MEMORY:-4096}" \
        -nographic -no-reboot -nodefaults -serial stdio -device virtio-rng-pci \
        -drive file="$CACHE/root.squashfs",format=raw,if=none,id=disk,readonly=on -device virtio-blk-pci,drive=disk \
        -fsdev local,id=share,path="$share",security_model=none,readonly=on \
        -device virtio-9p-pci,fsdev=share,mount_tag=share \
        -fsdev local,id=out,path="$out",security_model=none -device virtio-9p-pci,fsdev=out,mount_tag=out \
        -fsdev local,id=kept,path="$CACHE/kept",security_model=none -device virtio-9p-pci,fsdev=kept,mount_tag=kept \
        -kernel "$CACHE/vmlinuz" -initrd "$CACHE/initramfs.img" \
        -append "console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off nokaslr audit=0 driver=$version only=${ONLY:-}" \
        </dev/null 2>"$out/qemu.log" | stdbuf -oL tr -d '\r' | tee "$out/console.log" | sed -u -n -E 's/^.*(PASS|FAIL|INFO|SUMMARY)/\1/p'
    kill $networks
    rm -rf "$share"
    grep -q SUMMARY "$out/console.log" || { echo "FAIL guest $version did not finish, see $out/console.log"; failed=1; }
    grep -q -E '^.*FAIL' "$out/console.log" && failed=1
done
exit $failed
