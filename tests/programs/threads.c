/* SPDX-License-Identifier: MIT */
/*
 * threads: what POSIX threads promise, asked of a C library over the kernel: built with musl and with
 * glibc. 64 threads, and every way they have to wait for each other. Nothing depends on who runs when:
 * that a thread waits is known from what it did before, under the lock it then let go.
 */
#include "user/tests/tap.h"
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#define THREADS 64
#define ROUNDS	250

static pthread_t threads[THREADS];

static void start_all(int count, void *(*run)(void *))
{
	for (long i = 0; i < count; i++) {
		int err = pthread_create(&threads[i], NULL, run, (void *)i);

		if (err) {
			diag("pthread_create of thread %ld: %s", i, strerror(err));
			_exit(4);
		}
	}
}

/* The sum of what they return. */
static long join_all(int count)
{
	long sum = 0;
	void *value;

	for (int i = 0; i < count; i++)
		if (pthread_join(threads[i], &value) == 0)
			sum += (long)value;
	return sum;
}

static struct timespec soon(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += 5000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* A child process that runs `run` and exits with what it returns. Its wait status. */
static int in_child(int (*run)(void))
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(run());
	return wait_status(pid);
}

static bool exited(int status, int value)
{
	if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == value)
		return true;
	diag("wait status 0x%x, wanted exit status %d", status, value);
	return false;
}

/* --- mutexes ---------------------------------------------------------------------------------------- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter, inside, overlaps;

static void *count_up(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		if (inside++)
			overlaps++;
		counter++;
		/* Now and then it loses the processor while it has the mutex. */
		if ((i + (long)arg) % 64 == 0)
			sched_yield();
		inside--;
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

static void *lock_from_outside(void *arg)
{
	pthread_mutex_t *m = arg;
	struct timespec when = soon(CLOCK_REALTIME);
	int got = pthread_mutex_trylock(m);

	if (got != EBUSY)
		return (void *)1;
	if (pthread_mutex_timedlock(m, &when) != ETIMEDOUT)
		return (void *)2;
	return NULL;
}

static void *unlock_from_outside(void *arg)
{
	return (void *)(long)pthread_mutex_unlock(arg);
}

static long in_thread(void *(*run)(void *), void *arg)
{
	pthread_t thread;
	void *value = (void *)-1;

	if (pthread_create(&thread, NULL, run, arg) == 0)
		pthread_join(thread, &value);
	return (long)value;
}

static void init_mutex(pthread_mutex_t *m, int type, int shared, int robust)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, type);
	pthread_mutexattr_setpshared(&attr, shared);
	pthread_mutexattr_setrobust(&attr, robust);
	pthread_mutex_init(m, &attr);
	pthread_mutexattr_destroy(&attr);
}

static void test_mutexes(void)
{
	pthread_mutex_t m;
	struct timespec when;

	start_all(THREADS, count_up);
	is(join_all(THREADS), THREADS * (THREADS - 1) / 2,
	   "64 threads end and return their values");
	is(counter, THREADS * ROUNDS, "each of their increments under the mutex counts");
	is(overlaps, 0, "and never were two inside");

	init_mutex(&m, PTHREAD_MUTEX_RECURSIVE, PTHREAD_PROCESS_PRIVATE, PTHREAD_MUTEX_STALLED);
	is(pthread_mutex_lock(&m), 0, "recursive: locked once");
	is(pthread_mutex_lock(&m), 0, "recursive: and again");
	is(pthread_mutex_unlock(&m), 0, "recursive: unlocked once");
	is(in_thread(lock_from_outside, &m), 0, "recursive: still locked for others");
	is(in_thread(unlock_from_outside, &m), EPERM, "recursive: only its owner unlocks it");
	is(pthread_mutex_unlock(&m), 0, "recursive: unlocked");
	is(pthread_mutex_unlock(&m), EPERM, "recursive: more often than locked");

	init_mutex(&m, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PROCESS_PRIVATE, PTHREAD_MUTEX_STALLED);
	is(pthread_mutex_unlock(&m), EPERM, "errorcheck: unlocked before it is locked");
	is(pthread_mutex_lock(&m), 0, "errorcheck: locked");
	is(pthread_mutex_lock(&m), EDEADLK, "errorcheck: locked twice");
	is(pthread_mutex_trylock(&m), EBUSY, "errorcheck: tried");
	is(in_thread(unlock_from_outside, &m), EPERM, "errorcheck: unlocked by another");
	is(in_thread(lock_from_outside, &m), 0, "errorcheck: locked for others");
	is(pthread_mutex_unlock(&m), 0, "errorcheck: unlocked");

	init_mutex(&m, PTHREAD_MUTEX_NORMAL, PTHREAD_PROCESS_PRIVATE, PTHREAD_MUTEX_STALLED);
	pthread_mutex_lock(&m);
	when = soon(CLOCK_REALTIME);
	is(pthread_mutex_timedlock(&m, &when), ETIMEDOUT, "normal: locked twice, for a time");
	when.tv_sec = 0;
	is(pthread_mutex_timedlock(&m, &when), ETIMEDOUT, "normal: for a time long past");
	pthread_mutex_unlock(&m);
	is(pthread_mutex_timedlock(&m, &when), 0, "normal: a free one is had at any time");
}

/* --- thread-local storage --------------------------------------------------------------------------- */

static __thread int tls_value = 4711;
static __thread char tls_page[300] __attribute__((aligned(256)));
static __thread struct {
	long a, b;
} tls_zero;
static pthread_barrier_t barrier;

static void *use_tls(void *arg)
{
	long id = (long)arg, wrong = 0;

	wrong += tls_value != 4711;
	wrong += (uintptr_t)tls_page % 256 != 0;
	wrong += tls_zero.a || tls_zero.b || tls_page[299];
	tls_value = (int)id;
	memset(tls_page, (int)id, sizeof(tls_page));
	tls_zero.b = id * id;
	errno = (int)id + 1000;
	pthread_barrier_wait(&barrier);
	wrong += tls_value != id || tls_page[0] != id || tls_page[299] != id;
	wrong += tls_zero.b != id * id || errno != id + 1000;
	return (void *)wrong;
}

static void test_tls(void)
{
	pthread_barrier_init(&barrier, NULL, THREADS);
	start_all(THREADS, use_tls);
	is(join_all(THREADS), 0, "each thread's variables begin as declared, and are its own");
	is(tls_value, 4711, "as are the main thread's");
	pthread_barrier_destroy(&barrier);
}

/* --- barriers --------------------------------------------------------------------------------------- */

static long round_sum[ROUNDS];

static void *meet(void *arg)
{
	long serial = 0;

	(void)arg;
	for (int i = 0; i < 20; i++) {
		__atomic_add_fetch(&round_sum[i], 1, __ATOMIC_SEQ_CST);
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
			serial++;
		/* Nobody gets past before all have come. */
		if (__atomic_load_n(&round_sum[i], __ATOMIC_SEQ_CST) != THREADS)
			serial += 1000;
	}
	return (void *)serial;
}

static void test_barriers(void)
{
	pthread_barrier_init(&barrier, NULL, THREADS);
	start_all(THREADS, meet);
	is(join_all(THREADS), 20, "a barrier lets all through when all are there, and one is told");
	pthread_barrier_destroy(&barrier);
}

/* --- condition variables ---------------------------------------------------------------------------- */

static pthread_cond_t cond = PTHREAD_COND_INITIALIZER, room = PTHREAD_COND_INITIALIZER;
static int waiting, released, queue[8], queued;

static void *wait_for_release(void *arg)
{
	pthread_mutex_lock(&mutex);
	waiting++;
	while (!released)
		pthread_cond_wait(&cond, &mutex);
	released--;
	waiting--;
	pthread_mutex_unlock(&mutex);
	return arg;
}

/* All of them wait when their number is seen: they let the mutex go only by waiting. */
static void until_waiting(int count)
{
	for (;;) {
		pthread_mutex_lock(&mutex);
		if (waiting == count)
			return;
		pthread_mutex_unlock(&mutex);
		sched_yield();
	}
}

static void *produce(void *arg)
{
	(void)arg;
	for (int i = 1; i <= ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		while (queued == 8)
			pthread_cond_wait(&room, &mutex);
		queue[queued++] = i;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void *consume(void *arg)
{
	long sum = 0;

	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		while (queued == 0)
			pthread_cond_wait(&cond, &mutex);
		sum += queue[--queued];
		pthread_cond_signal(&room);
		pthread_mutex_unlock(&mutex);
	}
	return (void *)sum;
}

static void *produce_or_consume(void *arg)
{
	return (long)arg % 2 ? produce(arg) : consume(arg);
}

static void test_timed_condition(clockid_t clock, const char *name)
{
	struct timespec when = soon(clock);
	pthread_condattr_t attr;
	pthread_cond_t c;
	int err;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, clock);
	pthread_cond_init(&c, &attr);
	pthread_mutex_lock(&mutex);
	do {
		err = pthread_cond_timedwait(&c, &mutex, &when);
	} while (err == 0);
	is(err, ETIMEDOUT, "a wait by the %s clock ends", name);
	is(pthread_mutex_trylock(&mutex), EBUSY, "%s clock: and the mutex is had again", name);
	pthread_mutex_unlock(&mutex);
	pthread_cond_destroy(&c);
}

static void test_conditions(void)
{
	start_all(THREADS, wait_for_release);
	until_waiting(THREADS);
	released = 1;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&mutex);
	until_waiting(THREADS - 1);
	is(released, 0, "a signal is enough for one of 64 waiters");
	released = THREADS - 1;
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mutex);
	join_all(THREADS);
	is(waiting, 0, "a broadcast is for all that wait");
	start_all(16, produce_or_consume);
	is(join_all(16), 8L * ROUNDS * (ROUNDS + 1) / 2,
	   "what 8 threads put into a queue, 8 others get");
	test_timed_condition(CLOCK_REALTIME, "realtime");
	test_timed_condition(CLOCK_MONOTONIC, "monotonic");
}

/* --- read-write locks ------------------------------------------------------------------------------- */

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static long pair[2];

static void *read_together(void *arg)
{
	long bad = 0;

	(void)arg;
	pthread_rwlock_rdlock(&rwlock);
	/* Only comes through if all of them hold the lock at the same time. */
	pthread_barrier_wait(&barrier);
	bad += pthread_rwlock_trywrlock(&rwlock) != EBUSY;
	pthread_barrier_wait(&barrier);
	pthread_rwlock_unlock(&rwlock);
	return (void *)bad;
}

static void *try_both(void *arg)
{
	struct timespec when = soon(CLOCK_REALTIME);
	long bad = 0;

	(void)arg;
	bad += pthread_rwlock_tryrdlock(&rwlock) != EBUSY;
	bad += pthread_rwlock_trywrlock(&rwlock) != EBUSY;
	bad += pthread_rwlock_timedrdlock(&rwlock, &when) != ETIMEDOUT;
	bad += pthread_rwlock_timedwrlock(&rwlock, &when) != ETIMEDOUT;
	return (void *)bad;
}

static void *read_or_write(void *arg)
{
	long bad = 0;

	for (int i = 0; i < ROUNDS; i++) {
		if ((i + (long)arg) % 5) {
			pthread_rwlock_rdlock(&rwlock);
			bad += pair[0] != pair[1];
		} else {
			pthread_rwlock_wrlock(&rwlock);
			pair[0]++;
			if (i % 25 == 0)
				sched_yield();
			pair[1]++;
		}
		pthread_rwlock_unlock(&rwlock);
	}
	return (void *)bad;
}

static void test_rwlocks(void)
{
	pthread_barrier_init(&barrier, NULL, 16);
	start_all(16, read_together);
	is(join_all(16), 0, "16 readers hold the lock at once, and no writer gets it");
	pthread_barrier_destroy(&barrier);
	pthread_rwlock_wrlock(&rwlock);
	is(in_thread(try_both, NULL), 0, "nobody gets it beside a writer");
	pthread_rwlock_unlock(&rwlock);
	start_all(THREADS, read_or_write);
	is(join_all(THREADS), 0, "no reader sees half of what a writer does");
	is(pair[0], THREADS * ROUNDS / 5, "and no write is lost");
}

/* --- semaphores, once, keys, spin locks ------------------------------------------------------------- */

static sem_t ping, pong;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static long once_count, destroyed, stubborn;
static pthread_spinlock_t spin;

static void *answer_pings(void *arg)
{
	(void)arg;
	for (int i = 0; i < 1000; i++) {
		sem_wait(&ping);
		sem_post(&pong);
	}
	return NULL;
}

static void count_once(void)
{
	once_count++;
	sched_yield();
}

static void destroy(void *value)
{
	__atomic_add_fetch(&destroyed, 1, __ATOMIC_SEQ_CST);
	/* The value 1 is set once more, for a second round. */
	if ((long)value == 1 && !__atomic_fetch_add(&stubborn, 1, __ATOMIC_SEQ_CST))
		pthread_setspecific(key, value);
}

static void *use_once_and_key(void *arg)
{
	long bad = 0;

	pthread_once(&once, count_once);
	bad += once_count != 1;
	bad += pthread_getspecific(key) != NULL;
	pthread_setspecific(key, (char *)arg + 1);
	pthread_spin_lock(&spin);
	counter++;
	pthread_spin_unlock(&spin);
	bad += pthread_getspecific(key) != (char *)arg + 1;
	return (void *)bad;
}

static void test_small_things(void)
{
	struct timespec when = soon(CLOCK_REALTIME);
	pthread_t thread;
	int value = -1;

	sem_init(&ping, 0, 0);
	sem_init(&pong, 0, 0);
	is(result(sem_trywait(&ping)), -EAGAIN, "a semaphore of 0 isn't had");
	is(result(sem_timedwait(&ping, &when)), -ETIMEDOUT, "nor by waiting for a time");
	pthread_create(&thread, NULL, answer_pings, NULL);
	for (int i = 0; i < 1000; i++) {
		sem_post(&ping);
		sem_wait(&pong);
	}
	pthread_join(thread, NULL);
	sem_getvalue(&pong, &value);
	is(value, 0, "two semaphores, 1000 times there and back");

	pthread_key_create(&key, destroy);
	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	counter = 0;
	start_all(THREADS, use_once_and_key);
	is(join_all(THREADS), 0,
	   "pthread_once runs before anyone goes on; a key's value is a thread's own");
	is(once_count, 1, "once is once");
	is(destroyed, THREADS + 1, "values are destroyed, again if they were set again");
	is(counter, THREADS, "a spin lock keeps others out");
	pthread_key_delete(key);
}

/* --- cancellation ----------------------------------------------------------------------------------- */

static char cleanups[16];
static int cleaned, blocked_pipe[2];
static sem_t ready;

static void note_cleanup(void *arg)
{
	cleanups[cleaned++] = (char)(long)arg;
}

static void unlock_mutex(void *arg)
{
	note_cleanup(arg);
	/* A wait that is cancelled gives the mutex back first. */
	if (pthread_mutex_unlock(&mutex) != 0)
		note_cleanup((void *)'!');
}

static void *sleep_long(void *arg)
{
	pthread_cleanup_push(note_cleanup, (void *)'a');
	pthread_cleanup_push(note_cleanup, (void *)'b');
	sem_post(&ready);
	sleep(1000);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return arg;
}

static void *read_long(void *arg)
{
	char byte;

	sem_post(&ready);
	return read(blocked_pipe[0], &byte, 1) == 1 ? arg : (void *)1;
}

static void *wait_long(void *arg)
{
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(unlock_mutex, (void *)'c');
	sem_post(&ready);
	for (;;)
		pthread_cond_wait(&cond, &mutex);
	pthread_cleanup_pop(0);
	return arg;
}

static void *resist(void *arg)
{
	int old;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	sem_post(&ready);
	sem_wait(&ping);
	/* It has been cancelled by now. */
	pthread_testcancel();
	note_cleanup((void *)'d');
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
	pthread_testcancel();
	note_cleanup((void *)'e');
	return arg;
}

static void *spin_until_cancelled(void *arg)
{
	int old;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
	sem_post(&ready);
	while (arg == NULL)
		__asm__ volatile("pause");
	return arg;
}

static void cancels(void *(*run)(void *), const char *order, const char *name)
{
	pthread_t thread;
	void *value = NULL;

	memset(cleanups, 0, sizeof(cleanups));
	cleaned = 0;
	pthread_create(&thread, NULL, run, NULL);
	sem_wait(&ready);
	pthread_cancel(thread);
	sem_post(&ping);
	pthread_join(thread, &value);
	ok(value == PTHREAD_CANCELED, "%s is cancelled", name);
	is_str(cleanups, order, "%s: what it does then", name);
	sem_trywait(&ping);
}

static void test_cancellation(void)
{
	sem_init(&ready, 0, 0);
	sem_init(&ping, 0, 0);
	if (pipe(blocked_pipe) != 0)
		diag("pipe: %s", strerror(errno));
	cancels(sleep_long, "ba", "a thread that sleeps");
	cancels(read_long, "", "one that reads from a pipe");
	cancels(wait_long, "c", "one that waits for a condition");
	cancels(resist, "d", "one that resists for a while");
	cancels(spin_until_cancelled, "", "one that computes");
	is(pthread_mutex_trylock(&mutex), 0, "the mutex is free");
	pthread_mutex_unlock(&mutex);
}

/* --- detached threads, other stacks ----------------------------------------------------------------- */

static void *post_and_go(void *arg)
{
	sem_post(&ready);
	return arg;
}

static void *use_stack(void *arg)
{
	volatile char frame[200000];

	for (size_t i = 0; i < sizeof(frame); i += 4096)
		frame[i] = 1;
	return (char *)arg + frame[0] - 1;
}

static void test_detached(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	void *value = NULL;
	int good = 0;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 65536);
	for (int i = 0; i < 4 * THREADS; i++)
		good += pthread_create(&thread, &attr, post_and_go, NULL) == 0;
	for (int i = 0; i < good; i++)
		sem_wait(&ready);
	is(good, 4 * THREADS, "256 detached threads come and go");
	pthread_create(&thread, NULL, post_and_go, NULL);
	is(pthread_detach(thread), 0, "a thread is detached while it runs");
	sem_wait(&ready);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_JOINABLE);
	pthread_attr_setstacksize(&attr, 1 << 20);
	is(pthread_create(&thread, &attr, use_stack, (void *)99), 0,
	   "a thread with a stack of 1 MiB");
	pthread_join(thread, &value);
	is((long)value, 99, "uses it");
}

/* --- robust mutexes --------------------------------------------------------------------------------- */

static pthread_mutex_t robust;

static void *die_with_mutex(void *arg)
{
	pthread_mutex_lock(&robust);
	return arg;
}

static void *wait_for_owner(void *arg)
{
	sem_post(&ready);
	(void)arg;
	return (void *)(long)pthread_mutex_lock(&robust);
}

static void *own_for_a_while(void *arg)
{
	pthread_mutex_lock(&robust);
	sem_post(&ready);
	sem_wait(&ping);
	return arg;
}

static void test_robust(void)
{
	pthread_t owner, waiter;
	void *value = NULL;

	init_mutex(&robust, PTHREAD_MUTEX_NORMAL, PTHREAD_PROCESS_PRIVATE, PTHREAD_MUTEX_ROBUST);
	in_thread(die_with_mutex, NULL);
	is(pthread_mutex_trylock(&robust), EOWNERDEAD, "robust: the owner is dead");
	is(pthread_mutex_consistent(&robust), 0, "robust: made consistent");
	is(pthread_mutex_unlock(&robust), 0, "robust: and let go");
	is(pthread_mutex_lock(&robust), 0, "robust: is as before");
	pthread_mutex_unlock(&robust);

	pthread_create(&owner, NULL, own_for_a_while, NULL);
	sem_wait(&ready);
	pthread_create(&waiter, NULL, wait_for_owner, NULL);
	sem_wait(&ready);
	sem_post(&ping);
	pthread_join(owner, NULL);
	pthread_join(waiter, &value);
	is((long)value, EOWNERDEAD, "robust: who waits is told as well");
	is(pthread_mutex_lock(&robust), EOWNERDEAD, "robust: the heir died without a word");
	is(pthread_mutex_unlock(&robust), 0, "robust: let go as it was");
	is(pthread_mutex_lock(&robust), ENOTRECOVERABLE, "robust: nobody gets it any more");
}

/* --- signals ---------------------------------------------------------------------------------------- */

static volatile sig_atomic_t handled_by_wrong, handled;
static pthread_t target;

static void handle(int sig)
{
	(void)sig;
	if (pthread_equal(pthread_self(), target))
		handled++;
	else
		handled_by_wrong++;
}

static void *block_and_wait(void *arg)
{
	sigset_t set;
	int sig = 0;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	sem_post(&ready);
	sigwait(&set, &sig);
	return (void *)(long)sig;
}

static void *take_signal(void *arg)
{
	sigset_t none;

	target = pthread_self();
	sigemptyset(&none);
	sem_post(&ready);
	while (!handled)
		sigsuspend(&none);
	return arg;
}

static void test_signals(void)
{
	struct sigaction action = { .sa_handler = handle }, old;
	pthread_t thread;
	sigset_t set, before;
	void *value = NULL;

	sigaction(SIGUSR1, &action, &old);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	/* All threads block it: it stays with the process until one takes it. */
	kill(getpid(), SIGUSR1);
	pthread_create(&thread, NULL, block_and_wait, NULL);
	sem_wait(&ready);
	pthread_join(thread, &value);
	is((long)value, SIGUSR1, "a signal to the process is there for a thread that waits later");
	pthread_create(&thread, NULL, block_and_wait, NULL);
	sem_wait(&ready);
	pthread_kill(thread, SIGUSR2);
	pthread_join(thread, &value);
	is((long)value, SIGUSR2, "one to a thread is that thread's");
	pthread_create(&thread, NULL, take_signal, NULL);
	sem_wait(&ready);
	kill(getpid(), SIGUSR1);
	pthread_join(thread, NULL);
	is(handled, 1, "one to the process goes to the thread that doesn't block it");
	is(handled_by_wrong, 0, "and to no other");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	target = pthread_self();
	is(pthread_kill(pthread_self(), SIGUSR1), 0, "one to oneself");
	is(handled, 2, "is handled at once");
	sigaction(SIGUSR1, &old, NULL);
}

/* --- between processes ------------------------------------------------------------------------------ */

struct shared {
	pthread_mutex_t mutex, robust;
	pthread_cond_t cond;
	pthread_barrier_t barrier;
	pthread_rwlock_t rwlock;
	sem_t sem;
	long counter, arrived;
};

static struct shared *shared;

static void *count_shared(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&shared->mutex);
		shared->counter++;
		if (i % 50 == 0)
			sched_yield();
		pthread_mutex_unlock(&shared->mutex);
	}
	return arg;
}

/* A process of 8 threads beside three more. */
static int shared_worker(void)
{
	int serial;

	serial = pthread_barrier_wait(&shared->barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
	start_all(8, count_shared);
	join_all(8);
	pthread_rwlock_rdlock(&shared->rwlock);
	pthread_rwlock_unlock(&shared->rwlock);
	pthread_mutex_lock(&shared->mutex);
	shared->arrived++;
	pthread_cond_broadcast(&shared->cond);
	while (shared->arrived < 4)
		pthread_cond_wait(&shared->cond, &shared->mutex);
	pthread_mutex_unlock(&shared->mutex);
	sem_post(&shared->sem);
	return 10 + serial;
}

static int die_with_shared_mutex(void)
{
	pthread_mutex_lock(&shared->robust);
	raise(SIGKILL);
	return 1;
}

static void init_shared(void)
{
	pthread_barrierattr_t barrier_attr;
	pthread_rwlockattr_t rwlock_attr;
	pthread_condattr_t cond_attr;

	init_mutex(&shared->mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_PROCESS_SHARED,
		   PTHREAD_MUTEX_STALLED);
	init_mutex(&shared->robust, PTHREAD_MUTEX_NORMAL, PTHREAD_PROCESS_SHARED,
		   PTHREAD_MUTEX_ROBUST);
	pthread_condattr_init(&cond_attr);
	pthread_condattr_setpshared(&cond_attr, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&shared->cond, &cond_attr);
	pthread_barrierattr_init(&barrier_attr);
	pthread_barrierattr_setpshared(&barrier_attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&shared->barrier, &barrier_attr, 4);
	pthread_rwlockattr_init(&rwlock_attr);
	pthread_rwlockattr_setpshared(&rwlock_attr, PTHREAD_PROCESS_SHARED);
	pthread_rwlock_init(&shared->rwlock, &rwlock_attr);
	sem_init(&shared->sem, 1, 0);
}

static void test_shared(void)
{
	int status, sum = 0, killed;
	pid_t pid[4];

	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!ok(shared != MAP_FAILED, "memory to share with other processes"))
		return;
	init_shared();
	pthread_rwlock_wrlock(&shared->rwlock);
	for (int i = 0; i < 4; i++) {
		pid[i] = fork();
		if (pid[i] == 0)
			_exit(shared_worker());
	}
	pthread_rwlock_unlock(&shared->rwlock);
	for (int i = 0; i < 4; i++) {
		sem_wait(&shared->sem);
		status = wait_status(pid[i]);
		sum += WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
	}
	is(sum, 41, "4 processes meet at a barrier, and wait for each other at the end");
	is(shared->counter, 4 * 8 * ROUNDS, "32 threads of 4 processes share a mutex");
	is(shared->arrived, 4, "and a condition");
	killed = in_child(die_with_shared_mutex);
	ok(WIFSIGNALED(killed) && WTERMSIG(killed) == SIGKILL, "a process is killed with a mutex");
	is(pthread_mutex_lock(&shared->robust), EOWNERDEAD, "which tells the next process");
	is(pthread_mutex_consistent(&shared->robust), 0, "is made consistent");
	is(pthread_mutex_unlock(&shared->robust), 0, "and let go");
}

/* --- threads and processes -------------------------------------------------------------------------- */

static int prepared, in_parent, forked;

static void prepare_fork(void)
{
	prepared++;
}

static void after_in_parent(void)
{
	in_parent++;
}

static void after_in_child(void)
{
	forked++;
}

static void *wait_for_ever(void *arg)
{
	sem_post(&ready);
	for (;;)
		pause();
	return arg;
}

static void start_sleepers(void)
{
	start_all(8, wait_for_ever);
	for (int i = 0; i < 8; i++)
		sem_wait(&ready);
}

static int child_of_thread(void)
{
	/* The only thread here is this one, which can make others. */
	start_all(8, use_tls);
	return join_all(8) == 0 && forked == 1 && prepared == 1 && in_parent == 0 ? 21 : 1;
}

static void *fork_in_thread(void *arg)
{
	(void)arg;
	pthread_barrier_init(&barrier, NULL, 8);
	return (void *)(long)in_child(child_of_thread);
}

static void *exit_in_thread(void *arg)
{
	(void)arg;
	exit(22);
}

static int exit_by_thread(void)
{
	start_sleepers();
	return in_thread(exit_in_thread, NULL) == 0 ? 1 : 2;
}

/* Whether the process's first thread has ended: 'Z' follows its name in stat. */
static bool leader_is_gone(void)
{
	char text[256] = "", *name_end;
	int fd = open("/proc/self/stat", O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		_exit(2);
	close(fd);
	name_end = strrchr(text, ')');
	return name_end && strncmp(name_end, ") Z ", 4) == 0;
}

/* The next two in programs of their own: musl's lists don't stand it in a forked child. */
static void *last_of_all(void *arg)
{
	while (!leader_is_gone())
		sched_yield();
	_exit(arg ? 23 : 1);
}

static int main_goes_first(int argc, char **argv)
{
	pthread_t thread;

	pthread_create(&thread, NULL, last_of_all, (void *)1);
	pthread_exit(NULL);
}

static int all_by_themselves(int argc, char **argv)
{
	pthread_t thread;

	pthread_create(&thread, NULL, post_and_go, NULL);
	pthread_exit(NULL);
}

static void *crash(void *arg)
{
	*(volatile int *)arg = 1;
	return NULL;
}

static int crash_in_thread(void)
{
	start_sleepers();
	return (int)in_thread(crash, (void *)8);
}

static void *run_another(void *arg)
{
	char *argv[] = { "sh", "-c", "exit 24", NULL };

	(void)arg;
	execv("/bin/sh", argv);
	return (void *)1;
}

static int exec_in_thread(void)
{
	start_sleepers();
	return (int)in_thread(run_another, NULL);
}

static void test_processes(void)
{
	int status;

	sem_init(&ready, 0, 0);
	pthread_atfork(prepare_fork, after_in_parent, after_in_child);
	ok(exited((int)in_thread(fork_in_thread, NULL), 21),
	   "a thread forks; the child makes threads");
	is(in_parent, 1, "what is to happen around a fork happens");
	ok(exited(in_child(exit_by_thread), 22), "a thread's exit is the process's");
	ok(exited(run_mode("main-first", NULL, NULL), 23), "the main thread may end first");
	ok(exited(run_mode("all", NULL, NULL), 0), "with the last thread ends the process");
	status = in_child(crash_in_thread);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "a thread's fault ends all");
	ok(exited(in_child(exec_in_thread), 24),
	   "a thread executes another program in their place");
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { "main-first", main_goes_first },
					     { "all", all_by_themselves },
					     { NULL, NULL } };

	tap_start(argc, argv, modes);
	test_mutexes();
	test_tls();
	test_barriers();
	test_conditions();
	test_rwlocks();
	test_small_things();
	test_cancellation();
	test_detached();
	test_robust();
	test_signals();
	test_shared();
	test_processes();
	return done_testing();
}
