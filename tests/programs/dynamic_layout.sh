#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Where programs are put, linked in each way; with an interpreter, without one, and by hand.
for way in fixed stack pie aligned static static-pie static-aligned; do
	echo "--- $way"
	/programs/layout-$way
done
for way in fixed pie; do
	echo "--- $way, by hand"
	/lib64/ld-linux-x86-64.so.2 /programs/layout-$way
done
