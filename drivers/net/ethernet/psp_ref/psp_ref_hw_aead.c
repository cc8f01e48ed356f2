// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cipher of the PSP Architecture Specification: AES-GCM and AES-GMAC over
 * one packet, in place. Nonce and additional data are put together here and
 * nowhere else.
 */

#include <crypto/aead.h>
#include <kunit/visibility.h>
#include <linux/bitfield.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "psp_ref_hw_int.h"

static bool psp_ref_version_is_gmac(u8 version)
{
	return version == PSP_VERSION_HDR0_AES_GMAC_128 ||
	       version == PSP_VERSION_HDR0_AES_GMAC_256;
}

/**
 * psp_ref_key_set() - give a key object another key
 * @key: object that only the caller can see
 * @version: PSP version
 * @bytes: key of the length that @version asks for
 *
 * Return: 0 or a negative error; @key then holds no usable key.
 */
int psp_ref_key_set(struct psp_ref_key *key, u8 version, const u8 *bytes)
{
	key->version = version;
	return crypto_aead_setkey(key->tfm, bytes, psp_key_size(version));
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_key_set);

/**
 * psp_ref_key_alloc() - make a key object
 * @version: PSP version
 * @key: key bytes, NULL if psp_ref_key_set() will tell them
 *
 * Return: object with one reference, or an ERR_PTR().
 */
struct psp_ref_key *psp_ref_key_alloc(u8 version, const u8 *key)
{
	struct psp_ref_key *new;
	int err;

	new = kzalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return ERR_PTR(-ENOMEM);
	refcount_set(&new->ref, 1);

	new->tfm = crypto_alloc_aead("gcm(aes)", 0, 0);
	if (IS_ERR(new->tfm)) {
		err = PTR_ERR(new->tfm);
		goto err_free;
	}

	err = crypto_aead_setauthsize(new->tfm, PSP_TRL_SIZE);
	if (!err && key)
		err = psp_ref_key_set(new, version, key);
	if (err)
		goto err_free_tfm;

	return new;

err_free_tfm:
	crypto_free_aead(new->tfm);
err_free:
	kfree(new);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_key_alloc);

/**
 * psp_ref_key_put() - drop a reference; the last one wipes the key
 * @key: key object, or NULL
 */
void psp_ref_key_put(struct psp_ref_key *key)
{
	if (!key || !refcount_dec_and_test(&key->ref))
		return;

	/* The crypto API wipes a transform's context when it frees it */
	crypto_free_aead(key->tfm);
	kfree(key);
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_key_put);

/**
 * psp_ref_aead_free() - free what an engine's requests have left
 * @aead: engine's context; may be used again
 */
void psp_ref_aead_free(struct psp_ref_aead *aead)
{
	aead_request_free(aead->req);
	aead->req = NULL;
	aead->reqsize = 0;
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_aead_free);

/* Implementations of gcm(aes) may come and go, with contexts of their own
 * size: keep the request as long as the key at hand fits.
 */
static int psp_ref_aead_prepare(struct psp_ref_aead *aead,
				const struct psp_ref_key *key)
{
	unsigned int reqsize = crypto_aead_reqsize(key->tfm);

	if (aead->req && reqsize <= aead->reqsize) {
		aead_request_set_tfm(aead->req, key->tfm);
		return 0;
	}

	psp_ref_aead_free(aead);
	aead->req = aead_request_alloc(key->tfm, GFP_KERNEL);
	if (!aead->req)
		return -ENOMEM;

	aead->reqsize = reqsize;
	return 0;
}

/* Bytes in front of the part that is encrypted; GMAC encrypts nothing */
static unsigned int psp_ref_aad_len(const struct psp_ref_key *key,
				    const struct psphdr *psph,
				    unsigned int len)
{
	if (psp_ref_version_is_gmac(key->version))
		return PSP_HDR_SIZE + len;

	return PSP_HDR_SIZE +
	       4 * FIELD_GET(PSPHDR_CRYPT_OFFSET, psph->crypt_offset);
}

static int psp_ref_aead_crypt(struct psp_ref_aead *aead,
			      const struct psp_ref_key *key,
			      struct psphdr *psph, unsigned int len,
			      bool seal)
{
	unsigned int aad_len = psp_ref_aad_len(key, psph, len);
	unsigned int total = PSP_HDR_SIZE + len + PSP_TRL_SIZE;
	unsigned int crypt_len = PSP_HDR_SIZE + len - aad_len;
	DECLARE_CRYPTO_WAIT(wait);
	struct scatterlist sg;
	int err;

	if (aad_len > PSP_HDR_SIZE + len)
		return -EINVAL;

	err = psp_ref_aead_prepare(aead, key);
	if (err)
		return err;

	memcpy(aead->nonce, &psph->spi, 4);
	memcpy(aead->nonce + 4, &psph->iv, 8);
	sg_init_one(&sg, psph, total);

	aead_request_set_callback(aead->req, CRYPTO_TFM_REQ_MAY_SLEEP |
				  CRYPTO_TFM_REQ_MAY_BACKLOG,
				  crypto_req_done, &wait);
	aead_request_set_ad(aead->req, aad_len);
	aead_request_set_crypt(aead->req, &sg, &sg,
			       seal ? crypt_len : crypt_len + PSP_TRL_SIZE,
			       aead->nonce);

	return crypto_wait_req(seal ? crypto_aead_encrypt(aead->req) :
				      crypto_aead_decrypt(aead->req), &wait);
}

/**
 * psp_ref_seal() - encrypt a packet and write its ICV
 * @aead: calling engine's context
 * @key: key
 * @psph: PSP header, complete, in linear memory
 * @len: bytes between the 16 of @psph and the ICV, a cookie included; behind
 *	them is room for the ICV
 *
 * Return: 0 or a negative error.
 */
int psp_ref_seal(struct psp_ref_aead *aead, const struct psp_ref_key *key,
		 struct psphdr *psph, unsigned int len)
{
	return psp_ref_aead_crypt(aead, key, psph, len, true);
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_seal);

/**
 * psp_ref_open() - check a packet's ICV and decrypt it
 * @aead: calling engine's context
 * @key: key
 * @psph: PSP header, in linear memory
 * @len: bytes between the 16 of @psph and the ICV, a cookie included
 *
 * Return: 0, -EBADMSG if the ICV is wrong, or another negative error.
 */
int psp_ref_open(struct psp_ref_aead *aead, const struct psp_ref_key *key,
		 struct psphdr *psph, unsigned int len)
{
	return psp_ref_aead_crypt(aead, key, psph, len, false);
}
EXPORT_SYMBOL_IF_KUNIT(psp_ref_open);
