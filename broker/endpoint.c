// SPDX-License-Identifier: Apache-2.0
#include "broker/endpoint.h"

#include "codec/ids.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { IPC_PATH_MAX = 107, PORT_MAX = 65535, HOST_SIZE_MAX = 64 };

static bool take_prefix(struct bytes *text, struct bytes prefix)
{
    if (text->size < prefix.size || memcmp(text->at, prefix.at, prefix.size) != 0)
        return false;
    *text = bytes_of(text->at + prefix.size, text->size - prefix.size);
    return true;
}

static bool port_valid(struct bytes port)
{
    unsigned number = 0;
    if (bytes_equal(port, BYTES("*")))
        return true;
    for (size_t i = 0; i < port.size; i++) {
        if (port.at[i] < '0' || port.at[i] > '9')
            return false;
        number = number * 10 + (port.at[i] - '0');
        if (number > PORT_MAX)
            return false;
    }
    return port.size > 0;
}

// An IPv4 address, *, or what may be the name of a network interface: whether it exists shows when it is bound.
static bool host_valid(struct bytes host)
{
    char text[HOST_SIZE_MAX];
    struct in_addr address;
    bool numeric = true;
    if (!host.size || host.size >= sizeof text)
        return false;
    for (size_t i = 0; i < host.size; i++) {
        uint8_t c = host.at[i];
        bool digit = (c >= '0' && c <= '9') || c == '.';
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '@';
        if (!digit && !letter)
            return bytes_equal(host, BYTES("*"));
        numeric = numeric && digit;
    }
    snprintf(text, sizeof text, "%.*s", BYTES_FORMAT(host));
    return !numeric || inet_pton(AF_INET, text, &address) == 1;
}

static bool host_port_split(struct bytes text, struct bytes *host, struct bytes *port)
{
    const uint8_t *colon = text.size ? memrchr(text.at, ':', text.size) : NULL;
    if (!colon)
        return false;
    *host = bytes_of(text.at, (size_t)(colon - text.at));
    *port = bytes_of(colon + 1, text.size - host->size - 1);
    return true;
}

static const char *tcp_refusal(struct bytes address)
{
    struct bytes host, port;
    if (!host_port_split(address, &host, &port))
        return "a tcp endpoint is tcp://HOST:PORT";
    if (host.size && host.at[0] == '[')
        return "IPv6 addresses are not served";
    if (bytes_equal(host, BYTES("localhost")))
        return "names are not looked up to listen; write tcp://127.0.0.1:PORT";
    if (!host_valid(host))
        return "HOST in tcp://HOST:PORT must be an IPv4 address, a network interface or *";
    return port_valid(port) ? NULL : "PORT in tcp://HOST:PORT must be 0 to 65535 or *";
}

static const char *ipc_resolve(struct bytes path, const char *directory, char resolved[ENDPOINT_SIZE_MAX])
{
    bool relative = path.size && path.at[0] != '/' && path.at[0] != '@' && !bytes_equal(path, BYTES("*"));
    size_t whole = path.size + (relative ? strlen(directory) + 1 : 0);
    if (!path.size || whole > IPC_PATH_MAX)
        return "PATH in ipc://PATH must be 1 to 107 bytes long, counted from the root";
    snprintf(resolved, ENDPOINT_SIZE_MAX, "ipc://%s%s%.*s", relative ? directory : "", relative ? "/" : "",
             BYTES_FORMAT(path));
    return NULL;
}

const char *endpoint_resolve(struct bytes endpoint, const char *directory, char resolved[ENDPOINT_SIZE_MAX])
{
    struct bytes rest = endpoint;
    if (!key_valid(endpoint, ENDPOINT_SIZE_MAX - 1))
        return "an endpoint is 1 to 255 bytes long, without control characters";
    if (take_prefix(&rest, BYTES("ipc://")))
        return ipc_resolve(rest, directory, resolved);
    if (!take_prefix(&rest, BYTES("tcp://")))
        return "an endpoint is tcp://HOST:PORT or ipc://PATH";
    const char *why = tcp_refusal(rest);
    if (!why)
        snprintf(resolved, ENDPOINT_SIZE_MAX, "%.*s", BYTES_FORMAT(endpoint));
    return why;
}

bool endpoint_is_wildcard(const char *endpoint)
{
    struct bytes host, port, rest = bytes_text(endpoint);
    if (take_prefix(&rest, BYTES("ipc://")))
        return bytes_equal(rest, BYTES("*"));
    return host_port_split(rest, &host, &port) && (bytes_equal(port, BYTES("*")) || bytes_equal(port, BYTES("0")));
}

bool topology_endpoint_is_public(const char *endpoint)
{
    struct bytes host, port, rest = bytes_text(endpoint);
    if (!take_prefix(&rest, BYTES("tcp://")))
        return false;
    if (!host_port_split(rest, &host, &port))
        return true;
    char text[HOST_SIZE_MAX];
    struct in_addr address;
    snprintf(text, sizeof text, "%.*s", BYTES_FORMAT(host));
    if (inet_pton(AF_INET, text, &address) == 1)
        return (ntohl(address.s_addr) >> 24) != 127;
    return !bytes_equal(host, BYTES("localhost")) && !bytes_equal(host, BYTES("lo")) &&
           !bytes_equal(host, BYTES("[::1]"));
}
