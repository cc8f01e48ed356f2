// SPDX-License-Identifier: GPL-2.0-only
/*
 * Derived keys of packets received lately. Receiving needs no state for a
 * connection: any key can be derived again from the device key and the SPI.
 * Only keys that have authenticated a packet get in, so that nobody pushes
 * them out by inventing SPIs.
 */

#include <kunit/visibility.h>
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "psp_ref_hw_int.h"

static struct psp_ref_cache_entry *
psp_ref_cache_set(struct psp_ref_cache *cache, const struct psp_ref_keyid *id)
{
	u32 hash = jhash_1word((__force u32)id->spi, cache->seed);

	return &cache->entry[hash % PSP_REF_CACHE_SETS * PSP_REF_CACHE_WAYS];
}

static struct psp_ref_cache_entry *
psp_ref_cache_find(struct psp_ref_cache *cache, const struct psp_ref_keyid *id)
{
	struct psp_ref_cache_entry *entry = psp_ref_cache_set(cache, id);
	int i;

	lockdep_assert_held(&cache->lock);

	for (i = 0; i < PSP_REF_CACHE_WAYS; i++, entry++)
		if (entry->key && entry->id.spi == id->spi &&
		    entry->id.epoch == id->epoch &&
		    entry->id.version == id->version)
			return entry;

	return NULL;
}

/* A free entry, else the one not used for longest */
static struct psp_ref_cache_entry *
psp_ref_cache_victim(struct psp_ref_cache *cache,
		     const struct psp_ref_keyid *id)
{
	struct psp_ref_cache_entry *entry = psp_ref_cache_set(cache, id);
	struct psp_ref_cache_entry *victim = entry;
	int i;

	lockdep_assert_held(&cache->lock);

	for (i = 0; i < PSP_REF_CACHE_WAYS; i++, entry++) {
		if (!entry->key)
			return entry;
		if ((s32)(entry->used - victim->used) < 0)
			victim = entry;
	}

	return victim;
}

/**
 * psp_ref_cache_create() - make an empty cache
 *
 * Return: cache, or NULL without memory.
 */
struct psp_ref_cache *psp_ref_cache_create(void)
{
	struct psp_ref_cache *cache;

	cache = kvzalloc(sizeof(*cache), GFP_KERNEL);
	if (!cache)
		return NULL;

	spin_lock_init(&cache->lock);
	cache->seed = get_random_u32();

	return cache;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_cache_create);

/**
 * psp_ref_cache_destroy() - wipe the keys and free the cache
 * @cache: cache that no engine uses any more
 */
void psp_ref_cache_destroy(struct psp_ref_cache *cache)
{
	psp_ref_cache_expire(cache, U64_MAX);
	kvfree(cache);
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_cache_destroy);

/**
 * psp_ref_cache_get() - look for a key
 * @cache: cache
 * @id: which key
 *
 * Return: key with a reference for the caller, or NULL.
 */
struct psp_ref_key *psp_ref_cache_get(struct psp_ref_cache *cache,
				      const struct psp_ref_keyid *id)
{
	struct psp_ref_cache_entry *entry;
	struct psp_ref_key *key = NULL;

	spin_lock(&cache->lock);
	entry = psp_ref_cache_find(cache, id);
	if (entry) {
		entry->used = cache->clock++;
		key = entry->key;
		refcount_inc(&key->ref);
	}
	spin_unlock(&cache->lock);

	return key;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_cache_get);

/**
 * psp_ref_cache_add() - remember a key that has authenticated a packet
 * @cache: cache
 * @id: which key
 * @key: the key; the caller's reference becomes the cache's
 */
void psp_ref_cache_add(struct psp_ref_cache *cache,
		       const struct psp_ref_keyid *id,
		       struct psp_ref_key *key)
{
	struct psp_ref_cache_entry *entry;

	spin_lock(&cache->lock);
	/* Another queue may have been faster, and so may a rotation */
	if (id->epoch >= cache->oldest && !psp_ref_cache_find(cache, id)) {
		entry = psp_ref_cache_victim(cache, id);
		swap(entry->key, key);
		entry->id = *id;
		entry->used = cache->clock++;
	}
	spin_unlock(&cache->lock);

	psp_ref_key_put(key);
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_cache_add);

static struct psp_ref_key *
psp_ref_cache_take_old(struct psp_ref_cache *cache,
		       struct psp_ref_cache_entry *entry)
{
	struct psp_ref_key *key = NULL;

	spin_lock(&cache->lock);
	if (entry->key && entry->id.epoch < cache->oldest)
		swap(entry->key, key);
	spin_unlock(&cache->lock);

	return key;
}

/**
 * psp_ref_cache_expire() - wipe the keys of device keys rotated out
 * @cache: cache
 * @oldest: first epoch whose keys may stay
 */
void psp_ref_cache_expire(struct psp_ref_cache *cache, u64 oldest)
{
	unsigned int i;

	spin_lock(&cache->lock);
	cache->oldest = oldest;
	spin_unlock(&cache->lock);

	for (i = 0; i < ARRAY_SIZE(cache->entry); i++)
		psp_ref_key_put(psp_ref_cache_take_old(cache,
						       &cache->entry[i]));
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_cache_expire);
