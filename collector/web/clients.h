/*
 * Who is connected to the listener, so that nobody holds it: a request that is not whole in time, or an answer that
 * is not taken in time, ends its connection; and when there is hardly room for one more, of its address or of all,
 * the one that has waited longest makes room. So a newcomer is served however many others only wait. Event streams
 * stay. Knows nothing of the HTTP library: it ends a connection by shutting its socket down, which the library
 * notices.
 */
#pragma once

#include <stdint.h>
#include <sys/socket.h>

struct clients;
struct client;

struct clients_limits {
    int total, per_address; /* more may be there for the moment that the library takes to notice an end */
    int request_ms;         /* from the connection's begin, or the answer before, to a whole request */
    int answer_ms;
};

enum client_state { CLIENT_ASKS, CLIENT_IS_ANSWERED, CLIENT_STREAMS };

struct clients *clients_create(const struct clients_limits *limits);
void clients_destroy(struct clients *c); /* after the last clients_remove; accepts NULL */
/* `fd` stays open until clients_remove. One thread adds, sets and removes. */
struct client *clients_add(struct clients *c, int fd, const struct sockaddr *address);
void clients_set(struct clients *c, struct client *client, enum client_state state);
void clients_remove(struct clients *c, struct client *client); /* accepts NULL */
