/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "sock_diag.h"

#include "base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define RECEIVE_BUFFER_BYTES (256 * 1024)
#define RECEIVE_WAIT_S 1

/* --- the decoder ---------------------------------------------------------------------------- */

static bool is_v4_mapped(const uint8_t *bytes)
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

    return memcmp(bytes, prefix, sizeof prefix) == 0;
}

static void read_address(struct berth_address *out, const struct inet_diag_msg *message)
{
    uint8_t bytes[16];

    memcpy(bytes, message->id.idiag_src, sizeof bytes);
    *out = (struct berth_address){.family = BERTH_FAMILY_IPV6};
    if (message->idiag_family == AF_INET) {
        out->family = BERTH_FAMILY_IPV4;
        memcpy(out->bytes, bytes, 4);
    } else if (is_v4_mapped(bytes)) {
        /* such a socket takes the IPv4 address and nothing else */
        out->family = BERTH_FAMILY_IPV4;
        memcpy(out->bytes, bytes + 12, 4);
    } else {
        memcpy(out->bytes, bytes, 16);
        /* the interface is also set by SO_BINDTODEVICE; only for fe80::/10 is it a zone */
        if (bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0x80) {
            out->scope = message->id.idiag_if;
        }
    }
}

static enum berth_code read_attributes(struct berth_sock_diag_socket *socket, const uint8_t *bytes,
                                       size_t size, struct berth_error *err)
{
    size_t offset = 0;

    while (size - offset >= sizeof(struct rtattr)) {
        struct rtattr attribute;
        memcpy(&attribute, bytes + offset, sizeof attribute);
        if (attribute.rta_len < sizeof attribute || attribute.rta_len > size - offset) {
            return berth_fail(err, BERTH_MALFORMED, 0,
                              "sock_diag: an attribute of %u bytes where %zu are left",
                              (unsigned)attribute.rta_len, size - offset);
        }
        if (attribute.rta_type == INET_DIAG_SKV6ONLY && attribute.rta_len > sizeof attribute) {
            socket->v6_only = bytes[offset + sizeof attribute] != 0;
        }
        size_t step = RTA_ALIGN((size_t)attribute.rta_len);
        offset += step < size - offset ? step : size - offset;
    }
    return BERTH_OK;
}

static enum berth_code decode_socket(const uint8_t *bytes, size_t size, berth_sock_diag_row row,
                                     void *context, struct berth_error *err)
{
    struct inet_diag_msg message;

    if (size < sizeof message) {
        return berth_fail(err, BERTH_MALFORMED, 0, "sock_diag: a socket in %zu bytes", size);
    }
    memcpy(&message, bytes, sizeof message);
    if (message.idiag_family != AF_INET && message.idiag_family != AF_INET6) {
        return berth_fail(err, BERTH_MALFORMED, 0, "sock_diag: a socket of family %u",
                          (unsigned)message.idiag_family);
    }
    struct berth_sock_diag_socket socket = {
        .state = message.idiag_state,
        .port = ntohs(message.id.idiag_sport),
        .inode = message.idiag_inode,
        .user_id = message.idiag_uid,
    };
    read_address(&socket.address, &message);
    enum berth_code code =
        read_attributes(&socket, bytes + sizeof message, size - sizeof message, err);
    if (code == BERTH_OK && socket.port != 0) {
        code = row(context, &socket, err);
    }
    return code;
}

/* An errno, negative, as NLMSG_ERROR and NLMSG_DONE begin with it; an empty NLMSG_DONE is 0. */
static enum berth_code decode_status(const uint8_t *bytes, size_t size, bool required,
                                     struct berth_error *err)
{
    int32_t status = 0;

    if (size >= sizeof status) {
        memcpy(&status, bytes, sizeof status);
    } else if (required || size != 0) {
        return berth_fail(err, BERTH_MALFORMED, 0, "sock_diag: a status in %zu bytes", size);
    }
    if (status < 0 && status > -4096) {
        return berth_fail(err, BERTH_IO, -status, "the kernel refused the socket dump: %s",
                          strerror(-status));
    }
    return status == 0
               ? BERTH_OK
               : berth_fail(err, BERTH_MALFORMED, 0, "sock_diag: a status of %ld", (long)status);
}

static enum berth_code decode_message(const struct nlmsghdr *header, const uint8_t *payload,
                                      berth_sock_diag_row row, void *context, bool *done,
                                      struct berth_error *err)
{
    size_t size = header->nlmsg_len - NLMSG_HDRLEN;

    if ((header->nlmsg_flags & NLM_F_DUMP_INTR) != 0) {
        return berth_fail(err, BERTH_UNSTABLE, 0,
                          "the sockets changed while the kernel listed them");
    }
    switch (header->nlmsg_type) {
    case TCPDIAG_GETSOCK:
        return decode_socket(payload, size, row, context, err);
    case NLMSG_DONE:
        *done = true;
        return decode_status(payload, size, false, err);
    case NLMSG_ERROR:
        return decode_status(payload, size, true, err);
    case NLMSG_OVERRUN:
        return berth_fail(err, BERTH_UNSTABLE, 0, "the kernel lost a part of the socket dump");
    case NLMSG_NOOP:
        return BERTH_OK;
    default:
        return berth_fail(err, BERTH_MALFORMED, 0, "sock_diag: a message of type %u",
                          (unsigned)header->nlmsg_type);
    }
}

enum berth_code berth_sock_diag_decode(const struct berth_sock_diag_dialogue *dialogue,
                                       const void *bytes, size_t size, berth_sock_diag_row row,
                                       void *context, bool *done, struct berth_error *err)
{
    const uint8_t *next = bytes;
    size_t left = size;
    bool ended = false;

    while (left != 0 && !ended) {
        struct nlmsghdr header = {0};
        if (left >= sizeof header) {
            memcpy(&header, next, sizeof header);
        }
        if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > left) {
            return berth_fail(err, BERTH_MALFORMED, 0,
                              "sock_diag: a message of %lu bytes where %zu are left",
                              (unsigned long)header.nlmsg_len, left);
        }
        if (header.nlmsg_seq == dialogue->sequence && header.nlmsg_pid == dialogue->port_id) {
            enum berth_code code =
                decode_message(&header, next + NLMSG_HDRLEN, row, context, &ended, err);
            if (code != BERTH_OK) {
                return code;
            }
        }
        size_t step = NLMSG_ALIGN((size_t)header.nlmsg_len);
        step = step < left ? step : left;
        next += step;
        left -= step;
    }
    *done = ended;
    return BERTH_OK;
}

/* --- the kernel's channel ------------------------------------------------------------------- */

static enum berth_code kernel_failed(struct berth_error *err, const char *call)
{
    return berth_fail(err, BERTH_IO, errno, "netlink sock_diag: %s: %s", call, strerror(errno));
}

static enum berth_code kernel_open(void *context, uint32_t *port_id, struct berth_error *err)
{
    struct berth_sock_diag *diag = context;
    const struct timeval wait = {.tv_sec = RECEIVE_WAIT_S};
    const int buffer_bytes = RECEIVE_BUFFER_BYTES;
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    socklen_t length = sizeof address;

    diag->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (diag->fd < 0) {
        return kernel_failed(err, "socket");
    }
    /* the default buffer would do for dumps; a refusal costs nothing but speed */
    (void)setsockopt(diag->fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
    if (setsockopt(diag->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0) {
        return kernel_failed(err, "SO_RCVTIMEO");
    }
    if (bind(diag->fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(diag->fd, (struct sockaddr *)&address, &length) != 0) {
        return kernel_failed(err, "bind");
    }
    *port_id = address.nl_pid;
    return BERTH_OK;
}

static enum berth_code kernel_send(void *context, const void *bytes, size_t size,
                                   struct berth_error *err)
{
    const struct berth_sock_diag *diag = context;
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t sent;

    do {
        sent = sendto(diag->fd, bytes, size, 0, (const struct sockaddr *)&kernel, sizeof kernel);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        return kernel_failed(err, "sendto");
    }
    return (size_t)sent == size ? BERTH_OK
                                : berth_fail(err, BERTH_IO, 0, "netlink sock_diag: cut request");
}

static enum berth_code kernel_receive(void *context, void *buffer, size_t capacity, size_t *size,
                                      struct berth_error *err)
{
    const struct berth_sock_diag *diag = context;
    struct sockaddr_nl sender;
    struct iovec piece = {.iov_base = buffer, .iov_len = capacity};
    struct msghdr header;
    ssize_t received;

    do {
        sender = (struct sockaddr_nl){0};
        header = (struct msghdr){
            .msg_name = &sender, .msg_namelen = sizeof sender, .msg_iov = &piece, .msg_iovlen = 1};
        received = recvmsg(diag->fd, &header, 0);
        /* anybody may write to our netlink address; only 0 is the kernel */
    } while ((received < 0 && errno == EINTR) || (received >= 0 && sender.nl_pid != 0));
    if (received < 0 && errno == ENOBUFS) {
        return berth_fail(err, BERTH_UNSTABLE, errno, "netlink sock_diag: datagrams were lost");
    }
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return berth_fail(err, BERTH_IO, errno,
                          "netlink sock_diag: the kernel did not end its answer");
    }
    if (received < 0) {
        return kernel_failed(err, "recvmsg");
    }
    if ((header.msg_flags & MSG_TRUNC) != 0) {
        return berth_fail(err, BERTH_UNSTABLE, 0, "netlink sock_diag: a datagram was cut off");
    }
    *size = (size_t)received;
    return BERTH_OK;
}

static void kernel_close(void *context)
{
    struct berth_sock_diag *diag = context;

    if (diag->fd >= 0) {
        (void)close(diag->fd);
        diag->fd = -1;
    }
}

/* --- the dialogue --------------------------------------------------------------------------- */

enum berth_code berth_sock_diag_init(struct berth_sock_diag *diag,
                                     const struct berth_sock_diag_channel *channel,
                                     struct berth_error *err)
{
    const struct berth_sock_diag_channel kernel = {kernel_open, kernel_send, kernel_receive,
                                                   kernel_close, diag};

    *diag = (struct berth_sock_diag){.fd = -1};
    diag->channel = channel != NULL ? *channel : kernel;
    diag->buffer = berth_alloc(BERTH_SOCK_DIAG_BUFFER_BYTES, 1);
    return diag->buffer != NULL ? BERTH_OK : berth_fail_memory(err, "the netlink buffer");
}

static void close_channel(struct berth_sock_diag *diag)
{
    if (diag->is_open) {
        diag->channel.close(diag->channel.context);
        diag->is_open = false;
    }
}

void berth_sock_diag_fini(struct berth_sock_diag *diag)
{
    close_channel(diag);
    berth_free(diag->buffer);
    diag->buffer = NULL;
}

/* The request of old, by message type TCPDIAG_GETSOCK, lists both families in one walk through the
 * kernel's tables; the one by family takes a walk for each, which on an idle machine is all that a
 * dump costs (inet_diag_dump_compat() in net/ipv4/inet_diag.c). The sockets are the same. */
static enum berth_code send_request(struct berth_sock_diag *diag, uint32_t states,
                                    struct berth_error *err)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req body;
    } request;

    memset(&request, 0, sizeof request);
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = TCPDIAG_GETSOCK;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.header.nlmsg_seq = ++diag->sequence;
    request.header.nlmsg_pid = diag->port_id;
    request.body.idiag_family = AF_INET; /* is not looked at */
    request.body.idiag_states = states;
    return diag->channel.send(diag->channel.context, &request, sizeof request, err);
}

static enum berth_code dump(struct berth_sock_diag *diag, uint32_t states,
                            const struct berth_sock_diag_sink *sink, struct berth_error *err)
{
    enum berth_code code = send_request(diag, states, err);
    const struct berth_sock_diag_dialogue dialogue = {diag->sequence, diag->port_id};
    bool done = false;

    for (unsigned datagrams = 0; code == BERTH_OK && !done; datagrams++) {
        size_t size = 0;
        if (datagrams == BERTH_SOCK_DIAG_DATAGRAMS_MAX) {
            return berth_fail(err, BERTH_TOO_LARGE, 0, "the kernel's socket dump does not end");
        }
        code = diag->channel.receive(diag->channel.context, diag->buffer,
                                     BERTH_SOCK_DIAG_BUFFER_BYTES, &size, err);
        if (code == BERTH_OK && size == 0) {
            code = berth_fail(err, BERTH_MALFORMED, 0, "netlink sock_diag: an empty datagram");
        }
        if (code == BERTH_OK) {
            code = berth_sock_diag_decode(&dialogue, diag->buffer, size, sink->row, sink->context,
                                          &done, err);
        }
    }
    return code;
}

static enum berth_code attempt(struct berth_sock_diag *diag, uint32_t states,
                               const struct berth_sock_diag_sink *sink, struct berth_error *err)
{
    enum berth_code code = BERTH_OK;

    sink->restart(sink->context);
    if (!diag->is_open) {
        diag->is_open = true; /* a half-opened one is closed as well */
        code = diag->channel.open(diag->channel.context, &diag->port_id, err);
    }
    if (code == BERTH_OK) {
        code = dump(diag, states, sink, err);
    }
    return code;
}

enum berth_code berth_sock_diag_read(struct berth_sock_diag *diag, uint32_t states,
                                     const struct berth_sock_diag_sink *sink,
                                     struct berth_error *err)
{
    enum berth_code code = BERTH_INTERNAL;

    for (unsigned tries = 0; tries < BERTH_SOCK_DIAG_ATTEMPTS; tries++) {
        code = attempt(diag, states, sink, err);
        if (code == BERTH_OK) {
            break;
        }
        /* what the kernel still has to say to the failed request would stand before the next
         * answer, and a running dump makes it refuse another (EBUSY): start over */
        close_channel(diag);
        if (code == BERTH_NO_MEMORY || code == BERTH_TOO_LARGE) {
            break;
        }
    }
    return code;
}
