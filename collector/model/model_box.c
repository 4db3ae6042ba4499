#include "collector/model/model_box.h"

#include "lib/mem.h"

#include <pthread.h>
#include <stdlib.h>

struct model_box {
    pthread_mutex_t mutex; /* around the pointer, never around work */
    const struct model *model;
};

struct model_box *model_box_create(void)
{
    struct model_box *box = mem_zalloc(sizeof *box);
    pthread_mutex_init(&box->mutex, NULL);
    return box;
}

void model_box_destroy(struct model_box *box)
{
    if (box == NULL)
        return;
    model_put(box->model);
    pthread_mutex_destroy(&box->mutex);
    free(box);
}

void model_box_set(struct model_box *box, const struct model *m)
{
    model_get(m);
    pthread_mutex_lock(&box->mutex);
    const struct model *before = box->model;
    box->model = m;
    pthread_mutex_unlock(&box->mutex);
    model_put(before);
}

const struct model *model_box_get(struct model_box *box)
{
    pthread_mutex_lock(&box->mutex);
    const struct model *m = box->model != NULL ? model_get(box->model) : NULL;
    pthread_mutex_unlock(&box->mutex);
    return m;
}

bool model_box_follow(struct model_box *box, const struct model **held)
{
    const struct model *m = model_box_get(box);
    bool is_other = m != *held;
    model_put(is_other ? *held : m);
    if (is_other)
        *held = m;
    return is_other;
}
