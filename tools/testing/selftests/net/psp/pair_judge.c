// SPDX-License-Identifier: GPL-2.0
/*
 * pair_judge CAPTURE KEYS... - what went between the two machines, as somebody
 * sees it who was given the keys: every PSP packet can be opened, has a TCP
 * segment with a right checksum in it, and what is not PSP carries no data.
 *
 * Reads a pcap file, and files of lines "SPI KEY" in hexadecimal. Runs
 * anywhere: no module, no kernel code. Prints KTAP.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "seal.h"

#define JUDGE_KEYS	256
#define JUDGE_MAGIC	0xa1b2c3d4
#define JUDGE_ETHERNET	1

/* Before the connection is secure, keys are all that is sent in plain */
#define JUDGE_PLAIN_MAX	48
#define JUDGE_PSP_MIN	2000

struct judge_file {
	uint32_t magic;
	uint32_t unused[4];
	uint32_t link;
};

struct judge_record {
	uint32_t unused[2];
	uint32_t len;
	uint32_t orig_len;
};

struct judge {
	struct psp_key key[JUDGE_KEYS];
	int keys;
	int frames;
	int psp;
	int opened;
	int sound;
	int plain_data;
};

static struct judge judge;

static bool judge_read_key(const char *line)
{
	struct psp_key *key = &judge.key[judge.keys];
	char hex[2 * PSP_KEY_MAX + 1];
	unsigned int byte;

	if (judge.keys == JUDGE_KEYS ||
	    sscanf(line, "%x %64s", &key->spi, hex) != 2)
		return false;
	for (key->len = 0; key->len < strlen(hex) / 2; key->len++) {
		if (sscanf(hex + 2 * key->len, "%2x", &byte) != 1)
			return false;
		key->key[key->len] = byte;
	}
	judge.keys++;
	return true;
}

static bool judge_read_keys(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[128];
	bool ok = file;

	while (ok && fgets(line, sizeof(line), file))
		ok = judge_read_key(line);
	if (file)
		fclose(file);
	return ok;
}

static uint32_t judge_sum(uint32_t sum, const uint8_t *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? data[i] : data[i] << 8;
	return sum;
}

/* TCP's checksum, over the addresses that are outside of the PSP packet */
static bool judge_is_sound(const struct psp_frame *frame, const uint8_t *tcp,
			   size_t len)
{
	bool v6 = frame->data[frame->l3] >> 4 == 6;
	uint32_t sum = IPPROTO_TCP + len;

	if (len < sizeof(struct tcphdr))
		return false;
	sum = judge_sum(sum, frame->data + frame->l3 + (v6 ? 8 : 12),
			v6 ? 32 : 8);
	sum = judge_sum(sum, tcp, len);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

static void judge_psp(const struct psp_frame *frame)
{
	static uint8_t tcp[PSP_FRAME_MAX];
	int i, len;

	judge.psp++;
	for (i = 0; i < judge.keys; i++) {
		if (judge.key[i].spi != frame->spi)
			continue;
		len = seal_open(&judge.key[i], frame, tcp);
		if (len < 0)
			continue;
		judge.opened++;
		judge.sound += judge_is_sound(frame, tcp, len);
		return;
	}
}

static bool judge_capture(const char *path)
{
	static struct psp_frame frame;
	struct judge_record rec;
	struct judge_file head;
	FILE *file;
	bool ok;

	file = fopen(path, "re");
	if (!file)
		return false;
	ok = fread(&head, sizeof(head), 1, file) == 1 &&
	     head.magic == JUDGE_MAGIC && head.link == JUDGE_ETHERNET;
	while (ok && fread(&rec, sizeof(rec), 1, file) == 1) {
		ok = rec.len <= sizeof(frame.data) && rec.len == rec.orig_len &&
		     fread(frame.data, 1, rec.len, file) == rec.len;
		frame.len = rec.len;
		psp_frame_parse(&frame);
		judge.frames++;
		if (frame.psp)
			judge_psp(&frame);
		else if (frame.tcp_len > JUDGE_PLAIN_MAX)
			judge.plain_data++;
	}
	fclose(file);
	return ok;
}

int main(int argc, char **argv)
{
	bool ok = argc > 2;
	int i;

	ksft_print_header();
	ksft_set_plan(4);
	for (i = 2; i < argc; i++)
		ok = ok && judge_read_keys(argv[i]);
	ok = ok && judge_capture(argv[1]);

	ksft_print_msg("%d keys, %d frames, %d with data in plain\n",
		       judge.keys, judge.frames, judge.plain_data);
	ksft_print_msg("%d PSP packets, %d opened, %d sound\n", judge.psp,
		       judge.opened, judge.sound);
	ksft_test_result(ok, "capture_and_keys_can_be_read\n");
	ksft_test_result(judge.psp >= JUDGE_PSP_MIN &&
			 judge.opened == judge.psp, "every_packet_opens\n");
	ksft_test_result(judge.sound && judge.sound == judge.psp,
			 "every_segment_is_sound\n");
	ksft_test_result(judge.frames && !judge.plain_data,
			 "no_data_in_plain\n");
	ksft_finished();
}
