#include "collector/live/snapshot.h"

#include "lib/mem.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* The reference count and the arrays' memory lie behind the public struct, so that readers see only values.
 */
struct held_snapshot {
    struct snapshot value;
    const struct model *model; /* NULL = its park is somebody else's */
    atomic_int references;
};

struct snapshot_box {
    pthread_mutex_t mutex; /* around the pointer swap and the listener, never around work */
    const struct snapshot *newest;
    void (*on_publish)(void *user_data);
    void *user_data;
};

static struct held_snapshot *held(const struct snapshot *s)
{
    return (struct held_snapshot *)(uintptr_t)s;
}

struct snapshot_box *snapshot_box_create(void)
{
    struct snapshot_box *box = mem_zalloc(sizeof *box);
    pthread_mutex_init(&box->mutex, NULL);
    return box;
}

void snapshot_box_destroy(struct snapshot_box *box)
{
    if (!box)
        return;
    snapshot_put(box->newest);
    pthread_mutex_destroy(&box->mutex);
    free(box);
}

struct snapshot *snapshot_create(size_t points, size_t gateways)
{
    struct held_snapshot *h = mem_zalloc(sizeof *h);
    h->references = 1;
    h->value.points = mem_zalloc((points ? points : 1) * sizeof *h->value.points);
    h->value.point_count = points;
    h->value.gateways = mem_zalloc((gateways ? gateways : 1) * sizeof *h->value.gateways);
    h->value.gateway_count = gateways;
    return &h->value;
}

void snapshot_publish(struct snapshot_box *box, struct snapshot *s)
{
    assert(s != NULL);
    pthread_mutex_lock(&box->mutex);
    const struct snapshot *before = box->newest;
    box->newest = s;
    /* Under the mutex, so that once snapshot_listen has returned, the former listener is not running. */
    if (box->on_publish)
        box->on_publish(box->user_data);
    pthread_mutex_unlock(&box->mutex);
    snapshot_put(before);
}

const struct snapshot *snapshot_get(struct snapshot_box *box)
{
    pthread_mutex_lock(&box->mutex);
    const struct snapshot *s = box->newest;
    if (s)
        atomic_fetch_add(&held(s)->references, 1);
    pthread_mutex_unlock(&box->mutex);
    return s;
}

void snapshot_put(const struct snapshot *s)
{
    if (!s || atomic_fetch_sub(&held(s)->references, 1) > 1)
        return;
    struct held_snapshot *h = held(s);
    free((void *)(uintptr_t)h->value.points);
    free((void *)(uintptr_t)h->value.gateways);
    model_put(h->model);
    free(h);
}

void snapshot_listen(struct snapshot_box *box, void (*on_publish)(void *user_data), void *user_data)
{
    pthread_mutex_lock(&box->mutex);
    box->on_publish = on_publish;
    box->user_data = user_data;
    pthread_mutex_unlock(&box->mutex);
}

void snapshot_hold(struct snapshot *s, const struct model *m)
{
    held(s)->model = model_get(m);
    s->park = m->park;
}

struct snapshot_point *snapshot_points(struct snapshot *s)
{
    return (struct snapshot_point *)(uintptr_t)s->points;
}

struct snapshot_gateway *snapshot_gateways(struct snapshot *s)
{
    return (struct snapshot_gateway *)(uintptr_t)s->gateways;
}
