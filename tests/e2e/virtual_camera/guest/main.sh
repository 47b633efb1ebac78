#!/bin/bash
# Runs the checks and powers off; init has mounted everything.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
value() { tr ' ' '\n' </proc/cmdline | sed -n "s/^$1=//p"; }
DRIVER=$(value driver) ONLY=$(value only)
export DRIVER ONLY PYTHONPATH=/share:/opt/site PYTHONPYCACHEPREFIX=/kept/bytecode PYTHONUNBUFFERED=1
export XDG_CACHE_HOME=/kept/cache OMP_NUM_THREADS=1
python3 /share/guest/checks.py 2>/out/errors.log
sync
echo o >/proc/sysrq-trigger
sleep 30
