// SPDX-License-Identifier: GPL-2.0
/* Segments that seem to come from the peer, sent from the peer's port */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "forge.h"
#include "psp_wire.h"

#define FORGE_MAX	1500
#define FORGE_HLEN	(sizeof(struct ethhdr) + sizeof(struct ip6_hdr))

static int forge_packet_socket(const struct psp_end *end)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_ifindex = end->ifindex,
	};
	int fd, err;

	fd = psp_ns_socket(end->ns, AF_PACKET, SOCK_RAW, 0);
	if (fd < 0)
		return fd;
	if (bind(fd, (struct sockaddr *)&ll, sizeof(ll))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static bool forge_addr(const struct sockaddr_storage *addr,
		       struct in6_addr *ip, uint16_t *port)
{
	const struct sockaddr_in6 *sin6 = (const void *)addr;
	const struct sockaddr_in *sin = (const void *)addr;
	bool mapped;

	memset(ip, 0, sizeof(*ip));
	*port = sin->sin_port;
	if (addr->ss_family == AF_INET) {
		memcpy(ip, &sin->sin_addr, 4);
		return false;
	}

	mapped = IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr);
	if (mapped)
		memcpy(ip, &sin6->sin6_addr.s6_addr[12], 4);
	else
		*ip = sin6->sin6_addr;
	return !mapped;
}

static int forge_names(struct forge *forge, int victim)
{
	struct sockaddr_storage addr = { };
	socklen_t len = sizeof(addr);

	if (getsockname(victim, (struct sockaddr *)&addr, &len))
		return -errno;
	forge->ipv6 = forge_addr(&addr, &forge->daddr, &forge->dport);
	len = sizeof(addr);
	if (getpeername(victim, (struct sockaddr *)&addr, &len))
		return -errno;
	forge_addr(&addr, &forge->saddr, &forge->sport);
	return 0;
}

int forge_open(struct forge *forge, struct psp_conn *conn,
	       struct psp_side *victim)
{
	const struct psp_end *peer = psp_conn_peer(conn, victim)->end;
	int err;

	memset(forge, 0, sizeof(*forge));
	memcpy(forge->src, peer->mac, sizeof(forge->src));
	memcpy(forge->dst, victim->end->mac, sizeof(forge->dst));
	forge->fd = forge_packet_socket(peer);
	if (forge->fd < 0)
		return forge->fd;
	err = forge_names(forge, victim->fd);
	return err ? err : forge_sync(forge, victim->fd);
}

void forge_close(struct forge *forge)
{
	if (forge->fd > 0)
		close(forge->fd);
	forge->fd = -1;
}

static int forge_queue_seq(int fd, int queue, uint32_t *seq)
{
	socklen_t len = sizeof(*seq);

	if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue,
		       sizeof(queue)) ||
	    getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, seq, &len))
		return -errno;
	return 0;
}

/* TCP forgets SO_REUSEADDR when it is repaired */
int forge_sync(struct forge *forge, int victim)
{
	int on = TCP_REPAIR_ON, off = TCP_REPAIR_OFF_NO_WP, reuse, err;
	socklen_t len = sizeof(reuse);

	if (getsockopt(victim, SOL_SOCKET, SO_REUSEADDR, &reuse, &len) ||
	    setsockopt(victim, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)))
		return -errno;
	err = forge_queue_seq(victim, TCP_RECV_QUEUE, &forge->seq);
	if (!err)
		err = forge_queue_seq(victim, TCP_SEND_QUEUE, &forge->ack);
	if (setsockopt(victim, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)) ||
	    setsockopt(victim, SOL_SOCKET, SO_REUSEADDR, &reuse,
		       sizeof(reuse)))
		return -errno;
	return err;
}

static uint32_t forge_sum(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	return sum;
}

static uint16_t forge_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

size_t forge_tcp(const struct forge *forge, const struct forge_seg *seg,
		 uint8_t *out)
{
	struct tcphdr *th = (struct tcphdr *)out;
	size_t len = sizeof(*th) + seg->len;
	uint32_t sum = IPPROTO_TCP + len;

	memset(th, 0, sizeof(*th));
	th->source = forge->sport;
	th->dest = forge->dport;
	th->seq = htonl(forge->seq + seg->seq);
	if (seg->flags & FORGE_ACK)
		th->ack_seq = htonl(forge->ack + seg->ack);
	th->doff = sizeof(*th) / 4;
	out[13] = seg->flags;
	th->window = htons(0x2000);
	if (seg->len)
		memcpy(th + 1, seg->data, seg->len);

	/* What IPv4 does not use of the addresses is 0 */
	sum = forge_sum(sum, &forge->saddr, sizeof(forge->saddr));
	sum = forge_sum(sum, &forge->daddr, sizeof(forge->daddr));
	th->check = forge_fold(forge_sum(sum, out, len));
	return len;
}

static size_t forge_hdr4(const struct forge *forge, uint8_t proto, size_t len,
			 uint8_t *out)
{
	struct iphdr *ip = (struct iphdr *)out;

	memset(ip, 0, sizeof(*ip));
	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tot_len = htons(sizeof(*ip) + len);
	ip->id = htons(forge->seq);
	ip->frag_off = htons(forge->frag ?: IP_DF);
	ip->ttl = 64;
	ip->protocol = proto;
	memcpy(&ip->saddr, &forge->saddr, sizeof(ip->saddr));
	memcpy(&ip->daddr, &forge->daddr, sizeof(ip->daddr));
	ip->check = forge_fold(forge_sum(0, ip, sizeof(*ip)));
	return sizeof(*ip);
}

static size_t forge_hdr6(const struct forge *forge, uint8_t proto, size_t len,
			 uint8_t *out)
{
	struct ip6_hdr *ip6 = (struct ip6_hdr *)out;

	memset(ip6, 0, sizeof(*ip6));
	ip6->ip6_flow = htonl(6U << 28);
	ip6->ip6_plen = htons(len);
	ip6->ip6_nxt = proto;
	ip6->ip6_hlim = 64;
	ip6->ip6_src = forge->saddr;
	ip6->ip6_dst = forge->daddr;
	return sizeof(*ip6);
}

int forge_ip(const struct forge *forge, uint8_t proto, const void *payload,
	     size_t len)
{
	uint8_t frame[FORGE_HLEN + FORGE_MAX];
	struct ethhdr *eth = (struct ethhdr *)frame;
	uint8_t *pos = (uint8_t *)(eth + 1);

	if (len > FORGE_MAX)
		return -EMSGSIZE;
	memcpy(eth->h_dest, forge->dst, sizeof(eth->h_dest));
	memcpy(eth->h_source, forge->src, sizeof(eth->h_source));
	eth->h_proto = htons(forge->ipv6 ? ETH_P_IPV6 : ETH_P_IP);
	pos += forge->ipv6 ? forge_hdr6(forge, proto, len, pos) :
			     forge_hdr4(forge, proto, len, pos);
	memcpy(pos, payload, len);
	len += pos - frame;
	return send(forge->fd, frame, len, 0) == len ? 0 : -errno;
}

int forge_plain(const struct forge *forge, const struct forge_seg *seg)
{
	uint8_t tcp[FORGE_MAX];

	if (seg->len > FORGE_MAX - sizeof(struct tcphdr))
		return -EMSGSIZE;
	return forge_ip(forge, IPPROTO_TCP, tcp, forge_tcp(forge, seg, tcp));
}

int forge_seal(const struct forge *forge, const struct forge_seg *seg,
	       struct seal_hdr *hdr, const struct psp_key *key, uint8_t *out)
{
	uint8_t tcp[FORGE_MAX];

	if (seg->len > FORGE_MAX - sizeof(struct tcphdr) ||
	    getrandom(&hdr->iv, sizeof(hdr->iv), 0) != sizeof(hdr->iv))
		return -EMSGSIZE;
	hdr->nexthdr = IPPROTO_TCP;
	return seal_packet(key, hdr, tcp, forge_tcp(forge, seg, tcp), out);
}

int forge_udp(const struct forge *forge, const void *psp, size_t len)
{
	uint8_t udp[sizeof(struct udphdr) + FORGE_PSP_MAX];
	struct udphdr *uh = (struct udphdr *)udp;

	if (len > FORGE_PSP_MAX)
		return -EMSGSIZE;
	memset(uh, 0, sizeof(*uh));
	uh->uh_sport = htons(40000);
	uh->uh_dport = htons(PSP_UDP_PORT);
	uh->uh_ulen = htons(sizeof(*uh) + len);
	memcpy(uh + 1, psp, len);
	return forge_ip(forge, IPPROTO_UDP, udp, sizeof(*uh) + len);
}

int forge_psp(const struct forge *forge, const struct forge_seg *seg,
	      uint32_t version, const struct psp_key *key)
{
	struct seal_hdr hdr = { .version = version };
	uint8_t psp[FORGE_PSP_MAX];
	int len;

	len = forge_seal(forge, seg, &hdr, key, psp);
	return len < 0 ? len : forge_udp(forge, psp, len);
}

static struct forge_seg forge_text_seg(const char *text)
{
	return (struct forge_seg) {
		.flags = FORGE_ACK | FORGE_PSH,
		.data = text,
		.len = strlen(text),
	};
}

int forge_text(const struct forge *forge, const char *text)
{
	struct forge_seg seg = forge_text_seg(text);

	return forge_plain(forge, &seg);
}

int forge_psp_text(const struct forge *forge, const char *text,
		   uint32_t version, const struct psp_key *key)
{
	struct forge_seg seg = forge_text_seg(text);

	return forge_psp(forge, &seg, version, key);
}

int forge_deafen(int fd, bool deaf)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog prog = { .len = 1, .filter = &nothing };
	int unused = 0;

	if (!deaf)
		return setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused,
				  sizeof(unused)) ? -errno : 0;
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			  sizeof(prog)) ? -errno : 0;
}
