#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh STRESSOR [OPTION...]: in the guest, two of one kind for five seconds, each checking what it does.
# One that doesn't end is ended.
cd /tmp || exit
stressor=$1
shift
/bin/timeout -s KILL 90 /usr/bin/stress-ng "--$stressor" 2 --timeout 5 --verify --metrics-brief "$@"
status=$?
# Some make files of random names. What stays here is no memory that is lost.
rm -rf /tmp/* /tmp/.[!.]*
exit $status
