/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * libpsp - PSP for programs: devices, keys of sockets, counters, events.
 *
 * Return values: 0 or a positive number is success. A failure is a negative
 * errno; psp_strerror() then tells in words why, with what the kernel said, and
 * psp_error_attr() which attribute of the request was bad or missing.
 *
 * Any function may return -ENOMEM, -EOPNOTSUPP where the kernel's PSP lacks the
 * command, -EPROTO for an answer that makes no sense, and what the kernel
 * refuses a request with. Documentation/networking/psp.rst lists that; what is
 * written here is only what is special.
 *
 * Threads: a struct psp_ctx may be used by several threads at once, which then
 * wait for each other; different ones are independent. A struct psp_events
 * belongs to one thread at a time. The text of an error belongs to the thread
 * in which the call failed. There is no state of the whole program: no
 * initialisation, no signal handlers, no threads of the library's own.
 *
 * Keys: the library keeps none. The buffers that a key has passed through are
 * wiped before a function returns, failed or not. What is in the caller's
 * struct psp_key is the caller's to wipe, with psp_key_wipe().
 *
 * What is told about devices and sockets comes in lists that the library
 * allocates; psp_*_free() frees a whole list, and takes NULL. Later versions of
 * the library may add members at the end of these structures, so a program must
 * neither allocate nor copy them.
 */
#ifndef LIBPSP_H
#define LIBPSP_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Versions of the protocol. A mask of versions has bit N for version N. */
enum {
	PSP_AES_GCM_128,
	PSP_AES_GCM_256,
	PSP_AES_GMAC_128,
	PSP_AES_GMAC_256,
	PSP_VERSIONS_NUM
};

#define PSP_KEY_LEN_MAX		32

/* The kernel did not tell this counter */
#define PSP_UNKNOWN		UINT64_MAX

/* The same of a version or a state: one that has no name */
#define PSP_UNKNOWN32		UINT32_MAX

/* A connection to the kernel, in the network namespace it was opened in */
struct psp_ctx;

/* Things that not every kernel's PSP has */
enum psp_feature {
	PSP_FEATURE_DEV_ASSOC,		/* psp_dev_assoc(), _disassoc() */
	PSP_FEATURE_REKEY_STATS,	/* psp_rekey_stats_*() */
	PSP_FEATURE_ASSOC_LIST,		/* psp_assoc_dump() */
	PSP_FEATURE_STALE_EVENTS,	/* PSP_GROUP_ASSOC */
};

/**
 * psp_open() - connect to the kernel's PSP
 * @ctx: where to put the handle; NULL is put there if there is none
 *
 * The handle belongs to the network namespace that the calling thread is in,
 * and stays there, and to the process: a child must open its own. It is for
 * psp_close(). When the module psp has been loaded again, open a new one.
 *
 * Return: 0; -EPROTONOSUPPORT if the kernel has no PSP; another negative errno.
 */
int psp_open(struct psp_ctx **ctx);

/**
 * psp_close() - undo psp_open()
 * @ctx: handle that no other thread uses any more, or NULL
 */
void psp_close(struct psp_ctx *ctx);

/**
 * psp_supports() - does the kernel's PSP have it?
 * @ctx: handle
 * @feature: what is asked for
 *
 * The kernel told at psp_open(): this costs nothing and cannot fail.
 *
 * Return: true if so.
 */
bool psp_supports(const struct psp_ctx *ctx, enum psp_feature feature);

/**
 * psp_strerror() - an error in words
 * @err: what a function of the library returned, negative
 *
 * If @err is that of the last failed call in this thread, the words are the
 * kernel's where it had any, and the attribute that it blamed is named.
 *
 * Return: text without newline, valid until this thread's next call of the
 * library; never NULL.
 */
const char *psp_strerror(int err);

/**
 * psp_error_msg() - what the kernel said of the last failed call in this thread
 *
 * Return: the text of its extended acknowledgment alone, "" if there was none;
 * valid as that of psp_strerror().
 */
const char *psp_error_msg(void);

/**
 * psp_error_attr() - the attribute that the last failed call was refused for
 * @missing: set to true if it was missing, to false if it was bad; or NULL
 *
 * Return: its path, ".tx-key.spi" for instance, "" if none was blamed; valid as
 * that of psp_strerror().
 */
const char *psp_error_attr(bool *missing);

/**
 * psp_version_name() - name of a version
 * @version: version
 *
 * Return: name as in the specification of the netlink family, such as
 * "hdr0-aes-gcm-128"; NULL for a version that the library does not know.
 */
const char *psp_version_name(unsigned int version);

/**
 * psp_version_parse() - find a version by its name
 * @name: such a name, or without "hdr0-"
 *
 * Return: version, or -EINVAL.
 */
int psp_version_parse(const char *name);

/**
 * psp_version_key_len() - how long keys are
 * @version: version
 *
 * Return: bytes in a key; 0 for a version that the library does not know.
 */
unsigned int psp_version_key_len(unsigned int version);

/**
 * struct psp_dev_assoc - a network device that may use a PSP device
 * @next: next one, or NULL
 * @ifindex: its index, in its own namespace
 * @nsid: id of that as the handle's namespace knows it. The PSP device's own
 *	namespace is told one of all, also of itself; others are told none: -1
 * @here: that is the handle's namespace
 */
struct psp_dev_assoc {
	const struct psp_dev_assoc *next;
	uint32_t ifindex;
	int32_t nsid;
	bool here;
};

/**
 * struct psp_dev - a PSP device
 * @next: next one, or NULL
 * @id: its number
 * @ifindex: index of its network device, in that one's namespace
 * @versions_cap: mask of the versions that it has
 * @versions_ena: mask of those that it accepts in received packets
 * @by_association: the caller's namespace is not the device's own, but has a
 *	network device that may use it
 * @num_assocs: entries in @assocs
 * @assocs: list of associated network devices, or NULL; elsewhere than in the
 *	device's own namespace only the caller's
 */
struct psp_dev {
	struct psp_dev *next;
	uint32_t id;
	uint32_t ifindex;
	uint32_t versions_cap;
	uint32_t versions_ena;
	bool by_association;
	unsigned int num_assocs;
	const struct psp_dev_assoc *assocs;
};

/**
 * psp_dev_get() - ask about a device
 * @ctx: handle
 * @id: number of the device
 * @dev: where to put the answer, for psp_dev_free(); NULL on failure
 *
 * Return: 0, -ENODEV, -ENOENT if it belongs to others, or another negative
 * errno.
 */
int psp_dev_get(struct psp_ctx *ctx, uint32_t id, struct psp_dev **dev);

/**
 * psp_dev_dump() - ask about all devices that the namespace may use
 * @ctx: handle
 * @devs: where to put the list, for psp_dev_free(); NULL if there are none
 *
 * A long list is not of one moment: what comes or goes meanwhile may be missing
 * or out of date, unless the kernel notices, and then it is asked again.
 *
 * Return: 0; -EAGAIN if the kernel noticed such changes too often; another
 * negative errno.
 */
int psp_dev_dump(struct psp_ctx *ctx, struct psp_dev **devs);

/**
 * psp_dev_by_ifindex() - find the device that a network device may use
 * @ctx: handle
 * @ifindex: index of a network device of the handle's namespace
 * @dev: where to put it, for psp_dev_free(); NULL on failure
 *
 * It may be the PSP device's own, or associated with it. Indices of other
 * namespaces do not count.
 *
 * Return: 0; -ENODEV if it has none; another negative errno, as psp_dev_dump().
 */
int psp_dev_by_ifindex(struct psp_ctx *ctx, uint32_t ifindex,
		       struct psp_dev **dev);

/**
 * psp_dev_free() - free a list of devices
 * @devs: list
 */
void psp_dev_free(struct psp_dev *devs);

/**
 * psp_dev_set_versions() - set the versions that a device accepts
 * @ctx: handle
 * @id: number of the device
 * @versions: mask of versions
 *
 * Return: 0, -EPERM without CAP_NET_ADMIN, -EINVAL if the device lacks one of
 * them, or another negative errno.
 */
int psp_dev_set_versions(struct psp_ctx *ctx, uint32_t id, uint32_t versions);

/**
 * psp_dev_assoc() - let another network device use a PSP device
 * @ctx: handle
 * @id: number of the PSP device
 * @ifindex: index of the network device
 * @nsid: where it is, as an id of a namespace; NULL for the caller's
 *
 * Return: 0, -EPERM, -EBUSY if it may use one already, or another negative
 * errno.
 */
int psp_dev_assoc(struct psp_ctx *ctx, uint32_t id, uint32_t ifindex,
		  const int32_t *nsid);

/**
 * psp_dev_disassoc() - undo psp_dev_assoc()
 * @ctx: handle
 * @id: number of the PSP device
 * @ifindex: index of the network device
 * @nsid: where it is, as an id of a namespace; NULL for the caller's
 *
 * Return: 0 or a negative errno.
 */
int psp_dev_disassoc(struct psp_ctx *ctx, uint32_t id, uint32_t ifindex,
		     const int32_t *nsid);

/**
 * psp_key_rotate() - make a device take a new device key
 * @ctx: handle
 * @id: number of the device
 *
 * Return: 0, -EPERM, or another negative errno.
 */
int psp_key_rotate(struct psp_ctx *ctx, uint32_t id);

/**
 * struct psp_key - what the sender needs for a receiver's packets
 * @spi: security parameters index, in host byte order
 * @len: bytes of @key that are in use
 * @key: the key
 *
 * Unlike all else it is the caller's, and does not grow.
 */
struct psp_key {
	uint32_t spi;
	uint32_t len;
	uint8_t key[PSP_KEY_LEN_MAX];
};

/**
 * psp_key_wipe() - overwrite a key, whatever the compiler thinks of it
 * @key: key
 */
void psp_key_wipe(struct psp_key *key);

/**
 * psp_rx_assoc() - have a device make an rx key for a socket
 * @ctx: handle
 * @fd: TCP socket
 * @version: version of the protocol
 * @dev_id: number of the device; 0 for that of the socket's route
 * @key: where to put SPI and key, to be given to the peer over a channel that
 *	is trusted, and then wiped; zeroed on failure
 * @used: where to put the number of the device that made it; or NULL
 *
 * On a socket that has a key already this is a rekey.
 *
 * Return: 0; -EBUSY if it is too early for a rekey; another negative errno.
 */
int psp_rx_assoc(struct psp_ctx *ctx, int fd, unsigned int version,
		 uint32_t dev_id, struct psp_key *key, uint32_t *used);

/**
 * psp_tx_assoc() - send under a key that the peer's device made
 * @ctx: handle
 * @fd: TCP socket that has an rx key
 * @version: version of the protocol
 * @dev_id: number of the device; 0 for that of the socket's route
 * @key: the peer's SPI and key
 *
 * On a socket that has a tx key already this is a rekey.
 *
 * Return: 0; -EBUSY if there is plain text to be read first; another negative
 * errno.
 */
int psp_tx_assoc(struct psp_ctx *ctx, int fd, unsigned int version,
		 uint32_t dev_id, const struct psp_key *key);

/**
 * struct psp_stats - counters of a device; PSP_UNKNOWN where one is not told
 * @next: next one, or NULL
 * @dev_id: number of the device
 * @key_rotations: rotations of the device key
 * @stale_events: sockets that rotations left without a usable rx key
 * @rx_packets: packets received and found authentic
 * @rx_bytes: bytes in them, without PSP header and integrity check value
 * @rx_auth_fail: packets with a wrong integrity check value
 * @rx_error: packets with lengths that do not fit together
 * @rx_bad: packets that could not be tried at all
 * @tx_packets: packets encrypted and sent
 * @tx_bytes: bytes in them
 * @tx_error: packets that could not be encrypted
 */
struct psp_stats {
	struct psp_stats *next;
	uint32_t dev_id;
	uint64_t key_rotations;
	uint64_t stale_events;
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t rx_auth_fail;
	uint64_t rx_error;
	uint64_t rx_bad;
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t tx_error;
};

/**
 * psp_stats_get() - ask for the counters of a device
 * @ctx: handle
 * @id: number of the device
 * @stats: where to put the answer, for psp_stats_free(); NULL on failure
 *
 * Return: 0 or a negative errno, as psp_dev_get().
 */
int psp_stats_get(struct psp_ctx *ctx, uint32_t id, struct psp_stats **stats);

/**
 * psp_stats_dump() - the same of all devices that the namespace may use
 * @ctx: handle
 * @stats: where to put the list, for psp_stats_free(); NULL if there are none
 *
 * Return: 0 or a negative errno, as psp_dev_dump().
 */
int psp_stats_dump(struct psp_ctx *ctx, struct psp_stats **stats);

/**
 * psp_stats_free() - free a list of counters
 * @stats: list
 */
void psp_stats_free(struct psp_stats *stats);

/**
 * struct psp_rekey_stats - counters of rekeying; PSP_UNKNOWN where not told
 * @next: next one, or NULL
 * @dev_id: number of the device
 * @rx_rekeys: rx keys that took the place of an older one
 * @tx_rekeys: the same of tx keys
 * @tx_keys: tx keys that the device holds
 * @tx_keys_retired: those of them that nobody can use any more
 * @tx_keys_deleted: tx keys that the device has been made to forget
 * @num_drops: entries in @drops
 * @drops: packets that the kernel dropped, by reason; see psp_drop_name()
 */
struct psp_rekey_stats {
	struct psp_rekey_stats *next;
	uint32_t dev_id;
	uint64_t rx_rekeys;
	uint64_t tx_rekeys;
	uint64_t tx_keys;
	uint64_t tx_keys_retired;
	uint64_t tx_keys_deleted;
	unsigned int num_drops;
	const uint64_t *drops;
};

/**
 * psp_rekey_stats_get() - ask for the counters of rekeying of a device
 * @ctx: handle
 * @id: number of the device
 * @stats: where to put the answer, for psp_rekey_stats_free(); NULL on failure
 *
 * Return: 0 or a negative errno, as psp_dev_get().
 */
int psp_rekey_stats_get(struct psp_ctx *ctx, uint32_t id,
			struct psp_rekey_stats **stats);

/**
 * psp_rekey_stats_dump() - the same of all devices that the namespace may use
 * @ctx: handle
 * @stats: where to put the list, for psp_rekey_stats_free(); NULL if it is
 *	empty
 *
 * Return: 0 or a negative errno, as psp_dev_dump().
 */
int psp_rekey_stats_dump(struct psp_ctx *ctx, struct psp_rekey_stats **stats);

/**
 * psp_rekey_stats_free() - free a list of counters of rekeying
 * @stats: list
 */
void psp_rekey_stats_free(struct psp_rekey_stats *stats);

/**
 * psp_drop_name() - why packets were dropped
 * @index: index of drops in struct psp_rekey_stats
 *
 * Return: name of the reason, NULL if there is no such index.
 */
const char *psp_drop_name(unsigned int index);

/* How far a socket has come */
enum {
	PSP_STATE_RX,		/* has an rx key, and that is all */
	PSP_STATE_TX_PENDING,	/* is being given a tx key */
	PSP_STATE_TX,		/* has both, the peer has not sent under PSP */
	PSP_STATE_FULL,		/* PSP in both directions */
	PSP_STATES_NUM
};

/**
 * struct psp_assoc_key - what may be known of a socket's key
 * @spi: security parameters index, in host byte order
 * @age: seconds since the socket was given the key
 * @rotations: rotations of the device key since; with 2 or more, packets under
 *	this key are lost. PSP_UNKNOWN for a tx key.
 * @packets: packets accepted under it, about; PSP_UNKNOWN for a tx key
 */
struct psp_assoc_key {
	uint32_t spi;
	uint32_t age;
	uint64_t rotations;
	uint64_t packets;
};

/**
 * struct psp_assoc - a socket with PSP state
 * @next: next one, or NULL
 * @dev_id: number of the device
 * @cookie: the socket's, as SO_COOKIE and ``ss -e`` tell it
 * @family: AF_INET or AF_INET6; 0 if the socket is not connected, and then has
 *	neither addresses nor ports
 * @local_port: in host byte order
 * @remote_port: in host byte order
 * @local_addr: struct in_addr or in6_addr
 * @remote_addr: the same
 * @version: version of the protocol, or PSP_UNKNOWN32
 * @state: PSP_STATE_*, or PSP_UNKNOWN32
 * @rx: current rx key, or NULL
 * @rx_prev: the one before, or NULL
 * @tx: tx key, or NULL
 * @rx_rekeys: rx keys that took the place of an older one
 * @tx_rekeys: the same of tx keys
 */
struct psp_assoc {
	struct psp_assoc *next;
	uint32_t dev_id;
	uint64_t cookie;
	uint16_t family;
	uint16_t local_port;
	uint16_t remote_port;
	uint8_t local_addr[16];
	uint8_t remote_addr[16];
	uint32_t version;
	uint32_t state;
	const struct psp_assoc_key *rx;
	const struct psp_assoc_key *rx_prev;
	const struct psp_assoc_key *tx;
	uint32_t rx_rekeys;
	uint32_t tx_rekeys;
};

/**
 * psp_assoc_dump() - ask about sockets with PSP state
 * @ctx: handle
 * @dev_id: only those of this device; 0 for all
 * @cookie: only the one with this cookie; 0 for all
 * @assocs: where to put the list, for psp_assoc_free(); NULL if it is empty
 *
 * Return: 0; -EPERM without CAP_NET_ADMIN; another negative errno, as
 * psp_dev_dump().
 */
int psp_assoc_dump(struct psp_ctx *ctx, uint32_t dev_id, uint64_t cookie,
		   struct psp_assoc **assocs);

/**
 * psp_assoc_free() - free a list of sockets
 * @assocs: list
 */
void psp_assoc_free(struct psp_assoc *assocs);

/**
 * psp_state_name() - name of a state
 * @state: PSP_STATE_*
 *
 * Return: name as in the specification of the netlink family, NULL for a state
 * that the library does not know.
 */
const char *psp_state_name(unsigned int state);

/* Events come in groups */
#define PSP_GROUP_MGMT	1	/* devices come, go, change */
#define PSP_GROUP_USE	2	/* rotations */
#define PSP_GROUP_ASSOC	4	/* sockets left behind; for CAP_NET_ADMIN */

enum psp_event_type {
	PSP_EVENT_LOST,		/* events were missed: look again */
	PSP_EVENT_DEV_ADD,
	PSP_EVENT_DEV_DEL,
	PSP_EVENT_DEV_CHANGE,
	PSP_EVENT_KEY_ROTATE,
	PSP_EVENT_ASSOC_STALE,
};

/**
 * struct psp_event - something has happened
 * @type: what; more types may come, leave alone those that you do not know
 * @dev_id: number of the device; 0 for PSP_EVENT_LOST
 * @dev: PSP_EVENT_DEV_*: the device as it is now, or was last; else NULL
 * @cookie: PSP_EVENT_ASSOC_STALE: cookie of the socket
 * @spi: PSP_EVENT_ASSOC_STALE: SPI of its rx key
 */
struct psp_event {
	enum psp_event_type type;
	uint32_t dev_id;
	const struct psp_dev *dev;
	uint64_t cookie;
	uint32_t spi;
};

/* A subscription, in the network namespace it was made in */
struct psp_events;

/**
 * psp_events_open() - subscribe to events
 * @events: where to put the subscription, for psp_events_close(); NULL on
 *	failure
 * @groups: PSP_GROUP_* that are wanted
 *
 * What happens after this has returned will be told. So subscribe first, then
 * look at how things are, and no change can be missed.
 *
 * Return: 0, -EPERM if one of the groups is for the privileged, -EOPNOTSUPP if
 * there is no such group here, or another negative errno, as psp_open().
 */
int psp_events_open(struct psp_events **events, unsigned int groups);

/**
 * psp_events_fd() - what to poll
 * @events: subscription
 *
 * Return: file descriptor that is readable when there may be an event; POLLERR
 * says that some were lost, and is a reason to call psp_events_next() as well.
 * It stays the library's: do nothing else with it.
 */
int psp_events_fd(const struct psp_events *events);

/**
 * psp_events_next() - take the next event; does not block
 * @events: subscription
 * @event: where to put it; valid until the next call with @events
 *
 * Call it until it returns 0. If the program is too slow for what happens, the
 * kernel throws events away; then what is left of them is skipped, one of type
 * PSP_EVENT_LOST comes in their place, and the program has to look at how
 * things are. Events that come after that happened after it, or while it was
 * being told.
 *
 * Return: 1 if there is an event, 0 if there is none, -EPROTO for one that
 * cannot be understood and is skipped, or another negative errno.
 */
int psp_events_next(struct psp_events *events, const struct psp_event **event);

/**
 * psp_events_close() - undo psp_events_open()
 * @events: subscription, or NULL
 */
void psp_events_close(struct psp_events *events);

#ifdef __cplusplus
}
#endif

#endif /* LIBPSP_H */
