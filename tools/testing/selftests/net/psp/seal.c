// SPDX-License-Identifier: GPL-2.0
/* PSP packets made and opened in user space */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "seal.h"

static bool seal_is_gmac(uint32_t version)
{
	return version >= 2;
}

static const EVP_CIPHER *seal_cipher(const struct psp_key *key)
{
	switch (key->len) {
	case 16:
		return EVP_aes_128_gcm();
	case 32:
		return EVP_aes_256_gcm();
	default:
		return NULL;
	}
}

/**
 * struct seal_part - one packet on its way through the cipher
 * @aad: bytes that are only authenticated
 * @aad_len: their number
 * @in: bytes to encrypt or decrypt
 * @len: their number
 * @out: where they go
 * @icv: ICV to be written, or to be compared with
 */
struct seal_part {
	const uint8_t *aad;
	int aad_len;
	const uint8_t *in;
	int len;
	uint8_t *out;
	uint8_t *icv;
};

/* The nonce is the SPI and the IV, as they stand in the header */
static bool seal_run(EVP_CIPHER_CTX *ctx, const struct psp_key *key,
		     const uint8_t *psph, const struct seal_part *part,
		     bool encrypt)
{
	uint8_t dummy[16];
	int n;

	return EVP_CipherInit_ex(ctx, seal_cipher(key), NULL, key->key,
				 psph + 4, encrypt) &&
	       (encrypt ||
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, PSP_ICV_LEN,
				    part->icv)) &&
	       EVP_CipherUpdate(ctx, NULL, &n, part->aad, part->aad_len) &&
	       (!part->len ||
		EVP_CipherUpdate(ctx, part->out, &n, part->in, part->len)) &&
	       EVP_CipherFinal_ex(ctx, dummy, &n) &&
	       (!encrypt ||
		EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, PSP_ICV_LEN,
				    part->icv));
}

static int seal_crypt(const struct psp_key *key, const uint8_t *psph,
		      const struct seal_part *part, bool encrypt)
{
	EVP_CIPHER_CTX *ctx;
	bool ok;

	if (!seal_cipher(key))
		return -EINVAL;
	ctx = EVP_CIPHER_CTX_new();
	if (!ctx)
		return -ENOMEM;
	ok = seal_run(ctx, key, psph, part, encrypt);
	EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : -EBADMSG;
}

static void seal_write_hdr(uint32_t spi, const struct seal_hdr *hdr,
			   uint8_t *psph)
{
	uint64_t iv = htobe64(hdr->iv);

	spi = htonl(spi);
	psph[0] = hdr->nexthdr;
	psph[1] = hdr->virt ? 2 : 1;
	psph[2] = hdr->crypt_offset / 4;
	psph[3] = hdr->version << 2 | (hdr->virt ? 3 : 1);
	memcpy(psph + 4, &spi, sizeof(spi));
	memcpy(psph + 8, &iv, sizeof(iv));
}

int seal_packet(const struct psp_key *key, const struct seal_hdr *hdr,
		const void *plain, size_t len, uint8_t *out)
{
	size_t cookie_len = hdr->virt ? SEAL_COOKIE_LEN : 0;
	uint8_t *rest = out + PSP_HDR_LEN;
	struct seal_part part = { .aad = out };
	size_t clear;
	int err;

	seal_write_hdr(key->spi, hdr, out);
	memcpy(rest, &hdr->cookie, cookie_len);
	memcpy(rest + cookie_len, plain, len);
	len += cookie_len;
	clear = seal_is_gmac(hdr->version) ? len : hdr->crypt_offset;
	if (clear < cookie_len || clear > len)
		return -EINVAL;

	part.aad_len = PSP_HDR_LEN + clear;
	part.in = rest + clear;
	part.out = rest + clear;
	part.len = len - clear;
	part.icv = rest + len;
	err = seal_crypt(key, out, &part, true);
	return err ? err : PSP_HDR_LEN + len + PSP_ICV_LEN;
}

int seal_open(const struct psp_key *key, const struct psp_frame *frame,
	      uint8_t *plain)
{
	const uint8_t *payload = frame->data + frame->payload;
	unsigned int hlen = frame->payload - frame->l4 - 8;
	const uint8_t *psph = payload - hlen;
	unsigned int len = frame->payload_len;
	unsigned int clear = (psph[2] & 0x3f) * 4;
	struct seal_part part = { .aad = psph };
	int err;

	/* A virtualization cookie counts inside the crypt offset */
	clear -= clear < hlen - PSP_HDR_LEN ? clear : hlen - PSP_HDR_LEN;
	if (seal_is_gmac(frame->version))
		clear = len;
	if (!frame->psp || clear > len ||
	    frame->payload + len + PSP_ICV_LEN > frame->len)
		return -EINVAL;

	part.aad_len = hlen + clear;
	part.in = payload + clear;
	part.len = len - clear;
	part.out = plain + clear;
	part.icv = (uint8_t *)payload + len;
	memcpy(plain, payload, clear);
	err = seal_crypt(key, psph, &part, false);
	return err ? err : len;
}
