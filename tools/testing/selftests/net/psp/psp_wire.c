// SPDX-License-Identifier: GPL-2.0
/* What can be done to, and seen on, the wire of a psp_ref port */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "psp_wire.h"

#define PSP_DEBUGFS	"/sys/kernel/debug"
#define PSP_HARM_SCALE	10000	/* the knobs take frames out of so many */
#define PSP_LOST_MS	20000
#define PSP_TAP_NAME	"psptap"
#define PSP_TAP_RCVBUF	(64 << 20)

static int psp_knob_open(struct psp_end *end, const char *knob, int flags)
{
	char path[256], bus[64], *id;
	int fd, err;

	err = psp_ethtool_bus(end, bus, sizeof(bus));
	if (err)
		return err;
	if (access(PSP_DEBUGFS "/psp_ref", F_OK) &&
	    mount("debugfs", PSP_DEBUGFS, "debugfs", 0, NULL) &&
	    errno != EBUSY)
		return -errno;
	/* The bus info is psp_ref.N, the directory psp_ref/N */
	id = strrchr(bus, '.');
	if (!id)
		return -ENODEV;
	snprintf(path, sizeof(path), PSP_DEBUGFS "/psp_ref/%s/%s", id + 1,
		 knob);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int psp_knob_set(struct psp_end *end, const char *knob, const char *fmt, ...)
{
	char val[128];
	va_list args;
	int fd, err = 0;

	va_start(args, fmt);
	vsnprintf(val, sizeof(val), fmt, args);
	va_end(args);

	fd = psp_knob_open(end, knob, O_WRONLY);
	if (fd < 0)
		return fd;
	if (write(fd, val, strlen(val)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int psp_knob_get(struct psp_end *end, const char *knob, char *buf, size_t len)
{
	int fd = psp_knob_open(end, knob, O_RDONLY);
	ssize_t n;
	int err = 0;

	if (fd < 0)
		return fd;
	n = read(fd, buf, len - 1);
	if (n < 0)
		err = -errno;
	buf[n < 0 ? 0 : n] = 0;
	close(fd);
	return err;
}

int64_t psp_gauge(struct psp_end *end, const char *name)
{
	char buf[32];
	int err = psp_knob_get(end, name, buf, sizeof(buf));

	return err ? err : strtoll(buf, NULL, 0);
}

int psp_gauge_wait(struct psp_end *end, const char *name, int64_t want,
		   int ms)
{
	uint64_t deadline = psp_now_ms() + ms;
	int64_t num;

	while ((num = psp_gauge(end, name)) != want) {
		if (num < 0)
			return num;
		if (psp_now_ms() > deadline)
			return -ETIMEDOUT;
		psp_nap();
	}
	return 0;
}

int psp_param_set(const char *name, const char *val)
{
	char path[128];
	int fd, err = 0;

	snprintf(path, sizeof(path), "/sys/module/psp_ref/parameters/%s",
		 name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, val, strlen(val)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int psp_wire_harm(struct psp_end *end, const char *harm, double percent)
{
	char knob[64];

	snprintf(knob, sizeof(knob), "wire_%s", harm);
	return psp_knob_set(end, knob, "%d",
			    (int)(percent * PSP_HARM_SCALE / 100));
}

int psp_wire_wait_lost(struct psp_end *end, int64_t num)
{
	uint64_t deadline = psp_now_ms() + PSP_LOST_MS;
	int64_t lost;

	for (;;) {
		lost = psp_gauge(end, "wire_lost");
		if (lost < 0 || lost >= num)
			return lost < 0 ? lost : 0;
		if (psp_now_ms() > deadline)
			return -ETIMEDOUT;
		psp_nap();
	}
}

static int psp_tap_bind(struct psp_tap *tap, int ifindex)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = ifindex,
	};
	int size = PSP_TAP_RCVBUF;

	tap->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
			 0);
	if (tap->fd < 0)
		return -errno;
	if (setsockopt(tap->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)) ||
	    bind(tap->fd, (struct sockaddr *)&ll, sizeof(ll)))
		return -errno;
	return 0;
}

/* In the port's namespace: an interface to mirror to, a socket to read it */
static int psp_tap_link(struct psp_tap *tap)
{
	int err;

	err = psp_link_add(PSP_TAP_NAME, "dummy", 0);
	if (err)
		return err;
	tap->ifindex = if_nametoindex(PSP_TAP_NAME);
	psp_sysctl("net/ipv6/conf/" PSP_TAP_NAME "/disable_ipv6", "1");
	err = psp_link_up(tap->ifindex, true);
	if (!err)
		err = psp_tap_bind(tap, tap->ifindex);
	return err ? err : psp_knob_set(tap->end, "wire_tap", "%d",
					tap->ifindex);
}

/* Mirror the port's wire if no interface is named */
static int psp_tap_start(struct psp_tap *tap, struct psp_end *end,
			 const char *ifname)
{
	int home, err;

	memset(tap, 0, sizeof(*tap));
	tap->end = end;
	tap->fd = -1;
	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return -errno;
	err = psp_ns_enter(end->ns);
	if (!err && ifname)
		err = psp_tap_bind(tap, if_nametoindex(ifname));
	else if (!err)
		err = psp_tap_link(tap);
	psp_ns_enter(home);
	close(home);
	if (err)
		psp_tap_close(tap);
	return err;
}

int psp_tap_open(struct psp_tap *tap, struct psp_end *end)
{
	return psp_tap_start(tap, end, NULL);
}

int psp_tap_open_on(struct psp_tap *tap, struct psp_end *end,
		    const char *ifname)
{
	return psp_tap_start(tap, end, ifname);
}

void psp_tap_close(struct psp_tap *tap)
{
	int home;

	if (tap->fd >= 0)
		close(tap->fd);
	tap->fd = -1;
	if (!tap->ifindex)
		return;

	psp_knob_set(tap->end, "wire_tap", "0");
	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (!psp_ns_enter(tap->end->ns))
		psp_link_del(tap->ifindex);
	psp_ns_enter(home);
	close(home);
	tap->ifindex = 0;
}

int psp_tap_next(struct psp_tap *tap, struct psp_frame *frame,
		 int timeout_ms)
{
	struct pollfd pfd = { .fd = tap->fd, .events = POLLIN };
	ssize_t n;

	if (poll(&pfd, 1, timeout_ms) <= 0)
		return 0;
	n = recv(tap->fd, frame->data, sizeof(frame->data), 0);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	frame->len = n;
	psp_frame_parse(frame);
	return 1;
}

void psp_tap_flush(struct psp_tap *tap)
{
	char byte;

	while (recv(tap->fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0)
		;
}

bool psp_frame_from(const struct psp_frame *frame, const struct psp_end *end)
{
	const struct ethhdr *eth = (const void *)frame->data;

	return !memcmp(eth->h_source, end->mac, sizeof(end->mac));
}

/* Finds the transport header; IPv6 without extension headers is enough */
static void psp_frame_ip(struct psp_frame *frame)
{
	const struct ethhdr *eth = (const void *)frame->data;
	const struct ip6_hdr *ip6;
	const struct iphdr *ip;
	unsigned int end = 0;

	frame->l3 = sizeof(*eth);
	if (frame->len < sizeof(*eth) + sizeof(*ip))
		return;
	if (eth->h_proto == htons(ETH_P_IP)) {
		ip = (const void *)(frame->data + frame->l3);
		frame->l4 = frame->l3 + ip->ihl * 4;
		frame->proto = ip->protocol;
		end = frame->l3 + ntohs(ip->tot_len);
	} else if (eth->h_proto == htons(ETH_P_IPV6)) {
		ip6 = (const void *)(frame->data + frame->l3);
		frame->l4 = frame->l3 + sizeof(*ip6);
		frame->proto = ip6->ip6_nxt;
		end = frame->l4 + ntohs(ip6->ip6_plen);
	}
	if (frame->proto == IPPROTO_TCP && frame->len >= frame->l4 + 20)
		frame->tcp_len = end - frame->l4 -
				 (frame->data[frame->l4 + 12] >> 4) * 4;
}

void psp_frame_parse(struct psp_frame *frame)
{
	const struct udphdr *udp;
	const uint8_t *psph;
	size_t hlen;

	frame->l4 = 0;
	frame->proto = 0;
	frame->tcp_len = 0;
	frame->psp = false;
	psp_frame_ip(frame);
	hlen = frame->l4 + sizeof(*udp) + PSP_HDR_LEN;
	if (!frame->l4 || frame->proto != IPPROTO_UDP ||
	    frame->len < hlen + PSP_ICV_LEN)
		return;

	udp = (const void *)(frame->data + frame->l4);
	psph = (const uint8_t *)(udp + 1);
	if (udp->uh_dport != htons(PSP_UDP_PORT))
		return;

	frame->psp = true;
	frame->sport = ntohs(udp->uh_sport);
	frame->version = psph[3] >> 2 & 0xf;
	memcpy(&frame->spi, psph + 4, sizeof(frame->spi));
	frame->spi = ntohl(frame->spi);
	memcpy(&frame->iv, psph + 8, sizeof(frame->iv));
	frame->iv = be64toh(frame->iv);
	frame->payload = hlen + (psph[1] - 1) * 8;
	frame->payload_len = frame->l4 + ntohs(udp->uh_ulen) -
			     frame->payload - PSP_ICV_LEN;
}
