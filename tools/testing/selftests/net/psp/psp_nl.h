/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PSP_NL_H
#define PSP_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/psp.h>

#include "kselftest.h"

#define PSP_VERSIONS		4	/* known to the specification */
#define PSP_VERSIONS_ALL	0xf
#define PSP_KEY_MAX		32
#define PSP_MSG_MAX		8192

/**
 * struct psp_ack - what the kernel said about the last request
 * @err: 0 or -errno
 * @msg: extack message, "" if there is none
 * @bad: path of the bad attribute ("tx-key.key"), "" if none was named
 * @bad_offs: offset of the bad attribute in the request, 0 if none was named
 * @miss: path of the missing attribute ("dev-id"), "" if none was named
 * @miss_type: type of the missing attribute, 0 if none was named
 * @miss_nest: offset of the nest that lacks @miss_type, 0 for the top level
 */
struct psp_ack {
	int err;
	char msg[160];
	char bad[64];
	uint32_t bad_offs;
	char miss[64];
	uint32_t miss_type;
	uint32_t miss_nest;
};

/**
 * struct psp_nl - a generic netlink socket in one network namespace
 * @sk: the socket
 * @family: id of the family "psp"
 * @mgmt: id of the multicast group "mgmt"
 * @use: id of the multicast group "use"
 * @assoc: id of the multicast group "assoc", which mainline does not have
 * @cmds: commands of the family, bit N for command N
 * @seq: sequence number of the last request
 * @ack: answer to the last request
 * @req: last request, being built or sent
 * @reply: last message received, behind its netlink header if @reply_len
 * @reply_len: length of @reply, 0 if the request was only acknowledged
 */
struct psp_nl {
	struct mnl_socket *sk;
	uint16_t family;
	uint32_t mgmt;
	uint32_t use;
	uint32_t assoc;
	uint64_t cmds[4];
	uint32_t seq;
	struct psp_ack ack;
	char req[PSP_MSG_MAX];
	char reply[PSP_MSG_MAX];
	size_t reply_len;
};

/**
 * struct psp_key - an SPI and its key, as rx-assoc hands them out
 * @spi: SPI in host byte order
 * @len: bytes of @key in use
 * @key: the key
 */
struct psp_key {
	uint32_t spi;
	unsigned int len;
	uint8_t key[PSP_KEY_MAX];
};

#define PSP_ASSOC_DEVS_MAX	128

struct psp_assoc_info {
	uint32_t ifindex;
	int32_t nsid;
	uint64_t attrs;		/* bit N: attribute N was there */
};

struct psp_dev_info {
	uint32_t id;
	uint32_t ifindex;
	uint32_t cap;
	uint32_t ena;
	struct psp_assoc_info assoc[PSP_ASSOC_DEVS_MAX];
	int assocs;		/* entries in assoc, or more if it is full */
	uint64_t attrs;		/* bit N: attribute N was there */
};

/* Counters of a device, indexed by PSP_A_STATS_* */
struct psp_stats {
	uint64_t val[PSP_A_STATS_MAX + 1];
	uint64_t attrs;		/* bit N: attribute N was there */
};

/* Counters of rekeying, indexed by PSP_A_REKEY_STATS_* and PSP_A_DROPS_* */
struct psp_rekey_stats {
	uint64_t val[PSP_A_REKEY_STATS_MAX + 1];
	uint64_t drops[PSP_A_DROPS_MAX + 1];
	uint64_t attrs;		/* bit N: attribute N was there */
	uint64_t drop_attrs;
};

/* A key of a socket, as assoc-get tells it: the SPI, never the key */
struct psp_sock_key {
	uint32_t spi;
	uint32_t age;
	uint64_t rotations;
	uint64_t packets;
	uint64_t attrs;		/* bit N: attribute N was there */
};

/* An entry of assoc-get; addresses in network byte order */
struct psp_sock_info {
	uint32_t dev_id;
	uint64_t cookie;
	uint16_t family;
	uint8_t laddr[16];
	uint8_t raddr[16];
	uint16_t lport;
	uint16_t rport;
	uint32_t version;
	uint32_t state;
	struct psp_sock_key rx;
	struct psp_sock_key rx_prev;
	struct psp_sock_key tx;
	uint32_t rx_rekeys;
	uint32_t tx_rekeys;
	uint32_t spi;
	uint64_t attrs;		/* bit N: attribute N was there */
};

#define psp_stat(stats, name)	((stats)->val[PSP_A_STATS_##name])

/* The socket belongs to the namespace that the caller is in */
int psp_nl_open(struct psp_nl *nl);
void psp_nl_close(struct psp_nl *nl);

/* The family has the command: the kernel says so */
bool psp_nl_has(const struct psp_nl *nl, uint8_t cmd);

/*
 * Raw requests: start one, add attributes with mnl_attr_put*(), send it.
 * Dumps call @cb for each message; it may be NULL.
 */
struct nlmsghdr *psp_nl_start(struct psp_nl *nl, uint8_t cmd);
void psp_nl_put_key(struct nlmsghdr *nlh, uint16_t nest,
		    const struct psp_key *key);
int psp_nl_do(struct psp_nl *nl);
int psp_nl_dump(struct psp_nl *nl, mnl_cb_t cb, void *data);

/* Attributes of the last reply or notification: mask, and one of them */
uint64_t psp_nl_reply_attrs(const struct psp_nl *nl);
const struct nlattr *psp_nl_reply_attr(const struct psp_nl *nl, uint16_t type);
uint8_t psp_nl_reply_cmd(const struct psp_nl *nl);
uint64_t psp_nl_attr_uint(const struct nlattr *attr);

/*
 * One function for each command. A dev_id of 0 in the two assoc commands
 * leaves the attribute out. Dumps return the number of entries.
 */
int psp_nl_dev_get(struct psp_nl *nl, uint32_t id, struct psp_dev_info *info);
int psp_nl_dev_dump(struct psp_nl *nl, struct psp_dev_info *info, int max);
int psp_nl_dev_set(struct psp_nl *nl, uint32_t id, uint32_t versions);
int psp_nl_rotate(struct psp_nl *nl, uint32_t id);
int psp_nl_dev_assoc(struct psp_nl *nl, uint32_t id, int ifindex);
int psp_nl_dev_assoc_in(struct psp_nl *nl, uint32_t id, int ifindex,
			int32_t nsid);
int psp_nl_dev_disassoc(struct psp_nl *nl, uint32_t id, int ifindex);
int psp_nl_dev_disassoc_in(struct psp_nl *nl, uint32_t id, int ifindex,
			   int32_t nsid);

/* What the last notification said of a device */
void psp_nl_dev_reply(const struct psp_nl *nl, struct psp_dev_info *info);
int psp_nl_rx_assoc(struct psp_nl *nl, uint32_t dev_id, uint32_t version,
		    int fd, struct psp_key *key);
int psp_nl_tx_assoc(struct psp_nl *nl, uint32_t dev_id, uint32_t version,
		    int fd, const struct psp_key *key);
int psp_nl_stats(struct psp_nl *nl, uint32_t id, struct psp_stats *stats);
int psp_nl_stats_dump(struct psp_nl *nl, struct psp_stats *stats, int max);
int psp_nl_rekey_stats(struct psp_nl *nl, uint32_t id,
		       struct psp_rekey_stats *stats);
int psp_nl_rekey_stats_dump(struct psp_nl *nl, struct psp_rekey_stats *stats,
			    int max);

/* A dev_id or cookie of 0 asks for all */
void psp_nl_assoc_get_start(struct psp_nl *nl, uint32_t dev_id,
			    uint64_t cookie);
int psp_nl_assoc_get(struct psp_nl *nl, uint32_t dev_id, uint64_t cookie,
		     struct psp_sock_info *socks, int max);

/* The same attributes, of any message about a socket or in a nest */
void psp_nl_sock_parse(const struct nlmsghdr *nlh, struct psp_sock_info *info);
void psp_nl_sock_parse_nest(const struct nlattr *nest,
			    struct psp_sock_info *info);

/*
 * Notifications: join a group, then wait for a message of @cmd (0: of any);
 * it is then the "last reply". -ETIMEDOUT if none came within @timeout_ms.
 */
int psp_nl_join(struct psp_nl *nl, uint32_t group);
int psp_nl_wait(struct psp_nl *nl, uint8_t cmd, int timeout_ms);

/* The error explains itself, or a message or an attribute does */
bool psp_ack_has_reason(const struct psp_ack *ack);

/* Bytes in a key of @version */
unsigned int psp_key_len(uint32_t version);

#endif /* PSP_NL_H */
