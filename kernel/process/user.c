/* SPDX-License-Identifier: MIT */
#include "kernel/process/user.h"

#include "kernel/sync/spinlock.h"
#include "mm/slab.h"

#define USER_HASH 64

/* Taken in interrupts too: a timer's signal may be the last that waited for a user. */
static spinlock_t users_lock = SPINLOCK_INIT;
static struct hlist_head users[USER_HASH];
static struct kmem_cache *user_cache;

void user_init(void)
{
	user_cache = kmem_cache_create("user_struct", sizeof(struct user_struct), 0);
}

/* => users_lock */
static struct user_struct *lookup(u32 uid)
{
	struct user_struct *user;

	hlist_for_each_entry(user, &users[uid % USER_HASH], link) if (user->uid == uid) return user;
	return NULL;
}

struct user_struct *user_get(u32 uid)
{
	struct user_struct *new = kmem_cache_zalloc(user_cache, GFP_KERNEL), *user;
	unsigned long flags = spin_lock_irqsave(&users_lock);

	user = lookup(uid);
	if (!user && new) {
		user = new;
		new = NULL;
		user->uid = uid;
		hlist_add_head(&user->link, &users[uid % USER_HASH]);
	}
	if (user)
		user->count++;
	spin_unlock_irqrestore(&users_lock, flags);
	kmem_cache_free(user_cache, new);
	return user;
}

void user_hold(struct user_struct *user)
{
	unsigned long flags = spin_lock_irqsave(&users_lock);

	user->count++;
	spin_unlock_irqrestore(&users_lock, flags);
}

void user_put(struct user_struct *user)
{
	unsigned long flags = spin_lock_irqsave(&users_lock);
	bool last = --user->count == 0;

	if (last)
		hlist_del_init(&user->link);
	spin_unlock_irqrestore(&users_lock, flags);
	if (last)
		kmem_cache_free(user_cache, user);
}
