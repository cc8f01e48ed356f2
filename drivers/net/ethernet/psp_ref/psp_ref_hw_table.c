// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transmit keys. Descriptors name a key by its handle: the slot, and the
 * generation of the slot, so that a handle kept for too long does not find
 * the slot's next key.
 */

#include <kunit/visibility.h>
#include <linux/bitfield.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "psp_ref_hw_int.h"

#define PSP_REF_HANDLE_SLOT	GENMASK(PSP_REF_SLOT_BITS - 1, 0)
#define PSP_REF_HANDLE_GEN	GENMASK(31, PSP_REF_SLOT_BITS)
#define PSP_REF_GEN_MAX		FIELD_MAX(PSP_REF_HANDLE_GEN)

static unsigned int key_table_size = 8192;
module_param(key_table_size, uint, 0644);
MODULE_PARM_DESC(key_table_size,
		 "Transmit keys that a port made from now on can hold");

/**
 * psp_ref_table_init() - make an empty key table
 * @table: table, all zero
 *
 * Return: 0 or -ENOMEM.
 */
int psp_ref_table_init(struct psp_ref_table *table)
{
	u32 i;

	table->size = clamp(READ_ONCE(key_table_size), 1U,
			    1U << PSP_REF_SLOT_BITS);
	table->slot = kvcalloc(table->size, sizeof(*table->slot), GFP_KERNEL);
	if (!table->slot)
		return -ENOMEM;

	table->limit = table->size;
	spin_lock_init(&table->lock);
	INIT_LIST_HEAD(&table->free);
	for (i = 0; i < table->size; i++)
		list_add_tail(&table->slot[i].free, &table->free);

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_table_init);

/**
 * psp_ref_table_destroy() - wipe all keys and free the table
 * @table: table that no engine uses any more
 */
void psp_ref_table_destroy(struct psp_ref_table *table)
{
	u32 i;

	for (i = 0; i < table->size; i++)
		psp_ref_key_put(table->slot[i].key);
	kvfree(table->slot);
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_table_destroy);

static u32 psp_ref_slot_handle(const struct psp_ref_table *table,
			       const struct psp_ref_slot *slot)
{
	return FIELD_PREP(PSP_REF_HANDLE_GEN, slot->generation) |
	       FIELD_PREP(PSP_REF_HANDLE_SLOT, slot - table->slot);
}

/* Generation 0 is left out: no handle is PSP_REF_NO_KEY */
static u32 psp_ref_slot_renew(struct psp_ref_table *table,
			      struct psp_ref_slot *slot)
{
	lockdep_assert_held(&table->lock);

	slot->generation = slot->generation == PSP_REF_GEN_MAX ?
			   1 : slot->generation + 1;

	return psp_ref_slot_handle(table, slot);
}

static struct psp_ref_slot *psp_ref_table_free_slot(struct psp_ref_table *table)
{
	lockdep_assert_held(&table->lock);

	if (table->used >= READ_ONCE(table->limit))
		return NULL;

	return list_first_entry_or_null(&table->free, struct psp_ref_slot,
					free);
}

/**
 * psp_ref_table_add() - put a key into the table
 * @table: table
 * @key: key; on success the caller's reference becomes the table's
 * @handle: the key's handle
 *
 * Return: 0, or -ENOSPC if the table is full.
 */
int psp_ref_table_add(struct psp_ref_table *table, struct psp_ref_key *key,
		      u32 *handle)
{
	struct psp_ref_slot *slot;
	int err = -ENOSPC;

	spin_lock(&table->lock);
	slot = psp_ref_table_free_slot(table);
	if (slot) {
		list_del(&slot->free);
		slot->key = key;
		*handle = psp_ref_slot_renew(table, slot);
		WRITE_ONCE(table->used, table->used + 1);
		err = 0;
	}
	spin_unlock(&table->lock);

	return err;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_table_add);

static struct psp_ref_slot *psp_ref_table_find(struct psp_ref_table *table,
					       u32 handle)
{
	u32 i = FIELD_GET(PSP_REF_HANDLE_SLOT, handle);
	struct psp_ref_slot *slot;

	lockdep_assert_held(&table->lock);

	if (i >= table->size)
		return NULL;

	slot = &table->slot[i];
	if (!slot->key ||
	    slot->generation != FIELD_GET(PSP_REF_HANDLE_GEN, handle))
		return NULL;

	return slot;
}

static struct psp_ref_key *psp_ref_slot_empty(struct psp_ref_table *table,
					      struct psp_ref_slot *slot)
{
	struct psp_ref_key *key = slot->key;

	lockdep_assert_held(&table->lock);

	slot->key = NULL;
	if (READ_ONCE(table->lifo))
		list_add(&slot->free, &table->free);
	else
		list_add_tail(&slot->free, &table->free);
	WRITE_ONCE(table->used, table->used - 1);

	return key;
}

/**
 * psp_ref_table_del() - take a key out of the table
 * @table: table
 * @handle: its handle
 *
 * The key is wiped at once, or when the engine that is using it is done with
 * its packet.
 *
 * Return: 0, or -ENOENT if @handle is not valid.
 */
int psp_ref_table_del(struct psp_ref_table *table, u32 handle)
{
	struct psp_ref_key *key = NULL;
	struct psp_ref_slot *slot;

	spin_lock(&table->lock);
	slot = psp_ref_table_find(table, handle);
	if (slot)
		key = psp_ref_slot_empty(table, slot);
	spin_unlock(&table->lock);

	psp_ref_key_put(key);
	return slot ? 0 : -ENOENT;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_table_del);

/**
 * psp_ref_table_clear() - take all keys out of the table
 * @table: table
 *
 * No handle given out so far is valid any more. Process context, may sleep.
 */
void psp_ref_table_clear(struct psp_ref_table *table)
{
	struct psp_ref_key *key;
	u32 i;

	for (i = 0; i < table->size; i++) {
		key = NULL;
		spin_lock(&table->lock);
		if (table->slot[i].key)
			key = psp_ref_slot_empty(table, &table->slot[i]);
		spin_unlock(&table->lock);
		psp_ref_key_put(key);
		cond_resched();
	}
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_table_clear);

/**
 * psp_ref_table_get() - fetch a descriptor's key
 * @table: table
 * @handle: handle found in the descriptor
 *
 * Return: key with a reference for the caller, or NULL if @handle is not
 * valid.
 */
struct psp_ref_key *psp_ref_table_get(struct psp_ref_table *table, u32 handle)
{
	struct psp_ref_key *key = NULL;
	struct psp_ref_slot *slot;

	spin_lock(&table->lock);
	slot = psp_ref_table_find(table, handle);
	if (slot) {
		key = slot->key;
		refcount_inc(&key->ref);
	}
	spin_unlock(&table->lock);

	return key;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_table_get);

/**
 * psp_ref_table_set_left() - put free slots near the end of their generations
 * @table: table
 * @left: keys that each of them can hold before its generations begin anew
 *
 * For tests, of a table whose handles are not in use yet: it takes the lock for
 * as long as there are free slots.
 *
 * Return: 0, or -EINVAL if there are not as many generations.
 */
int psp_ref_table_set_left(struct psp_ref_table *table, u64 left)
{
	struct psp_ref_slot *slot;

	if (left >= PSP_REF_GEN_MAX)
		return -EINVAL;

	spin_lock(&table->lock);
	list_for_each_entry(slot, &table->free, free)
		slot->generation = PSP_REF_GEN_MAX - left;
	spin_unlock(&table->lock);

	return 0;
}

/**
 * psp_ref_table_handle() - look into a slot
 * @table: table
 * @i: number of the slot
 *
 * Return: the valid handle of its key, or PSP_REF_NO_KEY if it has none.
 */
u32 psp_ref_table_handle(struct psp_ref_table *table, u32 i)
{
	struct psp_ref_slot *slot = &table->slot[i];
	u32 handle = PSP_REF_NO_KEY;

	spin_lock(&table->lock);
	if (slot->key)
		handle = psp_ref_slot_handle(table, slot);
	spin_unlock(&table->lock);

	return handle;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_table_handle);
