/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PSP_CONN_H
#define PSP_CONN_H

#include <linux/tcp.h>
#include <sys/socket.h>

#include "psp_net.h"

enum psp_family {
	PSP_IPV4,
	PSP_IPV6,
	PSP_MAPPED,	/* AF_INET6 sockets, IPv4 packets */
};

/**
 * struct psp_side - one socket of a connection and its keys
 * @end: the end of the cable that it lives on
 * @fd: the socket
 * @rx: key that its last rx-assoc gave
 * @tx: key that its last tx-assoc set
 */
struct psp_side {
	struct psp_end *end;
	int fd;
	struct psp_key rx;
	struct psp_key tx;
};

/**
 * struct psp_conn - a TCP connection across the cable
 * @version: PSP version, once secured
 * @family: kind of sockets
 * @a: socket that connected, at end A
 * @b: socket that accepted, at end B
 */
struct psp_conn {
	uint32_t version;
	enum psp_family family;
	struct psp_side a;
	struct psp_side b;
};

/* Address of an end in the form that sockets of @family take */
socklen_t psp_addr(const struct psp_end *end, enum psp_family family,
		   uint16_t port, struct sockaddr_storage *addr);

/* Sockets of the current namespace or of @end's */
int psp_tcp_socket(const struct psp_end *end, enum psp_family family);
int psp_tcp_listen(const struct psp_end *end, enum psp_family family,
		   uint16_t *port);

/* Connect; the sockets are non-blocking and have TCP_NODELAY set */
int psp_conn_open(struct psp_conn *conn, struct psp_net *net,
		  enum psp_family family);

/* Connect a.fd to the listener, accept b.fd; for sockets made beforehand */
int psp_conn_finish(struct psp_conn *conn, int listener, uint16_t port);

/* Reset the connection, so that nothing of it is left */
void psp_conn_close(struct psp_conn *conn);
struct psp_side *psp_conn_peer(struct psp_conn *conn, struct psp_side *side);

/* rx-assoc and tx-assoc of one side; tx takes the peer's latest rx key */
int psp_conn_rx(struct psp_conn *conn, struct psp_side *side,
		uint32_t version);
int psp_conn_tx(struct psp_conn *conn, struct psp_side *side);

/* Both of both sides */
int psp_conn_assoc(struct psp_conn *conn, uint32_t version);

/* psp_conn_assoc(), then data each way, so that both are in state PSP full */
int psp_conn_secure(struct psp_conn *conn, uint32_t version);

/* A byte sequence each way, with a deadline; also a way to reach PSP full */
int psp_conn_ping(struct psp_conn *conn);

/* Rekey: one direction (from's tx, its peer's rx), and both */
int psp_conn_rekey_dir(struct psp_conn *conn, struct psp_side *from);
int psp_conn_rekey(struct psp_conn *conn);

/* Rotate the device keys of both ends */
int psp_conn_rotate(struct psp_conn *conn);

/* What TCP knows */
int psp_tcp_info(int fd, struct tcp_info *info);
int psp_tcp_mss(int fd);		/* sending MSS, or -errno */
int psp_tcp_unacked(int fd);		/* segments in flight, or -errno */
int psp_tcp_retrans(int fd);		/* total retransmissions, or -errno */
int psp_tcp_inq(int fd);		/* bytes to read, or -errno */
int psp_tcp_outq(int fd);		/* bytes not acknowledged, or -errno */
int psp_tcp_wmem(int fd);		/* bytes of buffers being sent */
int psp_tcp_ulp(int fd, char *name, socklen_t len);

/* Poll until everything sent is acknowledged or @timeout_ms is over */
int psp_tcp_drain(int fd, int timeout_ms);

/* A counter of the SNMP kind ("TcpExt", "TCPTimeouts"), or -errno */
int64_t psp_snmp(int ns, const char *group, const char *name);

#endif /* PSP_CONN_H */
