/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Shared by files of libpsp: nl.c, attr.c, nsid.c, error.c, list.c, dev.c */
#ifndef LIBPSP_INTERNAL_H
#define LIBPSP_INTERNAL_H

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/psp.h>
#include <pthread.h>
#include <stddef.h>

#include "libpsp.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define ATTRIBUTE(...)	__attribute__((__VA_ARGS__))
#define GENL_HLEN	sizeof(struct genlmsghdr)

/* The largest request is a tx-assoc; answers fill what they are offered */
#define NL_REQ_MAX	256
#define NL_BUF_MAX	32768

/* --- list.c: lists of what one allocation holds --- */

struct node {
	struct node *next;
};

struct list {
	struct node *head;
	struct node **tail;
};

void list_init(struct list *list);
void list_add(struct list *list, void *node);
void list_free(void *head);

/* --- error.c --- */

#define ERR_NO_PSP	"No PSP in this kernel (is the module psp loaded?)"

/* Forget the thread's last error: each function of the library begins so */
void err_clear(void);

/* Remember words for @err and return it */
ATTRIBUTE(format(printf, 2, 3))
int err_set(int err, const char *fmt, ...);

/* The same, in the words of errno */
int err_plain(int err);

/* Remember what the kernel said to @req; returns the error in it */
int err_parse(const struct nlmsghdr *nlh, const struct nlmsghdr *req);

/* Name of a command of the family, or "?" */
const char *name_cmd(uint8_t cmd);

/* --- attr.c: attributes of messages from the kernel --- */

enum attr_kind {
	ATTR_IGNORE,
	ATTR_U16,
	ATTR_U32,
	ATTR_U64,
	ATTR_UINT,	/* u32 or u64 */
	ATTR_STRING,
	ATTR_FLAG,
	ATTR_NEST,
	ATTR_BINARY,	/* up to @max bytes */
};

struct attr_rule {
	enum attr_kind kind;
	uint16_t max;
	bool needed;
};

/*
 * Fill @tb, of @num entries, with the attributes that @rules has something to
 * say of. The last one of a kind wins. -EPROTO if one breaks its rule or is
 * missing, or if the bytes are no attributes.
 */
int attr_parse(const struct nlattr **tb, const struct attr_rule *rules,
	       unsigned int num, const void *data, size_t len);
int attr_parse_nest(const struct nlattr **tb, const struct attr_rule *rules,
		    unsigned int num, const struct nlattr *nest);
int attr_parse_msg(const struct nlattr **tb, const struct attr_rule *rules,
		   unsigned int num, const struct nlmsghdr *nlh);

/* Values; 0 or PSP_UNKNOWN of an attribute that is not there */
uint32_t attr_u32(const struct nlattr *attr);
uint16_t attr_u16(const struct nlattr *attr);
uint64_t attr_u64(const struct nlattr *attr);
uint64_t attr_uint(const struct nlattr *attr);

/* --- nl.c: a netlink socket, requests --- */

/* To ask which id a namespace has for itself; -1: is not to be had */
struct nsid {
	int route;	/* a socket in it */
	int ns;		/* the namespace */
	int32_t id;	/* once it has been given one */
};

/* Multicast groups, as PSP_GROUP_* count them */
enum { GROUP_MGMT, GROUP_USE, GROUP_ASSOC, GROUPS };

struct nl_sock {
	int fd;
	struct nsid nsid;
	uint32_t seq;
	uint16_t family;
	uint64_t cmds[4];	/* bit N of all: the family has command N */
	uint32_t groups[GROUPS];	/* ids, 0: none */
	char *buf;		/* what was received; NL_BUF_MAX bytes */
};

struct psp_ctx {
	pthread_mutex_t lock;	/* of all that is in here, but for cmds */
	struct nl_sock nl;
};

struct nl_req {
	union {
		struct nlmsghdr nlh;
		char buf[NL_REQ_MAX];
	};
};

/* Takes apart one message of an answer; 0 or -errno */
typedef int (*nl_parse_t)(const struct nlmsghdr *nlh, void *data);

int nl_open(struct nl_sock *nl);
void nl_close(struct nl_sock *nl);
bool nl_has(const struct nl_sock *nl, uint8_t cmd);

/*
 * Receive one datagram of the kernel's into nl->buf: its length, or -errno.
 * What others send is skipped.
 */
int nl_recv(struct nl_sock *nl, int flags);

/*
 * Start a request; send it. nl_do() wants one answer if @parse is not NULL, and
 * nl_dump() any number of them, whose parser gets the list. All wipe request
 * and answer.
 */
void nl_start(struct nl_req *req, uint8_t cmd);
int nl_do(struct psp_ctx *ctx, struct nl_req *req, nl_parse_t parse,
	  void *data);
int nl_dump(struct psp_ctx *ctx, struct nl_req *req, nl_parse_t parse,
	    struct node **head);

/* The two of them, for one device and for all */
int nl_get(struct psp_ctx *ctx, uint8_t cmd, uint16_t attr, uint32_t id,
	   nl_parse_t parse, struct node **head);
int nl_dump_all(struct psp_ctx *ctx, uint8_t cmd, nl_parse_t parse,
		struct node **head);

/* Set up what all sockets of the library have; 0 or -errno */
int nl_sock_setup(struct nl_sock *nl, int protocol);

/*
 * Send @nlh and take apart the one answer, of type @type. The caller has a lock
 * on @nl.
 */
int nl_ask(struct nl_sock *nl, struct nlmsghdr *nlh, uint16_t type,
	   nl_parse_t parse, void *data);

/* --- nsid.c --- */

/*
 * nsid_open() belongs to the thread's namespace from then on. nsid_own() is the
 * id that it has for itself, -1 if it has none; the caller has a lock on @nl.
 */
void nsid_open(struct nsid *nsid);
void nsid_close(struct nsid *nsid);
int32_t nsid_own(struct nl_sock *nl);

/* --- dev.c --- */

/* Parser of nl_dump() for all messages about devices */
int dev_parse(const struct nlmsghdr *nlh, void *list);

/* What the message could not tell; the caller has a lock on @nl */
void dev_mark_here(struct nl_sock *nl, struct psp_dev *dev);

#endif /* LIBPSP_INTERNAL_H */
