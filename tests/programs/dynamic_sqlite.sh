#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The distribution's sqlite3: a database of 10,000 rows that is read through a mapping of the file, with
# a rollback journal and with a write-ahead log, whose index is shared memory of all who use it; and
# several processes at one database.
export PATH=/usr/bin:/usr/sbin:/bin
work=/tmp/sqlite.work
rm -rf $work
mkdir -p $work && cd $work || exit 1
export HOME=$work

fill="
CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, n INTEGER, x REAL);
WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 10000)
INSERT INTO t SELECT i, 'name ' || (i * 7919 % 10007), i * i % 1009, i / 8.0 FROM c;
CREATE INDEX by_name ON t(name);
CREATE INDEX by_n ON t(n);
"
query="
SELECT count(*), sum(n), min(name), max(name), sum(x) FROM t;
SELECT * FROM t WHERE id IN (1, 5000, 10000);
SELECT id FROM t WHERE name = 'name 4711';
SELECT n, count(*) FROM t WHERE n BETWEEN 100 AND 105 GROUP BY n ORDER BY n;
SELECT a.id, b.id FROM t a JOIN t b ON a.name = b.name AND a.id < b.id LIMIT 3;
SELECT name FROM t ORDER BY name DESC LIMIT 5 OFFSET 5000;
"
change="
BEGIN;
UPDATE t SET name = name || ' changed' WHERE n % 7 = 0;
DELETE FROM t WHERE n % 5 = 0;
ROLLBACK;
SELECT count(*), sum(length(name)) FROM t;
BEGIN;
UPDATE t SET name = name || ' changed' WHERE n % 7 = 0;
DELETE FROM t WHERE n % 5 = 0;
COMMIT;
SELECT count(*), sum(length(name)) FROM t;
"

for mode in delete truncate wal; do
	echo "--- journal_mode $mode"
	sqlite3 $mode.db "PRAGMA journal_mode = $mode; PRAGMA mmap_size = 67108864; $fill" || exit 1
	sqlite3 $mode.db "PRAGMA mmap_size = 67108864; $query $change PRAGMA integrity_check;"
	# Once more without a mapping: the file itself.
	sqlite3 $mode.db "PRAGMA mmap_size = 0; SELECT count(*), sum(length(name)), sum(n) FROM t;"
	sqlite3 $mode.db "PRAGMA mmap_size = 67108864; VACUUM; PRAGMA integrity_check; PRAGMA page_count;"
	ls
done

echo '--- one reads while another writes'
sqlite3 wal.db 'CREATE TABLE log(who TEXT, what INTEGER);'
coproc reader { sqlite3 -batch wal.db; }
ask() {
	echo "$1" >&${reader[1]}
	read -r answer <&${reader[0]}
	echo "$answer"
}
ask 'PRAGMA mmap_size = 67108864;'
ask 'BEGIN; SELECT count(*) FROM log;'
sqlite3 wal.db "INSERT INTO log VALUES ('first', 1), ('first', 2);"
ask 'SELECT count(*) FROM log;'
ls wal.db*
ask 'COMMIT; SELECT count(*) FROM log;'
sqlite3 wal.db "INSERT INTO log VALUES ('second', 3);"
ask 'SELECT count(*), sum(what) FROM log;'
echo .quit >&${reader[1]}
wait

echo '--- a writer keeps others out'
coproc reader { sqlite3 -batch delete.db; }
ask 'BEGIN EXCLUSIVE; SELECT 1;'
sqlite3 delete.db 'SELECT count(*) FROM t;' 2>&1
ask 'COMMIT; SELECT 2;'
echo .quit >&${reader[1]}
wait
sqlite3 delete.db 'SELECT count(*) > 0 FROM t;'

echo '--- two write at once'
writer() {
	for i in 1 2 3 4 5 6 7 8; do
		echo ".timeout 200000
BEGIN IMMEDIATE; INSERT INTO log VALUES ('$1', $i); UPDATE log SET what = what + 0; COMMIT;"
	done | sqlite3 -batch wal.db
}
writer one &
writer two &
wait
sqlite3 wal.db "SELECT who, count(*), sum(what) FROM log GROUP BY who ORDER BY who; PRAGMA integrity_check;"

echo '--- a dump is loaded'
sqlite3 delete.db .dump | sqlite3 copy.db
sqlite3 copy.db 'SELECT count(*), sum(n), sum(length(name)) FROM t; PRAGMA integrity_check;'
[ "$(sqlite3 delete.db .dump | sha256sum)" = "$(sqlite3 copy.db .dump | sha256sum)" ] && echo 'the same'
cd / && rm -rf $work
