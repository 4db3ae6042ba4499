/* What the parts that write a bundle share. Private to collector/bundle/. */
#pragma once

#include "collector/bundle/manifest.h"
#include "collector/verify/refold.h"
#include "lib/progress.h"
#include "lib/zip.h"

struct writer {
    struct bundle_subject subject;
    struct zip_writer zip;
    struct manifest manifest;
    struct books *evidence; /* of subject.db, to read from */
    struct refold refold;
    struct progress progress;
    /* Parts that grow from meter to meter, and the one in hand. */
    struct buf meters, points, part;
    int64_t *batches; /* of the journal, that readings came with; each once when sorted */
    size_t batch_count, batch_capacity;
    int64_t oldest;             /* batch of the journal; INT64_MAX = it is empty */
    int64_t after_ms, until_ms; /* of all meters: readings after and up to these times are here */
    size_t done;                /* meters */
    bool differs;               /* the books of a meter are not what all its evidence gives */
};

/* Puts a part into the file, and into the manifest. */
enum status writer_put(struct writer *w, const char *name, const struct buf *text, struct error *err);

/* Does the meter enter figures of the report? */
bool writer_needs(const struct writer *w, const struct park_meter *meter);
/* Its readings, points and quarter hours. */
enum status writer_add_meter(struct writer *w, const struct meters_item *item, struct error *err);

enum status writer_put_model(struct writer *w, struct error *err);
enum status writer_put_decisions(struct writer *w, struct error *err);
enum status writer_put_batches(struct writer *w, struct error *err);
/* Batches of these readings that the journal has no longer: by the archive. */
enum status writer_put_archived(struct writer *w, struct error *err);
enum status writer_put_seals(struct writer *w, struct error *err);
/* Closings, overrides, what is booked, and the versions of quarter hours. */
enum status writer_put_closings(struct writer *w, struct error *err);
