// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device keys, and the SPIs and keys derived from them. A device key is born
 * here from the kernel's random numbers, lives in a CMAC transform and never
 * leaves.
 */

#include <crypto/hash.h>
#include <kunit/visibility.h>
#include <linux/bitfield.h>
#include <linux/random.h>
#include <linux/string.h>

#include "psp_ref_hw_int.h"

#define PSP_REF_DEVKEY_SIZE	32
#define PSP_REF_CMAC_SIZE	16

/**
 * struct psp_ref_kdf_input - what the CMAC is taken of
 * @counter: 1, and 2 for the second half of a 256-bit key
 * @label: "Pv", a digit for the version, 0
 * @spi: SPI
 * @bits: length of the derived key in bits
 */
struct psp_ref_kdf_input {
	__be32	counter;
	u8	label[4];
	__be32	spi;
	__be32	bits;
};

static u8 psp_ref_spi_phase(__be32 spi)
{
	return FIELD_GET(PSP_SPI_KEY_PHASE, be32_to_cpu(spi));
}

static bool psp_ref_spi_is_valid(__be32 spi)
{
	return FIELD_GET(PSP_SPI_KEY_ID, be32_to_cpu(spi));
}

/**
 * psp_ref_kdf() - derive the key of an SPI
 * @cmac: device key
 * @version: PSP version
 * @spi: SPI
 * @out: key of the length that @version asks for
 *
 * Each 16 bytes of key are the CMAC of a struct psp_ref_kdf_input.
 *
 * Return: 0 or a negative error.
 */
int psp_ref_kdf(struct crypto_shash *cmac, u8 version, __be32 spi, u8 *out)
{
	u32 size = psp_key_size(version);
	struct psp_ref_kdf_input input = {
		.label = { 'P', 'v', '0' + version, 0 },
		.spi = spi,
		.bits = cpu_to_be32(size * BITS_PER_BYTE),
	};
	u32 i;
	int err;

	if (!size)
		return -EINVAL;

	for (i = 0; i < size / PSP_REF_CMAC_SIZE; i++) {
		input.counter = cpu_to_be32(i + 1);
		err = crypto_shash_tfm_digest(cmac, (u8 *)&input,
					      sizeof(input),
					      out + i * PSP_REF_CMAC_SIZE);
		if (err)
			return err;
	}

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_kdf);

/**
 * psp_ref_cmac_alloc() - put a device key into a transform
 * @key: 32 bytes
 *
 * Return: transform or an ERR_PTR().
 */
struct crypto_shash *psp_ref_cmac_alloc(const u8 *key)
{
	struct crypto_shash *cmac;
	int err;

	cmac = crypto_alloc_shash("cmac(aes)", 0, 0);
	if (IS_ERR(cmac))
		return cmac;

	err = crypto_shash_setkey(cmac, key, PSP_REF_DEVKEY_SIZE);
	if (err) {
		crypto_free_shash(cmac);
		return ERR_PTR(err);
	}

	return cmac;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_cmac_alloc);

static struct crypto_shash *psp_ref_devkey_new(void)
{
	u8 key[PSP_REF_DEVKEY_SIZE];
	struct crypto_shash *cmac;

	get_random_bytes(key, sizeof(key));
	cmac = psp_ref_cmac_alloc(key);
	memzero_explicit(key, sizeof(key));

	return cmac;
}

/**
 * psp_ref_devkeys_init() - make the first device key
 * @keys: device keys, all zero
 *
 * Return: 0 or a negative error.
 */
int psp_ref_devkeys_init(struct psp_ref_devkeys *keys)
{
	struct crypto_shash *cmac;

	cmac = psp_ref_devkey_new();
	if (IS_ERR(cmac))
		return PTR_ERR(cmac);

	mutex_init(&keys->lock);
	keys->key[keys->phase].cmac = cmac;
	keys->next_spi = 1;

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_devkeys_init);

static void psp_ref_devkey_destroy(struct psp_ref_devkey *devkey)
{
	/* The crypto API wipes a transform's context when it frees it */
	if (devkey->cmac)
		crypto_free_shash(devkey->cmac);
	devkey->cmac = NULL;
}

/**
 * psp_ref_devkeys_destroy() - wipe the device keys
 * @keys: device keys
 */
void psp_ref_devkeys_destroy(struct psp_ref_devkeys *keys)
{
	psp_ref_devkey_destroy(&keys->key[0]);
	psp_ref_devkey_destroy(&keys->key[1]);
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_devkeys_destroy);

/**
 * psp_ref_devkeys_rotate() - make a new device key, wipe the older one
 * @keys: device keys
 * @generation: what the driver will call the new key
 * @epoch: count of rotations, this one included
 *
 * The new key takes the place of the one before the current key, whose phase
 * bit it has.
 *
 * Return: 0, or a negative error and nothing has changed.
 */
int psp_ref_devkeys_rotate(struct psp_ref_devkeys *keys, u8 generation,
			   u64 *epoch)
{
	struct psp_ref_devkey *devkey;
	struct crypto_shash *cmac;

	cmac = psp_ref_devkey_new();
	if (IS_ERR(cmac))
		return PTR_ERR(cmac);

	mutex_lock(&keys->lock);
	keys->phase ^= 1;
	keys->epoch++;
	keys->spis_used = 0;

	devkey = &keys->key[keys->phase];
	psp_ref_devkey_destroy(devkey);
	devkey->cmac = cmac;
	devkey->epoch = keys->epoch;
	devkey->generation = generation;
	*epoch = keys->epoch;
	mutex_unlock(&keys->lock);

	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_devkeys_rotate);

static __be32 psp_ref_devkeys_next_spi(struct psp_ref_devkeys *keys)
{
	u32 spi = keys->next_spi;

	lockdep_assert_held(&keys->lock);

	keys->next_spi = spi == PSP_SPI_KEY_ID ? 1 : spi + 1;
	keys->spis_used++;

	return cpu_to_be32(FIELD_PREP(PSP_SPI_KEY_PHASE, keys->phase) | spi);
}

/**
 * psp_ref_devkeys_spi_alloc() - give out an SPI under the current device key
 * @keys: device keys
 * @version: PSP version
 * @out: SPI and the key derived for it
 *
 * The count of SPIs runs on over rotations, so that a packet under an old
 * SPI is not mistaken for one of a new connection.
 *
 * Return: 0, -ENOSPC if all SPIs were given out since the last rotation, or
 * another negative error.
 */
int psp_ref_devkeys_spi_alloc(struct psp_ref_devkeys *keys, u8 version,
			      struct psp_key_parsed *out)
{
	int err = -ENOSPC;

	mutex_lock(&keys->lock);
	if (keys->spis_used < PSP_SPI_KEY_ID) {
		out->spi = psp_ref_devkeys_next_spi(keys);
		err = psp_ref_kdf(keys->key[keys->phase].cmac, version,
				  out->spi, out->key);
	}
	mutex_unlock(&keys->lock);

	return err;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_devkeys_spi_alloc);

/**
 * psp_ref_devkeys_identify() - find the device key of an SPI
 * @keys: device keys
 * @version: PSP version
 * @spi: SPI of a packet
 * @id: names the derived key
 *
 * Return: 0, or -ENOKEY if the SPI is reserved or there is no device key of
 * its phase.
 */
int psp_ref_devkeys_identify(struct psp_ref_devkeys *keys, u8 version,
			     __be32 spi, struct psp_ref_keyid *id)
{
	const struct psp_ref_devkey *devkey;
	int err = -ENOKEY;

	if (!psp_ref_spi_is_valid(spi))
		return err;

	mutex_lock(&keys->lock);
	devkey = &keys->key[psp_ref_spi_phase(spi)];
	if (devkey->cmac) {
		id->epoch = devkey->epoch;
		id->spi = spi;
		id->version = version;
		id->generation = devkey->generation;
		err = 0;
	}
	mutex_unlock(&keys->lock);

	return err;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_devkeys_identify);

/**
 * psp_ref_devkeys_derive() - derive the key of a received packet
 * @keys: device keys
 * @id: which key
 * @out: the key
 *
 * Return: 0, -ENOKEY if the device key was rotated out meanwhile, or another
 * negative error.
 */
int psp_ref_devkeys_derive(struct psp_ref_devkeys *keys,
			   const struct psp_ref_keyid *id, u8 *out)
{
	const struct psp_ref_devkey *devkey;
	int err = -ENOKEY;

	mutex_lock(&keys->lock);
	devkey = &keys->key[psp_ref_spi_phase(id->spi)];
	if (devkey->cmac && devkey->epoch == id->epoch)
		err = psp_ref_kdf(devkey->cmac, id->version, id->spi, out);
	mutex_unlock(&keys->lock);

	return err;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_devkeys_derive);
