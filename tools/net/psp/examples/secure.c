// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/*
 * secure [-l] ADDRESS PORT - a TCP connection, then PSP on it
 *
 * stdin and stdout are the channel that both ends trust. Example program of
 * Documentation/networking/psp_app.rst.
 */
#include <stdio.h>
#include <string.h>

#include "connection.h"

#define VERSION		PSP_AES_GCM_128
#define KEY_LEN		16

/* What goes over the channel: SPI in network byte order, and key */
struct offer {
	uint32_t spi;
	uint8_t key[KEY_LEN];
};

/* Our device makes a key; who has it can send to this socket */
static void offer_key(struct psp_ctx *ctx, int fd)
{
	struct psp_key key;
	struct offer offer;

	need(psp_rx_assoc(ctx, fd, VERSION, 0, &key, NULL), "rx-assoc");
	offer.spi = htonl(key.spi);
	memcpy(offer.key, key.key, KEY_LEN);
	psp_key_wipe(&key);
	need_errno(write(STDOUT_FILENO, &offer, sizeof(offer)), "channel");
	explicit_bzero(&offer, sizeof(offer));
}

/* The peer's key: from the moment that the kernel has it, we send under it */
static void take_key(struct psp_ctx *ctx, int fd)
{
	struct psp_key key = { .len = KEY_LEN };
	struct offer offer;

	if (read(STDIN_FILENO, &offer, sizeof(offer)) != sizeof(offer))
		errx(1, "no key came over the channel");
	key.spi = ntohl(offer.spi);
	memcpy(key.key, offer.key, KEY_LEN);
	explicit_bzero(&offer, sizeof(offer));
	need(psp_tx_assoc(ctx, fd, VERSION, 0, &key), "tx-assoc");
	psp_key_wipe(&key);
}

/* An ordinary socket: nothing in here knows of PSP */
static void talk(int fd, const char *text)
{
	char buf[64];
	ssize_t len;

	need_errno(write(fd, text, strlen(text)), "write");
	shutdown(fd, SHUT_WR);
	while ((len = read(fd, buf, sizeof(buf))) > 0)
		fprintf(stderr, "%.*s\n", (int)len, buf);
	need_errno(len, "read");
}

int main(int argc, char **argv)
{
	bool listening = argc == 4 && !strcmp(argv[1], "-l");
	struct psp_ctx *ctx;
	int fd;

	if (argc != (listening ? 4 : 3))
		errx(2, "usage: secure [-l] ADDRESS PORT");
	need(psp_open(&ctx), "psp");
	fd = get_connection(listening, argv[argc - 2], argv[argc - 1]);
	need_errno(fd, "connection");

	offer_key(ctx, fd);
	take_key(ctx, fd);
	talk(fd, listening ? "hello from the server" : "hello from the client");

	close(fd);
	psp_close(ctx);
	return 0;
}
